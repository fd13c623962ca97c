#include "route_client.h"

#include <arpa/inet.h>

#include <cstring>
#include <ostream>

namespace turnpike::conformance {
namespace {

constexpr int kMark = 0xA5;

bool is_marked(const RTM_IP_ROUTE& route) {
  RTM_IP_ROUTE marked;
  std::memset(&marked, kMark, sizeof marked);
  return std::memcmp(&route, &marked, sizeof marked) == 0;
}

std::string dotted(DWORD address) {
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &address, text, sizeof text);
}

}  // namespace

DWORD address(const char* text) {
  DWORD result = 0;
  EXPECT_EQ(inet_pton(AF_INET, text, &result), 1) << text;
  return result;
}

IP_NETWORK network(const char* prefix) {
  const std::string text = prefix;
  const size_t slash = text.find('/');
  const int length = std::stoi(text.substr(slash + 1));
  const DWORD mask = length == 0 ? 0 : htonl(~DWORD{0} << (32 - length));
  return {address(text.substr(0, slash).c_str()), mask};
}

RTM_IP_ROUTE route(const char* prefix, const Via& via) {
  RTM_IP_ROUTE made{};
  made.RR_Network = network(prefix);
  made.RR_InterfaceID = via.interface;
  made.RR_NextHopAddress = {address(via.hop), ~DWORD{0}};
  made.RR_FamilySpecificData.FSD_Type = 4;
  made.RR_FamilySpecificData.FSD_Metric = via.metric;
  made.RR_FamilySpecificData.FSD_Flags = via.flags;
  return made;
}

std::string text_of(const RTM_IP_ROUTE& it) {
  return dotted(it.RR_Network.N_NetNumber) + "/" + std::to_string(__builtin_popcount(it.RR_Network.N_NetMask)) + " " +
         std::to_string(it.RR_RoutingProtocol) + " via " + dotted(it.RR_NextHopAddress.N_NetNumber) + " if " +
         std::to_string(it.RR_InterfaceID) + " metric " + std::to_string(it.RR_FamilySpecificData.FSD_Metric);
}

// --- answers

Answer::Answer() {
  std::memset(&current, kMark, sizeof current);
  std::memset(&previous, kMark, sizeof previous);
}
bool Answer::wrote_current() const { return !is_marked(current); }
bool Answer::wrote_previous() const { return !is_marked(previous); }

std::string Answer::text() const {
  if (code != NO_ERROR && code != ERROR_MORE_MESSAGES) {
    return "error " + std::to_string(code);
  }
  const std::string more = code == ERROR_MORE_MESSAGES ? ", more" : "";
  switch (flags) {
    case RTM_NO_CHANGE:
      return "NO CHANGE" + more;
    case RTM_ROUTE_ADDED:
      return "ADDED " + text_of(current) + more;
    case RTM_ROUTE_DELETED:
      return "DELETED " + text_of(previous) + more;
    case RTM_ROUTE_CHANGED:
      return "CHANGED " + text_of(current) + " from " + text_of(previous) + more;
    default:
      return "flags " + std::to_string(flags);
  }
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) { return out << answer.text(); }

// --- clients

Client::Client(DWORD protocol, DWORD flags, DWORD family, BOOL manual_reset)
    : event_(CreateEventW(nullptr, manual_reset, FALSE, nullptr)),
      handle_(RtmRegisterClient(family, protocol, event_, flags)) {
  EXPECT_NE(handle_, nullptr) << GetLastError();
}

Client::~Client() {
  if (handle_ != nullptr) {
    EXPECT_EQ(deregister(), DWORD{NO_ERROR});
  }
  EXPECT_NE(CloseHandle(event_), FALSE);
}

DWORD Client::deregister() { return RtmDeregisterClient(std::exchange(handle_, nullptr)); }

Answer Client::add(RTM_IP_ROUTE added, DWORD seconds) const {
  Answer answer;
  answer.code = RtmAddRoute(handle_, &added, seconds, &answer.flags, &answer.current, &answer.previous);
  return answer;
}
Answer Client::add(const char* prefix, const Via& via, DWORD seconds) const { return add(route(prefix, via), seconds); }

Answer Client::remove(RTM_IP_ROUTE removed) const {
  Answer answer;
  answer.previous = removed;
  answer.code = RtmDeleteRoute(handle_, &removed, &answer.flags, &answer.current);
  return answer;
}
Answer Client::remove(const char* prefix, const Via& via) const { return remove(route(prefix, via)); }

Answer Client::next() const {
  Answer answer;
  answer.code = RtmDequeueRouteChangeMessage(handle_, &answer.flags, &answer.current, &answer.previous);
  return answer;
}

std::vector<std::string> Client::messages() const {
  std::vector<std::string> all;
  for (Answer answer = next(); answer.code != ERROR_NO_MESSAGES; answer = next()) {
    const bool more = answer.code == ERROR_MORE_MESSAGES;
    answer.code = more ? DWORD{NO_ERROR} : answer.code;
    all.push_back(answer.text());
    if (!more) {
      break;
    }
  }
  return all;
}

// --- reading

std::vector<std::string> enumerated(DWORD flags, const RTM_IP_ROUTE& criteria, DWORD family) {
  RTM_IP_ROUTE found = criteria;
  const HANDLE handle = RtmCreateEnumerationHandle(family, flags, &found);
  if (handle == nullptr) {
    EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_ROUTES});
    return {};
  }
  std::vector<std::string> all;
  DWORD code = NO_ERROR;
  while ((code = RtmEnumerateGetNextRoute(handle, &found)) == NO_ERROR) {
    all.push_back(text_of(found));
  }
  EXPECT_EQ(code, DWORD{ERROR_NO_MORE_ROUTES});
  EXPECT_EQ(RtmEnumerateGetNextRoute(handle, &found), DWORD{ERROR_NO_MORE_ROUTES});
  EXPECT_EQ(RtmCloseEnumerationHandle(handle), DWORD{NO_ERROR});
  return all;
}

std::vector<std::string> walked(DWORD flags, const RTM_IP_ROUTE& criteria) {
  std::vector<std::string> all;
  RTM_IP_ROUTE at = criteria;
  DWORD code = RtmGetFirstRoute(kIp, flags, &at);
  for (; code == NO_ERROR; code = RtmGetNextRoute(kIp, flags, &at)) {
    all.push_back(text_of(at));
  }
  EXPECT_EQ(code, DWORD{ERROR_NO_ROUTES});
  return all;
}

std::string best(const char* prefix) {
  IP_NETWORK wanted = network(prefix);
  RTM_IP_ROUTE found;
  if (RtmIsRoute(kIp, &wanted, &found) == FALSE) {
    EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
    return "";
  }
  return text_of(found);
}

RtmV1Test::RtmV1Test() { EXPECT_EQ(TpClockUseTest(), 1); }

RtmV1Test::~RtmV1Test() {
  EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U);
  EXPECT_EQ(TpReferenceCount(TP_KIND_ANY), 0U);
  EXPECT_EQ(TpRtmConfigure(nullptr, 0), 1);
  EXPECT_EQ(TpClockUseSystem(), 1);
}

}  // namespace turnpike::conformance

// What every conformance test of RTMv1 stands on: routes written as text, a client with its event, and answers whose
// unwritten parts can be told from the written ones.
//
// Written from docs/contract/rtmv1.md and the public headers alone: nothing here may know how the library works.
#ifndef TURNPIKE_TESTS_CONFORMANCE_ROUTE_CLIENT_H
#define TURNPIKE_TESTS_CONFORMANCE_ROUTE_CLIENT_H

#include <gtest/gtest.h>
#include <windows.h>

#include <nldef.h>
#include <rtm.h>
#include <turnpike/testing.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace turnpike::conformance {

inline const HANDLE kGarbage = reinterpret_cast<HANDLE>(0x1234567);  // NOLINT: a number that no library gave out
constexpr DWORD kIp = RTM_PROTOCOL_FAMILY_IP;
constexpr DWORD kIpx = RTM_PROTOCOL_FAMILY_IPX;
constexpr DWORD kRip = PROTO_IP_RIP;
constexpr DWORD kOspf = PROTO_IP_OSPF;

inline void pass(uint32_t seconds) { ASSERT_EQ(TpClockAdvance(seconds * 1000), 1); }

/// What a test says of a route.
struct Via {
  const char* hop = "192.0.2.1";
  DWORD interface = 1;
  DWORD metric = 1;
  DWORD flags = IP_VALID_ROUTE;
};
DWORD address(const char* text);
IP_NETWORK network(const char* prefix);
RTM_IP_ROUTE route(const char* prefix, const Via& via = {});
/// The other way round: "10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1", the second number is the protocol's.
std::string text_of(const RTM_IP_ROUTE& route);

/// What a call said: its code, its flags, and the routes that it wrote.
struct Answer {
  DWORD code = 0;
  DWORD flags = 0xA5A5A5A5;
  RTM_IP_ROUTE current;
  RTM_IP_ROUTE previous;

  Answer();
  bool wrote_current() const;
  bool wrote_previous() const;
  /// "ADDED …", "DELETED …", "CHANGED … from …", "NO CHANGE"; or the code in words, where it is an error.
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const Answer& answer);

/// A registered client with a manual-reset event, handed to a call as its handle. Deregisters at the end of the scope.
class Client {
 public:
  explicit Client(DWORD protocol, DWORD flags = 0, DWORD family = kIp, BOOL manual_reset = TRUE);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  operator HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)
  HANDLE event() const { return event_; }
  /// Leaves now.
  DWORD deregister();

  Answer add(RTM_IP_ROUTE route, DWORD seconds = INFINITE) const;
  Answer add(const char* prefix, const Via& via = {}, DWORD seconds = INFINITE) const;
  Answer remove(RTM_IP_ROUTE route) const;
  Answer remove(const char* prefix, const Via& via = {}) const;
  Answer next() const;
  /// Every message that waits, as text.
  std::vector<std::string> messages() const;
  /// Whether the event is set; looks without waiting, and leaves a manual-reset event as it is.
  bool is_told() const { return WaitForSingleObject(event_, 0) == WAIT_OBJECT_0; }

 private:
  HANDLE event_ = nullptr;
  HANDLE handle_ = nullptr;
};

/// What an enumeration by handle, or the walk by RtmGetFirstRoute and RtmGetNextRoute, returns, as text.
std::vector<std::string> enumerated(DWORD flags = 0, const RTM_IP_ROUTE& criteria = {}, DWORD family = kIp);
std::vector<std::string> walked(DWORD flags = 0, const RTM_IP_ROUTE& criteria = {});
/// The best route of a network as text; "" where there is none.
std::string best(const char* prefix);

/// Turns the clock for each test and checks that everything is gone when its clients are.
class RtmV1Test : public ::testing::Test {
 protected:
  RtmV1Test();
  ~RtmV1Test() override;
};

}  // namespace turnpike::conformance

#endif

#include "multicast.h"

#include <ipmib.h>
#include <mgm.h>
#include <turnpike/mgm6.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "kernel_answer.h"
#include "net/address.h"
#include "net/text.h"
#include "table_reader.h"

namespace turnpike::daemon {
namespace {

constexpr std::size_t kPage = 64 << 10;  // bytes of entries at a time
constexpr std::uint32_t kMostOut = 64;   // a kernel has 32

std::string text_of(DWORD address) {
  return address == 0
             ? "*"
             : std::string(
                   to_text(net::Address::from_network(std::bit_cast<std::array<std::uint8_t, 4>>(address))).view());
}
std::string text_of(const TP_MGM6_ADDRESS& address) {
  return std::string(to_text(net::Address::from_network(address)).view());
}

struct Start {
  decltype(&TpMgmForwarderStart) start;
  decltype(&TpMgmForwarderStop) stop;
  const char* family;
};
constexpr Start kIpv4 = {TpMgmForwarderStart, TpMgmForwarderStop, "IPv4"};
constexpr Start kIpv6 = {TpMgm6ForwarderStart, TpMgm6ForwarderStop, "IPv6"};

std::optional<std::string> start(const Start& family, const TP_MGM_FORWARDER_OPTIONS& options) {
  std::array<char, 256> holder{};
  const std::uint32_t status = family.start(&options, holder.data(), holder.size());
  if (status == NO_ERROR) return std::nullopt;
  std::string why = std::string("multicast of ") + family.family + " is not forwarded: ";
  if (status == ERROR_BUSY) return why + "multicast protocols run already without it";
  if (status == ERROR_CAN_NOT_COMPLETE) return why + holder.data() + " has the kernel's table";
  return why + "error " + std::to_string(status);
}

using Protocols = std::vector<config::Protocol>;

std::string name_in(const Protocols& named, std::uint32_t protocol) {
  const auto known = std::ranges::find(named, protocol, &config::Protocol::id);
  return known != named.end() ? known->name : name_of_protocol(protocol);
}

// An entry of any family.
Value entry(std::string group, std::string source, std::uint32_t in, std::string protocol, Value out,
            std::uint64_t packets, std::uint64_t octets, std::uint64_t wrong) {
  return Value::Object{{"group", std::move(group)},
                       {"source", std::move(source)},
                       {"in", interface_name(in)},
                       {"protocol", std::move(protocol)},
                       {"out", std::move(out)},
                       {"packets", static_cast<std::int64_t>(packets)},
                       {"octets", static_cast<std::int64_t>(octets)},
                       {"wrong_interface", static_cast<std::int64_t>(wrong)}};
}

void add_ipv4(const Protocols& named, Value::List& entries) {
  std::vector<BYTE> page(kPage);
  MIB_IPMCAST_MFE last{};
  bool is_first = true;
  for (DWORD status = ERROR_MORE_DATA; status == ERROR_MORE_DATA || status == NO_ERROR; is_first = false) {
    auto room = static_cast<DWORD>(page.size());
    DWORD count = 0;
    status = is_first ? MgmGetFirstMfeStats(&room, page.data(), &count, MGM_MFE_STATS_0)
                      : MgmGetNextMfeStats(&last, &room, page.data(), &count, MGM_MFE_STATS_0);
    const BYTE* at = page.data();
    for (DWORD i = 0; i < count; ++i) {
      MIB_IPMCAST_MFE_STATS head{};
      std::memcpy(&head, at, SIZEOF_BASIC_MIB_MFE_STATS);
      Value::List out;
      for (ULONG n = 0; n < head.ulNumOutIf; ++n) {
        MIB_IPMCAST_OIF_STATS oif{};
        std::memcpy(&oif, at + SIZEOF_BASIC_MIB_MFE_STATS + n * sizeof oif, sizeof oif);
        out.emplace_back(interface_name(oif.dwOutIfIndex));
      }
      entries.push_back(entry(text_of(head.dwGroup), text_of(head.dwSource), head.dwInIfIndex,
                              name_in(named, head.dwInIfProtocol), std::move(out), head.ulInPkts, head.ulInOctets,
                              head.ulPktsDifferentIf));
      at += SIZEOF_MIB_MFE_STATS(head.ulNumOutIf);
      last.dwGroup = head.dwGroup;
      last.dwSource = head.dwSource;
    }
    if (count == 0) break;
  }
}

void add_ipv6(const Protocols& named, Value::List& entries) {
  TP_MGM6_ENTRY read{};
  read.size = sizeof read;
  std::array<TP_MGM6_OUT_COUNT, kMostOut> outs{};
  TP_MGM6_FLOW last{};
  for (bool is_first = true; TpMgm6GetNextEntry(is_first ? nullptr : &last, &read, outs.data(), kMostOut) == NO_ERROR;
       is_first = false) {
    Value::List out;
    for (std::uint32_t i = 0; i < read.out_count && i < kMostOut; ++i) {
      out.emplace_back(interface_name(outs[i].at.index));
    }
    entries.push_back(entry(text_of(read.flow.group), text_of(read.flow.source), read.incoming.index,
                            name_in(named, read.incoming_protocol), std::move(out), read.packets, read.octets,
                            read.wrong_interface));
    last = read.flow;
  }
}

TP_MGM_STATUS status_of(decltype(&TpMgmGetStatus) ask) {
  TP_MGM_STATUS status{};
  status.size = sizeof status;
  ask(&status);
  return status;
}

std::string text_of(const char* family, const TP_MGM_STATUS& status) {
  if (status.forwarder != TP_MGM_FORWARDER_KERNEL) return std::string(family) + " not forwarded";
  std::string text = std::string(family) + " forwarded, " + std::to_string(status.entries) + " entries";
  text += status.kept != 0 ? ", kept over a crash" : ", not kept over a crash";
  if (status.unclaimed != 0) text += ", " + std::to_string(status.unclaimed) + " of a former run";
  if (status.upcalls_lost != 0) text += ", " + std::to_string(status.upcalls_lost) + " upcalls lost";
  return text;
}

}  // namespace

std::optional<std::string> start_multicast(const config::MulticastSettings& settings) {
  if (settings.enabled == 0) return std::nullopt;
  TP_MGM_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = settings.view | (settings.wrong_interface != 0 ? TP_MGM_WRONG_INTERFACE : 0) |
                  (settings.keep != 0 ? TP_MGM_KEEP : 0);
  options.kernel_table = settings.table;
  options.receive_buffer = settings.receive_buffer;
  options.settle_ms = settings.settle_ms;
  if (settings.ipv4 != 0) {
    if (auto why = start(kIpv4, options)) return why;
  }
  if (settings.ipv6 == 0) return std::nullopt;
  auto why = start(kIpv6, options);
  if (why && settings.ipv4 != 0) TpMgmForwarderStop();
  return why;
}

std::optional<std::string> stop_multicast() {
  for (const Start& family : {kIpv4, kIpv6}) {
    if (family.stop() == ERROR_BUSY) return std::string("multicast protocols of ") + family.family + " run";
  }
  return std::nullopt;
}

std::string multicast_text() {
  return text_of("IPv4", status_of(TpMgmGetStatus)) + "; " + text_of("IPv6", status_of(TpMgm6GetStatus));
}

Value multicast_entries(const std::vector<config::Protocol>& named) {
  Value::List entries;
  add_ipv4(named, entries);
  add_ipv6(named, entries);
  return entries;
}

}  // namespace turnpike::daemon

// The device's counters: one question to netlink, one answer.
#include <linux/if_link.h>

#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/link_question.h"

namespace turnpike::kernel {
namespace {

const AttributeTable kAttributes{{IFLA_STATS64, Shape::kBytes, "IFLA_STATS64"}};

ndis::AdapterStatistics statistics_of(const rtnl_link_stats64& from) {
  ndis::AdapterStatistics to;
  to.tx_packets = from.tx_packets;
  to.rx_packets = from.rx_packets;
  to.tx_bytes = from.tx_bytes;
  to.rx_bytes = from.rx_bytes;
  to.tx_errors = from.tx_errors;
  to.rx_errors = from.rx_errors;
  to.tx_dropped = from.tx_dropped;
  to.rx_dropped = from.rx_dropped;
  to.rx_missed = from.rx_missed_errors;
  to.rx_crc_errors = from.rx_crc_errors;
  to.rx_frame_errors = from.rx_frame_errors;
  to.rx_over_errors = from.rx_over_errors;
  to.rx_fifo_errors = from.rx_fifo_errors;
  to.tx_aborted = from.tx_aborted_errors;
  to.tx_fifo_errors = from.tx_fifo_errors;
  to.tx_heartbeat = from.tx_heartbeat_errors;
  to.tx_carrier = from.tx_carrier_errors;
  to.tx_window = from.tx_window_errors;
  to.multicast = from.multicast;
  to.collisions = from.collisions;
  return to;
}

}  // namespace

Result<ndis::AdapterStatistics> read_statistics(const NetNamespace& where, net::InterfaceIndex index) {
  LinkQuestion question;
  const auto answer = question.attributes(where, index);
  if (!answer) return tl::unexpected(answer.error());
  Attributes attributes;
  if (const auto read = attributes.read(*answer, kAttributes); !read) return tl::unexpected(read.error());
  // A newer kernel's is longer, an older one's shorter; what is missing is zero.
  rtnl_link_stats64 counters{};
  const Bytes given = attributes.bytes(IFLA_STATS64);
  std::memcpy(&counters, given.data(), std::min(given.size(), sizeof counters));
  return statistics_of(counters);
}

}  // namespace turnpike::kernel

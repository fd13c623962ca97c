// Object identifiers: one row for each that is known (section E). A row says how it is read and how it is written;
// length checks, direction and "unknown" are decided in one place, below the table, so no answer can forget them.
//
// What cannot be known (counters that the device does not keep) answers kNotSupported and is not in the list of what is
// supported: that list is the rows that are marked as listed, so it tells the truth.
#include <algorithm>
#include <cstring>

#include "ndis/change_wishes.h"
#include "win32/text/utf8.h"

namespace turnpike::ndis {

// One request, while it is answered.
struct Asking {
  Engine& engine;
  Binding& binding;
  Nic& nic;
  const AdapterFacts& facts;
  OidRequest& request;
  std::vector<std::byte>& out;

  template <class T>
  Status give(const T& value) const {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof(T));
    return Status::kSuccess;
  }
  [[nodiscard]] std::span<const std::byte> input() const {
    return {static_cast<const std::byte*>(request.buffer), request.length};
  }
  [[nodiscard]] std::uint32_t input_number() const {
    std::uint32_t number = 0;
    std::memcpy(&number, request.buffer, sizeof(number));
    return number;
  }
  [[nodiscard]] bool is_v6() const { return binding.generation() == Generation::k6; }

  template <class Change>
  Status change(Change&& with) const {
    return engine.change_wishes(binding, with);
  }
  Status statistics(AdapterStatistics& into) const;
  template <class Visit>
  void each_binding(Visit&& visit) const {
    const std::lock_guard setup(nic.setup_mutex);
    for (const auto& other : nic.bindings) {
      if (other->now() < BindingState::kClosing) {
        visit(*other);
      }
    }
  }
};

Status Asking::statistics(AdapterStatistics& into) const {
  const std::lock_guard setup(nic.setup_mutex);
  if (nic.adapter == nullptr) {
    return Status::kClosing;
  }
  const auto read = nic.adapter->statistics();
  if (!read) {
    return Status::kFailure;
  }
  into = *read;
  into.rx_missed += nic.adapter->losses().ring_full;
  return Status::kSuccess;
}

namespace {

constexpr std::uint32_t clamp32(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, 0xffffffff));
}

// --- layouts that requests carry (C.3)
// ----------------------------------------------------------------------------------

struct ObjectHeader {
  std::uint8_t type = 0x80, revision = 1;
  std::uint16_t size = 0;
};
struct LinkStateBytes {
  ObjectHeader header{0x80, 1, 40};
  std::uint32_t connect = 0, duplex = 0, pad = 0;
  std::uint64_t xmit = 0, rcv = 0;
  std::uint32_t pause = 4, negotiated = 0;
};
static_assert(sizeof(LinkStateBytes) == 40);
struct StatisticsBytes {
  ObjectHeader header{0x80, 1, 152};
  std::uint32_t supported = 0;
  std::uint64_t in_discards = 0, in_errors = 0, in_octets = 0, in_ucast = 0, in_multicast = 0, in_broadcast = 0;
  std::uint64_t out_octets = 0, out_ucast = 0, out_multicast = 0, out_broadcast = 0, out_errors = 0, out_discards = 0;
  std::uint64_t in_ucast_octets = 0, in_multicast_octets = 0, in_broadcast_octets = 0;
  std::uint64_t out_ucast_octets = 0, out_multicast_octets = 0, out_broadcast_octets = 0;
};
static_assert(sizeof(StatisticsBytes) == 152);
struct InterfaceBytes {
  std::uint32_t oper = 0, oper_flags = 0, connect = 0, duplex = 0, mtu = 0;
  std::uint8_t promiscuous = 0, wakes = 0;
  std::uint16_t pad = 0;
  std::uint64_t xmit = 0, rcv = 0, last_change = 0, discontinuity = 0, unknown_protocols = 0;
  std::array<std::uint64_t, 18> counters{};  // those of StatisticsBytes, in their order
  std::uint32_t compartment = 1, supported = 0;
};
static_assert(sizeof(InterfaceBytes) == 216 && offsetof(InterfaceBytes, counters) == 64);

LinkStateBytes link_state(const LinkFacts& link) {
  LinkStateBytes state;
  state.connect = link.connected() ? 1 : 2;
  state.duplex = static_cast<std::uint32_t>(link.duplex);
  state.xmit = state.rcv = link.speed;
  return state;
}

// --- frames by class
// ----------------------------------------------------------------------------------------------------

using Known = std::optional<std::uint64_t>;

Known multicast_in(const AdapterStatistics& s) { return s.rx_multicast_frames.value_or(s.multicast); }
Known broadcast_in(const AdapterStatistics& s) { return s.rx_broadcast_frames; }
Known directed_in(const AdapterStatistics& s) {
  return s.rx_packets - std::min(s.rx_packets, *multicast_in(s) + s.rx_broadcast_frames.value_or(0));
}
Known multicast_out(const AdapterStatistics& s) { return s.tx_multicast_frames; }
Known broadcast_out(const AdapterStatistics& s) { return s.tx_broadcast_frames; }
Known directed_out(const AdapterStatistics& s) {
  if (!s.tx_multicast_frames || !s.tx_broadcast_frames) {
    return std::nullopt;
  }
  return s.tx_packets - std::min(s.tx_packets, *s.tx_multicast_frames + *s.tx_broadcast_frames);
}

StatisticsBytes statistics_of(const AdapterStatistics& s) {
  StatisticsBytes bytes;
  const auto put = [&](std::uint64_t& field, Known value, std::uint32_t flag) {
    field = value.value_or(0);
    bytes.supported |= value ? flag : 0;
  };
  put(bytes.in_ucast, directed_in(s), 0x1);
  put(bytes.in_multicast, multicast_in(s), 0x2);
  put(bytes.in_broadcast, broadcast_in(s), 0x4);
  put(bytes.in_octets, s.rx_bytes, 0x8);
  put(bytes.in_discards, s.rx_dropped + s.rx_missed, 0x10);
  put(bytes.in_errors, s.rx_errors, 0x20);
  put(bytes.out_ucast, directed_out(s), 0x40);
  put(bytes.out_multicast, multicast_out(s), 0x80);
  put(bytes.out_broadcast, broadcast_out(s), 0x100);
  put(bytes.out_octets, s.tx_bytes, 0x200);
  put(bytes.out_errors, s.tx_errors, 0x400);
  put(bytes.out_discards, s.tx_dropped, 0x8000);
  return bytes;
}

// A counter is read as four bytes or as eight.
Status give_counter(const Asking& ask, Known value) {
  if (!value) {
    return Status::kNotSupported;
  }
  if (ask.request.length >= 4 && ask.request.length < 8) {
    ask.request.needed = 8;
    return ask.give(static_cast<std::uint32_t>(*value));
  }
  if (ask.request.length < 4) {
    return ask.give(std::uint32_t{0});  // too short: four would do
  }
  return ask.give(*value);
}

template <auto Read>
Status counter(const Asking& ask) {
  AdapterStatistics s;
  const Status status = ask.statistics(s);
  if (status != Status::kSuccess) {
    return status;
  }
  if constexpr (std::is_member_object_pointer_v<decltype(Read)>) {
    return give_counter(ask, s.*Read);
  } else {
    return give_counter(ask, Read(s));
  }
}

// --- lists of addresses
// -------------------------------------------------------------------------------------------------

std::vector<net::MacAddress> addresses_of(std::span<const std::byte> bytes) {
  std::vector<net::MacAddress> list(bytes.size() / 6);
  for (std::size_t i = 0; i < list.size(); ++i) {
    net::MacAddress::Bytes address{};
    std::memcpy(address.data(), &bytes[6 * i], 6);
    list[i] = net::MacAddress(address);
  }
  return list;
}

Status set_multicast_list(const Asking& ask) {
  if (ask.request.length % 6 != 0) {
    ask.request.needed = ask.request.length / 6 * 6;
    return Status::kInvalidLength;
  }
  std::vector<net::MacAddress> list = addresses_of(ask.input());
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
  if (list.size() > kMaxGroups ||
      !std::ranges::all_of(list, [](const net::MacAddress& a) { return a.is_multicast(); })) {
    return Status::kMulticastFull;
  }
  return ask.change([&](Wishes& wishes) {
    wishes.groups.clear();
    std::ranges::transform(list, std::back_inserter(wishes.groups), [](const auto& a) { return Group{a, 1}; });
    return Status::kSuccess;
  });
}

Status query_multicast_list(const Asking& ask) {
  std::vector<net::MacAddress> all;
  ask.each_binding([&](const Binding& binding) {
    std::ranges::transform(binding.wishes.groups, std::back_inserter(all), &Group::address);
  });
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const net::MacAddress& address : all) {
    (void)ask.give(address.bytes());
  }
  return Status::kSuccess;
}

Status add_multicast_address(const Asking& ask) {
  const net::MacAddress address = addresses_of(ask.input()).front();
  return ask.change([&](Wishes& wishes) {
    const auto at = std::ranges::lower_bound(wishes.groups, address, {}, &Group::address);
    if (at != wishes.groups.end() && at->address == address) {
      at->times += 1;
      return Status::kSuccess;
    }
    if (!address.is_multicast() || wishes.groups.size() >= kMaxGroups) {
      return Status::kMulticastFull;
    }
    wishes.groups.insert(at, {address, 1});
    return Status::kSuccess;
  });
}

Status delete_multicast_address(const Asking& ask) {
  const net::MacAddress address = addresses_of(ask.input()).front();
  return ask.change([&](Wishes& wishes) {
    const auto at = std::ranges::lower_bound(wishes.groups, address, {}, &Group::address);
    if (at == wishes.groups.end() || at->address != address) {
      return Status::kMulticastNotFound;
    }
    if (--at->times == 0) {
      wishes.groups.erase(at);
    }
    return Status::kSuccess;
  });
}

// --- what a binding sets
// ------------------------------------------------------------------------------------------------

Status set_filter(const Asking& ask) {
  const std::uint32_t filter = ask.input_number();
  if ((filter & ~packet_type::kSupported) != 0 || (filter & ask.nic.backend.refused_filter) != 0) {
    return Status::kNotSupported;
  }
  return ask.change([&](Wishes& wishes) {
    wishes.filter = filter;
    return Status::kSuccess;
  });
}

Status query_filter(const Asking& ask) {
  std::uint32_t all = 0;
  ask.each_binding([&](const Binding& binding) { all |= binding.wishes.filter; });
  return ask.give(all);
}

Status set_lookahead(const Asking& ask) {
  const std::uint32_t lookahead = ask.input_number();
  if (lookahead == 0 || lookahead > ask.facts.mtu) {
    return Status::kInvalidData;
  }
  return ask.change([&](Wishes& wishes) {
    wishes.lookahead = lookahead;
    return Status::kSuccess;
  });
}

Status query_lookahead(const Asking& ask) {
  std::uint32_t largest = 0;
  ask.each_binding([&](const Binding& binding) { largest = std::max(largest, binding.wishes.lookahead); });
  return ask.give(largest);
}

Status set_options(const Asking& ask) {
  const std::uint32_t options = ask.input_number();
  if ((options & ~option::kAll) != 0) {
    return Status::kNotSupported;
  }
  return ask.change([&](Wishes& wishes) {
    wishes.options = options;
    return Status::kSuccess;
  });
}

// --- what an adapter is
// -------------------------------------------------------------------------------------------------

Status query_supported(const Asking& ask);

Status query_hardware_status(const Asking& ask) {
  const std::uint32_t status = ask.nic.resetting.load()  ? 2U
                               : ask.nic.removed.load()  ? 3U
                               : ask.facts.link.admin_up ? 0U
                                                         : 4U;
  return ask.give(status);
}

Status query_mac_options(const Asking& ask) {
  std::uint32_t options = 0x1 | 0x8 | 0x40;  // COPY_LOOKAHEAD_DATA, NO_LOOPBACK, 8021P_PRIORITY
  options |= ask.engine.force(pend::kTransfer) ? 0U : 0x4U;
  options |= ask.nic.backend.concurrent ? 0U : 0x2U;
  options |= ask.nic.backend.vlan_apart ? 0x200U : 0U;
  return ask.give(options);
}

Status query_vendor_id(const Asking& ask) {
  const net::MacAddress address = ask.facts.permanent.value_or(ask.facts.mac);
  const auto& bytes = address.bytes();
  std::array<std::uint8_t, 4> id{bytes[0], bytes[1], bytes[2], 0};
  if (address.is_locally_administered() || address.is_zero()) {
    id = {0xff, 0xff, 0xff, 0};
  }
  return ask.give(id);
}

Status give_text(const Asking& ask, std::string_view text) {
  for (const char c : text) {
    (void)ask.give(c);
  }
  return ask.give('\0');
}

Status give_wide(const Asking& ask, std::wstring_view text) {
  for (const wchar_t c : text) {
    (void)ask.give(c);
  }
  return Status::kSuccess;
}

Status query_alias(const Asking& ask) {
  const std::wstring alias = win32::to_wide(ask.facts.alias);
  (void)ask.give(static_cast<std::uint16_t>(alias.size() * sizeof(wchar_t)));
  (void)ask.give(std::uint16_t{0});
  return give_wide(ask, alias);
}

Status query_friendly_name(const Asking& ask) {
  const std::string& name = ask.facts.alias.empty() ? ask.facts.name : ask.facts.alias;
  return give_wide(ask, win32::to_wide(name) + L'\0');
}

Status accept(const Asking&) { return Status::kSuccess; }
Status refuse(const Asking&) { return Status::kNotSupported; }
Status query_link_state(const Asking& ask) { return ask.give(link_state(ask.facts.link)); }
Status query_statistics(const Asking& ask) {
  AdapterStatistics s;
  const Status status = ask.statistics(s);
  return status == Status::kSuccess ? ask.give(statistics_of(s)) : status;
}

Status query_interface(const Asking& ask) {
  AdapterStatistics s;
  if (const Status status = ask.statistics(s); status != Status::kSuccess) {
    return status;
  }
  const StatisticsBytes counted = statistics_of(s);
  const LinkStateBytes link = link_state(ask.facts.link);
  InterfaceBytes bytes;
  bytes.oper = static_cast<std::uint32_t>(ask.facts.link.oper);
  bytes.connect = link.connect;
  bytes.duplex = link.duplex;
  bytes.mtu = ask.facts.mtu;
  bytes.promiscuous = ask.facts.promiscuity != 0 ? 1 : 0;
  bytes.xmit = bytes.rcv = ask.facts.link.speed;
  bytes.last_change = ask.nic.last_change.load();
  const auto all = std::as_bytes(std::span(&counted, 1)).subspan(offsetof(StatisticsBytes, in_discards));
  std::memcpy(bytes.counters.data(), all.data(), sizeof(bytes.counters));
  bytes.supported = counted.supported;
  return ask.give(bytes);
}

template <auto Read>
Status number(const Asking& ask) {
  return ask.give(Read(ask));
}
using U32 = std::uint32_t;
using U64 = std::uint64_t;

// --- the table
// ----------------------------------------------------------------------------------------------------------

enum class On : std::uint8_t { kAny, kEthernet };
struct Row {
  std::uint32_t oid;
  Status (*query)(const Asking&) = nullptr;
  Status (*set)(const Asking&) = nullptr;
  std::uint32_t set_length = 0;  // exactly; 0: the row looks itself
  bool listed = true;
  On on = On::kAny;
};

constexpr std::array kRows = std::to_array<Row>({
    {0x00010101, query_supported},
    {0x00010102, query_hardware_status},
    {0x00010103, number<[](const Asking& a) {
       return a.is_v6() || a.facts.medium != Medium::kLoopback ? U32(a.facts.medium) : 0U;
     }>},
    {0x00010104, number<[](const Asking& a) {
       return a.is_v6() || a.facts.medium != Medium::kLoopback ? U32(a.facts.medium) : 0U;
     }>},
    {0x00010105, number<[](const Asking& a) { return a.facts.mtu; }>},
    {0x00010106, number<[](const Asking& a) { return a.facts.mtu; }>},
    {0x00010107, number<[](const Asking& a) {
       return a.facts.link.speed == kUnknownSpeed ? 0U : clamp32(a.facts.link.speed / 100);
     }>},
    {0x00010108, number<[](const Asking& a) { return a.nic.backend.transmit_ring_bytes; }>},
    {0x00010109, number<[](const Asking& a) { return a.nic.backend.receive_ring_bytes; }>},
    {0x0001010A, number<[](const Asking& a) { return U32(a.facts.mtu + header_size(a.facts.medium)); }>},
    {0x0001010B, number<[](const Asking& a) { return U32(a.facts.mtu + header_size(a.facts.medium)); }>},
    {0x0001010C, query_vendor_id},
    {0x0001010D, [](const Asking& a) { return give_text(a, a.facts.driver); }},
    {0x0001010E, query_filter, set_filter, 4},
    {0x0001010F, query_lookahead, set_lookahead, 4},
    {0x00010110, number<[](const Asking& a) {
       return std::uint16_t(a.is_v6() ? a.binding.protocol->registration.version : 0x0501);
     }>},
    {0x00010111, number<[](const Asking& a) { return a.engine.longest_frame(a.binding); }>},
    {0x00010112, nullptr, set_options, 4},
    {0x00010113, query_mac_options},
    {0x00010114, number<[](const Asking& a) { return a.facts.link.connected() ? 0U : 1U; }>},
    {0x00010115, number<[](const Asking& a) { return a.nic.backend.transmit_ring_frames; }>},
    {0x00010116, number<[](const Asking&) { return 0x00060000U; }>},
    {0x00010118, nullptr, accept},
    {0x00010119, nullptr, accept},
    {0x00010201, number<[](const Asking&) { return 3U; }>},
    {0x00010202,
     number<[](const Asking& a) { return a.facts.physical == PhysicalMedium::k802_3 ? 0U : U32(a.facts.physical); }>},
    {0x00010206,
     number<[](const Asking& a) { return std::array<U64, 2>{a.facts.link.max_speed, a.facts.link.max_speed}; }>},
    {0x00010207, query_link_state},
    {0x00010208, nullptr, refuse, 0, false},
    {0x00010209, number<[](const Asking&) { return std::array<U32, 3>{0x000C0180, 0, 1}; }>},
    {0x00010213, number<[](const Asking& a) { return U32(a.facts.physical); }>},
    {0x0001021A, nullptr, accept},
    {0x0001021C, number<[](const Asking& a) { return U32(a.facts.vlan_id & 0xfff); }>, refuse, 0},
    {0x00010280, number<[](const Asking& a) { return std::uint8_t(a.facts.promiscuity != 0); }>},
    {0x00010281, number<[](const Asking& a) { return a.nic.last_change.load(); }>},
    {0x00010283, number<[](const Asking& a) { return U32(a.facts.link.oper); }>},
    {0x00010284, number<[](const Asking& a) { return a.facts.link.speed; }>},
    {0x00010285, number<[](const Asking& a) { return a.facts.link.speed; }>},
    {0x00010287, query_interface},
    {0x00010288, number<[](const Asking& a) { return a.facts.link.admin_up ? 1U : 2U; }>},
    {0x00010289, query_alias},
    {0x0001028A, number<[](const Asking& a) { return a.facts.link.connected() ? 1U : 2U; }>},
    {0x0001028B, number<[](const Asking& a) { return std::array<U64, 2>{a.facts.link.speed, a.facts.link.speed}; }>},
    {0x0001028C, number<[](const Asking& a) { return U32(a.facts.link.duplex); }>},
    {0x00020101, counter<&AdapterStatistics::tx_packets>},
    {0x00020102, counter<&AdapterStatistics::rx_packets>},
    {0x00020103, counter<&AdapterStatistics::tx_errors>},
    {0x00020104, counter<&AdapterStatistics::rx_errors>},
    {0x00020105, counter<&AdapterStatistics::rx_missed>},
    {0x00020106, query_statistics},
    {0x00020201, refuse, nullptr, 0, false},
    {0x00020202, counter<directed_out>, nullptr, 0, false},
    {0x00020203, refuse, nullptr, 0, false},
    {0x00020204, counter<multicast_out>, nullptr, 0, false},
    {0x00020205, refuse, nullptr, 0, false},
    {0x00020206, counter<broadcast_out>, nullptr, 0, false},
    {0x00020207, refuse, nullptr, 0, false},
    {0x00020208, counter<directed_in>},
    {0x00020209, refuse, nullptr, 0, false},
    {0x0002020A, counter<multicast_in>},
    {0x0002020B, refuse, nullptr, 0, false},
    {0x0002020C, counter<broadcast_in>, nullptr, 0, false},
    {0x0002020D, counter<&AdapterStatistics::rx_crc_errors>},
    {0x0002020E, [](const Asking& a) { return give_counter(a, a.binding.held(Held::kSend)); }},
    {0x0002020F, refuse, nullptr, 0, false},  // GET_TIME_CAPS
    {0x00020210, refuse, nullptr, 0, false},  // GET_NETCARD_TIME
    {0x00020211, refuse, nullptr, 0, false},  // NETCARD_LOAD
    {0x00020212, refuse, nullptr, 0, false},  // DEVICE_PROFILE
    {0x00020213, refuse, nullptr, 0, false},  // INIT_TIME_MS
    {0x00020214, [](const Asking& a) { return give_counter(a, a.nic.counters.resets.load()); }},
    {0x00020215, [](const Asking& a) { return give_counter(a, a.nic.counters.media_changes.load()); }},
    {0x00020216, query_friendly_name},
    {0x00020219, counter<&AdapterStatistics::rx_bytes>},
    {0x0002021A, counter<&AdapterStatistics::tx_bytes>},
    {0x0002021B, counter<[](const AdapterStatistics& s) { return Known(s.rx_dropped + s.rx_missed); }>},
    {0x0002021C, counter<&AdapterStatistics::tx_dropped>},
    {0x01010101, number<[](const Asking& a) { return a.facts.permanent.value_or(a.facts.mac).bytes(); }>, nullptr, 0,
     true, On::kEthernet},
    {0x01010102, number<[](const Asking& a) { return a.facts.mac.bytes(); }>, refuse, 0, true, On::kEthernet},
    {0x01010103, query_multicast_list, set_multicast_list, 0, true, On::kEthernet},
    {0x01010104, number<[](const Asking&) { return U32(kMaxGroups); }>, nullptr, 0, true, On::kEthernet},
    {0x01010105, number<[](const Asking&) { return 0U; }>, nullptr, 0, true, On::kEthernet},
    {0x01010208, nullptr, add_multicast_address, 6, true, On::kEthernet},
    {0x01010209, nullptr, delete_multicast_address, 6, true, On::kEthernet},
    {0x01020101, counter<&AdapterStatistics::rx_frame_errors>, nullptr, 0, true, On::kEthernet},
    {0x01020102, counter<[](const AdapterStatistics& s) { return Known(s.single_collisions.value_or(s.collisions)); }>,
     nullptr, 0, true, On::kEthernet},
    {0x01020103, counter<[](const AdapterStatistics& s) { return Known(s.multiple_collisions.value_or(0)); }>, nullptr,
     0, true, On::kEthernet},
    {0x01020201, counter<&AdapterStatistics::deferred>, nullptr, 0, false, On::kEthernet},
    {0x01020202,
     counter<[](const AdapterStatistics& s) { return Known(s.excessive_collisions.value_or(s.tx_aborted)); }>, nullptr,
     0, true, On::kEthernet},
    {0x01020203, counter<[](const AdapterStatistics& s) { return Known(s.rx_over_errors + s.rx_fifo_errors); }>,
     nullptr, 0, true, On::kEthernet},
    {0x01020204, counter<&AdapterStatistics::tx_fifo_errors>, nullptr, 0, true, On::kEthernet},
    {0x01020205, counter<&AdapterStatistics::tx_heartbeat>, nullptr, 0, true, On::kEthernet},
    {0x01020206, counter<&AdapterStatistics::tx_carrier>, nullptr, 0, true, On::kEthernet},
    {0x01020207, counter<[](const AdapterStatistics& s) { return Known(s.late_collisions.value_or(s.tx_window)); }>,
     nullptr, 0, true, On::kEthernet},
});
static_assert(std::ranges::is_sorted(kRows, {}, &Row::oid));

bool is_on(const Row& row, const AdapterFacts& facts) { return row.on == On::kAny || header_size(facts.medium) != 0; }

const Row* row_of(std::uint32_t oid, const AdapterFacts& facts) {
  const auto at = std::ranges::lower_bound(kRows, oid, {}, &Row::oid);
  return at != kRows.end() && at->oid == oid && is_on(*at, facts) ? &*at : nullptr;
}

Status query_supported(const Asking& ask) {
  for (const Row& row : kRows) {
    if (row.listed && is_on(row, ask.facts)) {
      (void)ask.give(row.oid);
    }
  }
  return Status::kSuccess;
}

// A buffer that is too short is told how long it must be, and is not written to.
Status hand_over(OidRequest& request, std::span<const std::byte> answer) {
  if (request.length < answer.size() || (request.buffer == nullptr && !answer.empty())) {
    request.needed = static_cast<std::uint32_t>(answer.size());
    return Status::kBufferTooShort;
  }
  if (!answer.empty()) {
    std::memcpy(request.buffer, answer.data(), answer.size());
  }
  request.done = static_cast<std::uint32_t>(answer.size());
  return Status::kSuccess;
}

}  // namespace

Status Engine::answer(Binding& binding, OidRequest& request) {
  using Type = OidRequest::Type;
  request.done = request.needed = 0;
  if (const auto failing = knobs_.fail_now(Failing::kRequest)) {
    return *failing;
  }
  if (request.type != Type::kQuery && request.type != Type::kQueryStatistics && request.type != Type::kSet) {
    return Status::kNotSupported;
  }
  const AdapterFacts facts = facts_of(binding);
  const Row* const row = row_of(request.oid, facts);
  if (row == nullptr) {
    return Status::kInvalidOid;
  }
  std::vector<std::byte> out;
  const Asking asking{*this, binding, *binding.nic, facts, request, out};
  if (request.type != Type::kSet) {
    if (row->query == nullptr) {
      return Status::kNotSupported;
    }
    const Status status = row->query(asking);
    return status == Status::kSuccess ? hand_over(request, out) : status;
  }
  if (row->set == nullptr) {
    return Status::kNotSupported;
  }
  if ((row->set_length != 0 && request.length != row->set_length) ||
      (request.length != 0 && request.buffer == nullptr)) {
    request.needed = row->set_length;
    return Status::kInvalidLength;
  }
  const Status status = row->set(asking);
  request.done = status == Status::kSuccess ? request.length : 0;
  return status;
}

// As OID_GEN_SUPPORTED_LIST and OID_GEN_STATISTICS would answer now.
void Engine::tell_what_can_be_asked(Binding& binding, NetEventNote& note) {
  for (const Row& row : kRows) {
    if (row.listed && is_on(row, note.facts)) {
      note.oids.push_back(row.oid);
    }
  }
  OidRequest request;
  std::vector<std::byte> out;
  AdapterStatistics statistics;
  if (Asking{*this, binding, *binding.nic, note.facts, request, out}.statistics(statistics) == Status::kSuccess) {
    note.statistics = statistics_of(statistics).supported;
  }
}

// A tag that stays in the bytes may make a frame four bytes longer.
std::uint32_t Engine::longest_frame(const Binding& binding) const {
  const std::lock_guard lock(mutex_);
  const AdapterFacts& facts = binding.nic->facts;
  return facts.mtu + static_cast<std::uint32_t>(header_size(facts.medium)) +
         (header_size(facts.medium) != 0 && !binding.nic->backend.vlan_apart ? 4 : 0);
}

}  // namespace turnpike::ndis

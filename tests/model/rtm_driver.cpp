// The steps of a run, and its end. Which step comes next is the first choice of each.
#include "rtm_driver.h"

#include <rtmv2.h>
#include <turnpike/testing.h>

#include <sstream>

#include "rtm_driver_parts.h"

namespace turnpike::model {

void Driver::run() {
  while (!choices_.used_up()) {
    ++step_;
    step();
    collect();
  }
  finish();
}

void Driver::abandon() {
  for (const Client& client : clients_) RtmDeregisterEntity(client.handle);
  clients_.clear();
  TpDrain();
}

void Driver::step() {
  if (clients_.empty()) return register_client();
  switch (choices_.below(32)) {
    case 0:
      return clients_.size() < 4 ? register_client() : search();
    case 1:
      return choices_.one_in(4) ? deregister_client(choose_client()) : search();
    case 2:
    case 3:
      return add_next_hop();
    case 4:
      return delete_next_hop();
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return add_route();
    case 10:
    case 11:
      return update_route();
    case 12:
    case 13:
      return delete_route();
    case 14:
      return hold_destination();
    case 15:
    case 16:
      return search();
    case 17:
      return less_specific();
    case 18:
      return destination_info();
    case 19:
      return enumerate_destinations();
    case 20:
      return enumerate_routes();
    case 21:
      return subscribe();
    case 22:
    case 23:
      return read_changes();
    case 24:
      return mark();
    case 25:
      return lists();
    case 26:
      return advance_clock();
    case 27:
    case 28:
      return release_or_reference();
    case 29:
      return is_best();
    case 30:
      return exact_route();
    default:
      return illegal();
  }
}

// A destination that nothing keeps is forgotten, and with it its mark for hold-down.
void Driver::collect() {
  reference_.forget_destinations([this](const Prefix& prefix) { return referenced(prefix); });
}

void Driver::finish() {
  ++step_;
  if (!clients_.empty()) {
    enumerate_destinations();
    enumerate_routes();
  }
  while (!clients_.empty()) deregister_client(0);
  TpDrain();
  for (std::uint32_t kind = TP_KIND_ANY; kind <= TP_KIND_NOTIFICATION; ++kind) {
    MODEL_EXPECT(TpObjectCount(kind) == 0, "objects of kind " + std::to_string(kind) + " are left");
    MODEL_EXPECT(TpReferenceCount(kind) == 0, "references of kind " + std::to_string(kind) + " are left");
  }
}

Prefix Driver::choose_prefix() {
  const int length = kLengths[choices_.below(kLengths.size())];
  const unsigned bits = choices_.below(8);
  const std::uint32_t address = 0x0A000000U | (bits & 1) << 22 | (bits & 2) << 15 | (bits & 4) << 6 | (bits & 1);
  return {length == 0 ? 0 : address & (~0U << (32 - length)), length};
}

RTM_NET_ADDRESS Driver::net_address(const Prefix& prefix) const {
  RTM_NET_ADDRESS address{};
  address.AddressFamily = static_cast<USHORT>(family_);
  address.NumBits = static_cast<USHORT>(prefix.length);
  for (int i = 0; i < 4; ++i) address.AddrBits[i] = static_cast<UCHAR>(prefix.address >> (24 - 8 * i));
  return address;
}

Prefix Driver::prefix_of(const RTM_NET_ADDRESS& address) const {
  MODEL_EXPECT(address.AddressFamily == family_);
  std::uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits = bits << 8 | address.AddrBits[i];
  return {bits, address.NumBits};
}

RTM_VIEW_SET Driver::choose_views() {
  constexpr std::array<RTM_VIEW_SET, 5> kSets{RTM_VIEW_MASK_ANY, RTM_VIEW_MASK_UCAST, RTM_VIEW_MASK_MCAST, kAllViews,
                                              RTM_VIEW_MASK_ALL};
  return kSets[choices_.below(kSets.size())];
}

std::string Driver::text_of(const Prefix& prefix) {
  std::ostringstream text;
  text << ' ' << std::hex << prefix.address << '/' << std::dec << prefix.length;
  return text.str();
}

std::string Driver::text_of(const RouteData& data) {
  std::ostringstream text;
  text << " views " << data.views << " preference " << data.preference << " metric " << data.metric << " neighbour "
       << data.neighbour;
  return text.str();
}

std::string drive_and_compare(std::span<const std::uint8_t> choices, int address_family) {
  TpClockUseTest();
  Driver driver(choices, address_family);
  try {
    driver.run();
  } catch (const Difference& difference) {
    driver.abandon();
    return "step " + std::to_string(driver.step_number()) + ": " + difference.what();
  }
  return {};
}

}  // namespace turnpike::model

// A table without threads: the test turns the clock and delivers the events, so a run is the same each time.
#ifndef TURNPIKE_TESTS_RTM_MANUAL_PORT_H
#define TURNPIKE_TESTS_RTM_MANUAL_PORT_H

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "rtm/table.h"

namespace turnpike::rtm {

class ManualPort final : public Port {
 public:
  std::uint64_t nanoseconds() noexcept override { return now; }
  std::uint64_t file_time() noexcept override { return now / 100; }
  void events_waiting(Table&, ClientIndex client) noexcept override { waiting.push_back(client); }
  void deadline_moved(Table&, std::uint64_t at) noexcept override { told_deadline = at; }

  std::uint64_t now = 1'000'000'000;
  std::uint64_t told_deadline = 0;
  std::deque<ClientIndex> waiting;
};

// An IPv4 table (or one of another width) and what a test does with it most.
class TestTable {
 public:
  explicit TestTable(Config config = ipv4(), unsigned id = 7) {
    table = std::move(*Table::make(static_cast<std::uint8_t>(id), config, port, *epoch));
  }

  static Config ipv4() {
    Config config;
    config.family = AF_INET;
    config.gateway_family = AF_INET6;
    config.classful = true;
    return config;
  }
  static Config ipv6() {
    Config config;
    config.family = AF_INET6;
    config.width = 128;
    return config;
  }

  void deliver() {
    while (!port.waiting.empty()) {
      const ClientIndex client = port.waiting.front();
      port.waiting.pop_front();
      table->deliver(client);
    }
  }
  void pass(std::uint64_t milliseconds) {
    port.now += milliseconds * 1'000'000;
    table->run_deadlines();
    deliver();
  }

  Handle client(std::uint32_t protocol, EventHandler handler = nullptr) {
    Registration registration;
    registration.protocol = protocol;
    registration.handler = std::move(handler);
    const auto handle = table->register_entity(std::move(registration));
    EXPECT_TRUE(handle);
    return handle.value_or(Handle::kNone);
  }
  Handle next_hop(Handle self, const char* address = "192.0.2.1", std::uint32_t interface_index = 1) {
    const auto added =
        table->add_next_hop(self, Handle::kNone, {.address = net(address), .interface_index = interface_index}, true);
    EXPECT_TRUE(added);
    return added ? added->first : Handle::kNone;
  }
  // With a reference on the returned route.
  Handle route(Handle self, const char* prefix, std::uint32_t metric = 1, Handle hop = Handle::kNone,
               std::uint32_t time_to_live = kInfinite) {
    RouteRequest request;
    request.preference = {metric, 10};
    request.views = 1;
    request.hops = std::span(&hop, hop != Handle::kNone ? 1 : 0);
    request.time_to_live = time_to_live;
    const auto added = table->add_route(self, Handle::kNone, net(prefix), request, true);
    EXPECT_TRUE(added) << prefix;
    return added ? added->route : Handle::kNone;
  }
  void release_route(Handle self, Handle route_handle) {
    EXPECT_TRUE(table->release_routes(self, std::span(&route_handle, 1)));
  }

  static NetAddress net(const char* text) {
    const std::string all(text);
    const auto slash = all.find('/');
    NetAddress address;
    const bool is_ipv4 = all.find(':') == std::string::npos;
    const int width = is_ipv4 ? 32 : 128;
    address.family = is_ipv4 ? AF_INET : AF_INET6;
    address.bits = static_cast<std::uint16_t>(slash == std::string::npos ? width : std::stoi(all.substr(slash + 1)));
    EXPECT_EQ(inet_pton(address.family, all.substr(0, slash).c_str(), address.address), 1) << text;
    return address;
  }
  static std::string text(const NetAddress& address) {
    char buffer[INET_ADDRSTRLEN];
    return std::string(inet_ntop(AF_INET, address.address, buffer, sizeof buffer)) + "/" + std::to_string(address.bits);
  }

  ManualPort port;
  std::unique_ptr<Epoch> epoch = std::move(*Epoch::create());
  std::unique_ptr<Table> table;
};

}  // namespace turnpike::rtm

#endif

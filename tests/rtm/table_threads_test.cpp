// Many threads on one table: what a race detector is to look at, and what must balance in the end.
#include <atomic>
#include <thread>
#include <vector>

#include "manual_port.h"

namespace turnpike::rtm {
namespace {

// Announcements from any thread; a thread of the test delivers them.
class ThreadedPort final : public Port {
 public:
  std::uint64_t nanoseconds() noexcept override { return now.fetch_add(1000); }
  std::uint64_t file_time() noexcept override { return now.load(); }
  void events_waiting(Table&, ClientIndex client) noexcept override {
    const std::lock_guard lock(mutex);
    waiting.push_back(client);
  }
  void deadline_moved(Table&, std::uint64_t) noexcept override {}

  bool deliver_one(Table& table) {
    ClientIndex client = 0;
    {
      const std::lock_guard lock(mutex);
      if (waiting.empty()) {
        return false;
      }
      client = waiting.front();
      waiting.pop_front();
    }
    table.deliver(client);
    return true;
  }

  std::atomic<std::uint64_t> now{1};
  std::mutex mutex;
  std::deque<ClientIndex> waiting;
};

class TableThreads : public testing::Test {
 protected:
  Handle client(std::uint32_t protocol, EventHandler handler = nullptr) {
    Registration registration;
    registration.protocol = protocol;
    registration.handler = std::move(handler);
    return *table->register_entity(std::move(registration));
  }
  static NetAddress net(unsigned number, unsigned bits = 24) {
    NetAddress address;
    address.family = 2;
    address.bits = static_cast<std::uint16_t>(bits);
    address.address[0] = 10;
    address.address[1] = static_cast<std::uint8_t>(number >> 8);
    address.address[2] = static_cast<std::uint8_t>(number);
    return address;
  }

  ThreadedPort port;
  std::unique_ptr<Epoch> epoch = std::move(*Epoch::create());
  std::unique_ptr<Table> table = std::move(*Table::make(1, TestTable::ipv4(), port, *epoch));
};

constexpr unsigned kPrefixes = 300;

// Two clients add and delete, one looks up, one enumerates, one follows the changes; then a client that owns much
// leaves in the middle of it.
TEST_F(TableThreads, EveryReaderSeesWholeRecordsAndNothingIsLeft) {
  std::atomic<bool> stop{false};
  const Handle reader = client(1000);
  const Handle follower = client(1001, [](Handle, const Event&) -> std::uint32_t { return 0; });
  const Handle registration = *table->register_for_changes(follower, 1, change::kAll, nullptr);
  const Handle leaver = client(1002);
  const auto add = [&](Handle self, unsigned number, std::uint32_t metric) {
    RouteRequest request;
    request.preference = {metric, 10};
    request.views = 3;
    request.entity_specific = reinterpret_cast<void*>(std::uintptr_t{metric});
    return table->add_route(self, Handle::kNone, net(number), request, true);
  };
  for (unsigned i = 0; i < kPrefixes; ++i) {
    const Handle made = add(leaver, i, 50)->route;
    ASSERT_TRUE(table->release_routes(leaver, std::span(&made, 1)));
  }

  std::vector<std::thread> threads;
  for (std::uint32_t writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      const Handle self = client(writer + 1);
      for (unsigned round = 0; round < 4000; ++round) {
        const auto added = add(self, (round * 7 + writer) % kPrefixes, 1 + round % 9);
        ASSERT_TRUE(added);
        ASSERT_TRUE(table->delete_route(self, added->route));
      }
      ASSERT_TRUE(table->deregister_entity(self));
    });
  }
  threads.emplace_back([&] {
    for (unsigned i = 0; !stop; ++i) {
      DestImage info;
      if (!table->most_specific_destination(reader, net(i % kPrefixes, 32), kBestProtocol, 1, info)) {
        continue;
      }
      RouteImage image;
      if (info.view[0].route != Handle::kNone && table->route_info(reader, info.view[0].route, &image, nullptr)) {
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(image.entity_specific), image.preference.metric);
        ASSERT_TRUE(table->release_route_info(reader, image));
      }
      ASSERT_TRUE(table->release_dest_infos(reader, 1, reinterpret_cast<const std::byte*>(&info)));
    }
  });
  threads.emplace_back([&] {
    std::vector<std::byte> room(50 * size_of_dest_image(2));
    while (!stop) {
      const Handle walk = *table->create_dest_enum(reader, kAllViews, 0, nullptr, kBestProtocol);
      NetAddress last{};
      while (const auto count = table->next_dests(reader, walk, 50, room.data())) {
        for (std::uint32_t i = 0; i < *count; ++i) {
          const auto& record = *reinterpret_cast<const DestImage*>(room.data() + i * size_of_dest_image(2));
          ASSERT_LT(std::memcmp(last.address, record.address.address, 4), 0) << "ascending, and none twice";
          last = record.address;
        }
        ASSERT_TRUE(table->release_dest_infos(reader, *count, room.data()));
      }
      ASSERT_TRUE(table->delete_enum(reader, walk));
    }
  });
  threads.emplace_back([&] {
    std::vector<std::byte> room(20 * size_of_dest_image(1));
    while (!stop) {
      port.deliver_one(*table);
      if (const auto count = table->changed_dests(follower, registration, 20, room.data())) {
        ASSERT_TRUE(table->release_changed_dests(follower, registration, *count, room.data()));
      }
    }
  });
  threads.emplace_back([&] { ASSERT_TRUE(table->deregister_entity(leaver)); });
  threads[0].join();
  threads[1].join();
  stop = true;
  for (std::size_t i = 2; i < threads.size(); ++i) {
    threads[i].join();
  }
  ASSERT_TRUE(table->deregister_entity(follower));
  for (const Kind kind : {Kind::kDestination, Kind::kRoute, Kind::kNextHop, Kind::kEntity}) {
    EXPECT_EQ(table->reference_count(kind), 0U) << name_of(kind);
    EXPECT_EQ(table->leak_count(kind), 0U) << name_of(kind);
  }
  ASSERT_TRUE(table->deregister_entity(reader));
  const Statistics left = table->statistics();
  EXPECT_EQ(left.entities + left.destinations + left.routes, 0U);
}

// Whoever waits for an object lock, or for methods, when it leaves gets its answer.
TEST_F(TableThreads, AClientThatLeavesDoesNotWaitForOthers) {
  const Handle holder = client(1);
  const Handle waiter = client(2);
  RouteRequest request;
  request.views = 1;
  ASSERT_TRUE(table->add_route(holder, Handle::kNone, net(1), request, false));
  DestImage info;
  ASSERT_TRUE(table->exact_destination(holder, net(1), kBestProtocol, 0, info));
  ASSERT_TRUE(table->lock_destination(holder, info.destination, true));
  ASSERT_TRUE(table->block_methods(holder, true));
  std::thread in_lock([&] {
    EXPECT_EQ(table->add_route(waiter, Handle::kNone, net(1), request, false).error().kind, ErrorKind::kInvalidHandle);
  });
  std::thread in_methods(
      [&] { EXPECT_EQ(table->enter_methods(waiter, holder).error().kind, ErrorKind::kInvalidHandle); });
  ASSERT_TRUE(table->deregister_entity(waiter));
  in_lock.join();
  in_methods.join();
  ASSERT_TRUE(table->unlock_destination(holder, info.destination, true));
  ASSERT_TRUE(table->release_dest_infos(holder, 1, reinterpret_cast<const std::byte*>(&info)));
  ASSERT_TRUE(table->deregister_entity(holder));
}

}  // namespace
}  // namespace turnpike::rtm

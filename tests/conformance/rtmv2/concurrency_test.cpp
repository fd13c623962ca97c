// RTM2-244: many threads at once. To be run under ThreadSanitizer too (label `threads`): there a race fails the test.
#include <atomic>
#include <memory>
#include <random>

#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

constexpr int kPrefixes = 24;
constexpr int kRounds = 150;

std::string prefix(int number) { return "10." + std::to_string(number) + ".0.0/16"; }

/// Adds, updates and deletes its own routes, and says at the end which of them must be there.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) { routes_.resize(kPrefixes); }

  void run() {
    for (int round = 0; round < kRounds; ++round) {
      const size_t which = random_() % kPrefixes;
      const std::string where = prefix(static_cast<int>(which));
      if (HANDLE{routes_[which]} == nullptr) {
        routes_[which] = client_.route(where.c_str(), {.metric = 1 + ULONG(random_() % 5)});
      } else if (random_() % 2 == 0) {
        client_.update(routes_[which], where.c_str(), {.metric = 1 + ULONG(random_() % 5)});
      } else {
        client_.remove(std::move(routes_[which]));
        routes_[which] = Route();
      }
    }
  }
  bool has(size_t which) const { return HANDLE{routes_[which]} != nullptr; }

 private:
  std::minstd_rand random_;
  Client client_;
  std::vector<Route> routes_;
};

/// Reads everything it can find, over and over.
void read_all(const Client& reader, const std::atomic<bool>& stop) {
  while (!stop) {
    HANDLE dests = nullptr;
    ASSERT_EQ(RtmCreateDestEnum(reader, kUnicast, RTM_ENUM_START, nullptr, 0, &dests), DWORD{NO_ERROR});
    std::string last;
    for (;;) {
      DestInfo info(reader, 1);
      UINT count = 1;
      if (RtmGetEnumDests(reader, dests, &count, info) != NO_ERROR) {
        break;
      }
      EXPECT_NE(info.prefix(), last) << "an item was repeated";
      last = info.prefix();
      if (HANDLE route = info.view(0).Route) {
        RouteInfo route_info(reader);
        EXPECT_EQ(RtmGetRouteInfo(reader, route, route_info, nullptr), DWORD{NO_ERROR});
      }
    }
    EXPECT_EQ(RtmDeleteEnumHandle(reader, dests), DWORD{NO_ERROR});
    DestInfo found(reader, 1);
    RtmGetMostSpecificDestination(reader, Net("10.3.4.5"), 0, kUnicast, found);
  }
}

/// How many of the writers must have a route there.
UINT expected(const std::vector<std::unique_ptr<Writer>>& writers, size_t which) {
  UINT count = 0;
  for (const auto& writer : writers) {
    count += writer->has(which) ? 1 : 0;
  }
  return count;
}

using Concurrency = RtmTest;

// clauses: RTM2-244
TEST_F(Concurrency, AddDeleteEnumerateAndNotifyAtOnce_choice) {
  std::vector<std::unique_ptr<Writer>> writers;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    writers.push_back(std::make_unique<Writer>(seed));
  }
  Client reader;
  Client watcher;
  const Watch watch(watcher, RTM_CHANGE_TYPE_ALL);
  watcher.on_event([&](const Event&) {
    watch.changed();
    return DWORD{NO_ERROR};
  });
  std::atomic<bool> stop = false;
  {
    Attempt reading([&] { read_all(reader, stop); });
    {
      std::vector<std::unique_ptr<Attempt>> writing;
      for (const auto& writer : writers) {
        writing.push_back(std::make_unique<Attempt>([&writer] { writer->run(); }));
      }
    }  // joined here
    stop = true;
  }
  settle();
  EXPECT_TRUE(watch.changed().empty()) << "no wake-up was lost";
  UINT total = 0;
  for (size_t which = 0; which < kPrefixes; ++which) {
    const UINT wanted = expected(writers, which);
    total += wanted;
    const std::string where = prefix(static_cast<int>(which));
    EXPECT_EQ(reader.has(where.c_str(), kUnicast), wanted != 0) << where;
    if (wanted != 0) {
      EXPECT_EQ(reader.find(where.c_str(), kUnicast).view(0).NumRoutes, wanted) << where;
    }
  }
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), total);
}

// clauses: RTM2-244
TEST_F(Concurrency, ClientsComeAndGoWhileOthersWork_choice) {
  Writer writer(7);
  Client reader;
  std::atomic<bool> stop = false;
  {
    Attempt reading([&] { read_all(reader, stop); });
    Attempt writing([&] { writer.run(); });
    for (int round = 0; round < 20; ++round) {
      Client passer;
      passer.leaves_things_behind();  // and the books are those of other threads too
      const Watch watch(passer, RTM_CHANGE_TYPE_ALL);
      passer.route("10.200.0.0/16").consume();
    }
    EXPECT_TRUE(writing.ends());
    stop = true;
  }
  EXPECT_FALSE(reader.has("10.200.0.0/16"));
}

}  // namespace
}  // namespace turnpike::conformance

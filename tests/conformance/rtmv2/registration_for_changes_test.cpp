// RTM2-209, RTM2-210, RTM2-222 … RTM2-224, RTM2-229 … RTM2-233: marks, callbacks, and the life of a registration.
#include <memory>
#include <set>

#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Prefixes = std::vector<std::string>;
const Prefixes kTen = {"10.0.0.0/8"};
const Prefixes kNone = {};

/// The client's first callback from now on does not return before it may.
struct Hang {
  explicit Hang(Client& hanging) : client(hanging) {
    client.on_event([this](const Event&) {
      if (++calls == 1) {
        inside.raise();
        EXPECT_TRUE(go_on.wait());
      }
      return DWORD{NO_ERROR};
    });
  }

  Hang(const Hang&) = delete;
  Hang& operator=(const Hang&) = delete;
  ~Hang() { client.on_event(nullptr); }

  Client& client;
  Signal inside;
  Signal go_on;
  int calls = 0;
};

class ChangeRegistration : public RtmTest {
 protected:
  void mark(RTM_NOTIFY_HANDLE watch, const char* prefix, BOOL on = TRUE) {
    DestInfo destination = watcher_.find(prefix, kAny);
    EXPECT_EQ(RtmMarkDestForChangeNotification(watcher_, watch, destination.handle(), on), DWORD{NO_ERROR});
  }
  BOOL is_marked(RTM_NOTIFY_HANDLE watch, const char* prefix) {
    DestInfo destination = watcher_.find(prefix, kAny);
    BOOL marked = 2;
    EXPECT_EQ(RtmIsMarkedForChangeNotification(watcher_, watch, destination.handle(), &marked), DWORD{NO_ERROR});
    return marked;
  }
  size_t notices() { return watcher_.events(RTM_CHANGE_NOTIFICATION).size(); }

  static constexpr RTM_NOTIFY_FLAGS kMarkedOnly = RTM_CHANGE_TYPE_ALL | RTM_NOTIFY_ONLY_MARKED_DESTS;
  Client owner_;
  Client watcher_;
};

// clauses: RTM2-209
TEST_F(ChangeRegistration, AreLimited) {
  std::vector<std::unique_ptr<Watch>> most;
  for (int i = 0; i < 16; ++i) {
    most.push_back(std::make_unique<Watch>(i % 2 == 0 ? watcher_ : owner_, RTM_CHANGE_TYPE_ALL));
  }
  HANDLE untouched = kGarbage;
  EXPECT_EQ(RtmRegisterForChangeNotification(watcher_, kUnicast, RTM_CHANGE_TYPE_ALL, nullptr, &untouched),
            DWORD{ERROR_NO_SYSTEM_RESOURCES});
  EXPECT_EQ(untouched, kGarbage);
  most.pop_back();
  const Watch fits(watcher_, RTM_CHANGE_TYPE_ALL);
}

// clauses: RTM2-210
TEST_F(ChangeRegistration, TheEventNamesItAndItsContext) {
  int context = 0;
  const Watch watch(watcher_, RTM_CHANGE_TYPE_BEST, kUnicast, &context);
  const Route route = owner_.route("10.0.0.0/8");
  const std::vector<Event> events = watcher_.events(RTM_CHANGE_NOTIFICATION);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].receiver, HANDLE{watcher_});
  EXPECT_EQ(events[0].first, HANDLE{watch});
  EXPECT_EQ(events[0].second, &context);
}

// clauses: RTM2-222
TEST_F(ChangeRegistration, MarkedOnlyReportsWhatIsMarked) {
  const Watch watch(watcher_, kMarkedOnly);
  const Route ten = owner_.route("10.0.0.0/8");
  const Route eleven = owner_.route("11.0.0.0/8");
  EXPECT_EQ(watch.changed(), kNone);
  EXPECT_EQ(is_marked(watch, "10.0.0.0/8"), FALSE);
  mark(watch, "10.0.0.0/8");
  mark(watch, "10.0.0.0/8");  // idempotent
  EXPECT_EQ(is_marked(watch, "10.0.0.0/8"), TRUE);
  EXPECT_EQ(is_marked(watch, "11.0.0.0/8"), FALSE);
  for (const ULONG metric : {2U, 3U}) {  // a mark stays when its change was fetched
    owner_.update(ten, "10.0.0.0/8", {.metric = metric});
    owner_.update(eleven, "11.0.0.0/8", {.metric = metric});
    EXPECT_EQ(watch.changed(), kTen);
  }
  mark(watch, "10.0.0.0/8", FALSE);
  EXPECT_EQ(is_marked(watch, "10.0.0.0/8"), FALSE);
  owner_.update(ten, "10.0.0.0/8", {.metric = 4});
  EXPECT_EQ(watch.changed(), kNone);
}

// clauses: RTM2-223
TEST_F(ChangeRegistration, AMarkOutlivesTheRoutesOfItsDestination_choice) {
  const Watch watch(watcher_, kMarkedOnly);
  Route route = owner_.route("10.0.0.0/8");
  mark(watch, "10.0.0.0/8");
  owner_.remove(std::move(route));
  EXPECT_EQ(watch.changed(), kTen);
  EXPECT_FALSE(watcher_.has("10.0.0.0/8"));
  const Route other = owner_.route("11.0.0.0/8");
  EXPECT_EQ(watch.changed(), kNone);
  const Route again = owner_.route("10.0.0.0/8");
  EXPECT_EQ(watch.changed(), kTen);
  EXPECT_EQ(is_marked(watch, "10.0.0.0/8"), TRUE);
}

// clauses: RTM2-224
TEST_F(ChangeRegistration, MarksBelongToOneRegistration) {
  const Watch one(watcher_, kMarkedOnly);
  const Watch two(watcher_, kMarkedOnly);
  const Route route = owner_.route("10.0.0.0/8");
  mark(one, "10.0.0.0/8");
  EXPECT_EQ(is_marked(two, "10.0.0.0/8"), FALSE);
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  EXPECT_EQ(one.changed(), kTen);
  EXPECT_EQ(two.changed(), kNone);
}

// clauses: RTM2-222
TEST_F(ChangeRegistration, UnmarkingDropsWhatWaits_choice) {
  const Watch watch(watcher_, kMarkedOnly);
  const Route route = owner_.route("10.0.0.0/8");
  mark(watch, "10.0.0.0/8");
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  mark(watch, "10.0.0.0/8", FALSE);
  EXPECT_EQ(watch.changed(), kNone);
}

// clauses: RTM2-229
TEST_F(ChangeRegistration, AChangeDuringTheCallbackLeadsToAnotherEvent_choice) {
  const Watch watch(watcher_, RTM_CHANGE_TYPE_ALL);
  Hang hang(watcher_);
  const Route ten = owner_.route("10.0.0.0/8");
  ASSERT_TRUE(hang.inside.wait());
  const Route eleven = owner_.route("11.0.0.0/8");
  hang.go_on.raise();
  EXPECT_EQ(notices(), 2U) << "the client left items in the queue, and is told again";
  EXPECT_EQ(watch.changed(), (Prefixes{"10.0.0.0/8", "11.0.0.0/8"}));
}

// clauses: RTM2-229
TEST_F(ChangeRegistration, ChangesBeforeTheCallbackAreOneEvent_choice) {
  const Watch watch(watcher_, RTM_CHANGE_TYPE_ALL);
  Hang hang(watcher_);
  std::vector<Route> kept;
  kept.push_back(owner_.route("10.0.0.0/8"));
  ASSERT_TRUE(hang.inside.wait());
  for (const char* prefix : {"11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8"}) {
    kept.push_back(owner_.route(prefix));
  }
  hang.go_on.raise();
  EXPECT_EQ(notices(), 2U);
}

// clauses: RTM2-230
TEST_F(ChangeRegistration, AfterItsEndTheHandleIsDeadAndNothingFollows) {
  Watch watch(watcher_, RTM_CHANGE_TYPE_ALL);
  const HANDLE handle = watch.consume();
  ASSERT_EQ(RtmDeregisterFromChangeNotification(watcher_, handle), DWORD{NO_ERROR});
  const Route route = owner_.route("10.0.0.0/8");
  EXPECT_EQ(notices(), 0U);
  UINT count = 1;
  DestInfo record(watcher_, 1);
  EXPECT_EQ(RtmGetChangedDests(watcher_, handle, &count, record), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmDeregisterFromChangeNotification(watcher_, handle), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-230
TEST_F(ChangeRegistration, ItsEndWaitsForTheCallback_choice) {
  Watch watch(watcher_, RTM_CHANGE_TYPE_ALL);
  Hang hang(watcher_);
  const Route route = owner_.route("10.0.0.0/8");
  ASSERT_TRUE(hang.inside.wait());
  Attempt ending([&] {
    EXPECT_EQ(RtmDeregisterFromChangeNotification(watcher_, watch.consume()), DWORD{NO_ERROR});
    EXPECT_TRUE(hang.go_on.raised()) << "the callback was still running";
  });
  EXPECT_FALSE(ending.ends_at_once());
  hang.go_on.raise();
  EXPECT_TRUE(ending.ends());
}

// clauses: RTM2-231
TEST_F(ChangeRegistration, CanBePolledWithoutACallback_choice) {
  const Client poller({.events = false});
  const Watch watch(poller, RTM_CHANGE_TYPE_ALL);
  const Route route = owner_.route("10.0.0.0/8");
  settle();
  EXPECT_EQ(watch.changed(), kTen);
}

// clauses: RTM2-232
TEST_F(ChangeRegistration, ForbiddenCallsInsideTheEvent_choice) {
  const Watch watch(watcher_, RTM_CHANGE_TYPE_ALL);
  int calls = 0;
  watcher_.on_event([&](const Event&) {
    HANDLE handle = nullptr;
    EXPECT_EQ(RtmRegisterForChangeNotification(watcher_, kUnicast, RTM_CHANGE_TYPE_ALL, nullptr, &handle),
              DWORD{ERROR_NOT_SUPPORTED});
    EXPECT_EQ(RtmDeregisterEntity(watcher_), DWORD{ERROR_NOT_SUPPORTED});
    ++calls;
    return DWORD{NO_ERROR};
  });
  const Route route = owner_.route("10.0.0.0/8");
  settle();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(watch.changed(), kTen);
}

// clauses: RTM2-233
TEST_F(ChangeRegistration, SeveralOfOneClientAreIndependent) {
  const Watch unicast(watcher_, RTM_CHANGE_TYPE_ALL, kUnicast);
  const Watch multicast(watcher_, RTM_CHANGE_TYPE_BEST, kMulticast);
  const Route ten = owner_.route("10.0.0.0/8", {.views = kUnicast});
  const Route eleven = owner_.route("11.0.0.0/8", {.views = kMulticast});
  std::set<HANDLE> named;
  for (const Event& event : watcher_.events(RTM_CHANGE_NOTIFICATION)) {
    named.insert(event.first);
  }
  EXPECT_EQ(named, (std::set<HANDLE>{unicast, multicast}));
  EXPECT_EQ(unicast.changed(), kTen);
  EXPECT_EQ(multicast.changed(), (Prefixes{"11.0.0.0/8"}));
}

}  // namespace
}  // namespace turnpike::conformance

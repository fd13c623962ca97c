// Forwarding outlives the process that forwards: a router process is killed and started again beside a turnpike-keeper,
// and packets are counted.
#include <gtest/gtest.h>
#include <turnpike/mgm.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "ground/ground.h"
#include "ground/multicast.h"

namespace turnpike::conformance {
namespace {

using ground::Ground;
using ground::GroupReceiver;
using ground::GroupSender;
using ground::Host;
using ground::Process;
using Numbers = std::vector<std::uint32_t>;

struct Street {
  explicit Street(Ground& ground)
      : source(ground.host("source")), router(ground.host("router")), home(ground.host("home")) {
    ground.wire({source, "eth0", {"10.0.0.2/24", "fd00::2/64"}}, {router, "in", {"10.0.0.1/24", "fd00::1/64"}});
    ground.wire({router, "out", {"10.0.1.1/24", "fd00:1::1/64"}}, {home, "eth0", {"10.0.1.2/24", "fd00:1::2/64"}});
    router.forward();
  }
  [[nodiscard]] Process keeper(const std::string& seconds = "300") const {
    Process process = router.spawn({TURNPIKE_KEEPER, "--for", seconds});
    process.await_output("keeping");
    return process;
  }
  [[nodiscard]] Process life(const ground::Words& groups) const {
    ground::Words words{MGM_ONE_LIFE, "in", "out"};
    words.insert(words.end(), groups.begin(), groups.end());
    return router.spawn(words);
  }
  // How many entries, and how many virtual interfaces.
  [[nodiscard]] std::pair<int, int> in_kernel() const {
    return router.inside([] { return std::pair(lines("ip_mr_cache"), lines("ip_mr_vif")); });
  }
  static int lines(const std::string& file) {
    std::ifstream in("/proc/thread-self/net/" + file);
    int count = -1;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  }
  void await_in_kernel(int entries, int interfaces) const {
    const ground::Deadline deadline(ground::kSoon);
    while (in_kernel() != std::pair(entries, interfaces)) {
      ASSERT_GT(deadline.left(), 0) << in_kernel().first << " entries, " << in_kernel().second << " interfaces";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // allow sleeping-test: nothing tells of the state
    }
  }
  Host& source;
  Host& router;
  Host& home;
};

void kill(Process& process) {
  process.signal(SIGKILL);
  process.await_end();
}

// Asks a life what it has, until it says `wanted`.
void await_status(Process& life, const std::string& wanted) {
  static int asked = 0;
  static pid_t whom = 0;
  if (std::exchange(whom, life.pid()) != life.pid()) asked = 0;
  const ground::Deadline deadline(ground::kSoon);
  for (std::string last; last.find(wanted) == std::string::npos;) {
    ASSERT_GT(deadline.left(), 0) << wanted << " in vain, but " << last;
    life.signal(SIGUSR1);
    const std::string head = "status " + std::to_string(++asked) + ": ";
    life.await_output(head);
    last = life.await_output("\n", ground::kSoon);
    last = last.substr(last.find(head));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // allow sleeping-test: nothing tells of the state
  }
}

// A steady stream and what of it arrives, on a thread of its own. No more are on their way than every buffer of the
// kernel has room for (a receiver's may be cut to net.core.rmem_max), however long the router process is not there to
// be asked: so a packet that is missing was lost by who forwards.
class Stream {
 public:
  Stream(const Host& host, std::string group, GroupReceiver& receiver)
      : sender_(host, "eth0"), receiver_(receiver), thread_([this, group] { run(group); }) {}
  ~Stream() { end(); }
  // How many were sent; which arrived.
  std::pair<std::uint32_t, Numbers> stop() {
    end();
    take(receiver_.await(sent_ - arrived_.size()));
    return {sent_, arrived_};
  }
  void await(std::uint32_t more) const {
    const ground::Deadline deadline(ground::kSoon);
    for (const std::uint32_t until = sent_ + more; sent_ < until; std::this_thread::yield())
      ASSERT_GT(deadline.left(), 0) << "too many do not arrive";
  }

 private:
  static constexpr std::size_t kOnTheirWay = 200;

  void end() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void run(const std::string& group) {
    while (!done_) {
      if (sent_ - arrived_.size() < kOnTheirWay) sender_.send(group, sent_++);
      take(receiver_.take());
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // allow sleeping-test: the pace
    }
  }
  void take(const Numbers& more) { arrived_.insert(arrived_.end(), more.begin(), more.end()); }

  const GroupSender sender_;
  GroupReceiver& receiver_;
  std::atomic<bool> done_{false};
  std::atomic<std::uint32_t> sent_{0};
  Numbers arrived_;  // the thread's, until it has ended
  std::thread thread_;
};

Numbers up_to(std::uint32_t count) {
  Numbers all(count);
  for (std::uint32_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

// clauses: MGM-126
TEST(MgmSurvival, NoPacketIsLostThroughFiveKills) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Street street(*ground);
  const Process keeper = street.keeper();
  GroupReceiver receiver(street.home, "eth0", "239.1.1.1");
  std::optional<Process> life(street.life({"239.1.1.1"}));
  life->await_output("ready: kept 1, taken over 0");
  GroupSender(street.source, "eth0").send("239.1.1.1", 4711);
  ASSERT_EQ(receiver.await(1), Numbers{4711}) << "from now on the flow stands";
  Stream stream(street.source, "239.1.1.1", receiver);
  stream.await(20);
  for (int kills = 0; kills < 5; ++kills) {
    kill(*life);
    stream.await(100);
    EXPECT_EQ(street.in_kernel(), std::pair(1, 2)) << "nobody is there, and it stands";
    life.emplace(street.life({"239.1.1.1"}));
    life->await_output("ready: kept 1, taken over 1");
    stream.await(100);
  }
  const auto [sent, arrived] = stream.stop();
  EXPECT_EQ(arrived, up_to(sent));
  life->signal(SIGTERM);
  EXPECT_EQ(life->await_end(), 0);
  EXPECT_EQ(street.in_kernel(), std::pair(0, 0)) << "a stop leaves nothing";
  auto fresh = street.life({"239.1.1.1"});
  fresh.await_output("ready");
  life.emplace(street.life({}));
  life->await_output("refused: 1003, process " + std::to_string(fresh.pid()) + " (");
}

TEST(MgmSurvival, TheNextLifeCorrectsWhatItFinds) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Street street(*ground);
  const Process keeper = street.keeper();
  GroupReceiver stays(street.home, "eth0", "239.1.1.1");
  GroupReceiver ends(street.home, "eth0", "239.1.1.2");
  GroupReceiver comes(street.home, "eth0", "239.1.1.3");
  const GroupSender sender(street.source, "eth0");
  const auto send = [&](std::uint32_t number) {
    for (const char* group : {"239.1.1.1", "239.1.1.2", "239.1.1.3"}) sender.send(group, number);
  };
  {
    Process life = street.life({"239.1.1.1", "239.1.1.2"});
    life.await_output("ready");
    send(1);
    EXPECT_EQ(stays.await(1), Numbers{1});
    EXPECT_EQ(ends.await(1), Numbers{1});
    await_status(life, "entries 3");
    street.await_in_kernel(3, 2);
    kill(life);
  }
  send(2);
  EXPECT_EQ(stays.await(1), Numbers{2});
  EXPECT_EQ(ends.await(1), Numbers{2}) << "still the former life's";
  Process life = street.life({"239.1.1.1", "239.1.1.3"});
  life.await_output("begun: kept 1, taken over 3, unclaimed 3, entries 0");
  life.await_output("ready");
  await_status(life, "unclaimed 0, entries 3");
  send(3);
  EXPECT_EQ(stays.await(1), Numbers{3});
  EXPECT_EQ(comes.await(1), Numbers{3});
  EXPECT_EQ(ends.take(), Numbers{});
  // Without a way to anything, and without anybody, nothing is left.
  kill(life);
  Process last_life = street.life({});
  last_life.await_output("ready");
  last_life.signal(SIGTERM);
  EXPECT_EQ(last_life.await_end(), 0);
  EXPECT_EQ(street.in_kernel(), std::pair(0, 0));
}

TEST(MgmSurvival, WithoutAKeeperItEndsWithTheProcess) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Street street(*ground);
  Process life = street.life({"239.1.1.1"});
  life.await_output("ready: kept 0");
  EXPECT_EQ(street.in_kernel().second, 2);
  kill(life);
  EXPECT_EQ(street.in_kernel(), std::pair(0, 0));
}

// Also while new flows come all the time: each is a question to the thread that looks for it.
TEST(MgmSurvival, AKeeperThatComesLateIsFoundUnderLoad) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Street street(*ground);
  Process life = street.life({"239.1.1.1"});
  life.await_output("ready: kept 0");
  std::atomic<bool> done = false;
  std::thread load([&] {
    const GroupSender sender(street.source, "eth0");
    for (std::uint32_t i = 0; !done; ++i) {
      sender.send_as(0x0a100000 + i % 50'000, 0xef010101, i);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // allow sleeping-test: the pace
    }
  });
  const Process keeper = street.keeper();
  await_status(life, "kept 1");
  done = true;
  load.join();
  kill(life);
  EXPECT_EQ(street.in_kernel().second, 2);
}

TEST(MgmSurvival, AKeeperMayComeLateDieAndTireOfWaiting) {
  auto ground = Ground::unprivileged({"veth", "mroute"});
  if (!ground) return;
  const Street street(*ground);
  Process life = street.life({"239.1.1.1"});
  life.await_output("ready: kept 0");
  {
    Process keeper = street.keeper();
    await_status(life, "kept 1");
    kill(keeper);
  }
  await_status(life, "kept 0");
  const Process keeper = street.keeper("1");
  await_status(life, "kept 1");
  kill(life);
  EXPECT_EQ(street.in_kernel().second, 2);
  street.await_in_kernel(0, 0);
}

}  // namespace
}  // namespace turnpike::conformance

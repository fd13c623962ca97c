// The way to a keeper that takes its time: what ends the wait for its answer, and what does not.
#include "kernel/multicast/keeper_link.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "ground/ground.h"

namespace turnpike::kernel {
namespace {

std::atomic<int> signals = 0;

Descriptor listening_keeper() {
  Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(socket.number(), keeper::kAddress.address(), keeper::kAddress.size()), 0);
  EXPECT_EQ(::listen(socket.number(), 1), 0);
  return socket;
}

// A stop of the process, and going on, is such a signal, too.
TEST(KeeperLink, WaitsOnAfterASignal) {
  auto ground = ground::Ground::unprivileged();
  if (!ground) return;
  ground->host("router").inside([] {
    struct sigaction counting{};
    counting.sa_handler = [](int) { ++signals; };
    ASSERT_EQ(::sigaction(SIGUSR1, &counting, nullptr), 0);
    const Descriptor listening = listening_keeper();
    std::thread keeper([&listening, asking = ::pthread_self()] {
      const Descriptor peer(::accept(listening.number(), nullptr, nullptr));
      keeper::Request request;
      std::array<std::byte, keeper::kMostNote> note;
      Descriptor none;
      EXPECT_EQ(keeper::Envelope(request, note.data(), note.size()).receive(peer.number(), 0, none), 0);
      for (int count = 1; count <= 100; ++count) {
        EXPECT_EQ(::pthread_kill(asking, SIGUSR1), 0);
        while (signals < count) std::this_thread::yield();
      }
      keeper::Answer answer;
      answer.outcome = keeper::Outcome::kNothing;
      EXPECT_TRUE(keeper::Envelope(answer, note.data(), 0).send(peer.number(), 0));
    });
    KeeperLink::Kept kept;
    int user = 0;
    const auto link = KeeperLink::open("test", kept, user, std::chrono::minutes(2));
    EXPECT_TRUE(link.has_value()) << link.error().what;
    EXPECT_FALSE(kept.descriptor.is_open());
    keeper.join();
  });
}

}  // namespace
}  // namespace turnpike::kernel

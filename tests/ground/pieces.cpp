// Tests that play_test.cpp plays to see how they end: well, badly, killed. They are a program of their own, which
// ./check does not run for itself.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "ground/ground.h"

namespace turnpike::ground {
namespace {

namespace fs = std::filesystem;

TEST(Piece, FailsTwice) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  EXPECT_EQ(1, 2) << "two lines\nof text";
  ASSERT_TRUE(false) << "and the end";
}

TEST(Piece, Throws) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  ground->host("host").ip({"link set nothing up"});
}

TEST(Piece, Aborts) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  ::signal(SIGABRT, SIG_DFL);
  std::abort();
}

TEST(Piece, ExitsQuietly) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  ::_exit(3);
}

TEST(Piece, Hangs) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  for (;;) ::pause();
}

TEST(Piece, NeedsWhatNoKernelHas) {
  auto ground = Ground::unprivileged({"veth", "no such part"});
  if (!ground) return;
}

TEST(Piece, NeedsVeth) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
}

TEST(Piece, Skips) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  GTEST_SKIP() << "for a reason";
}

// Builds a small network with a process that cuts itself loose, tells the names, and waits. What it starts inherits
// its standard output, so that whoever reads the other end sees when the last of them is gone.
TEST(Piece, Stays) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  const std::string name = "g" + std::to_string(::getpid()) + "x";
  Host& left = ground->host("left");
  ground->wire({left, name, {"10.0.0.1/24"}}, {ground->host("right"), "eth0", {"10.0.0.2/24"}});
  ASSERT_TRUE(left.ping("10.0.0.2"));
  ASSERT_GE(::dup(STDOUT_FILENO), 0);
  Process loose = left.spawn({"/bin/sh", "-c", "setsid sleep 1000 & echo loose"});
  loose.await_output("loose");
  const std::string spaces = left.inside([] { return fs::read_symlink("/proc/thread-self/ns/net").string(); });
  std::cout << "link " << name << " namespace " << spaces << " ready" << std::endl;
  const char* go = std::getenv("TURNPIKE_GO");
  if (go == nullptr) return;
  char byte = 0;
  EXPECT_EQ(::read(std::stoi(go), &byte, 1), 0) << "the end of the pipe is the word to go on";
  EXPECT_TRUE(left.ping("10.0.0.2"));
}

TEST(Piece, WantsRoot) {
  auto ground = Ground::privileged();
  if (!ground) return;
  ADD_FAILURE() << "nobody is no root";
}

}  // namespace
}  // namespace turnpike::ground

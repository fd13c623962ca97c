// A routing daemon's feed by its socket: what TpFpmStart and its kin promise, with a sender made of bytes. The real
// sender is in tests/system/test_fpm.py.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/descriptor.h"
#include "kernel/codec.h"
#include "live.h"

namespace turnpike::forwarder {
namespace {

using namespace net::literals;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint16_t kPort = 2621;

TP_FPM_STATUS feed() {
  TP_FPM_STATUS now{};
  now.size = sizeof now;
  EXPECT_EQ(TpFpmStatus(&now), 0U);
  return now;
}

std::uint32_t listen(std::uint32_t flags = 0, const char* address = "127.0.0.1") {
  TP_FPM_OPTIONS options{};
  options.size = sizeof options;
  options.flags = flags;
  options.address = address;
  options.port = kPort;
  return TpFpmStart(&options);
}

// Frames of one message.
template <class T>
Octets frame(kernel::Change change, const T& object) {
  std::array<std::uint8_t, 4096> room{};
  kernel::MessageBuilder out(room);
  EXPECT_TRUE(kernel::encode(out, 0, change, object));
  const std::size_t length = out.bytes().size() + 4;
  Octets all{1, 1, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
  all.insert(all.end(), out.bytes().begin(), out.bytes().end());
  return all;
}
Octets object(std::uint32_t id, const net::Address& gateway, ULONG link) {
  kernel::NextHop made;
  made.id = id;
  made.gateway = gateway;
  made.link = net::InterfaceIndex(static_cast<std::uint32_t>(link));
  return frame(kernel::Change::kReplace, made);
}
Octets route(const net::Prefix& destination, std::uint32_t id) {
  kernel::Route made;
  made.destination = destination;
  made.protocol = 186;
  made.priority = 20;
  made.next_hop_id = id;
  return frame(kernel::Change::kReplace, made);
}

class Sender {
 public:
  Sender() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(kPort);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  }
  void send(const Octets& bytes) const {
    EXPECT_EQ(::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // The other end has closed it.
  [[nodiscard]] bool is_closed() const {
    pollfd watched{socket_.number(), POLLIN, 0};
    std::uint8_t byte = 0;
    return ::poll(&watched, 1, 60'000) == 1 && ::recv(socket_.number(), &byte, 1, 0) <= 0;
  }

 private:
  Descriptor socket_;
};

TEST(FpmReal, RoutesOfASenderAreWrittenAndOutliveIt) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    ASSERT_EQ(listen(), 0U);
    {
      Sender sender;
      sender.send(object(7, "10.0.2.2"_address, link_of(row.middle, "east")));
      sender.send(route("192.0.2.0/24"_prefix, 7));
      sender.send(route("198.51.100.0/24"_prefix, 7));
      await("both routes", [] { return status().installed == 2; });
      EXPECT_TRUE(row.left.ping("192.0.2.1"));
      EXPECT_EQ(feed().frames, 3U);
      EXPECT_EQ(feed().next_hops, 1U);
      EXPECT_EQ(feed().port, kPort);
    }
    await("it has gone", [] { return feed().connected == 0; });
    EXPECT_TRUE(row.left.ping("192.0.2.1"));
    EXPECT_EQ(feed().stale, 2U);
    EXPECT_EQ(TpFpmAllSent(), static_cast<DWORD>(ERROR_NOT_FOUND)) << "nobody is there who could have";
    Sender again;
    again.send(object(1, "10.0.2.2"_address, link_of(row.middle, "east")));
    again.send(route("192.0.2.0/24"_prefix, 1));
    await("it says one of them again", [] { return feed().connected == 1 && feed().stale == 1; });
    EXPECT_EQ(TpFpmAllSent(), 0U);
    await("the other goes", [] { return status().installed == 1 && feed().routes == 1; });
    EXPECT_EQ(status().written, 2U) << "what was said again was not written again";
    EXPECT_EQ(TpFpmStop(), 0U);
    await("all goes", [&] { return ours(row.middle).empty(); });
    EXPECT_TRUE(again.is_closed());
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

TEST(FpmReal, WhoSendsGarbageIsClosedAndTheGoodStands) {
  in_the_middle([](Row& row) {
    ASSERT_EQ(start(), 0U);
    ASSERT_EQ(listen(), 0U);
    const Octets good = object(7, "10.0.2.2"_address, link_of(row.middle, "east"));
    const Octets known = route("192.0.2.0/24"_prefix, 7);
    std::uint64_t faults = 0;
    for (const Octets& bad :
         {Octets{2, 1, 0, 40}, Octets{1, 7, 0, 40}, Octets{1, 1, 0, 4}, Octets{'G', 'E', 'T', ' '}}) {
      Sender sender;
      Octets all = good;
      all.insert(all.end(), known.begin(), known.end());
      all.insert(all.end(), bad.begin(), bad.end());
      sender.send(all);
      EXPECT_TRUE(sender.is_closed());
      await("it is counted", [&] { return feed().faults == faults + 1; });
      ++faults;
      EXPECT_EQ(feed().routes, 1U);
    }
    Sender cut;
    cut.send(good);
    cut.send(Octets(known.begin(), known.end() - 5));
    await("all but its end", [] { return feed().frames == 9; });
    EXPECT_EQ(feed().stale, 1U) << "half a frame says nothing";
    Sender second;
    EXPECT_TRUE(second.is_closed()) << "one at a time";
    EXPECT_EQ(feed().turned_away, 1U);
    cut.send(Octets(known.end() - 5, known.end()));
    await("the rest", [] { return feed().stale == 0; });
    EXPECT_EQ(TpForwarderStop(1), 0U) << "the feed ends with it";
    EXPECT_TRUE(cut.is_closed());
    EXPECT_EQ(feed().running, 0U);
  });
}

TEST(FpmReal, WhatCannotBeIsRefused) {
  auto ground = Ground::unprivileged({"nexthop"});
  if (!ground) return;
  ground->host("host").inside([&] {
    constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
    constexpr DWORD kNotFound = ERROR_NOT_FOUND;
    EXPECT_EQ(listen(), kNotFound) << "no forwarder";
    EXPECT_EQ(TpFpmStop(), kNotFound);
    EXPECT_EQ(TpFpmAllSent(), kNotFound);
    EXPECT_EQ(feed().running, 0U);
    EXPECT_EQ(TpFpmStatus(nullptr), kWrong);
    TP_FPM_STATUS small{};
    EXPECT_EQ(TpFpmStatus(&small), kWrong);
    ASSERT_EQ(start(), 0U);
    TP_FPM_OPTIONS options{};
    EXPECT_EQ(TpFpmStart(&options), kWrong) << "no size";
    EXPECT_EQ(listen(0x80), kWrong);
    EXPECT_EQ(listen(0, "localhost"), kWrong) << "not numeric";
    EXPECT_EQ(listen(0, "192.0.2.77"), kWrong) << "no address of this machine";
    options.size = sizeof options;
    options.reserved = 1;
    EXPECT_EQ(TpFpmStart(&options), kWrong);
    EXPECT_EQ(TpFpmStop(), kNotFound);
    EXPECT_EQ(listen(TP_FPM_TABLE_ONLY | TP_FPM_GATEWAYS_ONLY, "::1"), 0U);
    EXPECT_EQ(listen(), static_cast<DWORD>(ERROR_ALREADY_EXISTS));
    EXPECT_EQ(feed().running, 1U);
    EXPECT_EQ(TpFpmStop(), 0U);
    const Descriptor other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(kPort);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(other.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(::listen(other.number(), 1), 0);
    EXPECT_EQ(listen(), static_cast<DWORD>(ERROR_BUSY)) << "another program listens there";
    EXPECT_EQ(feed().running, 0U);
    EXPECT_EQ(TpForwarderStop(1), 0U);
  });
}

}  // namespace
}  // namespace turnpike::forwarder

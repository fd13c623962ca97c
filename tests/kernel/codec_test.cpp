// The codec without a kernel: what is encoded is decoded, what cannot be right is refused either way. That the kernel
// understands it as well is shown by tests/kernel/conformance over the real port.
#include "kernel/codec.h"

#include <gtest/gtest.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/text.h"

namespace turnpike::kernel {
namespace {

using net::literals::operator""_address;
using net::literals::operator""_mac;
using net::literals::operator""_prefix;

class CodecTest : public ::testing::Test {
 protected:
  // The message that encoding makes; it lives until the next.
  template <class... Object>
  Message encoded(const Object&... object) {
    out_.clear();
    const auto done = encode(out_, 9, object...);
    EXPECT_TRUE(done) << done.error().what;
    Bytes rest = out_.bytes();
    return take_message(rest).value();
  }
  template <class... Object>
  ErrorKind refusal(const Object&... object) {
    out_.clear();
    const auto done = encode(out_, 9, object...);
    EXPECT_TRUE(out_.bytes().empty());
    return done ? ErrorKind::kInternal : done.error().kind;
  }
  // The same message with some of its bytes changed.
  Message patched(Message message, std::size_t at, std::uint8_t value) {
    buffer_[static_cast<std::size_t>(message.payload.data() - buffer_.data()) + at] = value;
    return message;
  }

  std::array<std::uint8_t, 4096> buffer_{};
  MessageBuilder out_{buffer_};
  Decoder decoder_;
};

constexpr Hop kHopA{InterfaceIndex(3), "10.0.0.1"_address, 1, 0};
constexpr Hop kHopB{InterfaceIndex(4), "10.0.1.1"_address, 200, kHopOnLink};
constexpr Hop kHopOverSix{InterfaceIndex(3), "fe80::1"_address, 1, 0};

TEST_F(CodecTest, RoutesOfEveryKindComeBack) {
  Route route;
  route.scope = kScopeUniverse;
  const std::array one{kHopA};
  const std::array two{kHopA, kHopB};
  const std::array mixed{kHopOverSix, kHopB};
  const std::array over_six{kHopOverSix};
  for (const auto& prefix : {"0.0.0.0/0"_prefix, "10.1.0.0/16"_prefix, "192.0.2.1/32"_prefix}) {
    for (const std::span<const Hop> hops : {std::span<const Hop>(one), std::span<const Hop>(two),
                                            std::span<const Hop>(mixed), std::span<const Hop>(over_six)}) {
      route.destination = prefix;
      route.hops = hops;
      route.table = route.table == kMainTable ? 100'000 : kMainTable;
      route.priority += 7;
      route.tos = 16;
      route.preferred_source = "10.9.9.9"_address;
      route.metrics = {1400, 1200, 64};
      EXPECT_EQ(decoder_.route(encoded(Change::kAdd, route)).value(), route);
    }
  }
  Route six;
  six.scope = kScopeUniverse;
  six.destination = "2001:db8::/32"_prefix;
  six.source = "2001:db8:1::/48"_prefix;
  six.hops = over_six;
  EXPECT_EQ(decoder_.route(encoded(Change::kReplace, six)).value(), six);
  Route shared;
  shared.scope = kScopeUniverse;
  shared.next_hop_id = 77;
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, shared)).value(), shared);
  Route dropped;
  dropped.scope = kScopeUniverse;
  dropped.type = RouteType::kBlackhole;
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, dropped)).value(), dropped);
}

TEST_F(CodecTest, WhatHasANextHopIsWrittenByItAlone) {
  Route route;
  route.next_hop_id = 77;
  const std::array hops{kHopA};
  route.hops = hops;
  EXPECT_TRUE(decoder_.route(encoded(Change::kAdd, route))->hops.empty());
}

TEST_F(CodecTest, ScopeIsChosenAsIpRouteDoes) {
  const std::array on_link{Hop{InterfaceIndex(3), std::nullopt}};
  const std::array gateway{kHopA};
  Route route;
  route.hops = on_link;
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, route))->scope, kScopeLink);
  route.hops = gateway;
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, route))->scope, kScopeUniverse);
  route.type = RouteType::kLocal;
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, route))->scope, kScopeHost);
  route.scope = std::uint8_t{200};
  EXPECT_EQ(decoder_.route(encoded(Change::kAdd, route))->scope, 200);
}

TEST_F(CodecTest, ARemovalHasTheKeyAlone) {
  Route route;
  const std::array hops{kHopA};
  route.hops = hops;
  route.destination = "10.0.0.0/8"_prefix;
  route.priority = 5;
  route.table = 1000;
  const Message message = encoded(Change::kRemove, route);
  EXPECT_TRUE(notice_of(message).gone);
  const Route read = decoder_.route(message).value();
  EXPECT_EQ(read.destination, route.destination);
  EXPECT_EQ(read.priority, 5u);
  EXPECT_EQ(read.table, 1000u);
  EXPECT_EQ(read.protocol, kOurProtocol);
  EXPECT_TRUE(read.hops.empty());
}

TEST_F(CodecTest, RoutesThatCannotBeAreRefused) {
  Route route;
  route.destination = "2001:db8::/32"_prefix;
  const std::array four{kHopA};
  route.hops = four;
  EXPECT_EQ(refusal(Change::kAdd, route), ErrorKind::kInvalidArgument);
  route.hops = {};
  route.preferred_source = "10.0.0.1"_address;
  EXPECT_EQ(refusal(Change::kAdd, route), ErrorKind::kInvalidArgument);
  Route heavy;
  for (const auto weight : std::initializer_list<std::uint16_t>{0, 257, 65535}) {
    const std::array hops{Hop{InterfaceIndex(1), "10.0.0.1"_address, weight}};
    heavy.hops = hops;
    EXPECT_EQ(refusal(Change::kAdd, heavy), ErrorKind::kInvalidArgument);
  }
  Route sourced;
  sourced.source = "10.0.0.0/8"_prefix;
  EXPECT_EQ(refusal(Change::kAdd, sourced), ErrorKind::kInvalidArgument);
  Route wide;
  const std::vector<Hop> many(1000, kHopA);
  wide.hops = many;
  EXPECT_EQ(refusal(Change::kAdd, wide), ErrorKind::kBufferTooSmall);
}

TEST_F(CodecTest, MalformedRoutesAreRefused) {
  Route route;
  route.destination = "10.0.0.0/8"_prefix;
  EXPECT_EQ(decoder_.route(patched(encoded(Change::kAdd, route), 1, 33)).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(decoder_.route(patched(encoded(Change::kAdd, route), 0, AF_INET6)).error().kind,
            ErrorKind::kInvalidArgument)
      << "an address of four bytes";
  EXPECT_EQ(decoder_.route(patched(encoded(Change::kAdd, route), 0, 28)).error().kind, ErrorKind::kUnsupported)
      << "MPLS";
  EXPECT_EQ(decoder_.route(patched(encoded(Change::kAdd, route), 7, 12)).error().kind, ErrorKind::kUnsupported)
      << "a type of tomorrow";
  Message message = encoded(Change::kAdd, route);
  message.payload = message.payload.first(11);
  EXPECT_EQ(decoder_.route(message).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(CodecTest, NextHopsComeBack) {
  NextHop single;
  single.id = 1;
  single.link = InterfaceIndex(3);
  single.flags = kHopOnLink;
  single.gateway = "10.0.0.1"_address;
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kAdd, single)).value(), single);
  NextHop six = single;
  six.family = Family::kIpv6;
  six.gateway = "fe80::1"_address;
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kReplace, six)).value(), six);
  NextHop drop;
  drop.id = 2;
  drop.kind = NextHopKind::kBlackhole;
  drop.family = Family::kIpv6;
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kAdd, drop)).value(), drop);
  NextHop group;
  group.id = 3;
  group.kind = NextHopKind::kGroup;
  const std::array members{GroupMember{1, 1}, GroupMember{2, 256}};
  group.members = members;
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kAdd, group)).value(), group);
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kRemove, single))->id, 1u);
}

TEST_F(CodecTest, WeightsOf16BitsAreReadWhereTheKernelMeansThem) {
  NextHop group;
  group.id = 3;
  group.kind = NextHopKind::kGroup;
  const std::array members{GroupMember{1, 1000}};
  group.members = members;
  EXPECT_EQ(decoder_.next_hop(encoded(Change::kAdd, group))->members[0].weight, 1000 % 256)
      << "an older kernel's byte may hold anything";
  nhmsg fixed{};
  out_.clear();
  out_.begin(RTM_NEWNEXTHOP, 0, 1, fixed);
  out_.put(NHA_ID, std::uint32_t{3});
  out_.put(NHA_GROUP, std::array<std::uint32_t, 2>{1, 1000 - 1});
  out_.put(14, std::uint32_t{1} << 31);
  ASSERT_TRUE(out_.end());
  Bytes rest = out_.bytes();
  EXPECT_EQ(decoder_.next_hop(take_message(rest).value())->members[0].weight, 1000);
}

TEST_F(CodecTest, NextHopsOfOthersAreNamedAndNoMore) {
  for (const std::uint16_t type : {NHA_FDB, NHA_ENCAP}) {
    nhmsg fixed{};
    fixed.nh_family = AF_INET;
    out_.clear();
    out_.begin(RTM_NEWNEXTHOP, 0, 1, fixed);
    out_.put(NHA_ID, std::uint32_t{3});
    out_.put_flag(type);
    ASSERT_TRUE(out_.end());
    Bytes rest = out_.bytes();
    const NextHop read = decoder_.next_hop(take_message(rest).value()).value();
    EXPECT_EQ(read.kind, NextHopKind::kOther);
    EXPECT_EQ(read.id, 3u);
    EXPECT_EQ(refusal(Change::kAdd, read), ErrorKind::kInvalidArgument);
  }
}

TEST_F(CodecTest, NextHopsThatCannotBeAreRefused) {
  NextHop next_hop;
  EXPECT_EQ(refusal(Change::kAdd, next_hop), ErrorKind::kInvalidArgument) << "no id";
  EXPECT_EQ(refusal(Change::kRemove, next_hop), ErrorKind::kInvalidArgument);
  next_hop.id = 1;
  next_hop.kind = NextHopKind::kGroup;
  EXPECT_EQ(refusal(Change::kAdd, next_hop), ErrorKind::kInvalidArgument) << "no members";
  const std::array members{GroupMember{1, 0}};
  next_hop.members = members;
  EXPECT_EQ(refusal(Change::kAdd, next_hop), ErrorKind::kInvalidArgument) << "no weight";
}

TEST_F(CodecTest, AddressesNeighboursAndRulesComeBack) {
  InterfaceAddress address;
  address.link = InterfaceIndex(3);
  address.local = "10.0.0.1"_address;
  address.prefix_length = 24;
  address.broadcast = "10.0.0.255"_address;
  address.flags = kAddressNoPrefixRoute;
  address.valid_seconds = 100;
  address.preferred_seconds = 50;
  EXPECT_EQ(decoder_.address(encoded(Change::kAdd, address)).value(), address);
  InterfaceAddress pointed;
  pointed.link = InterfaceIndex(3);
  pointed.local = "fd00::1"_address;
  pointed.peer = "fd00::2"_address;
  pointed.prefix_length = 128;
  EXPECT_EQ(decoder_.address(encoded(Change::kReplace, pointed)).value(), pointed);

  Neighbour neighbour;
  neighbour.link = InterfaceIndex(3);
  neighbour.address = "fe80::2"_address;
  neighbour.mac = "02:00:00:00:00:01"_mac;
  EXPECT_EQ(decoder_.neighbour(encoded(Change::kAdd, neighbour)).value(), neighbour);

  Rule rule;
  rule.priority = 100;
  rule.table = 1000;
  rule.inverted = true;
  rule.source = "10.0.0.0/8"_prefix;
  rule.destination = "192.0.2.0/24"_prefix;
  rule.in_link = "eth0";
  rule.out_link = "interface-of-15";
  rule.mark = 1;
  rule.mark_mask = 0xff;
  rule.suppress_prefix_length = 0;
  EXPECT_EQ(decoder_.rule(encoded(Change::kAdd, rule)).value(), rule);
  Rule jump;
  jump.family = Family::kIpv6;
  jump.action = RuleAction::kGoto;
  jump.go_to = 200;
  EXPECT_EQ(decoder_.rule(encoded(Change::kAdd, jump)).value(), jump);
}

TEST_F(CodecTest, AddressesAndRulesThatCannotBeAreRefused) {
  InterfaceAddress address;
  address.local = "10.0.0.1"_address;
  address.prefix_length = 33;
  EXPECT_EQ(refusal(Change::kAdd, address), ErrorKind::kInvalidArgument);
  address.prefix_length = 24;
  address.peer = "fd00::1"_address;
  EXPECT_EQ(refusal(Change::kAdd, address), ErrorKind::kInvalidArgument);
  Rule rule;
  rule.source = "fd00::/8"_prefix;
  EXPECT_EQ(refusal(Change::kAdd, rule), ErrorKind::kInvalidArgument);
  rule.source.reset();
  rule.in_link = "interface-of-16-";
  EXPECT_EQ(refusal(Change::kAdd, rule), ErrorKind::kInvalidArgument);
  EXPECT_EQ(refusal(LinkChange{}), ErrorKind::kInvalidArgument);
}

TEST_F(CodecTest, MessagesKnowTheirSubjects) {
  EXPECT_EQ(subject_of(encoded(Change::kAdd, Route{})), Subject::kRoute);
  EXPECT_EQ(subject_of(encoded(LinkChange{InterfaceIndex(1), true, 1500})), Subject::kLink);
  EXPECT_EQ(subject_of(encoded(Change::kRemove, Rule{})), Subject::kRule);
  Message request = encoded(Change::kAdd, Route{});
  request.type = RTM_GETROUTE;
  EXPECT_EQ(subject_of(request), Subject::kOther);
  request.type = NLMSG_DONE;
  EXPECT_EQ(subject_of(request), Subject::kOther);
  request.type = 0xffff;
  EXPECT_EQ(subject_of(request), Subject::kOther);
}

class AnswerTest : public CodecTest {
 protected:
  Message answer(int error, std::uint16_t flags, std::uint32_t offset, std::string_view words) {
    nlmsgerr fixed{};
    fixed.error = error;
    fixed.msg.nlmsg_len = sizeof(nlmsghdr);
    out_.clear();
    out_.begin(NLMSG_ERROR, flags, 5, fixed);
    out_.put_text(NLMSGERR_ATTR_MSG, words);
    out_.put(NLMSGERR_ATTR_OFFS, offset);
    EXPECT_TRUE(out_.end());
    Bytes rest = out_.bytes();
    return take_message(rest).value();
  }
};

TEST_F(AnswerTest, HasTheKernelsWords) {
  for (const auto flags : std::initializer_list<std::uint16_t>{NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED}) {
    const Answer read = decode_answer(answer(-EINVAL, flags, 0, "Nexthop id does not exist")).value();
    EXPECT_EQ(read.error, EINVAL);
    EXPECT_EQ(read.sequence, 5u);
    EXPECT_EQ(read.words, "Nexthop id does not exist");
  }
  EXPECT_EQ(decode_answer(answer(0, 0, 0, "")).value().error, 0);
  EXPECT_EQ(decode_answer(answer(-EINVAL, 0, 0, "not announced")).value().words, "");
}

TEST_F(AnswerTest, ThatIsMalformedIsRefused) {
  EXPECT_FALSE(decode_answer(answer(1, 0, 0, "")));
  EXPECT_FALSE(decode_answer(answer(-5000, 0, 0, "")));
  Message message = answer(-EINVAL, NLM_F_ACK_TLVS, 0, "words");
  for (std::size_t size = 0; size < 20; ++size) {
    Message cut = message;
    cut.payload = message.payload.first(size);
    EXPECT_FALSE(decode_answer(cut)) << size;
  }
  EXPECT_FALSE(decode_answer(encoded(Change::kAdd, Route{})));
}

TEST_F(AnswerTest, NamesTheAttributeInQuestion) {
  Route route;
  route.next_hop_id = 7;
  (void)encoded(Change::kAdd, route);
  const Bytes request = out_.bytes();
  Answer given;
  EXPECT_EQ(attribute_in_question(given, request), "");
  given.about = 28;  // behind a header of 16 and an rtmsg of 12
  EXPECT_EQ(attribute_in_question(given, request), "RTA_DST");
  given.about = 36;
  EXPECT_EQ(attribute_in_question(given, request), "RTA_NH_ID");
  for (const std::uint32_t outside : {1U, 27U, 44U, 0xffffffffU}) {
    given.about = outside;
    EXPECT_EQ(attribute_in_question(given, request), "") << outside;
  }
  given.missing = RTA_OIF;
  EXPECT_EQ(attribute_in_question(given, request), "RTA_OIF");
  given.missing = 60000;
  EXPECT_EQ(attribute_in_question(given, request), "");
  EXPECT_EQ(attribute_in_question(given, request.first(3)), "");
}

}  // namespace
}  // namespace turnpike::kernel

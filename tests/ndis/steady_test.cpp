// In steady state a frame costs no memory: neither one that is sent, waits for room and comes back, nor one that is
// looped back to another binding or to the sender, nor one that is received. Through the engine alone, over an adapter
// that costs nothing itself; what the faces add is tested in faces_steady_test.cpp.
#include "counted_memory.h"
#include "scripted_driver.h"
#include "swallow.h"

namespace turnpike::ndis::testing {
namespace {

class Steady : public ::testing::TestWithParam<Generation> {};

TEST_P(Steady, NoFrameCostsMemory) {
  constexpr std::size_t kAtOnce = 100;
  Swallow world;
  Engine engine(world, system_clock());
  ASSERT_TRUE(engine.start());
  Script script(engine);
  script.generation = GetParam();
  Registration registration;
  registration.name = "STEADY";
  registration.generation = GetParam();
  registration.driver = std::make_unique<ScriptedDriver>(script);
  ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
  engine.begin(script.protocol);
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  const Handle binding = script.binding();
  std::uint32_t filter = packet_type::kDirected;
  OidRequest request{.type = OidRequest::Type::kSet, .oid = 0x0001010E, .buffer = &filter, .length = 4};
  ASSERT_EQ(engine.request(binding, request, nullptr, nullptr), Status::kSuccess);

  std::vector<Element> elements(kAtOnce);
  std::vector<SendItem> items;
  for (Element& element : elements) {
    element.bytes = frame_to(net::MacAddress({2, 0, 0, 0, 0, 9}));
    // Asked to be looped back, which its own filter does not let through: nothing is copied for that.
    items.push_back({.element = &element, .flags = send_flag::kLoopToSelf});
  }
  const FrameBytes mine = frame_to(net::MacAddress({2, 0, 0, 0, 0, 7}));
  std::vector<InFrame> batch(kAtOnce);
  for (InFrame& frame : batch) {
    frame.bytes = mine;
  }
  int rounds = 0;
  const auto round = [&] {
    ++rounds;
    EXPECT_TRUE(engine.send(binding, items));
    world.full = true;
    EXPECT_TRUE(engine.send(binding, items));  // these wait
    world.full = false;
    world.sink->room();
    for (const Element& element : elements) {
      while (element.completions.load() != 2 * rounds) {
        std::this_thread::yield();
      }
    }
    EXPECT_EQ(engine.send_one(binding, items[0]), Status::kSuccess);
    world.sink->received(batch);
  };
  // A queue still grows when threads fall behind further than ever before, a few times in its life: so not the first
  // hundred rounds without an allocation are asked for, but some. What a frame or a batch costs, each hundred would.
  std::uint64_t cost = 1;
  for (int hundred = 0; hundred < 20 && cost != 0; ++hundred) {
    const std::uint64_t before = allocations;
    for (int i = 0; i < 100; ++i) {
      round();
    }
    cost = allocations - before;
  }
  EXPECT_EQ(cost, 0U);
  EXPECT_EQ(script.received, rounds * static_cast<int>(kAtOnce));
  EXPECT_TRUE(engine.deregister(script.protocol, GetParam(), "test"));
}

// The same for frames that go round: to the sender, and to a capture beside it.
TEST_P(Steady, NoFrameThatGoesRoundCostsMemory) {
  constexpr int kAtOnce = 100;
  Swallow world;
  Engine engine(world, system_clock());
  ASSERT_TRUE(engine.start());
  Script sender(engine), capture(engine);
  for (Script* const script : {&sender, &capture}) {
    script->generation = script == &sender ? GetParam() : Generation::k6;
    Registration registration;
    registration.name = script == &sender ? "SENDER" : "CAPTURE";
    registration.generation = script->generation;
    registration.driver = std::make_unique<ScriptedDriver>(*script);
    ASSERT_EQ(engine.register_protocol(std::move(registration), script->protocol), Status::kSuccess);
    engine.begin(script->protocol);
    ASSERT_TRUE(script->journal.await("binds complete"));
    engine.quiesce();
    std::uint32_t filter = script == &sender ? packet_type::kDirected : packet_type::kPromiscuous;
    OidRequest request{.type = OidRequest::Type::kSet, .oid = 0x0001010E, .buffer = &filter, .length = 4};
    ASSERT_EQ(engine.request(script->binding(), request, nullptr, nullptr), Status::kSuccess);
  }
  std::vector<Element> elements(kAtOnce);
  std::vector<SendItem> items;
  for (Element& element : elements) {  // every other one is for the sender itself
    const bool own = items.size() % 2 == 0;
    element.bytes = frame_to(net::MacAddress({2, 0, 0, 0, 0, own ? std::uint8_t{7} : std::uint8_t{9}}), 600);
    items.push_back({.element = &element, .flags = send_flag::kLoopToSelf});
  }
  int rounds = 0;
  std::uint64_t cost = 1;
  for (int hundred = 0; hundred < 20 && cost != 0; ++hundred) {  // as above
    const std::uint64_t before = allocations;
    for (int i = 0; i < 100; ++i) {
      ++rounds;
      EXPECT_TRUE(engine.send(sender.binding(), items));
      while (capture.received != rounds * kAtOnce || elements.back().completions != rounds) {
        std::this_thread::yield();
      }
    }
    cost = allocations - before;
  }
  EXPECT_EQ(cost, 0U);
  EXPECT_EQ(sender.received, rounds * kAtOnce / 2);
  for (const Script* const script : {&sender, &capture}) {
    EXPECT_TRUE(engine.deregister(script->protocol, script->generation, "test"));
  }
}

INSTANTIATE_TEST_SUITE_P(Generation, Steady, ::testing::Values(Generation::k5, Generation::k6),
                         [](const auto& instance) {
                           return std::string(instance.param == Generation::k5 ? "Five" : "Six");
                         });

TEST(Fifo, KeepsTheOrderAcrossItsEndsAndErases) {
  Fifo<int> fifo;
  int next_in = 0, next_out = 0;
  for (int turn = 0; turn < 300; ++turn) {
    for (int i = 0; i < turn % 7 + 1; ++i) {
      fifo.push_back(next_in++);
    }
    for (int i = 0; i < turn % 5 && !fifo.empty(); ++i) {
      EXPECT_EQ(fifo.front(), next_out++);
      fifo.pop_front();
    }
  }
  ASSERT_GT(fifo.size(), 64U);
  const int oldest = fifo.front();
  fifo.erase_if([](int value) { return value % 2 == 0; });
  for (std::size_t i = 0; i < fifo.size(); ++i) {
    EXPECT_EQ(fifo[i], (oldest | 1) + static_cast<int>(2 * i));
  }
}

}  // namespace
}  // namespace turnpike::ndis::testing

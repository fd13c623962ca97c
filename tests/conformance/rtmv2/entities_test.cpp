// RTM2-032 … RTM2-047: who else is registered, and being told of their coming and going.
#include <algorithm>
#include <optional>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Entities = RtmTest;
using EntityEvents = RtmTest;

/// What RtmGetRegisteredEntities says to a caller with that much room.
struct Listing {
  Listing(const Client& client, UINT capacity, bool with_handles = true, bool with_infos = true)
      : handles(capacity + 1), infos(capacity + 1), count(capacity), asker(client) {
    answer = RtmGetRegisteredEntities(client, &count, with_handles ? handles.data() : nullptr,
                                      with_infos ? infos.data() : nullptr);
  }
  void release() {
    const UINT held =
        static_cast<UINT>(std::count_if(handles.begin(), handles.end(), [](HANDLE h) { return h != nullptr; }));
    EXPECT_EQ(RtmReleaseEntities(asker, held, handles.data()), DWORD{NO_ERROR});
  }
  bool names(const Client& client) const {
    return std::any_of(infos.begin(), infos.end(), [&](const RTM_ENTITY_INFO& info) {
      return info.EntityId.EntityId == client.info().EntityId.EntityId &&
             info.AddressFamily == client.info().AddressFamily;
    });
  }

  std::vector<HANDLE> handles;
  std::vector<RTM_ENTITY_INFO> infos;
  UINT count;
  DWORD answer;
  RTM_ENTITY_HANDLE asker;
};

// clauses: RTM2-032 RTM2-033
TEST_F(Entities, ListsThoseOfItsTableTheCallerIncluded) {
  const Client one;
  const Client two;
  const Client six({.family = AF_INET6});
  Listing all(one, 10);
  EXPECT_EQ(all.answer, DWORD{NO_ERROR});
  ASSERT_EQ(all.count, 2U);
  EXPECT_TRUE(all.names(one));
  EXPECT_TRUE(all.names(two));
  EXPECT_FALSE(all.names(six));
  all.release();
}

// clauses: RTM2-034
TEST_F(Entities, TooLittleRoomFillsWhatFits) {
  const Client one;
  const Client two;
  const Client three;
  const Books before = Books::now();
  Listing some(one, 2);
  EXPECT_EQ(some.answer, DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(some.count, 2U);
  EXPECT_NE(some.handles[0], nullptr);
  EXPECT_NE(some.handles[1], nullptr);
  EXPECT_EQ(some.handles[2], nullptr);
  some.release();
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-035
TEST_F(Entities, NoRoomAtAllTellsHowMuchIsNeeded) {
  const Client one;
  const Client two;
  const Books before = Books::now();
  const Listing none(one, 0);
  EXPECT_EQ(none.answer, DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(none.count, 2U);
  EXPECT_EQ(none.handles[0], nullptr);
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-036
TEST_F(Entities, HandlesOnlyAndInfosOnly) {
  const Client one;
  const Client two;
  const Books before = Books::now();
  Listing handles(one, 2, true, false);
  EXPECT_EQ(handles.answer, DWORD{NO_ERROR});
  EXPECT_EQ(handles.count, 2U);
  EXPECT_NE(handles.handles[1], nullptr);
  handles.release();
  EXPECT_EQ(Books::now(), before);
  const Listing infos(one, 2, false, true);
  EXPECT_EQ(infos.answer, DWORD{NO_ERROR});
  EXPECT_TRUE(infos.names(one));
  EXPECT_TRUE(infos.names(two));
  EXPECT_EQ(Books::now(), before) << "nothing to release";
}

// clauses: RTM2-037
TEST_F(Entities, Releasing) {
  const Client one;
  const Client two;
  Listing all(one, 2);
  EXPECT_EQ(RtmReleaseEntities(one, 2, all.handles.data()), DWORD{NO_ERROR});
  HANDLE bad = kGarbage;
  EXPECT_EQ(RtmReleaseEntities(one, 1, &bad), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-038
TEST_F(Entities, HandlesAndInfosAgree_choice) {
  const Client one({.protocol = 1});
  const Client two({.protocol = 2});
  const Client three({.protocol = 3});
  Listing all(one, 3);
  ASSERT_EQ(all.count, 3U);
  for (size_t i = 0; i < 3; ++i) {
    RTM_ENTITY_INFO info{};
    EXPECT_EQ(RtmGetEntityInfo(two, all.handles[i], &info), DWORD{NO_ERROR});
    EXPECT_EQ(info.EntityId.EntityId, all.infos[i].EntityId.EntityId);
    EXPECT_EQ(info.AddressFamily, all.infos[i].AddressFamily);
    EXPECT_EQ(info.RtmInstanceId, all.infos[i].RtmInstanceId);
    EXPECT_EQ(RtmReleaseEntityInfo(two, &info), DWORD{NO_ERROR});
  }
  all.release();
}

VOID WINAPI do_nothing(RTM_ENTITY_HANDLE, RTM_ENTITY_HANDLE, RTM_ENTITY_METHOD_INPUT*, RTM_ENTITY_METHOD_OUTPUT*) {}

// clauses: RTM2-039 RTM2-075
TEST_F(Entities, OneWhoLeftIsStillKnownToThoseWhoReferToIt_choice) {
  const Client keeper;
  std::optional<Client> leaver(std::in_place, ClientOptions{.protocol = 42, .methods = {do_nothing}});
  HANDLE handle = *leaver;
  ASSERT_EQ(RtmReferenceHandles(keeper, 1, &handle), DWORD{NO_ERROR});
  Entity held(keeper, handle);
  leaver.reset();

  RTM_ENTITY_INFO info{};
  EXPECT_EQ(RtmGetEntityInfo(keeper, held, &info), DWORD{NO_ERROR});
  EXPECT_EQ(info.EntityId.EntityProtocolId, 42U);
  UINT count = 0;
  EXPECT_EQ(RtmGetEntityMethods(keeper, held, &count, nullptr), DWORD{ERROR_INVALID_HANDLE});
  RTM_ENTITY_METHOD_INPUT input{1, 0, {0}};
  RTM_ENTITY_METHOD_OUTPUT output{};
  UINT size = sizeof(output);
  EXPECT_EQ(RtmInvokeMethod(keeper, held, &input, &size, &output), DWORD{ERROR_INVALID_HANDLE});
  held.release();
  settle();  // the event of its leaving refers to it too
  EXPECT_EQ(RtmGetEntityInfo(keeper, handle, &info), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-040 RTM2-042
TEST_F(EntityEvents, TellOfOneWhoComes) {
  Client witness;
  std::vector<Event> seen;
  witness.on_event([&](const Event& event) {
    if (event.type != RTM_ENTITY_REGISTERED)
      return DWORD{NO_ERROR};  // when the newcomer goes, the witness may be going too
    RTM_ENTITY_INFO info{};
    EXPECT_EQ(RtmGetEntityInfo(witness, event.first, &info), DWORD{NO_ERROR});
    EXPECT_EQ(info.EntityId.EntityId, event.about.EntityId.EntityId);
    return DWORD{NO_ERROR};
  });
  const Client newcomer({.protocol = 77});
  const std::vector<Event> events = witness.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, RTM_ENTITY_REGISTERED);
  EXPECT_EQ(events[0].first, HANDLE{newcomer});
  EXPECT_EQ(events[0].receiver, HANDLE{witness});
  EXPECT_EQ(events[0].about.EntityId.EntityId, newcomer.info().EntityId.EntityId);
  EXPECT_EQ(events[0].about.AddressFamily, AF_INET);
  EXPECT_EQ(events[0].about.RtmInstanceId, 0);
}

// clauses: RTM2-041
TEST_F(EntityEvents, TellOfOneWhoGoes) {
  Client witness;
  std::optional<Client> leaver(std::in_place, ClientOptions{.protocol = 77});
  const HANDLE handle = *leaver;
  const ULONGLONG id = leaver->info().EntityId.EntityId;
  witness.events();
  leaver.reset();
  const std::vector<Event> events = witness.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, RTM_ENTITY_DEREGISTERED);
  EXPECT_EQ(events[0].first, handle);
  EXPECT_EQ(events[0].about.EntityId.EntityId, id);
}

// clauses: RTM2-043
TEST_F(EntityEvents, NothingOfOneselfAndNothingOfThePast_choice) {
  Client first;
  Client second;
  EXPECT_EQ(first.events().size(), 1U);  // of the second
  EXPECT_EQ(second.events().size(), 0U);
}

// clauses: RTM2-044
TEST_F(EntityEvents, StayInTheirTable) {
  configure({kDefaultTable, {1, AF_INET, 8, 100, 5, 16}, {0, AF_INET6, 8, 100, 5, 16}});
  Client witness;
  {
    const Client other_family({.family = AF_INET6});
  }
  {
    const Client other_instance({.rtm_instance = 1});
  }
  EXPECT_EQ(witness.events().size(), 0U);
  {
    const Client neighbour;
  }
  EXPECT_EQ(witness.events().size(), 2U);
}

// clauses: RTM2-045
TEST_F(EntityEvents, TheirHandleIsBorrowedAndCanBeKept_choice) {
  Client witness;
  const Books before = Books::now();
  {
    const Client passer;
  }
  EXPECT_EQ(witness.events().size(), 2U);
  EXPECT_EQ(Books::now(), before) << "a borrowed handle needs no release";

  HANDLE kept = nullptr;
  witness.on_event([&](const Event& event) {
    if (event.type == RTM_ENTITY_REGISTERED) {
      kept = event.first;
      EXPECT_EQ(RtmReferenceHandles(witness, 1, &kept), DWORD{NO_ERROR});
    }
    return DWORD{NO_ERROR};
  });
  {
    const Client passer;
    settle();
  }
  settle();
  const Entity held(witness, kept);
  RTM_ENTITY_INFO info{};
  EXPECT_EQ(RtmGetEntityInfo(witness, held, &info), DWORD{NO_ERROR});
}

// clauses: RTM2-046
TEST_F(EntityEvents, ForbiddenCallsAreRefused_choice) {
  Client witness;
  int told = 0;
  witness.on_event([&](const Event&) {
    RTM_ENTITY_INFO info = witness.info();
    info.EntityId.EntityInstanceId = 99;
    RTM_REGN_PROFILE profile{};
    HANDLE handle = nullptr;
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle), DWORD{ERROR_NOT_SUPPORTED});
    EXPECT_EQ(RtmDeregisterEntity(witness), DWORD{ERROR_NOT_SUPPORTED});
    UINT count = 0;
    EXPECT_EQ(RtmGetRegisteredEntities(witness, &count, nullptr, nullptr), DWORD{ERROR_NOT_SUPPORTED});
    ++told;
    return DWORD{NO_ERROR};
  });
  {
    const Client passer;
  }
  settle();
  EXPECT_EQ(told, 2);
  EXPECT_FALSE(witness.has("10.0.0.0/8")) << "the witness is still registered";
}

// clauses: RTM2-047
TEST_F(EntityEvents, AnswersAreIgnored) {
  Client witness;
  witness.on_event([](const Event&) { return DWORD{ERROR_NOT_SUPPORTED}; });
  Client passer;
  EXPECT_EQ(witness.events().size(), 1U);
  RTM_ENTITY_INFO info{};
  EXPECT_EQ(RtmGetEntityInfo(witness, passer, &info), DWORD{NO_ERROR});
  passer.deregister();
  EXPECT_EQ(witness.events().size(), 1U);
}

}  // namespace
}  // namespace turnpike::conformance

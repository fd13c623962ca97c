// RTM2-048 … RTM2-055: the pointer that a client may keep in every destination.
#include <optional>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Opaque = RtmTest;

PVOID* slot_of(const Client& client, RTM_DEST_HANDLE destination) {
  PVOID slot = nullptr;
  EXPECT_EQ(RtmGetOpaqueInformationPointer(client, destination, &slot), DWORD{NO_ERROR});
  return static_cast<PVOID*>(slot);
}

/// Reads or writes as documented: under the lock of the destination.
void write(const Client& client, RTM_DEST_HANDLE destination, PVOID value) {
  ASSERT_EQ(RtmLockDestination(client, destination, TRUE, TRUE), DWORD{NO_ERROR});
  if (PVOID* slot = slot_of(client, destination)) {
    *slot = value;
  }
  ASSERT_EQ(RtmLockDestination(client, destination, TRUE, FALSE), DWORD{NO_ERROR});
}

PVOID read(const Client& client, RTM_DEST_HANDLE destination) {
  EXPECT_EQ(RtmLockDestination(client, destination, FALSE, TRUE), DWORD{NO_ERROR});
  PVOID* slot = slot_of(client, destination);
  const PVOID value = slot != nullptr ? *slot : kGarbage;
  EXPECT_EQ(RtmLockDestination(client, destination, FALSE, FALSE), DWORD{NO_ERROR});
  return value;
}

// clauses: RTM2-048
TEST_F(Opaque, WithoutAReservationThereIsNone) {
  const Client client;
  const Route route = client.route("10.0.0.0/8");
  DestInfo destination = client.find("10.0.0.0/8");
  PVOID untouched = kGarbage;
  EXPECT_EQ(RtmGetOpaqueInformationPointer(client, destination.handle(), &untouched), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-049
TEST_F(Opaque, BeginsEmpty) {
  const Client client({.opaque = true});
  const Route route = client.route("10.0.0.0/8");
  DestInfo destination = client.find("10.0.0.0/8");
  PVOID* slot = slot_of(client, destination.handle());
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(*slot, nullptr);
}

// clauses: RTM2-050
TEST_F(Opaque, KeepsWhatIsStored) {
  const Client client({.opaque = true});
  const Route route = client.route("10.0.0.0/8");
  int mine = 0;
  {
    DestInfo destination = client.find("10.0.0.0/8");
    write(client, destination.handle(), &mine);
  }
  DestInfo again = client.find("10.0.0.0/8");
  EXPECT_EQ(read(client, again.handle()), &mine);
  write(client, again.handle(), nullptr);
}

// clauses: RTM2-051
TEST_F(Opaque, EachClientHasItsOwn) {
  const Client one({.opaque = true});
  const Client two({.opaque = true});
  const Route route = one.route("10.0.0.0/8");
  DestInfo destination = one.find("10.0.0.0/8");
  EXPECT_NE(slot_of(one, destination.handle()), slot_of(two, destination.handle()));
  int first = 0;
  int second = 0;
  write(one, destination.handle(), &first);
  write(two, destination.handle(), &second);
  EXPECT_EQ(read(one, destination.handle()), &first);
  EXPECT_EQ(read(two, destination.handle()), &second);
}

// clauses: RTM2-052
TEST_F(Opaque, BadDestination) {
  const Client client({.opaque = true});
  PVOID untouched = kGarbage;
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage}) {
    EXPECT_EQ(RtmGetOpaqueInformationPointer(client, bad, &untouched), DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-053
TEST_F(Opaque, CanBeFetchedUnderTheLock) {
  const Client client({.opaque = true});
  const Route route = client.route("10.0.0.0/8");
  DestInfo destination = client.find("10.0.0.0/8");
  PVOID* before = slot_of(client, destination.handle());
  ASSERT_EQ(RtmLockDestination(client, destination.handle(), TRUE, TRUE), DWORD{NO_ERROR});
  EXPECT_EQ(slot_of(client, destination.handle()), before);
  EXPECT_EQ(RtmLockDestination(client, destination.handle(), TRUE, FALSE), DWORD{NO_ERROR});
}

// clauses: RTM2-054
TEST_F(Opaque, OutlivesTheRoutesOfItsDestination_choice) {
  const Client client({.opaque = true});
  int mine = 0;
  {
    Route route = client.route("10.0.0.0/8");
    DestInfo destination = client.find("10.0.0.0/8");
    write(client, destination.handle(), &mine);
    destination.release();
    client.remove(std::move(route));
  }
  EXPECT_FALSE(client.has("10.0.0.0/8"));
  const Route route = client.route("10.0.0.0/8");
  DestInfo destination = client.find("10.0.0.0/8");
  EXPECT_EQ(read(client, destination.handle()), &mine);
  write(client, destination.handle(), nullptr);
}

// clauses: RTM2-055
TEST_F(Opaque, ASlotIsCleanForTheNextOne_choice) {
  configure({{0, AF_INET, 8, 100, 1, 16}});  // one slot: the next client gets the same
  const Client owner;
  const Route one = owner.route("10.0.0.0/8");
  const Route two = owner.route("11.0.0.0/8");
  int old = 0;
  {
    const Client leaver({.opaque = true});
    write(leaver, owner.find("10.0.0.0/8").handle(), &old);
    write(leaver, owner.find("11.0.0.0/8").handle(), &old);
  }
  const Client next({.opaque = true});
  EXPECT_EQ(read(next, owner.find("10.0.0.0/8").handle()), nullptr);
  EXPECT_EQ(read(next, owner.find("11.0.0.0/8").handle()), nullptr);
}

}  // namespace
}  // namespace turnpike::conformance

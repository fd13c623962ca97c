// NDIS-001 … NDIS-018: registration.
#include <algorithm>
#include <cstring>
#include <utility>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

class NdisRegistration5 : public NdisTest {
 protected:
  NdisRegistration5() { policy(TP_NDIS_BIND_NONE); }
  // A registration that must fail: nothing is registered, the handle is null, nobody is called.
  void refused(NDIS_STATUS status, UINT length = sizeof(NDIS_PROTOCOL_CHARACTERISTICS)) {
    driver_.characteristics_length = length;
    EXPECT_EQ(driver_.register_protocol(), status);
    EXPECT_EQ(driver_.handle(), nullptr);
    EXPECT_EQ(counters().protocols, 0U);
    quiesce();
    EXPECT_EQ(told(), Lines{});
    violations();
  }
  void accepted(UCHAR major, UCHAR minor, UINT length) {
    driver_.characteristics.MajorNdisVersion = major;
    driver_.characteristics.MinorNdisVersion = minor;
    driver_.characteristics_length = length;
    EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_SUCCESS) << int{major} << '.' << int{minor};
    EXPECT_NE(driver_.handle(), nullptr);
    EXPECT_EQ(driver_.deregister(), NDIS_STATUS_SUCCESS);
  }
  Driver5 driver_{"P"};
};

// clauses: NDIS-001
TEST_F(NdisRegistration5, OfEachVersion) {
  accepted(5, 0, 208);
  accepted(5, 1, 208);
  accepted(4, 0, 144);
}

// clauses: NDIS-002
TEST_F(NdisRegistration5, OfAnotherVersion) {
  for (const int major : {0, 1, 2, 3, 6, 255}) {
    driver_.characteristics.MajorNdisVersion = static_cast<UCHAR>(major);
    driver_.characteristics.MinorNdisVersion = 0;
    refused(NDIS_STATUS_BAD_VERSION);
  }
}

// clauses: NDIS-003
TEST_F(NdisRegistration5, Truncated) {
  for (const UINT length : {207U, 144U, 104U, 0U}) {
    refused(NDIS_STATUS_BAD_CHARACTERISTICS, length);
  }
  driver_.characteristics.MajorNdisVersion = 4;
  driver_.characteristics.MinorNdisVersion = 0;
  for (const UINT length : {143U, 104U, 0U}) {
    refused(NDIS_STATUS_BAD_CHARACTERISTICS, length);
  }
}

// clauses: NDIS-004
TEST_F(NdisRegistration5, WithoutBindOrUnbind) {
  const Adapter adapter("a");
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const auto bind = std::exchange(driver_.characteristics.BindAdapterHandler, nullptr);
  refused(NDIS_STATUS_BAD_CHARACTERISTICS);
  driver_.characteristics.BindAdapterHandler = bind;
  driver_.characteristics.UnbindAdapterHandler = nullptr;
  refused(NDIS_STATUS_BAD_CHARACTERISTICS);
}

// clauses: NDIS-005
TEST_F(NdisRegistration5, CopiesWhatItIsGiven) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  driver_.start();
  std::memset(&driver_.characteristics, 0x5a, sizeof(driver_.characteristics));
  told();
  const Adapter adapter("a");
  quiesce();
  adapter.inject(frame(kBroadcast, "hello"));
  EXPECT_EQ(told_but_completions(), (Lines{"P: bind a", "P: gets a hello", "P: batch a"}));
}

// clauses: NDIS-006
TEST_F(NdisRegistration5, OfANameTwice_choice) {
  Name lower(L"testp");
  Driver5 other("Q");
  other.characteristics.Name = lower.string();
  EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(other.register_protocol(), NDIS_STATUS_FAILURE);
  EXPECT_EQ(other.handle(), nullptr);
  EXPECT_EQ(driver_.deregister(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(other.register_protocol(), NDIS_STATUS_SUCCESS);
  told();
}

// clauses: NDIS-008
TEST_F(NdisRegistration5, TrapsInReservedHandlersStayShut_choice) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  driver_.start();
  adapter.carrier(false);
  adapter.carrier(true);
  quiesce();
  driver_.send(driver_.last(), frame(kPeer, "out"));
  adapter.inject(frame(kBroadcast, "in"));
  EXPECT_EQ(driver_.deregister(), NDIS_STATUS_SUCCESS);
  const Lines lines = told();  // the traps fail by themselves; the others must have been called
  EXPECT_EQ(count(lines, "P: sent a out SUCCESS"), 1);
  EXPECT_EQ(count(lines, "P: gets a in"), 1);
}

class NdisRegistration6 : public NdisTest {
 protected:
  NdisRegistration6() { policy(TP_NDIS_BIND_NONE); }
  void refused(NDIS_STATUS status) {
    EXPECT_EQ(driver_.register_protocol(), status);
    EXPECT_EQ(counters().protocols, 0U);
    quiesce();
    EXPECT_EQ(told(), Lines{});
    violations();
  }
  void accepted() {
    EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_SUCCESS);
    EXPECT_NE(driver_.handle(), nullptr);
    driver_.deregister();
    told();
  }
  Driver6 driver_{"P"};
};

// clauses: NDIS-009
TEST_F(NdisRegistration6, OfEachRevision) {
  driver_.characteristics.MinorNdisVersion = 0;
  driver_.characteristics.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
  driver_.characteristics.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
  accepted();
  for (const int minor : {1, 20, 30, 40, 50, 51, 60, 70, 80, 89}) {
    driver_.characteristics.MinorNdisVersion = static_cast<UCHAR>(minor);
    driver_.characteristics.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
    driver_.characteristics.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
    accepted();
  }
}

// clauses: NDIS-010
TEST_F(NdisRegistration6, OfAnotherVersion) {
  const std::vector<std::pair<UCHAR, UCHAR>> versions{{5, 1}, {7, 0}, {6, 99}, {6, 2}, {0, 0}};
  for (const auto& [major, minor] : versions) {
    driver_.characteristics.MajorNdisVersion = major;
    driver_.characteristics.MinorNdisVersion = minor;
    refused(NDIS_STATUS_BAD_VERSION);
  }
}

// clauses: NDIS-011
TEST_F(NdisRegistration6, WithABadHeader) {
  const NDIS_OBJECT_HEADER good = driver_.characteristics.Header;
  driver_.characteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  refused(NDIS_STATUS_BAD_CHARACTERISTICS);
  driver_.characteristics.Header = good;
  driver_.characteristics.Header.Revision = 0;
  refused(NDIS_STATUS_BAD_CHARACTERISTICS);
  driver_.characteristics.Header = good;
  --driver_.characteristics.Header.Size;
  refused(NDIS_STATUS_BAD_CHARACTERISTICS);
}

// clauses: NDIS-012
TEST_F(NdisRegistration6, OfARevisionToCome) {
  Bytes room(4096);
  driver_.characteristics.Header.Revision = 9;
  driver_.characteristics.Header.Size = static_cast<USHORT>(room.size());
  std::memcpy(room.data(), &driver_.characteristics, sizeof(driver_.characteristics));
  NDIS_HANDLE handle = nullptr;
  EXPECT_EQ(NdisRegisterProtocolDriver(&driver_, reinterpret_cast<PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS>(room.data()),
                                       &handle),
            NDIS_STATUS_SUCCESS);
  EXPECT_NE(handle, nullptr);
  NdisDeregisterProtocolDriver(handle);
  told();
}

// clauses: NDIS-013
TEST_F(NdisRegistration6, WithoutAHandler) {
  const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS whole = driver_.characteristics;
  const auto without = [&](auto member) {
    driver_.characteristics = whole;
    driver_.characteristics.*member = nullptr;
  };
  using All = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
  const auto must_have = [&](auto member) {
    without(member);
    refused(NDIS_STATUS_BAD_CHARACTERISTICS);
  };
  must_have(&All::BindAdapterHandlerEx);
  must_have(&All::UnbindAdapterHandlerEx);
  must_have(&All::OpenAdapterCompleteHandlerEx);
  must_have(&All::CloseAdapterCompleteHandlerEx);
  must_have(&All::NetPnPEventHandler);
  must_have(&All::OidRequestCompleteHandler);
  must_have(&All::ReceiveNetBufferListsHandler);
  must_have(&All::SendNetBufferListsCompleteHandler);
  const auto may_lack = [&](auto member) {
    without(member);
    accepted();
  };
  may_lack(&All::UninstallHandler);
  may_lack(&All::SetOptionsHandler);
  may_lack(&All::StatusHandlerEx);
  may_lack(&All::DirectOidRequestCompleteHandler);
}

// clauses: NDIS-014
TEST_F(NdisRegistration6, CallsSetOptionsFirstAndInsideTheCall) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  bool inside = true;
  NDIS_HANDLE shown = nullptr;
  driver_.on_options = [&](NDIS_HANDLE driver_handle) {
    EXPECT_TRUE(inside);
    shown = driver_handle;
    return NDIS_STATUS_SUCCESS;
  };
  const std::thread::id here = std::this_thread::get_id();
  EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_SUCCESS);
  inside = false;
  EXPECT_EQ(shown, driver_.handle());
  quiesce();
  const std::vector<Told> all = told_in_full();
  ASSERT_GE(all.size(), 2U);
  EXPECT_EQ(all[0].line, "P: options");
  EXPECT_EQ(all[0].thread, here);
  EXPECT_EQ(all[1].line, "P: bind a");
}

// clauses: NDIS-015
TEST_F(NdisRegistration6, FailsAsSetOptionsDoes) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  driver_.on_options = [](NDIS_HANDLE) { return NDIS_STATUS_RESOURCES; };
  EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_RESOURCES);
  quiesce();
  EXPECT_EQ(told(), Lines{"P: options"});
  EXPECT_EQ(counters().protocols, 0U);
  driver_.on_options = nullptr;
  driver_.start();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
}

// A structure that no protocol may hand in is told from one that is only not offered here.
TEST_F(NdisRegistration6, KnowsWhichOptionalHandlersThereAre) {
  int asked = 0;
  driver_.on_options = [&](NDIS_HANDLE driver_handle) {
    const auto set = [&](NDIS_HANDLE handle, int type) {
      NDIS_OBJECT_HEADER header{static_cast<UCHAR>(type), 1, sizeof(NDIS_OBJECT_HEADER)};
      ++asked;
      return NdisSetOptionalHandlers(handle, &header);
    };
    for (const int type : {0x8E, 0x90, 0x93, 0xA5, 0xA6, 0xB0}) {
      EXPECT_EQ(set(driver_handle, type), NDIS_STATUS_NOT_SUPPORTED) << type;
    }
    for (const int type : {0, 0x80, 0x8A, 0x91, 0x92, 0x95, 0xFF}) {
      EXPECT_EQ(set(driver_handle, type), NDIS_STATUS_FAILURE) << type;
    }
    EXPECT_EQ(violations(), Lines{});
    EXPECT_EQ(set(kGarbage, 0x90), NDIS_STATUS_FAILURE);
    EXPECT_EQ(violations(), Lines{"NdisSetOptionalHandlers"});
    return NDIS_STATUS_SUCCESS;
  };
  driver_.start();
  EXPECT_EQ(asked, 14);
  told();
}

// clauses: NDIS-015 NDIS-078
TEST_F(NdisRegistration6, MayNotLeaveInsideSetOptions) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  driver_.on_options = [](NDIS_HANDLE driver_handle) {
    NdisDeregisterProtocolDriver(driver_handle);
    return NDIS_STATUS_SUCCESS;
  };
  EXPECT_EQ(driver_.register_protocol(), NDIS_STATUS_FAILURE);
  EXPECT_EQ(driver_.handle(), nullptr);
  EXPECT_EQ(violations(), Lines{"NdisDeregisterProtocolDriver"});
  EXPECT_EQ(counters().protocols, 0U);
  quiesce();
  EXPECT_EQ(told(), Lines{"P: options"});
  driver_.on_options = nullptr;
  driver_.start();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
}

// Somebody else who takes it away meanwhile waits for the callback; and no other is made.
// clauses: NDIS-015
TEST_F(NdisRegistration6, IsTakenAwayOnlyAfterSetOptions) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  std::thread other;
  Gate left;
  driver_.on_options = [&](NDIS_HANDLE driver_handle) {
    other = std::thread([&left, driver_handle] {
      NdisDeregisterProtocolDriver(driver_handle);
      left.open();
    });
    EXPECT_TRUE(left.stays_shut());
    return NDIS_STATUS_SUCCESS;
  };
  const NDIS_STATUS status = driver_.register_protocol();
  EXPECT_TRUE(left.wait());
  other.join();
  if (status == NDIS_STATUS_SUCCESS) {  // it came after the callback: then the driver was registered for a moment
    NdisDeregisterProtocolDriver(driver_.handle());
    EXPECT_EQ(violations(), Lines{"NdisDeregisterProtocolDriver"});
  } else {
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(told(), Lines{"P: options"});
  }
  EXPECT_EQ(counters().protocols, 0U);
  driver_.on_options = nullptr;
  driver_.start();
  told();
}

// clauses: NDIS-016
TEST_F(NdisRegistration6, StoresTheHandleBeforeItCallsAnybody) {
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  const Adapter adapter("a");
  NDIS_HANDLE seen = nullptr;
  driver_.on_bind = [&](Binding& binding) {
    seen = driver_.handle();
    return driver_.open_and_wait(binding);
  };
  driver_.start();
  EXPECT_NE(seen, nullptr);
  EXPECT_EQ(seen, driver_.handle());
  told();
}

using NdisRegistration = NdisBoth;
NDIS_BOTH(NdisRegistration);

// clauses: NDIS-017
TEST_P(NdisRegistration, EndsWithBindsComplete) {
  const Adapter a("a");
  const Adapter b("b");
  const Adapter c("c");
  const auto p = driver("P");
  p->start();
  Lines lines = told();
  EXPECT_EQ(count(lines, "P: binds-complete"), 1);
  const auto end = std::find(lines.begin(), lines.end(), "P: binds-complete");
  for (const char* each : {"P: bind a", "P: bind b", "P: bind c"}) {
    EXPECT_EQ(count(lines, each), 1);
    EXPECT_LT(std::find(lines.begin(), lines.end(), each), end);
  }
  const Adapter d("d");
  quiesce();
  lines = told();
  EXPECT_EQ(count(lines, "P: bind d"), 1);
  EXPECT_EQ(count(lines, "P: binds-complete"), 0);
}

// clauses: NDIS-018
TEST_P(NdisRegistration, WithNothingToBindTo_choice) {
  const Adapter adapter("a");
  policy(TP_NDIS_BIND_NONE);
  const auto p = driver("P");
  p->start();
  EXPECT_EQ(told(), six() ? (Lines{"P: options", "P: binds-complete"}) : Lines{"P: binds-complete"});
}

}  // namespace
}  // namespace turnpike::conformance

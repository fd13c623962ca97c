// RTM1-061 … RTM1-070, and the worked sequence of section 7.1: what clients are told of each other's changes.
#include "route_client.h"

namespace turnpike::conformance {
namespace {

using Messages = RtmV1Test;
const char* const kAdded = "ADDED 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1";

// clauses: RTM1-061 RTM1-063
TEST_F(Messages, OthersAreToldAndTheCauseIsNot) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  EXPECT_TRUE(ospf.is_told());
  EXPECT_FALSE(rip.is_told());
  EXPECT_EQ(rip.next().code, DWORD{ERROR_NO_MESSAGES});
  EXPECT_EQ(ospf.next().text(), kAdded);
  EXPECT_FALSE(ospf.is_told());

  rip.remove("10.0.0.0/8");
  EXPECT_EQ(rip.next().code, DWORD{ERROR_NO_MESSAGES});
  EXPECT_EQ(ospf.next().text(), "DELETED 10.0.0.0/8 8 via 192.0.2.1 if 1 metric 1");
}

// clauses: RTM1-062
TEST_F(Messages, NothingWithoutABestRouteChange) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  ospf.messages();
  rip.add("10.0.0.0/8");
  rip.add("10.0.0.0/8", {.hop = "192.0.2.2", .metric = 9});
  rip.remove("10.0.0.0/8", {.hop = "192.0.2.2"});
  EXPECT_FALSE(ospf.is_told());
  EXPECT_EQ(ospf.next().code, DWORD{ERROR_NO_MESSAGES});
}

// clauses: RTM1-064
TEST_F(Messages, TheEventStaysSetWhileThereAreMore) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  rip.remove("10.0.0.0/8");
  const Answer first = ospf.next();
  EXPECT_EQ(first.code, DWORD{ERROR_MORE_MESSAGES});
  EXPECT_TRUE(ospf.is_told());
  EXPECT_EQ(ospf.next().code, DWORD{NO_ERROR});
  EXPECT_FALSE(ospf.is_told());
}

// An auto-reset event that a wait has reset is set again while there are more: no client waits for what has come.
TEST_F(Messages, AnAutoResetEventIsTreatedAsAManualOne_choice) {
  const Client rip(kRip);
  const Client ospf(kOspf, 0, kIp, FALSE);
  rip.add("10.0.0.0/8");
  rip.add("10.1.0.0/16");
  rip.add("10.2.0.0/16");
  for (const DWORD code : {ERROR_MORE_MESSAGES, ERROR_MORE_MESSAGES, NO_ERROR}) {
    EXPECT_EQ(WaitForSingleObject(ospf.event(), 0), DWORD{WAIT_OBJECT_0});
    EXPECT_EQ(ospf.next().code, code);
  }
  EXPECT_EQ(WaitForSingleObject(ospf.event(), 0), DWORD{WAIT_TIMEOUT});
}

// clauses: RTM1-065
TEST_F(Messages, AnUnsolicitedCallResetsTheEvent) {
  const Client ospf(kOspf);
  SetEvent(ospf.event());
  DWORD flags = 77;
  EXPECT_EQ(RtmDequeueRouteChangeMessage(ospf, &flags, nullptr, nullptr), DWORD{ERROR_NO_MESSAGES});
  EXPECT_EQ(flags, 77U);
  EXPECT_FALSE(ospf.is_told());
}

// clauses: RTM1-066
TEST_F(Messages, EachKindFillsItsRoutes) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8", {.metric = 1});
  rip.add("10.0.0.0/8", {.metric = 2});
  rip.remove("10.0.0.0/8");
  const Answer added = ospf.next();
  EXPECT_EQ(added.flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_TRUE(added.wrote_current());
  EXPECT_FALSE(added.wrote_previous());
  const Answer changed = ospf.next();
  EXPECT_EQ(changed.flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(changed.current.RR_FamilySpecificData.FSD_Metric, 2U);
  EXPECT_EQ(changed.previous.RR_FamilySpecificData.FSD_Metric, 1U);
  const Answer deleted = ospf.next();
  EXPECT_EQ(deleted.flags, DWORD{RTM_ROUTE_DELETED});
  EXPECT_FALSE(deleted.wrote_current());
  EXPECT_EQ(deleted.previous.RR_FamilySpecificData.FSD_Metric, 2U);
}

// clauses: RTM1-067
TEST_F(Messages, InOrderAndAsItWasThen_choice) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.2.0.0/16", {.metric = 1});
  rip.add("10.1.0.0/16", {.metric = 1});
  rip.add("10.2.0.0/16", {.metric = 2});
  rip.remove("10.2.0.0/16");
  EXPECT_EQ(ospf.messages(),
            (std::vector<std::string>{
                "ADDED 10.2.0.0/16 8 via 192.0.2.1 if 1 metric 1", "ADDED 10.1.0.0/16 8 via 192.0.2.1 if 1 metric 1",
                "CHANGED 10.2.0.0/16 8 via 192.0.2.1 if 1 metric 2 from 10.2.0.0/16 8 via 192.0.2.1 if 1 metric 1",
                "DELETED 10.2.0.0/16 8 via 192.0.2.1 if 1 metric 2"}));
}

// clauses: RTM1-068
TEST_F(Messages, EachFamilyByItself_choice) {
  const Client rip(kRip);
  const Client ipx(kRip, 0, kIpx);
  rip.add("10.0.0.0/8");
  EXPECT_FALSE(ipx.is_told());
  EXPECT_EQ(ipx.next().code, DWORD{ERROR_NO_MESSAGES});
}

// clauses: RTM1-069
TEST_F(Messages, AreConsumedWithoutBuffers) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  DWORD flags = 0;
  EXPECT_EQ(RtmDequeueRouteChangeMessage(ospf, &flags, nullptr, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(flags, DWORD{RTM_ROUTE_ADDED});
  EXPECT_EQ(RtmDequeueRouteChangeMessage(ospf, nullptr, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(ospf.next().code, DWORD{ERROR_NO_MESSAGES});
}

// clauses: RTM1-070
TEST_F(Messages, TheEventIsSetAgain_choice) {
  const Client rip(kRip);
  const Client ospf(kOspf);
  rip.add("10.0.0.0/8");
  ospf.messages();
  rip.add("10.1.0.0/16");
  EXPECT_TRUE(ospf.is_told());
  ResetEvent(ospf.event());  // the client's own doing
  rip.add("10.2.0.0/16");
  EXPECT_TRUE(ospf.is_told());
  EXPECT_EQ(ospf.messages().size(), 2U);
}

// A client may close its handle of the event too early: it hears nothing, and nobody is harmed.
TEST_F(Messages, AnEventThatIsClosedHarmsNobody) {
  const Client rip(kRip);
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  const HANDLE ospf = RtmRegisterClient(kIp, kOspf, event, 0);
  CloseHandle(event);
  rip.add("10.0.0.0/8");
  DWORD flags = 0;
  EXPECT_EQ(RtmDequeueRouteChangeMessage(ospf, &flags, nullptr, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeregisterClient(ospf), DWORD{NO_ERROR});
}

// Section 7.1 of the contract, line by line.
TEST_F(Messages, TheLifeOfAProtocol) {
  Client rip(kRip);
  Client ospf(kOspf, RTM_PROTOCOL_SINGLE_ROUTE);
  const RTM_IP_ROUTE rips = route("10.1.0.0/16", {.hop = "192.0.2.1", .interface = 3, .metric = 2});
  const RTM_IP_ROUTE ospfs = route("10.1.0.0/16", {.hop = "198.51.100.1", .interface = 4, .metric = 50});
  EXPECT_EQ(rip.add(rips, 180).text(), "ADDED 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2");
  EXPECT_TRUE(ospf.is_told());
  EXPECT_EQ(ospf.next().text(), "ADDED 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2");
  EXPECT_FALSE(ospf.is_told());
  EXPECT_EQ(ospf.add(ospfs).text(),
            "CHANGED 10.1.0.0/16 13 via 198.51.100.1 if 4 metric 50 from 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2");
  EXPECT_TRUE(rip.is_told());
  EXPECT_EQ(rip.add(rips, 180).text(), "NO CHANGE");
  RTM_IP_ROUTE moved = ospfs;
  moved.RR_InterfaceID = 5;
  EXPECT_EQ(ospf.add(moved).flags, DWORD{RTM_ROUTE_CHANGED});
  EXPECT_EQ(
      rip.next().text(),
      "CHANGED 10.1.0.0/16 13 via 198.51.100.1 if 4 metric 50 from 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2, more");
  EXPECT_EQ(
      rip.next().text(),
      "CHANGED 10.1.0.0/16 13 via 198.51.100.1 if 5 metric 50 from 10.1.0.0/16 13 via 198.51.100.1 if 4 metric 50");
  EXPECT_FALSE(rip.is_told());
  EXPECT_EQ(rip.next().code, DWORD{ERROR_NO_MESSAGES});
  EXPECT_EQ(ospf.deregister(), DWORD{NO_ERROR});
  EXPECT_EQ(rip.next().text(),
            "CHANGED 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2 from 10.1.0.0/16 13 via 198.51.100.1 if 5 metric 50");
  pass(181);
  EXPECT_EQ(rip.next().text(), "DELETED 10.1.0.0/16 8 via 192.0.2.1 if 3 metric 2");
  EXPECT_EQ(RtmGetNetworkCount(kIp), 0U);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  EXPECT_EQ(rip.deregister(), DWORD{NO_ERROR});
  EXPECT_FALSE(rip.is_told());
}

}  // namespace
}  // namespace turnpike::conformance

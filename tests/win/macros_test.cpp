// The macros of the documented headers do what the contract says, in C and in C++ (macros.inc holds the checks).
#include <gtest/gtest.h>

extern "C" {
int c_lists_and_handles(void);
int c_guid(void);
int c_rtmv2_masks(void);
int c_rtmv2_addresses(void);
int c_rtmv2_identity(void);
int c_rtmv1_flags(void);
int c_rtmv1_addresses(void);
int c_protocol_ids(void);
int c_information_header(void);
int c_mib_buffers(void);
int c_services(void);
}
#define CHECK(name) static int cpp_##name()
#include "macros.inc"

TEST(WinMacros, ListsAndHandles) {
  EXPECT_EQ(c_lists_and_handles(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_lists_and_handles(), 0) << "the line of macros.inc that does not hold in C++";
}

TEST(WinMacros, Guid) {
  EXPECT_EQ(c_guid(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_guid(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RTM2-009
TEST(WinMacros, Rtmv2Masks) {
  EXPECT_EQ(c_rtmv2_masks(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_rtmv2_masks(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RTM2-010
TEST(WinMacros, Rtmv2Addresses) {
  EXPECT_EQ(c_rtmv2_addresses(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_rtmv2_addresses(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RTM2-005 RTM2-007
TEST(WinMacros, Rtmv2Identity) {
  EXPECT_EQ(c_rtmv2_identity(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_rtmv2_identity(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RTM1-004
TEST(WinMacros, Rtmv1Flags) {
  EXPECT_EQ(c_rtmv1_flags(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_rtmv1_flags(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RTM1-005
TEST(WinMacros, Rtmv1Addresses) {
  EXPECT_EQ(c_rtmv1_addresses(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_rtmv1_addresses(), 0) << "the line of macros.inc that does not hold in C++";
}

// clauses: RP-002
TEST(WinMacros, ProtocolIds) {
  EXPECT_EQ(c_protocol_ids(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_protocol_ids(), 0) << "the line of macros.inc that does not hold in C++";
}

TEST(WinMacros, InformationHeader) {
  EXPECT_EQ(c_information_header(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_information_header(), 0) << "the line of macros.inc that does not hold in C++";
}

TEST(WinMacros, MibBuffers) {
  EXPECT_EQ(c_mib_buffers(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_mib_buffers(), 0) << "the line of macros.inc that does not hold in C++";
}

TEST(WinMacros, Services) {
  EXPECT_EQ(c_services(), 0) << "the line of macros.inc that does not hold in C";
  EXPECT_EQ(cpp_services(), 0) << "the line of macros.inc that does not hold in C++";
}

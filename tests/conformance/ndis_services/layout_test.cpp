// Section C of the contract at compile time: here as C++, in layout_c.c as C; and the shapes by version, each compiled
// with the version that a driver says.
#include "layout.inc"

#include <gtest/gtest.h>

extern "C" {
int layout_in_c(void);
int hash_in_c(void);
unsigned bind_parameters_of_60(void);
unsigned bind_parameters_of_61(void);
unsigned bind_parameters_of_620(void);
unsigned bind_parameters_of_630(void);
unsigned scale_capabilities_of_620(void);
unsigned scale_capabilities_of_630(void);
}

namespace {

// clauses: NDIS-209
TEST(Layout, IsTheContractsInBothLanguages) { EXPECT_EQ(layout_in_c(), 312); }

// clauses: NDIS-223
TEST(Layout, TheMacrosOfAHashAreForC) { EXPECT_EQ(hash_in_c(), 1); }

TEST(Layout, FollowsTheVersionThatADriverAsksFor) {
  EXPECT_EQ(bind_parameters_of_60(), 248U);
  EXPECT_EQ(bind_parameters_of_61(), 256U);
  EXPECT_EQ(bind_parameters_of_620(), 280U);
  EXPECT_EQ(bind_parameters_of_630(), 312U);
  EXPECT_EQ(scale_capabilities_of_620(), 16U);
  EXPECT_EQ(scale_capabilities_of_630(), 20U);
}

}  // namespace

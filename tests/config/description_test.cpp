// Descriptions that a module should not have: each is refused with a reason, and nothing that follows it is looked at.

#include "config/description.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "demo.h"

namespace turnpike::config {
namespace {

struct World {
  std::vector<TpSetting> settings;
  TpSettings part{};
  TpModule module{};

  World() {
    settings.assign(kDemo.global_settings->settings, kDemo.global_settings->settings + kDemo.global_settings->count);
    part = *kDemo.global_settings;
    module = kDemo;
  }
  std::vector<std::string> judge() {
    part.settings = settings.data();
    module.global_settings = &part;
    return flaws(module);
  }
};

struct Case {
  const char* what;  // a part of what is said
  std::function<void(World&)> break_it;
};

TEST(Description, OfTheDemonstrationIsGood) { EXPECT_EQ(World().judge(), std::vector<std::string>{}); }

TEST(Description, IsRefusedForEachThingThatIsWrong) {
  static const TpSetting kDeep[] = {{"x", "x", nullptr, TP_SETTING_FLAG, 0, 0, 4, 0, 0, nullptr, 0, 0, nullptr}};
  static const TpSettings kFour = {8, 1, kDeep};
  static const TpSettings kNothing = {8, 0, nullptr};
  const TpSetting list = {"inner", "x", nullptr, TP_SETTING_LIST, 0, 0, 8, 0, 0, nullptr, 0, 0, &kFour};
  static TpSetting chain[4] = {list, list, list, list};
  static TpSettings parts[4];
  for (int i = 0; i < 4; ++i) {
    parts[i] = {8, 1, &chain[i]};
    if (i < 3) chain[i].list = &parts[i + 1];
  }
  const Case cases[] = {
      {"no name", [](World& w) { w.module.name = nullptr; }},
      {"no name", [](World& w) { w.module.name = "Demo"; }},
      {"no name", [](World& w) { w.module.name = ""; }},
      {"a word of the router's", [](World& w) { w.module.name = "enabled"; }},
      {"no summary", [](World& w) { w.module.summary = nullptr; }},
      {"no transport", [](World& w) { w.module.transport = 0; }},
      {"protocol number", [](World& w) { w.module.protocol_id = 0; }},
      {"protocol number", [](World& w) { w.module.protocol_id = 0xFFFF0003; }},
      {"a setting of the router's", [](World& w) { w.settings[0].name = "library"; }},
      {"without a name", [](World& w) { w.settings[0].name = nullptr; }},
      {"is no name", [](World& w) { w.settings[0].name = "a b"; }},
      {"is there twice", [](World& w) { w.settings[1].name = w.settings[0].name; }},
      {"no help", [](World& w) { w.settings[0].help = nullptr; }},
      {"type or of a size", [](World& w) { w.settings[0].type = 99; }},
      {"type or of a size", [](World& w) { w.settings[0].size = 3; }},
      {"type or of a size", [](World& w) { w.settings[0].size = 0; }},
      {"outside its structure", [](World& w) { w.settings[0].offset = sizeof(DemoGlobal) - 3; }},
      {"outside its structure", [](World& w) { w.settings[0].offset = 0xFFFFFFFF; }},
      {"the same bytes", [](World& w) { w.settings[0].offset = w.settings[3].offset; }},
      {"flags", [](World& w) { w.settings[0].flags = 4; }},
      {"choices", [](World& w) { w.settings[3].choices = nullptr; }},
      {"choices", [](World& w) { w.settings[3].choice_count = 0; }},
      {"choices", [](World& w) { w.settings[0].choice_count = 1; }},
      {"bounds",
       [](World& w) {
         w.settings[1].least = 5;
         w.settings[1].most = 1;
       }},
      {"bounds",
       [](World& w) {
         w.settings[2].least = 0;
         w.settings[2].most = 256;
       }},
      {"bounds",
       [](World& w) {
         w.settings[1].least = -40000;
         w.settings[1].most = 0;
       }},
      {"bounds", [](World& w) { w.settings[6].most = 5; }},
      {"default", [](World& w) { w.settings[0].fallback = "yes"; }},
      {"default", [](World& w) { w.settings[1].fallback = "12x"; }},
      {"default", [](World& w) { w.settings[3].fallback = "asleep"; }},
      {"default", [](World& w) { w.settings[4].fallback = "1ms"; }},
      {"default", [](World& w) { w.settings[13].fallback = "[]"; }},
      {"default", [](World& w) { w.settings[0].flags = TP_SETTING_REQUIRED; }},
      {"a list of nothing", [](World& w) { w.settings[13].list = nullptr; }},
      {"without settings", [](World& w) { w.settings[13].list = &kNothing; }},
      {"too deep", [](World& w) { w.settings[13].list = &parts[0]; }},
      {"has no settings, or too many", [](World& w) { w.part.count = 257; }},
      {"a size that no structure has", [](World& w) { w.part.size = 0; }},
      {"a size that no structure has", [](World& w) { w.part.size = 65'537; }},
  };
  for (const Case& each : cases) {
    World world;
    each.break_it(world);
    const auto said = world.judge();
    ASSERT_FALSE(said.empty()) << each.what;
    EXPECT_NE(said.front().find(each.what), std::string::npos) << said.front();
  }
}

TEST(Description, OfAListThatHoldsItselfIsRefused) {
  static TpSetting self{"self", "x", nullptr, TP_SETTING_LIST, 0, 0, 8, 0, 0, nullptr, 0, 0, nullptr};
  static const TpSettings part = {8, 1, &self};
  self.list = &part;
  const auto said = flaws(part);
  ASSERT_FALSE(said.empty());
  EXPECT_NE(said.front().find("too deep"), std::string::npos);
}

TEST(Library, IsReadWithItsDescription) {
  std::string reason;
  const auto library = DescribedLibrary::open(LIBRARY_DESCRIBED, reason);
  ASSERT_TRUE(library.has_value()) << reason;
  ASSERT_EQ(library->modules().size(), 1U);
  EXPECT_STREQ(library->modules()[0].name, "hello");
  EXPECT_EQ(library->modules()[0].interface_settings->count, 2U);
  const TpModuleMib* mib = library->mib(1, TP_MODULE_IP);
  ASSERT_NE(mib, nullptr);
  EXPECT_EQ(mib->counts->count, 2U);
  EXPECT_EQ(library->mib(2, TP_MODULE_IP), nullptr);
  EXPECT_EQ(library->mib(1, TP_MODULE_IPV6), nullptr);
}

TEST(Mib, IsJudgedAsSettingsAre) {
  static const TpSetting kNumber = {"number", "x", nullptr, TP_SETTING_UNSIGNED, 0, 0, 4, 0, 0, nullptr, 0, 0, nullptr};
  static const TpSettings kRow = {8, 1, &kNumber};
  static const TpSettings kShort = {3, 1, &kNumber};
  EXPECT_EQ(flaws(TpModuleMib{1, TP_MODULE_IP, &kRow, &kRow, 4, 0}), std::vector<std::string>{});
  EXPECT_EQ(flaws(TpModuleMib{1, TP_MODULE_IP, nullptr, nullptr, 0, 0}), std::vector<std::string>{});
  for (const TpModuleMib& wrong :
       {TpModuleMib{1, TP_MODULE_IP, &kShort, nullptr, 0, 0}, TpModuleMib{1, TP_MODULE_IP, nullptr, &kShort, 2, 0},
        TpModuleMib{1, TP_MODULE_IP, nullptr, &kRow, 0, 0}, TpModuleMib{1, TP_MODULE_IP, nullptr, &kRow, 9, 0}}) {
    EXPECT_NE(flaws(wrong), std::vector<std::string>{});
  }
}

TEST(Library, IsRefusedWithTheReason) {
  std::string reason;
  EXPECT_EQ(DescribedLibrary::open("/no/such/file.so", reason).error().kind, ErrorKind::kNotFound);
  EXPECT_NE(reason.find("/no/such/file.so"), std::string::npos);
  EXPECT_EQ(DescribedLibrary::open(LIBRARY_OF_THE_FUTURE, reason).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_NE(reason.find("version 2"), std::string::npos);
}

TEST(Library, WithoutADescriptionHasNoProtocols) {
  std::string reason;
  const auto library = DescribedLibrary::open(LIBRARY_PLAIN, reason);
  ASSERT_TRUE(library.has_value()) << reason;
  EXPECT_TRUE(library->modules().empty());
}

}  // namespace
}  // namespace turnpike::config

// Configuration files and what is said of them, as data: right/NAME.toml with the model that it describes in
// NAME.json, wrong/NAME.toml with every message in NAME.txt. A new case is two files.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/model.h"
#include "demo.h"

namespace turnpike::config {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<fs::path> cases(const char* folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(TEST_FOLDER) / folder)) {
    if (entry.path().extension() == ".toml") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// The demonstration protocol in demo.so, one without a description in plain.so, and no other library.
std::optional<std::span<const TpModule>> describe(const std::string& path, std::string& reason) {
  if (path.ends_with("/demo.so")) return std::span(&kDemo, 1);
  if (path.ends_with("/plain.so")) return std::span<const TpModule>();
  reason = "no such file";
  return std::nullopt;
}

std::optional<Bytes> read_file(const std::string& path) {
  if (path != "/etc/block") return std::nullopt;
  return Bytes{std::byte{1}, std::byte{2}, std::byte{0xFF}};
}

const Surroundings kSurroundings{describe, read_file};

// What a run says, beside what it should: shown as a difference of two texts.
void expect_same(const fs::path& expected, const std::string& actual) {
  const fs::path written = fs::path(::testing::TempDir()) / expected.filename();
  if (contents(expected) != actual) std::ofstream(written, std::ios::binary) << actual;
  EXPECT_EQ(contents(expected), actual) << "what came is in " << written;
}

TEST(ConfigurationText, DescribesTheModelThatItShould) {
  const auto files = cases("right");
  ASSERT_FALSE(files.empty());
  for (fs::path path : files) {
    SCOPED_TRACE(path.filename());
    const Source source{path.filename(), contents(path)};
    Findings findings;
    const Model model = read_model(source, kSurroundings, findings);
    EXPECT_EQ(to_text(source, findings), "");
    expect_same(path.replace_extension(".json"), to_json(describe(model)) + '\n');
  }
}

TEST(ConfigurationText, IsToldEverythingThatIsWrongWithIt) {
  const auto files = cases("wrong");
  ASSERT_FALSE(files.empty());
  for (fs::path path : files) {
    SCOPED_TRACE(path.filename());
    const Source source{path.filename(), contents(path)};
    Findings findings;
    (void)read_model(source, kSurroundings, findings);
    expect_same(path.replace_extension(".txt"), to_text(source, findings));
  }
}

TEST(ConfigurationText, IsUtf8) {
  const Source source{"test.toml", "[log]\nlevel = \"caf\xc3\xa9\"\n# \xff\n"};
  Findings findings;
  (void)read_model(source, kSurroundings, findings);
  EXPECT_EQ(to_text(source, findings), "test.toml:3:3: not UTF-8\n  3 | # \xff\n    |   ^\n");
}

TEST(ConfigurationText, IsToldAHundredMistakesAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "k" + std::to_string(i) + " =\n";
  const Source source{"test.toml", text};
  Findings findings;
  (void)read_model(source, kSurroundings, findings);
  EXPECT_EQ(findings.found().size(), 100U);
  EXPECT_NE(to_text(source, findings).find("test.toml: and 50 more\n"), std::string::npos);
}

Model model_of(std::string text) {
  const Source source{"test.toml", std::move(text)};
  Findings findings;
  Model model = read_model(source, kSurroundings, findings);
  EXPECT_EQ(to_text(source, findings), "");
  return model;
}

constexpr std::string_view kBase = "[protocol.demo]\nneighbours = [\"192.0.2.1\", \"192.0.2.2\"]\n";

TEST(Differences, OfTheSameAreNone) {
  const Model model = model_of(std::string(kBase));
  EXPECT_TRUE(differences(model, model_of("# a comment\n" + std::string(kBase) + "interval = \"30s\"\n")).empty());
}

TEST(Differences, NameTheSettingAndBothValues) {
  const Model from = model_of(std::string(kBase) + "secret = \"one\"\n[interface.eth0]\n");
  const Model to = model_of(
      "[log]\nlevel = \"debug\"\n[protocol.demo]\nsmall = 3\nsecret = \"one\"\nneighbours = "
      "[\"192.0.2.1\", \"192.0.2.9\", \"192.0.2.2\"]\n[interface.eth0.demo]\ncost = 5\n");
  const std::vector<std::string> expected = {
      "log.level: \"debug\", was \"notice\"",
      "protocol.demo.small: 3, was 0",
      "protocol.demo.neighbours: added \"192.0.2.9\"",
      "interface.eth0.demo: added",
  };
  EXPECT_EQ(differences(from, to), expected);
}

TEST(Differences, NeverShowASecretAndStillNoticeIt) {
  const Model from = model_of("[protocol.demo]\nsecret = \"one\"\n");
  const Model to = model_of("[protocol.demo]\nsecret = \"two\"\n");
  EXPECT_EQ(differences(from, to), std::vector<std::string>{"a setting that is not shown has changed"});
  EXPECT_EQ(to_json(describe(to)).find("two"), std::string::npos);
}

TEST(Differences, OfProtocolsAndInterfacesThatComeAndGo) {
  const Model from = model_of("[protocol.demo]\n[interface.eth0]\n");
  const Model to = model_of("[protocol.plain]\nid = 5\n[interface.eth1]\n");
  const std::vector<std::string> expected = {"protocol.demo: removed", "protocol.plain: added",
                                             "interface.eth0: removed", "interface.eth1: added"};
  EXPECT_EQ(differences(from, to), expected);
}

TEST(Differences, OfListsAreWhatLiesBetweenEqualEnds) {
  const auto with = [](std::initializer_list<int> last) {
    std::string list;
    for (const int each : last) list += "\"192.0.2." + std::to_string(each) + "\", ";
    return model_of("[protocol.demo]\nneighbours = [" + list + "]\n");
  };
  const auto line = [](const char* what, int last) {
    return std::string("protocol.demo.neighbours: ") + what + " \"192.0.2." + std::to_string(last) + '"';
  };
  using LinesOf = std::vector<std::string>;
  EXPECT_EQ(differences(with({1, 2, 3}), with({1, 9, 3})), (LinesOf{line("removed", 2), line("added", 9)}));
  EXPECT_EQ(differences(with({}), with({1})), LinesOf{line("added", 1)});
  EXPECT_EQ(differences(with({1, 2}), with({})), (LinesOf{line("removed", 1), line("removed", 2)}));
  // One of three that are the same, in no way that could be told apart.
  EXPECT_EQ(differences(with({1, 1, 1}), with({1, 1})), LinesOf{line("removed", 1)});
  EXPECT_EQ(differences(with({1, 1}), with({1, 1, 1})), LinesOf{line("added", 1)});
}

TEST(Differences, OfPreferencesAreToldWhereTheyAreNotUsual) {
  const Model none = model_of("[protocol.demo]\n");
  const Model some = model_of("[preferences]\ndemo = 5\nbgp = 200\n[protocol.demo]\n");
  EXPECT_EQ(differences(none, some),
            (std::vector<std::string>{"preferences.bgp: 200, was 20", "preferences.demo: 5, was 120"}));
  EXPECT_EQ(differences(some, model_of("[preferences]\nbgp = 200\n")),
            (std::vector<std::string>{"preferences.demo: removed", "protocol.demo: removed"}));
}

// The numbers of the table in the manual are those of the contract.
TEST(Preferences, AreTheUsualOnesWithoutAWord) {
  const Model model = model_of("[protocol.plain]\nid = 4711\n");
  ASSERT_EQ(model.preferences.size(), kPreferenceProtocols.size() + 1);
  for (std::size_t i = 0; i < kPreferenceProtocols.size(); ++i) {
    EXPECT_EQ(model.preferences[i].protocol, kPreferenceProtocols[i]);
    EXPECT_EQ(std::to_string(model.preferences[i].value), kPreferenceSettings.settings[i].fallback);
  }
  EXPECT_EQ(model.preferences.back(), (Preference{"plain", 4711, dim::TransportId::kIp, 100}));
}

TEST(Blocks, HaveTheBytesThatTheDescriptionSays) {
  const Model model = model_of(
      "[protocol.demo]\non = false\noffset = -2\nsmall = 255\nmode = \"active\"\ninterval = \"2m\"\nlarge = 1\n"
      "name = \"abc\"\ntitle = \"\\u00e9\"\naddress4 = \"192.0.2.1\"\naddress6 = \"2001:db8::1\"\naddress = \"::2\"\n"
      "neighbours = [\"198.51.100.1\"]\n[[protocol.demo.route]]\nto = \"10.0.0.0/8\"\ninterface = \"eth0\"\n"
      "hop = [{ via = \"192.0.2.1\", weight = 3 }]\n");
  ASSERT_EQ(model.protocols.size(), 1U);
  const Bytes& block = model.protocols[0].global;
  ASSERT_GE(block.size(), sizeof(DemoGlobal));
  const auto* global = reinterpret_cast<const DemoGlobal*>(block.data());
  EXPECT_EQ(global->on, 0U);
  EXPECT_EQ(global->offset, -2);
  EXPECT_EQ(global->small, 255);
  EXPECT_EQ(global->mode, 1U);
  EXPECT_EQ(global->interval, 120'000U);
  EXPECT_EQ(global->large, 1U);
  EXPECT_STREQ(global->name, "abc");
  EXPECT_EQ(std::wstring(global->title), L"\u00e9");
  EXPECT_EQ(global->address4, 0x010200C0U);
  EXPECT_EQ(global->address6[15], 1);
  EXPECT_EQ(global->address.family, 10);
  EXPECT_EQ(global->address.bits, 128);
  const auto size = static_cast<std::uint32_t>(block.size());
  const auto* neighbours = static_cast<const DemoNeighbour*>(
      TpModuleElements(block.data(), size, global->neighbours, sizeof(DemoNeighbour)));
  ASSERT_NE(neighbours, nullptr);
  EXPECT_EQ(neighbours->address, 0x016433C6U);
  const auto* route =
      static_cast<const DemoRoute*>(TpModuleElements(block.data(), size, global->routes, sizeof(DemoRoute)));
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->to.bits, 8);
  const auto* hop = static_cast<const DemoHop*>(TpModuleElements(block.data(), size, route->hops, sizeof(DemoHop)));
  ASSERT_NE(hop, nullptr);
  EXPECT_EQ(hop->weight, 3U);
}

TEST(Blocks, OfWrongBytesAreRefusedAndNotRead) {
  const Model model = model_of("[protocol.demo]\nneighbours = [\"198.51.100.1\"]\n");
  Bytes block = model.protocols[0].global;
  EXPECT_TRUE(decode(*kDemo.global_settings, block).has_value());
  EXPECT_FALSE(decode(*kDemo.global_settings, std::span(block).first(sizeof(DemoGlobal) - 1)).has_value());
  auto* global = reinterpret_cast<DemoGlobal*>(block.data());
  for (const TpModuleList list :
       {TpModuleList{0xFFFFFFF8, 1}, TpModuleList{8, 0xFFFFFFFF}, TpModuleList{8, 1'000'000}}) {
    global->neighbours = list;
    EXPECT_FALSE(decode(*kDemo.global_settings, block).has_value());
    EXPECT_EQ(TpModuleElements(block.data(), static_cast<std::uint32_t>(block.size()), list, 4), nullptr);
  }
  global->neighbours = {4, 1};  // misaligned
  EXPECT_EQ(TpModuleElements(block.data(), static_cast<std::uint32_t>(block.size()), {4, 1}, 4), nullptr);
}

}  // namespace
}  // namespace turnpike::config

#include "config/description.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

#include "config/block.h"

namespace turnpike::config {
namespace {

constexpr std::uint32_t kLargestStructure = 65'536;
constexpr std::uint32_t kMostSettings = 256;
constexpr std::uint32_t kMostModules = 64;
constexpr int kDeepestList = 3;
bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_one_of(std::uint32_t value, std::initializer_list<std::uint32_t> values) {
  return std::ranges::find(values, value) != values.end();
}

bool fits_size(const TpSetting& setting) {
  switch (setting.type) {
    case TP_SETTING_FLAG:
    case TP_SETTING_CHOICE:
      return is_one_of(setting.size, {1, 2, 4});
    case TP_SETTING_SIGNED:
    case TP_SETTING_UNSIGNED:
      return is_one_of(setting.size, {1, 2, 4, 8});
    case TP_SETTING_DURATION:
      return is_one_of(setting.size, {4, 8});
    case TP_SETTING_TEXT:
      return setting.size >= 1;
    case TP_SETTING_WIDE:
      return setting.size >= sizeof(wchar_t) && setting.size % sizeof(wchar_t) == 0;
    case TP_SETTING_IPV4:
      return setting.size == 4;
    case TP_SETTING_IPV6:
      return setting.size == 16;
    case TP_SETTING_ADDRESS:
    case TP_SETTING_PREFIX:
      return setting.size == sizeof(TpModuleAddress);
    case TP_SETTING_LIST:
      return setting.size == sizeof(TpModuleList);
    default:
      return false;
  }
}

bool bounds_make_sense(const TpSetting& setting) {
  if (setting.least == 0 && setting.most == 0) return true;
  if (setting.least > setting.most) return false;
  if (setting.type == TP_SETTING_LIST) return setting.least >= 0 && setting.most <= 1 << 20;
  if (!is_one_of(setting.type, {TP_SETTING_SIGNED, TP_SETTING_UNSIGNED, TP_SETTING_DURATION})) return false;
  if (setting.size == 8) return setting.type == TP_SETTING_SIGNED || setting.least >= 0;
  const std::int64_t span = std::int64_t{1} << (setting.size * 8);
  if (setting.type == TP_SETTING_SIGNED) return setting.least >= -span / 2 && setting.most < span / 2;
  return setting.least >= 0 && setting.most < span;
}

bool choices_make_sense(const TpSetting& setting) {
  if (setting.type != TP_SETTING_CHOICE) return setting.choice_count == 0;
  if (setting.choices == nullptr || setting.choice_count == 0 || setting.choice_count > kMostSettings) return false;
  const std::span<const TpSettingChoice> choices(setting.choices, setting.choice_count);
  return std::ranges::all_of(choices, [&](const TpSettingChoice& choice) {
    return choice.name != nullptr && is_name(choice.name) &&
           (setting.size == 4 || choice.value >> (setting.size * 8) == 0);
  });
}

bool has_good_fallback(const TpSetting& setting) {
  if (setting.fallback == nullptr) return true;
  if (setting.type == TP_SETTING_LIST || (setting.flags & TP_SETTING_REQUIRED) != 0) return false;
  const TpSettings alone{setting.offset + setting.size, 1, &setting};
  return defaults_of(alone).has_value();
}

class Judge {
 public:
  void settings(const TpSettings& given, const std::string& where, int depth) {
    if (given.count > kMostSettings || (given.count > 0 && given.settings == nullptr)) {
      return say(where, "has no settings, or too many");
    }
    if (given.size == 0 || given.size > kLargestStructure) return say(where, "is of a size that no structure has");
    if (depth > 0 && given.count == 0) return say(where, "has elements without settings");
    const std::span<const TpSetting> all(given.settings, given.count);
    for (const TpSetting& setting : all) one(setting, given, where, depth);
    names(all, where);
    places(all, where);
  }

  void module(const TpModule& given) {
    if (given.name == nullptr || !is_name(given.name)) return say("a module", "has no name that could stand in a file");
    const std::string where = given.name;
    if (is_one_of(where, kInterfaceKeys)) say(where, "is a word of the router's");
    if (given.summary == nullptr || given.version == nullptr) say(where, "has no summary, or no version");
    if (!is_one_of(given.transport, {TP_MODULE_IP, TP_MODULE_IPV6})) say(where, "is of no transport that we know");
    if (given.protocol_id == 0 || given.protocol_id >= 0xFFFF0000U) say(where, "has no protocol number");
    for (const TpSettings* part : {given.global_settings, given.interface_settings}) {
      if (part == nullptr) continue;
      settings(*part, where, 0);
      if (part->count > 0 && part->count <= kMostSettings && part->settings != nullptr) {
        ours({part->settings, part->count}, where);
      }
    }
  }

  std::vector<std::string> said;

 private:
  void say(const std::string& where, const std::string& what) { said.push_back(where + " " + what); }

  void one(const TpSetting& setting, const TpSettings& in, const std::string& where, int depth) {
    if (setting.name == nullptr) return say(where, "has a setting without a name");
    const std::string name = where + "." + setting.name;
    const bool plain = depth > 0 && in.count == 1 && setting.name[0] == '\0';
    if (!plain && !is_name(setting.name)) return say(name, "is no name");
    if (plain && setting.type == TP_SETTING_LIST) return say(name, "is a list without a name in a list");
    if (setting.help == nullptr) say(name, "has no help");
    if (!fits_size(setting)) return say(name, "is of a type or of a size that there is not");
    if (setting.size > in.size || setting.offset > in.size - setting.size)
      return say(name, "lies outside its structure");
    if ((setting.flags & ~(TP_SETTING_REQUIRED | TP_SETTING_SECRET)) != 0) say(name, "has flags that there are not");
    if (!choices_make_sense(setting)) return say(name, "has choices that make no sense");
    if (!bounds_make_sense(setting)) return say(name, "has bounds that make no sense");
    if (!has_good_fallback(setting)) say(name, "has a default that it could not have");
    if (setting.type != TP_SETTING_LIST) return;
    if (setting.list == nullptr || depth == kDeepestList)
      return say(name, "is a list of nothing, or too deep in others");
    settings(*setting.list, name, depth + 1);
  }

  void names(std::span<const TpSetting> all, const std::string& where) {
    for (const TpSetting& setting : all) {
      const auto same = [&](const TpSetting& other) {
        return setting.name != nullptr && other.name != nullptr && std::string_view(setting.name) == other.name;
      };
      if (std::ranges::count_if(all, same) > 1) return say(where + "." + setting.name, "is there twice");
    }
  }

  void places(std::span<const TpSetting> all, const std::string& where) {
    for (const TpSetting& a : all) {
      for (const TpSetting& b : all) {
        if (&a < &b && a.offset < b.offset + b.size && b.offset < a.offset + a.size) {
          return say(where, "has two settings in the same bytes");
        }
      }
    }
  }

  void ours(std::span<const TpSetting> all, const std::string& where) {
    for (const TpSetting& setting : all) {
      if (setting.name != nullptr && is_one_of(setting.name, kProtocolKeys)) {
        say(where + "." + setting.name, "is a setting of the router's");
      }
    }
  }
};

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 40 || text[0] < 'a' || text[0] > 'z') return false;
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

std::vector<std::string> flaws(const TpSettings& settings) {
  Judge judge;
  judge.settings(settings, "settings", 0);
  return judge.said;
}

std::vector<std::string> flaws(const TpModule& module) {
  Judge judge;
  judge.module(module);
  return judge.said;
}

std::vector<std::string> flaws(const TpModuleMib& mib) {
  Judge judge;
  for (const TpSettings* part : {mib.counts, mib.row}) {
    if (part != nullptr) judge.settings(*part, "mib", 0);
  }
  if (mib.row != nullptr && (mib.key_size == 0 || mib.key_size > mib.row->size)) {
    judge.said.emplace_back("mib has a row without a key, or with one that is larger");
  }
  return judge.said;
}

const TpModuleMib* DescribedLibrary::mib(std::uint32_t protocol, std::uint32_t transport) const {
  for (const TpModuleMib& each : mibs_) {
    if (each.protocol_id == protocol && each.transport == transport) return &each;
  }
  return nullptr;
}

void DescribedLibrary::Close::operator()(void* handle) const { ::dlclose(handle); }

Result<DescribedLibrary> DescribedLibrary::open(const std::string& path, std::string& reason) {
  DescribedLibrary library;
  library.handle_.reset(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (library.handle_ == nullptr) {
    const char* said = ::dlerror();
    reason = said != nullptr ? said : "the loader says no";
    return fail(ErrorKind::kNotFound, "the library cannot be loaded");
  }
  const auto* described = static_cast<const TpModuleLibrary*>(::dlsym(library.handle_.get(), TP_MODULE_SYMBOL));
  if (described == nullptr) return library;
  if (described->api != TP_MODULE_API || described->count > kMostModules ||
      (described->count > 0 && described->modules == nullptr)) {
    reason = "its description is of version " + std::to_string(described->api) + ", or has no modules";
    return fail(ErrorKind::kInvalidArgument, "the description is not one that we can read");
  }
  for (const TpModule& module : std::span(described->modules, described->count)) {
    if (const auto wrong = flaws(module); !wrong.empty()) {
      reason = wrong.front();
      return fail(ErrorKind::kInvalidArgument, "the description contradicts itself");
    }
  }
  library.modules_ = {described->modules, described->count};
  if (const auto read = read_mibs(library, reason); !read) return tl::unexpected(read.error());
  return library;
}

Result<void> DescribedLibrary::read_mibs(DescribedLibrary& library, std::string& reason) {
  const auto* described = static_cast<const TpModuleMibs*>(::dlsym(library.handle_.get(), TP_MODULE_MIB_SYMBOL));
  if (described == nullptr) return {};
  if (described->api != TP_MODULE_API || described->count > kMostModules ||
      (described->count > 0 && described->mibs == nullptr)) {
    reason = "the description of its MIB is of version " + std::to_string(described->api) + ", or has none";
    return fail(ErrorKind::kInvalidArgument, "the description of a MIB is not one that we can read");
  }
  for (const TpModuleMib& mib : std::span(described->mibs, described->count)) {
    if (const auto wrong = flaws(mib); !wrong.empty()) {
      reason = wrong.front();
      return fail(ErrorKind::kInvalidArgument, "the description of a MIB contradicts itself");
    }
  }
  library.mibs_ = {described->mibs, described->count};
  return {};
}

}  // namespace turnpike::config

#include "config/manual.h"

#include <span>

#include "config/block.h"
#include "config/settings.h"

namespace turnpike::config {
namespace {

// "whole number, 1 to 255, default 1"
std::string kind_of(const TpSetting& setting) {
  switch (setting.type) {
    case TP_SETTING_FLAG:
      return "true or false";
    case TP_SETTING_SIGNED:
    case TP_SETTING_UNSIGNED:
      return "whole number";
    case TP_SETTING_CHOICE:
      return "one of the words below";
    case TP_SETTING_DURATION:
      return "duration (\"30s\")";
    case TP_SETTING_IPV4:
      return "IPv4 address";
    case TP_SETTING_IPV6:
      return "IPv6 address";
    case TP_SETTING_ADDRESS:
      return "address";
    case TP_SETTING_PREFIX:
      return "prefix";
    case TP_SETTING_LIST:
      return setting.list->settings[0].name[0] == '\0' ? "list" : "list of tables";
    default:
      return "text of at most " +
             std::to_string(setting.size / (setting.type == TP_SETTING_WIDE ? sizeof(wchar_t) : 1) - 1) +
             (setting.type == TP_SETTING_WIDE ? " characters" : " bytes");
  }
}

std::string facts_of(const TpSetting& setting) {
  std::string out = kind_of(setting);
  if (setting.least != 0 || setting.most != 0) {
    const bool duration = setting.type == TP_SETTING_DURATION;
    const auto text = [&](std::int64_t value) {
      return duration ? duration_text(static_cast<std::uint64_t>(value)) : std::to_string(value);
    };
    out += ", " + text(setting.least) + " to " + text(setting.most);
  }
  if (setting.fallback != nullptr) out += std::string(", default ") + setting.fallback;
  if ((setting.flags & TP_SETTING_REQUIRED) != 0) out += ", required";
  return out;
}

// What stands around the facts, in one of the two forms.
struct Form {
  const char* before_name;
  const char* after_name;
  const char* after_facts;
  const char* after_help;
  const char* before_choice;
};
constexpr Form kRoff = {".TP\n.B ", "\n(", ") ", "\n", ".br\n\""};
constexpr Form kPlain = {"  ", "   ", "\n      ", "\n", "      \""};

void put_settings(std::string& out, const TpSettings& settings, const std::string& path, const Form& form) {
  for (const TpSetting& setting : std::span(settings.settings, settings.count)) {
    const std::string name = path + setting.name;
    out += form.before_name + name + form.after_name + facts_of(setting) + form.after_facts + setting.help +
           form.after_help;
    for (const TpSettingChoice& choice : std::span(setting.choices, setting.choice_count)) {
      out += form.before_choice + std::string(choice.name) + '"' +
             (choice.help != nullptr ? std::string(": ") + choice.help : "") + '\n';
    }
    if (setting.type == TP_SETTING_LIST && setting.list->settings[0].name[0] != '\0') {
      put_settings(out, *setting.list, name + '.', form);
    }
  }
}

std::string protocol_text(const TpModule& module, const Form& form) {
  std::string out;
  if (module.global_settings != nullptr) {
    out += std::string("[protocol.") + module.name + "]\n";
    put_settings(out, *module.global_settings, "", form);
  }
  if (module.interface_settings != nullptr) {
    out += std::string("[interface.NAME.") + module.name + "]\n";
    put_settings(out, *module.interface_settings, "", form);
  }
  return out;
}

}  // namespace

std::string manual() {
  std::string out;
  for (const Section& section : sections()) {
    out += std::string(".SS ") + section.title + '\n' + section.help + '\n';
    put_settings(out, *section.settings, "", kRoff);
  }
  return out;
}

std::string settings_text(const TpModule& module) {
  return std::string(module.name) + ' ' + module.version + ": " + module.summary + '\n' + protocol_text(module, kPlain);
}

std::string settings_manual(const TpModule& module) {
  return std::string(".SS ") + module.name + '\n' + module.summary + ".\n.PP\n" + protocol_text(module, kRoff);
}

}  // namespace turnpike::config

#include "config/model.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>

#include "config/description.h"
#include "config/raw_bytes.h"
#include "rtm/preferences.h"
#include "win32/text/utf8.h"

namespace turnpike::config {
namespace {

constexpr std::array<std::string_view, 3> kRawKeys{"raw", "base64", "file"};
constexpr std::size_t kLongestDeviceName = 15;

std::string in_quotes(std::string_view name) { return "`" + std::string(name) + "`"; }

template <std::size_t N>
std::string text_of(const std::array<char, N>& held) {
  return std::string(held.data(), ::strnlen(held.data(), N));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

class ModelReader {
 public:
  ModelReader(const Document& document, const Surroundings& surroundings, Findings& findings)
      : document_(document), surroundings_(surroundings), findings_(findings) {}

  Model run() {
    constexpr std::array<std::string_view, 7> kSections{"router",      "log",      "forwarder", "multicast",
                                                        "preferences", "protocol", "interface"};
    document_.for_each(document_.root(), [&](const Node& child) {
      if (std::ranges::find(kSections, child.name) == kSections.end()) {
        findings_.add(child.key, "there is no section " + in_quotes(child.name) + did_you_mean(child.name, kSections));
      } else if (child.kind != Kind::kTable) {
        findings_.add(child.key, in_quotes(child.name) + " is a section: [" + std::string(child.name) + "]");
      }
    });
    section("router", kRouterSettings, model_.router);
    section("log", kLogSettings, model_.log);
    section("forwarder", kForwarderSettings, model_.forwarder);
    section("multicast", kMulticastSettings, model_.multicast);
    each_table("protocol", [&](const Node& table) { protocol(table); });
    each_table("interface", [&](const Node& table) { interface(table); });
    preferences();
    return std::move(model_);
  }

 private:
  const Node* table_at_root(std::string_view name) {
    const Node* found = document_.find(document_.root(), name);
    return found != nullptr && found->kind == Kind::kTable ? found : nullptr;
  }

  template <class T>
  void section(std::string_view name, const TpSettings& settings, T& into) {
    fill(settings, table_at_root(name), {}, into);
  }

  template <class T>
  Bytes fill(const TpSettings& settings, const Node* table, std::span<const std::string_view> others, T& into) {
    Bytes bytes = encode(settings, document_, table, others, findings_);
    std::memcpy(&into, bytes.data(), sizeof into);
    return bytes;
  }

  template <class F>
  void each_table(std::string_view name, F&& visit) {
    const Node* all = table_at_root(name);
    if (all == nullptr) return;
    document_.for_each(*all, [&](const Node& child) {
      if (child.kind == Kind::kTable) return visit(child);
      findings_.add(child.key, in_quotes(child.name) + " is a section: [" + std::string(name) + '.' +
                                   std::string(child.name) + "]");
    });
  }

  // --- protocols ---

  void protocol(const Node& table) {
    if (!is_name(table.name)) {
      findings_.add(table.key, "a protocol's name is a lower-case letter, then letters, digits, \"_\" and \"-\"");
      return;
    }
    Protocol made;
    made.name = table.name;
    made.path = path_of(table);
    std::string reason;
    made.description = description_of(made, reason);
    const TpSettings* own = made.description != nullptr ? made.description->global_settings : nullptr;
    // Of a described protocol, what is nobody's key is told with its own settings.
    std::vector<std::string_view> others(kRawKeys.begin(), kRawKeys.end());
    if (made.description != nullptr || !reason.empty()) others = keys_of(table);
    ProtocolSettings ours;
    fill(kProtocolSettings, &table, others, ours);
    if (ours.enabled == 0) {
      off_.push_back(made.name);
      return;
    }
    if (!reason.empty()) {
      findings_.add(table.value, "the protocol's library cannot be used: " + reason);
      return;
    }
    identify(made, ours, table);
    if (made.description != nullptr && surroundings_.mib) made.mib = surroundings_.mib(made.path, *made.description);
    made.global = made.description != nullptr
                      ? described_block(own, made.description->check_global, table, kOursInProtocol)
                      : raw_block(table);
    model_.protocols.push_back(std::move(made));
  }

  std::vector<std::string_view> keys_of(const Node& table) {
    std::vector<std::string_view> keys;
    document_.for_each(table, [&](const Node& child) { keys.push_back(child.name); });
    return keys;
  }

  static std::string file_in(const std::string& folder, const std::string& name) {
    return folder.ends_with('/') ? folder + name : folder + '/' + name;
  }

  std::string path_of(const Node& table) {
    const Node* library = document_.find(table, "library");
    std::string name =
        library != nullptr && library->kind == Kind::kText ? std::string(library->text) : std::string(table.name);
    if (name.find('/') != std::string::npos) return name;
    if (!name.ends_with(".so")) name += ".so";
    return file_in(text_of(model_.router.modules), name);
  }

  // Null: it does not describe itself; a reason: it cannot be used.
  const TpModule* description_of(const Protocol& protocol, std::string& reason) {
    const auto modules = surroundings_.describe(protocol.path, reason);
    if (!modules) {
      if (reason.empty()) reason = "it cannot be loaded";
      return nullptr;
    }
    reason.clear();
    for (const TpModule& module : *modules) {
      if (module.name == protocol.name) return &module;
    }
    if (!modules->empty()) {
      std::vector<std::string_view> names;
      for (const TpModule& module : *modules) names.emplace_back(module.name);
      reason = "it has no protocol " + in_quotes(protocol.name) + did_you_mean(protocol.name, names);
    }
    return nullptr;
  }

  void identify(Protocol& made, const ProtocolSettings& ours, const Node& table) {
    if (made.description != nullptr) {
      for (const std::string_view key : {"id", "transport"}) {
        if (const Node* given = document_.find(table, key)) {
          findings_.add(given->key, "the protocol's library says " + in_quotes(key) + " itself");
        }
      }
    } else if (ours.id == 0) {
      findings_.add(table.value, "`id` is missing: the protocol's library does not describe itself");
    }
    made.id = made.description != nullptr ? made.description->protocol_id : ours.id;
    made.transport =
        static_cast<dim::TransportId>(made.description != nullptr ? made.description->transport : ours.transport);
    for (const Protocol& other : model_.protocols) {
      if (other.id == made.id && other.transport == made.transport) {
        findings_.add(table.value, in_quotes(made.name) + " has the protocol number of " + in_quotes(other.name));
      }
    }
  }

  // --- preferences ---

  // The section's settings are those of the protocols that have a name: the configured ones, and of the well-known ones
  // those that are called otherwise and have another number.
  void preferences() {
    std::vector<Preference>& all = model_.preferences;
    for (std::size_t i = 0; i < kPreferenceProtocols.size(); ++i) {
      const Preference known{kPreferenceSettings.settings[i].name, kPreferenceProtocols[i], std::nullopt, 0};
      const auto is_it = [&](const Protocol& each) { return each.name == known.name || each.id == known.protocol; };
      if (std::ranges::none_of(model_.protocols, is_it)) all.push_back(known);
    }
    for (const Protocol& each : model_.protocols) all.push_back({each.name, each.id, each.transport, 0});
    std::vector<std::string> usual;
    for (const Preference& each : all) {
      usual.push_back(std::to_string(rtm::preference_in(rtm::kUsualPreferences, each.protocol)));
    }
    std::vector<TpSetting> settings(all.size(), kPreferenceSettings.settings[0]);
    for (std::size_t i = 0; i < all.size(); ++i) {
      settings[i].name = all[i].name.c_str();
      settings[i].fallback = usual[i].c_str();
      settings[i].offset = static_cast<std::uint32_t>(i * sizeof(std::uint32_t));
    }
    const auto count = static_cast<std::uint32_t>(all.size());
    const TpSettings section{count * settings[0].size, count, settings.data()};
    const std::vector<std::string_view> others(off_.begin(), off_.end());
    const Bytes bytes = encode(section, document_, table_at_root("preferences"), others, findings_);
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::memcpy(&all[i].value, bytes.data() + settings[i].offset, sizeof all[i].value);
    }
  }

  // --- blocks ---

  // A structure of no byte is none: those who have no settings are given four zero bytes.
  Bytes described_block(const TpSettings* settings, TpModuleCheck check, const Node& table,
                        std::span<const std::string_view> others) {
    static constexpr TpSettings kNone = {4, 0, nullptr};
    const std::size_t before = findings_.found().size();
    Bytes block = encode(settings != nullptr ? *settings : kNone, document_, &table, others, findings_);
    if (check == nullptr || findings_.found().size() != before) return block;
    Complaints complaints{*this, table};
    check(block.data(), static_cast<std::uint32_t>(block.size()), &ModelReader::complain, &complaints);
    return block;
  }

  struct Complaints {
    ModelReader& reader;
    const Node& table;
  };

  static void complain(void* context, const char* where, const char* what) {
    const auto& [reader, table] = *static_cast<Complaints*>(context);
    const bool room = reader.findings_.found().size() < Findings::kMost;  // looking for a place takes time
    const std::string text = what != nullptr ? win32::to_utf8(win32::to_wide(what)) : "the module refuses it";
    reader.findings_.add(room ? place_of(reader.document_, table, where != nullptr ? where : "") : Place{}, text);
  }

  Bytes raw_block(const Node& table) {
    Bytes none(4);
    const Node* given = nullptr;
    for (const std::string_view key : kRawKeys) {
      const Node* node = document_.find(table, key);
      if (node == nullptr) continue;
      if (given != nullptr) findings_.add(node->key, in_quotes(given->name) + " has given the bytes already");
      given = node;
    }
    if (given == nullptr) return none;
    if (given->kind != Kind::kText) {
      findings_.add(given->value, in_quotes(given->name) + " is text in quotes");
      return none;
    }
    return bytes_of(*given);
  }

  Bytes bytes_of(const Node& given) {
    std::optional<Bytes> bytes;
    const char* wrong = "the file cannot be read";
    if (given.name == "raw") {
      bytes = parse_hexadecimal(given.text);
      wrong = "`raw` is hexadecimal, two digits a byte: \"0a 00\"";
    } else if (given.name == "base64") {
      bytes = parse_base64(given.text);
      wrong = "that is not base64";
    } else {
      bytes = surroundings_.read_file(std::string(given.text));
    }
    if (!bytes || bytes->empty() || bytes->size() > kLargestBlock) {
      findings_.add(given.value, !bytes ? wrong : bytes->empty() ? "a block has a byte at least" : "too large a block");
      return Bytes(4);
    }
    return std::move(*bytes);
  }

  // --- interfaces ---

  void interface(const Node& table) {
    Interface made;
    made.name = table.name;
    std::vector<std::string_view> others;
    for (const Protocol& protocol : model_.protocols) others.emplace_back(protocol.name);
    for (const std::string& name : off_) others.emplace_back(name);
    document_.for_each(table, [&](const Node& child) {
      if (child.kind != Kind::kTable || std::ranges::find(others, child.name) != others.end()) return;
      findings_.add(child.key,
                    "there is no [protocol." + std::string(child.name) + "]" + did_you_mean(child.name, others));
    });
    for (const std::string_view key : keys_of(table)) {
      if (const Node* child = document_.find(table, key); child->kind == Kind::kTable) others.push_back(key);
    }
    const std::size_t before = findings_.found().size();
    InterfaceSettings ours;
    const Bytes bytes = fill(kInterfaceSettings, &table, others, ours);
    if (findings_.found().size() == before) take(ours, bytes, made);
    check_name(made, table);
    document_.for_each(table, [&](const Node& child) {
      for (const Protocol& protocol : model_.protocols) {
        if (protocol.name == child.name) on_interface(protocol, child, made);
      }
    });
    model_.interfaces.push_back(std::move(made));
  }

  static void take(const InterfaceSettings& ours, const Bytes& bytes, Interface& made) {
    made.enabled = ours.enabled != 0;
    made.type = static_cast<dim::InterfaceType>(ours.type);
    if (ours.transports.count == 0) return;
    made.ip = made.ipv6 = false;
    for (std::uint32_t i = 0; i < ours.transports.count; ++i) {
      std::uint32_t transport = 0;
      std::memcpy(&transport, bytes.data() + ours.transports.offset + i * sizeof transport, sizeof transport);
      (transport == TP_MODULE_IP ? made.ip : made.ipv6) = true;
    }
  }

  void check_name(const Interface& made, const Node& table) {
    const bool device = made.type == dim::InterfaceType::kDedicated || made.type == dim::InterfaceType::kTunnel;
    const bool letters = std::ranges::none_of(
        made.name, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '/' || c == ':'; });
    if (made.name.empty() || !letters || (device && made.name.size() > kLongestDeviceName) || made.name.size() > 255) {
      findings_.add(table.key, "that can be no interface's name: 1 to 15 bytes without blanks, \"/\" and \":\"");
    }
    if (!interface_names_.emplace(lower(made.name), 0).second) {
      findings_.add(table.key, "there is an interface of that name already, upper and lower case being the same");
    }
  }

  void on_interface(const Protocol& protocol, const Node& table, Interface& made) {
    if (table.kind != Kind::kTable) {
      findings_.add(table.value, in_quotes(protocol.name) + " is a protocol, and its settings are a table");
      return;
    }
    if (!(protocol.transport == dim::TransportId::kIp ? made.ip : made.ipv6)) {
      findings_.add(table.value, in_quotes(protocol.name) + " belongs to a transport that is not on this interface");
    }
    ProtocolBlock block{protocol.name, {}};
    if (protocol.description != nullptr) {
      block.bytes =
          described_block(protocol.description->interface_settings, protocol.description->check_interface, table, {});
    } else {
      document_.for_each(table, [&](const Node& child) {
        if (std::ranges::find(kRawKeys, child.name) == kRawKeys.end()) {
          findings_.add(child.key, "the protocol does not describe its settings: raw, base64 or file" +
                                       did_you_mean(child.name, kRawKeys));
        }
      });
      block.bytes = raw_block(table);
    }
    made.blocks.push_back(std::move(block));
  }

  static constexpr std::array<std::string_view, 4> kOursInProtocol{"library", "id", "transport", "enabled"};

  const Document& document_;
  const Surroundings& surroundings_;
  Findings& findings_;
  Model model_;
  std::vector<std::string> off_;  // protocols that do not run: their settings on interfaces are not looked at
  std::map<std::string, int> interface_names_;
};

std::optional<Bytes> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  Bytes out;
  std::array<char, 4096> part{};
  while (file.read(part.data(), part.size()), file.gcount() > 0) {
    const auto* from = reinterpret_cast<const std::byte*>(part.data());
    out.insert(out.end(), from, from + file.gcount());
    if (out.size() > kLargestBlock) break;
  }
  return file.bad() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

Surroundings real_surroundings() {
  using Libraries = std::map<std::string, DescribedLibrary>;
  // Shared by the copies of the function object, which std::function makes.
  const auto libraries = std::make_shared<Libraries>();
  const auto describe = [libraries](const std::string& path,
                                    std::string& reason) -> std::optional<std::span<const TpModule>> {
    if (const auto known = libraries->find(path); known != libraries->end()) return known->second.modules();
    auto opened = DescribedLibrary::open(path, reason);
    if (!opened) return std::nullopt;
    return libraries->emplace(path, std::move(*opened)).first->second.modules();
  };
  const auto mib = [libraries](const std::string& path, const TpModule& protocol) -> const TpModuleMib* {
    const auto known = libraries->find(path);
    return known == libraries->end() ? nullptr : known->second.mib(protocol.protocol_id, protocol.transport);
  };
  return {describe, read_whole, mib};
}

Model read_model(const Source& source, const Surroundings& surroundings, Findings& findings) {
  const Document document = Document::read(source, findings);
  Model model = ModelReader(document, surroundings, findings).run();
  findings.sort();
  return model;
}

}  // namespace turnpike::config

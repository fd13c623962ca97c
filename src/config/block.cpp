#include "config/block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "net/text.h"
#include "win32/text/utf8.h"

namespace turnpike::config {
namespace {

constexpr std::uint16_t kInet = 2;  // AF_INET and AF_INET6 of Linux: this room sees no socket header
constexpr std::uint16_t kInet6 = 10;
constexpr std::uint32_t kMostElements = 1U << 20;

std::string in_quotes(std::string_view name) { return "`" + std::string(name) + "`"; }
// An element of a list of plain values has no name.
std::string called(const TpSetting& setting) {
  return setting.name[0] == '\0' ? "an element" : in_quotes(setting.name);
}

std::span<const TpSetting> settings_of(const TpSettings& settings) { return {settings.settings, settings.count}; }
std::span<const TpSettingChoice> choices_of(const TpSetting& setting) {
  return {setting.choices, setting.choice_count};
}
bool is_plain_list(const TpSettings& element) { return element.count == 1 && element.settings[0].name[0] == '\0'; }

struct Bounds {
  std::int64_t least, most;
};

// Of a number, or of how many elements.
Bounds bounds_of(const TpSetting& setting) {
  if (setting.least != 0 || setting.most != 0) return {setting.least, setting.most};
  if (setting.type == TP_SETTING_LIST) return {0, kMostElements};
  const unsigned bits = setting.size * 8;
  if (setting.type == TP_SETTING_SIGNED) {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
    return {-most - 1, most};
  }
  return {0, bits >= 64 ? std::numeric_limits<std::int64_t>::max() : (std::int64_t{1} << bits) - 1};
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return number * factor;
  }
  return std::nullopt;
}

// What stands in a file for each type, and what a value of it is called.
std::string_view form_of(const TpSetting& setting) {
  switch (setting.type) {
    case TP_SETTING_FLAG:
      return "true or false";
    case TP_SETTING_SIGNED:
    case TP_SETTING_UNSIGNED:
      return "a whole number";
    case TP_SETTING_DURATION:
      return "a duration such as \"250ms\", \"30s\", \"5m\", \"2h\" or \"1d\"";
    case TP_SETTING_IPV4:
      return "an IPv4 address such as \"192.0.2.1\"";
    case TP_SETTING_IPV6:
      return "an IPv6 address such as \"2001:db8::1\"";
    case TP_SETTING_ADDRESS:
      return "an address such as \"192.0.2.1\" or \"2001:db8::1\"";
    case TP_SETTING_PREFIX:
      return "a prefix such as \"192.0.2.0/24\" or \"2001:db8::/32\"";
    case TP_SETTING_LIST:
      return is_plain_list(*setting.list) ? "a list: [ …, … ]" : "a list of tables: [[…]]";
    default:
      return "text in quotes";
  }
}

Kind kind_of(const TpSetting& setting) {
  switch (setting.type) {
    case TP_SETTING_FLAG:
      return Kind::kFlag;
    case TP_SETTING_SIGNED:
    case TP_SETTING_UNSIGNED:
      return Kind::kInteger;
    case TP_SETTING_LIST:
      return Kind::kList;
    default:
      return Kind::kText;
  }
}

// Writes one block. Its functions record what is wrong and go on, so that one run finds everything.
class Encoder {
 public:
  Encoder(const Document& document, Findings& findings) : document_(document), findings_(findings) {}

  Bytes run(const TpSettings& settings, const Node* table, std::span<const std::string_view> others) {
    out_.resize(settings.size);
    structure(settings, table, 0, others);
    return std::move(out_);
  }

 private:
  void structure(const TpSettings& settings, const Node* table, std::size_t at,
                 std::span<const std::string_view> others) {
    for (const TpSetting& setting : settings_of(settings)) {
      const Node* node = table == nullptr ? nullptr : document_.find(*table, setting.name);
      if (node != nullptr) {
        put(setting, *node, at);
      } else if (setting.fallback != nullptr) {
        put_fallback(setting, at);
      } else if ((setting.flags & TP_SETTING_REQUIRED) != 0 && !(table != nullptr && table->damaged)) {
        findings_.add(table != nullptr ? table->value : Place{}, called(setting) + " is missing");
      }
    }
    if (table != nullptr) refuse_unknown(settings, *table, others);
  }

  void refuse_unknown(const TpSettings& settings, const Node& table, std::span<const std::string_view> others) {
    std::vector<std::string_view> known(others.begin(), others.end());
    for (const TpSetting& setting : settings_of(settings)) known.emplace_back(setting.name);
    document_.for_each(table, [&](const Node& child) {
      if (std::ranges::find(known, child.name) != known.end()) return;
      findings_.add(child.key,
                    "there is no setting " + in_quotes(child.name) + " here" + did_you_mean(child.name, known));
    });
  }

  void put_fallback(const TpSetting& setting, std::size_t at) {
    Node node;
    node.kind = kind_of(setting);
    node.name = setting.name;
    const std::string_view text = setting.fallback;
    if (node.kind == Kind::kFlag) {
      node.integer = text == "true" ? 1 : 0;
      if (text != "true" && text != "false") node.kind = Kind::kText;
    } else if (node.kind == Kind::kInteger) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node.integer);
      if (error != std::errc() || end != text.data() + text.size()) node.kind = Kind::kText;
    } else {
      node.text = text;
    }
    put(setting, node, at);
  }

  void put(const TpSetting& setting, const Node& node, std::size_t at) {
    if (node.damaged && node.form == Node::Form::kClosed) return;  // told already
    if (node.kind != kind_of(setting)) return refuse(setting, node);
    const std::size_t place = at + setting.offset;
    switch (setting.type) {
      case TP_SETTING_FLAG:
        return put_number(place, setting.size, static_cast<std::uint64_t>(node.integer));
      case TP_SETTING_SIGNED:
      case TP_SETTING_UNSIGNED:
        return put_bounded(setting, node, place);
      case TP_SETTING_CHOICE:
        return put_choice(setting, node, place);
      case TP_SETTING_DURATION:
        return put_duration(setting, node, place);
      case TP_SETTING_TEXT:
      case TP_SETTING_WIDE:
        return put_text(setting, node, place);
      case TP_SETTING_LIST:
        return put_list(setting, node, place);
      default:
        return put_address(setting, node, place);
    }
  }

  void refuse(const TpSetting& setting, const Node& node) {
    findings_.add(node.value, called(setting) + " is " + std::string(form_of(setting)) + ", not " +
                                  (node.kind == Kind::kText ? "this" : std::string(name_of(node.kind))));
  }

  void put_bytes(std::size_t at, const void* from, std::size_t size) { std::memcpy(out_.data() + at, from, size); }

  void put_number(std::size_t at, std::size_t size, std::uint64_t number) {
    static_assert(std::endian::native == std::endian::little, "the first bytes of a number are its lowest");
    put_bytes(at, &number, size);
  }

  void put_bounded(const TpSetting& setting, const Node& node, std::size_t at) {
    const Bounds bounds = bounds_of(setting);
    if (node.integer < bounds.least || node.integer > bounds.most) {
      findings_.add(node.value,
                    called(setting) + " is " + std::to_string(bounds.least) + " to " + std::to_string(bounds.most));
      return;
    }
    put_number(at, setting.size, static_cast<std::uint64_t>(node.integer));
  }

  void put_choice(const TpSetting& setting, const Node& node, std::size_t at) {
    std::vector<std::string_view> names;
    for (const TpSettingChoice& choice : choices_of(setting)) {
      if (node.text == choice.name) return put_number(at, setting.size, choice.value);
      names.emplace_back(choice.name);
    }
    std::string what = called(setting) + " is one of";
    for (const std::string_view name : names)
      what += (name == names.front() ? " \"" : ", \"") + std::string(name) + '"';
    findings_.add(node.value, what + did_you_mean(node.text, names));
  }

  void put_duration(const TpSetting& setting, const Node& node, std::size_t at) {
    const auto duration = parse_duration(node.text);
    if (!duration) return refuse(setting, node);
    const Bounds bounds = bounds_of(setting);
    if (*duration < bounds.least || *duration > bounds.most) {
      findings_.add(node.value, called(setting) + " is " + duration_text(static_cast<std::uint64_t>(bounds.least)) +
                                    " to " + duration_text(static_cast<std::uint64_t>(bounds.most)));
      return;
    }
    put_number(at, setting.size, static_cast<std::uint64_t>(*duration));
  }

  void put_text(const TpSetting& setting, const Node& node, std::size_t at) {
    const bool wide = setting.type == TP_SETTING_WIDE;
    const std::wstring characters = wide ? win32::to_wide(node.text) : std::wstring();
    const std::size_t room = setting.size / (wide ? sizeof(wchar_t) : 1) - 1;
    if ((wide ? characters.size() : node.text.size()) > room) {
      findings_.add(node.value,
                    called(setting) + " has at most " + std::to_string(room) + (wide ? " characters" : " bytes"));
    } else if (std::ranges::any_of(node.text,
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      findings_.add(node.value, called(setting) + " has no control characters");
    } else if (wide) {
      put_bytes(at, characters.data(), characters.size() * sizeof(wchar_t));
    } else {
      put_bytes(at, node.text.data(), node.text.size());
    }
  }

  void put_address(const TpSetting& setting, const Node& node, std::size_t at) {
    if (setting.type == TP_SETTING_PREFIX) {
      const auto prefix = net::parse_prefix(node.text);
      if (!prefix) return refuse_address(setting, node, prefix.error());
      return put_address(at, prefix->address(), prefix->length());
    }
    const auto address = setting.type == TP_SETTING_IPV4   ? net::parse_ipv4(node.text)
                         : setting.type == TP_SETTING_IPV6 ? net::parse_ipv6(node.text)
                                                           : net::parse_address(node.text);
    if (!address) return refuse_address(setting, node, address.error());
    if (setting.type == TP_SETTING_ADDRESS) return put_address(at, *address, address->width());
    put_bytes(at, address->bytes().data(), address->bytes().size());
  }

  void put_address(std::size_t at, const net::Address& address, unsigned bits) {
    TpModuleAddress made{};
    made.family = address.is_ipv4() ? kInet : kInet6;
    made.bits = static_cast<std::uint16_t>(bits);
    std::ranges::copy(address.bytes(), made.address);
    put_bytes(at, &made, sizeof made);
  }

  void refuse_address(const TpSetting& setting, const Node& node, const net::ParseError& error) {
    Place place = node.value;
    if (place.length == node.text.size() + 2) {  // no escapes: the place inside
      place = {place.begin + 1 + static_cast<std::uint32_t>(error.position), 1};
    }
    findings_.add(place, called(setting) + " is " + std::string(form_of(setting)) + ": " + error.what);
  }

  void put_list(const TpSetting& setting, const Node& node, std::size_t at) {
    const Bounds bounds = bounds_of(setting);
    if (node.children < bounds.least || node.children > bounds.most) {
      findings_.add(node.key, called(setting) + " has " + std::to_string(bounds.least) + " to " +
                                  std::to_string(bounds.most) + " elements, not " + std::to_string(node.children));
      return;
    }
    if (node.children == 0) return;
    const TpSettings& element = *setting.list;
    const std::size_t first = (out_.size() + 7) / 8 * 8;
    const std::size_t size = std::size_t{node.children} * element.size;
    if (first + size > kLargestBlock) {
      findings_.add(node.key, "too much for one block of settings");
      return;
    }
    out_.resize(first + size);
    const TpModuleList list{static_cast<std::uint32_t>(first), node.children};
    put_bytes(at, &list, sizeof list);
    std::size_t place = first;
    document_.for_each(node, [&](const Node& child) {
      put_element(element, child, place);
      place += element.size;
    });
  }

  void put_element(const TpSettings& element, const Node& child, std::size_t at) {
    if (is_plain_list(element)) {
      put(element.settings[0], child, at);
    } else if (child.damaged && child.form == Node::Form::kClosed) {
      return;
    } else if (child.kind == Kind::kTable) {
      structure(element, &child, at, {});
    } else {
      findings_.add(child.value, "an element is a table, not " + std::string(name_of(child.kind)));
    }
  }

  const Document& document_;
  Findings& findings_;
  Bytes out_;
};

// Reads one block; whatever the bytes are, nothing outside of them is looked at.
class Decoder {
 public:
  // Of each setting that is a list, how many elements are left out at both ends.
  struct Ends {
    std::uint32_t head = 0, tail = 0;
  };

  explicit Decoder(std::span<const std::byte> block, std::span<const Ends> left_out = {})
      : block_(block), left_out_(left_out) {}

  Result<Value> whole(const TpSettings& settings) {
    Value::Object out;
    for (std::size_t i = 0; i < settings.count; ++i) {
      const TpSetting& setting = settings.settings[i];
      auto value = i < left_out_.size() ? inner(setting, left_out_[i]) : one(setting, setting.offset);
      if (!value) return value;
      out.push_back({setting.name, std::move(*value)});
    }
    return Value(std::move(out));
  }

  Result<Value> structure(const TpSettings& settings, std::size_t at) {
    Value::Object out;
    for (const TpSetting& setting : settings_of(settings)) {
      auto value = one(setting, at + setting.offset);
      if (!value) return value;
      out.push_back({setting.name, std::move(*value)});
    }
    return Value(std::move(out));
  }

 private:
  template <class T>
  T get(std::size_t at) const {
    T value{};
    std::memcpy(&value, block_.data() + at, sizeof value);
    return value;
  }

  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    std::memcpy(&value, block_.data() + at, size);
    return value;
  }

  Result<Value> one(const TpSetting& setting, std::size_t at) {
    if ((setting.flags & TP_SETTING_SECRET) != 0) return Value();
    switch (setting.type) {
      case TP_SETTING_FLAG:
        return Value(number(at, setting.size) != 0);
      case TP_SETTING_UNSIGNED:
        return Value(static_cast<std::int64_t>(number(at, setting.size)));
      case TP_SETTING_SIGNED: {
        const unsigned unused = 64 - setting.size * 8;
        return Value(static_cast<std::int64_t>(number(at, setting.size) << unused) >> unused);
      }
      case TP_SETTING_CHOICE:
        return choice(setting, number(at, setting.size));
      case TP_SETTING_DURATION:
        return Value(duration_text(number(at, setting.size)));
      case TP_SETTING_TEXT:
        return text(at, setting.size);
      case TP_SETTING_WIDE:
        return wide(at, setting.size);
      case TP_SETTING_IPV4:
        return Value(std::string(to_text(net::Address::from_network(get<std::array<std::uint8_t, 4>>(at))).view()));
      case TP_SETTING_IPV6:
        return Value(std::string(to_text(net::Address::from_network(get<std::array<std::uint8_t, 16>>(at))).view()));
      case TP_SETTING_LIST:
        return list(*setting.list, get<TpModuleList>(at));
      default:
        return address(setting, get<TpModuleAddress>(at));
    }
  }

  static Result<Value> choice(const TpSetting& setting, std::uint64_t value) {
    for (const TpSettingChoice& known : choices_of(setting)) {
      if (known.value == value) return Value(known.name);
    }
    return fail(ErrorKind::kInvalidArgument, "a block has a choice that there is not");
  }

  Result<Value> text(std::size_t at, std::size_t size) {
    std::string out(reinterpret_cast<const char*>(block_.data() + at), size);
    out.resize(std::min(out.find('\0'), size));
    return Value(std::move(out));
  }

  Result<Value> wide(std::size_t at, std::size_t size) {
    std::wstring out(size / sizeof(wchar_t), L'\0');
    std::memcpy(out.data(), block_.data() + at, out.size() * sizeof(wchar_t));
    out.resize(std::min(out.find(L'\0'), out.size()));
    return Value(win32::to_utf8(out));
  }

  static Result<Value> address(const TpSetting& setting, const TpModuleAddress& from) {
    if (from.family == 0) return Value();
    if (from.family != kInet && from.family != kInet6) {
      return fail(ErrorKind::kInvalidArgument, "a block has an address of no family");
    }
    const auto read = net::Address::from_bytes({from.address, from.family == kInet ? 4U : 16U});
    if (!read || from.bits > read->width()) return fail(ErrorKind::kInvalidArgument, "a prefix in a block is too long");
    std::string out(to_text(*read).view());
    if (setting.type == TP_SETTING_PREFIX) out += '/' + std::to_string(from.bits);
    return Value(std::move(out));
  }

  Result<Value> list(const TpSettings& element, TpModuleList from) {
    Value::List out;
    if (from.count == 0) return Value(std::move(out));
    if (from.offset > block_.size() || from.count > (block_.size() - from.offset) / element.size) {
      return fail(ErrorKind::kInvalidArgument, "a list lies outside its block");
    }
    for (std::uint32_t i = 0; i < from.count; ++i) {
      // Lists may share elements in bytes that nobody checked: their sum is bounded as well.
      if (++elements_ > kMostElements) return fail(ErrorKind::kInvalidArgument, "a block has too many elements");
      const std::size_t at = from.offset + std::size_t{i} * element.size;
      auto value =
          is_plain_list(element) ? one(element.settings[0], at + element.settings[0].offset) : structure(element, at);
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return Value(std::move(out));
  }

  Result<Value> inner(const TpSetting& setting, const Ends& ends) {
    if (ends.head + ends.tail == 0) return one(setting, setting.offset);
    auto list = get<TpModuleList>(setting.offset);
    list.offset += ends.head * setting.list->size;
    list.count -= ends.head + ends.tail;
    return this->list(*setting.list, list);
  }

  std::span<const std::byte> block_;
  std::span<const Ends> left_out_;
  std::uint32_t elements_ = 0;
};

// The elements of a list that says nothing of other places in the block; nothing: it does, or lies outside.
std::optional<std::span<const std::byte>> elements_of(const TpSetting& setting, std::span<const std::byte> block) {
  if (setting.type != TP_SETTING_LIST) return std::nullopt;
  const TpSettings& element = *setting.list;
  const auto is_list = [](const TpSetting& each) { return each.type == TP_SETTING_LIST; };
  if (std::ranges::any_of(settings_of(element), is_list)) return std::nullopt;
  TpModuleList list;
  std::memcpy(&list, block.data() + setting.offset, sizeof list);
  if (list.offset > block.size() || list.count > (block.size() - list.offset) / element.size) return std::nullopt;
  return block.subspan(list.offset, std::size_t{list.count} * element.size);
}

// What two lists of elements of that size have in common at both ends.
Decoder::Ends common_ends(std::span<const std::byte> from, std::span<const std::byte> to, std::size_t size) {
  const std::size_t shorter = std::min(from.size(), to.size());
  const auto same_until = [&](auto a, auto b, std::size_t most) {
    return static_cast<std::size_t>(std::mismatch(a, a + static_cast<std::ptrdiff_t>(most), b).first - a) / size;
  };
  const std::size_t head = same_until(from.begin(), to.begin(), shorter);
  const std::size_t tail = same_until(from.rbegin(), to.rbegin(), shorter - head * size);
  return {static_cast<std::uint32_t>(head), static_cast<std::uint32_t>(tail)};
}

// "route[3]" becomes "route" and 3.
std::string_view split_index(std::string_view step, std::optional<std::uint32_t>& index) {
  const std::size_t bracket = step.find('[');
  if (bracket == std::string_view::npos) return step;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(step.data() + bracket + 1, step.data() + step.size(), number);
  if (error == std::errc()) index = number;
  return step.substr(0, bracket);
}

}  // namespace

Bytes encode(const TpSettings& settings, const Document& document, const Node* table,
             std::span<const std::string_view> others, Findings& findings) {
  return Encoder(document, findings).run(settings, table, others);
}

Result<Bytes> defaults_of(const TpSettings& settings) {
  const Source nothing;
  Findings findings;
  const Document document = Document::read(nothing, findings);
  Bytes made = encode(settings, document, nullptr, {}, findings);
  if (!findings.empty()) return fail(ErrorKind::kInvalidArgument, "a setting has no default that it could have");
  return made;
}

Result<Value> decode(const TpSettings& settings, std::span<const std::byte> block) {
  if (block.size() < settings.size) return fail(ErrorKind::kInvalidArgument, "a block is shorter than its structure");
  return Decoder(block).whole(settings);
}

Result<DecodedPair> decode_differing(const TpSettings& settings, std::span<const std::byte> from,
                                     std::span<const std::byte> to) {
  if (std::min(from.size(), to.size()) < settings.size) {
    return fail(ErrorKind::kInvalidArgument, "a block is shorter than its structure");
  }
  std::vector<Decoder::Ends> common(settings.count);
  for (std::size_t i = 0; i < common.size(); ++i) {
    const TpSetting& setting = settings.settings[i];
    const auto old_elements = elements_of(setting, from), new_elements = elements_of(setting, to);
    if (old_elements && new_elements) common[i] = common_ends(*old_elements, *new_elements, setting.list->size);
  }
  auto before = Decoder(from, common).whole(settings);
  if (!before) return tl::unexpected(before.error());
  auto after = Decoder(to, common).whole(settings);
  if (!after) return tl::unexpected(after.error());
  return DecodedPair{std::move(*before), std::move(*after)};
}

Place place_of(const Document& document, const Node& table, std::string_view where) {
  const Node* at = &table;
  while (!where.empty()) {
    const std::size_t dot = where.find('.');
    std::optional<std::uint32_t> index;
    const Node* next = document.find(*at, split_index(where.substr(0, dot), index));
    if (next == nullptr) break;
    at = next;
    if (index && at->kind == Kind::kList) {
      const Node* element = document.first_of(*at);
      for (; element != nullptr && *index > 0; --*index) element = document.after(*element);
      if (element == nullptr) break;
      at = element;
    }
    where = dot == std::string_view::npos ? std::string_view() : where.substr(dot + 1);
  }
  return at->value;
}

std::string duration_text(std::uint64_t milliseconds) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> kUnits{
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
  for (const auto& [name, factor] : kUnits) {
    if (milliseconds != 0 && milliseconds % factor == 0)
      return std::to_string(milliseconds / factor) + std::string(name);
  }
  return std::to_string(milliseconds) + "ms";
}

}  // namespace turnpike::config

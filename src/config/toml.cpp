#include "config/toml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "win32/text/utf8.h"

namespace turnpike::config {
namespace {

// Lists and tables in each other: a file is not a means to use up the stack.
constexpr int kDeepest = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_bare(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; }
bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; }

// A number without the underscores, which stand between two digits each; nothing if one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view token, bool (*digit)(char)) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '_') {
      out += token[i];
    } else if (i == 0 || i + 1 == token.size() || !digit(token[i - 1]) || !digit(token[i + 1])) {
      return std::nullopt;
    }
  }
  return out;
}

bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Reads dates and times, for no more than to know them.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : text_(text) {}

  bool is_time() {
    if (text_.size() > 2 && text_[2] == ':') return clock() && text_.empty();
    if (!date()) return false;
    if (text_.empty()) return true;
    if (text_.front() != 'T' && text_.front() != 't' && text_.front() != ' ') return false;
    text_.remove_prefix(1);
    return clock() && (text_.empty() || zone());
  }

 private:
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool number(std::size_t digits, int least, int most, int& value) {
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text_.empty() || !is_digit(text_.front())) return false;
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    return value >= least && value <= most;
  }
  bool date() {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!number(4, 1, 9999, year) || !take('-') || !number(2, 1, 12, month) || !take('-') || !number(2, 1, 31, day)) {
      return false;
    }
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return day <= kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
  }
  bool clock() {
    int value = 0;
    if (!number(2, 0, 23, value) || !take(':') || !number(2, 0, 59, value) || !take(':') || !number(2, 0, 59, value)) {
      return false;
    }
    if (!take('.')) return true;
    const std::size_t before = text_.size();
    while (!text_.empty() && is_digit(text_.front())) text_.remove_prefix(1);
    return text_.size() < before;
  }
  bool zone() {
    if (take('Z') || take('z')) return text_.empty();
    int value = 0;
    return (take('+') || take('-')) && number(2, 0, 23, value) && take(':') && number(2, 0, 59, value) && text_.empty();
  }

  std::string_view text_;
};

}  // namespace

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 7> kNames{
      "text", "a whole number", "a number with a fraction", "a flag", "a date or time", "a list", "a table"};
  return kNames[static_cast<std::size_t>(kind)];
}

const Node* Document::find(const Node& table, std::string_view name) const {
  if (table.children > kSearched) {
    const auto found = names_.find({index_of(table), name});
    return found == names_.end() ? nullptr : &nodes_[found->second];
  }
  for (const Node* child = first_of(table); child != nullptr; child = after(*child)) {
    if (child->name == name) return child;
  }
  return nullptr;
}

std::uint32_t Document::append(std::uint32_t parent, Node node) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(node);
  Node& owner = nodes_[parent];
  if (owner.last == 0) {
    owner.first = index;
  } else {
    nodes_[owner.last].next = index;
  }
  owner.last = index;
  ++owner.children;
  if (owner.kind != Kind::kTable || owner.children <= kSearched) return index;
  if (owner.children == kSearched + 1) {
    for (std::uint32_t child = owner.first; child != 0; child = nodes_[child].next) {
      names_.emplace(Name{parent, nodes_[child].name}, child);
    }
  } else {
    names_.emplace(Name{parent, node.name}, index);
  }
  return index;
}

// One run over a text. Its functions leave `at_` behind what they read; those that return bool say false when they
// have recorded a finding.
class Reader {
 public:
  Reader(const Source& source, Findings& findings) : text_(source.text), findings_(findings) {
    document_.nodes_.emplace_back().form = Node::Form::kHeader;
  }

  Document run() {
    if (check_characters()) {
      if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
      while (at_ < text_.size()) {
        if (!statement()) {
          node(current_).damaged = true;
          recover();
        }
      }
    }
    return std::move(document_);
  }

 private:
  struct Key {
    std::string_view name;
    Place place;
  };

  Node& node(std::uint32_t index) { return document_.nodes_[index]; }
  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool take(std::string_view what) {
    if (!next_is(what)) return false;
    at_ += what.size();
    return true;
  }
  [[nodiscard]] static Place place(std::size_t begin, std::size_t end) {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
  }
  bool wrong(Place where, std::string what) {
    findings_.add(where, std::move(what));
    return false;
  }
  bool wrong_here(std::string what) { return wrong(place(at_, std::min(at_ + 1, text_.size())), std::move(what)); }

  // The whole text is UTF-8, and of a size that places can tell.
  bool check_characters() {
    if (text_.size() > std::numeric_limits<std::int32_t>::max()) return wrong({}, "the file is too large");
    for (std::size_t i = 0; i < text_.size();) {
      if (static_cast<unsigned char>(text_[i]) < 0x80) {
        ++i;
        continue;
      }
      const win32::Decoded character = win32::decode(text_.substr(i, 4));
      if (character.code == win32::kMalformed) return wrong(place(i, i + 1), "not UTF-8");
      i += character.bytes;
    }
    return true;
  }

  void spaces() {
    while (next() == ' ' || next() == '\t') ++at_;
  }
  [[nodiscard]] bool at_line_end() const { return at_ == text_.size() || next_is("\n") || next_is("\r\n"); }

  bool comment() {
    if (next() != '#') return true;
    while (!at_line_end()) {
      if (is_control(next())) return wrong_here("a control character in a comment");
      ++at_;
    }
    return true;
  }

  bool end_of_line() {
    spaces();
    if (!comment()) return false;
    if (!at_line_end()) return wrong_here("the line should end here");
    if (!take("\n")) take("\r\n");
    return true;
  }

  // Blanks, ends of lines and comments inside a list.
  bool blanks() {
    for (;;) {
      spaces();
      if (!comment()) return false;
      if (!take("\n") && !take("\r\n")) return true;
    }
  }

  // To the start of the next line that may begin something new.
  void recover() {
    do {
      const std::size_t newline = text_.find('\n', at_);
      at_ = newline == std::string_view::npos ? text_.size() : newline + 1;
    } while (at_ < text_.size() && !looks_like_statement());
  }

  [[nodiscard]] bool looks_like_statement() const {
    std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    line = line.substr(0, line.find('#'));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with('[')) return line.ends_with(']') && line.find_first_of(",=") == std::string_view::npos;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    return std::ranges::all_of(line.substr(0, equals), [](char c) {
      return is_bare(c) || c == '.' || c == ' ' || c == '\t' || c == '"' || c == '\'';
    });
  }

  bool statement() {
    spaces();
    if (at_line_end() || next() == '#') return end_of_line();
    if (next() == '[') return header();
    if (!assignment(current_)) return false;
    return end_of_line();
  }

  // --- keys ---

  bool simple_key(Key& key) {
    const std::size_t begin = at_;
    if (next() == '"' || next() == '\'') {
      if (next_is("\"\"\"") || next_is("'''")) return wrong_here("a key stands on one line");
      if (!(next() == '"' ? basic_text(key.name) : literal_text(key.name))) return false;
    } else {
      while (is_bare(next())) ++at_;
      if (at_ == begin) return wrong_here("a key is missing");
      key.name = text_.substr(begin, at_ - begin);
    }
    key.place = place(begin, at_);
    return true;
  }

  bool dotted_key(std::vector<Key>& keys) {
    keys.clear();
    do {
      spaces();
      if (keys.size() == kDeepest) return wrong_here("too many tables in each other");
      if (!simple_key(keys.emplace_back())) return false;
      spaces();
    } while (take("."));
    return true;
  }

  bool taken(const Key& key) { return wrong(key.place, "`" + std::string(key.name) + "` is given already"); }

  std::uint32_t find(std::uint32_t table, std::string_view name) {
    const Node* found = document_.find(node(table), name);
    return found == nullptr ? 0 : document_.index_of(*found);
  }

  std::uint32_t make_table(std::uint32_t parent, const Key& key, Node::Form form) {
    Node made;
    made.form = form;
    made.section = section_;
    made.key = made.value = key.place;
    made.name = key.name;
    return document_.append(parent, made);
  }

  // --- [a.b] and [[a.b]] ---

  bool header() {
    ++section_;
    if (header_table()) return end_of_line();
    // What stands below a wrong header goes nowhere.
    document_.nodes_.emplace_back().form = Node::Form::kHeader;
    current_ = static_cast<std::uint32_t>(document_.nodes_.size() - 1);
    return false;
  }

  bool header_table() {
    const std::size_t begin = at_;
    const bool repeated = take("[[");
    if (!repeated) take("[");
    std::vector<Key> keys;
    if (!dotted_key(keys)) return false;
    if (!take(repeated ? "]]" : "]")) return wrong_here(repeated ? "`]]` is missing" : "`]` is missing");
    const Place where = place(begin, at_);
    std::uint32_t table = 0;
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
      if (!step_down(table, keys[i])) return false;
    }
    if (!(repeated ? open_element(table, keys.back(), where) : open_table(table, keys.back(), where))) return false;
    current_ = table;
    return true;
  }

  // From `table` to its child on the way to a header's table: of a list of tables, the last one.
  bool step_down(std::uint32_t& table, const Key& key) {
    std::uint32_t child = find(table, key.name);
    if (child == 0) child = make_table(table, key, Node::Form::kImplied);
    if (node(child).form == Node::Form::kRepeated) child = node(child).last;
    if (node(child).kind != Kind::kTable || node(child).form == Node::Form::kClosed) return taken(key);
    table = child;
    return true;
  }

  bool open_table(std::uint32_t& table, const Key& key, Place where) {
    const std::uint32_t child = find(table, key.name);
    if (child == 0) {
      table = make_table(table, key, Node::Form::kHeader);
    } else if (node(child).form == Node::Form::kImplied) {
      node(child).form = Node::Form::kHeader;
      table = child;
    } else {
      return taken(key);
    }
    node(table).value = where;
    return true;
  }

  bool open_element(std::uint32_t& table, const Key& key, Place where) {
    std::uint32_t list = find(table, key.name);
    if (list == 0) {
      list = make_table(table, key, Node::Form::kRepeated);
      node(list).kind = Kind::kList;
    } else if (node(list).form != Node::Form::kRepeated) {
      return taken(key);
    }
    table = make_table(list, key, Node::Form::kHeader);
    node(table).name = {};
    node(table).value = where;
    return true;
  }

  // --- key = value ---

  bool assignment(std::uint32_t table) {
    std::vector<Key> keys;
    if (!dotted_key(keys)) return false;
    if (!take("=")) return wrong_here("`=` is missing");
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
      std::uint32_t child = find(table, keys[i].name);
      if (child == 0) {
        child = make_table(table, keys[i], Node::Form::kDotted);
      } else if (node(child).form == Node::Form::kImplied) {
        node(child).form = Node::Form::kDotted;
        node(child).section = section_;
      } else if (node(child).form != Node::Form::kDotted || node(child).section != section_) {
        return taken(keys[i]);
      }
      table = child;
    }
    spaces();
    if (find(table, keys.back().name) != 0) return taken(keys.back());
    Node read;
    read.key = keys.back().place;
    read.name = keys.back().name;
    return value(table, read);
  }

  // Reads a value and appends it to the table or list. `made` has its name.
  bool value(std::uint32_t parent, Node made) {
    const std::size_t begin = at_;
    if (next() == '[' || next() == '{') return compound(parent, made);
    if (!scalar(made)) return false;
    made.value = place(begin, at_);
    if (made.name.empty() && made.key.length == 0) made.key = made.value;
    document_.append(parent, made);
    return true;
  }

  bool compound(std::uint32_t parent, Node made) {
    if (depth_ == kDeepest) return wrong_here("too many lists and tables in each other");
    const std::size_t begin = at_;
    const bool list = take("[");
    if (!list) take("{");
    made.kind = list ? Kind::kList : Kind::kTable;
    // An inline table's own dotted keys may add to what they make; afterwards it is closed. A section of its own does
    // both.
    const std::uint32_t outer = section_;
    section_ = ++sections_inside_ | 0x80000000U;
    const std::uint32_t index = document_.append(parent, made);
    ++depth_;
    const bool good = list ? elements(index) : members(index);
    --depth_;
    section_ = outer;
    node(index).value = place(begin, at_);
    node(index).damaged = !good;
    if (made.name.empty() && made.key.length == 0) node(index).key = node(index).value;
    return good;
  }

  bool elements(std::uint32_t list) {
    for (;;) {
      if (!blanks()) return false;
      if (take("]")) return true;
      if (!value(list, Node{})) return false;
      if (!blanks()) return false;
      if (take(",")) continue;
      if (take("]")) return true;
      return wrong_here("`,` or `]` is missing");
    }
  }

  bool members(std::uint32_t table) {
    spaces();
    if (take("}")) return true;
    for (;;) {
      if (!assignment(table)) return false;
      spaces();
      if (take(",")) continue;
      if (take("}")) return true;
      return wrong_here(at_line_end() ? "`}` is missing: a table in braces stands on one line"
                                      : "`,` or `}` is missing");
    }
  }

  bool scalar(Node& made) {
    if (next() == '"' || next() == '\'') {
      made.kind = Kind::kText;
      if (next_is("\"\"\"")) return long_text(made.text, '"');
      if (next_is("'''")) return long_text(made.text, '\'');
      return next() == '"' ? basic_text(made.text) : literal_text(made.text);
    }
    const std::size_t begin = at_;
    while (is_bare(next()) || next() == '+' || next() == '.' || next() == ':') ++at_;
    // A date and a time with a blank between them.
    if (at_ - begin == 10 && text_[begin + 4] == '-' && next() == ' ' && at_ + 1 < text_.size() &&
        is_digit(text_[at_ + 1])) {
      ++at_;
      while (is_bare(next()) || next() == '+' || next() == '.' || next() == ':') ++at_;
    }
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (token.empty()) return wrong_here("a value is missing");
    if (token == "true" || token == "false") {
      made.kind = Kind::kFlag;
      made.integer = token == "true" ? 1 : 0;
      return true;
    }
    if (integer(token, made) || real(token, made)) return true;
    if (TimeText(token).is_time()) {
      made.kind = Kind::kTime;
      made.text = token;
      return true;
    }
    return wrong(place(begin, at_), why_no_scalar(token));
  }

  static const char* why_no_scalar(std::string_view token) {
    if (std::ranges::all_of(token, is_digit)) return "the number is too large, or begins with 0";
    if (is_digit(token[0]) || token[0] == '-' || token[0] == '+') return "not a number; text stands in quotes";
    return "text stands in quotes";
  }

  static bool integer(std::string_view token, Node& made) {
    const bool sign = token.starts_with('-') || token.starts_with('+');
    std::string_view digits = token.substr(sign ? 1 : 0);
    int base = 10;
    if (!sign && digits.size() > 2 && digits[0] == '0') {
      base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : digits[1] == 'b' ? 2 : 10;
      if (base != 10) digits.remove_prefix(2);
    }
    if (base == 10 && digits.size() > 1 && digits[0] == '0') return false;
    if (digits.empty() || !is_hex_digit(digits[0])) return false;
    auto plain = without_underscores(digits, base == 16 ? is_hex_digit : is_digit);
    if (!plain) return false;
    if (token.starts_with('-')) plain->insert(plain->begin(), '-');
    const auto [end, error] = std::from_chars(plain->data(), plain->data() + plain->size(), made.integer, base);
    if (error != std::errc() || end != plain->data() + plain->size()) return false;
    made.kind = Kind::kInteger;
    return true;
  }

  static bool real(std::string_view token, Node& made) {
    made.kind = Kind::kReal;
    const bool sign = token.starts_with('-') || token.starts_with('+');
    const std::string_view bare = token.substr(sign ? 1 : 0);
    if (bare == "inf" || bare == "nan") {
      made.real = bare == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
      if (token.starts_with('-')) made.real = -made.real;
      return true;
    }
    // digits [. digits] [e [sign] digits], and one of the two at least.
    std::size_t i = 0;
    const auto digits = [&] {
      const std::size_t from = i;
      while (i < bare.size() && (is_digit(bare[i]) || bare[i] == '_')) ++i;
      return i > from;
    };
    if (!digits() || (i > 1 && bare[0] == '0')) return false;
    const std::size_t whole = i;
    if (i < bare.size() && bare[i] == '.') {
      ++i;
      if (!digits()) return false;
    }
    if (i < bare.size() && (bare[i] == 'e' || bare[i] == 'E')) {
      ++i;
      if (i < bare.size() && (bare[i] == '+' || bare[i] == '-')) ++i;
      if (!digits()) return false;
    }
    const auto plain = without_underscores(bare, is_digit);
    if (i != bare.size() || i == whole || !plain) return false;
    const auto [end, error] = std::from_chars(plain->data(), plain->data() + plain->size(), made.real);
    if (error != std::errc()) {
      const bool tiny =
          plain->find("e-") != std::string::npos || plain->find("E-") != std::string::npos || (*plain)[0] == '0';
      made.real = tiny ? 0 : std::numeric_limits<double>::infinity();
    }
    if (token.starts_with('-')) made.real = -made.real;
    return end == plain->data() + plain->size();
  }

  // --- text ---

  bool literal_text(std::string_view& out) {
    const std::size_t begin = at_++;
    while (next() != '\'') {
      if (at_line_end()) return wrong(place(begin, at_), "the text does not end on this line");
      if (is_control(next())) return wrong_here("a control character in a text");
      ++at_;
    }
    out = text_.substr(begin + 1, at_ - begin - 1);
    ++at_;
    return true;
  }

  bool basic_text(std::string_view& out) {
    const std::size_t begin = at_++;
    std::string decoded;
    bool escaped = false;
    while (next() != '"') {
      if (at_line_end()) return wrong(place(begin, at_), "the text does not end on this line");
      if (next() == '\\') {
        escaped = true;
        if (!escape(decoded)) return false;
      } else {
        if (is_control(next())) return wrong_here("a control character in a text");
        decoded += text_[at_++];
      }
    }
    out = escaped ? keep(std::move(decoded)) : text_.substr(begin + 1, at_ - begin - 1);
    ++at_;
    return true;
  }

  std::string_view keep(std::string decoded) { return document_.decoded_.emplace_back(std::move(decoded)); }

  // """…""" and '''…'''
  bool long_text(std::string_view& out, char quote) {
    const std::size_t begin = at_;
    const std::string closing(3, quote);
    at_ += 3;
    if (!take("\n")) take("\r\n");
    std::string decoded;
    while (!next_is(closing)) {
      if (at_ == text_.size()) {
        at_ = begin;
        return wrong(place(begin, begin + 3), "the text does not end");
      }
      if (quote == '"' && next() == '\\') {
        if (!line_continues() && !escape(decoded)) return false;
        continue;
      }
      if (is_control(next()) && !at_line_end()) return wrong_here("a control character in a text");
      if (take("\r\n")) {
        decoded += '\n';
      } else {
        decoded += text_[at_++];
      }
    }
    at_ += 3;
    // Up to two more quotes belong to the text.
    for (int more = 0; more < 2 && next() == quote; ++more, ++at_) decoded += quote;
    out = keep(std::move(decoded));
    return true;
  }

  // A backslash at the end of a line: what follows up to the next visible character is left out.
  bool line_continues() {
    std::size_t i = at_ + 1;
    while (i < text_.size() && (text_[i] == ' ' || text_[i] == '\t')) ++i;
    if (!text_.substr(i).starts_with("\n") && !text_.substr(i).starts_with("\r\n")) return false;
    while (i < text_.size() &&
           (text_[i] == ' ' || text_[i] == '\t' || text_[i] == '\n' || text_.substr(i).starts_with("\r\n"))) {
      ++i;
    }
    at_ = i;
    return true;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    const std::size_t begin = at_++;
    const char letter = next();
    if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos && at_ < text_.size()) {
      out += kMeanings[known];
      ++at_;
      return true;
    }
    if (letter != 'u' && letter != 'U') {
      return wrong(place(begin, std::min(at_ + 1, text_.size())), "there is no such escape; a text in '…' has none");
    }
    ++at_;
    const std::size_t digits = letter == 'u' ? 4 : 8;
    std::uint32_t code = 0;
    const std::string_view hex = text_.substr(at_, digits);
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() != digits || error != std::errc() || end != hex.data() + hex.size() || code > 0x10FFFF ||
        (code >= 0xD800 && code < 0xE000)) {
      return wrong(place(begin, std::min(at_ + digits, text_.size())), "that is no character");
    }
    at_ += digits;
    std::array<char, 4> bytes{};
    out.append(bytes.data(), win32::encode(code, bytes.data()));
    return true;
  }

  const std::string_view text_;
  Findings& findings_;
  Document document_;
  std::size_t at_ = 0;
  std::uint32_t current_ = 0;
  std::uint32_t section_ = 0;
  std::uint32_t sections_inside_ = 0;
  int depth_ = 0;
};

Document Document::read(const Source& source, Findings& findings) { return Reader(source, findings).run(); }

}  // namespace turnpike::config

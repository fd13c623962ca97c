#include "config/source.h"

#include <algorithm>
#include <numeric>

namespace turnpike::config {
namespace {

// Lines longer than this are shown around the place.
constexpr std::size_t kWidth = 100;

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(std::ranges::count_if(text, starts_character));
}

// The line with the offset, without its end.
std::string_view line_at(std::string_view text, std::size_t offset, std::size_t& begin) {
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  begin = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What stands before the caret: a tab stays one, so that both lines come out alike.
std::string blank(std::string_view before) {
  std::string out;
  for (const char byte : before) {
    if (starts_character(byte)) out += byte == '\t' ? '\t' : ' ';
  }
  return out;
}

// Bytes that would play with the terminal are shown as '?'.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& byte : out) {
    if ((static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7F) byte = '?';
  }
  return out;
}

void print(std::string& out, const Source& source, const Finding& finding) {
  const std::size_t offset = std::min<std::size_t>(finding.place.begin, source.text.size());
  const LineAndColumn where = source.where(static_cast<std::uint32_t>(offset));
  out += source.name + ':' + std::to_string(where.line) + ':' + std::to_string(where.column) + ": " +
         printable(finding.text) + '\n';
  std::size_t begin = 0;
  std::string_view line = line_at(source.text, offset, begin);
  std::size_t at = std::min(offset - begin, line.size());
  if (at > kWidth / 2 && line.size() > kWidth) {
    std::size_t cut = at - kWidth / 2;
    while (cut < at && !starts_character(line[cut])) ++cut;
    line.remove_prefix(cut);
    at -= cut;
  }
  std::size_t end = std::min(line.size(), kWidth);
  while (end < line.size() && !starts_character(line[end])) ++end;
  line = line.substr(0, end);
  at = std::min(at, line.size());
  const std::uint32_t marked = characters(line.substr(at, finding.place.length));
  std::string number = std::to_string(where.line);
  out += "  " + number + " | " + printable(line) + '\n';
  out += "  " + std::string(number.size(), ' ') + " | " + blank(line.substr(0, at)) +
         std::string(std::max<std::uint32_t>(marked, 1), '^') + '\n';
}

// How many letters differ: put in, left out, changed, or two neighbours swapped. `far` or more is all one.
std::size_t distance(std::string_view a, std::string_view b, std::size_t far) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= far) return far;
  std::vector<std::size_t> two_before;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1] ? 1U : 0U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
    two_before = before;
    before = row;
  }
  return before.back();
}

}  // namespace

LineAndColumn Source::where(std::uint32_t offset) const {
  const std::string_view before = std::string_view(text).substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  return {static_cast<std::uint32_t>(std::ranges::count(before, '\n')) + 1, characters(line) + 1};
}

void Findings::add(Place place, std::string text) {
  if (found_.size() < kMost) {
    found_.push_back({place, std::move(text)});
  } else {
    ++left_out_;
  }
}

void Findings::sort() {
  std::vector<std::size_t> order(found_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return found_[a].place.begin != found_[b].place.begin ? found_[a].place.begin < found_[b].place.begin : a < b;
  });
  std::vector<Finding> sorted;
  sorted.reserve(order.size());
  for (const std::size_t index : order) sorted.push_back(std::move(found_[index]));
  found_ = std::move(sorted);
}

std::string to_text(const Source& source, const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings.found()) print(out, source, finding);
  if (findings.left_out() > 0) out += source.name + ": and " + std::to_string(findings.left_out()) + " more\n";
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> names) {
  if (word.size() > 80) return {};
  std::size_t nearest = std::max<std::size_t>(word.size() / 3, 1) + 1;
  std::string_view best;
  for (const std::string_view name : names) {
    const std::size_t far = distance(word, name, nearest);
    if (far < nearest) {
      nearest = far;
      best = name;
    }
  }
  return best.empty() ? std::string() : "; did you mean `" + std::string(best) + "`?";
}

}  // namespace turnpike::config

#include "print.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace turnpike::cli {
namespace {

using Row = std::vector<std::string>;

// Of text from elsewhere, what could play with a terminal is shown as '?'.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

// "next_step" as people read it.
std::string title(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return printable(std::move(name));
}

// A value in one cell.
std::string cell(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value.held)) return *flag ? "yes" : "no";
  if (const auto* number = std::get_if<std::int64_t>(&value.held)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value.held)) return text->empty() ? "-" : printable(*text);
  std::string out;
  if (const auto* list = std::get_if<Value::List>(&value.held)) {
    for (const Value& element : *list) out += (out.empty() ? "" : ", ") + cell(element);
  }
  if (const auto* object = std::get_if<Value::Object>(&value.held)) {
    for (const Member& member : *object)
      out += (out.empty() ? "" : " ") + printable(member.name) + ' ' + cell(member.value);
  }
  return out.empty() ? "-" : out;
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// `widths`: of columns that are printed already; grows with what is wider.
std::string align(const std::vector<Row>& rows, std::vector<std::size_t>& widths) {
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + '\n';
  }
  return out;
}

bool is_table(const Value::List& list) {
  return !list.empty() &&
         std::ranges::all_of(list, [](const Value& each) { return std::holds_alternative<Value::Object>(each.held); });
}

std::vector<std::string> columns_of(const Value::List& list) {
  std::vector<std::string> names;
  for (const Value& each : list) {
    for (const Member& member : std::get<Value::Object>(each.held)) {
      if (std::ranges::find(names, member.name) == names.end()) names.push_back(member.name);
    }
  }
  return names;
}

Row head_of(const std::vector<std::string>& names) {
  Row head;
  for (std::string name : names) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    head.push_back(title(name));
  }
  return head;
}

void add_rows(const Value::List& list, const std::vector<std::string>& names, std::vector<Row>& rows) {
  for (const Value& each : list) {
    Row& row = rows.emplace_back();
    for (const std::string& name : names) {
      const Value* value = each.find(name);
      row.push_back(value != nullptr ? cell(*value) : "");
    }
  }
}

std::string table(const Value::List& list) {
  const std::vector<std::string> names = columns_of(list);
  std::vector<Row> rows{head_of(names)};
  add_rows(list, names, rows);
  std::vector<std::size_t> widths;
  return align(rows, widths);
}

std::string object_text(const Value::Object& object) {
  std::vector<Row> rows;
  std::string below;
  for (const Member& member : object) {
    const auto* list = std::get_if<Value::List>(&member.value.held);
    if (list != nullptr && is_table(*list)) {
      below += '\n' + title(member.name) + ":\n" + table(*list);
    } else {
      rows.push_back({title(member.name), cell(member.value)});
    }
  }
  std::vector<std::size_t> widths;
  return align(rows, widths) + below;
}

}  // namespace

std::string to_text(const Value& value) {
  if (const auto* object = std::get_if<Value::Object>(&value.held)) return object_text(*object);
  const auto* list = std::get_if<Value::List>(&value.held);
  if (list == nullptr) return cell(value) + '\n';
  if (is_table(*list)) return table(*list);
  std::string out;
  for (const Value& each : *list) out += cell(each) + '\n';
  return out;
}

std::string Pages::part(const Value& value) {
  const auto* list = std::get_if<Value::List>(&value.held);
  if (list == nullptr || !is_table(*list)) return "";
  std::string out;
  if (json_) {
    for (const Value& each : *list) out += (std::exchange(is_first_, false) ? "[" : ",") + to_json(each);
    return out;
  }
  std::vector<Row> rows;
  if (std::exchange(is_first_, false)) {
    names_ = columns_of(*list);
    rows.push_back(head_of(names_));
  }
  add_rows(*list, names_, rows);
  return align(rows, widths_);
}

}  // namespace turnpike::cli

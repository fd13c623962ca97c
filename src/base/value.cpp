#include "base/value.h"

namespace turnpike {
namespace {

void put_text(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'u', '0', '0', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  out += '"';
}

void put(std::string& out, const Value& value) {
  if (std::holds_alternative<std::monostate>(value.held)) {
    out += "null";
  } else if (const auto* flag = std::get_if<bool>(&value.held)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<std::int64_t>(&value.held)) {
    out += std::to_string(*number);
  } else if (const auto* text = std::get_if<std::string>(&value.held)) {
    put_text(out, *text);
  } else if (const auto* list = std::get_if<Value::List>(&value.held)) {
    out += '[';
    for (const Value& element : *list) {
      if (&element != list->data()) out += ',';
      put(out, element);
    }
    out += ']';
  } else if (const auto* object = std::get_if<Value::Object>(&value.held)) {
    out += '{';
    for (const Member& member : *object) {
      if (&member != object->data()) out += ',';
      put_text(out, member.name);
      out += ':';
      put(out, member.value);
    }
    out += '}';
  }
}

}  // namespace

const Value* Value::find(std::string_view name) const {
  if (const auto* object = std::get_if<Object>(&held)) {
    for (const Member& member : *object) {
      if (member.name == name) return &member.value;
    }
  }
  return nullptr;
}

std::string to_json(const Value& value) {
  std::string out;
  put(out, value);
  return out;
}

}  // namespace turnpike

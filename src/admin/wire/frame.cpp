#include "admin/wire/frame.h"

#include <variant>

namespace turnpike::admin {
namespace {

constexpr int kDeepest = 16;
constexpr std::size_t kHead = 4;

enum class Tag : std::uint8_t { kNothing, kFalse, kTrue, kNumber, kText, kList, kObject };

void put_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size(), 4);
  out += text;
}

void put(std::string& out, const Value& value);

void put_tag(std::string& out, Tag tag) { out += static_cast<char>(tag); }

struct Putter {
  std::string& out;

  void operator()(std::monostate) const { put_tag(out, Tag::kNothing); }
  void operator()(bool flag) const { put_tag(out, flag ? Tag::kTrue : Tag::kFalse); }
  void operator()(std::int64_t number) const {
    put_tag(out, Tag::kNumber);
    put_number(out, static_cast<std::uint64_t>(number), 8);
  }
  void operator()(const std::string& text) const {
    put_tag(out, Tag::kText);
    put_text(out, text);
  }
  void operator()(const Value::List& list) const {
    put_tag(out, Tag::kList);
    put_number(out, list.size(), 4);
    for (const Value& element : list) put(out, element);
  }
  void operator()(const Value::Object& object) const {
    put_tag(out, Tag::kObject);
    put_number(out, object.size(), 4);
    for (const Member& member : object) {
      put_text(out, member.name);
      put(out, member.value);
    }
  }
};

void put(std::string& out, const Value& value) { std::visit(Putter{out}, value.held); }

// Reads one value; false: it is none.
class Taker {
 public:
  explicit Taker(std::string_view in) : in_(in) {}

  bool take(Value& value, int depth = 0) {
    std::uint64_t tag = 0;
    if (depth > kDeepest || !take_number(tag, 1)) return false;
    switch (static_cast<Tag>(tag)) {
      case Tag::kNothing:
        value = Value();
        return true;
      case Tag::kFalse:
        value = Value(false);
        return true;
      case Tag::kTrue:
        value = Value(true);
        return true;
      case Tag::kNumber: {
        std::uint64_t number = 0;
        if (!take_number(number, 8)) return false;
        value = Value(static_cast<std::int64_t>(number));
        return true;
      }
      case Tag::kText: {
        std::string text;
        if (!take_text(text)) return false;
        value = Value(std::move(text));
        return true;
      }
      case Tag::kList:
        return take_list(value, depth);
      case Tag::kObject:
        return take_object(value, depth);
    }
    return false;
  }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

 private:
  bool take_number(std::uint64_t& number, std::size_t bytes) {
    if (in_.size() < bytes) return false;
    number = 0;
    for (std::size_t i = 0; i < bytes; ++i) number |= std::uint64_t{static_cast<unsigned char>(in_[i])} << (8 * i);
    in_.remove_prefix(bytes);
    return true;
  }

  bool take_text(std::string& text) {
    std::uint64_t size = 0;
    if (!take_number(size, 4) || size > in_.size()) return false;
    text = in_.substr(0, size);
    in_.remove_prefix(size);
    return true;
  }

  // A list says how many elements follow; each has a byte at least, so the number is bounded by what is there.
  bool take_list(Value& value, int depth) {
    std::uint64_t count = 0;
    if (!take_number(count, 4) || count > in_.size()) return false;
    Value::List list;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!take(list.emplace_back(), depth + 1)) return false;
    }
    value = Value(std::move(list));
    return true;
  }

  bool take_object(Value& value, int depth) {
    std::uint64_t count = 0;
    if (!take_number(count, 4) || count > in_.size()) return false;
    Value::Object object;
    for (std::uint64_t i = 0; i < count; ++i) {
      Member& member = object.emplace_back();
      if (!take_text(member.name) || !take(member.value, depth + 1)) return false;
    }
    value = Value(std::move(object));
    return true;
  }

  std::string_view in_;
};

}  // namespace

void put_frame(std::string& out, const Value& value) {
  const std::size_t begin = out.size();
  out.append(kHead, '\0');
  put(out, value);
  const std::size_t size = out.size() - begin - kHead;
  for (std::size_t i = 0; i < kHead; ++i) out[begin + i] = static_cast<char>(size >> (8 * i) & 0xFF);
}

Result<std::optional<Value>> take_frame(std::string& in, std::size_t largest) {
  if (in.size() < kHead) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kHead; ++i) size |= std::size_t{static_cast<unsigned char>(in[i])} << (8 * i);
  if (size > largest) return fail(ErrorKind::kInvalidArgument, "a frame is too large");
  if (in.size() - kHead < size) return std::nullopt;
  Taker taker(std::string_view(in).substr(kHead, size));
  Value value;
  if (!taker.take(value) || !taker.at_end()) return fail(ErrorKind::kInvalidArgument, "that is no frame");
  in.erase(0, kHead + size);
  return std::optional(std::move(value));
}

}  // namespace turnpike::admin

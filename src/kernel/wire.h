// The wire of netlink: messages made of a header, a fixed part and attributes, read and written in spans.
//
// Reading is declarative. For each kind of message a table says which attributes we read, in which shape, under which
// name (codec.cpp has the tables). `Attributes::read` holds what came against the table, once: after that every
// accessor is a load without a check to forget, and no attribute can be read that the table does not have. What the
// table does not name is skipped, as newer kernels say more; what it names in another shape refuses the message.
// The same names tell the user which attribute the kernel complained about.
//
// Nothing here assumes alignment, trusts a length, or allocates.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "net/address.h"

namespace turnpike::kernel {

using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// A T from its first bytes; nothing where there are too few.
template <class T>
  requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::optional<T> load(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

struct Message {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;  // of the socket that asked for what this tells, 0 the kernel
  Bytes payload;
};

// Takes the first message off `bytes`. kNoMoreItems at the end, kInvalidArgument where what is left is no message:
// `bytes` stays as it is then.
[[nodiscard]] Result<Message> take_message(Bytes& bytes);

// ---------------------------------------------------------------------------------------------------------------------
// Attributes, read

enum class Shape : std::uint8_t {
  kSkipped,  // not read; has a name alone
  kFlag,     // there or not; its bytes do not matter
  kU8,
  kU16,
  kU32,
  kAddress,  // 4 or 16 bytes
  kText,     // up to the first zero byte
  kBytes,    // any; what is inside is checked where it is read
  kNested,   // attributes
};

struct AttributeRule {
  std::uint16_t type = 0;
  Shape shape = Shape::kSkipped;
  const char* name = "";
};

class AttributeTable {
 public:
  static constexpr std::size_t kTypes = 64;

  constexpr AttributeTable(std::initializer_list<AttributeRule> rules) {
    for (const AttributeRule& rule : rules) rules_[rule.type] = rule;  // a type beyond kTypes does not compile
  }

  // Types that it does not have are skipped, without a name.
  [[nodiscard]] constexpr Shape shape(std::size_t type) const {
    return type < kTypes ? rules_[type].shape : Shape::kSkipped;
  }
  [[nodiscard]] constexpr const char* name(std::size_t type) const { return type < kTypes ? rules_[type].name : ""; }

 private:
  std::array<AttributeRule, kTypes> rules_{};
};

class Attributes {
 public:
  // Reads all of `bytes`. kInvalidArgument where they are not attributes, or one is not in its table's shape; of
  // several of one type the last counts, as in the kernel. The bytes have to stay while the attributes are used.
  [[nodiscard]] Result<void> read(Bytes bytes, const AttributeTable& table);

  // Each gives what stands behind "else" where there is no such attribute, or the table has it in another shape.
  [[nodiscard]] bool has(std::size_t type) const { return type < kTypes && (present_ >> type & 1) != 0; }
  [[nodiscard]] std::uint8_t u8(std::size_t type) const { return value<std::uint8_t>(type); }  // else 0
  [[nodiscard]] std::uint16_t u16(std::size_t type) const { return value<std::uint16_t>(type); }
  [[nodiscard]] std::uint32_t u32(std::size_t type) const { return value<std::uint32_t>(type); }
  [[nodiscard]] std::optional<net::Address> address(std::size_t type) const;
  [[nodiscard]] std::string_view text(std::size_t type) const;  // else empty
  [[nodiscard]] Bytes bytes(std::size_t type) const {           // else empty
    return has(type) ? all_.subspan(slots_[type].begin, slots_[type].size) : Bytes{};
  }

 private:
  static constexpr std::size_t kTypes = AttributeTable::kTypes;
  struct Slot {
    std::uint32_t begin;
    std::uint32_t size;
  };

  template <class T>
  [[nodiscard]] T value(std::size_t type) const {
    return load<T>(bytes(type)).value_or(T{0});
  }

  Bytes all_;
  std::uint64_t present_ = 0;
  std::array<Slot, kTypes> slots_;  // only those present are set: clearing half a kilobyte a message would show
};

struct Attribute {
  std::uint16_t type = 0;  // without the bits that say how it is laid out
  Bytes payload;
};

// Takes the first attribute off `bytes`; kNoMoreItems and kInvalidArgument as with messages.
[[nodiscard]] Result<Attribute> take_attribute(Bytes& bytes);

// ---------------------------------------------------------------------------------------------------------------------
// Messages, written

// Writes messages into a buffer, one after the other. A message that does not fit leaves no trace.
class MessageBuilder {
 public:
  explicit MessageBuilder(std::span<std::uint8_t> buffer) : buffer_(buffer) {}

  void clear() { used_ = 0; }
  [[nodiscard]] Bytes bytes() const { return buffer_.first(used_); }

  template <class Fixed>
  void begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, const Fixed& fixed) {
    begin_header(type, flags, sequence);
    append({reinterpret_cast<const std::uint8_t*>(&fixed), sizeof fixed});
  }

  // One attribute of the message begun.
  void put_bytes(std::uint16_t type, Bytes bytes);
  void put_address(std::uint16_t type, const net::Address& address) { put_bytes(type, address.bytes()); }
  void put_text(std::uint16_t type, std::string_view text);  // with its zero byte
  void put_flag(std::uint16_t type) { put_bytes(type, {}); }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(std::uint16_t type, const T& value) {
    put_bytes(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }

  // An attribute that holds what is put until it is closed; `open` gives what `close` wants. `fixed` begins what the
  // kernel lays out in its own way inside of another attribute (a hop of RTA_MULTIPATH); its length is set by `close`.
  [[nodiscard]] std::size_t open(std::uint16_t type);
  template <class Fixed>
  [[nodiscard]] std::size_t open_fixed(const Fixed& fixed) {
    const std::size_t at = position_;
    append({reinterpret_cast<const std::uint8_t*>(&fixed), sizeof fixed});
    return at;
  }
  void close(std::size_t opened);

  // The message is complete. False: it does not fit, and is gone.
  [[nodiscard]] bool end();
  // The message begun is not wanted.
  void abandon() { position_ = used_; }

  // Adds flags to the last complete message; there has to be one.
  void flag_last(std::uint16_t flags);

 private:
  void begin_header(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);
  void append(Bytes bytes);  // padded to four bytes

  std::span<std::uint8_t> buffer_;
  std::size_t used_ = 0;      // by complete messages
  std::size_t position_ = 0;  // of the message begun
  std::size_t last_ = 0;      // where the last complete message begins
  bool fits_ = true;
};

}  // namespace turnpike::kernel

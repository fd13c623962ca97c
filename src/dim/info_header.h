// Information headers: the bytes in which configuration travels between administration, router managers, modules and
// the store (rtinfo.h; mprapi.md 2.9): a fixed part, a table of contents, and blocks, each an array of items tagged
// with a type, at most one of a type.
//
//   offset 0  version (1)   4  size of everything   8  number of entries   12 + 16 i  entry: type, item size, count,
//                                                                          offset from the start
//
// Whatever bytes come in are looked at once, by `InfoHeader::parse`, and every rule of the layout holds afterwards.
// What goes out is the canonical form alone: blocks in the order of their entries, each on an 8-byte boundary, zeros
// between them. Nothing is ever changed in place: an edit is a new header, as the documented calls have it.
//
// The room does not interpret a block. Who does (the router manager its own, a module its own) sees bytes that begin
// wherever the header begins, plus a multiple of 8 in the canonical form; it copies what it needs aligned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "dim/terms.h"

namespace turnpike::dim {

inline constexpr std::uint32_t kInfoVersion = 1;
inline constexpr std::size_t kInfoFixedSize = 12;  // what an empty header has
inline constexpr std::size_t kInfoEntrySize = 16;
inline constexpr std::size_t kInfoAlignment = 8;

struct InfoBlock {
  std::uint32_t type = 0;
  std::uint32_t item_size = 0;
  std::uint32_t count = 0;
  std::span<const std::byte> data = {};  // item_size * count bytes
};

// One block of a single item, as modules have them.
[[nodiscard]] constexpr InfoBlock single(std::uint32_t type, std::span<const std::byte> data) {
  return {type, static_cast<std::uint32_t>(data.size()), 1, data};
}

// A header that was checked: a view, which lives as long as the bytes do.
class InfoHeader {
 public:
  // kInvalidArgument: not a header by the rules of the layout, or its size is beyond the bytes. Bytes behind its size
  // are not looked at.
  [[nodiscard]] static Result<InfoHeader> parse(std::span<const std::byte> bytes);

  // The size that a header claims to have, which is all that is known of one in a caller's memory.
  // `bytes` has at least 8.
  [[nodiscard]] static std::uint32_t claimed_size(const std::byte* bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] InfoBlock block(std::uint32_t index) const;  // index < count()
  [[nodiscard]] std::optional<InfoBlock> find(std::uint32_t type) const;
  [[nodiscard]] std::vector<InfoBlock> blocks() const;

 private:
  InfoHeader(std::span<const std::byte> bytes, std::uint32_t count) : bytes_(bytes), count_(count) {}

  std::span<const std::byte> bytes_;
  std::uint32_t count_;
};

// The canonical header of these blocks. kInvalidArgument: a type is there twice, a block's data is not item_size *
// count bytes, or the whole would not fit into 32 bits.
[[nodiscard]] Result<Bytes> join(std::span<const InfoBlock> blocks);

// A new header with one block more (kAlreadyExists), replaced (kNotFound), or less (kNotFound); else as `join`.
[[nodiscard]] Result<Bytes> with_added(const InfoHeader& header, const InfoBlock& block);
[[nodiscard]] Result<Bytes> with_replaced(const InfoHeader& header, const InfoBlock& block);
[[nodiscard]] Result<Bytes> with_removed(const InfoHeader& header, std::uint32_t type);

}  // namespace turnpike::dim

#include "dim/info_header.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace turnpike::dim {
namespace {

constexpr std::uint64_t kMostBytes = std::numeric_limits<std::uint32_t>::max();

std::uint32_t read(const std::byte* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

void write(std::byte* at, std::uint64_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  std::memcpy(at, &narrow, sizeof(narrow));
}

constexpr std::uint64_t aligned(std::uint64_t size) {
  return (size + kInfoAlignment - 1) / kInfoAlignment * kInfoAlignment;
}

constexpr std::uint64_t contents_end(std::uint64_t entries) { return kInfoFixedSize + kInfoEntrySize * entries; }

// Blocks are numbered in 32 bits and multiplied in 64: no product here overflows.
constexpr std::uint64_t bytes_of(const InfoBlock& block) { return std::uint64_t{block.item_size} * block.count; }

bool has_twins(std::vector<std::uint32_t> types) {
  std::ranges::sort(types);
  return std::ranges::adjacent_find(types) != types.end();
}

struct Entry {
  explicit Entry(const std::byte* at)
      : type(read(at)), item_size(read(at + 4)), count(read(at + 8)), offset(read(at + 12)) {}

  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{item_size} * count; }

  std::uint32_t type;
  std::uint32_t item_size;
  std::uint32_t count;
  std::uint32_t offset;
};

const std::byte* entry_at(std::span<const std::byte> header, std::uint32_t index) {
  return header.data() + contents_end(index);
}

bool is_sound(const Entry& entry, std::uint64_t contents, std::uint64_t size) {
  if (entry.offset + entry.bytes() > size) return false;
  return entry.bytes() == 0 || entry.offset >= contents;
}

}  // namespace

std::uint32_t InfoHeader::claimed_size(const std::byte* bytes) { return read(bytes + 4); }

Result<InfoHeader> InfoHeader::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < kInfoFixedSize) return fail(ErrorKind::kInvalidArgument, "too short for an information header");
  const std::uint32_t size = read(bytes.data() + 4);
  const std::uint32_t count = read(bytes.data() + 8);
  if (read(bytes.data()) != kInfoVersion) return fail(ErrorKind::kInvalidArgument, "not version 1 of a header");
  if (size > bytes.size()) return fail(ErrorKind::kInvalidArgument, "a header longer than its bytes");
  if (contents_end(count) > size) return fail(ErrorKind::kInvalidArgument, "a header's contents beyond its end");
  const std::span<const std::byte> header = bytes.first(size);
  std::vector<std::uint32_t> types(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Entry entry(entry_at(header, i));
    if (!is_sound(entry, contents_end(count), size)) {
      return fail(ErrorKind::kInvalidArgument, "a header's block outside of it");
    }
    types[i] = entry.type;
  }
  if (has_twins(std::move(types))) return fail(ErrorKind::kInvalidArgument, "a header with two blocks of one type");
  return InfoHeader(header, count);
}

InfoBlock InfoHeader::block(std::uint32_t index) const {
  const Entry entry(entry_at(bytes_, index));
  const std::uint64_t size = entry.bytes();
  return {entry.type, entry.item_size, entry.count,
          size == 0 ? std::span<const std::byte>() : bytes_.subspan(entry.offset, size)};
}

std::optional<InfoBlock> InfoHeader::find(std::uint32_t type) const {
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (read(entry_at(bytes_, i)) == type) return block(i);
  }
  return std::nullopt;
}

std::vector<InfoBlock> InfoHeader::blocks() const {
  std::vector<InfoBlock> all;
  all.reserve(count_);
  for (std::uint32_t i = 0; i < count_; ++i) all.push_back(block(i));
  return all;
}

Result<Bytes> join(std::span<const InfoBlock> blocks) {
  std::vector<std::uint32_t> types;
  std::uint64_t size = contents_end(blocks.size());
  for (const InfoBlock& block : blocks) {
    if (bytes_of(block) != block.data.size())
      return fail(ErrorKind::kInvalidArgument, "a block of another size than said");
    types.push_back(block.type);
    size = aligned(size) + bytes_of(block);
  }
  if (!blocks.empty()) size = aligned(size);
  if (size > kMostBytes) return fail(ErrorKind::kInvalidArgument, "too much for one information header");
  if (has_twins(std::move(types))) return fail(ErrorKind::kInvalidArgument, "two blocks of one type");

  Bytes header(size);
  write(header.data(), kInfoVersion);
  write(header.data() + 4, size);
  write(header.data() + 8, blocks.size());
  std::uint64_t end = contents_end(blocks.size());
  std::byte* entry = header.data() + kInfoFixedSize;
  for (const InfoBlock& block : blocks) {
    const std::uint64_t offset = aligned(end);
    write(entry, block.type);
    write(entry + 4, block.item_size);
    write(entry + 8, block.count);
    write(entry + 12, offset);
    std::ranges::copy(block.data, header.begin() + static_cast<std::ptrdiff_t>(offset));
    end = offset + block.data.size();
    entry += kInfoEntrySize;
  }
  return header;
}

Result<Bytes> with_added(const InfoHeader& header, const InfoBlock& block) {
  if (header.find(block.type)) return fail(ErrorKind::kAlreadyExists, "a block of this type is there");
  std::vector<InfoBlock> blocks = header.blocks();
  blocks.push_back(block);
  return join(blocks);
}

Result<Bytes> with_replaced(const InfoHeader& header, const InfoBlock& block) {
  std::vector<InfoBlock> blocks = header.blocks();
  const auto old = std::ranges::find(blocks, block.type, &InfoBlock::type);
  if (old == blocks.end()) return fail(ErrorKind::kNotFound, "no block of this type");
  *old = block;
  return join(blocks);
}

Result<Bytes> with_removed(const InfoHeader& header, std::uint32_t type) {
  std::vector<InfoBlock> blocks = header.blocks();
  if (std::erase_if(blocks, [type](const InfoBlock& block) { return block.type == type; }) == 0) {
    return fail(ErrorKind::kNotFound, "no block of this type");
  }
  return join(blocks);
}

}  // namespace turnpike::dim

// Whatever bytes are taken for an information header: it is refused, or every block of it lies inside, it survives
// being joined anew, and each edit does what it says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "dim/info_header.h"

namespace {

using turnpike::dim::Bytes;
using turnpike::dim::InfoBlock;
using turnpike::dim::InfoHeader;

void expect(bool kept) {
  if (!kept) std::abort();
}

bool same(const InfoBlock& a, const InfoBlock& b) {
  return a.type == b.type && a.item_size == b.item_size && a.count == b.count && std::ranges::equal(a.data, b.data);
}

void expect_same_blocks(const InfoHeader& a, const InfoHeader& b) {
  expect(std::ranges::equal(a.blocks(), b.blocks(), same));
}

// A read of every byte that a block claims: the sanitizer's to judge.
unsigned sum(const InfoBlock& block) {
  unsigned total = 0;
  for (const std::byte each : block.data) total += std::to_integer<unsigned>(each);
  return total;
}

void expect_edits(const InfoHeader& header, const InfoBlock& block) {
  const auto without = turnpike::dim::with_removed(header, block.type);
  expect(without.has_value());
  const auto fewer = InfoHeader::parse(*without);
  expect(fewer && fewer->count() + 1 == header.count() && !fewer->find(block.type));
  const auto again = turnpike::dim::with_added(*fewer, block);
  expect(again && same(*InfoHeader::parse(*again)->find(block.type), block));
  expect(!turnpike::dim::with_added(header, block));
  const auto replaced = turnpike::dim::with_replaced(header, block);
  expect(replaced.has_value());
  expect_same_blocks(*InfoHeader::parse(*replaced), header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = InfoHeader::parse({reinterpret_cast<const std::byte*>(data), size});
  if (!header) return 0;
  expect(header->bytes().size() <= size);
  unsigned total = 0;
  for (const InfoBlock& block : header->blocks()) {
    total += sum(block);
    expect(same(*header->find(block.type), block));
  }
  // Blocks of a foreign header may lie over one another, so joining can make many bytes of few.
  if (size > 4096) return static_cast<int>(total & 0);
  const auto canonical = turnpike::dim::join(header->blocks());
  expect(canonical.has_value());
  const auto parsed = InfoHeader::parse(*canonical);
  expect(parsed && parsed->bytes().size() == canonical->size());
  expect_same_blocks(*parsed, *header);
  expect(*turnpike::dim::join(parsed->blocks()) == *canonical);
  if (header->count() != 0) expect_edits(*header, header->block(total % header->count()));
  return 0;
}

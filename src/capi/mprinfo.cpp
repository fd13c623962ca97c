// The C face of information headers: the MprInfo functions of mprapi.h over dim/info_header.h.
//
// A header lies in the process heap, so that one which is given back twice, or was never given out, is refused instead
// of breaking the allocator; and so that a header of ours whose size was overwritten is refused instead of read beyond
// its end. Of a header in a caller's own memory the size that it claims is all there is to go by.
#include <mprapi.h>

#include <cstring>
#include <limits>
#include <new>

#include "dim/info_header.h"
#include "win32/memory/heap.h"

namespace turnpike::capi {
namespace {

using dim::InfoBlock;
using dim::InfoHeader;
using win32::Heap;

Result<InfoHeader> header_at(const void* header) {
  if (header == nullptr) return fail(ErrorKind::kInvalidArgument, "no header");
  const auto* bytes = static_cast<const std::byte*>(header);
  const std::size_t size = InfoHeader::claimed_size(bytes);
  const std::size_t room = Heap::of_process().size_of(header).value_or(size);
  return InfoHeader::parse({bytes, room});
}

// What the caller says of a block. The product is checked here: only so many bytes may be read.
Result<InfoBlock> block_of(DWORD type, DWORD size, DWORD count, const BYTE* data) {
  const std::uint64_t bytes = std::uint64_t{size} * count;
  if (data == nullptr || bytes > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorKind::kInvalidArgument, "no block");
  }
  return InfoBlock{type, size, count, {reinterpret_cast<const std::byte*>(data), bytes}};
}

DWORD code_of_info(const Error& error) {
  return error.kind == ErrorKind::kExhausted ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER;
}

DWORD hand_out(std::span<const std::byte> bytes, LPVOID* to) {
  void* header = Heap::of_process().allocate(bytes.size(), false);
  if (header == nullptr) return ERROR_NOT_ENOUGH_MEMORY;
  std::memcpy(header, bytes.data(), bytes.size());
  *to = header;
  return NO_ERROR;
}

// make() answers the bytes of a new header, which is handed out through `to`; `to` is null after a failure.
template <class Make>
DWORD make_header(LPVOID* to, Make&& make) noexcept {
  if (to == nullptr) return ERROR_INVALID_PARAMETER;
  *to = nullptr;
  try {
    const Result<dim::Bytes> bytes = make();
    return bytes ? hand_out(*bytes, to) : code_of_info(bytes.error());
  } catch (const std::bad_alloc&) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
}

// The same from an old header, which stays as it is.
template <class Edit>
DWORD edit_header(LPVOID header, LPVOID* to, Edit&& edit) noexcept {
  return make_header(to, [&] { return header_at(header).and_then(edit); });
}

using BlockEdit = Result<dim::Bytes> (*)(const InfoHeader&, const InfoBlock&);

DWORD edit_block(LPVOID header, const Result<InfoBlock>& block, LPVOID* to, BlockEdit edit) {
  return edit_header(header, to, [&](const InfoHeader& old) {
    return block.and_then([&](const InfoBlock& sound) { return edit(old, sound); });
  });
}

DWORD find_block(LPVOID header, DWORD type, InfoBlock& found) noexcept {
  try {
    const Result<InfoHeader> checked = header_at(header);
    if (!checked) return code_of_info(checked.error());
    const std::optional<InfoBlock> block = checked->find(type);
    if (!block) return ERROR_NOT_FOUND;
    found = *block;
    return NO_ERROR;
  } catch (const std::bad_alloc&) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
}

// Through the caller's type, without his const: the data is his to read and, as documented, not to free.
LPBYTE to_data(const InfoBlock& block) {
  return block.data.empty() ? nullptr : reinterpret_cast<LPBYTE>(const_cast<std::byte*>(block.data.data()));
}

}  // namespace
}  // namespace turnpike::capi

extern "C" {

namespace capi = turnpike::capi;
namespace dim = turnpike::dim;

DWORD MprInfoCreate(DWORD dwVersion, LPVOID* lplpNewHeader) {
  return capi::make_header(lplpNewHeader, [&]() -> turnpike::Result<dim::Bytes> {
    if (dwVersion != dim::kInfoVersion) return turnpike::fail(turnpike::ErrorKind::kInvalidArgument, "no such version");
    return dim::join({});
  });
}

DWORD MprInfoDelete(LPVOID lpHeader) {
  return lpHeader != nullptr && capi::Heap::of_process().free(lpHeader) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

DWORD MprInfoDuplicate(LPVOID lpHeader, LPVOID* lplpNewHeader) {
  return capi::edit_header(lpHeader, lplpNewHeader, [](const capi::InfoHeader& old) -> turnpike::Result<dim::Bytes> {
    return dim::Bytes(old.bytes().begin(), old.bytes().end());
  });
}

DWORD MprInfoRemoveAll(LPVOID lpHeader, LPVOID* lplpNewHeader) {
  return capi::edit_header(lpHeader, lplpNewHeader, [](const capi::InfoHeader&) { return dim::join({}); });
}

DWORD MprInfoBlockAdd(LPVOID lpHeader, DWORD dwInfoType, DWORD dwItemSize, DWORD dwItemCount, LPBYTE lpItemData,
                      LPVOID* lplpNewHeader) {
  return capi::edit_block(lpHeader, capi::block_of(dwInfoType, dwItemSize, dwItemCount, lpItemData), lplpNewHeader,
                          dim::with_added);
}

DWORD MprInfoBlockSet(LPVOID lpHeader, DWORD dwInfoType, DWORD dwItemSize, DWORD dwItemCount, LPBYTE lpItemData,
                      LPVOID* lplpNewHeader) {
  return capi::edit_block(lpHeader, capi::block_of(dwInfoType, dwItemSize, dwItemCount, lpItemData), lplpNewHeader,
                          dim::with_replaced);
}

DWORD MprInfoBlockRemove(LPVOID lpHeader, DWORD dwInfoType, LPVOID* lplpNewHeader) {
  return capi::edit_header(lpHeader, lplpNewHeader,
                           [&](const capi::InfoHeader& old) { return dim::with_removed(old, dwInfoType); });
}

DWORD MprInfoBlockFind(LPVOID lpHeader, DWORD dwInfoType, LPDWORD lpdwItemSize, LPDWORD lpdwItemCount,
                       LPBYTE* lplpItemData) {
  capi::InfoBlock block;
  const DWORD code = capi::find_block(lpHeader, dwInfoType, block);
  if (lpdwItemSize != nullptr) *lpdwItemSize = block.item_size;
  if (lpdwItemCount != nullptr) *lpdwItemCount = block.count;
  if (lplpItemData != nullptr) *lplpItemData = capi::to_data(block);
  return code;
}

DWORD MprInfoBlockQuerySize(LPVOID lpHeader) {
  return lpHeader == nullptr ? 0 : capi::InfoHeader::claimed_size(static_cast<const std::byte*>(lpHeader));
}

}  // extern "C"

// Handle: the number by which a client knows an object of a table.
//
//   63   56 55   48 47            28 27                    0
//   +------+-------+----------------+-----------------------+
//   | kind | table |   generation   |         index         |
//   +------+-------+----------------+-----------------------+
//
// Kind and table are checked before the index is used, the generation after: so a handle of another kind, of another
// instance or family, or of an object that is gone is refused without a look at anybody's memory. Generations only
// rise; a slot that has used its last one is never used again. No handle is null or (HANDLE)-1, and none looks like a
// pointer of user space.
//
// Why the number is not one of base/handle_table.h: that table keeps 20 bytes a handle beside the object. Destinations,
// routes and next hops come by the million, and their records carry generation and references in one word of their own
// (reference.h).
#pragma once

#include <cstdint>

namespace turnpike::rtm {

enum class Kind : std::uint8_t {
  kNone,
  kEntity,
  kDestination,
  kRoute,
  kNextHop,
  kEnumeration,
  kRouteList,
  kNotification,
  kV1Client,
  kV1Enumeration,
};
inline constexpr unsigned kKinds = 10;

constexpr const char* name_of(Kind kind) {
  constexpr const char* kNames[kKinds] = {"object",      "entity",     "destination",  "route",  "next hop",
                                          "enumeration", "route list", "notification", "client", "RTMv1 enumeration"};
  return kNames[static_cast<unsigned>(kind) % kKinds];
}

enum class Handle : std::uint64_t { kNone = 0 };

inline constexpr unsigned kIndexBits = 28;
inline constexpr unsigned kGenerationBits = 20;
inline constexpr std::uint32_t kMaxIndex = (1U << kIndexBits) - 1;
inline constexpr std::uint32_t kMaxGeneration = (1U << kGenerationBits) - 1;

constexpr Handle make_handle(Kind kind, std::uint8_t table, std::uint32_t generation, std::uint32_t index) {
  return Handle(std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{table} << 48 |
                std::uint64_t{generation} << kIndexBits | index);
}
constexpr Kind kind_of(Handle handle) {
  const auto kind = static_cast<std::uint64_t>(handle) >> 56;
  return kind < kKinds ? static_cast<Kind>(kind) : Kind::kNone;
}
constexpr std::uint8_t table_of(Handle handle) {
  return static_cast<std::uint8_t>(static_cast<std::uint64_t>(handle) >> 48);
}
constexpr Handle with_kind(Kind kind, Handle handle) {
  return Handle(std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 |
                (static_cast<std::uint64_t>(handle) & ~std::uint64_t{0} >> 8));
}
constexpr std::uint32_t generation_of(Handle handle) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle) >> kIndexBits) & kMaxGeneration;
}
constexpr std::uint32_t index_of(Handle handle) { return static_cast<std::uint32_t>(handle) & kMaxIndex; }

}  // namespace turnpike::rtm

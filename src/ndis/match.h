// Which frame is for which binding (sections A.6, A.7, E.2).
#pragma once

#include <span>

#include "ndis/objects.h"

namespace turnpike::ndis {

// What every binding needs to know of a frame: looked at once.
struct Seen {
  net::MacAddress to;
  std::uint16_t type = 0;  // behind a tag in line, if there is one
  bool valid = false;      // there is a frame for somebody
  bool tagged_inline = false;
};

// So many bytes of a frame, from its beginning, are enough to look at.
inline constexpr std::size_t kLookedAt = 18;
Seen look_at(const FanOut& fan_out, std::span<const std::byte> bytes) noexcept;

struct Origin {
  bool local = false;               // somebody on this machine sent it
  const Binding* sender = nullptr;  // who, if it was one of ours; only compared with
  bool to_self = false;             // and the sender sees it, too
};

// `seen` is valid.
bool is_for(const FanOut& fan_out, const Outlet& outlet, const Seen& seen, const Origin& origin) noexcept;

}  // namespace turnpike::ndis

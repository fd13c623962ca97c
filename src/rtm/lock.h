// Object locks: what a client holds on a destination (with all its routes) or on a next hop, across its calls.
#pragma once

#include <cstdint>
#include <vector>

#include "rtm/reference.h"

namespace turnpike::rtm {

struct ObjectLock {
  struct Holder {
    ClientIndex client = 0;
    std::uint64_t thread = 0;
    bool exclusive = false;
    std::uint32_t via = 0;  // the route that it was locked by; 0: the object itself
    std::uint32_t count = 1;
    std::vector<std::uint32_t> debts;  // next hops whose reference the route gave up: see in_place.cpp
  };
  std::vector<Holder> holders;
};

}  // namespace turnpike::rtm

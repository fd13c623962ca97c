// Drives the routing table manager through its documented C face and the reference beside it, by the same choices, and
// compares every answer. The choices come from a string of bytes, so that a random generator, a fuzzer and a recorded
// failure drive it alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace turnpike::model {

// Runs until the bytes are used up, then takes everything down and looks for what is left.
// Returns what differed, in words, with the number of the step; empty where nothing did.
std::string drive_and_compare(std::span<const std::uint8_t> choices, int address_family);

}  // namespace turnpike::model

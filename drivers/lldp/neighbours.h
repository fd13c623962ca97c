// Who is at the other end of each interface, as long as he says so. Time is given by the caller, in seconds.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>

#include "frame.h"

namespace lldp {

struct Neighbour {
  std::string interface;
  Announcement announcement;
  Mac source{};
  std::uint64_t since = 0;
  std::uint64_t until = 0;
};

struct Counts {
  std::uint64_t frames = 0;     // that were read
  std::uint64_t discarded = 0;  // that were none
  std::uint64_t added = 0;
  std::uint64_t removed = 0;  // because they said so, or their interface went
  std::uint64_t aged_out = 0;
  std::uint64_t crowded_out = 0;  // new ones for whom there was no room
};

class Neighbours {
 public:
  explicit Neighbours(std::size_t most = 1024) : most_(most) {}

  // Takes a frame that came in on `interface`. True: what is known has changed.
  bool hear(const std::string& interface, std::span<const std::uint8_t> frame, std::uint64_t now);
  // Forgets those whose time is over, and those of an interface that went.
  bool age(std::uint64_t now);
  bool forget(const std::string& interface);
  // The interface is called otherwise; who is at its other end stays.
  void rename(const std::string& from, const std::string& to);

  // When `age` has something to do next; nothing: never.
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const;
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::string to_json(std::uint64_t now) const;

 private:
  using Key = std::tuple<std::string, Identifier, Identifier>;

  std::size_t most_;
  std::map<Key, Neighbour> all_;
  Counts counts_;
};

}  // namespace lldp

// The interfaces that the router has told the module of, and which of them a next hop can be reached over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <windows.h>
// After it.
#include <routprot.h>

namespace turnpike::modules {

class Links {
 public:
  struct Link {
    std::string name;
    bool enabled = false;
    bool has_media = true;  // until we are told otherwise
    std::vector<IP_LOCAL_BINDING> addresses;
    std::vector<std::uint8_t> block;  // as it was given

    [[nodiscard]] bool is_up() const { return enabled && has_media; }
  };

  // False: that index is there already.
  bool add(std::uint32_t index, Link link) { return links_.emplace(index, std::move(link)).second; }
  bool remove(std::uint32_t index) { return links_.erase(index) != 0; }
  // Null: there is none.
  Link* find(std::uint32_t index);

  // The index of the link with that name, if it is enabled; else 0.
  [[nodiscard]] std::uint32_t enabled_by_name(std::string_view name) const;
  // The index of the link with that name, or over which an IPv4 address (network order) is directly reached, if it is
  // up; else 0. Of several networks that hold the address, the smallest.
  [[nodiscard]] std::uint32_t up_by_name(std::string_view name) const;
  [[nodiscard]] std::uint32_t up_towards(std::uint32_t address) const;

 private:
  std::map<std::uint32_t, Link> links_;
};

}  // namespace turnpike::modules

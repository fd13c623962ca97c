#include "routes.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <unordered_set>

#include "net/text.h"

namespace turnpike::bench {
namespace {

struct LengthCount {
  unsigned length;
  unsigned count;
};

// Counted from the feed named in routes.h; what is longer than /24 and /48 is spread over the lengths seen there.
constexpr std::array<LengthCount, 25> kLengthsV4{{{8, 16},     {9, 13},      {10, 38},    {11, 103},   {12, 299},
                                                  {13, 581},   {14, 1203},   {15, 2100},  {16, 13490}, {17, 8235},
                                                  {18, 13798}, {19, 24870},  {20, 42611}, {21, 50750}, {22, 108623},
                                                  {23, 96510}, {24, 537698}, {25, 120},   {26, 120},   {27, 120},
                                                  {28, 120},   {29, 120},    {30, 120},   {31, 20},    {32, 221}}};
constexpr std::array<LengthCount, 21> kLengthsV6{
    {{29, 4371}, {30, 1500},  {31, 800},  {32, 22548}, {33, 2100},  {34, 1900},  {35, 1300},
     {36, 5996}, {37, 900},   {38, 1800}, {39, 900},   {40, 13418}, {41, 900},   {42, 2400},
     {43, 1000}, {44, 14365}, {45, 1800}, {46, 3600},  {47, 2600},  {48, 75488}, {64, 461}}};
constexpr unsigned kLongestRun = 8;

// Makes the prefixes of one length after the other, shorter first, so that those to lie within others find them there.
class Maker {
 public:
  Maker(net::Family family, std::size_t count) : family_(family), count_(count) { prefixes_.reserve(count); }

  template <std::size_t N>
  std::vector<net::Prefix> make(const std::array<LengthCount, N>& lengths) {
    double total = 0;
    for (const LengthCount& entry : lengths) total += entry.count;
    double wanted = 0;
    for (const LengthCount& entry : lengths) {
      wanted += entry.count / total * static_cast<double>(count_);
      fill(entry.length, std::min(count_, static_cast<std::size_t>(wanted + 0.5)));
    }
    std::sort(prefixes_.begin(), prefixes_.end());
    return std::move(prefixes_);
  }

 private:
  void fill(unsigned length, std::size_t until) {
    const std::size_t parents = prefixes_.size();
    while (prefixes_.size() < until) {
      net::Address at = start(length, parents);
      const unsigned run = 1 + static_cast<unsigned>(random_() % kLongestRun);
      for (unsigned i = 0; i < run && prefixes_.size() < until; ++i) {
        const net::Prefix prefix(at, length);
        if (!is_unicast(prefix.address())) break;
        if (seen_.insert(prefix).second) prefixes_.push_back(prefix);
        at = next(prefix);
      }
    }
  }

  // More than half of the table lies within something shorter, the rest in what nothing covers.
  net::Address start(unsigned length, std::size_t parents) {
    if (parents == 0 || random_() % 100 >= nested_percent()) return uncovered_address(length);
    const net::Prefix& parent = prefixes_[random_() % parents];
    const net::Address any = random_address();
    const net::Address mask = net::Address::netmask(family_, parent.length());
    return net::Prefix(net::Address::from_halves(family_, parent.address().high() | (any.high() & ~mask.high()),
                                                 parent.address().low() | (any.low() & ~mask.low())),
                       length)
        .address();
  }

  net::Address uncovered_address(unsigned length) {
    net::Address address = random_address();
    for (int tries = 0; tries < 50 && is_covered(address, length); ++tries) address = random_address();
    return address;
  }

  bool is_covered(const net::Address& address, unsigned length) const {
    for (unsigned shorter = 8; shorter < length; ++shorter) {
      if (seen_.contains(net::Prefix(address, shorter))) return true;
    }
    return false;
  }

  net::Address random_address() {
    if (family_ == net::Family::kIpv4) return net::Address::ipv4(static_cast<std::uint32_t>(random_()));
    // Registries give out 2001::/16, 2400::/12, 2600::/12, 2800::/12, 2a00::/12 and 2c00::/12.
    constexpr std::array<std::uint64_t, 6> kBlocks{0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00};
    const std::uint64_t block = kBlocks[random_() % kBlocks.size()] << 48;
    return net::Address::from_halves(family_, block | (random_() & 0x000fffffffffffff), random_());
  }

  net::Address next(const net::Prefix& prefix) const {
    const std::uint64_t high = prefix.address().high() + (std::uint64_t{1} << (64 - std::min(prefix.length(), 64U)));
    return net::Address::from_halves(family_, high, 0);
  }

  bool is_unicast(const net::Address& address) const {
    const std::uint64_t first = address.high() >> 56;
    return family_ == net::Family::kIpv4 ? first >= 1 && first < 224 && first != 10 && first != 127 : first >> 5 == 1;
  }

  // Settled by trial: 57 % of the prefixes then lie within another, as published for both families.
  unsigned nested_percent() const { return family_ == net::Family::kIpv4 ? 53 : 61; }

  net::Family family_;
  std::size_t count_;
  std::mt19937_64 random_{20251105};
  std::vector<net::Prefix> prefixes_;
  std::unordered_set<net::Prefix> seen_;
};

std::vector<net::Prefix> read_file(const char* path, net::Family family) {
  std::ifstream file(path);
  if (!file) {
    std::cerr << "TURNPIKE_ROUTES: cannot read " << path << '\n';
    std::exit(1);
  }
  std::vector<net::Prefix> prefixes;
  for (std::string line; std::getline(file, line);) {
    const auto prefix = net::parse_prefix(line);
    if (prefix && prefix->family() == family) prefixes.push_back(*prefix);
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return prefixes;
}

}  // namespace

std::vector<net::Prefix> make_table(net::Family family, std::size_t count) {
  Maker maker(family, count);
  return family == net::Family::kIpv4 ? maker.make(kLengthsV4) : maker.make(kLengthsV6);
}

std::vector<net::Prefix> table(net::Family family, std::size_t count) {
  const char* path = std::getenv("TURNPIKE_ROUTES");
  return path != nullptr ? read_file(path, family) : make_table(family, count);
}

std::vector<net::Address> random_addresses(net::Family family, std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<net::Address> addresses;
  addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = random();
    addresses.push_back(family == net::Family::kIpv4
                            ? net::Address::ipv4(static_cast<std::uint32_t>(bits))
                            : net::Address::from_halves(family, (bits >> 3) | std::uint64_t{1} << 61, random()));
  }
  return addresses;
}

}  // namespace turnpike::bench

// Route tables to measure with: made like the Internet's, or read from a file with one prefix a line.
//
// A made table has the prefix lengths of the default-free zone (counted from a full feed of January 2024: 901,899 IPv4
// and 160,147 IPv6 prefixes) and its habits: more-specifics lie inside what is announced already, and neighbours stand
// side by side. It is the same on every machine and in every run. Sizes are those of 2025: 1,036,829 and 222,878.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "net/prefix.h"

namespace turnpike::bench {

constexpr std::size_t kInternetV4 = 1'036'829;
constexpr std::size_t kInternetV6 = 222'878;

// `count` different prefixes in the order of the table.
std::vector<net::Prefix> make_table(net::Family family, std::size_t count);

// What TURNPIKE_ROUTES names, if it names a file: those of its prefixes that are of that family; else a made table.
std::vector<net::Prefix> table(net::Family family, std::size_t count);

// Uniformly random addresses; for IPv6 inside 2000::/3, where there are routes.
std::vector<net::Address> random_addresses(net::Family family, std::size_t count);

}  // namespace turnpike::bench

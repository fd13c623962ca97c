// Every parser of room net: none crashes; what parses prints as text that parses to the same value; an error points
// into the text; and addresses agree with inet_pton, which sees the text up to its first NUL, so only texts without one
// count.

#include <arpa/inet.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/text.h"

namespace turnpike::net {
namespace {

void require(bool held) {
  if (!held) std::abort();
}

template <class Parse>
void check_round_trip(std::string_view text, Parse parse) {
  const auto parsed = parse(text);
  if (!parsed) {
    require(parsed.error().position <= text.size() && *parsed.error().what != '\0');
    return;
  }
  const auto printed = to_text(*parsed);
  const auto again = parse(printed.view());
  require(again && *again == *parsed);
}

void check_against_libc(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return;
  const std::string closed(text);
  in_addr four{};
  in6_addr six{};
  const auto ours4 = parse_ipv4(text);
  const auto ours6 = parse_ipv6(text);
  require((inet_pton(AF_INET, closed.c_str(), &four) == 1) == ours4.has_value());
  require((inet_pton(AF_INET6, closed.c_str(), &six) == 1) == ours6.has_value());
  require(!ours4 || *ours4 == Address::from_network(four));
  require(!ours6 || *ours6 == Address::from_network(six));
}

}  // namespace
}  // namespace turnpike::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace turnpike::net;  // allow using-namespace: the entry point of libFuzzer stands in none
  const std::string text(data, data + size);
  check_round_trip(text, [](std::string_view in) { return parse_address(in); });
  check_round_trip(text, [](std::string_view in) { return parse_prefix(in); });
  check_round_trip(text, [](std::string_view in) { return parse_prefix(in, HostBits::kClear); });
  check_round_trip(text, [](std::string_view in) { return parse_mac_address(in); });
  check_round_trip(text, [](std::string_view in) { return parse_interface_index(in); });
  check_against_libc(text);
  return 0;
}

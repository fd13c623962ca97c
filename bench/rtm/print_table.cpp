// Prints a table as the benchmarks use it, one prefix a line: `print_table 4|6 [COUNT]`. For peers that are measured
// beside us, and for whoever wants to look at it.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "net/text.h"
#include "routes.h"

int main(int argc, char** argv) {
  using namespace turnpike;  // allow using-namespace: main() of a tool
  if (argc < 2 || (std::strcmp(argv[1], "4") != 0 && std::strcmp(argv[1], "6") != 0)) {
    std::fputs("usage: print_table 4|6 [COUNT]\n", stderr);
    return 2;
  }
  const net::Family family = argv[1][0] == '4' ? net::Family::kIpv4 : net::Family::kIpv6;
  const std::size_t whole = family == net::Family::kIpv4 ? bench::kInternetV4 : bench::kInternetV6;
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : whole;
  for (const net::Prefix& prefix : bench::table(family, count)) std::puts(net::to_text(prefix).c_str());
  return 0;
}

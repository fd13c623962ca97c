// Any bytes, read as a sequence of calls: the library and the slow reference must answer alike.
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "../tests/model/rtm_driver.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int family = (data[0] & 1) != 0 ? AF_INET6 : AF_INET;
  const std::string difference = turnpike::model::drive_and_compare(std::span(data + 1, size - 1), family);
  if (difference.empty()) return 0;
  std::fprintf(stderr, "%s\n", difference.c_str());
  std::abort();
}

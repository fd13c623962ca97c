// A router over a scripted kernel and scripted modules, on one thread and a clock that is turned: what every test of
// the router stands on.
#pragma once

#include <gtest/gtest.h>
#include <mprerror.h>
#include <winerror.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_capture.h"
#include "dim/info_header.h"
#include "kernel/scripted/scripted_port.h"
#include "modules/script.h"
#include "router/router.h"

namespace turnpike::router::test {

using Lines = std::vector<std::string>;

inline constexpr std::uint32_t kA = 8;           // the protocols that have a script
inline constexpr std::uint32_t kB = 0x4137000a;  // of another type and vendor

Bytes header(std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks);
std::string text_of(const Bytes& header, std::uint32_t type);  // "none": no such block

// Remembers what it was to keep.
class BookStore final : public Store {
 public:
  Result<void> keep_global(TransportId transport, const Bytes& header) override;
  Result<void> keep_interface(const std::string& name, TransportId transport, const Bytes& header) override;

  std::map<TransportId, Bytes> globals;
  std::map<std::string, Bytes> interfaces;
  bool fails = false;
};

class BookReception final : public kernel::ReceptionPort {
 public:
  Result<void> set(net::InterfaceIndex device, kernel::Reception reception, bool on) override;

  Lines lines;  // "2 all-multicast on"
  bool fails = false;
};

class RouterTest : public testing::Test {
 protected:
  RouterTest();
  ~RouterTest() override;

  // The plan: module a (and b) with global block "ga" ("gb"), eth0 with block "a0" for a.
  static Plan plan_of_one();
  static Plan plan_of_two();
  static ModulePlan module(std::string name, std::uint32_t protocol);
  static InterfacePlan interface(std::string name,
                                 std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks);

  void make_router();
  Outcome start(const Plan& plan);
  void settle();  // steps until nothing is left to do
  // Stops, and lets the modules go.
  void stop();

  // The kernel's side.
  net::InterfaceIndex add_link(const std::string& name);
  void remove_link(net::InterfaceIndex link);
  void set_up(net::InterfaceIndex link, bool up);
  void add_address(net::InterfaceIndex link, std::string_view address, std::uint8_t length = 24);
  void remove_address(net::InterfaceIndex link, std::string_view address, std::uint8_t length = 24);

  static bool is_loaded(const std::string& path);

  TestClock clock_;
  kernel::ScriptedPort kernel_;
  BookStore store_;
  BookReception reception_;
  LogCapture log_{process_log(), LogLevel::kInfo};
  Script a_, b_;
  int wakes_ = 0;
  std::unique_ptr<Quarantine> quarantine_;
  std::unique_ptr<Router> router_;
};

// Of a book: the first words of each line.
Lines functions_of(const Lines& book);
// Those lines that begin with the function's name.
Lines lines_of(const Lines& book, std::string_view function);

}  // namespace turnpike::router::test

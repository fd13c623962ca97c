// Script: what a scripted module does, and the book of what was asked of it. The test owns one for each protocol; the
// module (scripted_module.cpp) finds it by `router_test_script`, which the test program exports.
//
// Left alone, a scripted module does all that the contract asks of one: it keeps the settings that it is given and
// tells them, and says NO_ERROR. A test changes its answers by the function's name, or hooks in.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "router/protocol.h"

namespace turnpike::router::test {

class __attribute__((visibility("default"))) Script {
 public:
  // --- for the test, before or between calls
  // --------------------------------------------------------------------------

  std::map<std::string, DWORD> answers;  // by function; NO_ERROR where it is not named
  std::function<void(MPR_ROUTING_CHARACTERISTICS&, MPR_SERVICE_CHARACTERISTICS&)> at_registration;
  std::function<void(const std::string& function)> at_call;  // on the caller's thread, before it is written down

  // What the module was given.
  HANDLE event = nullptr;
  SUPPORT_FUNCTIONS support{};
  PSUPPORT_FUNCTIONS support_pointer = nullptr;
  std::string global;
  std::map<ULONG, std::string> interfaces;

  // Puts a message into the queue; `signal` says so to the router.
  void post(unsigned what, const MESSAGE& message = {}, bool signal = true);

  // The book since the last call, but for GetEventMessage, which is kept apart.
  std::vector<std::string> told() { return take(lines_); }
  std::vector<std::string> asked_for_messages() { return take(messages_asked_); }

  // --- for the module
  // -------------------------------------------------------------------------------------------------

  DWORD note(const std::string& function, const std::string& arguments = "");
  bool next(ROUTING_PROTOCOL_EVENTS& what, MESSAGE& message);

 private:
  std::vector<std::string> take(std::vector<std::string>& lines);

  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<std::string> messages_asked_;
  std::deque<std::pair<unsigned, MESSAGE>> queue_;
};

}  // namespace turnpike::router::test

// Null: the test has no script for that protocol, and RegisterProtocol says ERROR_NOT_SUPPORTED.
extern "C" __attribute__((visibility("default"))) turnpike::router::test::Script* router_test_script(DWORD protocol);

// A log record as bytes, in the three forms that the sinks write. Pure functions: what a sink may get wrong about
// escaping can be tested and fuzzed here, without a descriptor.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

namespace turnpike {

enum class LogPrefix : std::uint8_t {
  kTimeAndLevel,  // "2024-05-06T07:08:09.123456Z warning "
  kPriority,      // "<4>", for a standard error that a service manager reads (sd-daemon(3)); it adds the time itself
};

// One line for a person:
//   2024-05-06T07:08:09.123456Z warning kernel: netlink overrun socket=3 peer="two words"
// A value is quoted where it would be ambiguous otherwise. Control characters come out as \n, \t or \xNN, so no value
// can start a line of its own or talk to a terminal; bytes that are not UTF-8 come out as U+FFFD, one for each.
void append_human(std::string& out, const LogRecord& record, LogPrefix prefix);

// One JSON object (RFC 8259) and a newline:
//   {"time":"2024-05-06T07:08:09.123456Z","level":"warning","room":"kernel","message":"netlink overrun","socket":3}
// Numbers and booleans stay what they are; a number that JSON does not have (nan, inf) is null. A key that a call gives
// twice stands there twice.
void append_json(std::string& out, const LogRecord& record);

// One datagram for journald (systemd.io/JOURNAL_NATIVE_PROTOCOL): PRIORITY, MESSAGE, SYSLOG_IDENTIFIER, TURNPIKE_ROOM,
// and TURNPIKE_<KEY> for each field. Values go out as they are, any bytes: one with a newline in the length-prefixed
// form. Fields are prefixed because names such as MESSAGE_ID or OBJECT_PID mean something to the journal.
void append_journal(std::string& out, const LogRecord& record, std::string_view identifier);

}  // namespace turnpike

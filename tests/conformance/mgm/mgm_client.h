// What every conformance test of MGM stands on: registered clients that write down what they are told, one line each,
// all into one book; routes in the multicast view; packets; and the books that must balance when a test ends.
//
// Written from docs/contract/mgm.md and the public headers alone: nothing here may know how the library works. The
// forwarder is the one in memory (turnpike/testing.h), in the place of the kernel's.
//
// mgm.h gives callbacks no context, so each client has a place of its own among compiled functions (`kPlaces` of them).
#ifndef TURNPIKE_TESTS_CONFORMANCE_MGM_CLIENT_H
#define TURNPIKE_TESTS_CONFORMANCE_MGM_CLIENT_H

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <mgm.h>
#include <rtmv2.h>
#include <turnpike/mgm.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <functional>
#include <string>
#include <vector>

namespace turnpike::conformance {

inline const HANDLE kGarbage = reinterpret_cast<HANDLE>(0x1234567);  // NOLINT: a number that no library gave out
inline const HANDLE kInvalid = reinterpret_cast<HANDLE>(-1);         // NOLINT: INVALID_HANDLE_VALUE

constexpr DWORD kJoin = MGM_JOIN_STATE_FLAG;
constexpr DWORD kForward = MGM_FORWARD_STATE_FLAG;
constexpr DWORD kIgmp = 10;  // PROTO_IP_IGMP
constexpr DWORD kAllOnes = 0xffffffff;

/// "10.0.0.1", or "*" for any.
DWORD ip(const std::string& text);
std::string text_of(DWORD address);
inline DWORD mask_of(DWORD address) { return address == 0 ? 0 : kAllOnes; }

/// What a membership or an entry is about.
struct Key {
  DWORD source;
  DWORD group;
};
inline Key key(const std::string& source, const std::string& group) { return {ip(source), ip(group)}; }
inline Key any_source(const std::string& group) { return key("*", group); }
inline Key anything() { return key("*", "*"); }

using Lines = std::vector<std::string>;

/// What clients were told since the last call: "p: join (*,239.1.1.1) TRUE".
Lines told();

struct RpfCall {
  PDWORD index;
  PDWORD next_hop;
  PDWORD upstream;
  DWORD header_size;
  PBYTE header;
  RTM_DEST_INFO* route;
};

struct Hooks {
  std::function<void()> on_any;
  std::function<void()> on_switch;  // inside DISABLE and ENABLE
  std::function<void(const RpfCall&)> on_rpf;
  std::function<void(MGM_IF_ENTRY*, DWORD)> on_creation;
  std::function<void(PDWORD)> on_prune;  // the time-out
};

/// A registered protocol, handed to a call as its handle. Leaves at the end of the scope, with its interfaces.
class Protocol {
 public:
  explicit Protocol(const std::string& name, DWORD protocol = 0, DWORD component = 0, bool silent = false);
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  ~Protocol();

  operator HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)
  Hooks* operator->() const;
  DWORD id() const { return id_; }

  DWORD take(DWORD index, DWORD next_hop = 0) const;
  DWORD release(DWORD index, DWORD next_hop = 0) const;
  DWORD add(const Key& key, DWORD index, DWORD flags = kJoin, DWORD next_hop = 0) const;
  DWORD remove(const Key& key, DWORD index, DWORD flags = kJoin, DWORD next_hop = 0) const;
  /// Each must succeed.
  void holds(std::initializer_list<DWORD> indexes);
  DWORD deregister();

  /// What an enumeration shows, sorted: "(*,239.1.1.1)".
  Lines groups(MGM_ENUM_TYPES type = ALL_SOURCES) const;

 private:
  DWORD id_;
  int place_ = -1;
  HANDLE handle_ = nullptr;
  mutable std::vector<std::pair<DWORD, DWORD>> held_;
};

/// The callbacks of one place, as MGM is given them.
ROUTING_PROTOCOL_CONFIG config_at(int place);

/// A route of the multicast view, as long as this lives.
class Way {
 public:
  Way(const std::string& network, int length, DWORD index, const std::string& neighbour = "*");
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  ~Way();
  RTM_ENTITY_HANDLE entity() const { return entity_; }
  static constexpr DWORD kProtocol = 4242;

 private:
  RTM_ENTITY_HANDLE entity_ = nullptr;
};

/// A packet comes in; the devices where it leaves, in order, or {kNoEntry}.
constexpr DWORD kNoEntry = kAllOnes;
std::vector<DWORD> packet(const Key& key, DWORD index);
/// What the forwarder has: "9 -> 7 10", or "none". The first number is the incoming interface.
std::string forwarded(const Key& key);

/// An entry as MgmGetMfe shows it. `code` is what the call answered.
struct Mfe {
  DWORD code = NO_ERROR;
  MIB_IPMCAST_MFE head{};
  std::vector<DWORD> out;  // indexes
};
Mfe mfe(const Key& key);
std::string shown(const Key& key);

struct Stats {
  DWORD code = NO_ERROR;
  MIB_IPMCAST_MFE_STATS_EX head{};
  std::vector<MIB_IPMCAST_OIF_STATS> out;
};
Stats stats(const Key& key);

TP_MGM_STATUS status();
inline void pass(uint32_t seconds) { ASSERT_EQ(TpClockAdvance(seconds * 1000), 1); }

/// Turns the clock, has devices 1 to 60, and checks that nothing is left when a test's clients are gone.
class MgmTest : public ::testing::Test {
 protected:
  MgmTest();
  ~MgmTest() override;
};

}  // namespace turnpike::conformance

#endif

// Support functions: what a module may ask of the router, from any thread, while it runs.
//
// The documented functions have no argument that says who calls, yet the answer depends on it (a module may not address
// itself, and names a peer of its own transport), and a module that has stopped must be refused. So each running
// protocol gets a set of functions of its own: a *seat* is one of a fixed number of sets that the compiler wrote out,
// and the function's address tells the seat. Rejected: looking up the caller's library by the return address; a call
// that the compiler made a jump has another one, and a library may serve two protocols.
//
// A seat that was left refuses every call with ERROR_ROUTER_STOPPED, and is given to nobody else while a thread is
// inside one of its functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dim/terms.h"
#include "router/protocol.h"

namespace turnpike::router {

struct Caller {
  dim::TransportId transport = dim::TransportId::kIp;
  std::uint32_t protocol = 0;
};

enum class MibCall : std::uint8_t { kCreate, kDelete, kSet, kGet, kGetFirst, kGetNext };

// A MIB request as it is passed on, unread. Of the first three calls nothing comes back.
struct MibRequest {
  MibCall call = MibCall::kGet;
  DWORD in_size = 0;
  void* in = nullptr;
  DWORD* out_size = nullptr;  // in: room, out: bytes that are needed or written
  void* out = nullptr;
};

// Who answers. Called on the module's threads, several at a time.
class Support {
 public:
  Support() = default;
  Support(const Support&) = delete;
  Support& operator=(const Support&) = delete;
  virtual ~Support() = default;

  virtual DWORD demand_dial(const Caller& caller, DWORD protocol, DWORD interface_index) = 0;
  virtual DWORD set_receive_type(const Caller& caller, DWORD protocol, DWORD interface_index, DWORD type, bool on) = 0;
  virtual DWORD validate_route(const Caller& caller, DWORD protocol, void* route, void* destination) = 0;
  virtual DWORD mib(const Caller& caller, DWORD routing_pid, const MibRequest& request) = 0;
  virtual DWORD router_id(const Caller& caller) = 0;
  virtual bool has_boundary(const Caller& caller, DWORD interface_index, DWORD group) = 0;
};

class Seat {
 public:
  static constexpr std::size_t kSeats = 64;

  // None left: a seat without functions.
  static Seat take(Support& support, const Caller& caller);

  Seat() = default;
  Seat(Seat&& other) noexcept : number_(other.number_) { other.number_ = kSeats; }
  Seat& operator=(Seat&& other) noexcept;
  ~Seat();  // closed, and given up for ever if a thread is still inside

  [[nodiscard]] SUPPORT_FUNCTIONS* functions() const;  // null without a seat; valid until the seat is left
  void close();                                        // from now on calls are refused
  [[nodiscard]] bool is_empty() const;                 // nobody is inside

 private:
  explicit Seat(std::size_t number) : number_(number) {}

  std::size_t number_ = kSeats;
};

}  // namespace turnpike::router

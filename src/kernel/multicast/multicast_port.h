// MulticastPort: the multicast routing of one kernel table, as the multicast manager's forwarder: its virtual
// interfaces and entries go in, its upcalls come out.
//
// The kernel knows one owner for each table and family: the socket that said MRT_INIT. So opening a port may be refused
// because somebody else has the table; `holder` then says who. Several ports for several tables live side by side.
//
// With `keep`, a turnpike-keeper that runs here holds a second descriptor of the socket. When this process dies, the
// table stays as it is, and the next port that is opened with `keep` takes it over: virtual interfaces that the manager
// adds are the standing ones, entries that it puts replace the standing ones without a gap, and when everything has
// been claimed, `sweep` removes the rest.
//
// Virtual interfaces are numbered by the manager and, for itself, by the kernel. The port holds which is which, because
// a table that is taken over from an earlier life has numbers of its own.
//
// A device that is deleted takes its virtual interface along; the entries that name it stay, as the kernel has it. The
// port keeps the number for the manager until that gives it up, and makes the virtual interface again if a device of
// the same index comes back (one that went to another network namespace and returns).
//
// A port may be called from any thread, `read` from one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "mgm/forwarder_port.h"
#include "net/address.h"
#include "net/interface_index.h"

namespace turnpike::kernel {

struct MulticastOptions {
  net::Family family = net::Family::kIpv4;
  std::uint32_t table = 0;       // 0: the one that packets go to without a rule; below 1,000,000,000
  bool keep = false;             // over the end of this process, where a turnpike-keeper runs
  bool wrong_interface = false;  // tell of packets that came in on another interface than their entry's
  // Of upcalls, in bytes. It is forced beyond the system's limit where that is permitted: the default of Linux holds
  // some 250 upcalls, and what does not fit is lost for ten seconds.
  std::size_t receive_buffer = std::size_t{64} << 20;
};

// ---------------------------------------------------------------------------------------------------------------------
// Upcalls

enum class UpcallKind : std::uint8_t {
  kUnknownFlow,     // NOCACHE: no entry matches; the packet waits for one
  kWrongInterface,  // WRONGVIF
  kWholePacket,     // WHOLEPKT: for who tunnels to a rendezvous point
  kWholeWrong,      // WRVIFWHOLE
};

struct Upcall {
  UpcallKind kind = UpcallKind::kUnknownFlow;
  mgm::Flow flow;
  mgm::Vif vif = mgm::kNoVif;  // the kernel's number, or, from a port, the manager's; kNoVif: nobody's
  // IPv4: the IP header with its options, but for what the kernel overwrites (length, TTL, protocol, checksum). IPv6:
  // empty, for the kernel tells nothing but the addresses.
  std::span<const std::byte> header;
};

// Reads what a multicast routing socket received. Total: kUnsupported for a packet of the protocol itself (a host's
// IGMP report), kInvalidArgument for what is no upcall.
Result<Upcall> decode_upcall(net::Family family, std::span<const std::byte> datagram);

class UpcallListener {
 public:
  UpcallListener() = default;
  UpcallListener(const UpcallListener&) = delete;
  UpcallListener& operator=(const UpcallListener&) = delete;
  virtual ~UpcallListener() = default;

  // Values live as long as the call. May call the port.
  virtual void on_upcall(const Upcall& upcall) = 0;
};

// ---------------------------------------------------------------------------------------------------------------------
// The port

struct VifCounters {
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;
};

struct MulticastStatus {
  std::uint64_t upcalls = 0;          // that were read
  std::uint64_t upcalls_lost = 0;     // for want of room in the socket's buffer
  std::uint64_t upcalls_ignored = 0;  // about an interface that nobody holds, or not readable
  std::uint64_t vifs_lost = 0;        // whose device went while somebody held it, and has not come back
  std::size_t receive_buffer = 0;     // bytes that were granted, as the kernel counts them
  bool kept = false;                  // turnpike-keeper holds the socket too
  std::uint64_t taken_over = 0;       // entries of an earlier life that stood when the port was opened
  std::uint64_t unclaimed = 0;        // of them, what the manager has neither put nor removed
};

class MulticastPort : public mgm::Forwarder {
 public:
  // Readable when upcalls wait.
  [[nodiscard]] virtual int descriptor() const = 0;

  // Hands over the upcalls that wait, without waiting, at most about `most`. Gives how many were read; 0: none waits.
  virtual Result<std::size_t> read(UpcallListener& listener, std::size_t most) = 0;

  // What the kernel's link news are: this device has gone, or is there (perhaps again). A failure to make a virtual
  // interface again is an errno, and is tried with the next news.
  virtual void device_gone(net::InterfaceIndex device) = 0;
  virtual Result<void> device_there(net::InterfaceIndex device) = 0;
  // The devices that the port needs news of.
  [[nodiscard]] virtual std::vector<net::InterfaceIndex> devices() const = 0;

  // kNotFound: no virtual interface of ours is on it. kKernel.
  virtual Result<VifCounters> device_counters(net::InterfaceIndex device) = 0;

  // Entries of an earlier life that nobody has claimed, each with the virtual interface of the manager's where its
  // packets come in; kNoVif: nobody holds that device.
  struct Unclaimed {
    mgm::Flow flow;
    mgm::Vif parent = mgm::kNoVif;
  };
  [[nodiscard]] virtual std::vector<Unclaimed> unclaimed() const = 0;
  // Takes what is left of the earlier life out of the kernel.
  virtual void sweep() = 0;

  // Where the port is to be kept and is not (turnpike-keeper was not there, or has gone): tries again.
  virtual void seek_keeper() = 0;

  [[nodiscard]] virtual MulticastStatus status() const = 0;

  // Takes every entry and virtual interface of the table out of the kernel. The port is of no use afterwards.
  virtual void stop() = 0;
};

// In the network namespace of the calling thread. kBusy: another socket has the table, and `holder` says whose, as far
// as that can be found out: "process 4711 (pimd)". kDenied: no CAP_NET_ADMIN (or CAP_NET_RAW). kUnsupported: a kernel
// without multicast routing, or without several tables. kInvalidArgument: no such table can be. kKernel.
Result<std::unique_ptr<MulticastPort>> open_multicast_port(const MulticastOptions& options, std::string& holder);

}  // namespace turnpike::kernel

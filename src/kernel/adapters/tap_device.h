// The far end of a TUN or TAP interface: a descriptor of /dev/net/tun. What the host sends out of the interface is read
// there; what is written there arrives at the host's stack.
//
// An interface of somebody else's making (`ip tuntap add`) is there while nobody is at its far end, and anybody whom it
// belongs to may go there, one at a time. One of our own making is there as long as its descriptor.
#pragma once

#include "base/descriptor.h"
#include "kernel/adapters/adapter_opening.h"

namespace turnpike::kernel {

// Goes to the far end of an interface that is there. kBusy: somebody is; kUnsupported: it is no TUN or TAP interface;
// kNotFound: it has gone; kDenied: the process may not, and the log says why; kKernel, also where /dev/net/tun is not.
Result<Descriptor> attach_tap(const AdapterOpening& opening);

struct OwnTap {
  Descriptor device;
  net::InterfaceIndex index;
};

// Makes an interface, down, without addresses: TAP for k802_3, TUN for kIp. kAlreadyExists; kInvalidArgument: no name
// for an interface; kDenied: the log says why; kKernel.
Result<OwnTap> make_tap(const NetNamespace& where, const std::string& name, ndis::Medium medium);

// Where a station at the far end stands, told as facts of its adapter. Its address is not the host's: two stations on a
// wire have two, and the host would take its own frames for foreign ones and back. It is made of the host's by turning
// a bit of the part that no vendor owns, so it is the same each time and needs nobody to remember it; as with libvirt,
// whose guests and hosts differ in their first byte, too. And its wire is whole while the host's end is up: the
// kernel's carrier says no more than that somebody is at the far end, which we shall be, and not before we have opened.
// That the near end is a port of a bridge, and promiscuous for it, concerns the host alone.
[[nodiscard]] ndis::AdapterFacts seen_from_far_end(ndis::AdapterFacts facts);

// How many frames wait for whoever is at the far end (the interface's txqueuelen), beyond which the kernel drops them.
[[nodiscard]] std::uint32_t queue_length_of_tap(const AdapterOpening& opening);

}  // namespace turnpike::kernel

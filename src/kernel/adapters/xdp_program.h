// The program of AF_XDP: which frames the socket in a map gets, made of what the bindings of an adapter want together.
// All others pass on to the host. Like reception_program.h it lets too much come rather than too little: a frame to any
// single station comes where those to us are wanted, since our own address may change.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "ndis/port.h"

namespace turnpike::kernel {

// `map` is a descriptor of an XSKMAP that has the socket at the place of its queue.
[[nodiscard]] std::vector<bpf_insn> xdp_program(const ndis::Reception& wanted, int map);

}  // namespace turnpike::kernel

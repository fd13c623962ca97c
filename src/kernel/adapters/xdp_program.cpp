#include "kernel/adapters/xdp_program.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;

enum Register : std::uint8_t { kResult, kArgument1, kArgument2, kArgument3, kScratch, kField, kContext };

// What the frame's bytes are when they are loaded as a number of this machine.
std::int32_t as_loaded(std::uint32_t value, std::size_t size) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<std::uint8_t>(value >> 8 * (size - 1 - at));
  if constexpr (std::endian::native == std::endian::big) {
    if (size == 2) return static_cast<std::int32_t>(value);
  }
  std::int32_t loaded = 0;
  std::memcpy(&loaded, bytes.data(), sizeof loaded);
  return loaded;
}

class Program {
 public:
  enum Label : std::uint8_t { kPass, kRedirect, kNext, kLabels };

  void load(Register to, Register from, std::uint8_t size, std::int16_t offset) {
    put(static_cast<std::uint8_t>(BPF_LDX | BPF_MEM | size), to, from, offset, 0);
  }
  void move(Register to, Register from) { put(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void add(Register to, std::int32_t value) { put(BPF_ALU64 | BPF_ADD | BPF_K, to, kResult, 0, value); }
  void mask(Register to, std::int32_t value) { put(BPF_ALU64 | BPF_AND | BPF_K, to, kResult, 0, value); }
  void set(Register to, std::int32_t value) { put(BPF_ALU64 | BPF_MOV | BPF_K, to, kResult, 0, value); }
  void go(Label label) { jump(BPF_JMP | BPF_JA, kResult, kResult, 0, label); }
  void go_if_above(Register one, Register other, Label label) { jump(BPF_JMP | BPF_JGT | BPF_X, one, other, 0, label); }
  void go_if(Register one, std::int32_t value, Label label) {
    jump(BPF_JMP32 | BPF_JEQ | BPF_K, one, kResult, value, label);
  }
  void go_unless(Register one, std::int32_t value, Label label) {
    jump(BPF_JMP32 | BPF_JNE | BPF_K, one, kResult, value, label);
  }
  // What goes to `label` goes here.
  void here(Label label) {
    for (const std::size_t from : waiting_[label]) all_[from].off = static_cast<std::int16_t>(all_.size() - from - 1);
    waiting_[label].clear();
  }
  void put(std::uint8_t code, Register to, Register from, std::int16_t offset, std::int32_t value) {
    bpf_insn one{};
    one.code = code;
    one.dst_reg = to & 0xf;
    one.src_reg = from & 0xf;
    one.off = offset;
    one.imm = value;
    all_.push_back(one);
  }
  std::vector<bpf_insn> take() { return std::move(all_); }

 private:
  void jump(std::uint8_t code, Register one, Register other, std::int32_t value, Label label) {
    waiting_[label].push_back(all_.size());
    put(code, one, other, 0, value);
  }

  std::vector<bpf_insn> all_;
  std::array<std::vector<std::size_t>, kLabels> waiting_;
};

// Leaves the frame's beginning in kArgument2; goes on for frames of the types, tagged or not.
void ask_type(Program& program, std::span<const std::uint16_t> types) {
  program.load(kField, kArgument2, BPF_H, 12);
  if (types.empty()) return;
  for (const std::uint32_t tag : {0x8100U, 0x88a8U}) {
    program.go_unless(kField, as_loaded(tag, 2), Program::kNext);
    program.move(kScratch, kArgument2);
    program.add(kScratch, 18);
    program.go_if_above(kScratch, kArgument3, Program::kPass);
    program.load(kField, kArgument2, BPF_H, 16);
    program.here(Program::kNext);
  }
  for (const std::uint16_t each : types) program.go_if(kField, as_loaded(each, 2), Program::kNext);
  program.go(Program::kPass);
  program.here(Program::kNext);
}

void ask_destination(Program& program, const ndis::Reception& wanted) {
  const auto answer = [&](std::uint32_t bits) {
    return wanted.everything || (wanted.filter & (bits | type::kPromiscuous | type::kAllLocal)) != 0
               ? Program::kRedirect
               : Program::kPass;
  };
  program.load(kField, kArgument2, BPF_B, 0);
  program.mask(kField, 1);
  program.go_if(kField, 0, answer(type::kDirected));
  program.load(kField, kArgument2, BPF_W, 0);
  program.load(kScratch, kArgument2, BPF_H, 4);
  program.go_unless(kField, -1, Program::kNext);
  program.go_if(kScratch, 0xffff, answer(type::kBroadcast));
  program.here(Program::kNext);
  if (answer(type::kAllMulticast) == Program::kRedirect) return program.go(Program::kRedirect);
  if ((wanted.filter & type::kMulticast) != 0) {
    for (const net::MacAddress& group : wanted.groups) {
      const auto& bytes = group.bytes();
      std::int32_t first = 0;
      std::uint16_t second = 0;
      std::memcpy(&first, bytes.data(), 4);
      std::memcpy(&second, bytes.data() + 4, 2);
      program.go_unless(kField, first, Program::kNext);
      program.go_if(kScratch, second, Program::kRedirect);
      program.here(Program::kNext);
    }
  }
  program.go(Program::kPass);
}

}  // namespace

std::vector<bpf_insn> xdp_program(const ndis::Reception& wanted, int map) {
  Program program;
  program.move(kContext, kArgument1);
  program.load(kArgument2, kContext, BPF_W, offsetof(xdp_md, data));
  program.load(kArgument3, kContext, BPF_W, offsetof(xdp_md, data_end));
  program.move(kScratch, kArgument2);
  program.add(kScratch, 14);
  program.go_if_above(kScratch, kArgument3, Program::kPass);
  ask_type(program, wanted.frame_types);
  ask_destination(program, wanted);
  program.here(Program::kRedirect);
  program.put(BPF_LD | BPF_DW | BPF_IMM, kArgument1, static_cast<Register>(BPF_PSEUDO_MAP_FD), 0, map);
  program.put(0, kResult, kResult, 0, 0);
  program.load(kArgument2, kContext, BPF_W, offsetof(xdp_md, rx_queue_index));
  program.set(kArgument3, XDP_PASS);
  program.put(BPF_JMP | BPF_CALL, kResult, kResult, 0, BPF_FUNC_redirect_map);
  program.put(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0);
  program.here(Program::kPass);
  program.set(kResult, XDP_PASS);
  program.put(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0);
  return program.take();
}

}  // namespace turnpike::kernel

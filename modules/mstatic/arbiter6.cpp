// IPv6: turnpike/mgm6.h.
#include <sys/socket.h>

#include <cstring>

#include "arbiter.h"
#include "settings.h"
#include "turnpike/mgm6.h"

namespace turnpike::modules {
namespace {

TP_MGM6_ADDRESS to(const TpModuleAddress& address) {
  TP_MGM6_ADDRESS out;
  std::memcpy(out.bytes, address.address, sizeof out.bytes);
  return out;
}

TpModuleAddress of(const TP_MGM6_ADDRESS& address) {
  TpModuleAddress out = any_address(AF_INET6);
  std::memcpy(out.address, address.bytes, sizeof out.address);
  return out;
}

TP_MGM6_FLOW to(const Flow& flow) { return {to(flow.source), to(flow.group)}; }
Flow of(const TP_MGM6_FLOW& flow) { return {of(flow.group), of(flow.source)}; }
TP_MGM6_INTERFACE at(std::uint32_t index) { return {index, {}}; }

const Rules& rules_in(void* context) { return *static_cast<const Rules*>(context); }

void on_rpf(void* context, const TP_MGM6_FLOW* flow, TP_MGM6_RPF* rpf) {
  const std::uint32_t view = rpf->incoming.index;
  const std::uint32_t in = rules_in(context).ask([&](const RuleSet& now) { return now.incoming(of(*flow), view); });
  if (in == view) return;
  rpf->incoming = at(in);
  rpf->upstream = {};
}

void on_created(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* incoming, TP_MGM6_OUT* out,
                std::uint32_t count) {
  rules_in(context).ask([&](const RuleSet& now) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t index = out[i].at.index;
      // What hosts behind it want by MLD is theirs to have.
      if (out[i].has_mld == 0 && now.has_member(of(*flow), index) && !now.leaves(of(*flow), incoming->index, index)) {
        out[i].enabled = 0;
      }
    }
    return 0;
  });
}

class Arbiter6 final : public Arbiter {
 public:
  using Arbiter::Arbiter;
  ~Arbiter6() override { leave(); }

 private:
  DWORD enter() override {
    TP_MGM6_CALLBACKS callbacks{};
    callbacks.size = sizeof callbacks;
    callbacks.rpf = on_rpf;
    callbacks.created = on_created;
    return TpMgm6Register(&callbacks, const_cast<Rules*>(&rules_), kMstaticModule.protocol_id, 0, &self_);
  }
  DWORD quit() override { return TpMgm6Deregister(self_); }
  DWORD take(std::uint32_t index) override {
    const TP_MGM6_INTERFACE where = at(index);
    return TpMgm6TakeInterface(self_, &where);
  }
  DWORD release(std::uint32_t index) override {
    const TP_MGM6_INTERFACE where = at(index);
    return TpMgm6ReleaseInterface(self_, &where);
  }
  DWORD add(const Member& member) override { return change(TpMgm6AddMembership, member); }
  DWORD remove(const Member& member) override { return change(TpMgm6DeleteMembership, member); }
  DWORD forget(const Flow& flow) override {
    const TP_MGM6_FLOW about = to(flow);
    return TpMgm6ForgetEntry(self_, &about);
  }

  DWORD change(decltype(&TpMgm6AddMembership) call, const Member& member) {
    const TP_MGM6_FLOW about = to(member.flow);
    const TP_MGM6_INTERFACE where = at(member.index);
    return call(self_, &about, &where, TP_MGM6_JOIN_STATE);
  }

  void each_entry(const Visit& visit) override {
    TP_MGM6_ENTRY entry{};
    entry.size = sizeof entry;
    TP_MGM6_FLOW last{};
    for (bool is_first = true; TpMgm6GetNextEntry(is_first ? nullptr : &last, &entry, nullptr, 0) == NO_ERROR;
         is_first = false) {
      last = entry.flow;
      visit(of(entry.flow), entry.incoming.index);
    }
  }

  void* self_ = nullptr;
};

}  // namespace

std::unique_ptr<Arbiter> make_arbiter6(const Rules& rules) { return std::make_unique<Arbiter6>(rules); }

}  // namespace turnpike::modules

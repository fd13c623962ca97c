// IPv4: mgm.h. Its callbacks have no context, so the rules that they ask have a place in the library.
#include "arbiter.h"
#include "settings.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstring>
#include <vector>

// After windows.h.
#include <mgm.h>

#include "turnpike/mgm.h"

namespace turnpike::modules {
namespace {

constexpr std::size_t kPage = 64 << 10;  // bytes of entries at a time
constexpr DWORD kAll = 0xFFFFFFFF;

std::atomic<const Rules*> asked{nullptr};

DWORD number_of(const TpModuleAddress& address) {
  DWORD number = 0;
  std::memcpy(&number, address.address, sizeof number);
  return number;
}

TpModuleAddress address_of(DWORD number) {
  TpModuleAddress address = any_address(AF_INET);
  std::memcpy(address.address, &number, sizeof number);
  return address;
}

DWORD mask_of(DWORD number) { return number == 0 ? 0 : kAll; }
Flow flow_of(DWORD group, DWORD source) { return {address_of(group), address_of(source)}; }

DWORD WINAPI on_rpf(DWORD source, DWORD, DWORD group, DWORD, PDWORD index, PDWORD, PDWORD upstream, DWORD, PBYTE,
                    PBYTE) {
  const Rules* rules = asked;
  if (rules == nullptr) return NO_ERROR;
  const DWORD view = *index;
  *index = rules->ask([&](const RuleSet& now) { return now.incoming(flow_of(group, source), view); });
  if (*index != view) *upstream = 0;
  return NO_ERROR;
}

DWORD WINAPI on_creation(DWORD source, DWORD, DWORD group, DWORD, DWORD index, DWORD, DWORD count,
                         PMGM_IF_ENTRY interfaces) {
  const Rules* rules = asked;
  if (rules == nullptr) return NO_ERROR;
  rules->ask([&](const RuleSet& now) {
    const Flow flow = flow_of(group, source);
    for (DWORD i = 0; i < count; ++i) {
      const DWORD out = interfaces[i].dwIfIndex;
      // What hosts behind it want by IGMP is theirs to have.
      if (interfaces[i].bIGMP == FALSE && now.has_member(flow, out) && !now.leaves(flow, index, out)) {
        interfaces[i].bIsEnabled = FALSE;
      }
    }
    return 0;
  });
  return NO_ERROR;
}

class Arbiter4 final : public Arbiter {
 public:
  using Arbiter::Arbiter;
  ~Arbiter4() override { leave(); }

 private:
  DWORD enter() override {
    ROUTING_PROTOCOL_CONFIG config{};
    config.pfnRpfCallback = on_rpf;
    config.pfnCreationAlertCallback = on_creation;
    asked = &rules_;
    return MgmRegisterMProtocol(&config, kMstaticModule.protocol_id, 0, &self_);
  }
  DWORD quit() override {
    const DWORD status = MgmDeRegisterMProtocol(self_);
    asked = nullptr;
    return status;
  }
  DWORD take(std::uint32_t index) override { return MgmTakeInterfaceOwnership(self_, index, 0); }
  DWORD release(std::uint32_t index) override { return MgmReleaseInterfaceOwnership(self_, index, 0); }
  DWORD add(const Member& member) override { return change(MgmAddGroupMembershipEntry, member); }
  DWORD remove(const Member& member) override { return change(MgmDeleteGroupMembershipEntry, member); }
  DWORD forget(const Flow& flow) override {
    return TpMgmForgetEntry(self_, number_of(flow.source), number_of(flow.group));
  }

  DWORD change(decltype(&MgmAddGroupMembershipEntry) call, const Member& member) {
    const DWORD source = number_of(member.flow.source);
    const DWORD group = number_of(member.flow.group);
    return call(self_, source, mask_of(source), group, mask_of(group), member.index, 0, MGM_JOIN_STATE_FLAG);
  }

  void each_entry(const Visit& visit) override {
    std::vector<BYTE> page(kPage);
    MIB_IPMCAST_MFE last{};
    bool is_first = true;
    for (DWORD status = ERROR_MORE_DATA; status == ERROR_MORE_DATA || status == NO_ERROR; is_first = false) {
      auto room = static_cast<DWORD>(page.size());
      DWORD count = 0;
      status = is_first ? MgmGetFirstMfe(&room, page.data(), &count) : MgmGetNextMfe(&last, &room, page.data(), &count);
      if (count == 0) return;
      const BYTE* at = page.data();
      for (DWORD i = 0; i < count; ++i) {
        std::memcpy(&last, at, SIZEOF_BASIC_MIB_MFE);
        visit(flow_of(last.dwGroup, last.dwSource), last.dwInIfIndex);
        at += SIZEOF_MIB_MFE(last.ulNumOutIf);
      }
    }
  }

  HANDLE self_ = nullptr;
};

}  // namespace

std::unique_ptr<Arbiter> make_arbiter4(const Rules& rules) { return std::make_unique<Arbiter4>(rules); }

}  // namespace turnpike::modules

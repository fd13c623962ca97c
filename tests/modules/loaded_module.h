// A module as a router manager plays with it: loaded from its file, and called by what its RegisterProtocol gave out.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include <windows.h>
// After it.
#include <arpa/inet.h>
#include <routprot.h>

#include "turnpike/module.h"

namespace turnpike::modules {

inline TpModuleAddress address(const std::string& text, int bits = -1) {
  TpModuleAddress made{};
  const bool four = text.find(':') == std::string::npos;
  made.family = four ? AF_INET : AF_INET6;
  made.bits = static_cast<std::uint16_t>(bits >= 0 ? bits : four ? 32 : 128);
  EXPECT_EQ(inet_pton(made.family, text.c_str(), made.address), 1) << text;
  return made;
}

class LoadedModule : public ::testing::Test {
 protected:
  LoadedModule(const char* path, DWORD protocol) : path_(path), protocol_(protocol) {}

  void SetUp() override {
    library_ = dlopen(path_, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library_, nullptr) << dlerror();
    register_ = reinterpret_cast<PREGISTER_PROTOCOL>(dlsym(library_, REGISTER_PROTOCOL_ENTRY_POINT_STRING));
    ASSERT_NE(register_, nullptr);
    module_ = offer();
    ASSERT_EQ(register_(&module_, &services_), DWORD{NO_ERROR});
    support_.dwVersion = MS_ROUTER_VERSION;
    event_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  }

  void TearDown() override {
    if (started_) {
      EXPECT_EQ(module_.pfnStopProtocol(), DWORD{NO_ERROR});
    }
    CloseHandle(event_);
    dlclose(library_);
  }

  [[nodiscard]] MPR_ROUTING_CHARACTERISTICS offer() const {
    MPR_ROUTING_CHARACTERISTICS made{};
    made.dwVersion = MS_ROUTER_VERSION;
    made.dwProtocolId = protocol_;
    made.fSupportedFunctionality = RF_ROUTING | RF_DEMAND_UPDATE_ROUTES | RF_ADD_ALL_INTERFACES | RF_MULTICAST;
    return made;
  }

  DWORD start(std::vector<std::uint8_t> global) {
    const DWORD status =
        module_.pfnStartProtocol(event_, &support_, global.data(), 1, static_cast<ULONG>(global.size()), 1);
    started_ = started_ || status == NO_ERROR;
    return status;
  }

  // Started and complete; interfaces have the indexes 7, 8, …, and are not enabled.
  void run(std::vector<std::uint8_t> global, const std::vector<std::wstring>& interfaces) {
    ASSERT_EQ(start(std::move(global)), DWORD{NO_ERROR});
    for (std::size_t i = 0; i < interfaces.size(); ++i) add(static_cast<ULONG>(7 + i), interfaces[i]);
    ASSERT_EQ(module_.pfnStartComplete(), DWORD{NO_ERROR});
  }

  void add(ULONG index, std::wstring name) {
    ASSERT_EQ(module_.pfnAddInterface(name.data(), index, PERMANENT, 0, 0, 0, nullptr, 1, 0, 1), DWORD{NO_ERROR});
  }

  void status(ULONG index, DWORD type, PVOID info = nullptr) {
    EXPECT_EQ(module_.pfnInterfaceStatus(index, TRUE, type, info), DWORD{NO_ERROR});
  }

  void bind(ULONG index, const std::vector<std::pair<const char*, const char*>>& addresses) {
    std::vector<std::uint64_t> room(SIZEOF_IP_BINDING(addresses.size()) / 8 + 1);
    auto* info = reinterpret_cast<IP_ADAPTER_BINDING_INFO*>(room.data());
    info->AddressCount = static_cast<ULONG>(addresses.size());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      info->Address[i] = {inet_addr(addresses[i].first), inet_addr(addresses[i].second)};
    }
    status(index, RIS_INTERFACE_ADDRESS_CHANGE, info);
  }

  DWORD set(std::vector<std::uint8_t> bytes) {
    return module_.pfnSetGlobalInfo(bytes.data(), 1, static_cast<ULONG>(bytes.size()), 1);
  }

  const char* const path_;
  const DWORD protocol_;
  void* library_ = nullptr;
  PREGISTER_PROTOCOL register_ = nullptr;
  MPR_ROUTING_CHARACTERISTICS module_{};
  MPR_SERVICE_CHARACTERISTICS services_{};
  SUPPORT_FUNCTIONS support_{};
  HANDLE event_ = nullptr;
  bool started_ = false;
};

}  // namespace turnpike::modules

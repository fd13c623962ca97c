#include "router/module.h"

#include <errhandlingapi.h>
#include <handleapi.h>
#include <libloaderapi.h>
#include <mprerror.h>
#include <synchapi.h>
#include <winerror.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "router/crash_watch.h"
#include "turnpike/event.h"

namespace turnpike::router {
namespace {

constexpr std::uint32_t kInfoVersion = 1;
constexpr unsigned kMostReadings = 8;                         // of information whose size a module tells anew each time
constexpr std::size_t kLargestInfo = std::size_t{256} << 20;  // what a module may say that it needs room for

// A C interface takes what it only reads through pointers without const.
void* unread(std::span<const std::byte> bytes) {
  return bytes.empty() ? nullptr : const_cast<std::byte*>(bytes.data());
}
ULONG size_of(std::span<const std::byte> bytes) { return static_cast<ULONG>(bytes.size()); }
ULONG count_of(std::span<const std::byte> bytes) { return bytes.empty() ? 0 : 1; }

}  // namespace

struct Module::Library {
  explicit Library(HMODULE loaded) : handle(loaded) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (handle == nullptr) return;
    if (entry != nullptr) CrashWatch::remove(entry);
    FreeLibrary(handle);
  }

  HMODULE handle;
  const void* entry = nullptr;  // something in its code
};

Module::Module(ModulePlan plan, CallWatch& watch) : plan_(std::move(plan)), watch_(watch) {}

Module::~Module() {
  const bool may_go = (state_ == State::kLoaded || state_ == State::kStopped) && is_empty();
  if (!may_go) library_->handle = nullptr;
  if (event_ != nullptr && may_go) CloseHandle(event_);
}

Refusal Module::refusal(std::string reason, std::uint32_t code) const {
  return {"module " + name(), std::move(reason), code};
}

template <class Function, class... Arguments>
std::uint32_t Module::call(const char* name, Function* function, Arguments... arguments) {
  const CallWatch::Mark mark(watch_, plan_.name.c_str(), name);
  const std::uint32_t code = function(arguments...);
  if (code != NO_ERROR) {
    TURNPIKE_LOG(LogLevel::kDebug, "router", "a module's function answers an error", {"module", plan_.name},
                 {"function", name}, {"code", code});
  }
  return code;
}

// ---------------------------------------------------------------------------------------------------------------------
// Coming

Answer<std::unique_ptr<Module>> Module::load(const ModulePlan& plan, CallWatch& watch) {
  std::unique_ptr<Module> module(new Module(plan, watch));  // allow naked-new: the constructor is private
  {
    const CallWatch::Mark mark(watch, module->plan_.name.c_str(), "DllMain");
    module->library_ = std::make_unique<Library>(LoadLibraryA(plan.path.c_str()));
  }
  if (module->library_->handle == nullptr) {
    return tl::unexpected(module->refusal("cannot be loaded from " + plan.path, GetLastError()));
  }
  if (std::optional<Refusal> refused = module->register_protocol()) return tl::unexpected(std::move(*refused));
  return module;
}

std::optional<Refusal> Module::register_protocol() {
  const FARPROC entry = GetProcAddress(library_->handle, REGISTER_PROTOCOL_ENTRY_POINT_STRING);
  if (entry == nullptr) return refusal("has no RegisterProtocol", GetLastError());
  library_->entry = reinterpret_cast<const void*>(entry);
  CrashWatch::add(library_->entry, plan_.name, plan_.path);
  functions_.dwVersion = MS_ROUTER_VERSION;
  functions_.dwProtocolId = plan_.protocol;
  functions_.fSupportedFunctionality = kOffered;
  MPR_SERVICE_CHARACTERISTICS services{};
  services.dwVersion = MS_ROUTER_VERSION;
  services.dwProtocolId = plan_.protocol;
  const auto registering = reinterpret_cast<PREGISTER_PROTOCOL>(reinterpret_cast<void (*)()>(entry));
  const std::uint32_t code = call("RegisterProtocol", registering, &functions_, &services);
  if (code != NO_ERROR) return refusal("RegisterProtocol says no", code);
  functions_.fSupportedFunctionality &= ~static_cast<DWORD>(RF_POWER);  // reserved, and without a meaning here
  return flaw_of_registration();
}

std::optional<Refusal> Module::flaw_of_registration() const {
  const MPR_ROUTING_CHARACTERISTICS& f = functions_;
  if (f.dwVersion > MS_ROUTER_VERSION) return refusal("wants a newer router");
  if (f.dwProtocolId != plan_.protocol) return refusal("registers another protocol than it was asked for");
  if ((f.fSupportedFunctionality & ~kOffered) != 0) return refusal("registers functionality that was not offered");
  const std::pair<bool, const char*> wanted[] = {
      {f.pfnStartProtocol != nullptr, "StartProtocol"},
      {f.pfnStopProtocol != nullptr, "StopProtocol"},
      {f.pfnAddInterface != nullptr, "AddInterface"},
      {f.pfnDeleteInterface != nullptr, "DeleteInterface"},
      {f.pfnInterfaceStatus != nullptr, "InterfaceStatus"},
      {f.pfnGetEventMessage != nullptr, "GetEventMessage"},
      {f.pfnGetGlobalInfo != nullptr, "GetGlobalInfo"},
      {f.pfnSetGlobalInfo != nullptr, "SetGlobalInfo"},
      {f.pfnGetInterfaceInfo != nullptr, "GetInterfaceInfo"},
      {f.pfnSetInterfaceInfo != nullptr, "SetInterfaceInfo"},
      {f.pfnUpdateRoutes != nullptr || !can(RF_DEMAND_UPDATE_ROUTES), "DoUpdateRoutes"},
      {f.pfnGetNeighbors != nullptr || !can(RF_MULTICAST), "GetNeighbors"},
      {f.pfnGetMfeStatus != nullptr || !can(RF_MULTICAST), "GetMfeStatus"},
  };
  for (const auto& [is_there, name] : wanted) {
    if (!is_there) return refusal(std::string("has no ") + name);
  }
  return std::nullopt;
}

std::uint32_t Module::start(Support& support, std::span<const std::byte> global_info) {
  seat_ = Seat::take(support, {plan_.transport, plan_.protocol});
  event_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  descriptor_ = event_ == nullptr ? -1 : TpEventDescriptor(event_);
  if (seat_.functions() == nullptr || descriptor_ < 0) return ERROR_NOT_ENOUGH_MEMORY;
  gate_.open();
  const std::uint32_t code = call("StartProtocol", functions_.pfnStartProtocol, event_, seat_.functions(),
                                  unread(global_info), kInfoVersion, size_of(global_info), ULONG{1});
  if (code == NO_ERROR) {
    state_ = State::kRunning;
  } else {
    gate_.close();
    seat_.close();
  }
  return code;
}

void Module::start_complete() {
  if (functions_.pfnStartComplete != nullptr) (void)call("StartComplete", functions_.pfnStartComplete);
}

// ---------------------------------------------------------------------------------------------------------------------
// Going

std::uint32_t Module::stop() {
  gate_.close();
  state_ = State::kStopping;
  const std::uint32_t code = call("StopProtocol", functions_.pfnStopProtocol);
  if (code == NO_ERROR) {
    has_stopped();
  } else if (code != ERROR_PROTOCOL_STOP_PENDING) {
    abandon();
  }
  return code;
}

void Module::has_stopped() {
  gate_.close();
  seat_.close();
  state_ = State::kStopped;
}

void Module::abandon() {
  gate_.close();
  seat_.close();
  state_ = State::kAbandoned;
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

bool Module::take_signal() { return event_ != nullptr && WaitForSingleObject(event_, 0) == WAIT_OBJECT_0; }

std::optional<Module::Message> Module::next_message() {
  Message message;
  ROUTING_PROTOCOL_EVENTS event = ROUTER_STOPPED;
  const CallWatch::Mark mark(watch_, plan_.name.c_str(), "GetEventMessage");
  if (functions_.pfnGetEventMessage(&event, &message.body) != NO_ERROR) return std::nullopt;
  static_assert(sizeof(event) == sizeof(message.event));
  std::memcpy(&message.event, &event, sizeof(event));
  return message;
}

// ---------------------------------------------------------------------------------------------------------------------
// Interfaces and settings

std::uint32_t Module::add_interface(const Introduction& interface, std::span<const std::byte> info) {
  std::wstring name = interface.name;  // the module's to scribble on
  return call("AddInterface", functions_.pfnAddInterface, name.data(), interface.index.value(), interface.type,
              DWORD{0}, WORD{0}, WORD{0}, unread(info), kInfoVersion, size_of(info), count_of(info));
}

std::uint32_t Module::delete_interface(net::InterfaceIndex index) {
  return call("DeleteInterface", functions_.pfnDeleteInterface, index.value());
}

std::uint32_t Module::interface_status(net::InterfaceIndex index, bool active, std::uint32_t status, void* info) {
  return call("InterfaceStatus", functions_.pfnInterfaceStatus, index.value(), active ? TRUE : FALSE, status, info);
}

std::uint32_t Module::set_interface_info(net::InterfaceIndex index, std::span<const std::byte> info) {
  return call("SetInterfaceInfo", functions_.pfnSetInterfaceInfo, index.value(), unread(info), kInfoVersion,
              size_of(info), count_of(info));
}

std::uint32_t Module::set_global_info(std::span<const std::byte> info) {
  return call("SetGlobalInfo", functions_.pfnSetGlobalInfo, unread(info), kInfoVersion, size_of(info), count_of(info));
}

// Asks with a buffer of nothing, then with what the module says that it needs, for as long as that grows: settings may
// change between the two calls.
template <class Ask>
tl::expected<Bytes, std::uint32_t> Module::read_info(Ask&& ask) {
  Bytes buffer;
  for (unsigned reading = 0; reading < kMostReadings; ++reading) {
    auto size = static_cast<ULONG>(buffer.size());
    ULONG version = 0, item = 0, count = 0;
    const std::uint32_t code = ask(buffer.empty() ? nullptr : buffer.data(), &size, &version, &item, &count);
    if (code == NO_ERROR && size <= buffer.size()) {
      buffer.resize(size);
      return buffer;
    }
    if (code != ERROR_INSUFFICIENT_BUFFER) return tl::unexpected(code == NO_ERROR ? ERROR_INVALID_DATA : code);
    if (size <= buffer.size() || size > kLargestInfo) break;  // too little room for less than it was given, or nonsense
    buffer.resize(size);
  }
  return tl::unexpected(std::uint32_t{ERROR_INVALID_DATA});
}

tl::expected<Bytes, std::uint32_t> Module::interface_info(net::InterfaceIndex index) {
  return read_info([&](void* info, ULONG* size, ULONG* version, ULONG* item, ULONG* count) {
    return call("GetInterfaceInfo", functions_.pfnGetInterfaceInfo, index.value(), info, size, version, item, count);
  });
}

tl::expected<Bytes, std::uint32_t> Module::global_info() {
  return read_info([&](void* info, ULONG* size, ULONG* version, ULONG* item, ULONG* count) {
    return call("GetGlobalInfo", functions_.pfnGetGlobalInfo, info, size, version, item, count);
  });
}

std::uint32_t Module::update_routes(net::InterfaceIndex index) {
  if (!can(RF_DEMAND_UPDATE_ROUTES)) return ERROR_NOT_SUPPORTED;
  return call("DoUpdateRoutes", functions_.pfnUpdateRoutes, index.value());
}

std::uint32_t Module::connect_client(net::InterfaceIndex index, void* address) {
  if (functions_.pfnConnectClient == nullptr) return NO_ERROR;
  return call("ConnectClient", functions_.pfnConnectClient, index.value(), address);
}

std::uint32_t Module::disconnect_client(net::InterfaceIndex index, void* address) {
  if (functions_.pfnDisconnectClient == nullptr) return NO_ERROR;
  return call("DisconnectClient", functions_.pfnDisconnectClient, index.value(), address);
}

// ---------------------------------------------------------------------------------------------------------------------
// MIB

std::uint32_t Module::mib(const MibRequest& request) {
  const Inside inside(gate_);
  return inside ? call_mib(request) : ERROR_ROUTER_STOPPED;
}

std::uint32_t Module::call_mib(const MibRequest& request) {
  const auto change = [&](const char* name, PMIB_SET function) -> std::uint32_t {
    return function == nullptr ? ERROR_NOT_SUPPORTED : call(name, function, request.in_size, request.in);
  };
  const auto read = [&](const char* name, PMIB_GET function) -> std::uint32_t {
    return function == nullptr ? ERROR_NOT_SUPPORTED
                               : call(name, function, request.in_size, request.in, request.out_size, request.out);
  };
  switch (request.call) {
    case MibCall::kCreate:
      return change("MibCreate", functions_.pfnMibCreateEntry);
    case MibCall::kDelete:
      return change("MibDelete", functions_.pfnMibDeleteEntry);
    case MibCall::kSet:
      return change("MibSet", functions_.pfnMibSetEntry);
    case MibCall::kGet:
      return read("MibGet", functions_.pfnMibGetEntry);
    case MibCall::kGetFirst:
      return read("MibGetFirst", functions_.pfnMibGetFirstEntry);
    case MibCall::kGetNext:
      return read("MibGetNext", functions_.pfnMibGetNextEntry);
  }
  return ERROR_NOT_SUPPORTED;
}

}  // namespace turnpike::router

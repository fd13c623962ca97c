// The C face of the host: turnpike/ndis.h.
#include <dlfcn.h>
#include <turnpike/drivers.h>
#include <turnpike/ndis.h>

#include <map>

#include "base/immortal.h"
#include "base/log.h"
#include "capi/codes.h"
#include "capi/ndis_face.h"
#include "ndis/pools/misuse.h"
#include "ndis/pools/pools.h"

namespace turnpike::capi {

thread_local std::uint64_t loading_driver = 0;

namespace {

using runtime::NdisWorld;

constexpr std::uint32_t kAccessDenied = 5;
constexpr std::uint32_t kNotReady = 21;
constexpr std::uint32_t kGeneralFailure = 31;
constexpr std::uint32_t kModuleNotFound = 126;
constexpr std::uint32_t kProcedureNotFound = 127;
constexpr std::uint32_t kAlreadyExists = 183;
constexpr std::uint32_t kNoMoreItems = 259;
constexpr std::uint32_t kNotFound = 1168;
constexpr std::size_t kMostInjected = 4096;
constexpr std::uint32_t kUntilStillMs = 5000;  // of the work items of a driver that goes

std::uint32_t code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalidArgument:
      return kInvalidParameter;
    case ErrorKind::kInvalidHandle:
    case ErrorKind::kNotFound:
      return kNotFound;
    case ErrorKind::kAlreadyExists:
      return kAlreadyExists;
    case ErrorKind::kExhausted:
      return kNotEnoughMemory;
    case ErrorKind::kBusy:
      return kBusy;
    case ErrorKind::kDenied:
      return kAccessDenied;
    case ErrorKind::kUnsupported:
      return kNotSupported;
    default:
      return kGeneralFailure;
  }
}

std::uint32_t code_of(const Result<void>& result) { return result ? kSuccess : code_of(result.error()); }

template <class Ask>
std::uint32_t call(Ask&& ask) noexcept {
  try {
    return ask();
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

// On the engine, if it runs.
template <class Ask>
std::uint32_t on_engine(Ask&& ask) noexcept {
  return call([&] {
    ndis::Engine* const ndis = running_engine();
    return ndis != nullptr ? ask(*ndis) : kNotReady;
  });
}

// On the adapters in memory, if it runs on them.
template <class Ask>
std::uint32_t on_memory(Ask&& ask) noexcept {
  return call([&] {
    ndis::MemoryAdapters* const memory = NdisWorld::instance().memory();
    if (memory == nullptr) {
      return running_engine() != nullptr ? kNotSupported : kNotReady;
    }
    return ask(*memory);
  });
}

// --- drivers
// ------------------------------------------------------------------------------------------------------------

struct LoadedDriver {
  DRIVER_OBJECT object{};
  WideText name, registry_path;
  void* library = nullptr;
};

struct Drivers {
  std::mutex mutex;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::unique_ptr<LoadedDriver>> loaded;
};
Drivers& drivers() {
  static Immortal<Drivers> all;  // drivers may outlive main()
  return all.value;
}

// Unmaps a driver that has been told to go. What it left behind is ended, and named; while its code is being called it
// stays, and so does its driver object.
bool unmap(std::unique_ptr<LoadedDriver> driver, const char* function, std::uint64_t id) {
  if (driver->library == nullptr) {
    return true;
  }
  std::uint32_t timers = 0;
  const bool still = TpReleaseDriverCode(::dlsym(driver->library, "DriverEntry"), kUntilStillMs, &timers) == kSuccess;
  if (timers != 0) {
    ndis::report_misuse(function, "left a timer set: it is cancelled", id);
  }
  if (still) {
    ::dlclose(driver->library);
  } else {
    ndis::report_misuse(function, "left a timer or a work item that still runs: its code stays loaded", id);
    static_cast<void>(driver.release());
  }
  return still;
}

// Calls DriverEntry. A protocol that a failing one leaves behind is its omission.
std::uint32_t enter(std::unique_ptr<LoadedDriver> driver, const std::string& name, PDRIVER_INITIALIZE entry,
                    TP_NDIS_DRIVER* out, int32_t* status) {
  driver->name.set("\\Driver\\" + name);
  driver->registry_path.set("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\" + name);
  driver->object.Size = sizeof(DRIVER_OBJECT);
  driver->object.DriverName = *driver->name.get();
  driver->object.DriverInit = entry;
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(drivers().mutex);
    id = ++drivers().last;
  }
  const std::uint64_t outer = std::exchange(loading_driver, id);
  const NTSTATUS result = entry(&driver->object, driver->registry_path.get());
  loading_driver = outer;
  if (status != nullptr) {
    *status = result;
  }
  if (result < 0) {
    if (ndis::Engine* const ndis = running_engine()) {
      for (const Handle left : ndis->protocols_of(id)) {
        ndis->violation("DriverEntry", "failed and left a protocol registered", left);
        ndis->evict(left, "DriverEntry");
      }
    }
    static_cast<void>(unmap(std::move(driver), "DriverEntry", id));
    return kGeneralFailure;
  }
  const std::lock_guard lock(drivers().mutex);
  drivers().loaded.emplace(id, std::move(driver));
  *out = id;
  return kSuccess;
}

// Before it is unbound, what it exports for that.
void let_say_goodbye(const LoadedDriver& driver, ndis::Engine& ndis, Handle protocol) {
  constexpr const char* kName = "TpNdisDriverLeaves";
  void* const leaves = driver.library != nullptr ? ::dlsym(driver.library, kName) : nullptr;
  if (leaves != nullptr) {
    ndis.call_for_host(protocol, kName, [&](ndis::Driver&) { reinterpret_cast<void (*)()>(leaves)(); });
  }
}

// DriverUnload, which deregisters what the driver registered: looked after as long as one of that is there.
void unload(LoadedDriver& driver, ndis::Engine* ndis, const std::vector<Handle>& protocols) {
  bool called = driver.object.DriverUnload == nullptr;
  const auto call_it = [&] {
    if (!std::exchange(called, true)) {
      driver.object.DriverUnload(&driver.object);
    }
  };
  if (ndis != nullptr && !protocols.empty()) {
    ndis->call_for_host(protocols.front(), "DriverUnload", [&](ndis::Driver&) { call_it(); });
  }
  call_it();  // nothing was registered, or the UnloadHandler has deregistered it
}

bool is_loaded(const void* library) {
  const std::lock_guard lock(drivers().mutex);
  return std::ranges::any_of(drivers().loaded, [&](const auto& each) { return each.second->library == library; });
}

std::vector<std::string> list_of(const char* text) {
  std::vector<std::string> list;
  std::string_view rest = text != nullptr ? text : "";
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma != 0) {
      list.emplace_back(rest.substr(0, comma));
    }
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return list;
}

net::InterfaceIndex of(std::uint32_t index) { return net::InterfaceIndex(index); }

}  // namespace
}  // namespace turnpike::capi

using namespace turnpike;        // allow using-namespace: the functions below are C's
using namespace turnpike::capi;  // allow using-namespace: and are made of these

uint32_t TpNdisStart(const TP_NDIS_OPTIONS* options) noexcept {
  return call([&] {
    ndis::EngineOptions engine_options;
    std::uint32_t adapters = TP_NDIS_ADAPTERS_KERNEL;
    if (options != nullptr) {
      adapters = options->adapters;
      if (options->size != sizeof(*options) ||
          (adapters != TP_NDIS_ADAPTERS_KERNEL && adapters != TP_NDIS_ADAPTERS_MEMORY)) {
        return kInvalidParameter;
      }
      if (options->watchdog_ms != 0) {
        engine_options.watchdog = std::chrono::milliseconds(options->watchdog_ms);
      }
    }
    hear_misuse();
    NdisWorld& world = NdisWorld::instance();
    return code_of(adapters == TP_NDIS_ADAPTERS_MEMORY ? world.start_in_memory(engine_options)
                                                       : world.start_by_default(engine_options));
  });
}

uint32_t TpNdisStop(void) noexcept {
  return call([&] {
    const auto stopped = NdisWorld::instance().stop();
    return !stopped && stopped.error().kind == ErrorKind::kNotFound ? kNotReady : code_of(stopped);
  });
}

uint32_t TpNdisQuiesce(void) noexcept {
  return on_engine([](ndis::Engine& ndis) {
    ndis.quiesce();
    return kSuccess;
  });
}

// --- drivers
// ------------------------------------------------------------------------------------------------------------

uint32_t TpNdisLoadDriver(const char* path, TP_NDIS_DRIVER* driver, int32_t* status) noexcept {
  return call([&] {
    if (path == nullptr || driver == nullptr) {
      return kInvalidParameter;
    }
    auto loaded = std::make_unique<LoadedDriver>();
    loaded->library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (loaded->library == nullptr) {
      TURNPIKE_LOG(LogLevel::kError, "ndis", "a driver cannot be loaded", {"path", path}, {"reason", ::dlerror()});
      return kModuleNotFound;
    }
    auto* const entry = reinterpret_cast<PDRIVER_INITIALIZE>(::dlsym(loaded->library, "DriverEntry"));
    if (const bool twice = is_loaded(loaded->library); twice || entry == nullptr) {
      ::dlclose(loaded->library);
      return twice ? kAlreadyExists : kProcedureNotFound;
    }
    std::string name(path);
    name.erase(0, name.rfind('/') + 1);
    name.erase(std::min(name.find('.'), name.size()));
    return enter(std::move(loaded), name, entry, driver, status);
  });
}

uint32_t TpNdisStartDriver(const char* name, void* entry, TP_NDIS_DRIVER* driver, int32_t* status) noexcept {
  return call([&] {
    if (name == nullptr || entry == nullptr || driver == nullptr) {
      return kInvalidParameter;
    }
    return enter(std::make_unique<LoadedDriver>(), name, reinterpret_cast<PDRIVER_INITIALIZE>(entry), driver, status);
  });
}

uint32_t TpNdisUnloadDriver(TP_NDIS_DRIVER driver) noexcept {
  return call([&] {
    std::unique_ptr<LoadedDriver> loaded;
    {
      const std::lock_guard lock(drivers().mutex);
      const auto at = drivers().loaded.find(driver);
      if (at == drivers().loaded.end()) {
        return kNotFound;
      }
      loaded = std::move(at->second);
      drivers().loaded.erase(at);
    }
    const auto keep = [&](std::uint32_t why) {
      const std::lock_guard lock(drivers().mutex);
      drivers().loaded.emplace(driver, std::move(loaded));
      return why;
    };
    ndis::Engine* const ndis = running_engine();
    const std::vector<Handle> protocols = ndis != nullptr ? ndis->protocols_of(driver) : std::vector<Handle>{};
    if (!protocols.empty() && loaded->object.DriverUnload == nullptr) {
      return keep(kGeneralFailure);
    }
    if (!protocols.empty()) {
      let_say_goodbye(*loaded, *ndis, protocols.front());
    }
    for (const Handle protocol : protocols) {
      if (const auto retired = ndis->retire(protocol); !retired && retired.error().kind == ErrorKind::kBusy) {
        return keep(kBusy);
      }
      ndis->call_for_host(protocol, "UnloadHandler", [](ndis::Driver& its) { its.unload(); });
    }
    unload(*loaded, ndis, protocols);
    if (ndis != nullptr && !ndis->protocols_of(driver).empty()) {
      ndis->violation("DriverUnload", "left a protocol registered", protocols.front());
      static_cast<void>(loaded.release());  // its code and its driver object must stay: it still runs
      return kGeneralFailure;
    }
    return unmap(std::move(loaded), "DriverUnload", driver) ? kSuccess : kGeneralFailure;
  });
}

uint32_t TpNdisUninstallProtocol(const char* protocol) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    if (protocol == nullptr) {
      return kInvalidParameter;
    }
    const Handle handle = ndis.protocol_named(upper(protocol));
    if (handle == Handle::kNone) {
      return kNotFound;
    }
    const Result<void> retired = ndis.retire(handle);
    if (retired) {
      ndis.call_for_host(handle, "ProtocolUninstall", [](ndis::Driver& driver) { driver.uninstall(); });
    }
    return code_of(retired);
  });
}

// --- policy
// -------------------------------------------------------------------------------------------------------------

uint32_t TpNdisSetBindPolicy(const char* protocol, const TP_NDIS_POLICY* policy) noexcept {
  return call([&] {
    if (policy == nullptr || policy->size != sizeof(*policy) || policy->bind > TP_NDIS_BIND_LIST) {
      return kInvalidParameter;
    }
    ndis::BindPolicy wanted;
    wanted.mode = ndis::BindPolicy::Mode(policy->bind);
    wanted.globs = list_of(policy->list);
    wanted.exclude = list_of(policy->exclude);
    wanted.order = list_of(policy->order);
    wanted.when_up = policy->when_up != 0;
    NdisWorld::instance().set_policy(protocol != nullptr ? upper(protocol) : "", std::move(wanted));
    return kSuccess;
  });
}

uint32_t TpNdisAllowOpenAnywhere(const char* protocol, uint32_t allow) noexcept {
  return call([&] {
    if (protocol == nullptr) {
      return kInvalidParameter;
    }
    NdisWorld::instance().allow_open_anywhere(upper(protocol), allow != 0);
    return kSuccess;
  });
}

uint32_t TpNdisUseXdp(const char* list, uint32_t flags) noexcept {
  return call([&] {
    if ((flags & ~TP_NDIS_XDP_TAKE_ALL) != 0) {
      return kInvalidParameter;
    }
    const auto steal = flags != 0 ? kernel::Steal::kEverything : kernel::Steal::kNamedTypes;
    return code_of(NdisWorld::instance().use_xdp(list_of(list), steal));
  });
}

uint32_t TpNdisUseTap(const char* list) noexcept {
  return call([&] {
    NdisWorld::instance().use_tap(list_of(list));
    return kSuccess;
  });
}

uint32_t TpNdisAddTap(const char* name, uint32_t kind, uint32_t* index) noexcept {
  return on_engine([&](ndis::Engine&) {
    if (name == nullptr || index == nullptr || (kind != TP_NDIS_TAP && kind != TP_NDIS_TUN)) {
      return kInvalidParameter;
    }
    const auto medium = kind == TP_NDIS_TAP ? ndis::Medium::k802_3 : ndis::Medium::kIp;
    const auto made = NdisWorld::instance().add_tap(name, medium);
    if (!made) {
      return code_of(made.error());
    }
    *index = made->value();
    return kSuccess;
  });
}

uint32_t TpNdisRemoveTap(uint32_t index) noexcept {
  return on_engine([&](ndis::Engine&) { return code_of(NdisWorld::instance().remove_tap(of(index))); });
}

uint32_t TpNdisReleaseAdapter(uint32_t index) noexcept {
  return on_engine([&](ndis::Engine& ndis) { return code_of(ndis.request_release(of(index))); });
}

uint32_t TpNdisGetCounters(TP_NDIS_COUNTERS* counters) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    if (counters == nullptr || counters->size < 2 * sizeof(std::uint32_t)) {
      return kInvalidParameter;
    }
    const ndis::EngineCounts now = ndis.counts();
    const ndis::PoolCensus pools = ndis::Pools::instance().census();
    const auto out = [&](ndis::PoolKind kind) { return pools.descriptors[static_cast<std::size_t>(kind)]; };
    const TP_NDIS_COUNTERS all{.size = counters->size,
                               .reserved = 0,
                               .protocols = now.protocols,
                               .bindings = now.bindings,
                               .bind_operations = now.binds,
                               .unbind_operations = now.unbinds,
                               .adapters = now.adapters,
                               .sends = now.sends,
                               .requests = now.requests,
                               .retained = now.retained,
                               .callbacks = now.callbacks,
                               .violations = now.violations,
                               .open_adapters = now.open_adapters,
                               .packets = out(ndis::PoolKind::kPacket),
                               .net_buffer_lists = out(ndis::PoolKind::kNetBufferList)};
    std::memcpy(counters, &all, std::min<std::size_t>(counters->size, sizeof(all)));
    return kSuccess;
  });
}

uint32_t TpNdisForEachBinding(void (*each)(void*, const TP_NDIS_BINDING*), void* context) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    if (each == nullptr) {
      return kInvalidParameter;
    }
    for (const ndis::BindingReport& report : ndis.bindings()) {
      const TP_NDIS_BINDING shown{.size = sizeof(TP_NDIS_BINDING),
                                  .generation = report.generation == ndis::Generation::k5 ? 5U : 6U,
                                  .protocol = report.protocol.c_str(),
                                  .interface_name = report.interface_name.c_str(),
                                  .index = report.adapter.value(),
                                  .state = static_cast<std::uint32_t>(report.state),
                                  .filter = report.filter,
                                  .reserved = 0,
                                  .sends = report.sends,
                                  .requests = report.requests,
                                  .retained = report.retained,
                                  .callbacks = report.callbacks,
                                  .received = report.received,
                                  .delivered = report.delivered,
                                  .sent = report.sent,
                                  .lost = report.lost};
      each(context, &shown);
    }
    return kSuccess;
  });
}

// --- checked mode and knobs
// ---------------------------------------------------------------------------------------------

uint32_t TpNdisSetChecked(TP_NDIS_VIOLATION callback, void* context) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    ndis.knobs().checked = callback != nullptr;
    keep_histories(callback != nullptr);
    if (callback == nullptr) {
      ndis.verifier().set_callback({});
    } else {
      ndis.verifier().set_callback([callback, context](const ndis::Violation& violation) {
        callback(context, violation.function, violation.what, static_cast<std::uint64_t>(violation.handle),
                 violation.history.c_str());
      });
    }
    return kSuccess;
  });
}

uint32_t TpNdisSetKnob(uint32_t knob, uint32_t value) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    ndis::Knobs& knobs = ndis.knobs();
    switch (knob) {
      case TP_NDIS_KNOB_PEND:
        knobs.force_pend = value;
        break;
      case TP_NDIS_KNOB_INLINE_COMPLETION:
        knobs.inline_completion = value != 0;
        break;
      case TP_NDIS_KNOB_RESOURCES:
        knobs.force_resources = value != 0;
        break;
      case TP_NDIS_KNOB_LOOKAHEAD:
        knobs.force_lookahead = value;
        break;
      case TP_NDIS_KNOB_HOLD_REQUESTS:
        knobs.hold_requests = value != 0;
        if (value == 0) {
          ndis.let_requests_go();
        }
        break;
      default:
        return kInvalidParameter;
    }
    return kSuccess;
  });
}

uint32_t TpNdisFailNext(uint32_t call, int32_t status) noexcept {
  return on_engine([&](ndis::Engine& ndis) {
    if (call >= ndis::kFailingKinds || status_of(status) == Status::kPending) {
      return kInvalidParameter;
    }
    ndis.knobs().fail_next(ndis::Failing(call), status_of(status));
    return kSuccess;
  });
}

// --- adapters in memory
// -------------------------------------------------------------------------------------------------

uint32_t TpNdisAdapterCreate(const char* name, uint32_t* index) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if (name == nullptr || index == nullptr || *name == '\0') {
      return kInvalidParameter;
    }
    *index = memory.add_ethernet(name).value();
    return kSuccess;
  });
}

uint32_t TpNdisAdapterCreateIp(const char* name, uint32_t* index) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if (name == nullptr || index == nullptr || *name == '\0') {
      return kInvalidParameter;
    }
    *index = memory.add_ip(name).value();
    return kSuccess;
  });
}

uint32_t TpNdisAdapterDelete(uint32_t index) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) { return code_of(memory.remove(of(index))); });
}

uint32_t TpNdisAdapterSetCarrier(uint32_t index, uint32_t on) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) { return code_of(memory.set_carrier(of(index), on != 0)); });
}

uint32_t TpNdisAdapterSetMtu(uint32_t index, uint32_t mtu) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    return mtu == 0 ? kInvalidParameter : code_of(memory.set_mtu(of(index), mtu));
  });
}

uint32_t TpNdisAdapterSetMac(uint32_t index, const uint8_t mac[6]) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    return mac == nullptr ? kInvalidParameter
                          : code_of(memory.set_mac(of(index), *net::MacAddress::from_bytes(std::span(mac, 6))));
  });
}

uint32_t TpNdisAdapterGetMac(uint32_t index, uint8_t mac[6]) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    const auto facts = memory.facts(of(index));
    if (mac == nullptr || !facts) {
      return mac == nullptr ? kInvalidParameter : code_of(facts.error());
    }
    std::ranges::copy(facts->mac.bytes(), mac);
    return kSuccess;
  });
}

uint32_t TpNdisAdapterInject(uint32_t index, const void* frame, size_t length) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if (frame == nullptr && length != 0) {
      return kInvalidParameter;
    }
    ndis::InFrame one;
    one.bytes = std::span(static_cast<const std::byte*>(frame), length);
    one.received = system_clock().wall();
    return code_of(memory.inject(of(index), std::span(&one, 1)));
  });
}

uint32_t TpNdisAdapterInjectBatch(uint32_t index, const TP_NDIS_FRAME* frames, size_t count) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if ((frames == nullptr && count != 0) || count > kMostInjected) {
      return kInvalidParameter;
    }
    std::vector<ndis::InFrame> batch(count);
    const WallTime now = system_clock().wall();
    for (std::size_t i = 0; i < count; ++i) {
      const TP_NDIS_FRAME& frame = frames[i];
      if ((frame.bytes == nullptr && frame.length != 0) ||
          (frame.vlan_type != 0 && frame.vlan_type != 0x8100 && frame.vlan_type != 0x88A8)) {
        return kInvalidParameter;
      }
      batch[i].bytes = std::span(static_cast<const std::byte*>(frame.bytes), frame.length);
      batch[i].vlan = {.tci = frame.vlan, .protocol = frame.vlan_type};
      batch[i].direction = frame.local != 0 ? ndis::Direction::kOutgoing : batch[i].direction;
      batch[i].received = now;
      batch[i].checksum_good = frame.checksum_good != 0;
    }
    return code_of(memory.inject(of(index), batch));
  });
}

uint32_t TpNdisAdapterTakeSent(uint32_t index, void* frame, size_t capacity, size_t* length) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if (length == nullptr || (frame == nullptr && capacity != 0)) {
      return kInvalidParameter;
    }
    const auto sent = memory.take_one_sent(of(index));
    if (!sent) {
      return kNoMoreItems;
    }
    *length = sent->bytes.size();
    std::copy_n(sent->bytes.begin(), std::min(capacity, sent->bytes.size()), static_cast<std::byte*>(frame));
    return kSuccess;
  });
}

uint32_t TpNdisAdapterMakeRoom(uint32_t index, int32_t frames) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) { return code_of(memory.make_room(of(index), frames)); });
}

uint32_t TpNdisAdapterFailOpen(int32_t system_code) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    memory.fail_next(ndis::MemoryAdapters::Call::kOpen, {ErrorKind::kKernel, system_code, "as the test asked"});
    return kSuccess;
  });
}

uint32_t TpNdisAdapterGetReception(uint32_t index, uint32_t* filter, uint32_t* groups) noexcept {
  return on_memory([&](ndis::MemoryAdapters& memory) {
    if (filter == nullptr || groups == nullptr) {
      return kInvalidParameter;
    }
    if (const auto there = memory.facts(of(index)); !there) {
      return code_of(there.error());
    }
    const ndis::MemoryAdapters::Asked asked = memory.asked(of(index));
    *filter = asked.filter;
    *groups = static_cast<std::uint32_t>(asked.groups.size());
    return kSuccess;
  });
}

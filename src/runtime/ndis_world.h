// NdisWorld: what this process has of NDIS behind the C faces: one engine and the adapters that it runs on. The only
// global of libturnpike-ndis, but for the log.
//
// It starts with the first protocol that registers, on the interfaces of that thread's network namespace, unless the
// host has started it otherwise before.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kernel/adapters/adapters_port.h"
#include "ndis/engine.h"
#include "ndis/memory_adapters.h"

namespace turnpike::runtime {

class NdisWorld {
 public:
  // Made at the first use and never destroyed: drivers may still call while the process ends.
  static NdisWorld& instance();

  // The engine; started by default if it is not running.
  Result<ndis::Engine*> engine();
  [[nodiscard]] ndis::Engine* running();

  // kAlreadyExists: it runs.
  Result<void> start(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options = {});
  Result<void> start_in_memory(ndis::EngineOptions options = {});
  // On the interfaces of the calling thread's network namespace.
  Result<void> start_by_default(ndis::EngineOptions options);
  // kBusy: protocols are registered; kNotFound: it does not run.
  Result<void> stop();

  // As the engine's own; before the start they are kept for it.
  void set_policy(const std::string& protocol, ndis::BindPolicy policy);
  void allow_open_anywhere(const std::string& protocol, bool allow);

  // The interfaces of that list (as in a policy) are opened over AF_XDP from now on. kUnsupported: not in this build.
  Result<void> use_xdp(std::vector<std::string> list, kernel::Steal steal);

  // The TUN and TAP interfaces of that list are opened at their far end from now on.
  void use_tap(std::vector<std::string> list);
  // As of kernel/adapters_port.h. kNotFound also where it does not run.
  Result<net::InterfaceIndex> add_tap(const std::string& name, ndis::Medium medium);
  Result<void> remove_tap(net::InterfaceIndex index);

  // Those of start_in_memory(); null otherwise.
  [[nodiscard]] ndis::MemoryAdapters* memory();

 private:
  Result<void> start_real_locked(ndis::EngineOptions options);
  Result<void> start_locked(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options);

  kernel::AdapterChoice choose(const ndis::AdapterFacts& facts);

  std::mutex choice_mutex_;  // after all others: asked while an adapter is opened, or told of
  std::vector<std::string> over_xdp_;
  std::vector<std::string> by_tap_;
  kernel::Steal steal_ = kernel::Steal::kNamedTypes;
  std::mutex mutex_;
  std::map<std::string, ndis::BindPolicy> policies_;  // for the next start
  std::map<std::string, bool> open_anywhere_;
  std::unique_ptr<ndis::AdapterSource> source_;
  std::unique_ptr<ndis::Engine> engine_;
  std::atomic<ndis::Engine*> running_{nullptr};
  ndis::MemoryAdapters* memory_ = nullptr;
};

}  // namespace turnpike::runtime

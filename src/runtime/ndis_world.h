// NdisWorld: what this process has of NDIS behind the C faces: one engine and the adapters that it runs on. The only
// global of libturnpike-ndis, but for the log.
//
// It starts with the first protocol that registers, on the interfaces of that thread's network namespace, unless the
// host has started it otherwise before.
#pragma once

#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/result.h"
#include "ndis/engine.h"
#include "ndis/memory_adapters.h"

namespace turnpike::runtime {

class NdisWorld {
 public:
  // Made at the first use and never destroyed: drivers may still call while the process ends.
  static NdisWorld& instance();

  // The engine; started on `make_source`'s adapters if it is not running.
  Result<ndis::Engine*> engine();
  [[nodiscard]] ndis::Engine* running();

  // kAlreadyExists: it runs.
  Result<void> start(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options = {});
  Result<void> start_in_memory(ndis::EngineOptions options = {});
  // kUnsupported: this build brings no adapters of the kernel's.
  Result<void> start_by_default(ndis::EngineOptions options);
  // kBusy: protocols are registered; kNotFound: it does not run.
  Result<void> stop();

  // Those of start_in_memory(); null otherwise.
  [[nodiscard]] ndis::MemoryAdapters* memory();

  // Where adapters come from if nobody says otherwise: set once, by whoever brings the kernel's.
  using MakeSource = Result<std::unique_ptr<ndis::AdapterSource>> (*)();
  void use_by_default(MakeSource make) { make_source_.store(make); }

 private:
  Result<std::unique_ptr<ndis::AdapterSource>> default_source();
  Result<void> start_locked(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options);

  std::mutex mutex_;
  std::unique_ptr<ndis::AdapterSource> source_;
  std::unique_ptr<ndis::Engine> engine_;
  std::atomic<ndis::Engine*> running_{nullptr};
  ndis::MemoryAdapters* memory_ = nullptr;
  std::atomic<MakeSource> make_source_{nullptr};
};

}  // namespace turnpike::runtime

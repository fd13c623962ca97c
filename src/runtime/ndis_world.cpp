#include "runtime/ndis_world.h"

#include "base/immortal.h"
#include "ndis/adapter_name.h"

namespace turnpike::runtime {

NdisWorld& NdisWorld::instance() {
  static Immortal<NdisWorld> world;
  return world.value;
}

Result<ndis::Engine*> NdisWorld::engine() {
  if (ndis::Engine* now = running_.load(std::memory_order_acquire); now != nullptr) {
    return now;
  }
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) {
    if (auto started = start_real_locked({}); !started) {
      return Failure(started.error());
    }
  }
  return engine_.get();
}

ndis::Engine* NdisWorld::running() { return running_.load(std::memory_order_acquire); }

Result<void> NdisWorld::start_locked(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options) {
  if (engine_ != nullptr) {
    return fail(ErrorKind::kAlreadyExists, "NDIS runs already");
  }
  auto engine = std::make_unique<ndis::Engine>(*source, system_clock(), options);
  if (auto started = engine->start(); !started) {
    return started;
  }
  for (auto& [protocol, policy] : policies_) {
    engine->set_policy(protocol, std::move(policy));
  }
  for (const auto& [protocol, allow] : open_anywhere_) {
    engine->allow_open_anywhere(protocol, allow);
  }
  policies_.clear();
  open_anywhere_.clear();
  source_ = std::move(source);
  engine_ = std::move(engine);
  running_.store(engine_.get(), std::memory_order_release);
  return {};
}

Result<void> NdisWorld::start(std::unique_ptr<ndis::AdapterSource> source, ndis::EngineOptions options) {
  const std::lock_guard lock(mutex_);
  return start_locked(std::move(source), options);
}

Result<void> NdisWorld::start_real_locked(ndis::EngineOptions options) {
  if (engine_ != nullptr) {
    return fail(ErrorKind::kAlreadyExists, "NDIS runs already");
  }
  kernel::AdapterOptions adapters;
  adapters.choose = [this](const ndis::AdapterFacts& facts) { return choose(facts); };
  auto source = kernel::open_real_adapters(std::move(adapters));
  return source ? start_locked(std::move(*source), options) : Result<void>(Failure(source.error()));
}

Result<void> NdisWorld::start_by_default(ndis::EngineOptions options) {
  const std::lock_guard lock(mutex_);
  return start_real_locked(options);
}

Result<void> NdisWorld::start_in_memory(ndis::EngineOptions options) {
  const std::lock_guard lock(mutex_);
  auto source = std::make_unique<ndis::MemoryAdapters>();
  ndis::MemoryAdapters* const memory = source.get();
  auto started = start_locked(std::move(source), options);
  if (started) {
    memory_ = memory;
  }
  return started;
}

Result<void> NdisWorld::stop() {
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) {
    return fail(ErrorKind::kNotFound, "NDIS does not run");
  }
  if (engine_->counts().protocols != 0) {
    return fail(ErrorKind::kBusy, "protocols are registered");
  }
  running_.store(nullptr);
  engine_.reset();
  source_.reset();
  memory_ = nullptr;
  return {};
}

void NdisWorld::set_policy(const std::string& protocol, ndis::BindPolicy policy) {
  const std::lock_guard lock(mutex_);
  if (engine_ != nullptr) {
    engine_->set_policy(protocol, std::move(policy));
  } else {
    policies_.insert_or_assign(protocol, std::move(policy));
  }
}

void NdisWorld::allow_open_anywhere(const std::string& protocol, bool allow) {
  const std::lock_guard lock(mutex_);
  if (engine_ != nullptr) {
    engine_->allow_open_anywhere(protocol, allow);
  } else {
    open_anywhere_.insert_or_assign(protocol, allow);
  }
}

Result<void> NdisWorld::use_xdp(std::vector<std::string> list, kernel::Steal steal) {
  if (!kernel::has_xdp()) {
    return fail(ErrorKind::kUnsupported, "this build has no AF_XDP: libxdp and libbpf were not there");
  }
  const std::lock_guard lock(choice_mutex_);
  over_xdp_ = std::move(list);
  steal_ = steal;
  return {};
}

void NdisWorld::use_tap(std::vector<std::string> list) {
  {
    const std::lock_guard lock(choice_mutex_);
    by_tap_ = std::move(list);
  }
  const std::lock_guard lock(mutex_);
  if (source_ != nullptr) {
    kernel::choice_changed(*source_);
  }
}

Result<net::InterfaceIndex> NdisWorld::add_tap(const std::string& name, ndis::Medium medium) {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr) {
    return fail(ErrorKind::kNotFound, "NDIS does not run");
  }
  return kernel::add_tap(*source_, name, medium);
}

Result<void> NdisWorld::remove_tap(net::InterfaceIndex index) {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr) {
    return fail(ErrorKind::kNotFound, "NDIS does not run");
  }
  return kernel::remove_tap(*source_, index);
}

kernel::AdapterChoice NdisWorld::choose(const ndis::AdapterFacts& facts) {
  const std::lock_guard lock(choice_mutex_);
  if (ndis::matches_any(by_tap_, facts)) {
    return {kernel::AdapterKind::kTap, {}};
  }
  if (ndis::matches_any(over_xdp_, facts)) {
    return {kernel::AdapterKind::kXdp, steal_};
  }
  return {};
}

ndis::MemoryAdapters* NdisWorld::memory() {
  const std::lock_guard lock(mutex_);
  return memory_;
}

}  // namespace turnpike::runtime

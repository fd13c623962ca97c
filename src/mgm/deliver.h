// How the manager calls out: without the lock, and knowing which callbacks this thread is in.
#pragma once

#include <exception>

#include "mgm/manager.h"

namespace turnpike::mgm {

// This thread is inside a callback of that client, and perhaps of others around it.
class InCallback {
 public:
  InCallback(const Client& client, CallbackKind kind) noexcept;
  ~InCallback();
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;

  static bool any() noexcept;
  static bool of(const Client& client) noexcept;
  static bool of_igmp_switch() noexcept;

 private:
  const Client& client_;
  const CallbackKind kind_;
  const InCallback* const outer_;
};

void log_thrown(const Client& client, const char* what);

// The client cannot go meanwhile: who deregisters it waits for `running`. A callback that throws has returned.
template <class F>
void Manager::call_out(Client& client, CallbackKind kind, Lock& lock, F&& call) {
  ++client.running;
  ++counts_.alerts;
  lock.unlock();
  {
    const InCallback frame(client, kind);
    try {
      call();
    } catch (const std::exception& e) {
      log_thrown(client, e.what());
    } catch (...) {
      log_thrown(client, "of no known type");
    }
  }
  lock.lock();
  --client.running;
}

}  // namespace turnpike::mgm

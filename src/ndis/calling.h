// Calling: while it lives the driver is inside a callback that it may take its time in, and whoever waits for the
// driver can say so. Not for callbacks of data: those are only counted.
#pragma once

#include "ndis/engine.h"

namespace turnpike::ndis {

class Engine::Calling {
 public:
  Calling(Engine& engine, Protocol& protocol, const char* name, std::string adapter)
      : engine_(engine), protocol_(protocol) {
    const std::lock_guard lock(engine_.mutex_);
    at_ = protocol_.callbacks.insert(protocol_.callbacks.end(),
                                     {.name = name, .adapter = std::move(adapter), .since = engine_.clock_.now()});
  }
  ~Calling() {
    const std::lock_guard lock(engine_.mutex_);
    protocol_.callbacks.erase(at_);
  }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

 private:
  Engine& engine_;
  Protocol& protocol_;
  std::list<Callback>::iterator at_;
};

}  // namespace turnpike::ndis

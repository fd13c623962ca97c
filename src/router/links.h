// Links: the kernel's devices and addresses, brought to the dynamic interface manager.
//
// The monitor is opened before the first dump, so nothing falls in between. After a loss everything is read anew, and
// the manager finds out itself what that changes.
#pragma once

#include <functional>
#include <memory>

#include "dim/interfaces.h"
#include "kernel/port.h"

namespace turnpike::router {

class Links final : private kernel::Listener {
 public:
  // `changed` is called after each thing that the kernel said, so that nobody sees two at once.
  Links(kernel::Port& port, dim::Interfaces& interfaces, std::function<void()> changed);

  // Begins to listen, and reads what there is. kKernel.
  Result<void> start();
  // Readable when the kernel has said something; -1 before `start`.
  [[nodiscard]] int descriptor() const { return monitor_ ? monitor_->descriptor() : -1; }
  // Reads what waits. False: nothing did.
  bool step();

 private:
  void on_link(const kernel::Notice& notice, const kernel::Link& link) override;
  void on_address(const kernel::Notice& notice, const kernel::InterfaceAddress& address) override;
  void on_loss(kernel::Loss why) override;
  Result<void> read_all();

  kernel::Port& port_;
  dim::Interfaces& interfaces_;
  std::function<void()> changed_;
  std::unique_ptr<kernel::Monitor> monitor_;
  bool lost_ = false;
};

}  // namespace turnpike::router

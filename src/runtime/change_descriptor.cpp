#include "runtime/change_descriptor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "base/descriptor.h"

namespace turnpike::runtime {

rtm::ChangeSignal make_change_descriptor() {
  // Shared, because a std::function must be copyable; there is one owner, the registration.
  const auto event = std::make_shared<Descriptor>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event->is_open()) {
    return {};
  }
  return {[event](bool up) {
            std::uint64_t count = 1;
            const auto done =
                up ? ::write(event->number(), &count, sizeof count) : ::read(event->number(), &count, sizeof count);
            static_cast<void>(done);  // neither can fail: it is raised and lowered in turn
          },
          event->number()};
}

}  // namespace turnpike::runtime

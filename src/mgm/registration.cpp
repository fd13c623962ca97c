// Clients come and go.
//
// A client that leaves owns no interface (it is refused otherwise), so it has no memberships and no place in an entry:
// what is left are its enumerations, the alerts in its queue, and callbacks in flight. The first two are dropped under
// the lock; for the last it waits. A client cannot wait for its own callback, so it may not leave from inside one.
#include <new>

#include "mgm/deliver.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

// Kinds of handles: two for each family, so that a handle of the other family's manager is of another kind here.
constexpr std::uint8_t kFirstTag = 0x60;

}  // namespace

HandleTag Manager::client_tag() const {
  return HandleTag(static_cast<std::uint8_t>(kFirstTag + (config_.family == net::Family::kIpv6 ? 2 : 0)));
}
HandleTag Manager::enumeration_tag() const {
  return HandleTag(static_cast<std::uint8_t>(static_cast<std::uint8_t>(client_tag()) + 1));
}

Manager::Manager(const Config& config, const Ports& ports)
    : config_(config),
      ports_(ports),
      wrong_interface_alerts_(config.wrong_interface_alerts),
      vifs_(ports.forwarder.vif_limit()) {
  out_vifs_.reserve(vifs_.size());  // each stands there once: the mirror never needs memory
}

Result<std::unique_ptr<Manager>> Manager::make(const Config& config, const Ports& ports) {
  try {
    std::unique_ptr<Manager> manager(new Manager(config, ports));
    return manager->make_handles().map([&] { return std::move(manager); });
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for a multicast group manager");
  }
}

Result<void> Manager::make_handles() {
  auto table = HandleTable::create({.capacity = 1U << 20, .shards = 1});
  if (!table) {
    return tl::unexpected(table.error());
  }
  handles_ = std::move(*table);
  return handles_->register_tag(client_tag(), "multicast client", [](void*) {}).and_then([&] {
    return handles_->register_tag(enumeration_tag(), "group enumeration", [](void* object) {
      const std::unique_ptr<Enumeration> dies(static_cast<Enumeration*>(object));
    });
  });
}

Manager::~Manager() {
  {
    const std::lock_guard lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      at = bury(at);
    }
    for (VifState& vif : vifs_) {
      vif = vif == VifState::kUsed ? VifState::kLeaving : vif;
    }
  }
  mirror();
}

Client* Manager::find_client(Handle self) {
  const Pin<Client> client = handles_->pin_tagged<Client>(self, client_tag());
  return client && !client->leaving ? client.get() : nullptr;
}

Client* Manager::client_numbered(std::uint32_t number) const {
  const auto at = clients_.find(number);
  return at != clients_.end() && !at->second->leaving ? at->second.get() : nullptr;
}

bool Manager::has_clients() const {
  const std::lock_guard lock(mutex_);
  return !clients_.empty();
}

Result<Handle> Manager::register_client(Registration registration) {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, client] : clients_) {
    if (client->info == registration.info) {
      return fail(ErrorKind::kAlreadyExists, "this protocol and component are registered");
    }
  }
  if (clients_.size() >= config_.max_clients || next_number_ == 0) {
    return fail(ErrorKind::kExhausted, "as many multicast protocols as there may be");
  }
  try {
    auto client = std::make_unique<Client>(std::move(registration), next_number_);
    client->is_igmp = config_.is_igmp(client->info.protocol);
    const auto at = clients_.emplace(next_number_, nullptr).first;
    const auto handle = handles_->add(client_tag(), client.get(), OwnerId(next_number_));
    if (!handle) {
      clients_.erase(at);
      return handle;
    }
    at->second = std::move(client);
    ++next_number_;
    return *handle;
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for a client");
  }
}

void Manager::close_enumerations(const Client& client) {
  handles_->for_each_owned(OwnerId(client.number), [&](Handle handle) {
    if (tag_of(handle) == enumeration_tag()) {
      static_cast<void>(handles_->remove(handle));
    }
  });
}

// Alerts in its queue are not said any more, and the threads that wait to say them go on.
Result<void> Manager::deregister_client(Handle self) {
  Lock lock(mutex_);
  Client* client = find_client(self);
  if (client == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  if (client->interfaces != 0) {
    return fail(ErrorKind::kBusy, "the client still owns interfaces");
  }
  if (InCallback::of(*client) || (in_callback() && client->running != 0)) {
    return fail(ErrorKind::kBusy, "the client cannot leave from inside a callback that it waits for");
  }
  client->leaving = true;
  for (const Client::Waiting& waiting : client->queue) {
    waiting.alert->client = nullptr;
  }
  client->queue.clear();
  close_enumerations(*client);
  static_cast<void>(handles_->remove(self));
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return client->running == 0; });
  --waiting_;
  clients_.erase(client->number);
  if (clients_.empty()) {  // so there are no entries either, and nobody drives the clock any more
    deadlines_.clear();
    retry_at_.reset();
  }
  return {};
}

}  // namespace turnpike::mgm

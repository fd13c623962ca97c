// Alerts: said without the lock, in one order for each client, by the thread that caused them. manager.h tells why
// nobody waits for ever.
#include "mgm/deliver.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/log.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

thread_local const InCallback* innermost = nullptr;

// Returns the seconds that a prune callback left.
std::uint32_t tell(Callbacks& callbacks, const Alert& alert, std::uint32_t seconds) {
  switch (alert.kind) {
    case CallbackKind::kJoined:
      callbacks.joined(alert.flow, alert.by_member);
      break;
    case CallbackKind::kPruned:
      callbacks.pruned(alert.flow, alert.interface, alert.by_member, seconds);
      break;
    case CallbackKind::kLocalJoin:
      callbacks.local_join(alert.flow, alert.interface);
      break;
    case CallbackKind::kLocalLeave:
      callbacks.local_leave(alert.flow, alert.interface);
      break;
    case CallbackKind::kDisableIgmp:
      callbacks.disable_igmp(alert.interface);
      break;
    case CallbackKind::kEnableIgmp:
      callbacks.enable_igmp(alert.interface);
      break;
    case CallbackKind::kRpf:
    case CallbackKind::kCreated:
    case CallbackKind::kWrongInterface:
      break;  // asked, not told
  }
  return seconds;
}

}  // namespace

InCallback::InCallback(const Client& client, CallbackKind kind) noexcept
    : client_(client), kind_(kind), outer_(std::exchange(innermost, this)) {}
InCallback::~InCallback() { innermost = outer_; }

bool InCallback::any() noexcept { return innermost != nullptr; }
bool InCallback::of(const Client& client) noexcept {
  const InCallback* each = innermost;
  while (each != nullptr && &each->client_ != &client) {
    each = each->outer_;
  }
  return each != nullptr;
}
bool InCallback::of_igmp_switch() noexcept {
  const InCallback* each = innermost;
  while (each != nullptr && each->kind_ != CallbackKind::kDisableIgmp && each->kind_ != CallbackKind::kEnableIgmp) {
    each = each->outer_;
  }
  return each != nullptr;
}

bool Manager::in_callback() { return InCallback::any(); }
bool Manager::in_igmp_switch() { return InCallback::of_igmp_switch(); }

void log_thrown(const Client& client, const char* what) {
  TURNPIKE_LOG(LogLevel::kError, "mgm", "a client's callback threw", {"protocol", client.info.protocol},
               {"exception", what});
}

void Manager::wake() {
  if (waiting_ != 0) {
    changed_.notify_all();
  }
}

// An alert for which there is no memory is lost, and the log says so: its cause must not fail for the receiver's sake.
void Manager::say(Round& round, Client* to, CallbackKind kind, const Flow& flow, const InterfaceId& interface,
                  bool by_member, std::uint64_t entry) {
  if (to == nullptr || to->leaving || !to->wants(kind)) {
    return;
  }
  try {
    round.alerts.push_back({to, kind, by_member, flow, interface, entry});
  } catch (const std::bad_alloc&) {
    ++counts_.alerts_lost;
    TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an alert", {"protocol", to->info.protocol});
  }
}

// Gives each alert its turn. The round's alerts stay where they are from here on.
void Manager::enqueue(Round& round) {
  for (Alert& alert : round.alerts) {
    try {
      alert.client->queue.push_back({&alert, nullptr});
    } catch (const std::bad_alloc&) {
      ++counts_.alerts_lost;
      TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an alert", {"protocol", alert.client->info.protocol});
      alert.client = nullptr;
    }
  }
}

// Says the alert at the front, and those behind it that nobody waits for.
void Manager::tell_front(Client& client, Lock& lock) {
  do {
    const Alert alert = *client.queue.front().alert;
    client.queue.front().alert->client = nullptr;
    client.queue.pop_front();
    client.being_told = true;
    std::uint32_t seconds = config_.timeout;
    call_out(client, alert.kind, lock, [&] { seconds = tell(*client.callbacks, alert, seconds); });
    client.being_told = false;
    if (alert.entry != 0) {
      set_life(alert, seconds);
    }
  } while (!client.queue.empty() && client.queue.front().left != nullptr);
  wake();
}

// True: it is the alert's turn. False: its client has left, or it is for another thread to say.
bool Manager::await_turn(const Alert& alert, Lock& lock) {
  const auto is_settled = [&] {
    return alert.client == nullptr || (!alert.client->being_told && alert.client->queue.front().alert == &alert);
  };
  if (!is_settled() && !in_callback()) {
    ++waiting_;
    changed_.wait_for(lock, config_.patience, is_settled);
    --waiting_;
  }
  while (!is_settled() && !alert.client->being_told) {  // the threads before this one are busy with other clients
    ++counts_.alerts_left;
    tell_front(*alert.client, lock);
  }
  if (!is_settled()) {
    leave(alert);
    return false;
  }
  return alert.client != nullptr;
}

// The thread that is in the client's callback, or waits to be, will say it.
void Manager::leave(const Alert& alert) {
  auto& queue = alert.client->queue;
  const auto place = std::find_if(queue.begin(), queue.end(), [&](const auto& each) { return each.alert == &alert; });
  try {
    place->left = std::make_unique<Alert>(alert);
    place->alert = place->left.get();
    ++counts_.alerts_left;
  } catch (const std::bad_alloc&) {
    ++counts_.alerts_lost;
    TURNPIKE_LOG(LogLevel::kError, "mgm", "no memory for an alert", {"protocol", alert.client->info.protocol});
    queue.erase(place);
  }
}

void Manager::deliver(Round& round, Lock& lock) {
  for (const Alert& alert : round.alerts) {
    if (await_turn(alert, lock)) {
      tell_front(*alert.client, lock);
    }
  }
}

void Manager::conclude(Round& round, Lock& lock) {
  enqueue(round);
  if (has_orders()) {
    lock.unlock();
    mirror();
    lock.lock();
  }
  deliver(round, lock);
}

}  // namespace turnpike::mgm

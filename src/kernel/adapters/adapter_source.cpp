// The source of real adapters: the link monitor, turned into what src/ndis wants to hear, and the place where adapters
// are opened.
//
// One thread reads the monitor. What the kernel tells is passed on as it is, also what says nothing new: the room
// compares. After a loss, and at the start, everything is listed. An interface that moves to another namespace goes in
// this one (RTM_DELLINK), which is all that the room has to know.
//
// The MTU of each interface is kept here for the adapters that are open on it, which may not indicate a longer frame:
// it is set before the room hears of the change.
//
// An interface that is opened as a TAP has two ends, and the room hears of ours: what it is told of is turned round
// first (tap_device.h). TUN and TAP interfaces of our own are descriptors here; their adapters get duplicates.
#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "kernel/adapters/adapter_opening.h"
#include "kernel/adapters/adapters_port.h"
#include "kernel/adapters/link_facts.h"
#include "kernel/adapters/link_question.h"
#include "kernel/adapters/loop_thread.h"
#include "kernel/adapters/tap_device.h"
#include "kernel/real_port.h"

namespace turnpike::kernel {
namespace {

using ndis::AdapterEvent;
using ndis::AdapterFacts;

constexpr int kRetryMs = 200;                   // after a dump that the kernel refused
constexpr std::chrono::seconds kUntilTold{10};  // of a new interface: never so long, unless the room is held up

class RealAdapters final : public ndis::AdapterSource, private Listener {
 public:
  RealAdapters(AdapterOptions options, NetNamespace where, std::unique_ptr<Port> port)
      : options_(std::move(options)),
        where_(std::make_shared<const NetNamespace>(std::move(where))),  // allow shared-owner: see adapter_opening.h
        port_(std::move(port)) {}
  ~RealAdapters() override { stop(); }

  Result<void> start(ndis::AdapterListener& listener) noexcept override;
  void stop() noexcept override { thread_.stop(); }
  Result<std::unique_ptr<ndis::Adapter>> open(net::InterfaceIndex index, ndis::FrameSink& sink) noexcept override;

  void drain() { closer_->drain(); }
  void list_again() {
    list_again_ = true;
    thread_.wake();
  }
  Result<net::InterfaceIndex> add_tap(const std::string& name, ndis::Medium medium);
  Result<void> remove_tap(net::InterfaceIndex index);

 private:
  struct Known {
    AdapterFacts facts;
    std::shared_ptr<std::atomic<std::uint32_t>> mtu;  // allow shared-owner: see adapter_opening.h
  };

  void on_link(const Notice& notice, const Link& link) override;
  void on_loss(Loss) override { to_list_ = true; }

  void turn();
  Result<void> list();
  void see(const Link& link);
  void know(const AdapterFacts& facts);
  bool is_tap(const AdapterFacts& facts);
  void tell(AdapterEvent::Kind kind, const AdapterFacts& facts = {}) { listener_->adapter_event({kind, facts}); }
  AdapterChoice choice_for(const AdapterFacts& facts) const;
  struct Prepared {
    AdapterOpening opening;
    AdapterChoice choice;
    Descriptor own;
  };
  Result<Prepared> prepare(net::InterfaceIndex index, ndis::FrameSink& sink);

  const AdapterOptions options_;
  const SharedNamespace where_;
  const std::unique_ptr<Port> port_;
  const SharedCloser closer_ = std::make_shared<BackgroundCloser>();  // allow shared-owner: see adapter_opening.h
  std::unique_ptr<Monitor> monitor_;
  ndis::AdapterListener* listener_ = nullptr;
  bool to_list_ = true;  // of the thread
  std::atomic<bool> list_again_ = false;
  std::mutex mutex_;  // of known_ and own_
  std::map<net::InterfaceIndex, Known> known_;
  struct Own {
    Descriptor device;
    bool told = false;  // the room has heard of it
  };
  std::map<net::InterfaceIndex, Own> own_;
  std::condition_variable told_;
  LoopThread thread_;
};

Result<void> RealAdapters::start(ndis::AdapterListener& listener) noexcept {
  listener_ = &listener;
  MonitorOptions options;
  options.topics.links = true;
  options.receive_buffer = options_.monitor_buffer;
  auto monitor = port_->open_monitor(options);
  if (!monitor) return tl::unexpected(monitor.error());
  monitor_ = std::move(*monitor);
  return thread_.start("turnpike-links", [this] { turn(); });
}

void RealAdapters::turn() {
  if (to_list_) to_list_ = !list();
  std::array<pollfd, 2> wait{pollfd{monitor_->descriptor(), POLLIN, 0}, pollfd{thread_.waker(), POLLIN, 0}};
  if (::poll(wait.data(), wait.size(), to_list_ ? kRetryMs : -1) <= 0) return;
  if (wait[0].revents != 0 && !monitor_->read(*this)) to_list_ = true;
  if (wait[1].revents != 0) {
    thread_.woken();
    if (list_again_.exchange(false)) to_list_ = true;
  }
}

Result<void> RealAdapters::list() {
  std::vector<Link> links;
  const auto dumped = port_->dump_links({[&] { links.clear(); }, [&](const Link& link) { links.push_back(link); }});
  if (!dumped) {
    TURNPIKE_LOG(LogLevel::kWarning, "kernel", "the interfaces cannot be listed, trying again",
                 {"error", dumped.error().what}, {"errno", dumped.error().system_code});
    return tl::unexpected(dumped.error());
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [&links](const auto& known) {
      return std::ranges::find(links, known.first, &Link::index) == links.end();
    });
  }
  tell(AdapterEvent::Kind::kListing);
  for (const Link& link : links) see(link);
  tell(AdapterEvent::Kind::kListed);
  return {};
}

void RealAdapters::see(const Link& link) {
  const auto facts = facts_of(link, *where_);
  if (!facts) return;
  know(*facts);
  tell(AdapterEvent::Kind::kSeen, is_tap(*facts) ? seen_from_far_end(*facts) : *facts);
  const std::lock_guard lock(mutex_);
  if (const auto own = own_.find(facts->index); own != own_.end() && !std::exchange(own->second.told, true))
    told_.notify_all();
}

void RealAdapters::know(const AdapterFacts& facts) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[facts.index];
  if (known.mtu == nullptr) known.mtu = std::make_shared<std::atomic<std::uint32_t>>();  // allow shared-owner: as above
  known.mtu->store(facts.mtu, std::memory_order_relaxed);
  known.facts = facts;
}

// An interface of ours that moved to another namespace is gone as well; it goes for good, with its descriptor.
void RealAdapters::on_link(const Notice& notice, const Link& link) {
  if (!notice.gone) return see(link);
  {
    const std::lock_guard lock(mutex_);
    known_.erase(link.index);
    if (own_.erase(link.index) != 0) told_.notify_all();
  }
  AdapterFacts gone;
  gone.index = link.index;
  tell(AdapterEvent::Kind::kGone, gone);
}

// --- how they are opened ---------------------------------------------------------------------------------------------

// Under mutex_.
AdapterChoice RealAdapters::choice_for(const AdapterFacts& facts) const {
  if (own_.contains(facts.index)) return {AdapterKind::kTap, {}};
  return options_.choose ? options_.choose(facts) : AdapterChoice{};
}

bool RealAdapters::is_tap(const AdapterFacts& facts) {
  const std::lock_guard lock(mutex_);
  return facts.kind == "tun" && choice_for(facts).kind == AdapterKind::kTap;
}

auto RealAdapters::prepare(net::InterfaceIndex index, ndis::FrameSink& sink) -> Result<Prepared> {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(index);
  if (known == known_.end()) return fail(ErrorKind::kNotFound, "there is no such interface");
  const AdapterFacts& facts = known->second.facts;
  Prepared made{{where_, sink, index, facts.name, ndis::header_size(facts.medium), facts.medium, known->second.mtu,
                 closer_, facts.has_parent},
                choice_for(facts),
                {}};
  if (const auto own = own_.find(index); own != own_.end()) {
    made.own.reset(::fcntl(own->second.device.number(), F_DUPFD_CLOEXEC, 0));
    if (!made.own.is_open()) return fail(ErrorKind::kExhausted, "no descriptor for an adapter");
  }
  return made;
}

Result<std::unique_ptr<ndis::Adapter>> RealAdapters::open(net::InterfaceIndex index, ndis::FrameSink& sink) noexcept {
  try {
    auto prepared = prepare(index, sink);
    if (!prepared) return tl::unexpected(prepared.error());
    switch (prepared->choice.kind) {
      case AdapterKind::kPacket:
        return open_packet_adapter(prepared->opening);
      case AdapterKind::kXdp:
        return open_xdp_adapter(prepared->opening, prepared->choice.steal);
      case AdapterKind::kTap:
        return open_tap_adapter(prepared->opening, std::move(prepared->own));
    }
    return fail(ErrorKind::kInvalidArgument, "there is no such kind of adapter");
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for an adapter");
  }
}

// Made and noted under the lock, so that the monitor, who hears of it meanwhile, finds it to be ours. Who has made one
// may ask at once what is bound to it, so the room is to have heard of it.
Result<net::InterfaceIndex> RealAdapters::add_tap(const std::string& name, ndis::Medium medium) {
  std::unique_lock lock(mutex_);
  auto made = make_tap(*where_, name, medium);
  if (!made) return tl::unexpected(made.error());
  own_.insert_or_assign(made->index, Own{std::move(made->device)});
  const auto told = [&] {
    const auto own = own_.find(made->index);
    return own == own_.end() || own->second.told;
  };
  if (listener_ != nullptr) told_.wait_for(lock, kUntilTold, told);
  return made->index;
}

// Our descriptor goes when the kernel has told that the interface has gone.
Result<void> RealAdapters::remove_tap(net::InterfaceIndex index) {
  {
    const std::lock_guard lock(mutex_);
    if (!own_.contains(index)) return fail(ErrorKind::kNotFound, "there is no such TUN or TAP interface of ours");
  }
  return LinkQuestion().remove(*where_, index);
}

}  // namespace

Error denied_or_kernel(int error, const char* what, const char* capability, const AdapterOpening& opening) {
  if (error != EPERM && error != EACCES) return Error{ErrorKind::kKernel, error, what};
  TURNPIKE_LOG(LogLevel::kError, "kernel", "an interface cannot be opened: this process lacks a capability",
               {"interface", opening.name}, {"capability", capability});
  return Error{ErrorKind::kDenied, 0, what};
}

Result<std::unique_ptr<ndis::AdapterSource>> open_real_adapters(AdapterOptions options) {
  auto where = NetNamespace::current();
  if (!where) return tl::unexpected(where.error());
  auto port = open_real_port();
  if (!port) return tl::unexpected(port.error());
  return std::make_unique<RealAdapters>(std::move(options), std::move(*where), std::move(*port));
}

void drain(ndis::AdapterSource& source) {
  if (auto* const real = dynamic_cast<RealAdapters*>(&source); real != nullptr) real->drain();
}

void choice_changed(ndis::AdapterSource& source) {
  if (auto* const real = dynamic_cast<RealAdapters*>(&source); real != nullptr) real->list_again();
}

Result<net::InterfaceIndex> add_tap(ndis::AdapterSource& source, const std::string& name, ndis::Medium medium) {
  if (auto* const real = dynamic_cast<RealAdapters*>(&source); real != nullptr) return real->add_tap(name, medium);
  return fail(ErrorKind::kUnsupported, "these adapters are not the kernel's");
}

Result<void> remove_tap(ndis::AdapterSource& source, net::InterfaceIndex index) {
  if (auto* const real = dynamic_cast<RealAdapters*>(&source); real != nullptr) return real->remove_tap(index);
  return fail(ErrorKind::kUnsupported, "these adapters are not the kernel's");
}

}  // namespace turnpike::kernel

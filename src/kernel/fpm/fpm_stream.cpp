#include "kernel/fpm/fpm_stream.h"

#include <linux/netlink.h>

#include <algorithm>

namespace turnpike::kernel {
namespace {

constexpr std::size_t kHead = 4;
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kNetlink = 1, kProtobuf = 2;

// How long the frame is that begins here; kNoMoreItems where that has not come yet.
Result<std::size_t> length_of_frame(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion)
    return fail(ErrorKind::kInvalidArgument, "a frame is not of version 1: this is no FPM");
  if (bytes.size() >= 2 && bytes[1] == kProtobuf)
    return fail(ErrorKind::kInvalidArgument, "a frame holds protobuf: load zebra's module dplane_fpm_nl, not fpm");
  if (bytes.size() >= 2 && bytes[1] != kNetlink)
    return fail(ErrorKind::kInvalidArgument, "a frame is of a type that no FPM has");
  if (bytes.size() < kHead) return fail(ErrorKind::kNoMoreItems, "the head of a frame has not come yet");
  const std::size_t length = bytes[2] * std::size_t{256} + bytes[3];
  if (length < kHead + sizeof(nlmsghdr)) return fail(ErrorKind::kInvalidArgument, "a frame is too short for a message");
  return length;
}

}  // namespace

Result<void> FpmStream::take(Bytes bytes, FpmListener& listener) {
  // A frame that has begun is completed first, by what it lacks and no more.
  while (!begun_.empty() && !bytes.empty()) {
    const auto length = length_of_frame(begun_);
    if (!length && length.error().kind != ErrorKind::kNoMoreItems) return tl::unexpected(length.error());
    const std::size_t lacks = length ? *length - begun_.size() : kHead - begun_.size();
    const Bytes more = bytes.first(std::min(lacks, bytes.size()));
    begun_.insert(begun_.end(), more.begin(), more.end());
    bytes = bytes.subspan(more.size());
    const auto taken = take_frames(begun_, listener);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken != 0) begun_.clear();
  }
  const auto taken = take_frames(bytes, listener);
  if (!taken) return tl::unexpected(taken.error());
  begun_.insert(begun_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(*taken), bytes.end());
  return {};
}

// Gives how many bytes were whole frames.
Result<std::size_t> FpmStream::take_frames(Bytes bytes, FpmListener& listener) {
  std::size_t taken = 0;
  for (;;) {
    const Bytes rest = bytes.subspan(taken);
    const auto length = length_of_frame(rest);
    if (!length && length.error().kind != ErrorKind::kNoMoreItems) return tl::unexpected(length.error());
    if (!length || rest.size() < *length) return taken;
    const Bytes messages = rest.subspan(kHead, *length - kHead);
    if (const auto good = check(messages); !good) return tl::unexpected(good.error());
    tell(messages, listener);
    ++frames_;
    taken += *length;
  }
}

// Whether all of it can be told. Decoding twice costs less than keeping what was decoded.
Result<void> FpmStream::check(Bytes messages) {
  const auto verdict = [](const auto& decoded) -> Result<void> {
    if (decoded || decoded.error().kind == ErrorKind::kUnsupported) return {};
    return tl::unexpected(decoded.error());
  };
  while (!messages.empty()) {
    const auto message = take_message(messages);
    if (!message) return tl::unexpected(message.error());
    Result<void> good;
    const Subject subject = subject_of(*message);
    if (subject == Subject::kRoute) good = verdict(decoder_.route(*message));
    if (subject == Subject::kNextHop) good = verdict(decoder_.next_hop(*message));
    if (!good) return good;
  }
  return {};
}

void FpmStream::tell(Bytes messages, FpmListener& listener) {
  while (const auto message = take_message(messages)) {
    ++messages_;
    const Subject subject = subject_of(*message);
    const bool gone = notice_of(*message).gone;
    if (subject == Subject::kRoute) {
      const auto route = decoder_.route(*message);
      route ? tell_route(gone, *route, listener) : skip();
    } else if (subject == Subject::kNextHop) {
      const auto next_hop = decoder_.next_hop(*message);
      next_hop ? listener.on_next_hop(gone, *next_hop) : skip();
    } else {
      skip();
    }
  }
  if (gone_) listener.on_route(true, *gone_);
  gone_.reset();
}

void FpmStream::tell_route(bool gone, const Route& route, FpmListener& listener) {
  const bool is_same =
      gone_ && gone_->table == route.table && gone_->destination == route.destination && gone_->source == route.source;
  if (gone_ && !is_same) listener.on_route(true, *gone_);
  gone_.reset();
  if (!gone) return listener.on_route(false, route);
  gone_ = route;
  gone_->hops = {};  // they live no longer than the message
}

}  // namespace turnpike::kernel

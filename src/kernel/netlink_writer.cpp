#include "kernel/netlink_writer.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

namespace turnpike::kernel {
namespace {

// What an answer with words takes of a receive buffer, bookkeeping included: 833 measured; doubled, and more.
constexpr std::size_t kAnswerBytes = 2048;
constexpr std::size_t kLeastMessage = 32;

}  // namespace

NetlinkWriter::NetlinkWriter(NetlinkSocket socket)
    : socket_(std::move(socket)),
      most_(std::clamp<std::size_t>(socket_.granted().receive_buffer / kAnswerBytes, 1, kSendBytes / kLeastMessage)),
      buffer_(kSendBytes),
      answers_(std::size_t{32} << 10),
      out_(buffer_) {
  notes_.reserve(most_);
}

bool NetlinkWriter::put(Change change, const Route& route, Cookie cookie) { return note(cookie, change, route); }
bool NetlinkWriter::put(Change change, const NextHop& next_hop, Cookie cookie) {
  return note(cookie, change, next_hop);
}
bool NetlinkWriter::put(Change change, const InterfaceAddress& address, Cookie cookie) {
  return note(cookie, change, address);
}
bool NetlinkWriter::put(Change change, const Neighbour& neighbour, Cookie cookie) {
  return note(cookie, change, neighbour);
}
bool NetlinkWriter::put(Change change, const Rule& rule, Cookie cookie) { return note(cookie, change, rule); }
bool NetlinkWriter::put(const LinkChange& change, Cookie cookie) { return note(cookie, change); }

template <class... Object>
bool NetlinkWriter::note(Cookie cookie, const Object&... object) {
  if (notes_.size() == most_) return false;
  const std::size_t begin = out_.bytes().size();
  const auto done = encode(out_, first_ + static_cast<Sequence>(notes_.size()), object...);
  if (!done && done.error().kind == ErrorKind::kBufferTooSmall && begin != 0) return false;
  if (notes_.empty()) words_.clear();
  Note& added = notes_.emplace_back(Note{cookie, static_cast<std::uint32_t>(begin), 0, 0, 0});
  if (!done) refuse(added, EINVAL, done.error().what, {});
  return true;
}

void NetlinkWriter::refuse(Note& note, int error, std::string_view words, std::string_view attribute) {
  if (note.error == 0) ++refusals_;
  note.error = error;
  note.text = static_cast<std::uint32_t>(words_.size());
  words_.append(words);
  if (!attribute.empty()) words_.append(words.empty() ? "at " : ", at ").append(attribute);
  note.text_size = static_cast<std::uint32_t>(words_.size() - note.text);
}

// The kernel took none of it.
void NetlinkWriter::refuse_all(int error) {
  for (Note& note : notes_) {
    if (note.error == 0) refuse(note, error, {}, {});
  }
}

void NetlinkWriter::take_answer(const Message& message) {
  const auto answer = decode_answer(message);
  if (!answer) {
    lost_ = true;
    return;
  }
  const std::size_t index = answer->sequence - first_;
  if (index >= notes_.size()) return;  // of an earlier submit, whose answers counted as lost
  Note& note = notes_[index];
  Bytes rest = out_.bytes().subspan(note.begin);
  const Bytes request = rest;
  answered_ = answered_ || (take_message(rest).has_value() && rest.empty());
  if (answer->error == 0) return;
  const auto size = static_cast<std::size_t>(rest.data() - request.data());
  refuse(note, answer->error, answer->words, attribute_in_question(*answer, request.first(size)));
}

void NetlinkWriter::read_answers() {
  for (;;) {
    const auto received = socket_.receive(answers_);
    if (!received) {
      if (received.error().kind == ErrorKind::kNoMoreItems) return;
      lost_ = true;
      if (received.error().kind == ErrorKind::kKernel) return;
      continue;
    }
    Bytes rest = *received;
    while (const auto message = take_message(rest)) take_answer(*message);
    if (answered_ && !lost_) return;  // without asking whether there is more: the last answer is the last
  }
}

Report NetlinkWriter::submit() {
  answered_ = false;
  lost_ = false;
  if (!out_.bytes().empty()) {
    out_.flag_last(NLM_F_ACK);
    if (const auto sent = socket_.send(out_.bytes()); !sent) {
      refuse_all(sent.error().system_code);
    } else {
      read_answers();
      lost_ = lost_ || !answered_;
    }
  }
  return finish();
}

Report NetlinkWriter::finish() {
  refused_.clear();
  if (refusals_ != 0) {
    for (const Note& note : notes_) {
      if (note.error == 0) continue;
      refused_.push_back({note.cookie, note.error, std::string_view(words_).substr(note.text, note.text_size)});
    }
  }
  const Report report{notes_.size(), refused_, lost_};
  first_ += static_cast<Sequence>(notes_.size());
  notes_.clear();
  refusals_ = 0;
  out_.clear();
  return report;
}

}  // namespace turnpike::kernel

// NetlinkWriter: changes gathered into one buffer, sent by one call, their answers read before `submit` returns.
//
// Where the speed comes from: errors alone are answered, but for the last message of a submit, whose answer says that
// the others had theirs; a submit is one system call to send and one to receive for up to 64 KiB of changes. More at
// once would gain nothing: the kernel spends 2.5 µs and more on a route, of which the calls are some nanoseconds.
// Nothing is allocated once the lists have grown.
//
// What could be lost: an answer finds no room in the socket's buffer. So a submit holds no more changes than that
// buffer could answer if each one failed; should the kernel lose one even so, it says so, and so does the report.
#pragma once

#include <string>
#include <vector>

#include "kernel/codec.h"
#include "kernel/netlink_socket.h"
#include "kernel/port.h"

namespace turnpike::kernel {

class NetlinkWriter final : public Writer {
 public:
  explicit NetlinkWriter(NetlinkSocket socket);

  [[nodiscard]] bool put(Change change, const Route& route, Cookie cookie) override;
  [[nodiscard]] bool put(Change change, const NextHop& next_hop, Cookie cookie) override;
  [[nodiscard]] bool put(Change change, const InterfaceAddress& address, Cookie cookie) override;
  [[nodiscard]] bool put(Change change, const Neighbour& neighbour, Cookie cookie) override;
  [[nodiscard]] bool put(Change change, const Rule& rule, Cookie cookie) override;
  [[nodiscard]] bool put(const LinkChange& change, Cookie cookie) override;
  Report submit() override;
  [[nodiscard]] std::size_t noted() const override { return notes_.size(); }
  [[nodiscard]] Identity identity() const override { return socket_.port(); }

  static constexpr std::size_t kSendBytes = std::size_t{64} << 10;
  static constexpr std::size_t kReceiveBytes = std::size_t{4} << 20;

 private:
  struct Note {
    Cookie cookie;
    std::uint32_t begin;  // of its message in the buffer
    int error;
    std::uint32_t text;  // where its words begin and how many they are
    std::uint32_t text_size;
  };

  template <class... Object>
  bool note(Cookie cookie, const Object&... object);
  void refuse(Note& note, int error, std::string_view words, std::string_view attribute);
  void refuse_all(int error);
  void read_answers();
  void take_answer(const Message& message);
  Report finish();

  NetlinkSocket socket_;
  std::size_t most_;  // changes of one submit
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> answers_;
  MessageBuilder out_;
  Sequence first_ = 1;  // of the first note; the others follow
  std::vector<Note> notes_;
  std::size_t refusals_ = 0;
  bool answered_ = false;  // the last message of this submit has its answer
  bool lost_ = false;
  std::string words_;
  std::vector<Refusal> refused_;
};

}  // namespace turnpike::kernel

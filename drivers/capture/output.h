// Where a capture goes: a file, a pipe, or a ring of files.
//
// Each file stands for itself: it begins with the section and all interfaces that are known by then, and ends with the
// statistics of each up to then. In a ring the frames of a file make it no larger than was said, unless a single one
// does; the oldest file is removed when there would be more than were asked for.
//
// A disk that is full ends the capture; what is written by then is whole.
//
// A pipe is written in pieces that its reader can take at once, so that a reader who has stopped reading does not keep
// us from ending.
#pragma once

#include <functional>
#include <list>

#include "spool.h"

namespace capture {

class Output {
 public:
  struct Where {
    std::string path;              // "-": standard output
    std::uint64_t file_bytes = 0;  // 0: one file, however large
    std::uint32_t files = 0;       // that are kept; 0: all
  };
  // Of each interface, as they are numbered.
  using AskStatistics = std::function<std::vector<Statistics>()>;

  Output(Where where, std::string application, AskStatistics statistics);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  // These give 0, or an errno: EPIPE where the reader has gone, ECANCELED where `stop` said so. After one nothing is
  // written any more.
  int open();
  void stop_at(int stop) { stop_ = stop; }  // a descriptor; when it can be read, a pipe is no longer waited for
  int write(const Batch& batch);
  int close();  // with the statistics

  [[nodiscard]] const std::string& name() const { return name_; }  // of the file that is written

 private:
  int begin_file();
  int end_file();
  int next_file();
  int flush();
  int put(std::span<const std::uint8_t> blocks);
  void cut_off(std::span<const std::uint8_t> blocks, std::size_t done);
  [[nodiscard]] bool await_room() const;  // in the pipe
  [[nodiscard]] std::size_t room_for(std::span<const std::uint8_t> blocks) const;

  Where where_;
  std::string application_;
  AskStatistics statistics_;
  std::string name_;
  std::list<std::string> kept_;
  std::uint32_t number_ = 0;
  std::vector<Interface> interfaces_;
  Bytes head_;  // blocks of ours that are to be written
  std::uint64_t written_ = 0;
  int file_ = -1;
  int stop_ = -1;
  bool is_pipe_ = false;
  bool has_frames_ = false;
  int error_ = 0;
};

}  // namespace capture

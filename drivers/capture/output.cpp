#include "output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace capture {
namespace {

constexpr int kGraceMs = 1000;  // for a reader who is only slow

// A file of a ring: its number stands before the ending, capture_00001.pcapng.
std::string numbered(const std::string& path, std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "_%05u", number);
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = path.rfind('.');
  const std::size_t at = dot == std::string::npos || dot <= name ? path.size() : dot;
  return path.substr(0, at) + text.data() + path.substr(at);
}

std::size_t block_size(std::span<const std::uint8_t> blocks) {
  std::size_t size = 0;
  for (std::size_t at = 0; at < 4; ++at) size |= std::size_t{blocks[4 + at]} << 8 * at;
  return size;
}

}  // namespace

Output::Output(Where where, std::string application, AskStatistics statistics)
    : where_(std::move(where)), application_(std::move(application)), statistics_(std::move(statistics)) {}

Output::~Output() {
  if (file_ > STDERR_FILENO) ::close(file_);
}

int Output::open() {
  error_ = begin_file();
  return error_;
}

int Output::begin_file() {
  name_ = where_.file_bytes != 0 ? numbered(where_.path, ++number_) : where_.path;
  file_ = name_ == "-" ? STDOUT_FILENO : ::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file_ < 0) return errno;
  struct stat what{};
  is_pipe_ = ::fstat(file_, &what) == 0 && (S_ISFIFO(what.st_mode) || S_ISSOCK(what.st_mode));
  written_ = 0;
  put_section(head_, application_);
  for (const Interface& each : interfaces_) put_interface(head_, each);
  return flush();
}

int Output::end_file() {
  const std::vector<Statistics> all = statistics_();
  for (std::size_t at = 0; at < interfaces_.size() && at < all.size(); ++at)
    put_statistics(head_, static_cast<std::uint32_t>(at), all[at].end, all[at]);
  if (const int error = flush(); error != 0) return error;
  if (file_ != STDOUT_FILENO && ::close(std::exchange(file_, -1)) != 0) return errno;
  return 0;
}

int Output::next_file() {
  if (const int error = end_file(); error != 0) return error;
  kept_.push_back(name_);
  if (where_.files != 0 && kept_.size() >= where_.files) {
    if (::unlink(kept_.front().c_str()) != 0 && errno != ENOENT) return errno;
    kept_.pop_front();
  }
  return begin_file();
}

int Output::write(const Batch& batch) {
  if (error_ != 0) return error_;
  for (const Interface& each : batch.interfaces) {
    interfaces_.push_back(each);
    put_interface(head_, each);
  }
  error_ = flush();
  std::span<const std::uint8_t> left = batch.blocks;
  while (error_ == 0 && !left.empty()) {
    const std::size_t size = room_for(left);
    error_ = size == 0 ? next_file() : put(left.first(size));
    has_frames_ = size != 0;
    left = left.subspan(size);
  }
  return error_;
}

// As many of the blocks as this file has room for; at least one where it has none yet.
std::size_t Output::room_for(std::span<const std::uint8_t> blocks) const {
  if (where_.file_bytes == 0) return blocks.size();
  std::size_t size = 0;
  while (size < blocks.size()) {
    const std::size_t next = size + block_size(blocks.subspan(size));
    if (written_ + next > where_.file_bytes && (size != 0 || has_frames_)) break;
    size = next;
  }
  return size;
}

int Output::close() {
  if (error_ == 0) error_ = end_file();
  return std::exchange(error_, EBADF);
}

int Output::flush() {
  const int error = put(head_);
  head_.clear();
  return error;
}

bool Output::await_room() const {
  std::array<pollfd, 2> wait{pollfd{file_, POLLOUT, 0}, pollfd{stop_, POLLIN, 0}};
  while (::poll(wait.data(), wait.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return wait[0].revents != 0 || ::poll(wait.data(), 1, kGraceMs) > 0;
}

// Takes the beginning of a block that did not get to its end off the file.
void Output::cut_off(std::span<const std::uint8_t> blocks, std::size_t done) {
  if (is_pipe_ || file_ == STDOUT_FILENO) return;
  std::size_t whole = 0;
  while (whole < done && whole + block_size(blocks.subspan(whole)) <= done) whole += block_size(blocks.subspan(whole));
  written_ -= done - whole;
  (void)!::ftruncate(file_, static_cast<off_t>(written_));  // where it cannot be done, readers find what is whole
}

int Output::put(std::span<const std::uint8_t> blocks) {
  for (std::span<const std::uint8_t> bytes = blocks; !bytes.empty();) {
    if (is_pipe_ && !await_room()) return ECANCELED;
    const ssize_t done =
        ::write(file_, bytes.data(), is_pipe_ ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size());
    if (done < 0 && errno != EINTR) {
      const int error = errno;
      cut_off(blocks, blocks.size() - bytes.size());
      return error;
    }
    if (done > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(done));
      written_ += static_cast<std::uint64_t>(done);
    }
  }
  return 0;
}

}  // namespace capture

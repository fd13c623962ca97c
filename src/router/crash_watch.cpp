#include "router/crash_watch.h"

#include <fcntl.h>
#include <link.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string_view>

#include "base/descriptor.h"
#include "router/call_watch.h"
#include "router/quarantine.h"

namespace turnpike::router {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr std::size_t kModules = 64;
constexpr std::size_t kStackPieces = 16;
constexpr std::size_t kPiece = 512;

// Read by the handler at any moment: `begin` is written last, and zeroed first.
struct Entry {
  std::atomic<std::uintptr_t> begin{0};
  std::uintptr_t end = 0;
  unsigned users = 0;  // protocols of one library; under the lock
  std::array<char, 64> name{};
  std::array<char, 1024> path{};
  std::array<char, 64> before{};  // of the record's line, the seconds; and what is behind them
  std::array<char, 1200> after{};
};

struct State {
  std::mutex mutex;
  std::array<Entry, kModules> entries;
  std::atomic<int> record{-1};
};
constinit State state{};

template <std::size_t kSize>
void copy(std::array<char, kSize>& to, const std::string& from) {
  const std::size_t size = std::min(from.size(), kSize - 1);
  std::memcpy(to.data(), from.data(), size);
  to[size] = 0;
}

struct Range {
  std::uintptr_t address;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// From the first to the last byte of the shared object that has the address.
Range range_of(const void* address) {
  Range range{reinterpret_cast<std::uintptr_t>(address)};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& wanted = *static_cast<Range*>(data);
        std::uintptr_t begin = UINTPTR_MAX, end = 0;
        for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          begin = std::min(begin, info->dlpi_addr + header.p_vaddr);
          end = std::max(end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
        }
        if (wanted.address < begin || wanted.address >= end) return 0;
        wanted.begin = begin;
        wanted.end = end;
        return 1;
      },
      &range);
  return range;
}

// ---------------------------------------------------------------------------------------------------------------------
// In the handler: nothing that allocates, locks, or loads what may not be there

const Entry* entry_of(std::uintptr_t address) {
  for (const Entry& entry : state.entries) {
    const std::uintptr_t begin = entry.begin.load(std::memory_order_acquire);
    if (begin != 0 && address >= begin && address < entry.end) return &entry;
  }
  return nullptr;
}

struct Place {
  std::uintptr_t counter;
  std::uintptr_t stack;
};

Place place_of(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uintptr_t>(machine.gregs[REG_RIP]), static_cast<std::uintptr_t>(machine.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {static_cast<std::uintptr_t>(machine.pc), static_cast<std::uintptr_t>(machine.sp)};
#else
#error "no way to the program counter on this machine"
#endif
}

const Entry* entry_on_stack(std::uintptr_t stack) {
  static std::uintptr_t words[kStackPieces * kPiece / sizeof(std::uintptr_t)];
  iovec here = {words, sizeof(words)};
  iovec there[kStackPieces];
  for (std::size_t i = 0; i < kStackPieces; ++i) there[i] = {reinterpret_cast<void*>(stack + i * kPiece), kPiece};
  const ssize_t read = process_vm_readv(getpid(), &here, 1, there, kStackPieces, 0);
  const std::size_t count = read > 0 ? static_cast<std::size_t>(read) / sizeof(std::uintptr_t) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (const Entry* entry = entry_of(words[i]); entry != nullptr) return entry;
  }
  return nullptr;
}

const Entry* entry_named(const char* name) {
  for (const Entry& entry : state.entries) {
    if (entry.begin.load(std::memory_order_acquire) != 0 && std::strcmp(entry.name.data(), name) == 0) return &entry;
  }
  return nullptr;
}

const Entry* culprit(const void* context) {
  const Place place = place_of(context);
  if (const Entry* entry = entry_of(place.counter); entry != nullptr) return entry;
  if (const Entry* entry = entry_on_stack(place.stack); entry != nullptr) return entry;
  const CallWatch::Mark* mark = CallWatch::innermost();
  return mark == nullptr ? nullptr : entry_named(mark->module());
}

// Text put together in place.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    const std::size_t size = std::min(text.size(), room_.size() - size_);
    std::memcpy(room_.data() + size_, text.data(), size);
    size_ += size;
    return *this;
  }
  Line& operator<<(std::uint64_t number) {
    char digits[20];
    std::size_t first = sizeof(digits);
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << std::string_view(digits + first, sizeof(digits) - first);
  }
  void write(int descriptor) const { [[maybe_unused]] const auto written = ::write(descriptor, room_.data(), size_); }

 private:
  std::array<char, 1400> room_{};
  std::size_t size_ = 0;
};

void on_crash(int signal, siginfo_t*, void* context) {
  const int before = errno;
  if (const Entry* entry = culprit(context); entry != nullptr) {
    Line said;
    said << "turnpike: signal " << static_cast<std::uint64_t>(signal) << " in module " << entry->name.data() << " ("
         << entry->path.data() << ")\n";
    said.write(STDERR_FILENO);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    Line kept;
    kept << "\n" << entry->before.data() << static_cast<std::uint64_t>(now.tv_sec) << entry->after.data();
    if (const int record = state.record.load(); record >= 0) kept.write(record);
  }
  errno = before;  // the handler is gone (SA_RESETHAND): the instruction, or abort(), does it again
}

}  // namespace

Result<void> CrashWatch::install(const std::string& record) {
  if (!record.empty()) {
    Descriptor opened(::open(record.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!opened.is_open()) return fail_errno(errno, "the record of crashes cannot be opened");
    const Descriptor former(state.record.exchange(opened.release()));
  }
  for (const int signal : kSignals) {
    struct sigaction action{};
    action.sa_sigaction = on_crash;
    action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    if (::sigaction(signal, &action, nullptr) != 0) return fail_errno(errno, "a signal cannot be handled");
  }
  return {};
}

void CrashWatch::add(const void* address, const std::string& module, const std::string& path) {
  const Range range = range_of(address);
  if (range.begin == 0) return;
  const std::lock_guard lock(state.mutex);
  Entry* place = nullptr;
  for (Entry& entry : state.entries) {
    if (entry.begin.load() == range.begin) {
      ++entry.users;
      return;
    }
    if (place == nullptr && entry.begin.load() == 0) place = &entry;
  }
  if (place == nullptr) return;
  place->users = 1;
  place->end = range.end;
  copy(place->name, module);
  copy(place->path, path);
  const CrashLine line = crash_line(path);
  copy(place->before, line.before);
  copy(place->after, line.after);
  place->begin.store(range.begin, std::memory_order_release);
}

void CrashWatch::remove(const void* address) {
  const std::uintptr_t begin = range_of(address).begin;
  const std::lock_guard lock(state.mutex);
  for (Entry& entry : state.entries) {
    if (entry.begin.load() == begin && begin != 0 && --entry.users == 0) entry.begin.store(0);
  }
}

}  // namespace turnpike::router

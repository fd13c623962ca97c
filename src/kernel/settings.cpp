#include "kernel/settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace turnpike::kernel {
namespace {

Failure failure_of(int error) {
  switch (error) {
    case ENOENT:
      return fail(ErrorKind::kNotFound, "this kernel has no such setting");
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(ErrorKind::kDenied, "this process may not use the setting");
    default:
      return fail_errno(error, "a setting was refused");
  }
}

// Which namespace /proc/sys shows is settled by who opens the file, so that alone happens inside.
Result<Descriptor> open_setting(const NetNamespace& where, std::string_view name, int flags) {
  if (!is_setting_name(name)) return fail(ErrorKind::kInvalidArgument, "that names no setting of the network");
  const std::string path = "/proc/sys/" + std::string(name);
  Descriptor file;
  int error = 0;
  const auto entered = where.inside([&] {
    file.reset(::open(path.c_str(), flags | O_CLOEXEC));
    error = errno;
  });
  if (!entered) return tl::unexpected(entered.error());
  if (!file.is_open()) return failure_of(error);
  return file;
}

}  // namespace

bool is_setting_name(std::string_view name) {
  if (!name.starts_with("net/") || name.ends_with('/') || name.size() > 512) return false;
  if (std::ranges::any_of(name, [](char c) { return c > 0 && c < ' '; })) return false;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) return false;
    name.remove_prefix(std::min(part.size() + 1, name.size()));
  }
  return true;
}

Result<std::string> read_setting(const NetNamespace& where, std::string_view name) {
  const auto file = open_setting(where, name, O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  std::array<char, 4096> text{};
  const ssize_t size = ::read(file->number(), text.data(), text.size());
  if (size < 0) return failure_of(errno);
  std::string_view value(text.data(), static_cast<std::size_t>(size));
  if (value.ends_with('\n')) value.remove_suffix(1);
  return std::string(value);
}

Result<void> write_setting(const NetNamespace& where, std::string_view name, std::string_view value) {
  const auto file = open_setting(where, name, O_WRONLY);
  if (!file) return tl::unexpected(file.error());
  if (::write(file->number(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
    return failure_of(errno);
  return {};
}

}  // namespace turnpike::kernel

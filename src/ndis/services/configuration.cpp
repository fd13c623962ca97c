#include "ndis/services/configuration.h"

#include <algorithm>
#include <atomic>
#include <cwctype>

namespace turnpike::ndis {
namespace {

std::atomic<SectionFinder> finder_in_use{nullptr};

std::wstring upper(std::wstring_view text) {
  std::wstring out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](wchar_t each) { return static_cast<wchar_t>(std::towupper(static_cast<std::wint_t>(each))); });
  return out;
}

int digit_of(wchar_t letter) {
  if (letter >= L'0' && letter <= L'9') return letter - L'0';
  if (letter >= L'a' && letter <= L'f') return letter - L'a' + 10;
  if (letter >= L'A' && letter <= L'F') return letter - L'A' + 10;
  return 99;
}

std::optional<ULONG> number_of(std::wstring_view text, unsigned base) {
  if (text.size() > 2 && text[0] == L'0' && (text[1] == L'x' || text[1] == L'X')) {
    text.remove_prefix(2);
    base = 16;
  }
  ULONGLONG number = 0;
  for (const wchar_t letter : text) {
    const auto digit = static_cast<unsigned>(digit_of(letter));
    if (digit >= base || number > MAXULONG) return std::nullopt;
    number = number * base + digit;
  }
  if (text.empty() || number > MAXULONG) return std::nullopt;
  return static_cast<ULONG>(number);
}

std::optional<std::vector<unsigned char>> bytes_of_text(std::wstring_view text) {
  std::vector<unsigned char> bytes;
  int half = -1;
  for (const wchar_t letter : text) {
    if (letter == L' ' || letter == L':' || letter == L'-') continue;
    const int digit = digit_of(letter);
    if (digit > 15) return std::nullopt;
    if (half < 0) {
      half = digit;
    } else {
      bytes.push_back(static_cast<unsigned char>(half << 4 | digit));
      half = -1;
    }
  }
  if (half >= 0 || bytes.size() > 0xFFFF) return std::nullopt;
  return bytes;
}

}  // namespace

Configuration& Configuration::instance() {
  // Never destroyed: drivers read while the process ends.
  static Configuration* const configuration = std::unique_ptr<Configuration>(new Configuration).release();
  return *configuration;
}

void Configuration::set(std::wstring_view section, std::wstring_view keyword, std::wstring_view value) {
  const std::lock_guard lock(mutex_);
  Section& found = sections_[upper(section)];
  if (found.name.empty()) {
    found.name = section;
  }
  found.values[upper(keyword)] = value;
}

bool Configuration::erase(std::wstring_view section, std::wstring_view keyword) {
  const std::lock_guard lock(mutex_);
  const auto found = sections_.find(upper(section));
  if (found == sections_.end() || found->second.values.erase(upper(keyword)) == 0) {
    return false;
  }
  if (found->second.values.empty()) {
    sections_.erase(found);
  }
  return true;
}

std::optional<std::wstring> Configuration::get(std::wstring_view section, std::wstring_view keyword) const {
  const std::lock_guard lock(mutex_);
  const auto found = sections_.find(upper(section));
  if (found == sections_.end()) return std::nullopt;
  const auto value = found->second.values.find(upper(keyword));
  if (value == found->second.values.end()) return std::nullopt;
  return value->second;
}

std::optional<std::wstring> Configuration::subsection(std::wstring_view section, ULONG index) const {
  const std::wstring prefix = upper(section) + L"\\";
  const std::lock_guard lock(mutex_);
  std::wstring last;
  for (auto at = sections_.lower_bound(prefix); at != sections_.end() && at->first.starts_with(prefix); ++at) {
    const std::wstring rest = at->second.name.substr(prefix.size());
    const std::wstring name = rest.substr(0, rest.find(L'\\'));
    if (upper(name) == last) continue;
    last = upper(name);
    if (index-- == 0) return name;
  }
  return std::nullopt;
}

bool Configuration::has_section(std::wstring_view section) const {
  const std::wstring name = upper(section);
  const std::lock_guard lock(mutex_);
  const auto found = sections_.lower_bound(name);
  return found != sections_.end() && (found->first == name || found->first.starts_with(name + L"\\"));
}

std::unique_ptr<Parameter> read_as(std::wstring_view text, NDIS_PARAMETER_TYPE type) {
  auto read = std::make_unique<Parameter>();
  read->parameter.ParameterType = type;
  auto& data = read->parameter.ParameterData;
  switch (type) {
    case NdisParameterInteger:
    case NdisParameterHexInteger: {
      const auto number = number_of(text, type == NdisParameterInteger ? 10 : 16);
      if (!number) return nullptr;
      data.IntegerData = *number;
      return read;
    }
    case NdisParameterMultiString:  // lines; in memory each ends with a NUL, and one more ends them all
    case NdisParameterString: {
      read->text = text;
      if (type == NdisParameterMultiString) {
        std::replace(read->text.begin(), read->text.end(), L'\n', L'\0');
        read->text.append(2, L'\0');
      }
      const std::size_t bytes = read->text.size() * sizeof(WCHAR);
      if (bytes > 0xFFFF - sizeof(WCHAR)) return nullptr;
      data.StringData = {static_cast<USHORT>(bytes), static_cast<USHORT>(bytes + sizeof(WCHAR)), read->text.data()};
      return read;
    }
    case NdisParameterBinary: {
      auto bytes = bytes_of_text(text);
      if (!bytes) return nullptr;
      read->bytes = std::move(*bytes);
      data.BinaryData = {static_cast<USHORT>(read->bytes.size()), read->bytes.data()};
      return read;
    }
  }
  return nullptr;
}

std::optional<std::wstring> written_as(const NDIS_CONFIGURATION_PARAMETER& parameter) {
  const auto& data = parameter.ParameterData;
  switch (parameter.ParameterType) {
    case NdisParameterInteger:
      return std::to_wstring(data.IntegerData);
    case NdisParameterHexInteger: {
      std::wstring text;
      for (ULONG rest = data.IntegerData; rest != 0 || text.empty(); rest >>= 4) {
        text.insert(text.begin(), L"0123456789abcdef"[rest & 15]);
      }
      return L"0x" + text;
    }
    case NdisParameterMultiString:
    case NdisParameterString: {
      if (data.StringData.Buffer == nullptr && data.StringData.Length != 0) return std::nullopt;
      std::wstring text(data.StringData.Buffer != nullptr ? data.StringData.Buffer : L"",
                        data.StringData.Length / sizeof(WCHAR));
      if (parameter.ParameterType == NdisParameterMultiString) {
        text.erase(text.find_last_not_of(L'\0') + 1);
        std::replace(text.begin(), text.end(), L'\0', L'\n');
      }
      return text;
    }
    case NdisParameterBinary: {
      if (data.BinaryData.Buffer == nullptr && data.BinaryData.Length != 0) return std::nullopt;
      std::wstring text;
      const auto* const bytes = static_cast<const unsigned char*>(data.BinaryData.Buffer);
      for (USHORT at = 0; at < data.BinaryData.Length; ++at) {
        text += L"0123456789abcdef"[bytes[at] >> 4];
        text += L"0123456789abcdef"[bytes[at] & 15];
      }
      return text;
    }
  }
  return std::nullopt;
}

void find_sections_by(SectionFinder finder) noexcept { finder_in_use.store(finder, std::memory_order_release); }

std::optional<std::wstring> section_of(NDIS_HANDLE handle) {
  const SectionFinder finder = finder_in_use.load(std::memory_order_acquire);
  return finder != nullptr ? finder(handle) : std::nullopt;
}

}  // namespace turnpike::ndis

// Configuration of protocol drivers: what the registry is to them. Sections are named by paths, `LLDP\Parameters`,
// `LLDP\Parameters\Adapters\<adapter>`; names count in any case. The library reads no file: a host puts values in,
// drivers read them, and may write.
//
// A value is text until a driver asks for it as something: an integer, text, several texts, bytes. What was written by
// a driver keeps the type that it was written with, as text that reads back as the same.
#pragma once

#include <ndis.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace turnpike::ndis {

class Configuration {
 public:
  static Configuration& instance();

  void set(std::wstring_view section, std::wstring_view keyword, std::wstring_view value);
  // False: there was none.
  bool erase(std::wstring_view section, std::wstring_view keyword);
  std::optional<std::wstring> get(std::wstring_view section, std::wstring_view keyword) const;
  // The name of the section's nth subsection, in order.
  std::optional<std::wstring> subsection(std::wstring_view section, ULONG index) const;
  bool has_section(std::wstring_view section) const;

 private:
  struct Section {
    std::wstring name;
    std::map<std::wstring, std::wstring> values;  // by upper-case keyword
  };
  mutable std::mutex mutex_;
  std::map<std::wstring, Section> sections_;  // by upper-case path
};

// A value as a driver asked for it, with its memory.
struct Parameter {
  NDIS_CONFIGURATION_PARAMETER parameter{};
  std::wstring text;
  std::vector<unsigned char> bytes;
};

// None: the text is no value of that type.
std::unique_ptr<Parameter> read_as(std::wstring_view text, NDIS_PARAMETER_TYPE type);
std::optional<std::wstring> written_as(const NDIS_CONFIGURATION_PARAMETER& parameter);

// Which section a handle stands for: of a protocol, a binding, a bind operation. Set by the faces that know them.
using SectionFinder = std::optional<std::wstring> (*)(NDIS_HANDLE handle);
void find_sections_by(SectionFinder finder) noexcept;
std::optional<std::wstring> section_of(NDIS_HANDLE handle);

}  // namespace turnpike::ndis

// The routing table as administration shows it: a client of RTMv2 and its extensions that owns nothing and reads.
//
// What may be long is walked, by an enumeration of the table's own: a million routes are shown page by page as they are
// taken, and no copy of them is made.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "net/address.h"
#include "net/prefix.h"

namespace turnpike::daemon {

struct RouteFilter {
  std::optional<net::Prefix> within;      // it, and what it holds
  std::optional<std::uint32_t> protocol;  // its owner's
};

class TableReader {
 public:
  TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;
  ~TableReader();

  // --- from any thread ---

  // Gives a list of routes each time that it is called, nothing at the end. It must not outlive the reader.
  [[nodiscard]] std::function<std::optional<Value>()> walk(RouteFilter filter) const;
  // Every route that covers the address, the best first, with what became of each; the kernel's answer, and whether
  // that is what it should be.
  [[nodiscard]] Value explain(const net::Address& address) const;
  [[nodiscard]] Value entities() const;
  // How many routes there are.
  [[nodiscard]] std::int64_t size() const;

  // For those who watch: changes are gathered from `watch` until `unwatch`. Descriptors are readable when there are
  // some.
  void watch();
  void unwatch();
  [[nodiscard]] std::vector<int> descriptors() const;
  // One value for each destination that has changed since, as it is now.
  [[nodiscard]] std::vector<Value> changes();

 private:
  struct Table {
    std::uint16_t family;
    void* self = nullptr;
    void* notify = nullptr;
    int descriptor = -1;
  };
  [[nodiscard]] const Table& table_of(net::Family family) const {
    return tables_[family == net::Family::kIpv4 ? 0 : 1];
  }
  static void read_changes(const Table& table, std::vector<Value>& out);

  mutable std::mutex watch_mutex_;  // of `notify` and `descriptor`
  Table tables_[2];
};

// "static" for 10006; the number where it has no name.
[[nodiscard]] std::string name_of_protocol(std::uint32_t protocol);
// The number of a name, or in digits.
[[nodiscard]] std::optional<std::uint32_t> protocol_called(const std::string& name);

}  // namespace turnpike::daemon

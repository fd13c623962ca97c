// The routing table as administration shows it: a client of RTMv2 and its extensions that owns nothing and reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "net/address.h"
#include "net/prefix.h"

namespace turnpike::daemon {

class TableReader {
 public:
  TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;
  ~TableReader();

  // Every route; with a prefix, those to it and to what it holds. From any thread.
  [[nodiscard]] Value routes(const std::optional<net::Prefix>& within) const;
  // Every route that covers the address, the best first, with what became of each; and the kernel's answer.
  [[nodiscard]] Value explain(const net::Address& address) const;
  [[nodiscard]] Value entities() const;
  // How many routes there are.
  [[nodiscard]] std::int64_t size() const;

  // For those who watch: changes are gathered from `watch` on. Readable when there are some; -1: not watching.
  void watch();
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

  Table tables_[2];
};

// "static" for 10006; the number where it has no name.
[[nodiscard]] std::string name_of_protocol(std::uint32_t protocol);

}  // namespace turnpike::daemon

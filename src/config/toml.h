// A reader of TOML 1.0: the text of a configuration file becomes a tree of nodes, each with its place.
//
// Why a reader of our own and not a library: an operator is to see every mistake of his file at once, with the place
// of the key or of the value that it is about. The readers that Debian has stop at the first error and keep no places
// of keys. And a router may have 50,000 routes in its file: here a node is a few dozen bytes in one array, and text
// points into the file where it has no escapes. That it reads TOML and nothing else is tested against Python's reader.
//
// After a mistake it goes on at the next line that looks like a statement; the table in which it happened is `damaged`,
// so that nobody complains about what is missing there.
//
// What it takes and a configuration has no use for: dates and times are a kind without a value. The text is read as
// UTF-8, which is checked first.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/source.h"

namespace turnpike::config {

enum class Kind : std::uint8_t { kText, kInteger, kReal, kFlag, kTime, kList, kTable };

// "text", "a whole number", …
[[nodiscard]] std::string_view name_of(Kind kind);

struct Node {
  // How it came to be, which decides whether a later statement may add to it.
  enum class Form : std::uint8_t {
    kClosed,    // a value: nobody
    kImplied,   // a table on the way to another one: [a] before a header [a.b]
    kHeader,    // [a], and an element of [[a]]
    kDotted,    // a table named by a dotted key: only in the same section
    kRepeated,  // the list of [[a]]
  };

  Kind kind = Kind::kTable;
  Form form = Form::kClosed;
  bool damaged = false;
  std::uint32_t children = 0;
  std::uint32_t first = 0, last = 0, next = 0;  // numbers of nodes; 0: none
  std::uint32_t section = 0;                    // of a dotted table: under which header it was made
  Place key;                                    // of a table's child; of an element the same as `value`
  Place value;                                  // of a table with a header: that
  std::string_view name;
  std::string_view text;
  std::int64_t integer = 0;  // and a flag: 0 or 1
  double real = 0;
};

class Document {
 public:
  // The source must outlive it. Whatever is found wrong, what could be read is there.
  static Document read(const Source& source, Findings& findings);

  [[nodiscard]] const Node& root() const { return nodes_.front(); }
  // The next child of the same table or list; null after the last.
  [[nodiscard]] const Node* first_of(const Node& node) const { return at(node.first); }
  [[nodiscard]] const Node* after(const Node& node) const { return at(node.next); }
  // Null: the table has none of that name.
  [[nodiscard]] const Node* find(const Node& table, std::string_view name) const;

  template <class F>
  void for_each(const Node& node, F&& visit) const {
    for (const Node* child = first_of(node); child != nullptr; child = after(*child)) visit(*child);
  }

 private:
  friend class Reader;

  struct Name {
    std::uint32_t table;
    std::string_view name;
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const {
      return std::hash<std::string_view>()(name.name) * 31 + name.table;
    }
  };
  // Tables with more children than this are searched by hash.
  static constexpr std::uint32_t kSearched = 16;

  [[nodiscard]] const Node* at(std::uint32_t index) const { return index == 0 ? nullptr : &nodes_[index]; }
  [[nodiscard]] std::uint32_t index_of(const Node& node) const {
    return static_cast<std::uint32_t>(&node - nodes_.data());
  }
  std::uint32_t append(std::uint32_t parent, Node node);

  std::vector<Node> nodes_;                                  // the first is the root
  std::deque<std::string> decoded_;                          // text with escapes; a deque does not move it
  std::unordered_map<Name, std::uint32_t, NameHash> names_;  // children of large tables
};

}  // namespace turnpike::config

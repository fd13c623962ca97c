// A configuration text, places in it, and what is wrong there, said so that a person can mend it:
//
//   turnpike.toml:12:8: there is no setting `interfce`; did you mean `interface`?
//      12 | via = "192.0.2.1", interfce = "eth0"
//         |                    ^^^^^^^^
//
// Findings are collected, never thrown: one run over a file tells everything that is wrong with it, each with its
// place, in the order of the text. A place is an offset and a length; lines and columns (in characters, from 1) are
// worked out when somebody prints, so that reading costs nothing for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace turnpike::config {

// Bytes `begin` to `begin + length` of the text.
struct Place {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
};

struct LineAndColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct Source {
  std::string name;  // as the operator named the file
  std::string text;

  [[nodiscard]] LineAndColumn where(std::uint32_t offset) const;
};

struct Finding {
  Place place;
  std::string text;
};

class Findings {
 public:
  // More are counted and not kept: a file with a hundred mistakes is no configuration file.
  static constexpr std::size_t kMost = 100;

  void add(Place place, std::string text);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }
  [[nodiscard]] std::span<const Finding> found() const { return found_; }
  // In the order of the text.
  void sort();

 private:
  std::vector<Finding> found_;
  std::size_t left_out_ = 0;
};

// Each finding as above; after the last, how many were left out.
[[nodiscard]] std::string to_text(const Source& source, const Findings& findings);

// "; did you mean `interface`?" for the name nearest to `word`, or "" where none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> names);

}  // namespace turnpike::config

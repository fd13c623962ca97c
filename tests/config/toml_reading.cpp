// Reads the TOML files that it is given, the list of them on standard input, and says of each on one line what it
// holds, as JSON, or `null` where it is wrong: for tests/system/test_toml.py, which asks Python's reader the same.

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "config/toml.h"

namespace turnpike::config {
namespace {

void print_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      (void)std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

void print_real(std::string& out, double real) {
  if (std::isnan(real) || std::isinf(real)) {
    out += std::isnan(real) ? "\"nan\"" : real > 0 ? "\"inf\"" : "\"-inf\"";
    return;
  }
  char text[64];
  (void)std::snprintf(text, sizeof text, "%.17e", real);
  out += text;
}

void print(std::string& out, const Document& document, const Node& node) {
  switch (node.kind) {
    case Kind::kText:
      print_text(out, node.text);
      return;
    case Kind::kInteger:
      out += std::to_string(node.integer);
      return;
    case Kind::kFlag:
      out += node.integer != 0 ? "true" : "false";
      return;
    case Kind::kReal:
      print_real(out, node.real);
      return;
    case Kind::kTime:
      out += "\"time\"";
      return;
    case Kind::kList:
    case Kind::kTable:
      break;
  }
  const bool table = node.kind == Kind::kTable;
  out += table ? '{' : '[';
  bool first = true;
  document.for_each(node, [&](const Node& child) {
    if (!first) out += ',';
    first = false;
    if (table) {
      print_text(out, child.name);
      out += ':';
    }
    print(out, document, child);
  });
  out += table ? '}' : ']';
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const Source source{path, text.str()};
  Findings findings;
  const Document document = Document::read(source, findings);
  if (!findings.empty()) {
    std::cerr << to_text(source, findings);
    return "null";
  }
  std::string out;
  print(out, document, document.root());
  return out;
}

}  // namespace
}  // namespace turnpike::config

int main() {
  for (std::string path; std::getline(std::cin, path);) std::cout << turnpike::config::read(path) << '\n';
}

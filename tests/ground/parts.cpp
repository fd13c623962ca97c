#include "ground/parts.h"

#include <sstream>

#include "ground/ground.h"
#include "parts_text.h"

namespace turnpike::ground {
namespace {

std::string command_for(const std::string& part) {
  std::istringstream lines(kPartsText);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string command;
    if (words >> name && name == part && std::getline(words >> std::ws, command)) return command;
  }
  throw GroundError("tests/ground/parts.txt has no part called " + part);
}

}  // namespace

std::string lack_of(const std::string& part, const Host& scratch) {
  const std::string command = command_for(part);
  const Output output = scratch.attempt({"/bin/sh", "-c", command});
  if (output.status == 127) throw GroundError("not installed: " + output.err + "mend with: tools/setup check");
  return output.status == 0 ? "" : "no " + part + " here: " + command + ": " + output.err;
}

}  // namespace turnpike::ground

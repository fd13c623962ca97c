#include "explain_error.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/source.h"
#include "win32/text/error_texts.h"

namespace turnpike::cli {
namespace {

struct Step {
  std::uint32_t code;
  const char* text;
};

// What to do next, for the codes that an operator or a writer of a module meets most. For the others, by what is known
// of them all.
constexpr Step kSteps[] = {
    {0, "Nothing."},
    {2, "Look whether the file is there, and at the spelling of its name."},
    {5, "Run as root or with CAP_NET_ADMIN; from a module: only the owner of an object changes it."},
    {6, "Use the handle that the call returned, and none after it was released or its owner deregistered."},
    {8, "Free memory, or raise the limit that the log names."},
    {50, "It is out of scope here; docs/deviations.md in the source says why. Do without it."},
    {87, "Compare each argument with the reference: null pointers, sizes, flags, counts."},
    {122, "Call again with a buffer of the size that the call has written."},
    {170, "Try again later; `turnpike show protocol` says who is busy."},
    {183, "Something of that name is there: use it, or remove it first."},
    {259, "Nothing: it is the end of what is there to read."},
    {900, "The router, or the protocol, has stopped: start it again."},
    {902, "Look at `turnpike show protocol`: the number is not one that runs here."},
    {904, "There is an interface of that name: use it, or remove it first."},
    {905, "Look at `turnpike show interface` for the names and indexes that there are."},
    {907, "Wait: the protocol says when it has stopped; the log tells if it takes too long."},
    {911, "Wait until the update that runs is over, then ask again."},
    {1003, "Look into the log (journalctl -u turnpiked): the module has said there why it cannot."},
    {1168, "Nothing has that name or value: look at what is there with `turnpike show`."},
};

std::string_view next_step(std::uint32_t code) {
  for (const Step& step : kSteps) {
    if (step.code == code) return step.text;
  }
  return "Look into the log (journalctl -u turnpiked) for the call that failed and its arguments.";
}

std::optional<std::uint32_t> number_in(std::string_view word) {
  const bool hexadecimal = word.starts_with("0x") || word.starts_with("0X");
  if (hexadecimal) word.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, hexadecimal ? 16 : 10);
  if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

Value describe(const win32::ErrorText& error) {
  return Value::Object{
      {"name", error.name}, {"number", error.code}, {"means", error.text}, {"next_step", next_step(error.code)}};
}

}  // namespace

bool is_error_word(std::string_view word) {
  const std::string name = upper(word);
  return number_in(word) || name == "NO_ERROR" || name.starts_with("ERROR_") || name.starts_with("RPC_") ||
         name.starts_with("NERR_") || name.starts_with("WSA");
}

Value explain_error(const std::string& word) {
  if (const auto number = number_in(word)) {
    const win32::ErrorText* found = win32::find_error(*number);
    if (found != nullptr) return describe(*found);
    return Value::Object{{"error", "no header names an error " + word}};
  }
  const std::string name = upper(word) == "NO_ERROR" ? "ERROR_SUCCESS" : upper(word);
  std::vector<std::string_view> names;
  for (const win32::ErrorText& error : win32::all_errors()) {
    if (name == error.name) return describe(error);
    names.emplace_back(error.name);
  }
  return Value::Object{{"error", "there is no error " + word + config::did_you_mean(name, names)}};
}

}  // namespace turnpike::cli

// What a protocol says of itself by its MIB, read by the table with which its library describes that
// (turnpike/module.h).
#pragma once

#include "base/value.h"
#include "router/answers.h"
#include "turnpike/module.h"

namespace turnpike::daemon {

class MibReader {
 public:
  MibReader(router::Answers& answers, const TpModuleMib& mib) : answers_(answers), mib_(mib) {}

  // What MibGet answers; {error} where it answers none.
  [[nodiscard]] Value counts();
  // What MibGetFirst and MibGetNext answer, until there is no more.
  [[nodiscard]] Value rows();

 private:
  // The answer's bytes as values; `key` of what is asked for next.
  Value ask(router::MibCall call, const TpSettings& form, DWORD& status);

  router::Answers& answers_;
  const TpModuleMib& mib_;
  std::vector<std::byte> key_;
};

}  // namespace turnpike::daemon

// Which parts of the kernel a test can count on here: parts.txt lists them, each with the command that tries it.
#pragma once

#include <string>

namespace turnpike::ground {

class Host;

// Tries `part` in `scratch`, a fresh host. Empty when it works, else why it does not. Throws for a name that parts.txt
// does not have, and where the command itself is not installed: the set-up could have mended that, so it is no reason
// to skip.
std::string lack_of(const std::string& part, const Host& scratch);

}  // namespace turnpike::ground

// KeeperLink: the way to turnpike-keeper, for one name. keeper_words.h has the protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "kernel/multicast/keeper_words.h"

namespace turnpike::kernel {

class KeeperLink {
 public:
  struct Kept {
    Descriptor descriptor;  // none: nothing was kept
    std::vector<std::byte> note;
  };

  // Connects to the keeper of this network namespace and fetches what it has under that name. kNotFound: no keeper
  // runs, or not one of ours (its user is neither this process's nor root). kBusy: somebody uses the name, `user` is
  // his process. kDenied: the keeper refuses us. A keeper that does not answer within the patience is as good as none.
  static Result<KeeperLink> open(const std::string& name, Kept& kept, int& user,
                                 std::chrono::milliseconds patience = std::chrono::seconds(2));

  // kKernel with the errno: the keeper has gone, and what it kept is kept no more.
  Result<void> hold(int descriptor, std::span<const std::byte> note);
  Result<void> note(std::span<const std::byte> note);
  Result<void> drop();
  // The keeper has ended the connection.
  [[nodiscard]] bool has_gone() const;

 private:
  KeeperLink(std::string name, Descriptor socket, std::chrono::milliseconds patience)
      : name_(std::move(name)), socket_(std::move(socket)), patience_(patience) {}

  Result<keeper::Answer> ask(keeper::Verb verb, std::span<const std::byte> note, std::optional<int> descriptor,
                             Kept* kept);
  Result<void> tell(keeper::Verb verb, std::span<const std::byte> note, std::optional<int> descriptor);

  std::string name_;
  Descriptor socket_;
  std::chrono::milliseconds patience_;
};

}  // namespace turnpike::kernel

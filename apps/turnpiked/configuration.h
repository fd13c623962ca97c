// The configuration file, read: the model, or everything that is wrong with it as text for a person.
#pragma once

#include <optional>
#include <string>

#include "config/model.h"

namespace turnpike::daemon {

struct Configuration {
  std::optional<config::Model> model;  // nothing: `complaints` says why
  std::string complaints;
  config::Surroundings libraries;  // what the model's descriptions live in
};

// The modules that the file names are loaded to be asked for their settings.
[[nodiscard]] Configuration read_configuration(const std::string& path);

}  // namespace turnpike::daemon

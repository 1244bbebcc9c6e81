// Parts of `raakvlak key`, for AddKeyCommands.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

// `key status`: how each key stands.
void AddKeyStatusCommand(Commands& commands, CLI::App& group);
// `key ceremony ...`, `key refresh`, `key rotate`: keys that the nodes make together.
void AddKeyCeremonyCommands(Commands& commands, CLI::App& group);
// `key backup`, `key restore`: one node's share under a passphrase, on its own files.
void AddKeyBackupCommands(Commands& commands, CLI::App& group);

}  // namespace raakvlak::cli

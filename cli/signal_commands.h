// `raakvlak signal push|status|withdraw|list`: a partner's IT system and its own node.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

void AddSignalCommands(Commands& commands);

}  // namespace raakvlak::cli

// `raakvlak signal push|status|withdraw|receipt|verify-receipt|list`: a partner's IT system and its own node.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

void AddSignalCommands(Commands& commands);
// `raakvlak signal receipt|verify-receipt`: cli/receipt_commands.cc. For AddSignalCommands.
void AddReceiptCommands(Commands& commands, CLI::App& group);

}  // namespace raakvlak::cli

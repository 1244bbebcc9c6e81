// Commands on covenant, roster, excluded addresses, keys and linkage. They work on files only: no region
// file, no server.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

void AddCovenantCommands(Commands& commands);
void AddRosterCommands(Commands& commands);
void AddAddressesCommands(Commands& commands);
void AddKeyCommands(Commands& commands);
void AddLinkageCommands(Commands& commands);

}  // namespace raakvlak::cli

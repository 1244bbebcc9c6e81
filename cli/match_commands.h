// `raakvlak match list|open`: staff and the hub. Every request is an order signed with the member's own key.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

void AddMatchCommands(Commands& commands);

}  // namespace raakvlak::cli

// `raakvlak audit`: a privacy officer and the log.
#pragma once

#include "cli/command.h"

namespace raakvlak::cli {

void AddAuditCommands(Commands& commands);

}  // namespace raakvlak::cli

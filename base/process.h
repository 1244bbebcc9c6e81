// Process: what every server's main does first and last.
#pragma once

namespace raakvlak::base {

// HardenProcess forbids core dumps and debugger attachment by others, and sets umask 077. Call first in
// main().
void HardenProcess();

// BlockStopSignals blocks SIGINT, SIGTERM and SIGHUP in this thread and all it starts later. Call before
// starting threads.
void BlockStopSignals();

// WaitForStop blocks until SIGINT or SIGTERM; SIGHUP does nothing. REQUIRES: BlockStopSignals was called.
void WaitForStop();

}  // namespace raakvlak::base

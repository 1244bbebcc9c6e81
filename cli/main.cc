// raakvlak: the command line of partner IT, staff, officers and operators.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "cli/app.h"
#include "cli/remote_services.h"
#include "rpc/tls.h"

int main(int argc, char** argv) {
  raakvlak::base::HardenProcess();
  // A closed pipe is an output error, not a reason to die half-way through a push.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  raakvlak::rpc::PrepareProcess();
  const raakvlak::base::SystemClock clock;
  raakvlak::base::SystemRandom random;
  const raakvlak::cli::Environment environment{
      std::cin,
      std::cout,
      std::cerr,
      clock,
      random,
      isatty(STDERR_FILENO) == 1,
      [&clock](const raakvlak::cli::Region& region, const raakvlak::cli::Identity& identity) {
        return std::make_unique<raakvlak::cli::RemoteServices>(region, identity, clock);
      },
  };
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(raakvlak::cli::RunRaakvlak(arguments, environment));
}

// The simulation: random histories of a whole region in one process, each from a seed, compared with a
// plaintext oracle. Exit 1 when one is not as it should be; then the shortest history that shows it is told.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/simulation/history.h"

int main(int argc, char** argv) {
  using raakvlak::simulation::Event;
  using raakvlak::simulation::Outcome;
  using raakvlak::simulation::Play;

  const char* const full = std::getenv("RAAKVLAK_FULL");
  uint64_t seed = 1;
  size_t seeds = full != nullptr && std::string(full) == "1" ? 300 : 5;
  size_t events = 120;
  bool tell = false;
  bool shorten = true;
  bool keep_log = false;
  CLI::App app("Plays random histories of a region against a plaintext oracle.");
  app.add_option("--seed", seed, "the first seed");
  app.add_option("--seeds", seeds, "how many seeds");
  app.add_option("--events", events, "events of each history")->check(CLI::PositiveNumber);
  app.add_flag("--tell", tell, "say what each event does");
  app.add_flag("!--no-shorten", shorten, "do not look for the shortest history that fails");
  app.add_flag("--log", keep_log, "keep what the processes log");
  CLI11_PARSE(app, argc, argv);
  // Whether databases are on disk makes no difference but in time.
  if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
  if (!keep_log && std::freopen("/dev/null", "w", stderr) == nullptr) return 1;

  size_t signals = 0;
  size_t matches = 0;
  for (uint64_t at = seed; at < seed + seeds; ++at) {
    std::printf("seed %llu, %zu events\n", static_cast<unsigned long long>(at), events);
    std::fflush(stdout);
    std::vector<Event> history = raakvlak::simulation::MakeHistory(at, events);
    const Outcome outcome = Play(at, history, tell);
    signals += outcome.signals;
    matches += outcome.matches;
    if (outcome.problems.empty()) continue;
    for (const std::string& problem : outcome.problems) std::printf("wrong: %s\n", problem.c_str());
    if (!shorten) return 1;
    std::fflush(stdout);
    history.resize(outcome.played);
    history = raakvlak::simulation::Shorten(at, std::move(history));
    std::printf("the shortest history that fails has %zu events:\n", history.size());
    for (const std::string& problem : Play(at, history, true).problems) {
      std::printf("wrong: %s\n", problem.c_str());
    }
    return 1;
  }
  std::printf("%zu seeds, %zu signals and %zu matches compared: all as it should be\n", seeds, signals,
              matches);
  return 0;
}

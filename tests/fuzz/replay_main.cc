// Runs a fuzz target without libFuzzer: every file of the corpus folder, then random changes of them, as many
// as its second argument says. The seed is printed; RAAKVLAK_SEED repeats one.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kUsualChanges = 3000;

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Change(std::string input, std::mt19937_64& random) {
  for (uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 4) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
      case 1:
        input.insert(at, 1, static_cast<char>(random()));
        break;
      case 2:
        if (!input.empty()) input.erase(at, 1 + random() % 8);
        break;
      default:
        input.insert(at, input.substr(0, random() % 64));
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const auto content = raakvlak::base::ReadFile(entry.path().string());
    if (!content.ok()) return 1;
    corpus.push_back(*content);
  }
  if (corpus.empty()) return 1;
  const char* given = std::getenv("RAAKVLAK_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("seed %lu, %zu files\n", static_cast<unsigned long>(seed), corpus.size());
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  for (const std::string& input : corpus) Run(input);
  const int changes = argc == 3 ? std::atoi(argv[2]) : kUsualChanges;
  for (int i = 0; i < changes; ++i) Run(Change(corpus[random() % corpus.size()], random));
  return 0;
}

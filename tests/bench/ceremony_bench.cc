// What a ceremony costs, all members in one process and without a network.
//
//   build/release/tests/bench/ceremony_bench
//
// Counters, each for the mean of the iterations: member, the time of CPU of one member; sent_kb, what all
// members together send, in kilobytes; state_kb, what one member stores in the end.
#include <benchmark/benchmark.h>

#include <deque>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "crypto/ceremony/participant.h"

namespace raakvlak::crypto::ceremony {
namespace {

void MakeKey(benchmark::State& state) {
  const auto members = static_cast<uint32_t>(state.range(0));
  base::SystemRandom random;
  std::vector<note::PrivateKey> keys;
  ParametersText text;
  text.region = "maastricht";
  text.purpose = "risicojeugd";
  text.identifier_class = 1;
  text.epoch = 1;
  text.covenant_id = std::string(32, 'c');
  text.quorum = static_cast<uint32_t>(state.range(1));
  for (uint32_t i = 1; i <= members; ++i) {
    keys.push_back(note::PrivateKey::Generate(random));
    text.members.push_back({i, "partner-" + std::to_string(i), Role::kBoth, keys.back().public_key()});
  }
  const Parameters parameters = Parameters::Create(std::move(text)).value();
  size_t sent = 0;
  size_t stored = 0;
  for (auto _ : state) {
    std::vector<Participant> all;
    std::deque<SignedMessage> waiting;
    for (uint32_t i = 1; i <= members; ++i) {
      all.push_back(Participant::Create(parameters, i, keys[i - 1], std::nullopt, random).value());
      waiting.insert(waiting.end(), all.back().Sent().begin(), all.back().Sent().end());
    }
    // Messages of one step come after all of the step before, so none is early.
    for (; !waiting.empty(); waiting.pop_front()) {
      sent += waiting.front().body.size() + waiting.front().signature.size();
      for (Participant& one : all) {
        auto out = one.Receive(waiting.front());
        RAAKVLAK_CHECK(out.ok(), "an honest message is taken");
        waiting.insert(waiting.end(), out->begin(), out->end());
      }
    }
    for (const Participant& one : all) RAAKVLAK_CHECK(one.outcome().has_value(), "there is a key");
    stored = all.front().Export().size();
  }
  using benchmark::Counter;
  state.counters["member"] = Counter(members, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["sent_kb"] = Counter(static_cast<double>(sent) / 1e3, Counter::kAvgIterations);
  state.counters["state_kb"] = static_cast<double>(stored) / 1e3;
}

BENCHMARK(MakeKey)->Args({4, 3})->Args({20, 11})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace raakvlak::crypto::ceremony

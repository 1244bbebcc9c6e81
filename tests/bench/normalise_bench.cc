// Records per second that one core normalises, and with the identifiers of the default rules.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "linkage/default_rules.h"
#include "linkage/normalise.h"
#include "tests/quality/population.h"
#include "tests/quality/signals.h"

namespace raakvlak {
namespace {

constexpr absl::CivilDay kToday(2026, 1, 1);

const std::vector<quality::Signal>& Signals() {
  static const std::vector<quality::Signal>* const signals = new std::vector<quality::Signal>(
      quality::MakeSignals(quality::MakePopulation(20'000, 1, kToday), quality::Level::kMiddle, 1));
  return *signals;
}

// The yardstick on a noisy machine: one SHA-256 of 64 bytes.
void BM_Hash(benchmark::State& state) {
  const std::string bytes(64, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(base::Sha256(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Hash);

void BM_Normalise(benchmark::State& state) {
  size_t at = 0;
  for (auto _ : state) {
    auto fields = linkage::Normalise(Signals()[at].record, kToday, linkage::Recipe::kTwo);
    benchmark::DoNotOptimize(fields);
    at = (at + 1) % Signals().size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Normalise);

void MakeIdentifiers(const linkage::Record& record) {
  const auto fields = linkage::Normalise(record, kToday, linkage::Recipe::kTwo);
  for (const auto& rule : linkage::DefaultPersonRules()) {
    auto identifier = linkage::FieldsOf(rule.rule, *fields);
    benchmark::DoNotOptimize(identifier);
  }
}

// All fields, a double name, letters with marks: what costs most.
void BM_AccentsWithIdentifiers(benchmark::State& state) {
  linkage::Record record;
  record.bsn = "999993847";
  record.surname = "van den Bergé-Çelik";
  record.given_names = "Élodie Zoë";
  record.birth_date = "1984-03-04";
  record.postcode = "6211 ab";
  record.house_number = "7";
  for (auto _ : state) MakeIdentifiers(record);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AccentsWithIdentifiers);

void BM_NormaliseWithIdentifiers(benchmark::State& state) {
  size_t at = 0;
  for (auto _ : state) {
    MakeIdentifiers(Signals()[at].record);
    at = (at + 1) % Signals().size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_NormaliseWithIdentifiers);

}  // namespace
}  // namespace raakvlak

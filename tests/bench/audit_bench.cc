// What verifying a whole log's folder costs, beside SHA-256 of the same bytes in the same run.
//
//   build/release/tests/bench/audit_bench
//
// Counters, of one core's CPU time:
//
//   entries_per_s: entries verified per second. Target: at least 500,000.
//
//   ratio: time of VerifyFolder over that of hashing the same leaves and nodes, bytes in memory, with nothing
//   else. Target: at most 2.
#include <benchmark/benchmark.h>

#include <ctime>
#include <string>

#include "audit/folder_verifier.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "tests/unit/audit/log_folder.h"

namespace raakvlak::audit {
namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void VerifyWholeFolder(benchmark::State& state) {
  const auto size = static_cast<uint64_t>(state.range(0));
  base::testing::TemporaryFolder temporary;
  testing::LogFolder log(temporary.path() + "/log");
  log.Grow(size);
  double verifying = 0;
  double hashing = 0;
  for (auto _ : state) {
    double start = CpuSeconds();
    const auto report = VerifyFolder(log.path(), {});
    verifying += CpuSeconds() - start;
    RAAKVLAK_CHECK(report.ok() && !report->fault.has_value() && report->entries == size, "the log is whole");
    state.PauseTiming();
    start = CpuSeconds();
    crypto::tlog::Hash last;
    for (const std::string& entry : log.entries()) last = NodeHash(last, crypto::tlog::LeafHash(entry));
    benchmark::DoNotOptimize(last);
    hashing += CpuSeconds() - start;
    state.ResumeTiming();
  }
  state.counters["entries_per_s"] = static_cast<double>(size * state.iterations()) / verifying;
  state.counters["ratio"] = verifying / hashing;
}
BENCHMARK(VerifyWholeFolder)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace raakvlak::audit

BENCHMARK_MAIN();

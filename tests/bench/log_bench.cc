// How many entries a second become durable in the log, beside what the disk and bare SQLite do in the same
// run, and what one append costs however long the log is.
//
//   Fdatasync      one page written and synced, over and over: what the disk allows
//   BareSqlite     rows of the same size in one table, 64 to a COMMIT, one thread, as WAL and FULL
//   DurableAppend  64 callers, each waiting until its entry is durable
//   AppendAt/N     processor time of one append when N entries are stored
//
// Run by hand: log_bench [--large] [benchmark flags]; --large adds 1 and 5 million entries. The folder is
// that of TMPDIR; figures of a tmpfs say nothing.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "server/storage/sqlite/process_tables.h"
#include "server/storage/sqlite/sqlite_log.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::storage {
namespace {

constexpr int kCallers = 64;

void Require(const absl::Status& status) { RAAKVLAK_CHECK(status.ok(), status.ToString().c_str()); }

double ProcessSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

AuditEntry TypicalEntry() {
  AuditEntry entry;
  entry.time_ms = 1'790'000'000'000;
  entry.actor = "urn:raakvlak:maastricht:staff:a.jansen";
  entry.role = "staff";
  entry.action = "open";
  entry.object = "4bf92f3577b34da6a3ce929d0e0e4736";
  entry.purpose = "onaantastbaren";
  entry.legal_basis = "WGS artikel 2.26";
  entry.case_reference = "ZVH-2026-0012";
  entry.reason = "Besproken in het casusoverleg";
  entry.order_hash = std::string(32, 'h');
  entry.policy = "c1/r3";
  entry.origin = "192.0.2.0/24";
  entry.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  return entry;
}

void Fdatasync(benchmark::State& state) {
  base::testing::TemporaryFolder folder;
  const int file = open(folder.File("synced").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  RAAKVLAK_CHECK(file >= 0, "the file opens");
  const std::string page(4096, 'x');
  for (auto _ : state) {
    RAAKVLAK_CHECK(write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()),
                   "there is room");
    RAAKVLAK_CHECK(fdatasync(file) == 0, "the disk works");
  }
  close(file);
  state.counters["per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void BareSqlite(benchmark::State& state) {
  base::testing::TemporaryFolder folder;
  sqlite3* handle = nullptr;
  RAAKVLAK_CHECK(sqlite3_open(folder.File("bare.db").c_str(), &handle) == SQLITE_OK, "SQLite opens");
  const auto run = [&](const char* sql) {
    RAAKVLAK_CHECK(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  };
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE item(id INTEGER PRIMARY KEY, value "
      "BLOB)");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(handle, "INSERT INTO item(value) VALUES(?)", -1, &insert, nullptr);
  const std::string value(400, 'x');
  for (auto _ : state) {
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < kCallers; ++i) {
      sqlite3_bind_blob(insert, 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
      RAAKVLAK_CHECK(sqlite3_step(insert) == SQLITE_DONE, "the row is written");
      sqlite3_reset(insert);
    }
    run("COMMIT");
  }
  sqlite3_finalize(insert);
  sqlite3_close(handle);
  state.counters["entries_per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kCallers, benchmark::Counter::kIsRate);
}

// A log in a file, filled as far as asked.
class FilledLog {
 public:
  FilledLog() {
    auto database = Database::Open(folder_.File("log.db"), kProcessSchema, 1, 5);
    Require(database.status());
    database_ = *std::move(database);
    auto log = SqliteAuditLog::Open(*database_, testing::TestCodec());
    Require(log.status());
    log_ = *std::move(log);
  }
  void Append(int count) {
    Require(database_->Write("append", [&](Connection& connection) -> absl::Status {
      for (int i = 0; i < count; ++i) RAAKVLAK_RETURN_IF_ERROR(log_->Append(connection, entry_).status());
      return absl::OkStatus();
    }));
  }
  void FillTo(uint64_t size) {
    while (true) {
      auto logs = log_->Logs();
      Require(logs.status());
      const uint64_t now = logs->empty() ? 0 : logs->front().size;
      if (now >= size) return;
      Append(static_cast<int>(std::min<uint64_t>(1000, size - now)));
    }
  }
  uint64_t commits() const { return database_->commits(); }

 private:
  const AuditEntry entry_ = TypicalEntry();
  base::testing::TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<SqliteAuditLog> log_;
};

// One iteration is one second of all callers.
void DurableAppend(benchmark::State& state) {
  FilledLog log;
  uint64_t total = 0;
  const uint64_t commits = log.commits();
  const double before = ProcessSeconds();
  for (auto _ : state) {
    std::atomic<uint64_t> done = 0;
    std::atomic<bool> stop = false;
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        while (!stop) {
          log.Append(1);
          ++done;
        }
      });
    }
    absl::SleepFor(absl::Seconds(1));
    stop = true;
    for (std::thread& caller : callers) caller.join();
    total += done;
  }
  const double used = ProcessSeconds() - before;
  state.counters["entries_per_second"] =
      benchmark::Counter(static_cast<double>(total), benchmark::Counter::kIsRate);
  state.counters["commits_per_second"] =
      benchmark::Counter(static_cast<double>(log.commits() - commits), benchmark::Counter::kIsRate);
  state.counters["cpu_us_per_entry"] = used * 1e6 / static_cast<double>(total);
}

// Sizes rise, so one log serves all.
void AppendAt(benchmark::State& state) {
  static FilledLog log;
  log.FillTo(static_cast<uint64_t>(state.range(0)));
  double seconds = 0;
  for (auto _ : state) {
    const double before = ProcessSeconds();
    log.Append(kCallers);
    const double used = ProcessSeconds() - before;
    state.SetIterationTime(used);
    seconds += used;
  }
  state.counters["us_per_entry"] = seconds * 1e6 / (static_cast<double>(state.iterations()) * kCallers);
}

void RegisterSize(int64_t size) {
  benchmark::RegisterBenchmark("AppendAt", AppendAt)
      ->Arg(size)
      ->Iterations(100)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace raakvlak::storage

int main(int argc, char** argv) {
  namespace storage = raakvlak::storage;
  benchmark::RegisterBenchmark("Fdatasync", storage::Fdatasync)->UseRealTime()->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("BareSqlite", storage::BareSqlite)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("DurableAppend", storage::DurableAppend)
      ->Iterations(5)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  for (const int64_t size : {10'000, 100'000}) storage::RegisterSize(size);
  if (argc > 1 && std::strcmp(argv[argc - 1], "--large") == 0) {
    for (const int64_t size : {1'000'000, 5'000'000}) storage::RegisterSize(size);
    --argc;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

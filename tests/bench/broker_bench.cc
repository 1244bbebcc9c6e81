// What the broker's store and matcher cost as the store grows: a submit of 100 signals, a matching run over
// 100 new signals, a page of matches. Sizes are stored tokens (two for each signal): 10,000 and 100,000;
// 1,000,000 with --large (about a gigabyte of disk). Time is wall clock and holds waits for the disk (Commit
// shows those of one small transaction); CPU is that of the whole process; rss_mb is its memory.
#include <benchmark/benchmark.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "policy/receipt.h"
#include "server/broker/matcher.h"
#include "server/storage/sqlite/broker_store.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::broker {
namespace {

using storage::BrokerTransaction;
using storage::StoredSignal;

constexpr size_t kBatch = 100;
constexpr size_t kEnvelopeSize = 1400;
constexpr char kPurpose[] = "onaantastbaren";

void Require(const absl::Status& status) { RAAKVLAK_CHECK(status.ok(), status.ToString().c_str()); }

double ResidentMegabytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * 4096 / 1e6;
}

// A store with so many tokens. One signal in ten is about a person whom another partner knows too.
class FilledStore {
 public:
  explicit FilledStore(size_t tokens) : tokens_(tokens) {
    auto store = storage::SqliteBrokerStore::Open(folder_.File("broker.db"), storage::testing::TestCodec());
    Require(store.status());
    store_ = *std::move(store);
    matcher_ = std::make_unique<Matcher>(*store_, clock_, random_, "urn:raakvlak:bench:broker:centre");
    terms_.purposes[kPurpose] = {2, v1::LIST};
    terms_.partners_in_force = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
    while (signals_ < tokens / 2) Submit(1000);
    Match();
  }

  // One transaction, as the Exchange core makes it.
  void Submit(size_t signals) {
    Require(store_->Write("submit", [&](BrokerTransaction& transaction) -> absl::Status {
      std::vector<std::string> hashes;
      for (size_t i = 0; i < signals; ++i) {
        const StoredSignal signal = NextSignal();
        RAAKVLAK_RETURN_IF_ERROR(transaction.FindSignal(signal.partner, signal.signal_id).status());
        RAAKVLAK_RETURN_IF_ERROR(transaction.InsertSignal(signal));
        hashes.push_back(signal.envelope_hash);
      }
      RAAKVLAK_RETURN_IF_ERROR(transaction.CountSubmitted("politie", 20000, signals).status());
      storage::AuditEntry entry;
      entry.action = "submit";
      entry.count = signals;
      entry.batch_root = policy::MakeSubmitTree(hashes).root;
      RAAKVLAK_ASSIGN_OR_RETURN(const storage::Logged logged, transaction.AppendAudit(entry));
      return transaction.PutBatch(logged.id, hashes, 20365);
    }));
  }
  void Commit() {
    Require(store_->Write("count", [&](BrokerTransaction& transaction) {
      return transaction.CountSubmitted("politie", 20000, 1).status();
    }));
  }
  uint64_t Match() {
    auto run = matcher_->Run(terms_);
    Require(run.status());
    return run->signals;
  }
  size_t ListPage() {
    std::vector<storage::MatchRecord> matches;
    Require(store_->Read("list", [&](storage::BrokerReader& reader) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(matches, reader.ListMatches({kPurpose, false, 0, 100}));
      return absl::OkStatus();
    }));
    return matches.size();
  }
  size_t tokens() const { return tokens_; }

 private:
  StoredSignal NextSignal() {
    static const char* const kPartners[] = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
    const size_t number = signals_++;
    // Every tenth signal is about the person of an earlier one.
    const size_t person = number % 10 == 9 ? number - 5 : number;
    StoredSignal signal;
    signal.organisation = static_cast<uint32_t>(number % 4) + 1;
    signal.partner = kPartners[number % 4];
    signal.signal_id = random_.Bytes(16);
    signal.envelope_hash = random_.Bytes(32);
    signal.purpose = kPurpose;
    signal.epoch = 1;
    signal.kind = v1::SIGNAL;
    signal.submitted_day = 20000;
    signal.expiry_day = 20365;
    signal.accepted_ms = 1;
    signal.body = random_.Bytes(kEnvelopeSize);
    signal.signature = random_.Bytes(64);
    for (const char* rule : {"bsn", "surname-initial-birthdate"}) {
      const std::string digest = base::Sha256(absl::StrCat(rule, person));
      signal.tokens.push_back(
          {rule, v1::PERSON_SUBJECT, v1::EXACT, digest.substr(0, 16), base::Sha256(digest)});
    }
    return signal;
  }

  const size_t tokens_;
  size_t signals_ = 0;
  base::testing::TemporaryFolder folder_;
  base::SystemClock clock_;
  base::testing::SeededRandom random_{1};
  std::unique_ptr<storage::SqliteBrokerStore> store_;
  std::unique_ptr<Matcher> matcher_;
  MatchTerms terms_;
};

// One store at a time, so that the memory seen is that of one size.
FilledStore& StoreOf(size_t tokens) {
  static std::unique_ptr<FilledStore> current;
  if (current == nullptr || current->tokens() != tokens) {
    current.reset();
    current = std::make_unique<FilledStore>(tokens);
  }
  return *current;
}

void Commit(benchmark::State& state) {
  FilledStore& store = StoreOf(static_cast<size_t>(state.range(0)));
  for (auto _ : state) store.Commit();
  state.counters["rss_mb"] = ResidentMegabytes();
}

void Submit100(benchmark::State& state) {
  FilledStore& store = StoreOf(static_cast<size_t>(state.range(0)));
  for (auto _ : state) store.Submit(kBatch);
  state.counters["rss_mb"] = ResidentMegabytes();
  store.Match();
}

void MatchRunOver100(benchmark::State& state) {
  FilledStore& store = StoreOf(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    store.Submit(kBatch);
    state.ResumeTiming();
    RAAKVLAK_CHECK(store.Match() == kBatch, "only the new signals are looked at");
  }
  state.counters["rss_mb"] = ResidentMegabytes();
}

void ListPage(benchmark::State& state) {
  FilledStore& store = StoreOf(static_cast<size_t>(state.range(0)));
  for (auto _ : state) RAAKVLAK_CHECK(store.ListPage() == 100, "there is a full page");
  state.counters["rss_mb"] = ResidentMegabytes();
}

void Register(int64_t tokens) {
  const auto add = [&](const char* name, void (*function)(benchmark::State&), int iterations) {
    benchmark::RegisterBenchmark(name, function)
        ->Arg(tokens)
        ->Iterations(iterations)
        ->UseRealTime()
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
  };
  add("Commit", Commit, 100);
  add("Submit100", Submit100, 50);
  add("MatchRunOver100", MatchRunOver100, 50);
  add("ListPage", ListPage, 100);
}

}  // namespace
}  // namespace raakvlak::broker

int main(int argc, char** argv) {
  raakvlak::broker::Register(10'000);
  raakvlak::broker::Register(100'000);
  if (argc > 1 && std::strcmp(argv[argc - 1], "--large") == 0) {
    raakvlak::broker::Register(1'000'000);
    --argc;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

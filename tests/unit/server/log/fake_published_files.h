// Published files in memory of the logs of one process, and witnesses behind a client that can fail.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/witness_client.h"
#include "server/log/published_files.h"
#include "server/log/witness.h"
#include "tests/unit/server/log/fake_log.h"

namespace raakvlak::log::testing {

class FakePublishedFiles final : public PublishedFiles {
 public:
  // `log` outlives this. Entries were made a second apart, from `start` on.
  void Add(uint32_t year, const FakeLog& log, absl::Time start = absl::UnixEpoch()) {
    base::MutexLock lock(mutex_);
    years_[year] = {&log, start, 0, std::nullopt};
  }
  void Publish(uint32_t year, uint64_t size) {
    base::MutexLock lock(mutex_);
    years_[year].size = size;
  }
  void SetCosigned(uint32_t year, const std::string& note) {
    base::MutexLock lock(mutex_);
    years_[year].cosigned = note;
  }
  std::optional<std::string> Cosigned(uint32_t year) {
    base::MutexLock lock(mutex_);
    return years_[year].cosigned;
  }
  // How often somebody looked whether there is a checkpoint.
  int looks() {
    base::MutexLock lock(mutex_);
    return looks_;
  }
  void FailWrites(bool fail) {
    base::MutexLock lock(mutex_);
    fail_writes_ = fail;
  }

  // From now on, or no longer, writes wait.
  void HoldWrites(bool hold) {
    base::MutexLock lock(mutex_);
    hold_writes_ = hold;
    changed_.NotifyAll();
  }
  int held_writes() {
    base::MutexLock lock(mutex_);
    return held_writes_;
  }

  absl::StatusOr<std::vector<uint32_t>> Years() override {
    base::MutexLock lock(mutex_);
    std::vector<uint32_t> years;
    for (const auto& [year, log] : years_) years.push_back(year);
    return years;
  }
  absl::StatusOr<std::optional<std::string>> ReadCheckpoint(uint32_t year) override {
    base::MutexLock lock(mutex_);
    ++looks_;
    const Year& log = years_[year];
    if (log.log == nullptr || log.size == 0) return std::optional<std::string>();
    return std::optional(log.log->Checkpoint(log.size));
  }
  absl::StatusOr<std::optional<std::string>> ReadCosigned(uint32_t year) override { return Cosigned(year); }
  absl::StatusOr<crypto::tlog::Proof> ConsistencyProof(uint32_t year, uint64_t old_size,
                                                       uint64_t size) override {
    base::MutexLock lock(mutex_);
    return years_[year].log->Proof(old_size, size);
  }
  absl::StatusOr<absl::Time> EntryTime(uint32_t year, uint64_t index) override {
    base::MutexLock lock(mutex_);
    return years_[year].start + absl::Seconds(index);
  }
  absl::Status WriteCosigned(uint32_t year, const std::string& note) override {
    base::MutexLock lock(mutex_);
    if (hold_writes_) ++held_writes_;
    while (hold_writes_) changed_.Wait(mutex_);
    if (fail_writes_) {
      return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "disk full");
    }
    years_[year].cosigned = note;
    return absl::OkStatus();
  }

 private:
  struct Year {
    const FakeLog* log = nullptr;
    absl::Time start;
    uint64_t size = 0;
    std::optional<std::string> cosigned;
  };
  base::Mutex mutex_;
  std::map<uint32_t, Year> years_ ABSL_GUARDED_BY(mutex_);
  bool fail_writes_ ABSL_GUARDED_BY(mutex_) = false;
  base::ConditionVariable changed_;
  bool hold_writes_ ABSL_GUARDED_BY(mutex_) = false;
  int held_writes_ ABSL_GUARDED_BY(mutex_) = 0;
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
};

class NoContradictions final : public ContradictionLog {
 public:
  void Report(const Contradiction& contradiction) override {
    base::MutexLock lock(mutex_);
    seen_.push_back(contradiction.kind);
  }
  std::vector<Contradiction::Kind> Seen() {
    base::MutexLock lock(mutex_);
    return seen_;
  }

 private:
  base::Mutex mutex_;
  std::vector<Contradiction::Kind> seen_ ABSL_GUARDED_BY(mutex_);
};

// A witness of its own for the logs that it is told, reached by Client(). Thread safe.
class FakeWitness {
 public:
  explicit FakeWitness(const std::string& name)
      : FakeWitness(name, KeyOf(name),
                    [](absl::string_view origin) { return FakeLog(std::string(origin)).verifier(); }) {}
  FakeWitness(const std::string& name, crypto::note::PrivateKey key, Witness::FindLog find_log)
      : key_(std::move(key)),
        name_(*crypto::tlog::WitnessKey::Create(name, key_.public_key())),
        witness_(name_, key_, std::move(find_log), *store_, clock_, contradictions_) {}

  const crypto::tlog::WitnessKey& name() const { return name_; }
  base::testing::FakeClock& clock() { return clock_; }
  NoContradictions& contradictions() { return contradictions_; }

  enum class Mood {
    kWell,
    kAway,        // cannot be reached
    kAnswerLost,  // does its work, and its answer does not arrive
    kSilent,      // does not answer before Wake
    kLiar,        // a cosignature of something else
  };
  void Be(Mood mood) {
    base::MutexLock lock(mutex_);
    mood_ = mood;
    changed_.NotifyAll();
  }
  int calls() {
    base::MutexLock lock(mutex_);
    return calls_;
  }

  std::unique_ptr<client::WitnessClient> Client() { return std::make_unique<Link>(*this); }
  WitnessAnswer Ask(const std::string& body) { return witness_.AddCheckpoint(body, ""); }

 private:
  class Link final : public client::WitnessClient {
   public:
    explicit Link(FakeWitness& witness) : witness_(witness) {}
    absl::StatusOr<client::WitnessReply> AddCheckpoint(absl::string_view body, absl::Duration) override {
      return witness_.Answer(body);
    }

   private:
    FakeWitness& witness_;
  };

  absl::StatusOr<client::WitnessReply> Answer(absl::string_view body) {
    Mood mood;
    {
      base::MutexLock lock(mutex_);
      ++calls_;
      mood = mood_;
      while (mood_ == Mood::kSilent) changed_.Wait(mutex_);
    }
    const absl::Status away = base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away");
    if (mood == Mood::kAway || mood == Mood::kSilent) return away;
    WitnessAnswer answer = witness_.AddCheckpoint(body, "");
    if (mood == Mood::kAnswerLost) return away;
    if (mood == Mood::kLiar && answer.status == 200)
      answer.body =
          "\xE2\x80\x94 " + name_.name() + " " + base::Base64(name_.key_id() + std::string(72, 'x')) + "\n";
    return client::WitnessReply{static_cast<uint32_t>(answer.status), std::move(answer.body)};
  }

  const crypto::note::PrivateKey key_;
  const crypto::tlog::WitnessKey name_;
  const std::unique_ptr<storage::WitnessStore> store_ = storage::MakeMemoryWitnessStore();
  base::testing::FakeClock clock_;
  NoContradictions contradictions_;
  Witness witness_;
  base::Mutex mutex_;
  base::ConditionVariable changed_;
  Mood mood_ ABSL_GUARDED_BY(mutex_) = Mood::kWell;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace raakvlak::log::testing

#include "server/log/cosigner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "tests/unit/server/log/fake_published_files.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace reason = base::reason;
namespace tlog = crypto::tlog;
using base::testing::HasReason;
using base::testing::IsOk;
using testing::FakeLog;
using testing::FakeWitness;
using Mood = FakeWitness::Mood;
using ::testing::SizeIs;

constexpr uint32_t kYear = 2026;
const char* const kNames[] = {"w:politie", "w:gemeente", "w:jeugdzorg", "w:woningcorporatie", "w:outside"};

class CosignerTest : public ::testing::Test {
 protected:
  CosignerTest() {
    files_.Add(kYear, log_, clock_.Now());
    for (const char* name : kNames) witnesses_.push_back(std::make_unique<FakeWitness>(name));
    options_.quorum = 3;
    options_.interval = absl::Hours(1);
    options_.retry = absl::Milliseconds(5);
    options_.start_up = absl::ZeroDuration();
  }
  ~CosignerTest() override {
    for (auto& witness : witnesses_) witness->Be(Mood::kWell);
    cosigner_ = nullptr;
  }

  // Four that count, and with `outside` one that does not.
  Cosigner& Start(bool outside = false) {
    std::vector<WitnessLink> links;
    for (size_t i = 0; i < (outside ? 5u : 4u); ++i) {
      links.push_back({witnesses_[i]->name(), witnesses_[i]->Client(), i < 4});
    }
    cosigner_ = nullptr;
    cosigner_ = std::make_unique<Cosigner>(
        files_,
        [this](uint32_t year) -> absl::StatusOr<note::VerifierKey> {
          return year == kYear ? log_.verifier() : next_log_.verifier();
        },
        std::move(links), options_, clock_);
    return *cosigner_;
  }
  absl::StatusOr<std::string> Through(uint64_t index, absl::Duration limit = absl::Seconds(30),
                                      uint32_t year = kYear) {
    return cosigner_->CosignThrough(year, index, clock_.Now() + limit);
  }
  // That no quorum covers the entry, and that the round which found so has ended: threads may take longer
  // than a short limit.
  void ExpectNoQuorum(uint64_t index) {
    EXPECT_THAT(Through(index, absl::Milliseconds(50)), HasReason(reason::kQuorumMissing));
    ASSERT_TRUE(Eventually([&] { return !cosigner_->GetStanding().quorum; }));
  }
  // How many of the four verified; the note must be of `size` entries.
  size_t Cosigned(const std::string& bytes, uint64_t size) {
    const auto opened = tlog::OpenCheckpoint(bytes, log_.verifier());
    EXPECT_THAT(opened, IsOk());
    EXPECT_EQ(opened->checkpoint.size, size);
    std::vector<tlog::WitnessKey> keys;
    for (size_t i = 0; i < 4; ++i) keys.push_back(witnesses_[i]->name());
    const auto counted = tlog::CountCosignatures(opened->note, keys);
    EXPECT_THAT(counted, IsOk());
    return counted->size();
  }
  // Waits, with a limit, for something that comes about in other threads.
  template <typename Condition>
  bool Eventually(Condition condition) {
    for (int i = 0; i < 20'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  FakeLog log_;
  FakeLog next_log_{"urn:raakvlak:maastricht:broker:centrum/2027"};
  base::testing::FakeClock clock_;
  testing::FakePublishedFiles files_;
  std::vector<std::unique_ptr<FakeWitness>> witnesses_;
  Cosigner::Options options_;
  std::unique_ptr<Cosigner> cosigner_;
};

TEST_F(CosignerTest, CheckpointIsCosignedByTheQuorumAndKept) {
  Start();
  files_.Publish(kYear, 7);
  const auto cosigned = Through(6);
  ASSERT_THAT(cosigned, IsOk());
  EXPECT_GE(Cosigned(*cosigned, 7), 3u);
  EXPECT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 7) == 4; })) << "the fourth is added";
}

TEST_F(CosignerTest, WhatIsCosignedIsNotAskedForAgain) {
  Start();
  files_.Publish(kYear, 7);
  ASSERT_THAT(Through(6), IsOk());
  ASSERT_TRUE(Eventually([&] { return witnesses_[3]->calls() == 1; }));
  for (uint64_t index = 0; index < 7; ++index) EXPECT_THAT(Through(index), IsOk());
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(witnesses_[i]->calls(), 1);
}

TEST_F(CosignerTest, EntryThatIsNotPublishedIsNotFound) {
  Start();
  EXPECT_THAT(Through(0), HasReason(reason::kNotFound));
  files_.Publish(kYear, 7);
  EXPECT_THAT(Through(7), HasReason(reason::kNotFound));
  EXPECT_THAT(Through(0, absl::Seconds(1), 1999), HasReason(reason::kNotFound));
}

TEST_F(CosignerTest, BelowTheQuorumNothingCounts) {
  Start();
  witnesses_[0]->Be(Mood::kAway);
  witnesses_[1]->Be(Mood::kLiar);
  files_.Publish(kYear, 7);
  ExpectNoQuorum(6);
  EXPECT_EQ(files_.Cosigned(kYear), std::nullopt);
  const auto standing = cosigner_->GetStanding();
  EXPECT_FALSE(standing.quorum);
  EXPECT_EQ(standing.uncovered_since, clock_.Now()) << "the first entry's time";
  EXPECT_THAT(standing.witnesses.at(kNames[0]), HasReason(reason::kUnavailable));
  EXPECT_THAT(standing.witnesses.at(kNames[1]), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(standing.witnesses.at(kNames[2]), IsOk());
}

TEST_F(CosignerTest, WitnessThatComesBackMakesTheQuorum) {
  Start();
  witnesses_[0]->Be(Mood::kAway);
  witnesses_[1]->Be(Mood::kAway);
  files_.Publish(kYear, 7);
  EXPECT_THAT(Through(6, absl::Milliseconds(50)), HasReason(reason::kQuorumMissing));
  witnesses_[1]->Be(Mood::kWell);
  EXPECT_THAT(Through(6), IsOk());
  EXPECT_TRUE(cosigner_->GetStanding().quorum);
  EXPECT_EQ(cosigner_->GetStanding().uncovered_since, std::nullopt);
}

TEST_F(CosignerTest, QuorumIsThereUntilARoundFailsAndAgainWhenOneSucceeds) {
  const auto check = [&] { return cosigner_->CheckQuorum(clock_.Now() + absl::Seconds(30)); };
  options_.retry = absl::Hours(1);
  Start();
  EXPECT_THAT(check(), IsOk()) << "nothing was tried";
  files_.Publish(kYear, 7);
  ASSERT_THAT(Through(6), IsOk());
  EXPECT_THAT(check(), IsOk());
  witnesses_[0]->Be(Mood::kAway);
  witnesses_[1]->Be(Mood::kAway);
  files_.Publish(kYear, 8);
  ExpectNoQuorum(7);
  const int calls = witnesses_[0]->calls();
  EXPECT_THAT(check(), HasReason(reason::kQuorumMissing));
  EXPECT_GT(witnesses_[0]->calls(), calls) << "asked again, at once";
  witnesses_[1]->Be(Mood::kWell);
  EXPECT_THAT(check(), IsOk()) << "as soon as they are back";
  EXPECT_TRUE(cosigner_->GetStanding().quorum);
}

TEST_F(CosignerTest, CheckOfTheQuorumEndsAtItsDeadline) {
  Start();
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kAway);
  files_.Publish(kYear, 7);
  ExpectNoQuorum(6);
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kSilent);
  ASSERT_TRUE(
      Eventually([&] { return !cosigner_->CheckQuorum(clock_.Now() + absl::Milliseconds(20)).ok(); }));
}

// What many openings at once rely on.
TEST_F(CosignerTest, AllWhoWaitShareARound) {
  Start();
  files_.Publish(kYear, 30);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 30; ++i) threads.emplace_back([this, i] { EXPECT_THAT(Through(i), IsOk()); });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(Eventually([&] { return witnesses_[3]->calls() >= 1; }));
  for (size_t i = 0; i < 4; ++i) EXPECT_LE(witnesses_[i]->calls(), 2);
}

TEST_F(CosignerTest, SilentWitnessDelaysNobody) {
  Start();
  witnesses_[2]->Be(Mood::kSilent);
  for (uint64_t size = 1; size <= 10; ++size) {
    files_.Publish(kYear, size);
    const auto cosigned = Through(size - 1);
    ASSERT_THAT(cosigned, IsOk());
    EXPECT_EQ(Cosigned(*cosigned, size), 3u);
  }
  EXPECT_TRUE(Eventually([&] { return witnesses_[2]->calls() == 1; }));
}

TEST_F(CosignerTest, OutsideWitnessIsKeptAndDoesNotCount) {
  Start(true);
  witnesses_[0]->Be(Mood::kAway);
  witnesses_[1]->Be(Mood::kAway);
  files_.Publish(kYear, 7);
  EXPECT_THAT(Through(6, absl::Milliseconds(100)), HasReason(reason::kQuorumMissing));
  witnesses_[0]->Be(Mood::kWell);
  ASSERT_THAT(Through(6), IsOk());
  EXPECT_TRUE(Eventually([&] {
    const auto opened = tlog::OpenCheckpoint(*files_.Cosigned(kYear), log_.verifier());
    return tlog::CountCosignatures(opened->note, {witnesses_[4]->name()})->size() == 1;
  }));
}

TEST_F(CosignerTest, LostAnswerIsMadeGood) {
  Start();
  files_.Publish(kYear, 3);
  ASSERT_THAT(Through(2), IsOk());
  for (size_t i = 0; i < 4; ++i) witnesses_[i]->Be(Mood::kAnswerLost);
  files_.Publish(kYear, 5);
  EXPECT_THAT(Through(4, absl::Milliseconds(50)), HasReason(reason::kQuorumMissing));
  for (size_t i = 0; i < 4; ++i) witnesses_[i]->Be(Mood::kWell);
  files_.Publish(kYear, 8);
  const auto cosigned = Through(7);
  ASSERT_THAT(cosigned, IsOk());
  EXPECT_GE(Cosigned(*cosigned, 8), 3u);
}

TEST_F(CosignerTest, RestartGoesOnFromWhatIsKept) {
  Start();
  files_.Publish(kYear, 7);
  ASSERT_THAT(Through(6), IsOk());
  ASSERT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 7) == 4; }));
  Start();
  ASSERT_THAT(Through(6), IsOk());
  files_.Publish(kYear, 9);
  ASSERT_THAT(Through(8), IsOk());
  ASSERT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 9) == 4; }));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(witnesses_[i]->calls(), 2) << "the sizes are known";
}

TEST_F(CosignerTest, KeptFileOfOthersIsNotBelieved) {
  files_.Publish(kYear, 7);
  FakeLog fork;
  fork.ForkAt(2);
  note::Note forged = fork.Opened(30).note;
  forged.signatures[0].signature[5] ^= 1;
  for (const std::string& content : {std::string("nonsense"), log_.Checkpoint(7), note::Format(forged)}) {
    files_.SetCosigned(kYear, content);
    Start();
    const auto cosigned = Through(6);
    ASSERT_THAT(cosigned, IsOk());
    EXPECT_GE(Cosigned(*cosigned, 7), 3u);
  }
}

TEST_F(CosignerTest, ByItselfItFollowsTheLog) {
  options_.interval = absl::Milliseconds(10);
  Start();
  for (const uint64_t size : {3, 8, 20}) {
    files_.Publish(kYear, size);
    EXPECT_TRUE(Eventually([&] {
      const auto cosigned = files_.Cosigned(kYear);
      return cosigned.has_value() &&
             tlog::OpenCheckpoint(*cosigned, log_.verifier())->checkpoint.size == size;
    }));
  }
}

TEST_F(CosignerTest, FirstCheckpointDoesNotWaitForTheInterval) {
  Start();
  ASSERT_TRUE(Eventually([&] { return files_.looks() > 0; })) << "there was nothing at the start";
  files_.Publish(kYear, 3);
  ASSERT_TRUE(Eventually([&] { return files_.Cosigned(kYear).has_value(); }));
  EXPECT_GE(Cosigned(*files_.Cosigned(kYear), 3), 3u);
}

TEST_F(CosignerTest, ManyWhoWaitShareTheirRounds) {
  Start();
  for (uint64_t size = 1; size <= 5; ++size) {
    files_.Publish(kYear, size);
    std::vector<std::thread> threads;
    std::atomic<int> done = 0;
    for (int i = 0; i < 20; ++i) threads.emplace_back([&] { done += Through(size - 1).ok(); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(done, 20);
  }
  EXPECT_LE(witnesses_[0]->calls(), 5);
}

TEST_F(CosignerTest, EndOfTheYearIsCosignedBeforeTheNextOne) {
  Start();
  files_.Publish(kYear, 7);
  files_.Add(2027, next_log_, clock_.Now());
  files_.Publish(2027, 2);
  const auto cosigned = Through(1, absl::Seconds(30), 2027);
  ASSERT_THAT(cosigned, IsOk());
  EXPECT_EQ(tlog::OpenCheckpoint(*cosigned, next_log_.verifier())->checkpoint.size, 2u);
  ASSERT_TRUE(files_.Cosigned(kYear).has_value());
  EXPECT_GE(Cosigned(*files_.Cosigned(kYear), 7), 3u);
}

TEST_F(CosignerTest, AfterTheGraceCallsAreRefusedUntilTheQuorumIsBack) {
  Start();
  files_.Publish(kYear, 5);
  ASSERT_THAT(Through(4), IsOk());
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kAway);
  files_.Publish(kYear, 8);
  ExpectNoQuorum(7);
  // Entry 5, the first that is not cosigned, was made 5 s after the log began.
  EXPECT_EQ(cosigner_->GetStanding().uncovered_since, clock_.Now() + absl::Seconds(5));
  EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
  clock_.Advance(absl::Hours(4) + absl::Seconds(5));
  EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(cosigner_->CheckStanding(), HasReason(reason::kLogUnwitnessed));
  Start();
  EXPECT_TRUE(Eventually([&] { return !cosigner_->CheckStanding().ok(); })) << "a restart begins it not anew";
  witnesses_[0]->Be(Mood::kWell);
  EXPECT_THAT(Through(7), IsOk());
  EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
}

TEST_F(CosignerTest, AtTheStartTheWitnessesAreGivenTime) {
  options_.start_up = absl::Minutes(1);
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  files_.Publish(kYear, 5);
  clock_.Advance(absl::Hours(10));
  Start();
  ExpectNoQuorum(4);
  EXPECT_TRUE(cosigner_->GetStanding().uncovered_since.has_value());
  EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
}

TEST_F(CosignerTest, QuietLogNeedsNobody) {
  Start();
  files_.Publish(kYear, 5);
  ASSERT_THAT(Through(4), IsOk());
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  clock_.Advance(absl::Hours(100));
  EXPECT_THAT(Through(4), IsOk());
  EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
  EXPECT_TRUE(cosigner_->GetStanding().quorum);
}

TEST_F(CosignerTest, CosignaturesThatCannotBeKeptDoNotCount) {
  Start();
  files_.FailWrites(true);
  files_.Publish(kYear, 5);
  ExpectNoQuorum(4);
  files_.FailWrites(false);
  EXPECT_THAT(Through(4), IsOk());
}

TEST_F(CosignerTest, CallsDoNotWaitForASlowDisk) {
  Start();
  files_.HoldWrites(true);
  files_.Publish(kYear, 5);
  ASSERT_TRUE(Eventually([&] { return files_.held_writes() == 1; }));
  std::atomic<bool> answered = false;
  std::thread asks([&] {
    EXPECT_THAT(cosigner_->CheckStanding(), IsOk());
    answered = true;
  });
  EXPECT_TRUE(Eventually([&] { return answered.load(); }));
  files_.HoldWrites(false);
  asks.join();
  EXPECT_THAT(Through(4), IsOk());
  EXPECT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 5) == 4; }))
      << "also what came while the disk was slow";
}

TEST_F(CosignerTest, RestoredLogGetsNoQuorumAndSaysWhy) {
  Start();
  files_.Publish(kYear, 9);
  ASSERT_THAT(Through(8), IsOk());
  ASSERT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 9) == 4; }));
  files_.SetCosigned(kYear, log_.Checkpoint(4));
  files_.Publish(kYear, 6);
  Start();
  ExpectNoQuorum(5);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(cosigner_->GetStanding().witnesses.at(kNames[i]), HasReason(reason::kLogRollback));
  }
}

TEST_F(CosignerTest, SecondHistoryGetsNoQuorumAndEachWitnessSeesIt) {
  // What one officer was shown, and then another history of the same size for another one.
  Start();
  files_.Publish(kYear, 9);
  ASSERT_THAT(Through(8), IsOk());
  ASSERT_TRUE(Eventually([&] { return Cosigned(*files_.Cosigned(kYear), 9) == 4; }));
  FakeLog second;
  second.ForkAt(5);
  files_.Add(kYear, second, clock_.Now());
  files_.Publish(kYear, 9);
  Start();
  ExpectNoQuorum(8);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(cosigner_->GetStanding().witnesses.at(kNames[i]), HasReason(reason::kLogFork));
    EXPECT_THAT(witnesses_[i]->contradictions().Seen(), ::testing::Contains(Contradiction::Kind::kFork));
  }
}

TEST_F(CosignerTest, StopEndsThoseWhoWait) {
  Start();
  for (size_t i = 0; i < 4; ++i) witnesses_[i]->Be(Mood::kAway);
  files_.Publish(kYear, 5);
  std::thread waits([&] { EXPECT_THAT(Through(4, absl::Hours(1)), HasReason(reason::kQuorumMissing)); });
  ASSERT_TRUE(Eventually([&] { return witnesses_[0]->calls() > 0; }));
  cosigner_->Stop();
  waits.join();
}

TEST_F(CosignerTest, WithoutWitnessesThereIsNoQuorum) {
  witnesses_.clear();
  cosigner_ = std::make_unique<Cosigner>(
      files_, [this](uint32_t) { return log_.verifier(); }, std::vector<WitnessLink>(), options_, clock_);
  files_.Publish(kYear, 5);
  EXPECT_THAT(Through(4, absl::Milliseconds(50)), HasReason(reason::kQuorumMissing));
}

}  // namespace
}  // namespace raakvlak::log

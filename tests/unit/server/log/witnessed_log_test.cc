// From appended entries to proofs that anybody verifies: the real publisher, files, cosigner and witnesses.
#include "server/log/witnessed_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/proof_file.h"
#include "policy/log_trust.h"
#include "server/log/testing/fakes.h"
#include "tests/support/region.h"
#include "tests/unit/server/log/fake_published_files.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace reason = base::reason;
namespace tlog = crypto::tlog;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using testing::FakeWitness;
using Mood = FakeWitness::Mood;

constexpr uint32_t kYear = 2027;

class WitnessedLogTest : public ::testing::Test {
 protected:
  WitnessedLogTest()
      : urn_(region_.covenant().broker().urn()),
        covenant_(region_.authority().Current()->covenant),
        trust_(*policy::TrustOf(*covenant_, absl::StrCat(urn_, "/", kYear))),
        audit_(urn_),
        signer_(TestRegion::LogKeyOf(urn_)) {
    for (const tlog::WitnessKey& key : trust_.witnesses) AddWitness(key.name());
    auto log = ProcessLog::CreateForTest(audit_, region_.clock(),
                                         {folder_.File("log"), signer_.public_key(), ""}, signer_);
    RAAKVLAK_CHECK(log.ok(), "an empty log opens");
    log_ = *std::move(log);
    common_.set_quorum_grace_seconds(1);
    Start();
  }
  ~WitnessedLogTest() override {
    witnessed_ = nullptr;
    log_ = nullptr;
  }
  void Start() {
    witnessed_ = nullptr;
    auto witnessed =
        WitnessedLog::Create(*log_, region_.authority(), urn_, Clients(), common_, region_.clock());
    RAAKVLAK_CHECK(witnessed.ok(), "the covenant knows the broker");
    witnessed_ = *std::move(witnessed);
  }
  void AddWitness(const std::string& name) {
    witnesses_.push_back(std::make_unique<FakeWitness>(
        name, TestRegion::WitnessKeyOf(name),
        [this](absl::string_view origin) { return covenant_->LogVerifier(origin); }));
  }
  WitnessedLog::MakeClient Clients() {
    return [this](const policy::Covenant&,
                  const std::string& name) -> absl::StatusOr<std::unique_ptr<client::WitnessClient>> {
      if (fail_clients_) {
        return base::Error(absl::StatusCode::kNotFound, reason::kFileUnreadable, "no certificate");
      }
      for (const auto& witness : witnesses_) {
        if (witness->name().name() == name) return witness->Client();
      }
      return nullptr;
    };
  }
  // Puts what was changed in force as the covenant that follows.
  void NextCovenant() {
    const auto before = region_.authority().Current()->covenant;
    region_.covenant().set_supersedes(base::Hex(before->id()));
    region_.covenant().set_version(before->text().version() + 1);
    region_.roster().set_number(region_.roster().number() + 1);
    region_.Write();
    const auto now = region_.authority().Current();
    ASSERT_THAT(now, IsOk());
    ASSERT_NE(now->covenant->id(), before->id());
    trust_ = *policy::TrustOf(*now->covenant, absl::StrCat(urn_, "/", kYear));
  }
  // No key holder, so that it may leave without new keys.
  std::string AddFifth() {
    v1::Partner& fifth = *region_.covenant().add_partners();
    fifth = region_.covenant().partners(1);
    fifth.set_id("reclassering");
    region_.GiveKeys(fifth);
    const std::string urn = TestRegion::Urn("node", "reclassering");
    AddWitness(urn);
    return urn;
  }
  absl::StatusOr<std::string> Prove(uint64_t index, absl::Duration limit = absl::Seconds(30)) {
    storage::Logged logged;
    logged.id = {kYear, index};
    // `limit` is for the witnesses: publishing takes as long as the disk does.
    log_->publisher().PublishThrough(logged.id, region_.clock().Now() + absl::Seconds(30)).IgnoreError();
    return witnessed_->Prove(logged, region_.clock().Now() + limit);
  }
  // Waits, with a limit, for something that comes about in other threads.
  template <typename Condition>
  bool Eventually(Condition condition) {
    const absl::Time limit = absl::Now() + absl::Seconds(30);
    while (!condition() && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(1));
    return condition();
  }
  // Verifies with what the covenant says alone.
  absl::StatusOr<tlog::VerifiedProof> Verify(const std::string& proof, uint64_t index) {
    const auto leaves = audit_.ReadLeaves(kYear, index, 1);
    return tlog::VerifyProofFile(proof, leaves->at(0), trust_.log, trust_.witnesses, trust_.quorum);
  }
  std::string Read(const std::string& name) {
    const auto bytes = base::ReadFile(absl::StrCat(folder_.File("log"), "/", kYear, "/", name));
    return bytes.ok() ? *bytes : "";
  }
  size_t CosignedIn(const std::string& bytes) {
    const auto parsed = note::Parse(bytes);
    return parsed.ok() ? tlog::CountCosignatures(*parsed, trust_.witnesses)->size() : 0;
  }

  base::testing::TemporaryFolder folder_;
  TestRegion region_;
  v1::Common common_;
  const std::string urn_;
  const std::shared_ptr<const policy::Covenant> covenant_;
  policy::LogTrust trust_;  // by the covenant in force
  bool fail_clients_ = false;
  testing::FakeAuditLog audit_;
  testing::FakeCheckpointSigner signer_;
  std::vector<std::unique_ptr<FakeWitness>> witnesses_;
  std::unique_ptr<ProcessLog> log_;
  std::unique_ptr<WitnessedLog> witnessed_;
};

TEST_F(WitnessedLogTest, EveryEntryIsProvenByTheCovenantAlone) {
  uint64_t size = 0;
  for (const uint64_t count : {1, 2, 5, 248, 1, 300, 700}) {
    audit_.Append(kYear, count);
    const uint64_t old_size = size;
    size += count;
    for (const uint64_t index : {uint64_t{0}, old_size / 2, old_size, size - 1}) {
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(index));
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(proof, index));
      EXPECT_EQ(verified.index, index);
      EXPECT_GE(verified.cosigned.size(), trust_.quorum);
      EXPECT_LE(proof.size(), 2048u) << "a receipt is small";
    }
  }
}

TEST_F(WitnessedLogTest, CosignedCheckpointStandsInTheFolder) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  EXPECT_GE(CosignedIn(Read("checkpoint.cosigned")), trust_.quorum);
  EXPECT_GE(CosignedIn(Read("checkpoint")), trust_.quorum) << "merged while the size is the same";
}

TEST_F(WitnessedLogTest, WithoutQuorumThereIsNoProof) {
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kAway);
  audit_.Append(kYear, 10);
  EXPECT_THAT(Prove(9, absl::Milliseconds(300)), HasReason(reason::kQuorumMissing));
  EXPECT_EQ(Read("checkpoint.cosigned"), "");
  witnesses_[1]->Be(Mood::kWell);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(9));
  EXPECT_THAT(Verify(proof, 9), IsOk());
}

TEST_F(WitnessedLogTest, EntryThatIsNotThereIsNotFound) {
  audit_.Append(kYear, 10);
  EXPECT_THAT(Prove(10, absl::Seconds(1)), HasReason(reason::kNotFound));
}

TEST_F(WitnessedLogTest, CallsAreRefusedAfterTheGraceAndReadingGoesOn) {
  audit_.Append(kYear, 300);
  ASSERT_THAT(Prove(299), IsOk());
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  audit_.Append(kYear, 5);
  EXPECT_THAT(Prove(304, absl::Milliseconds(200)), HasReason(reason::kQuorumMissing));
  // The fake log's entry i was made i milliseconds after 1970 began, long before the covenant.
  EXPECT_TRUE(
      Eventually([&] { return witnessed_->GetStanding().uncovered_since == covenant_->valid_from(); }));
  // Not in the first second, in which witnesses may be starting.
  const auto check = [&] { return witnessed_->condition().Check("/raakvlak.v1.Exchange/Submit"); };
  EXPECT_TRUE(Eventually([&] { return !check().ok(); }));
  EXPECT_THAT(check(), HasReason(reason::kLogUnwitnessed));
  EXPECT_THAT(witnessed_->condition().Check("/raakvlak.v1.Audit/ListLogs"), IsOk());
}

TEST_F(WitnessedLogTest, RestartGoesOnWhereItWas) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  Start();
  audit_.Append(kYear, 10);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(12));
  EXPECT_THAT(Verify(proof, 12), IsOk());
}

TEST_F(WitnessedLogTest, ProcessThatTheCovenantDoesNotKnowIsRefused) {
  EXPECT_THAT(WitnessedLog::Create(*log_, region_.authority(), "urn:raakvlak:maastricht:node:nobody",
                                   Clients(), v1::Common(), region_.clock()),
              HasReason(reason::kNotFound));
}

TEST_F(WitnessedLogTest, OutsideWitnessesAreChecked) {
  v1::Common common;
  v1::OutsideWitness& outside = *common.add_outside_witnesses();
  outside.set_verifier_key(testing::WitnessKeyOf("witness.example").Encode());
  outside.set_url("http://127.0.0.1:1/witness");
  const auto links = MakeOutsideLinks(common);
  ASSERT_THAT(links, IsOk());
  ASSERT_EQ(links->size(), 1u);
  EXPECT_FALSE(links->front().counts);
  outside.set_url("witness.example");
  EXPECT_THAT(MakeOutsideLinks(common), HasReason(reason::kConfigInvalid));
  outside.set_url("http://127.0.0.1:1");
  outside.set_verifier_key(trust_.log.Encode());
  EXPECT_THAT(MakeOutsideLinks(common), HasReason(reason::kConfigInvalid)) << "a log's key, type 01";
}

TEST_F(WitnessedLogTest, PartnerThatJoinsWitnessesWithoutARestart) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  AddFifth();
  region_.covenant().set_witness_quorum(5);
  NextCovenant();
  ASSERT_EQ(trust_.quorum, 5u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(9));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(proof, 9));
  EXPECT_EQ(verified.cosigned.size(), 5u) << "an entry from before, with the quorum of now";
}

TEST_F(WitnessedLogTest, PartnerThatLeftDoesNotCountAndIsNotAsked) {
  AddFifth();
  NextCovenant();
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  region_.covenant().mutable_partners()->RemoveLast();
  NextCovenant();
  ASSERT_EQ(trust_.quorum, 3u);
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kAway);
  audit_.Append(kYear, 1);
  const int calls = witnesses_[4]->calls();
  EXPECT_THAT(Prove(10, absl::Milliseconds(300)), HasReason(reason::kQuorumMissing));
  EXPECT_EQ(witnesses_[4]->calls(), calls);
  witnesses_[1]->Be(Mood::kWell);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(10));
  EXPECT_THAT(Verify(proof, 10), IsOk());
}

TEST_F(WitnessedLogTest, ReplacedWitnessKeyIsWantedAtOnce) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  region_.covenant().mutable_partners(0)->mutable_witness_key()->swap(
      *region_.covenant().mutable_partners(1)->mutable_witness_key());
  NextCovenant();
  EXPECT_THAT(Prove(9, absl::Milliseconds(300)), HasReason(reason::kQuorumMissing))
      << "two of the four sign with keys that are theirs no more";
}

TEST_F(WitnessedLogTest, WithTheSameWitnessesNobodyIsAskedAgain) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  const std::string kept = Read("checkpoint.cosigned");
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  region_.covenant().set_matching_interval_seconds(2);
  NextCovenant();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(9));
  EXPECT_THAT(Verify(proof, 9), IsOk());
}

TEST_F(WitnessedLogTest, ProofUnderWayIsMadeAnewWhenTheCovenantChanges) {
  audit_.Append(kYear, 10);
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kSilent);
  absl::StatusOr<std::string> proof = absl::UnknownError("none yet");
  std::thread waiting([&] { proof = Prove(9); });
  while (witnesses_[0]->calls() == 0) absl::SleepFor(absl::Milliseconds(1));
  AddFifth();
  region_.covenant().set_witness_quorum(4);
  NextCovenant();
  for (size_t i = 0; i < 2; ++i) witnesses_[i]->Be(Mood::kWell);
  waiting.join();
  ASSERT_THAT(proof, IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(*proof, 9));
  EXPECT_GE(verified.cosigned.size(), 4u);
}

TEST_F(WitnessedLogTest, NewWitnessesAreAskedWithoutAnyProofBeingWanted) {
  const std::string fifth = AddFifth();
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  ASSERT_EQ(witnesses_[4]->calls(), 0);
  region_.covenant().set_witness_quorum(5);
  NextCovenant();
  EXPECT_TRUE(Eventually([&] { return witnesses_[4]->calls() > 0; })) << fifth;
}

TEST_F(WitnessedLogTest, GraceOfNewWitnessesBeginsWithTheirCovenant) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  const absl::Time since = region_.clock().Now() - absl::Hours(1);
  region_.covenant().set_valid_from(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", since, absl::UTCTimeZone()));
  region_.covenant().set_witness_quorum(4);
  NextCovenant();
  audit_.Append(kYear, 1);
  EXPECT_THAT(Prove(10, absl::Milliseconds(300)), HasReason(reason::kQuorumMissing));
  EXPECT_TRUE(Eventually([&] { return witnessed_->GetStanding().uncovered_since == since; }));
}

TEST_F(WitnessedLogTest, WitnessesStayWhenTheNewOnesCannotBeReachedFromHere) {
  audit_.Append(kYear, 10);
  ASSERT_THAT(Prove(9), IsOk());
  region_.covenant().mutable_partners(0)->set_peer_address("moved:1");
  fail_clients_ = true;
  NextCovenant();
  audit_.Append(kYear, 1);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string proof, Prove(10));
  EXPECT_THAT(Verify(proof, 10), IsOk());
}

}  // namespace
}  // namespace raakvlak::log

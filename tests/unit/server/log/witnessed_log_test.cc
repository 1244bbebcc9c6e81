// From appended entries to proofs that anybody verifies: the real publisher, files, cosigner and witnesses.
#include "server/log/witnessed_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

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
    for (const tlog::WitnessKey& key : trust_.witnesses) {
      witnesses_.push_back(std::make_unique<FakeWitness>(
          key.name(), TestRegion::WitnessKeyOf(key.name()),
          [this](absl::string_view origin) { return covenant_->LogVerifier(origin); }));
    }
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
    std::vector<std::unique_ptr<client::WitnessClient>> clients;
    for (const auto& witness : witnesses_) clients.push_back(witness->Client());
    auto witnessed =
        WitnessedLog::Create(*log_, covenant_, urn_, std::move(clients), common_, region_.clock());
    RAAKVLAK_CHECK(witnessed.ok(), "the covenant knows the broker");
    witnessed_ = *std::move(witnessed);
  }
  absl::StatusOr<std::string> Prove(uint64_t index, absl::Duration limit = absl::Seconds(30)) {
    storage::Logged logged;
    logged.id = {kYear, index};
    return witnessed_->Prove(logged, region_.clock().Now() + limit);
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
  const policy::LogTrust trust_;
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

TEST_F(WitnessedLogTest, GraceIsCountedFromTheFirstEntryThatIsNotCosigned) {
  audit_.Append(kYear, 300);
  ASSERT_THAT(Prove(299), IsOk());
  for (auto& witness : witnesses_) witness->Be(Mood::kAway);
  audit_.Append(kYear, 5);
  EXPECT_THAT(Prove(304, absl::Milliseconds(200)), HasReason(reason::kQuorumMissing));
  // The fake log's entry i was made i milliseconds after 1970 began.
  EXPECT_EQ(witnessed_->cosigner().GetStanding().uncovered_since, absl::FromUnixMillis(300));
  // Not in the first second, in which witnesses may be starting.
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  const auto check = [&] { return witnessed_->condition().Check("/raakvlak.v1.Exchange/Submit"); };
  while (check().ok() && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(10));
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
  EXPECT_THAT(WitnessedLog::Create(*log_, covenant_, "urn:raakvlak:maastricht:node:nobody", {}, v1::Common(),
                                   region_.clock()),
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

}  // namespace
}  // namespace raakvlak::log

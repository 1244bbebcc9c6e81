#include "cli/audit_verify.h"

#include <cstdlib>
#include <filesystem>

#include "base/testing/fakes.h"
#include "gmock/gmock.h"
#include "tests/unit/cli/made_log.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::HasSubstr;
using testing::MadeLog;
using testing::Outcome;
using testing::World;

class AuditVerifyTest : public ::testing::Test {
 protected:
  AuditVerifyTest() {
    log_.AddMany(600);
    log_.Publish(world_, 2);
    log_.Serve(world_.audit);
  }
  Outcome Verify(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--json", "audit", "verify"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world_.RunAs("officer", std::move(arguments));
  }
  void ExpectFault(const Outcome& outcome, const std::string& file) {
    EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed) << outcome.out << outcome.err;
    EXPECT_EQ(outcome.json()["whole"], false);
    EXPECT_EQ(outcome.json()["logs"][0]["fault"]["file"], file);
  }

  World world_;
  MadeLog log_;
};

TEST_F(AuditVerifyTest, AWholeLogIsWholeAndLeavesNothingBehind) {
  // A folder for temporary files of its own: other tests use that of the machine.
  const base::testing::TemporaryFolder temporary;
  ASSERT_EQ(setenv("TMPDIR", temporary.path().c_str(), 1), 0);
  const Outcome outcome = Verify();
  unsetenv("TMPDIR");
  ASSERT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  const auto log = outcome.json()["logs"][0];
  EXPECT_EQ(log["size"], 600);
  EXPECT_EQ(log["entries"], 600);
  EXPECT_EQ(log["details"], 600);
  EXPECT_EQ(log["erased"], 0);
  EXPECT_EQ(log["without_details"], 0);
  EXPECT_EQ(log["witnesses"].size(), 2u);
  EXPECT_EQ(log["key_from_folder"], false);
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

TEST_F(AuditVerifyTest, AChangedEntryIsNamedByItsIndex) {
  log_.files()["tile/entries/001"][2 + 100 * 43 + 20] ^= 1;
  const Outcome outcome = Verify();
  ExpectFault(outcome, "tile/entries/001");
  EXPECT_EQ(outcome.json()["logs"][0]["fault"]["index"], 356);
}

TEST_F(AuditVerifyTest, DetailsThatAreNotThoseOfTheLogAreNamedByTheirIndex) {
  // The server makes up other details, and a leaf that fits them.
  v1::LogEntry& entry = log_.entries()[300];
  entry.set_details(log_.Details("urn:raakvlak:demo:staff:bram", "open").SerializeAsString());
  entry.set_leaf(
      crypto::tlog::MakeLeaf(static_cast<uint64_t>(entry.time_ms()), entry.salt(), entry.details()));
  const Outcome outcome = Verify();
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_EQ(outcome.json()["logs"][0]["fault"]["index"], 300);
}

TEST_F(AuditVerifyTest, AnEntryThatWasDatedBackIsNamedByItsIndex) {
  // The administrator of the broker enters it so and has it signed and cosigned.
  v1::LogEntry& entry = log_.entries()[300];
  entry.set_time_ms(entry.time_ms() - 10 * MadeLog::kStepMs);
  entry.set_leaf(
      crypto::tlog::MakeLeaf(static_cast<uint64_t>(entry.time_ms()), entry.salt(), entry.details()));
  log_.Publish(world_, 2);
  const Outcome outcome = Verify();
  ExpectFault(outcome, "tile/entries/001");
  EXPECT_EQ(outcome.json()["logs"][0]["fault"]["index"], 300);
}

TEST_F(AuditVerifyTest, WhatIsNoLeafIsNamedByItsIndex) {
  log_.entries()[7].set_leaf("something else");
  log_.Publish(world_, 2);
  const Outcome outcome = Verify({"--no-details"});
  ExpectFault(outcome, "tile/entries/000");
  EXPECT_EQ(outcome.json()["logs"][0]["fault"]["index"], 7);
}

TEST_F(AuditVerifyTest, ErasedDetailsAreCounted) {
  log_.entries()[5].clear_salt();
  log_.entries()[5].clear_details();
  const Outcome outcome = Verify();
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_EQ(outcome.json()["logs"][0]["erased"], 1);
}

TEST_F(AuditVerifyTest, TooFewCosignaturesAreAFault) {
  log_.Publish(world_, 1);
  ExpectFault(Verify(), "checkpoint");
}

TEST_F(AuditVerifyTest, AnotherKeyThanTheCovenantsIsAFault) {
  log_.files()["checkpoint"][log_.files()["checkpoint"].size() / 2] ^= 1;
  log_.files()["checkpoint.cosigned"] = log_.files()["checkpoint"];
  EXPECT_EQ(Verify().exit_code, ExitCode::kVerificationFailed);
}

TEST_F(AuditVerifyTest, ALogThatWentBackOrWasWrittenAnewIsFoundWithAKeptCheckpoint) {
  ASSERT_TRUE(base::WriteFileAtomically(world_.path("kept"), log_.files()["checkpoint"], 0600).ok());
  EXPECT_EQ(Verify({"--since", world_.path("kept")}).exit_code, ExitCode::kOk);
  log_.entries().resize(500);
  log_.Publish(world_, 2);
  EXPECT_EQ(Verify().exit_code, ExitCode::kOk);
  EXPECT_EQ(Verify({"--since", world_.path("kept")}).exit_code, ExitCode::kVerificationFailed);
  // The same length again, with another history.
  for (int i = 0; i < 100; ++i) log_.Add(log_.Details("urn:raakvlak:demo:staff:bram", "list"));
  log_.Publish(world_, 2);
  EXPECT_EQ(Verify({"--since", world_.path("kept")}).exit_code, ExitCode::kVerificationFailed);
}

TEST_F(AuditVerifyTest, AKeptCopyIsFetchedOnceAndVerifiedWithoutAServer) {
  const std::string keep = world_.path("copy");
  ASSERT_EQ(Verify({"--keep", keep}).exit_code, ExitCode::kOk);
  log_.AddMany(10);
  log_.Publish(world_, 2);
  ASSERT_EQ(Verify({"--keep", keep}).exit_code, ExitCode::kOk);
  EXPECT_EQ(log_.reads("tile/entries/000"), 1);

  ASSERT_EQ(
      world_.RunAs("officer", {"audit", "export", "--format", "evidence", "--out", world_.path("d.jsonl")})
          .exit_code,
      ExitCode::kOk);
  const std::vector<std::string> verify = {"--json",     "audit",
                                           "verify",     keep + "/2026",
                                           "--covenant", world_.covenant_path(),
                                           "--details",  world_.path("d.jsonl")};
  const Outcome outcome = world_.Run(verify);
  ASSERT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.json()["logs"][0]["details"], 610);
  EXPECT_EQ(outcome.json()["logs"][0]["witnesses"].size(), 2u);
}

TEST_F(AuditVerifyTest, ACopyWithoutACovenantSaysWhoseKeyItBelieved) {
  const std::string keep = world_.path("copy");
  ASSERT_EQ(Verify({"--keep", keep}).exit_code, ExitCode::kOk);
  const Outcome outcome = world_.Run({"audit", "verify", keep + "/2026"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_THAT(outcome.out, HasSubstr("by the key in the folder's log.vkey"));
}

TEST_F(AuditVerifyTest, WithoutFolderAndRegionItIsAUsageError) {
  EXPECT_EQ(world_.Run({"audit", "verify"}).exit_code, ExitCode::kUsage);
}

TEST_F(AuditVerifyTest, AFolderThatIsNoLogIsSaidSo) {
  EXPECT_NE(world_.Run({"audit", "verify", world_.path("nothing")}).exit_code, ExitCode::kOk);
}

}  // namespace
}  // namespace raakvlak::cli

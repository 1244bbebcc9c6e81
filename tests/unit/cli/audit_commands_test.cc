#include "cli/audit_commands.h"

#include "gmock/gmock.h"
#include "tests/unit/cli/made_log.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MadeLog;
using ::testing::Not;
using testing::Outcome;
using testing::World;

class AuditCommandsTest : public ::testing::Test {
 protected:
  AuditCommandsTest() {
    log_.AddMany(25);
    log_.Publish(world_, 2);
    log_.Serve(world_.audit);
  }
  Outcome Run(std::vector<std::string> arguments) { return world_.RunAs("officer", std::move(arguments)); }

  World world_;
  MadeLog log_;
};

TEST_F(AuditCommandsTest, TheNewestEntryIsLast) {
  const auto json = Run({"--json", "audit", "list"}).json();
  ASSERT_EQ(json["entries"].size(), 25u);
  for (size_t i = 0; i < 25; ++i) EXPECT_EQ(json["entries"][i]["index"], i);
  EXPECT_TRUE(log_.requests().front().newest_first());
}

TEST_F(AuditCommandsTest, LimitTakesTheNewest) {
  const auto json = Run({"--json", "audit", "list", "--limit", "9"}).json();
  ASSERT_EQ(json["entries"].size(), 9u);
  EXPECT_EQ(json["entries"][0]["index"], 16);
  EXPECT_EQ(json["entries"][8]["index"], 24);
  EXPECT_EQ(log_.requests().size(), 2u);
}

TEST_F(AuditCommandsTest, FiltersArePassedOn) {
  const Outcome outcome =
      Run({"audit", "list", "--actor", "a", "--action", "open", "--purpose", "p", "--case", "c", "--result",
           "OK", "--since", "2026-01-01", "--until", "2026-01-01T02:00:00+01:00", "--log", "hub"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  const v1::ListEntriesRequest& request = log_.requests().front();
  EXPECT_EQ(request.actor(), "a");
  EXPECT_EQ(request.action(), "open");
  EXPECT_EQ(request.purpose(), "p");
  EXPECT_EQ(request.case_reference(), "c");
  EXPECT_EQ(request.result(), "OK");
  EXPECT_EQ(request.from_ms(), MadeLog::kFirstMs);
  EXPECT_EQ(request.until_ms(), MadeLog::kFirstMs + 3'600'000);
  EXPECT_EQ(world_.audit.log, "hub");
}

TEST_F(AuditCommandsTest, TheTableShowsWhoDidWhatWhenAndWhySafely) {
  const Outcome outcome = Run({"audit", "list", "--limit", "1"});
  EXPECT_THAT(outcome.out,
              HasSubstr("2026/24  2026-01-01T00:24:00.000Z  urn:raakvlak:demo:staff:anna  open    "
                        "3f9a6c21  onaantastbaren  ZVH-1  2      OK      overleg [2J\n"));
}

TEST_F(AuditCommandsTest, ATimeThatIsNoneIsAUsageErrorAndAsksNobody) {
  for (const char* time : {"yesterday", "2026-13-01", "2026-01-01T00:00:00", "1"}) {
    EXPECT_EQ(Run({"audit", "list", "--since", time}).exit_code, ExitCode::kUsage) << time;
  }
  EXPECT_TRUE(log_.requests().empty());
}

TEST_F(AuditCommandsTest, ARefusalIsDenied) {
  world_.audit.on_list = [](const v1::ListEntriesRequest&) -> absl::StatusOr<v1::ListEntriesResponse> {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed, "no");
  };
  EXPECT_EQ(world_.RunAs("staff", {"audit", "list"}).exit_code, ExitCode::kDenied);
}

TEST_F(AuditCommandsTest, AnEntryThatDoesNotFitItsLeafIsNotShown) {
  log_.entries()[3].set_details(log_.Details("urn:raakvlak:demo:staff:bram", "open").SerializeAsString());
  const Outcome outcome = Run({"audit", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(outcome.err, HasSubstr("entry 3"));
}

TEST_F(AuditCommandsTest, ShowProvesTheEntryUnderTheWitnessesCosignatures) {
  const Outcome outcome = Run({"--json", "audit", "show", "12", "--proof", world_.path("p.tlog-proof")});
  ASSERT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  const auto json = outcome.json();
  EXPECT_EQ(json["index"], 12);
  EXPECT_EQ(json["proven"], true);
  EXPECT_EQ(json["checkpoint_size"], 25);
  EXPECT_EQ(json["witnesses"].size(), 2u);
  EXPECT_EQ(*base::ReadFile(world_.path("p.tlog-proof")), log_.ProofOf(12));
}

TEST_F(AuditCommandsTest, ShowOfAnEntryThatIsNotProvenFails) {
  log_.Publish(world_, 1);
  EXPECT_EQ(Run({"audit", "show", "12"}).exit_code, ExitCode::kVerificationFailed);
  log_.Publish(world_, 2);
  world_.audit.on_get = [this](const v1::GetEntryRequest&) -> absl::StatusOr<v1::GetEntryResponse> {
    v1::GetEntryResponse response;
    *response.mutable_entry() = log_.entries()[12];
    response.set_proof(log_.ProofOf(13));
    return response;
  };
  EXPECT_EQ(Run({"audit", "show", "2026/12"}).exit_code, ExitCode::kVerificationFailed);
  world_.audit.on_get = [this](const v1::GetEntryRequest&) -> absl::StatusOr<v1::GetEntryResponse> {
    v1::GetEntryResponse response;
    *response.mutable_entry() = log_.entries()[12];
    response.set_no_proof_reason("QUORUM_MISSING");
    return response;
  };
  const Outcome outcome = Run({"audit", "show", "2026/12"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(outcome.out, HasSubstr("no_proof_reason: QUORUM_MISSING"));
}

TEST_F(AuditCommandsTest, ShowOfNoSuchEntryIsNotFound) {
  EXPECT_EQ(Run({"audit", "show", "25"}).exit_code, ExitCode::kNotFound);
  for (const char* id : {"x", "2026/", "/3", "1/2/3", "-1"}) {
    EXPECT_EQ(Run({"audit", "show", id}).exit_code, ExitCode::kUsage) << id;
  }
}

TEST_F(AuditCommandsTest, ExportWritesEveryEntryInEachForm) {
  const std::string csv = Run({"audit", "export"}).out;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 26);
  EXPECT_THAT(csv, AllOf(HasSubstr("log,index,time"), HasSubstr(",ZVH-1,")));
  for (const char* format : {"jsonl", "ldv", "evidence"}) {
    const std::string lines = Run({"audit", "export", "--format", format}).out;
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 25) << format;
  }
  EXPECT_EQ(Run({"audit", "export", "--format", "xml"}).exit_code, ExitCode::kUsage);
}

TEST_F(AuditCommandsTest, ExportToAFileSaysHowMuch) {
  const Outcome outcome = Run({"audit", "export", "--out", world_.path("log.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_THAT(outcome.err, HasSubstr("25 entries written"));
  const Outcome as_json = Run({"--json", "audit", "export", "--out", world_.path("log.csv")});
  EXPECT_EQ(as_json.json()["entries"], 25);
  EXPECT_EQ(as_json.err, "");
  EXPECT_THAT(*base::ReadFile(world_.path("log.csv")), HasSubstr("2026-01-01T00:24:00.000Z"));
}

TEST_F(AuditCommandsTest, ReportCountsThePeriod) {
  const auto json =
      Run({"--json", "audit", "report", "--since", "2026-01-01", "--until", "2026-01-01T00:10:00Z"}).json();
  EXPECT_EQ(json["total"]["opens"], 10);
  EXPECT_EQ(json["persons"][0]["actor"], "urn:raakvlak:demo:staff:anna");
  EXPECT_EQ(json["cases"][0]["case"], "ZVH-1");
  const Outcome table = Run({"audit", "report", "--since", "2026-01-01", "--until", "2026-01-02"});
  EXPECT_THAT(table.out, HasSubstr("25 entries, 25 opened"));
}

TEST_F(AuditCommandsTest, HtmlReportNamesTheVerifiedCheckpoint) {
  const Outcome outcome = Run(
      {"audit", "report", "--since", "2026-01-01", "--until", "2026-01-02", "--html", world_.path("r.html")});
  ASSERT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(*base::ReadFile(world_.path("r.html")),
              AllOf(HasSubstr("Verantwoording van inzage"), HasSubstr("25 regels, "),
                    HasSubstr("urn:raakvlak:demo:node:politie")));
}

TEST_F(AuditCommandsTest, NoHtmlReportIsMadeOfALogThatDoesNotVerify) {
  log_.files()["tile/0/000.p/25"][0] ^= 1;
  const Outcome outcome = Run({"audit", "report", "--html", world_.path("r.html")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_FALSE(base::ReadFile(world_.path("r.html")).ok());
}

TEST_F(AuditCommandsTest, APeriodThatEndsBeforeItBeginsIsAUsageError) {
  EXPECT_EQ(Run({"audit", "report", "--since", "2026-02-01", "--until", "2026-01-01"}).exit_code,
            ExitCode::kUsage);
}

TEST_F(AuditCommandsTest, WatchShowsWhatComesIn) {
  std::vector<std::string> positions;
  world_.audit.on_watch = [&](const std::string& position) -> absl::StatusOr<v1::WatchResponse> {
    positions.push_back(position);
    if (positions.size() == 3) world_.clock.Advance(absl::Minutes(2));
    v1::WatchResponse response;
    response.set_position(absl::StrCat("2026/", positions.size()));
    if (positions.size() == 2) *response.add_entries() = log_.entries()[24];
    return response;
  };
  const Outcome outcome = Run({"--json", "audit", "watch", "--for", "60", "--every-ms", "100"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_EQ(outcome.json()["index"], 24);
  EXPECT_THAT(positions, ElementsAre("", "2026/1", "2026/2"));
}

TEST_F(AuditCommandsTest, WatchStaysWithinTheDayThatAServerGivesAStream) {
  world_.audit.on_watch = [&](const std::string&) -> absl::StatusOr<v1::WatchResponse> {
    world_.clock.Advance(absl::Hours(25));
    return v1::WatchResponse();
  };
  for (const std::vector<std::string>& how : {std::vector<std::string>{}, {"--for", "86400"}}) {
    std::vector<std::string> command = {"audit", "watch"};
    command.insert(command.end(), how.begin(), how.end());
    EXPECT_EQ(Run(command).exit_code, ExitCode::kOk);
    EXPECT_LE(world_.audit.watch_timeout, absl::Hours(24));
  }
}

}  // namespace
}  // namespace raakvlak::cli

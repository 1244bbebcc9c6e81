#include "cli/signal_commands.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/support/receipts.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::RejectedReceipt;
using ::testing::StartsWith;
using testing::World;
namespace reason = base::reason;

constexpr char kSignalsHeader[] = "client_ref,purpose,kind,category,bsn,surname,note\n";

class SignalCommandsTest : public ::testing::Test {
 protected:
  Outcome Push(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"signal", "push"});
    return world_.RunAs("politie", arguments, input);
  }
  Outcome PushJson(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--json", "signal", "push"});
    return world_.RunAs("politie", arguments, input);
  }

  static v1::SignalStatus Status(const std::string& client_ref, v1::SignalState state) {
    v1::SignalStatus status;
    status.set_client_ref(client_ref);
    status.set_signal_id(std::string(16, '\x11'));
    status.set_purpose("onaantastbaren");
    status.set_state(state);
    status.set_received_ms(1'767'225'600'000);
    status.set_changed_ms(1'767'225'601'000);
    return status;
  }

  World world_;
};

TEST_F(SignalCommandsTest, AllRowsTakenIsZero) {
  world_.Write("p.csv",
               absl::StrCat(kSignalsHeader, "a,p,signal,c,999993847,Jansen,x\nb,p,signal,c,,Jansen,y\n"));
  const Outcome outcome = Push({world_.path("p.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_EQ(outcome.out, "2 rows: 2 accepted, 0 known, 0 rejected\n");
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_EQ(Push({world_.path("p.csv")}).out, "2 rows: 0 accepted, 2 known, 0 rejected\n");
}

TEST_F(SignalCommandsTest, RejectedRowsAreShownWithFileLineColumnAndReasonWithoutData) {
  world_.intake.on_record = [](const v1::Record& record) {
    return record.client_ref() == "a" ? RejectedReceipt(reason::kBsnInvalid, "bsn")
                                      : RejectedReceipt(reason::kNoRuleApplies, "");
  };
  const std::string path = world_.path("p.csv");
  world_.Write("p.csv",
               absl::StrCat(kSignalsHeader,
                            "a,p,signal,c,999993848,Jansen,secret\n\nb,p,signal,c,,Pietersen,\nshort\n"));
  const Outcome outcome = Push({path});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_EQ(outcome.out, absl::StrCat(path, ":2: bsn: BSN_INVALID\n", path, ":4: NO_RULE_APPLIES\n", path,
                                      ":5: ROW_MALFORMED\n3 rows: 0 accepted, 0 known, 3 rejected\n"));
  for (const char* data : {"999993848", "Jansen", "secret", "Pietersen", "short"}) {
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(data)));
  }
}

TEST_F(SignalCommandsTest, JsonHasCountsAndTheRejectedRows) {
  world_.intake.on_record = [](const v1::Record& record) {
    if (record.client_ref() == "a") return RejectedReceipt(reason::kDateInvalid, "birth_date");
    v1::PushReceipt receipt;
    receipt.set_result(v1::ACCEPTED);
    return receipt;
  };
  world_.Write("p.csv", absl::StrCat(kSignalsHeader, "a,p,signal,c,,,\nb,p,signal,c,,,\nx\n"));
  const Outcome outcome = PushJson({world_.path("p.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  const nlohmann::json json = outcome.json();
  EXPECT_EQ(json["rows"], 3);
  EXPECT_EQ(json["accepted"], 1);
  EXPECT_EQ(json["known"], 0);
  EXPECT_EQ(json["rejected_rows"], 2);
  EXPECT_EQ(json["rejected_files"], 0);
  ASSERT_EQ(json["rejected"].size(), 2u);
  EXPECT_EQ(json["rejected"][0]["file"], world_.path("p.csv"));
  EXPECT_EQ(json["rejected"][0]["line"], 2);
  EXPECT_EQ(json["rejected"][0]["column"], "birth_date");
  EXPECT_EQ(json["rejected"][0]["reason"], "DATE_INVALID");
  EXPECT_EQ(json["rejected"][1]["line"], 4);
  EXPECT_EQ(json["rejected"][1]["column"], "");
}

TEST_F(SignalCommandsTest, JsonWithoutRejectionsIsJsonToo) {
  world_.Write("p.csv", kSignalsHeader);
  const Outcome outcome = PushJson({world_.path("p.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_TRUE(outcome.json()["rejected"].empty());
  EXPECT_EQ(outcome.json()["rows"], 0);
}

TEST_F(SignalCommandsTest, AFileWithoutAHeaderOrMissingDoesNotStopTheOthers) {
  world_.Write("bad.csv", "client_ref;purpose\n");
  world_.Write("good.csv", absl::StrCat(kSignalsHeader, "a,p,signal,c,,,\n"));
  const Outcome outcome = Push({world_.path("bad.csv"), world_.path("missing.csv"),
                                std::filesystem::path(world_.path(".")).string(), world_.path("good.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.out, HasSubstr("bad.csv:1: HEADER_INVALID\n"));
  EXPECT_THAT(outcome.out, HasSubstr("missing.csv:1: FILE_UNREADABLE\n"));
  EXPECT_THAT(outcome.out, HasSubstr("/.:1: FILE_UNREADABLE\n"));
  EXPECT_THAT(outcome.out, HasSubstr("1 rows: 1 accepted, 0 known, 0 rejected\n"));
  EXPECT_THAT(outcome.err, HasSubstr("separated by ';'"));
}

TEST_F(SignalCommandsTest, AnEmptyFileHasNoHeader) {
  world_.Write("empty.csv", "");
  const Outcome outcome = Push({world_.path("empty.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.out, HasSubstr("HEADER_INVALID"));
}

TEST_F(SignalCommandsTest, StandardInputIsReadInTheFormatAskedFor) {
  EXPECT_EQ(Push({"-"}, absl::StrCat(kSignalsHeader, "a,p,signal,c,,,\n")).out,
            "1 rows: 1 accepted, 0 known, 0 rejected\n");
  EXPECT_EQ(Push({"--format", "jsonl", "-"}, "{\"client_ref\":\"b\"}\n{\"client_ref\":\"c\"}").out,
            "2 rows: 2 accepted, 0 known, 0 rejected\n");
}

TEST_F(SignalCommandsTest, FormatGoesBeforeTheName) {
  world_.Write("p.txt", "{\"client_ref\":\"b\"}\n");
  world_.Write("p.jsonl", absl::StrCat(kSignalsHeader, "a,p,signal,c,,,\n"));
  EXPECT_EQ(Push({"--format", "jsonl", world_.path("p.txt")}).exit_code, ExitCode::kOk);
  EXPECT_EQ(Push({"--format", "csv", world_.path("p.jsonl")}).exit_code, ExitCode::kOk);
}

TEST_F(SignalCommandsTest, APushThatBreaksOffSaysThatItCanBeRunAgain) {
  std::string text = kSignalsHeader;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "ref-", i, ",p,signal,c,,,\n");
  world_.Write("p.csv", text);
  int batches = 0;
  world_.intake.on_batch = [&batches]() -> absl::Status {
    if (++batches <= 2) return absl::OkStatus();
    return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "the node cannot be reached");
  };
  const Outcome outcome = Push({world_.path("p.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.err, HasSubstr("after 512 receipts"));
  EXPECT_THAT(outcome.err, HasSubstr("Run the same command again"));
  EXPECT_THAT(outcome.err, HasSubstr("raakvlak: UNAVAILABLE: the node cannot be reached"));
  world_.intake.on_batch = [] { return absl::OkStatus(); };
  EXPECT_EQ(Push({world_.path("p.csv")}).out, "1000 rows: 488 accepted, 512 known, 0 rejected\n");
}

TEST_F(SignalCommandsTest, ARefusedCallIsDenied) {
  world_.Write("p.csv", absl::StrCat(kSignalsHeader, "a,p,signal,c,,,\n"));
  world_.intake.on_batch = [] {
    return base::Error(absl::StatusCode::kPermissionDenied, reason::kPartnerSuspended, "suspended");
  };
  const Outcome outcome = PushJson({world_.path("p.csv")});
  EXPECT_EQ(outcome.exit_code, ExitCode::kDenied);
  EXPECT_EQ(outcome.json()["accepted"], 0);
}

TEST_F(SignalCommandsTest, ProgressIsShownWhenAskedForAndGoesToStandardError) {
  std::string text = kSignalsHeader;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "ref-", i, ",p,signal,c,,,\n");
  world_.Write("p.csv", text);
  world_.intake.on_batch = [this] {
    world_.clock.Advance(absl::Seconds(2));
    return absl::OkStatus();
  };
  EXPECT_THAT(Push({world_.path("p.csv")}).err, IsEmpty());
  const Outcome outcome = Push({"--progress", world_.path("p.csv")});
  EXPECT_THAT(outcome.err, HasSubstr("p.csv: 1000 rows: "));
  EXPECT_THAT(outcome.out, StartsWith("1000 rows: "));
}

TEST_F(SignalCommandsTest, StatusShowsStateAndWhy) {
  world_.intake.on_get_state = [](const v1::GetStateRequest& request) {
    v1::GetStateResponse response;
    *response.mutable_status() = Status(request.client_ref(), v1::REFUSED);
    response.mutable_status()->set_reason("DATE_OUT_OF_RANGE");
    return response;
  };
  const Outcome table = world_.RunAs("politie", {"signal", "status", "P-1"});
  EXPECT_EQ(table.exit_code, ExitCode::kOk);
  EXPECT_THAT(table.out,
              HasSubstr("P-1         onaantastbaren  refused  DATE_OUT_OF_RANGE  2026-01-01T00:00:00.000Z"));
  const auto json = world_.RunAs("politie", {"--json", "signal", "status", "P-1"}).json();
  EXPECT_EQ(json["client_ref"], "P-1");
  EXPECT_EQ(json["state"], "refused");
  EXPECT_EQ(json["reason"], "DATE_OUT_OF_RANGE");
  EXPECT_EQ(json["signal_id"], std::string(32, '1'));
}

TEST_F(SignalCommandsTest, StatusOfAnUnknownSignalIsNotFound) {
  world_.intake.on_get_state = [](const v1::GetStateRequest&) -> absl::StatusOr<v1::GetStateResponse> {
    return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such signal");
  };
  EXPECT_EQ(world_.RunAs("politie", {"signal", "status", "P-1"}).exit_code, ExitCode::kNotFound);
}

TEST_F(SignalCommandsTest, WithdrawSendsTheReason) {
  v1::WithdrawRequest seen;
  world_.intake.on_withdraw = [&seen](const v1::WithdrawRequest& request) {
    seen = request;
    v1::WithdrawResponse response;
    *response.mutable_status() = Status(request.client_ref(), v1::WITHDRAWN);
    return response;
  };
  const Outcome outcome = world_.RunAs("politie", {"signal", "withdraw", "P-1", "--reason", "unjust"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_EQ(seen.client_ref(), "P-1");
  EXPECT_EQ(seen.reason(), "unjust");
  EXPECT_THAT(outcome.out, HasSubstr("withdrawn"));
}

TEST_F(SignalCommandsTest, ListPagesThroughAll) {
  std::vector<std::string> tokens;
  world_.intake.on_list = [&tokens](const v1::ListSignalsRequest& request) {
    tokens.push_back(request.page_token());
    EXPECT_EQ(request.state(), v1::QUEUED);
    v1::ListSignalsResponse response;
    *response.add_signals() = Status(absl::StrCat("P-", tokens.size()), v1::QUEUED);
    if (tokens.size() < 3) response.set_next_page_token(absl::StrCat("t", tokens.size()));
    return response;
  };
  const Outcome table = world_.RunAs("politie", {"signal", "list", "--state", "queued"});
  EXPECT_THAT(tokens, ElementsAre("", "t1", "t2"));
  for (const char* reference : {"P-1", "P-2", "P-3"}) EXPECT_THAT(table.out, HasSubstr(reference));
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 4);
  tokens.clear();
  const auto json = world_.RunAs("politie", {"--json", "signal", "list", "--state", "queued"}).json();
  ASSERT_EQ(json["signals"].size(), 3u);
  EXPECT_EQ(json["signals"][2]["client_ref"], "P-3");
}

TEST_F(SignalCommandsTest, ListEndsAtItsLimit) {
  uint32_t next = 0;
  std::vector<uint32_t> sizes;
  world_.intake.on_list = [&](const v1::ListSignalsRequest& request) {
    sizes.push_back(request.page_size());
    v1::ListSignalsResponse response;
    for (uint32_t i = 0; i < request.page_size(); ++i) {
      *response.add_signals() = Status(absl::StrCat("P-", ++next), v1::QUEUED);
    }
    response.set_next_page_token(absl::StrCat(next));
    return response;
  };
  const auto list = [&](const std::string& limit) {
    sizes.clear();
    return world_.RunAs("politie", {"--json", "signal", "list", "--limit", limit}).json()["signals"].size();
  };
  EXPECT_EQ(list("1"), 1u);
  EXPECT_THAT(sizes, ElementsAre(1));
  EXPECT_EQ(list("1000"), 1000u);
  EXPECT_THAT(sizes, ElementsAre(1000));
  EXPECT_EQ(list("2001"), 2001u);
  EXPECT_THAT(sizes, ElementsAre(1000, 1000, 1));
  EXPECT_EQ(world_.RunAs("politie", {"signal", "list", "--limit", "0"}).exit_code, ExitCode::kUsage);
}

TEST_F(SignalCommandsTest, AListThatBreaksOffSaysSoInItsJsonAndFails) {
  int pages = 0;
  world_.intake.on_list = [&](const v1::ListSignalsRequest&) -> absl::StatusOr<v1::ListSignalsResponse> {
    if (pages++ == 2) {
      return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "gone \"away\"");
    }
    v1::ListSignalsResponse response;
    *response.add_signals() = Status(absl::StrCat("P-", pages), v1::QUEUED);
    response.set_next_page_token("more");
    return response;
  };
  const Outcome outcome = world_.RunAs("politie", {"--json", "signal", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  const nlohmann::json json = outcome.json();
  EXPECT_EQ(json["signals"].size(), 2u);
  EXPECT_EQ(json["error"]["reason"], reason::kUnavailable);
  EXPECT_EQ(json["error"]["message"], "gone \"away\"");
  EXPECT_EQ(nlohmann::json::parse(outcome.err)["error"], json["error"]);
}

TEST_F(SignalCommandsTest, AListThatBreaksOffAfterAnEmptyPageIsJsonToo) {
  int pages = 0;
  world_.intake.on_list = [&](const v1::ListSignalsRequest&) -> absl::StatusOr<v1::ListSignalsResponse> {
    if (pages++ == 1) return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "gone");
    v1::ListSignalsResponse response;
    response.set_next_page_token("more");
    return response;
  };
  const nlohmann::json json = world_.RunAs("politie", {"--json", "signal", "list"}).json();
  EXPECT_TRUE(json["signals"].empty());
  EXPECT_EQ(json["error"]["reason"], reason::kUnavailable);
}

TEST_F(SignalCommandsTest, AListThatNeverBeganLeavesStandardOutputEmpty) {
  world_.intake.on_list = [](const v1::ListSignalsRequest&) -> absl::StatusOr<v1::ListSignalsResponse> {
    return base::Error(absl::StatusCode::kPermissionDenied, reason::kNotAllowed, "no");
  };
  const Outcome outcome = world_.RunAs("politie", {"--json", "signal", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kDenied);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(outcome.err)["error"]["reason"], reason::kNotAllowed);
}

TEST_F(SignalCommandsTest, AnEmptyListIsJsonToo) {
  world_.intake.on_list = [](const v1::ListSignalsRequest&) { return v1::ListSignalsResponse(); };
  EXPECT_TRUE(world_.RunAs("politie", {"--json", "signal", "list"}).json()["signals"].empty());
}

class ReceiptCommandsTest : public ::testing::Test {
 protected:
  ReceiptCommandsTest() {
    world_.intake.on_get_receipt =
        [this](const v1::GetReceiptRequest& request) -> absl::StatusOr<v1::GetReceiptResponse> {
      if (request.client_ref() != "P-1") {
        return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no signal has this client_ref");
      }
      v1::GetReceiptResponse response;
      response.set_receipt(receipt_);
      return response;
    };
  }
  std::string MakeReceipt(const std::string& partner) {
    const std::string actor = policy::Urn("demo", "node", partner);
    const auto batch =
        raakvlak::testing::LogSubmit("urn:raakvlak:demo:broker:b/2026", actor, "onaantastbaren",
                                     {base::Sha256("envelope"), base::Sha256("other")});
    std::map<std::string, const crypto::note::PrivateKey*> witnesses;
    for (const auto& [urn, key] : world_.witness_keys()) witnesses[urn] = &key;
    return *policy::MakeReceipt(
        batch.Signal(0), raakvlak::testing::ProveLogged(batch.entry, world_.broker_log_key(), witnesses),
        world_.covenant());
  }
  Outcome Get(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--json", "signal", "receipt", "P-1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world_.RunAs("politie", arguments);
  }
  Outcome Verify(const std::string& file) {
    return world_.Run({"signal", "verify-receipt", file, "--covenant", world_.covenant_path()});
  }

  World world_;
  std::string receipt_ = MakeReceipt("politie");
};

TEST_F(ReceiptCommandsTest, AReceiptIsShownKeptAndVerifiedWithoutANetwork) {
  const std::string file = world_.path("P-1.receipt");
  const Outcome got = Get({"--out", file});
  ASSERT_EQ(got.exit_code, ExitCode::kOk) << got.err;
  EXPECT_EQ(got.json()["client_ref"], "P-1");
  EXPECT_EQ(got.json()["partner"], "politie");
  EXPECT_EQ(got.json()["purpose"], "onaantastbaren");
  EXPECT_EQ(got.json()["envelope_hash"], base::Hex(base::Sha256("envelope")));
  EXPECT_EQ(got.json()["entry"], "2026/654321");
  EXPECT_EQ(got.json()["witnesses"].size(), 2u);
  EXPECT_EQ(got.json()["receipt"], base::Base64(receipt_));
  EXPECT_EQ(*base::ReadFile(file), receipt_);

  world_.away = base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away");
  world_.clock.Advance(absl::Hours(24 * 365 * 20));  // the covenant has expired
  const Outcome verified = Verify(file);
  EXPECT_EQ(verified.exit_code, ExitCode::kOk) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("proven: politie submitted this envelope for onaantastbaren"));
  EXPECT_THAT(verified.out, HasSubstr("entry 2026/654321 of urn:raakvlak:demo:broker:b/2026"));
}

TEST_F(ReceiptCommandsTest, AWrongReceiptIsFiveNamesWhatIsWrongAndIsNotKept) {
  const std::string good = receipt_;
  const std::string file = world_.path("P-1.receipt");
  const auto check = [&](const std::string& receipt, const char* says) {
    receipt_ = receipt;
    const Outcome got = Get({"--out", file});
    EXPECT_EQ(got.exit_code, ExitCode::kVerificationFailed) << says;
    EXPECT_THAT(got.err, HasSubstr(says));
    EXPECT_FALSE(std::filesystem::exists(file)) << says;
  };
  check("nothing", "does not parse");
  check(good.substr(0, good.size() - 1), "the receipt");
  std::string flipped = good;
  flipped[good.find(base::Sha256("envelope"))] ^= 1;
  check(flipped, "from the envelope to its entry");
  check(MakeReceipt("gemeente"), "of another partner");

  world_.Write("P-1.receipt", flipped);
  const Outcome verified = Verify(file);
  EXPECT_EQ(verified.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(verified.err, HasSubstr("from the envelope to its entry"));
  EXPECT_THAT(verified.out, IsEmpty());
  EXPECT_EQ(Verify(world_.path("none")).exit_code, ExitCode::kError);
}

TEST_F(ReceiptCommandsTest, WhatTheNodeRefusesIsSaid) {
  const Outcome missing = world_.RunAs("politie", {"signal", "receipt", "P-2"});
  EXPECT_EQ(missing.exit_code, ExitCode::kNotFound);
  EXPECT_THAT(missing.err, StartsWith("raakvlak: NOT_FOUND"));
}

}  // namespace
}  // namespace raakvlak::cli

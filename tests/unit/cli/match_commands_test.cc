#include "cli/match_commands.h"

#include <filesystem>

#include "base/testing/status_matchers.h"
#include "cli/evidence_text.h"
#include "crypto/note/signed_message.h"
#include "gmock/gmock.h"
#include "linkage/derived.h"
#include "tests/unit/cli/made_log.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::UnorderedElementsAre;
using testing::World;
namespace reason = base::reason;

v1::MatchSummary Match(const std::string& id_hex, const std::string& purpose) {
  v1::MatchSummary match;
  match.set_match_id(*base::ParseHex(id_hex));
  match.set_purpose(purpose);
  match.set_subject(v1::PERSON_SUBJECT);
  match.set_quality(v1::EXACT);
  match.add_rules("bsn");
  match.add_partners("gemeente");
  match.add_partners("politie");
  match.set_signals(3);
  match.set_first_day(20'454);
  match.set_last_day(20'455);
  match.set_state(v1::OPEN);
  match.set_contents_digest(std::string(32, '\x5a'));
  return match;
}

const std::string kFirst = "3f9a6c21000000000000000000000001";
const std::string kSecond = "3f9a6c22000000000000000000000002";

class MatchCommandsTest : public ::testing::Test {
 protected:
  MatchCommandsTest() {
    matches_["onaantastbaren"] = {Match(kFirst, "onaantastbaren"), Match(kSecond, "onaantastbaren")};
    world_.cases.on_list = [this](const v1::ListMatchesRequest& request) {
      const v1::OrderBody order = Checked(request.order(), v1::LIST_MATCHES);
      include_closed_ = request.include_closed();
      v1::ListMatchesResponse response;
      for (const v1::MatchSummary& match : matches_[order.purpose()]) *response.add_matches() = match;
      return response;
    };
    world_.cases.on_open = [this](const v1::OpenCaseRequest& request) {
      opened_ = Checked(request.order(), v1::OPEN_MATCH);
      return response_;
    };
    v1::OpenedSignal& signal = *response_.add_signals();
    *response_.mutable_match() = Match(kFirst, "onaantastbaren");
    signal.set_partner("politie");
    signal.set_client_ref("P-17");
    signal.set_kind(v1::CASE_REPORT);
    signal.set_category("geweld");
    signal.set_contact("wijkagent\x1b[2J Jansen");
    signal.set_note("line one\nline two");
    signal.set_submitted_day(20'454);
    signal.add_rules("bsn");
  }

  // What the hub checks of an order.
  v1::OrderBody Checked(const v1::Order& order, v1::OrderAction action) {
    EXPECT_THAT(crypto::note::VerifyMessage(world_.staff_public_key(), crypto::note::kOrderKind, order.body(),
                                            order.signature()),
                IsOk());
    v1::OrderBody body;
    EXPECT_TRUE(body.ParseFromString(order.body()));
    EXPECT_EQ(body.version(), 1u);
    EXPECT_EQ(body.order_id().size(), 16u);
    EXPECT_TRUE(order_ids_.insert(body.order_id()).second) << "an order id is used once";
    EXPECT_EQ(body.covenant_id(), world_.covenant().id());
    EXPECT_EQ(body.staff(), World::kStaffUrn);
    EXPECT_EQ(body.action(), action);
    EXPECT_EQ(body.legal_basis(), absl::StrCat("article of ", body.purpose()));
    EXPECT_EQ(body.time_ms(), absl::ToUnixMillis(world_.clock.Now()));
    return body;
  }

  Outcome Open(const std::string& id) {
    return world_.RunAs("staff", {"match", "open", id, "--case", "ZVH-1", "--reason", "overleg"});
  }

  World world_;
  std::map<std::string, std::vector<v1::MatchSummary>> matches_;
  std::set<std::string> order_ids_;
  bool include_closed_ = false;
  v1::OrderBody opened_;
  v1::OpenCaseResponse response_;
};

TEST_F(MatchCommandsTest, ListAsksForEveryPurposeOfTheRoster) {
  matches_["risicojeugd"] = {Match("aa000000000000000000000000000003", "risicojeugd")};
  const Outcome outcome = world_.RunAs("staff", {"match", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_EQ(order_ids_.size(), 2u);
  EXPECT_FALSE(include_closed_);
  EXPECT_THAT(outcome.out,
              HasSubstr("3f9a6c210000  onaantastbaren  person   EXACT    bsn    gemeente,politie  3        "
                        "2026-01-01  2026-01-02  open\n"));
  EXPECT_THAT(outcome.out, HasSubstr("aa0000000000  risicojeugd"));
}

TEST_F(MatchCommandsTest, ListOfOnePurposeWithClosedOnesAsJson) {
  matches_["risicojeugd"] = {Match("aa000000000000000000000000000003", "risicojeugd")};
  matches_["risicojeugd"][0].set_state(v1::CLOSED);
  matches_["risicojeugd"][0].set_conflict(true);
  const auto json =
      world_.RunAs("staff", {"--json", "match", "list", "--purpose", "risicojeugd", "--all"}).json();
  EXPECT_TRUE(include_closed_);
  ASSERT_EQ(json["matches"].size(), 1u);
  const auto& match = json["matches"][0];
  EXPECT_EQ(match["id"], "aa000000000000000000000000000003");
  EXPECT_EQ(match["purpose"], "risicojeugd");
  EXPECT_EQ(match["subject"], "person");
  EXPECT_EQ(match["quality"], "EXACT");
  EXPECT_EQ(match["rules"], nlohmann::json({"bsn"}));
  EXPECT_EQ(match["partners"], nlohmann::json({"gemeente", "politie"}));
  EXPECT_EQ(match["signals"], 3);
  EXPECT_EQ(match["first_day"], "2026-01-01");
  EXPECT_EQ(match["last_day"], "2026-01-02");
  EXPECT_EQ(match["state"], "closed");
  EXPECT_EQ(match["conflict"], true);
}

v1::RuleEvidence Evidence(const std::string& rule, v1::Quality quality, const std::vector<std::string>& agree,
                          const std::vector<std::string>& differ, const std::vector<std::string>& absent) {
  v1::RuleEvidence evidence;
  evidence.set_rule(rule);
  evidence.set_quality(quality);
  evidence.mutable_agree()->Assign(agree.begin(), agree.end());
  evidence.mutable_differ()->Assign(differ.begin(), differ.end());
  evidence.mutable_absent()->Assign(absent.begin(), absent.end());
  return evidence;
}

TEST_F(MatchCommandsTest, ListAndOpenSayWhyInWords) {
  v1::MatchSummary& match = matches_["onaantastbaren"][0];
  *match.add_evidence() = Evidence("bsn", v1::EXACT, {"gemeente", "politie"}, {}, {"jeugdzorg"});
  *response_.mutable_match() = match;
  const std::string why = "  Zeker: BSN komt overeen bij gemeente en politie; jeugdzorg had dit niet.\n";
  EXPECT_THAT(world_.RunAs("staff", {"match", "list"}).out, HasSubstr("\n3f9a6c210000\n" + why));
  EXPECT_THAT(Open("3F9A6C21").out, HasSubstr("why\n" + why));
}

TEST_F(MatchCommandsTest, JsonHasTheEvidenceByRule) {
  v1::MatchSummary& match = matches_["onaantastbaren"][0];
  *match.add_evidence() = Evidence("bsn", v1::EXACT, {"gemeente", "politie"}, {"jeugdzorg"}, {"school"});
  *response_.mutable_match() = match;
  const nlohmann::json want = {{{"rule", "bsn"},
                                {"quality", "EXACT"},
                                {"agree", {"gemeente", "politie"}},
                                {"differ", {"jeugdzorg"}},
                                {"absent", {"school"}},
                                {"text",
                                 "Zeker: BSN komt overeen bij gemeente en politie; jeugdzorg had dit gegeven "
                                 "maar wijkt af; school had dit niet."}}};
  EXPECT_EQ(world_.RunAs("staff", {"--json", "match", "list"}).json()["matches"][0]["evidence"], want);
  const auto opened =
      world_.RunAs("staff", {"--json", "match", "open", kFirst, "--case", "ZVH-1", "--reason", "overleg"})
          .json();
  EXPECT_EQ(opened["match"]["evidence"], want);
}

TEST(EvidenceTextTest, SentencesNameFieldsPartnersAndStrength) {
  v1::Purpose purpose;
  const auto add = [&purpose](const char* id, uint32_t version, const std::vector<std::string>& fields) {
    v1::LinkageRule& rule = *purpose.add_rules();
    rule.set_id(id);
    rule.set_identifier_class(v1::PERSON);
    rule.set_version(version);
    rule.set_subject(v1::PERSON_SUBJECT);
    rule.mutable_fields()->Assign(fields.begin(), fields.end());
  };
  add("surname-initial-birthdate", 1, {});
  add("names-address", 2, {"names_code", "not_known_young", "postcode_unordered", "house_number_unordered"});
  add("birth", 2, {"birth_date", "settled_birth_date"});
  EXPECT_EQ(
      EvidenceSentence(Evidence("surname-initial-birthdate", v1::STRONG, {"gemeente", "politie"},
                                {"jeugdzorg"}, {"woningcorporatie"}),
                       purpose),
      "Sterk: achternaam, voorletter en geboortedatum komen overeen bij gemeente en politie; jeugdzorg had "
      "deze gegevens maar wijkt af; woningcorporatie had ze niet.");
  EXPECT_EQ(EvidenceSentence(
                Evidence("names-address", v1::SUPPORTING, {"a", "b", "c"}, {"d", "e"}, {"f", "g"}), purpose),
            "Ondersteunend: klank van voor- en achternaam, postcode en huisnummer komen overeen bij a, b en "
            "c; d en "
            "e hadden deze gegevens maar wijken af; f en g hadden ze niet.");
  EXPECT_EQ(EvidenceSentence(Evidence("birth", v1::STRONG, {}, {"a", "b"}, {}), purpose),
            "Tegenspraak: geboortedatum verschilt tussen a en b.");
  EXPECT_EQ(EvidenceSentence(Evidence("unheard-of", v1::STRONG, {"a", "b"}, {}, {}), purpose),
            "Sterk: unheard-of komt overeen bij a en b.");
}

TEST(EvidenceTextTest, EveryFieldThatIsComparedHasAWord) {
  for (const linkage::DerivedField& field : linkage::DerivedFields()) {
    EXPECT_EQ(FieldWord(field.name).empty(), field.name == "not_known_young") << std::string(field.name);
  }
  EXPECT_EQ(FieldWord("given_name_code"), "klank van de voornaam");
  EXPECT_EQ(FieldWord("surname_own_start"), "begin van de achternaam");
  EXPECT_EQ(FieldWord("postcode_area"), "begin van de postcode");
}

TEST_F(MatchCommandsTest, EveryPageHasAnOrderOfItsOwn) {
  int pages = 0;
  world_.cases.on_list = [&](const v1::ListMatchesRequest& request) {
    Checked(request.order(), v1::LIST_MATCHES);
    EXPECT_EQ(request.page_token(), pages == 0 ? "" : absl::StrCat("t", pages));
    v1::ListMatchesResponse response;
    *response.add_matches() = Match(absl::StrCat("0", pages, std::string(30, '0')), "risicojeugd");
    if (++pages < 3) response.set_next_page_token(absl::StrCat("t", pages));
    return response;
  };
  const auto json = world_.RunAs("staff", {"--json", "match", "list", "--purpose", "risicojeugd"}).json();
  EXPECT_EQ(json["matches"].size(), 3u);
  EXPECT_EQ(order_ids_.size(), 3u);
}

TEST_F(MatchCommandsTest, AnUnknownPurposeAsksNobody) {
  const Outcome outcome = world_.RunAs("staff", {"match", "list", "--purpose", "other"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.err, HasSubstr("PURPOSE_UNKNOWN"));
  EXPECT_THAT(order_ids_, IsEmpty());
}

TEST_F(MatchCommandsTest, AnIdentityWithoutASigningKeySignsNoOrders) {
  const Outcome outcome = world_.RunAs("officer", {"match", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kDenied);
  EXPECT_THAT(outcome.err, HasSubstr("NOT_ALLOWED"));
}

TEST_F(MatchCommandsTest, ASigningKeyThatOthersMayReadIsRefused) {
  ASSERT_EQ(chmod(world_.path("staff.key").c_str(), 0640), 0);
  const Outcome outcome = world_.RunAs("staff", {"match", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.err, HasSubstr("FILE_UNSAFE"));
}

TEST_F(MatchCommandsTest, AStrangerToTheRosterIsDenied) {
  world_.Write("region.json",
               R"({"identities": {"staff": {"cert": "c", "key": "k", "ca": "a", "signing_key": "staff.key",
                                "urn": "urn:raakvlak:demo:staff:bert"}}})");
  EXPECT_EQ(world_.RunAs("staff", {"match", "list"}).exit_code, ExitCode::kDenied);
}

TEST_F(MatchCommandsTest, WhatTheHubRefusesDecidesTheExitCode) {
  const std::vector<std::pair<const char*, ExitCode>> refusals = {
      {reason::kSignatureInvalid, ExitCode::kDenied},
      {reason::kNotAllowed, ExitCode::kDenied},
      {reason::kUnauthenticated, ExitCode::kDenied},
      {reason::kUnavailable, ExitCode::kError}};
  for (const auto& [why, exit_code] : refusals) {
    const char* refusal = why;
    world_.cases.on_list =
        [refusal](const v1::ListMatchesRequest&) -> absl::StatusOr<v1::ListMatchesResponse> {
      return base::Error(absl::StatusCode::kPermissionDenied, refusal, "no");
    };
    EXPECT_EQ(world_.RunAs("staff", {"match", "list"}).exit_code, exit_code) << why;
  }
}

TEST_F(MatchCommandsTest, OpenSignsWhatItSawAndShowsTheContent) {
  const Outcome outcome = Open("3F9A6C21");
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_EQ(base::Hex(opened_.match_id()), kFirst);
  EXPECT_EQ(opened_.contents_digest(), std::string(32, '\x5a'));
  EXPECT_EQ(opened_.case_reference(), "ZVH-1");
  EXPECT_EQ(opened_.reason(), "overleg");
  EXPECT_EQ(opened_.purpose(), "onaantastbaren");
  for (const char* text : {"P-17", "politie", "case_report", "geweld", "2026-01-01", "wijkagent [2J Jansen",
                           "line one line two"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

TEST_F(MatchCommandsTest, OpenAsJsonHasMatchSignalsAndFaults) {
  v1::Fault& fault = *response_.add_faults();
  fault.set_partner("gemeente");
  fault.set_reason(reason::kVerificationFailed);
  const Outcome outcome =
      world_.RunAs("staff", {"--json", "match", "open", kFirst, "--case", "ZVH-1", "--reason", "overleg"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  const auto json = outcome.json();
  EXPECT_EQ(json["match"]["id"], kFirst);
  ASSERT_EQ(json["signals"].size(), 1u);
  EXPECT_EQ(json["signals"][0]["partner"], "politie");
  EXPECT_EQ(json["signals"][0]["client_ref"], "P-17");
  EXPECT_EQ(json["signals"][0]["kind"], "case_report");
  EXPECT_EQ(json["signals"][0]["category"], "geweld");
  EXPECT_EQ(json["signals"][0]["note"], "line one\nline two");
  EXPECT_EQ(json["signals"][0]["day"], "2026-01-01");
  EXPECT_EQ(json["signals"][0]["rules"], nlohmann::json({"bsn"}));
  EXPECT_EQ(json["faults"][0]["partner"], "gemeente");
  EXPECT_EQ(json["faults"][0]["reason"], "VERIFICATION_FAILED");
}

TEST_F(MatchCommandsTest, OpenTellsWhereItIsLoggedAndWritesTheProof) {
  testing::MadeLog log;
  log.AddMany(20);
  log.Publish(world_, 2);
  *response_.mutable_logged() = log.entries()[12];
  response_.set_proof(log.ProofOf(12));
  EXPECT_THAT(Open(kFirst).out, HasSubstr("logged    urn:raakvlak:demo:broker:b/2026, entry 12\n"));
  const std::string file = world_.path("opening.tlog-proof");
  const auto open = [&] {
    return world_.RunAs("staff", {"--json", "match", "open", kFirst, "--case", "ZVH-1", "--reason", "overleg",
                                  "--proof", file});
  };
  const auto json = open().json();
  EXPECT_EQ(*base::ReadFile(file), log.ProofOf(12));
  EXPECT_EQ(json["logged"]["log"], "urn:raakvlak:demo:broker:b/2026");
  EXPECT_EQ(json["logged"]["index"], 12);
  EXPECT_EQ(json["logged"]["leaf"], base::Hex(log.entries()[12].leaf()));
  EXPECT_EQ(json["logged"]["salt"], base::Hex(log.entries()[12].salt()));
  EXPECT_EQ(json["logged"]["details"], base::Base64(log.entries()[12].details()));

  // What does not prove the entry is not written.
  std::filesystem::remove(file);
  response_.set_proof(log.ProofOf(13));
  EXPECT_EQ(open().exit_code, ExitCode::kVerificationFailed);
  *response_.mutable_logged() = log.entries()[13];
  response_.mutable_logged()->set_details("other");
  EXPECT_EQ(open().exit_code, ExitCode::kVerificationFailed);
  *response_.mutable_logged() = log.entries()[13];
  response_.mutable_logged()->set_index(12);
  EXPECT_EQ(open().exit_code, ExitCode::kVerificationFailed);
  log.Publish(world_, 1);
  *response_.mutable_logged() = log.entries()[13];
  response_.set_proof(log.ProofOf(13));
  EXPECT_EQ(open().exit_code, ExitCode::kVerificationFailed);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(MatchCommandsTest, NothingThatCouldBeOpenedIsAFailedVerification) {
  response_.clear_signals();
  v1::Fault& fault = *response_.add_faults();
  fault.set_partner("gemeente");
  fault.set_reason(reason::kSignatureInvalid);
  const Outcome outcome = Open(kFirst);
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(outcome.out, HasSubstr("not opened: a signal of gemeente: SIGNATURE_INVALID"));
}

TEST_F(MatchCommandsTest, ABeginningThatFitsTwoMatchesOpensNone) {
  const Outcome outcome = Open("3f9a6c2");
  EXPECT_EQ(outcome.exit_code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("fits 2 matches"));
  EXPECT_THAT(opened_.match_id(), IsEmpty());
}

TEST_F(MatchCommandsTest, AnIdThatIsNoneAsksNobody) {
  for (const char* id : {"3f9", "xyzw", "3f9a 6c21", "3f9a6c210000000000000000000000011"}) {
    EXPECT_EQ(Open(id).exit_code, ExitCode::kUsage) << id;
  }
  EXPECT_THAT(order_ids_, IsEmpty());
}

TEST_F(MatchCommandsTest, AnUnknownIdIsNotFound) { EXPECT_EQ(Open("dddd").exit_code, ExitCode::kNotFound); }

TEST_F(MatchCommandsTest, TheOldIdOfAMergedMatchOpensTheNewOne) {
  matches_["onaantastbaren"][1].add_merged_ids(*base::ParseHex("bbbb0000000000000000000000000009"));
  EXPECT_EQ(Open("bbbb").exit_code, ExitCode::kOk);
  EXPECT_EQ(base::Hex(opened_.match_id()), kSecond);
}

TEST_F(MatchCommandsTest, CaseAndReasonHaveTheirLengths) {
  for (const auto& [reference, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "r"}, {"c", ""}, {std::string(65, 'c'), "r"}, {"c", std::string(501, 'r')}}) {
    EXPECT_EQ(
        world_.RunAs("staff", {"match", "open", kFirst, "--case", reference, "--reason", why}).exit_code,
        ExitCode::kUsage);
  }
  EXPECT_THAT(order_ids_, IsEmpty());
}

TEST_F(MatchCommandsTest, WhatTheOpenerRefusesDecidesTheExitCode) {
  const std::vector<std::pair<const char*, ExitCode>> refusals = {
      {reason::kVerificationFailed, ExitCode::kVerificationFailed},
      {reason::kThresholdNotMet, ExitCode::kVerificationFailed},
      {reason::kMatchChanged, ExitCode::kError},
      {reason::kLogUnwitnessed, ExitCode::kError},
      {reason::kMatchClosed, ExitCode::kError},
      {reason::kNotAllowed, ExitCode::kDenied},
      {reason::kNotFound, ExitCode::kNotFound}};
  for (const auto& [why, exit_code] : refusals) {
    const char* refusal = why;
    world_.cases.on_open = [refusal](const v1::OpenCaseRequest&) -> absl::StatusOr<v1::OpenCaseResponse> {
      return base::Error(absl::StatusCode::kFailedPrecondition, refusal, "no");
    };
    EXPECT_EQ(Open(kFirst).exit_code, exit_code) << why;
  }
}

}  // namespace
}  // namespace raakvlak::cli

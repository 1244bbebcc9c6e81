// `raakvlak key` against a made node: what an operator types and sees.
#include "cli/key_commands.h"

#include "gmock/gmock.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::World;
namespace reason = base::reason;

class KeyCommandsTest : public ::testing::Test {
 protected:
  Outcome Key(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "key");
    return world_.RunAs("operator-politie", arguments);
  }
  Outcome KeyJson(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--json", "key"});
    return world_.RunAs("operator-politie", arguments);
  }

  v1::KeyStatus& AddKey(const std::string& purpose, v1::IdentifierClass identifier_class, uint32_t epoch,
                        const std::string& state) {
    v1::KeyStatus& key = *world_.node_keys.status.add_keys();
    key.set_purpose(purpose);
    key.set_identifier_class(identifier_class);
    key.set_epoch(epoch);
    key.set_state(state);
    if (state == "missing") return key;
    key.set_keyset_id(std::string(32, '\xab'));
    key.set_generation(2);
    key.set_quorum(2);
    key.set_own_share(true);
    key.set_made_ms(absl::ToUnixMillis(world_.clock.Now() - absl::Hours(50)));
    key.set_refreshed_ms(absl::ToUnixMillis(world_.clock.Now() - absl::Minutes(90)));
    key.set_evaluations_left(998);
    uint32_t index = 0;
    for (const char* partner : {"politie", "gemeente", "jeugdzorg"}) {
      v1::KeyHolderStatus& holder = *key.add_holders();
      holder.set_index(++index);
      holder.set_partner(partner);
      holder.set_online(index != 2);
      holder.set_evaluations_left(100 * index);
    }
    return key;
  }
  v1::CeremonyState& AddCeremony(char id, const std::string& state) {
    v1::CeremonyState& ceremony = world_.node_keys.ceremonies.emplace_back();
    ceremony.set_ceremony_id(std::string(32, id));
    ceremony.set_kind("generate");
    ceremony.set_purpose("risicojeugd");
    ceremony.set_identifier_class(v1::BSN);
    ceremony.set_epoch(3);
    ceremony.set_attempt(1);
    ceremony.set_quorum(2);
    for (const char* member : {"politie", "gemeente", "jeugdzorg"}) ceremony.add_members(member);
    ceremony.set_proposed_by("gemeente");
    ceremony.set_state(state);
    return ceremony;
  }
  std::vector<std::string> Started() const {
    std::vector<std::string> all;
    for (const auto& request : world_.node_keys.started) {
      all.push_back(absl::StrCat(request.kind(), " ", request.purpose(), " ", request.identifier_class(),
                                 request.next_covenant() ? " next" : ""));
    }
    return all;
  }

  World world_;
};

TEST_F(KeyCommandsTest, StatusShowsEachKeyWithWhoIsAwayAndHowOldItIs) {
  world_.node_keys.status.set_partner("politie");
  world_.node_keys.status.set_policy("c4/r12");
  AddKey("risicojeugd", v1::BSN, 3, "in_use").set_epoch_due("2027-11-05T10:00:00Z");
  AddKey("risicojeugd", v1::PERSON, 3, "missing");
  const Outcome outcome = Key({"status"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("politie, policy c4/r12, no covenant waits for its date\n"));
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex(
                               "risicojeugd +BSN +3 +2027-11-05 +in_use +2 of 3 +2 +2 +2 d +1 h +998 +away: "
                               "gemeente\n"));
  EXPECT_THAT(outcome.out,
              ::testing::ContainsRegex("risicojeugd +PERSON +3 +- +missing +- +- +- +- +- +-\n"));
}

TEST_F(KeyCommandsTest, StatusSaysWhatAnOperatorMustDo) {
  world_.node_keys.status.set_next_covenant(5);
  world_.node_keys.status.set_next_valid_from("2027-02-01T00:00:00Z");
  v1::KeyStatus& key = AddKey("risicojeugd", v1::BSN, 3, "in_use");
  key.set_own_share(false);
  key.set_reshare_wanted(true);
  key.set_epoch_due("2027-01-10T00:00:00Z");
  key.set_epoch_over(true);
  key.mutable_holders(0)->set_online(false);
  AddKey("risicojeugd", v1::BSN, 4, "missing").set_next_covenant(true);
  v1::RotationStatus& rotation = *world_.node_keys.status.add_rotations();
  rotation.set_purpose("onaantastbaren");
  rotation.set_epoch(2);
  rotation.set_rotated(17);
  rotation.set_live(40);
  rotation.set_until("2027-03-01T00:00:00Z");
  const Outcome outcome = Key({"status"});
  EXPECT_THAT(outcome.out, HasSubstr("covenant 5 from 2027-02-01T00:00:00Z"));
  EXPECT_THAT(
      outcome.out,
      HasSubstr(
          "away: politie, gemeente; below its quorum; no share here; to be reshared; its epoch is over"));
  EXPECT_THAT(outcome.out, HasSubstr("wanted by the next covenant"));
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("onaantastbaren +2 +17 +40 +2027-03-01T00:00:00Z"));
}

TEST_F(KeyCommandsTest, StatusOfAKeyThatWaitsForItsCovenantCallsNobodyAway) {
  world_.node_keys.status.set_partner("politie");
  v1::KeyStatus& made = AddKey("risicojeugd", v1::BSN, 4, "next");
  for (v1::KeyHolderStatus& holder : *made.mutable_holders()) holder.set_online(false);
  EXPECT_THAT(Key({"status"}).out,
              ::testing::ContainsRegex("risicojeugd +BSN +4 +- +next +2 of 3 +- +2 +2 d +1 h +-\n"));
  made.set_own_share(false);
  EXPECT_THAT(Key({"status"}).out, ::testing::ContainsRegex(" - +no share here\n"));
  world_.node_keys.status.set_partner("woningcorporatie");
  EXPECT_THAT(Key({"status"}).out, Not(HasSubstr("no share here"))) << "who holds none is not told so";
}

TEST_F(KeyCommandsTest, StatusAsJsonHasEachHolder) {
  world_.node_keys.status.set_partner("politie");
  AddKey("risicojeugd", v1::ADDRESS, 3, "in_use");
  v1::KeyStatus& over = AddKey("risicojeugd", v1::ADDRESS, 2, "in_use");
  over.set_epoch_due("2027-01-10T00:00:00Z");
  over.set_epoch_over(true);
  const nlohmann::json json = KeyJson({"status"}).json();
  EXPECT_EQ(json["keys"][1]["epoch_due"], "2027-01-10T00:00:00Z");
  EXPECT_EQ(json["keys"][1]["epoch_over"], true);
  EXPECT_EQ(json["next_covenant"], nullptr);
  const nlohmann::json& key = json["keys"][0];
  EXPECT_EQ(key["class"], "ADDRESS");
  EXPECT_EQ(key["keyset"], base::Hex(std::string(32, '\xab')));
  EXPECT_EQ(key["quorum"], 2);
  EXPECT_EQ(key["holders"][1]["partner"], "gemeente");
  EXPECT_EQ(key["holders"][1]["online"], false);
  EXPECT_EQ(key["holders"][2]["evaluations_left"], 300);
  EXPECT_EQ(key["made"], "2027-01-13T06:00:00.000Z");
  EXPECT_EQ(key["epoch_due"], nullptr);
  EXPECT_EQ(key["epoch_over"], false);
}

TEST_F(KeyCommandsTest, ARefusalOfTheNodeIsDenied) {
  world_.away = base::Error(absl::StatusCode::kPermissionDenied, reason::kNotAllowed, "no");
  EXPECT_EQ(Key({"status"}).exit_code, ExitCode::kDenied);
}

TEST_F(KeyCommandsTest, AllMissingStartsOneForEachKeyThatTheCovenantInForceLacks) {
  AddKey("onaantastbaren", v1::BSN, 1, "in_use");
  AddKey("risicojeugd", v1::BSN, 1, "missing");
  AddKey("risicojeugd", v1::PERSON, 1, "in_use").set_reshare_wanted(true);
  AddKey("onaantastbaren", v1::BSN, 2, "missing").set_next_covenant(true);
  const Outcome outcome = KeyJson({"ceremony", "start", "--all-missing"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(Started(), ElementsAre("generate risicojeugd 1", "reshare risicojeugd 2"));
  EXPECT_EQ(outcome.json()["ceremonies"].size(), 2u);
  EXPECT_EQ(outcome.json()["ceremonies"][1]["kind"], "reshare");
}

TEST_F(KeyCommandsTest, AllMissingForTheNextCovenantStartsOnlyWhatThatOneWants) {
  AddKey("risicojeugd", v1::BSN, 1, "missing");
  AddKey("onaantastbaren", v1::BSN, 2, "missing").set_next_covenant(true);
  EXPECT_EQ(Key({"ceremony", "start", "--all-missing", "--next"}).exit_code, ExitCode::kOk);
  EXPECT_THAT(Started(), ElementsAre("generate onaantastbaren 1 next"));
}

TEST_F(KeyCommandsTest, AKeyOfAnEpochThatEndsIsNotMadeAnew) {
  AddKey("risicojeugd", v1::BSN, 2, "in_use");
  AddKey("risicojeugd", v1::BSN, 1, "missing");
  AddKey("risicojeugd", v1::PERSON, 1, "previous").set_reshare_wanted(true);
  AddKey("risicojeugd", v1::PERSON, 2, "in_use");
  EXPECT_EQ(Key({"ceremony", "start", "--all-missing"}).exit_code, ExitCode::kOk);
  EXPECT_THAT(Started(), IsEmpty());
}

TEST_F(KeyCommandsTest, ACeremonyThatIsUnderWayIsNotStartedAgain) {
  AddKey("risicojeugd", v1::BSN, 3, "missing");
  AddKey("risicojeugd", v1::PERSON, 3, "missing");
  AddCeremony('\x11', "stopped");
  AddCeremony('\x22', "proposed");
  const Outcome outcome = KeyJson({"ceremony", "start", "--all-missing"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(Started(), ElementsAre("generate risicojeugd 2"));
  EXPECT_EQ(outcome.json()["ceremonies"][0]["id"], base::Hex(std::string(32, '\x22')));
  EXPECT_EQ(outcome.json()["ceremonies"].size(), 2u);
}

TEST_F(KeyCommandsTest, NothingMissingIsSaidAndNothingStarted) {
  AddKey("risicojeugd", v1::BSN, 1, "in_use");
  const Outcome outcome = Key({"ceremony", "start", "--all-missing"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_THAT(outcome.out, HasSubstr("nothing to start"));
  EXPECT_THAT(Started(), IsEmpty());
  EXPECT_EQ(KeyJson({"ceremony", "start", "--all-missing"}).json()["ceremonies"].size(), 0u);
}

TEST_F(KeyCommandsTest, StartPassesOnWhatIsAsked) {
  EXPECT_EQ(Key({"ceremony", "start", "--kind", "reshare", "--purpose", "risicojeugd", "--class", "PERSON",
                 "--contributors", "politie,gemeente"})
                .exit_code,
            ExitCode::kOk);
  ASSERT_THAT(Started(), ElementsAre("reshare risicojeugd 2"));
  EXPECT_THAT(world_.node_keys.started[0].contributors(), ElementsAre("politie", "gemeente"));
}

TEST_F(KeyCommandsTest, StartWithoutAKeyOrWithContributorsToANewKeyIsAUsageError) {
  EXPECT_EQ(Key({"ceremony", "start"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Key({"ceremony", "start", "--purpose", "risicojeugd"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Key({"ceremony", "start", "--purpose", "p", "--class", "NAME"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(
      Key({"ceremony", "start", "--purpose", "p", "--class", "BSN", "--contributors", "politie"}).exit_code,
      ExitCode::kUsage);
  EXPECT_THAT(Started(), IsEmpty());
}

TEST_F(KeyCommandsTest, AStartThatIsRefusedNamesTheKeyAndWhatWasStartedBefore) {
  AddKey("onaantastbaren", v1::BSN, 1, "missing");
  AddKey("risicojeugd", v1::BSN, 1, "missing");
  world_.node_keys.on_start =
      [this](const v1::StartCeremonyRequest& request) -> absl::StatusOr<v1::CeremonyState> {
    if (request.purpose() == "risicojeugd")
      return base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch, "no such key");
    return AddCeremony('\x11', "running");
  };
  const Outcome outcome = Key({"ceremony", "start", "--all-missing"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(outcome.out, HasSubstr("111111111111"));
  EXPECT_THAT(outcome.err, HasSubstr("COVENANT_MISMATCH: generate risicojeugd BSN: no such key"));
}

TEST_F(KeyCommandsTest, WaitingTellsEachStepAndEndsWhenAllIsDone) {
  int asked = 0;
  world_.node_keys.on_list = [&] {
    v1::CeremonyState& ceremony = world_.node_keys.ceremonies[0];
    ++asked;
    ceremony.clear_missing();
    if (asked == 1) ceremony.add_missing("jeugdzorg");
    if (asked == 3) {
      ceremony.set_step("");
      ceremony.set_state("done");
      ceremony.set_code("12345 23456 34567 45678 56789 67890");
    }
  };
  const Outcome outcome =
      Key({"ceremony", "start", "--purpose", "risicojeugd", "--class", "BSN", "--wait", "--every-ms", "1"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(outcome.err, HasSubstr("risicojeugd BSN epoch 1: running, join\n"));
  EXPECT_THAT(outcome.err, HasSubstr("running, join, waits for jeugdzorg\n"));
  EXPECT_THAT(outcome.err, HasSubstr(": done\n"));
  EXPECT_THAT(outcome.out, HasSubstr("12345 23456 34567 45678 56789 67890  done"));
}

TEST_F(KeyCommandsTest, WaitingThatTakesTooLongIsAnErrorAfterWhatIsKnown) {
  AddCeremony('\x11', "proposed");
  world_.node_keys.on_list = [&] { world_.clock.Advance(absl::Seconds(20)); };
  const Outcome outcome =
      KeyJson({"ceremony", "approve", "1111", "--wait", "--seconds", "50", "--every-ms", "1"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.err, HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_EQ(outcome.json()["ceremonies"][0]["state"], "running");
}

TEST_F(KeyCommandsTest, AStoppedCeremonyNamesTheCulpritAndIsAnError) {
  v1::CeremonyState& ceremony = AddCeremony('\x11', "stopped");
  ceremony.set_culprit("jeugdzorg");
  ceremony.set_step("shares");
  ceremony.set_check("share");
  ceremony.set_reporter("gemeente");
  ceremony.set_proven(true);
  const Outcome shown = Key({"ceremony", "show", "1111"});
  EXPECT_EQ(shown.exit_code, ExitCode::kOk) << "showing it works";
  EXPECT_THAT(shown.out,
              HasSubstr("stopped by: jeugdzorg, step shares, check share, told by gemeente, proven\n"));
  const nlohmann::json json = KeyJson({"ceremony", "show", "11111111"}).json();
  EXPECT_EQ(json["stopped"]["culprit"], "jeugdzorg");
  EXPECT_EQ(json["stopped"]["proven"], true);
  world_.node_keys.on_start = [&](const auto&) { return ceremony; };
  EXPECT_EQ(Key({"ceremony", "start", "--purpose", "risicojeugd", "--class", "BSN"}).exit_code,
            ExitCode::kError);
}

TEST_F(KeyCommandsTest, ShowTellsMembersStepCodeAndWhoIsWaitedFor) {
  v1::CeremonyState& ceremony = AddCeremony('\xfe', "running");
  ceremony.set_step("certificate");
  ceremony.add_missing("jeugdzorg");
  ceremony.set_code("12345 23456 34567 45678 56789 67890");
  const Outcome outcome = Key({"ceremony", "show", "FEFE"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_EQ(outcome.out, absl::StrCat("ceremony ", base::Hex(ceremony.ceremony_id()),
                                      "\n  key: risicojeugd BSN epoch 3\n"
                                      "  kind: generate, attempt 1, proposed by gemeente\n  quorum: 2\n"
                                      "  members: politie, gemeente, jeugdzorg\n  state: running\n"
                                      "  step: certificate\n  waits for: jeugdzorg\n"
                                      "  code: 12345 23456 34567 45678 56789 67890\n"));
}

TEST_F(KeyCommandsTest, ACeremonyIsFoundByWhatItsIdStartsWithWhenThatIsOneOnly) {
  AddCeremony('\x11', "running").set_ceremony_id("\x11\x22" + std::string(30, '\0'));
  AddCeremony('\x11', "running").set_ceremony_id("\x11\x23" + std::string(30, '\0'));
  EXPECT_EQ(Key({"ceremony", "show", "1122"}).exit_code, ExitCode::kOk);
  EXPECT_EQ(Key({"ceremony", "show", "112"}).exit_code, ExitCode::kUsage) << "too short";
  EXPECT_EQ(Key({"ceremony", "show", "11xx"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Key({"ceremony", "show", "3333"}).exit_code, ExitCode::kNotFound);
  AddCeremony('\x11', "running").set_ceremony_id("\x11\x22" + std::string(30, '\x01'));
  EXPECT_EQ(Key({"ceremony", "show", "1122"}).exit_code, ExitCode::kUsage) << "two fit";
}

TEST_F(KeyCommandsTest, ApproveAllShowsWhatIsProposedAndApprovesThatOnly) {
  AddCeremony('\x11', "proposed");
  AddCeremony('\x22', "running");
  AddCeremony('\x33', "refused");
  const Outcome outcome = Key({"ceremony", "approve", "--all"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(world_.node_keys.approved, ElementsAre(std::string(32, '\x11')));
  EXPECT_THAT(outcome.out, HasSubstr("approving 1\nceremony 1111"));
  EXPECT_THAT(outcome.out, HasSubstr("  members: politie, gemeente, jeugdzorg\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("333333")));
  world_.node_keys.ceremonies.clear();
  EXPECT_THAT(Key({"ceremony", "approve", "--all"}).out, HasSubstr("nothing to approve"));
}

TEST_F(KeyCommandsTest, ApproveAllPassesOverWhatOthersHaveStopped) {
  AddCeremony('\x11', "proposed");
  AddCeremony('\x22', "proposed");
  world_.node_keys.ended = {std::string(32, '\x11')};
  const Outcome outcome = Key({"ceremony", "approve", "--all"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(world_.node_keys.approved, ElementsAre(std::string(32, '\x22')));
  EXPECT_THAT(outcome.err, HasSubstr("passed over: ceremony 111111111111: ended"));
  EXPECT_EQ(Key({"ceremony", "approve", "1111"}).exit_code, ExitCode::kError) << "asked for by name";
  world_.node_keys.ceremonies[1].set_state("proposed");
  world_.node_keys.refusal =
      base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch, "another quorum");
  EXPECT_EQ(Key({"ceremony", "approve", "--all"}).exit_code, ExitCode::kVerificationFailed);
}

TEST_F(KeyCommandsTest, ApproveTakesIdsOrAllAndSaysWhichOneWasRefused) {
  AddCeremony('\x11', "proposed");
  EXPECT_EQ(Key({"ceremony", "approve"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Key({"ceremony", "approve", "--all", "1111"}).exit_code, ExitCode::kUsage);
  EXPECT_THAT(world_.node_keys.approved, IsEmpty());
  world_.node_keys.refusal =
      base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch, "another quorum");
  const Outcome outcome = Key({"ceremony", "approve", "1111"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kVerificationFailed);
  EXPECT_THAT(outcome.err, HasSubstr("COVENANT_MISMATCH: ceremony 111111111111: another quorum"));
}

TEST_F(KeyCommandsTest, ListAndGiveUpShowStates) {
  AddCeremony('\x11', "proposed");
  AddCeremony('\x22', "running");
  EXPECT_EQ(KeyJson({"ceremony", "list"}).json()["ceremonies"].size(), 2u);
  EXPECT_THAT(Key({"ceremony", "list"}).out,
              ::testing::ContainsRegex("222222222222 +generate +risicojeugd +BSN +3 +gemeente +running"));
  EXPECT_EQ(KeyJson({"ceremony", "give-up", "2222"}).json()["state"], "stopped");
}

TEST_F(KeyCommandsTest, RefreshIsOfOneKeyOrOfAllInUse) {
  AddKey("onaantastbaren", v1::BSN, 1, "previous");
  AddKey("onaantastbaren", v1::BSN, 2, "in_use");
  AddKey("risicojeugd", v1::BSN, 1, "missing");
  EXPECT_EQ(Key({"refresh", "--all"}).exit_code, ExitCode::kOk);
  EXPECT_THAT(Started(), ElementsAre("refresh onaantastbaren 1"));
  EXPECT_EQ(Key({"refresh", "--purpose", "risicojeugd", "--class", "ADDRESS"}).exit_code, ExitCode::kOk);
  EXPECT_EQ(Started().back(), "refresh risicojeugd 3");
  EXPECT_EQ(Key({"refresh"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Key({"refresh", "--all", "--purpose", "risicojeugd"}).exit_code, ExitCode::kUsage);
}

TEST_F(KeyCommandsTest, RotateStartsTheCeremoniesOfTheCovenantThatRaisesTheEpoch) {
  world_.node_keys.status.set_next_covenant(5);
  AddKey("onaantastbaren", v1::BSN, 1, "in_use");
  AddKey("onaantastbaren", v1::BSN, 2, "missing").set_next_covenant(true);
  AddKey("onaantastbaren", v1::PERSON, 2, "next").set_next_covenant(true);
  AddKey("risicojeugd", v1::BSN, 1, "in_use");
  EXPECT_EQ(Key({"rotate"}).exit_code, ExitCode::kOk);
  EXPECT_THAT(Started(), ElementsAre("generate onaantastbaren 1 next"));
  const Outcome other = Key({"rotate", "--purpose", "risicojeugd"});
  EXPECT_EQ(other.exit_code, ExitCode::kNotFound);
  EXPECT_THAT(other.err, HasSubstr("does not raise the epoch of risicojeugd"));
}

TEST_F(KeyCommandsTest, RotateWithoutANextCovenantSaysHowToMakeOne) {
  AddKey("risicojeugd", v1::BSN, 1, "in_use");
  const Outcome outcome = Key({"rotate", "--purpose", "risicojeugd"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kNotFound);
  EXPECT_THAT(outcome.err, HasSubstr("NOT_FOUND: no covenant waits for its date"));
  EXPECT_THAT(outcome.err, HasSubstr("covenant new --previous covenant.note --next-epoch risicojeugd"));
  EXPECT_THAT(Started(), IsEmpty());
}

TEST_F(KeyCommandsTest, RotateWhoseKeysAreMadeSaysWhenTheEpochBegins) {
  world_.node_keys.status.set_next_covenant(5);
  world_.node_keys.status.set_next_valid_from("2027-02-01T00:00:00Z");
  AddKey("onaantastbaren", v1::BSN, 2, "next").set_next_covenant(true);
  const Outcome outcome = Key({"rotate"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  EXPECT_THAT(outcome.out, HasSubstr("2027-02-01T00:00:00Z"));
  EXPECT_THAT(Started(), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::cli

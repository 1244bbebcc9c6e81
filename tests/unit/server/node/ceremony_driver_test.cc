#include "server/node/ceremony_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/ceremony/evidence.h"
#include "crypto/note/note.h"
#include "tests/unit/server/node/ceremony_world.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using testing::CeremonyWorld;
using testing::FlakyStore;
using ::testing::HasSubstr;
using testing::SharedRegion;

class CeremonyDriverTest : public ::testing::Test {
 protected:
  CeremonyWorld world_{SharedRegion()};

  void ExpectAll(const std::string& ceremony_id, const std::string& state) {
    for (const std::string& partner : world_.partners())
      EXPECT_EQ(world_.StateAt(partner, ceremony_id).state(), state) << partner;
  }
  // Nobody has a key, or anything of one left over.
  void ExpectNoKey() {
    for (const std::string& partner : world_.partners()) {
      EXPECT_EQ(world_.KeysetAt(partner), nullptr) << partner;
      const auto rows = world_.node(partner).store->Ceremonies();
      ASSERT_THAT(rows, IsOk());
      for (const auto& row : *rows) EXPECT_EQ(row.secret, "") << partner;
    }
  }
};

TEST_F(CeremonyDriverTest, AKeyIsMadeUsedAndLogged) {
  const std::string id = world_.Begin("generate");
  world_.Step();
  ExpectAll(id, "done");
  world_.KeyInUse();
  const std::string code = world_.StateAt("politie", id).code();
  EXPECT_EQ(code.size(), 35u);
  for (const std::string& partner : world_.partners()) {
    const v1::CeremonyState state = world_.StateAt(partner, id);
    EXPECT_EQ(state.code(), code) << partner;
    EXPECT_EQ(state.keyset_id(), world_.KeysetAt(partner)->id());
    const auto made = world_.EntriesAt(partner, "key_made");
    ASSERT_EQ(made.size(), 1u) << partner;
    EXPECT_EQ(made[0].object, base::Hex(state.keyset_id()));
    EXPECT_THAT(made[0].reason, HasSubstr(code));
    const bool is_first = partner == world_.partners().front();
    EXPECT_EQ(world_.EntriesAt(partner, "ceremony_start").size(), is_first ? 1u : 0u) << partner;
    const auto approved = world_.EntriesAt(partner, "ceremony_approve");
    ASSERT_EQ(approved.size(), 1u) << partner;
    EXPECT_EQ(approved[0].actor, TestRegion::Urn("operator", partner));
    const auto rows = world_.node(partner).store->Ceremonies();
    ASSERT_THAT(rows, IsOk());
    ASSERT_FALSE(rows->empty());
    for (const auto& row : *rows) {
      EXPECT_EQ(row.secret, "") << partner;
      EXPECT_EQ(row.share, "") << partner;
    }
  }
  EXPECT_THAT(world_.Propose("gemeente", "generate"), HasReason(reason::kCovenantMismatch));
}

TEST_F(CeremonyDriverTest, NothingHappensBeforeEachOperatorApproves) {
  const auto started = world_.Propose("gemeente", "generate");
  ASSERT_THAT(started, IsOk());
  for (const char* partner : {"jeugdzorg", "politie"}) {
    world_.Step();
    EXPECT_EQ(world_.StateAt(partner, started->ceremony_id()).state(), "proposed");
    ASSERT_THAT(world_.Approve(partner, started->ceremony_id()), IsOk());
  }
  world_.Step();
  const v1::CeremonyState state = world_.StateAt("politie", started->ceremony_id());
  EXPECT_EQ(state.state(), "running");
  EXPECT_EQ(state.step(), "join");
  EXPECT_THAT(state.missing(), ::testing::ElementsAre("woningcorporatie"));
  EXPECT_EQ(state.proposed_by(), "gemeente");
  EXPECT_THAT(world_.Approve("politie", started->ceremony_id()), IsOk()) << "again is the same as once";
  ASSERT_THAT(world_.Approve("woningcorporatie", started->ceremony_id()), IsOk());
  world_.Step();
  ExpectAll(started->ceremony_id(), "done");
  EXPECT_THAT(world_.Approve("politie", started->ceremony_id()), HasReason(reason::kAlreadyEnded));
  EXPECT_THAT(world_.Approve("politie", std::string(32, 'x')), HasReason(reason::kNotFound));
}

TEST_F(CeremonyDriverTest, ARefreshKeepsTheKeyAndDestroysOlderShares) {
  world_.Begin("generate");
  world_.Step();
  const auto key = world_.KeyInUse();
  const auto first = world_.KeysetAt("politie");
  const std::string id = world_.Begin("refresh");
  world_.Step();
  ExpectAll(id, "done");
  EXPECT_TRUE(world_.KeyInUse() == key);
  const auto second = world_.KeysetAt("politie");
  EXPECT_EQ(second->text().generation, 2u);
  EXPECT_EQ(second->text().replaces, first->id());
  EXPECT_TRUE(second->public_key() == first->public_key());
  for (const std::string& partner : world_.partners()) {
    EXPECT_EQ(world_.node(partner).keys->Now()->FindShare(first->id()), nullptr);
    const auto destroyed = world_.EntriesAt(partner, "key_destroyed");
    ASSERT_EQ(destroyed.size(), 1u) << partner;
    EXPECT_EQ(destroyed[0].object, base::Hex(first->id()));
  }
}

TEST_F(CeremonyDriverTest, ARestoredFolderBringsNoOlderGenerationBack) {
  std::vector<std::shared_ptr<const policy::Keyset>> made;
  for (const char* kind : {"generate", "refresh", "refresh"}) {
    world_.Begin(kind);
    world_.Step();
    made.push_back(world_.KeysetAt("politie"));
  }
  // The folders of before: the newest keyset is not in them.
  ASSERT_EQ(world_.node("politie").keys->Drop(CeremonyWorld::kPurpose, 1)->size(), 3u);
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_THAT(
        world_.node("politie").keys->Install(world_.NoteOf("gemeente", made[i]->id()), made[i], nullptr),
        IsOk());
  }
  world_.relay().away = true;
  world_.Restart("politie");
  EXPECT_EQ(world_.KeysetAt("politie"), nullptr) << "all that is older than what was used is disregarded";
  world_.relay().away = false;
  world_.Step(2);
  ASSERT_NE(world_.KeysetAt("politie"), nullptr);
  EXPECT_EQ(world_.KeysetAt("politie")->id(), made[2]->id()) << "the keyset comes back, the share does not";
  EXPECT_EQ(world_.EntriesAt("politie", "key_made").size(), 4u) << "the older ones are not taken again";
  EXPECT_EQ(world_.node("politie").keys->Now()->FindShare(made[2]->id()), nullptr);
}

TEST_F(CeremonyDriverTest, WhoStaysAwayIsNamedAtTheDeadlineAndAnotherAttemptWorks) {
  const auto started = world_.Propose("gemeente", "generate");
  ASSERT_THAT(started, IsOk());
  for (const char* partner : {"jeugdzorg", "politie"})
    ASSERT_THAT(world_.Approve(partner, started->ceremony_id()), IsOk());
  world_.Step();
  SharedRegion().clock().Advance(absl::Hours(24));
  world_.Step();
  for (const char* partner : {"gemeente", "jeugdzorg", "politie"}) {
    const v1::CeremonyState state = world_.StateAt(partner, started->ceremony_id());
    EXPECT_EQ(state.state(), "stopped") << partner;
    EXPECT_EQ(state.culprit(), "woningcorporatie") << partner;
    EXPECT_FALSE(state.proven());
    EXPECT_EQ(world_.EntriesAt(partner, "ceremony_stopped").size(), 1u);
  }
  // The first at which the time is up; the others have it from that one.
  EXPECT_THAT(world_.StateAt("gemeente", started->ceremony_id()).why(),
              HasSubstr("nothing came from woningcorporatie"));
  ExpectNoKey();
  EXPECT_THAT(world_.Approve("woningcorporatie", started->ceremony_id()), HasReason(reason::kAlreadyEnded));
  const std::string again = world_.Begin("generate");
  EXPECT_EQ(world_.StateAt("politie", again).attempt(), 2u);
  world_.Step();
  ExpectAll(again, "done");
}

TEST_F(CeremonyDriverTest, AnOperatorStopsACeremonyForAllAlsoBeforeJoining) {
  const auto started = world_.Propose("gemeente", "generate");
  for (const char* partner : {"jeugdzorg", "politie"})
    ASSERT_THAT(world_.Approve(partner, started->ceremony_id()), IsOk());
  world_.Step();
  const auto state = world_.node("woningcorporatie")
                         .driver->GiveUp(world_.OperatorPass("woningcorporatie"), started->ceremony_id());
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->state(), "stopped");
  world_.Step();
  ExpectAll(started->ceremony_id(), "stopped");
  EXPECT_EQ(world_.StateAt("politie", started->ceremony_id()).reporter(), "woningcorporatie");
  ExpectNoKey();
  EXPECT_EQ(world_.EntriesAt("woningcorporatie", "ceremony_give_up").size(), 1u);
  EXPECT_THAT(world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), started->ceremony_id()),
              HasReason(reason::kAlreadyEnded));

  const std::string running = world_.Begin("generate");
  world_.Step(1);
  ASSERT_THAT(world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), running), IsOk());
  world_.Step();
  ExpectAll(running, "stopped");
  ExpectNoKey();
}

TEST_F(CeremonyDriverTest, ANodeThatLostItsDatabaseKeepsOut) {
  const auto started = world_.Propose("gemeente", "generate");
  ASSERT_THAT(world_.Approve("politie", started->ceremony_id()), IsOk());
  world_.Step(1);
  world_.node("politie").store = std::make_unique<storage::MemoryNodeStore>();
  world_.Restart("politie");
  world_.Step(1);
  EXPECT_THAT(world_.Approve("politie", started->ceremony_id()), HasReason(reason::kAlreadyEnded));
  int joins = 0;
  for (const auto& message : world_.relay().ceremonies[0].messages) joins += message.sender == "politie";
  EXPECT_EQ(joins, 1);
}

TEST_F(CeremonyDriverTest, ABadMessageStopsAllWithEvidenceThatIsKept) {
  const std::string id = world_.Begin("generate");
  const auto parameters =
      crypto::ceremony::Parameters::Parse(world_.relay().ceremonies[0].proposal.parameters()).value();
  // politie says another thing to the same question.
  world_.Step(1);
  const crypto::ceremony::Content other = {crypto::ceremony::Step::kJoin, parameters.id(), 1,
                                           std::string(32 + 32 * 4, 'x')};
  const auto message = crypto::ceremony::SignContent(
      parameters, other, SharedRegion().KeyOf(TestRegion::Urn("node", "politie")));
  v1::CeremonyMessage posted;
  posted.set_body(message.body);
  posted.set_signature(message.signature);
  world_.relay().ceremonies[0].messages.push_back({"politie", posted});
  world_.Step();
  for (const char* partner : {"gemeente", "jeugdzorg", "woningcorporatie"}) {
    const v1::CeremonyState state = world_.StateAt(partner, id);
    EXPECT_EQ(state.state(), "stopped") << partner;
    EXPECT_EQ(state.culprit(), "politie") << partner;
    EXPECT_EQ(state.check(), "equivocation") << partner;
    EXPECT_TRUE(state.proven()) << partner;
    const auto rows = world_.node(partner).store->Ceremonies();
    const auto accusation = crypto::ceremony::ParseAccusation(rows->front().evidence);
    ASSERT_THAT(accusation, IsOk());
    EXPECT_THAT(crypto::ceremony::VerifyEvidence(parameters, *accusation), IsOk());
    EXPECT_THAT(world_.EntriesAt(partner, "ceremony_stopped")[0].reason, HasSubstr("politie"));
  }
  ExpectNoKey();
}

TEST_F(CeremonyDriverTest, WhatIsFirstAMembersWordIsProvenWhenLogsAreCompared) {
  const std::string id = world_.Begin("generate");
  const auto parameters =
      crypto::ceremony::Parameters::Parse(world_.relay().ceremonies[0].proposal.parameters()).value();
  // politie and the relay show two members another join than the others.
  world_.relay().change_fetch = [&](const std::string& partner, v1::FetchResponse& response) {
    if (partner != "jeugdzorg" && partner != "woningcorporatie") return;
    for (v1::CeremonyMessage& message : *response.mutable_messages()) {
      const auto content = crypto::ceremony::Open(parameters, {message.body(), message.signature()});
      if (!content.ok() || content->sender != 1 || content->step != crypto::ceremony::Step::kJoin) continue;
      crypto::ceremony::Content other = *content;
      other.bytes[0] ^= 1;
      const auto replaced = crypto::ceremony::SignContent(
          parameters, other, SharedRegion().KeyOf(TestRegion::Urn("node", "politie")));
      message.set_body(replaced.body);
      message.set_signature(replaced.signature);
    }
  };
  world_.Step();
  for (const char* partner : {"gemeente", "jeugdzorg", "woningcorporatie"}) {
    const v1::CeremonyState state = world_.StateAt(partner, id);
    EXPECT_EQ(state.state(), "stopped") << partner;
    EXPECT_EQ(state.culprit(), "politie") << partner;
    EXPECT_EQ(state.check(), "equivocation") << partner;
    EXPECT_TRUE(state.proven()) << partner;
  }
  ExpectNoKey();
}

TEST_F(CeremonyDriverTest, AKeyIsUsedOnlyWhenAllHoldersSignedTheKeyset) {
  const std::string id = world_.Begin("generate");
  // No other sees the signature of gemeente, which sees those of all.
  world_.relay().change_fetch = [](const std::string& partner, v1::FetchResponse& response) {
    for (std::string& keyset : *response.mutable_keysets()) {
      if (partner != "gemeente" && keyset.find(":node:gemeente ") != std::string::npos) keyset.clear();
    }
  };
  world_.relay().before = [](const std::string&, const std::string& method) {
    return method == "Keysets" ? base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away")
                               : absl::OkStatus();
  };
  world_.Step();
  EXPECT_EQ(world_.StateAt("gemeente", id).state(), "done");
  for (const char* partner : {"jeugdzorg", "politie", "woningcorporatie"}) {
    EXPECT_EQ(world_.StateAt(partner, id).state(), "signing");
    EXPECT_THAT(world_.StateAt(partner, id).missing(), ::testing::ElementsAre("gemeente"));
    EXPECT_EQ(world_.KeysetAt(partner), nullptr);
  }
  EXPECT_THAT(world_.Propose("politie", "generate"), HasReason(reason::kCovenantMismatch))
      << "a node signs one keyset of one generation";
  EXPECT_EQ(world_.relay().ceremonies.size(), 1u);
  world_.Restart("politie");
  world_.relay().before = nullptr;
  world_.relay().change_fetch = nullptr;
  world_.Step(3);
  ExpectAll(id, "done");
  world_.KeyInUse();
}

TEST_F(CeremonyDriverTest, WhoSawAMemberStopTakesTheKeysetAllTheSameWhenAllSigned) {
  const std::string id = world_.Begin("generate");
  world_.relay().change_fetch = [](const std::string&, v1::FetchResponse& response) {
    response.clear_keysets();
  };
  world_.relay().before = [](const std::string&, const std::string& method) {
    return method == "Keysets" ? base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away")
                               : absl::OkStatus();
  };
  world_.Step();
  ExpectAll(id, "signing");
  // gemeente signed the keyset and says now that it stopped.
  const auto parameters =
      crypto::ceremony::Parameters::Parse(world_.relay().ceremonies[0].proposal.parameters()).value();
  const uint32_t index = parameters.members()[1].index;
  ASSERT_EQ(parameters.members()[1].partner, "gemeente");
  const auto abort = crypto::ceremony::SignContent(
      parameters,
      {crypto::ceremony::Step::kAbort, parameters.id(), index,
       crypto::ceremony::FormatAccusation(
           {{index, crypto::ceremony::Step::kCertificate, crypto::ceremony::Check::kMissing}, {}})},
      SharedRegion().KeyOf(TestRegion::Urn("node", "gemeente")));
  v1::CeremonyMessage posted;
  posted.set_body(abort.body);
  posted.set_signature(abort.signature);
  world_.relay().ceremonies[0].messages.push_back({"gemeente", posted});
  world_.Step(2);
  ExpectAll(id, "stopped");
  EXPECT_EQ(world_.StateAt("politie", id).culprit(), "gemeente");
  world_.relay().before = nullptr;
  world_.relay().change_fetch = nullptr;
  world_.Step(2);
  ExpectAll(id, "done");
  world_.KeyInUse();
}

TEST_F(CeremonyDriverTest, WhatTheCovenantDoesNotSayIsNotApproved) {
  const auto good = world_.Propose("gemeente", "generate");
  ASSERT_THAT(good, IsOk());
  // The same with a lower quorum, one among others, and bytes that are nothing.
  crypto::ceremony::ParametersText text =
      crypto::ceremony::Parameters::Parse(world_.relay().ceremonies[0].proposal.parameters()).value().text();
  text.quorum = 2;
  const std::string weak = crypto::ceremony::FormatParameters(text);
  text.quorum = 3;
  text.members[0].partner = "brandweer";
  const std::string foreign = crypto::ceremony::FormatParameters(text);
  for (const std::string& parameters : {std::string("nothing"), weak, foreign}) {
    v1::ProposeRequest proposal;
    proposal.set_parameters(parameters);
    ASSERT_THAT(world_.relay().ClientOf("woningcorporatie").Propose(proposal, absl::Seconds(1)), IsOk());
  }
  world_.Step(1);
  EXPECT_EQ(world_.StateAt("politie", base::Sha256(weak)).state(), "refused");
  EXPECT_THAT(world_.Approve("politie", base::Sha256(weak)), HasReason(reason::kCovenantMismatch));
  EXPECT_EQ(world_.StateAt("politie", base::Sha256(foreign)).state(), "refused");
  EXPECT_THAT(world_.Approve("politie", base::Sha256(foreign)), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), base::Sha256(foreign)),
              HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(world_.Approve("politie", base::Sha256("nothing")), HasReason(reason::kNotFound));
  for (const std::string& partner : world_.partners())
    EXPECT_THAT(world_.Approve(partner, good->ceremony_id()), IsOk());
  world_.Step();
  ExpectAll(good->ceremony_id(), "done");
}

TEST_F(CeremonyDriverTest, ParametersUnderAnotherIdAreNotLookedAt) {
  const auto good = world_.Propose("gemeente", "generate");
  ASSERT_THAT(good, IsOk());
  testing::FakeRelay::Ceremony swapped = world_.relay().ceremonies[0];
  swapped.id = std::string(32, 'x');
  world_.relay().ceremonies.push_back(swapped);
  world_.Step(3);
  EXPECT_EQ(world_.node("politie").driver->List().size(), 1u);
}

TEST_F(CeremonyDriverTest, AKeyThatIsThereIsNotMadeAgainAlsoWhenSomebodyProposesIt) {
  world_.Begin("generate");
  world_.Step();
  crypto::ceremony::ParametersText text =
      crypto::ceremony::Parameters::Parse(world_.relay().ceremonies[0].proposal.parameters()).value().text();
  text.attempt = 7;
  v1::ProposeRequest proposal;
  proposal.set_parameters(crypto::ceremony::FormatParameters(text));
  ASSERT_THAT(world_.relay().ClientOf("gemeente").Propose(proposal, absl::Seconds(1)), IsOk());
  world_.Step(1);
  const std::string id = base::Sha256(proposal.parameters());
  EXPECT_EQ(world_.StateAt("politie", id).state(), "refused");
  EXPECT_THAT(world_.Approve("politie", id), HasReason(reason::kCovenantMismatch));
}

TEST_F(CeremonyDriverTest, MessagesMayComeInAnyOrder) {
  const std::string id = world_.Begin("generate");
  world_.relay().change_fetch = [](const std::string&, v1::FetchResponse& response) {
    std::reverse(response.mutable_messages()->begin(), response.mutable_messages()->end());
  };
  world_.Step();
  ExpectAll(id, "done");
}

TEST_F(CeremonyDriverTest, ANodeUsesAKeyOnlyAfterTheOthersCanHaveItsSignature) {
  const std::string id = world_.Begin("generate");
  // From when all certificates are there nothing of gemeente arrives.
  world_.relay().before = [this](const std::string& partner, const std::string& method) {
    const bool is_lost =
        partner == "gemeente" && method == "Post" && world_.relay().ceremonies[0].messages.size() == 20;
    return is_lost ? base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away")
                   : absl::OkStatus();
  };
  world_.Step();
  ExpectAll(id, "signing");
  EXPECT_EQ(world_.KeysetAt("gemeente"), nullptr);
  world_.relay().before = nullptr;
  world_.Step(2);
  ExpectAll(id, "done");
}

TEST_F(CeremonyDriverTest, NothingIsPostedThatIsNotStored) {
  // The write after these is that of a key in use.
  for (int fail_at = 2; fail_at <= 7; ++fail_at) {
    CeremonyWorld world(SharedRegion());
    CeremonyWorld::Node& node = world.node("politie");
    // From that write on its disk is full; the node goes on.
    node.flaky = std::make_unique<FlakyStore>(*node.store, fail_at, FlakyStore::When::kBefore);
    world.Restart("politie");
    const auto started = world.Propose("gemeente", "generate");
    ASSERT_THAT(started, IsOk());
    world.relay().after = [&](const std::string& partner, const std::string& method) {
      if (partner != "politie" || method != "Post") return absl::OkStatus();
      size_t posted = 0;
      for (const auto& message : world.relay().ceremonies[0].messages) posted += message.sender == "politie";
      const auto rows = node.store->Ceremonies();
      if (rows->front().state != storage::NodeCeremonyState::kRunning) return absl::OkStatus();
      const auto state =
          node.vault->Decrypt(Column::kCeremonyState, started->ceremony_id(), rows->front().secret);
      EXPECT_THAT(state, IsOk());
      const auto stored =
          crypto::ceremony::Participant::Import(*state, node.environment.signing_keys.First(), std::nullopt);
      EXPECT_THAT(stored, IsOk());
      EXPECT_GE(stored->Sent().size(), posted) << "write " << fail_at;
      return absl::OkStatus();
    };
    for (const std::string& partner : world.partners())
      world.Approve(partner, started->ceremony_id()).status().IgnoreError();
    world.Step(6);
    EXPECT_EQ(world.KeysetAt("politie"), nullptr) << "write " << fail_at;
    world.relay().after = nullptr;
  }
}

TEST_F(CeremonyDriverTest, ANodeTakesPartInOneCeremonyOfAKeyAtATime) {
  const auto one = world_.Propose("gemeente", "generate");
  const auto two = world_.Propose("politie", "generate");
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(two->attempt(), 2u);
  EXPECT_THAT(world_.Approve("politie", one->ceremony_id()), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(world_.Approve("gemeente", two->ceremony_id()), HasReason(reason::kCovenantMismatch));
  const auto stopped =
      world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), two->ceremony_id());
  ASSERT_THAT(stopped, IsOk());
  EXPECT_THAT(stopped->why(), HasSubstr("nothing came from gemeente, jeugdzorg, woningcorporatie"));
  for (const std::string& partner : world_.partners())
    EXPECT_THAT(world_.Approve(partner, one->ceremony_id()), IsOk()) << partner;
  world_.Step();
  ExpectAll(one->ceremony_id(), "done");
}

TEST(CeremonyCovenantTest, ACeremonyOfACovenantThatIsInForceNoMoreIsGivenUp) {
  TestRegion region;
  CeremonyWorld world(region);
  const std::string id = world.Begin("generate");
  world.Step(1);
  world.GoToNextCovenant();
  world.Step(3);
  for (const std::string& partner : world.partners()) {
    EXPECT_EQ(world.StateAt(partner, id).state(), "stopped") << partner;
    EXPECT_EQ(world.KeysetAt(partner), nullptr);
  }
}

TEST(CeremonyCovenantTest, AKeyWhoseEpochEndedBeforeItWasSignedIsForgotten) {
  TestRegion region;
  CeremonyWorld world(region);
  const std::string id = world.Begin("generate");
  // Until all certificates are there, and no signature on the keyset but that of the last.
  const auto& ceremony = world.relay().ceremonies[0];
  while (ceremony.messages.size() < 20) {
    for (const std::string& partner : world.partners()) {
      if (ceremony.messages.size() < 20) world.node(partner).driver->Step();
    }
  }
  EXPECT_LT(ceremony.keysets.size(), 2u);
  world.GoToNextEpoch();
  world.Step(3);
  // Who has certified the key and does not sign it says so, or others would wait for ever.
  std::set<std::string> aborted;
  for (const auto& message : ceremony.messages) {
    if (message.message.body()[0] == static_cast<char>(crypto::ceremony::Step::kAbort))
      aborted.insert(message.sender);
  }
  EXPECT_GE(aborted.size(), 3u);
  for (const std::string& partner : world.partners()) {
    EXPECT_EQ(world.StateAt(partner, id).state(), "stopped") << partner;
    EXPECT_EQ(world.KeysetAt(partner), nullptr);
    const auto rows = world.node(partner).store->Ceremonies();
    ASSERT_THAT(rows, IsOk());
    for (const auto& row : *rows) {
      EXPECT_EQ(row.secret, "") << partner;
      EXPECT_EQ(row.share, "") << partner;
    }
  }
}

TEST(CeremonyCovenantTest, AKeyOfAnEpochThatEndedDoesNotComeBackFromTheRelay) {
  TestRegion region;
  CeremonyWorld world(region);
  world.Begin("generate");
  world.Step();
  world.GoToNextEpoch();
  ASSERT_EQ(world.node("politie").keys->Drop(CeremonyWorld::kPurpose, 1)->size(), 1u);
  world.Step(2);
  EXPECT_EQ(world.KeysetAt("politie", 1), nullptr);
  world.Restart("politie");
  world.Step(2);
  EXPECT_EQ(world.KeysetAt("politie", 1), nullptr);
}

TEST(CeremonyCovenantTest, WhoJoinsGetsAShareByAReshareAndTheThresholdChangesWithoutAnotherKey) {
  TestRegion region;
  CeremonyWorld world(region);
  world.Begin("generate");
  world.Step();
  const auto key = world.KeyInUse();
  const auto first = world.KeysetAt("politie");

  world.GoToNextCovenant([&](v1::Covenant& covenant) {
    v1::Partner partner = covenant.partners(1);
    partner.set_id("reclassering");
    partner.set_organisation("KVK:00000077");
    partner.set_index(9);
    region.GiveKeys(partner);
    *covenant.add_partners() = partner;
  });
  world.Restart("reclassering");
  world.Step(2);
  ASSERT_NE(world.KeysetAt("reclassering"), nullptr) << "a node takes what others made";
  EXPECT_EQ(world.KeysetAt("reclassering")->id(), first->id());
  EXPECT_THAT(world.Propose("reclassering", "refresh"), HasReason(reason::kCovenantMismatch))
      << "the covenant has other holders";
  EXPECT_THAT(world.Propose("politie", "reshare", {"politie", "gemeente"}),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(world.Propose("politie", "reshare", {"politie", "gemeente", "reclassering"}),
              HasReason(reason::kInvalidArgument));
  const std::string joined = world.Begin("reshare", {"gemeente", "jeugdzorg", "woningcorporatie"});
  world.Step();
  for (const std::string& partner : world.partners())
    EXPECT_EQ(world.StateAt(partner, joined).state(), "done") << partner;
  EXPECT_TRUE(world.KeyInUse() == key);
  EXPECT_EQ(world.KeysetAt("politie")->holders().size(), 5u);
  EXPECT_EQ(world.KeysetAt("politie")->text().generation, 2u);
  // Also after a restart, when keysets are judged by the covenants they name.
  world.Restart("politie");
  EXPECT_TRUE(world.KeyInUse() == key);

  world.GoToNextCovenant([](v1::Covenant& covenant) { covenant.set_quorum(4); });
  const std::string higher = world.Begin("reshare");
  world.Step();
  for (const std::string& partner : world.partners())
    EXPECT_EQ(world.StateAt(partner, higher).state(), "done") << partner;
  EXPECT_TRUE(world.KeyInUse() == key);
  EXPECT_EQ(world.KeysetAt("reclassering")->quorum(), 4u);
  EXPECT_EQ(world.KeysetAt("reclassering")->text().generation, 3u);
}

}  // namespace
}  // namespace raakvlak::node

// What members, holders of earlier covenants and relays may try, and what goes wrong by itself: nodes come to
// one keyset, keep the shares they need and name who holds them up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "policy/note_folder.h"
#include "policy/text.h"
#include "server/node/destruction.h"
#include "tests/support/split.h"
#include "tests/unit/server/node/ceremony_world.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using testing::CeremonyWorld;
using testing::SharedRegion;

// Once all have certified the key, nothing of that partner reaches the relay.
void HoldBackTheKeyset(CeremonyWorld& world, const std::string& of) {
  world.relay().before = [&world, of](const std::string& partner, const std::string& method) {
    const bool held = partner == of && method == "Post" && world.relay().ceremonies[0].messages.size() >= 20;
    return held ? base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away")
                : absl::OkStatus();
  };
}

class CeremonyAttackTest : public ::testing::Test {
 protected:
  CeremonyWorld world_{SharedRegion()};

  void ExpectAll(const std::string& ceremony_id, const std::string& state) {
    for (const std::string& partner : world_.partners())
      EXPECT_EQ(world_.StateAt(partner, ceremony_id).state(), state) << partner;
  }
};

TEST_F(CeremonyAttackTest, AMemberCannotUseUpTheNumbersOfAttempts) {
  const auto snapshot = world_.Snapshot();
  for (const uint32_t attempt : {4294967294u, 4294967295u}) {
    const auto parameters = policy::CeremonyFor(*snapshot.covenant,
                                                {crypto::ceremony::Kind::kGenerate,
                                                 CeremonyWorld::kPurpose,
                                                 static_cast<uint8_t>(CeremonyWorld::kClass),
                                                 attempt,
                                                 {}},
                                                nullptr)
                                .value();
    v1::ProposeRequest proposal;
    proposal.set_parameters(parameters.bytes());
    world_.relay().ceremonies.push_back({parameters.id(), proposal, "jeugdzorg", {}, {}});
  }
  for (const uint32_t attempt : {1u, 2u}) {
    const auto started = world_.Propose("politie", "generate");
    ASSERT_THAT(started, IsOk());
    EXPECT_EQ(started->attempt(), attempt);
    ASSERT_THAT(world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), started->ceremony_id()),
                IsOk());
  }
}

TEST_F(CeremonyAttackTest, ASignatureThatOthersPostForAMemberMakesNoKeyset) {
  const std::string id = world_.Begin("generate");
  HoldBackTheKeyset(world_, "gemeente");
  world_.Step();
  ExpectAll(id, "signing");
  EXPECT_THAT(world_.StateAt("politie", id).missing(), ::testing::ElementsAre("gemeente"));
  // jeugdzorg is with gemeente: all signatures are there, but gemeente may still say that it stops.
  auto& keysets = world_.relay().ceremonies[0].keysets;
  ASSERT_EQ(keysets.size(), 3u);
  crypto::note::Note both = *crypto::note::Parse(keysets.at("jeugdzorg"));
  const auto theirs = crypto::note::Parse(world_.node("gemeente").store->Ceremonies()->front().keyset);
  both.signatures.push_back(theirs->signatures.front());
  keysets["jeugdzorg"] = crypto::note::Format(both);
  world_.Step(3);
  SharedRegion().clock().Advance(absl::Minutes(2));
  world_.Step(3);
  for (const std::string& partner : world_.partners())
    EXPECT_EQ(world_.KeysetAt(partner), nullptr) << partner;
  world_.relay().before = nullptr;
  world_.Step(3);
  ExpectAll(id, "done");
}

TEST_F(CeremonyAttackTest, WhoseSignatureOnTheKeysetIsNoneIsNamedAsMissing) {
  const std::string id = world_.Begin("generate");
  world_.relay().change_fetch = [](const std::string&, v1::FetchResponse& response) {
    for (std::string& keyset : *response.mutable_keysets()) {
      auto note = crypto::note::Parse(keyset);
      if (note->signatures[0].name != TestRegion::Urn("node", "gemeente")) continue;
      note->signatures[0].signature[5] ^= 1;
      keyset = crypto::note::Format(*note);
    }
  };
  world_.relay().before = [](const std::string&, const std::string& method) {
    return method == "Keysets" ? base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away")
                               : absl::OkStatus();
  };
  world_.Step();
  ExpectAll(id, "signing");
  EXPECT_THAT(world_.StateAt("politie", id).missing(), ::testing::ElementsAre("gemeente"));
}

TEST_F(CeremonyAttackTest, ARelayThatLostAKeysetGetsItAgain) {
  const std::string id = world_.Begin("generate");
  HoldBackTheKeyset(world_, "gemeente");
  world_.Step();
  ExpectAll(id, "signing");
  world_.relay().ceremonies[0].keysets.erase("politie");
  world_.relay().before = nullptr;
  SharedRegion().clock().Advance(absl::Minutes(2));
  world_.Step(4);
  ExpectAll(id, "done");
}

TEST_F(CeremonyAttackTest, WhatTheRelaySaysHasEndedIsNotPostedAgain) {
  const auto started = world_.Propose("gemeente", "generate");
  int posts = 0;
  world_.relay().before = [&](const std::string& partner, const std::string& method) {
    if (partner != "politie" || method != "Post") return absl::OkStatus();
    ++posts;
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kAlreadyEnded, "ended");
  };
  ASSERT_THAT(world_.node("politie").driver->GiveUp(world_.OperatorPass("politie"), started->ceremony_id()),
              IsOk());
  for (int i = 0; i < 3; ++i) {
    SharedRegion().clock().Advance(absl::Minutes(2));
    world_.Step(1);
  }
  EXPECT_EQ(posts, 1);
}

TEST_F(CeremonyAttackTest, WhoCannotGoOnAfterARestartSaysSo) {
  world_.Begin("generate");
  world_.Step();
  const auto keyset = world_.KeysetAt("politie");
  const std::string id = world_.Begin("refresh");
  world_.Step(1);
  // Its share is lost while the refresh runs.
  const std::string note = world_.NoteOf("politie", keyset->id());
  ASSERT_EQ(world_.node("politie").keys->Drop(CeremonyWorld::kPurpose, 1)->size(), 1u);
  ASSERT_THAT(world_.node("politie").keys->Install(note, keyset, nullptr), IsOk());
  world_.Restart("politie");
  world_.Step(3);
  ExpectAll(id, "stopped");
  for (const std::string& partner : world_.partners()) {
    EXPECT_EQ(world_.StateAt(partner, id).culprit(), "politie") << partner;
    EXPECT_EQ(world_.StateAt(partner, id).reporter(), "politie") << partner;
  }
}

TEST(CeremonyCovenantTest, HoldersOfAnEarlierCovenantDoNotReplaceTheKey) {
  TestRegion region;
  CeremonyWorld world(region);
  world.Begin("generate");
  world.Step();
  const auto key = world.KeyInUse();
  const auto earlier = world.Snapshot().covenant;
  world.GoToNextCovenant([](v1::Covenant& covenant) { covenant.set_quorum(4); });
  world.Begin("reshare");
  world.Step();
  const auto in_use = world.KeysetAt("politie");
  ASSERT_EQ(in_use->quorum(), 4u);
  // They have pooled what they had, and all of that covenant's holders sign: another key, or the same one
  // under the lower quorum.
  base::testing::SeededRandom random(3);
  for (const auto& secret : {crypto::group::Scalar::Random(random), key}) {
    const auto sharing = *raakvlak::testing::Split(secret, 3, {1, 2, 3, 4}, random);
    policy::KeysetText text = in_use->text();
    text.generation = 9;
    text.replaces = in_use->id();
    text.quorum = 3;
    text.covenant_id = earlier->id();
    text.commitments = sharing.commitments;
    const auto parameters = policy::CeremonyFor(*earlier,
                                                {crypto::ceremony::Kind::kGenerate,
                                                 CeremonyWorld::kPurpose,
                                                 static_cast<uint8_t>(CeremonyWorld::kClass),
                                                 7,
                                                 {}},
                                                nullptr)
                                .value();
    v1::ProposeRequest proposal;
    proposal.set_parameters(parameters.bytes());
    world.relay().ceremonies.push_back({parameters.id(), proposal, "jeugdzorg", {}, {}});
    for (const auto& [index, partner] : text.holders) {
      crypto::note::Note note{policy::FormatKeysetText(text), {}};
      const auto& signing_key = region.KeyOf(TestRegion::Urn("node", partner));
      const auto verifier =
          crypto::note::VerifierKey::Create(TestRegion::Urn("node", partner), signing_key.public_key());
      crypto::note::Sign(note, *verifier, signing_key);
      world.relay().ceremonies.back().keysets[partner] = crypto::note::Format(note);
    }
  }
  world.Step(3);
  EXPECT_TRUE(world.KeyInUse() == key);
  EXPECT_EQ(world.KeysetAt("politie")->id(), in_use->id());
  int asked = 0;
  world.relay().before = [&](const std::string&, const std::string& method) {
    asked += method == "Keysets";
    return absl::OkStatus();
  };
  world.Step(3);
  EXPECT_EQ(asked, 0) << "what was refused is not asked for again and again";
  // Also who lost its keysets, and is handed all of them at once.
  const auto* kept = world.node("politie").keys->Now()->FindShare(in_use->id());
  ASSERT_NE(kept, nullptr);
  ASSERT_EQ(world.node("politie").keys->Drop(CeremonyWorld::kPurpose, 1)->size(), 2u);
  world.node("politie").store = nullptr;
  world.Restart("politie");
  world.Step(2);
  ASSERT_NE(world.KeysetAt("politie"), nullptr);
  EXPECT_EQ(world.KeysetAt("politie")->id(), in_use->id());
}

TEST(CeremonyCovenantTest, AKeyOfACovenantThatWaitsForItsRosterIsKept) {
  TestRegion region;
  CeremonyWorld world(region);
  region.NextCovenant();
  region.covenant().set_valid_from(policy::FormatUtc(region.clock().Now() + absl::Hours(24)));
  region.RaiseEpoch(CeremonyWorld::kPurpose, absl::ZeroDuration());
  ASSERT_THAT(policy::AddNote(region.policy_folder(), crypto::note::Format(region.CovenantNote())), IsOk());
  ASSERT_NE(policy::ChainOf(world.Snapshot())->After(*world.Snapshot().covenant), nullptr);
  v1::StartCeremonyRequest request;
  request.set_kind("generate");
  request.set_purpose(CeremonyWorld::kPurpose);
  request.set_identifier_class(CeremonyWorld::kClass);
  request.set_next_covenant(true);
  const auto started = world.node("politie").driver->Propose(
      world.OperatorPass("politie"), request, [](const policy::Keyset&) { return std::set<std::string>(); });
  ASSERT_THAT(started, IsOk());
  for (const std::string& partner : world.partners())
    ASSERT_THAT(world.Approve(partner, started->ceremony_id()), IsOk());
  HoldBackTheKeyset(world, "gemeente");
  world.Step();
  // The hub is late with the roster: the covenant before is in force for longer than was agreed.
  region.clock().Advance(absl::Hours(25));
  ASSERT_EQ(world.Snapshot().covenant->text().version(), 1u);
  world.Step(2);
  for (const std::string& partner : world.partners())
    EXPECT_EQ(world.StateAt(partner, started->ceremony_id()).state(), "signing") << partner;
  world.relay().before = nullptr;
  region.clock().Advance(absl::Minutes(2));
  world.Step(3);
  world.KeyInUse(2);
}

TEST(CeremonyCovenantTest, AnOlderGenerationOfAnEndedEpochThatWasRestoredIsDestroyed) {
  TestRegion region;
  CeremonyWorld world(region);
  world.Begin("generate");
  world.Step();
  const auto first = world.KeysetAt("politie");
  const std::string note = world.NoteOf("politie", first->id());
  world.Begin("refresh");
  world.Step();
  world.GoToNextEpoch();
  ASSERT_EQ(world.node("politie").keys->Drop(CeremonyWorld::kPurpose, 1)->size(), 2u);
  ASSERT_THAT(world.node("politie").keys->Install(note, first, nullptr), IsOk());
  world.Restart("politie");
  Destruction(world.node("politie").environment).Look();
  EXPECT_EQ(world.KeysetAt("politie"), nullptr);
  const auto destroyed = world.EntriesAt("politie", "key_destroyed");
  ASSERT_EQ(destroyed.size(), 2u) << "when it was replaced, and now";
  EXPECT_EQ(destroyed[1].reason, "epoch 1");
}

}  // namespace
}  // namespace raakvlak::node

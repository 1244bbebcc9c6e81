#include "server/node/key_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/reason.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "policy/note_folder.h"
#include "policy/text.h"
#include "tests/unit/server/node/ceremony_world.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::IsOk;
using testing::NodeWorld;

class KeyStatusTest : public ::testing::Test {
 protected:
  v1::GetKeyStatusResponse Get(const std::string& partner = "politie") {
    const auto status = Make(partner).Get(world_.Snapshot());
    EXPECT_THAT(status, IsOk());
    return status.ok() ? *status : v1::GetKeyStatusResponse();
  }
  KeyStatus Make(const std::string& partner) {
    const testing::TestNode& node = world_.node(partner);
    const auto not_owned = [](client::KeyShareClient& client) {
      return std::shared_ptr<client::KeyShareClient>(std::shared_ptr<void>(), &client);
    };
    auto clients = std::make_shared<PeerClients>();
    (*clients)[partner] = not_owned(*node.own_share);
    for (const auto& [other, peer] : node.peers) (*clients)[other] = not_owned(*peer);
    return KeyStatus(
        node.environment, [clients] { return clients; }, rotations_);
  }
  static const v1::KeyStatus* Find(const v1::GetKeyStatusResponse& status, const std::string& purpose,
                                   v1::IdentifierClass identifier_class) {
    for (const v1::KeyStatus& key : status.keys()) {
      if (key.purpose() == purpose && key.identifier_class() == identifier_class) return &key;
    }
    return nullptr;
  }

  NodeWorld world_;
  KeyStatus::Rotations rotations_;
};

TEST_F(KeyStatusTest, EachKeyIsThereWithItsHoldersAndWhatIsLeftOfTheQuota) {
  const v1::GetKeyStatusResponse status = Get();
  EXPECT_EQ(status.partner(), "politie");
  EXPECT_EQ(status.policy(), "c1/r1");
  EXPECT_EQ(status.keys_size(), 5);
  const v1::KeyStatus* key = Find(status, "onaantastbaren", v1::PERSON);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->state(), "in_use");
  EXPECT_EQ(key->keyset_id(), world_.KeysetOf("onaantastbaren", v1::PERSON)->id());
  EXPECT_EQ(key->generation(), 1u);
  EXPECT_EQ(key->quorum(), 3u);
  EXPECT_TRUE(key->own_share());
  EXPECT_FALSE(key->reshare_wanted());
  EXPECT_FALSE(key->next_covenant());
  ASSERT_EQ(key->holders_size(), 4);
  const uint64_t quota = world_.Snapshot().covenant->QuotaFor("politie", v1::PERSON);
  EXPECT_EQ(key->evaluations_left(), quota);
  for (const v1::KeyHolderStatus& holder : key->holders()) {
    EXPECT_TRUE(holder.online()) << holder.partner();
    EXPECT_EQ(holder.evaluations_left(), quota);
  }
}

TEST_F(KeyStatusTest, AnEpochSaysWhenTheNextOneIsDueAndOneThatEndsDoesNot) {
  world_.RaiseEpoch("onaantastbaren", absl::Hours(24 * 14));
  world_.clock().Advance(absl::Hours(24));
  const policy::Snapshot snapshot = world_.Snapshot();
  const absl::Duration year = absl::Hours(24 * 365);
  const v1::GetKeyStatusResponse status = Get();
  for (const v1::KeyStatus& key : status.keys()) {
    SCOPED_TRACE(key.ShortDebugString());
    EXPECT_FALSE(key.epoch_over());
    if (key.purpose() == "onaantastbaren" && key.epoch() == 2) {
      EXPECT_EQ(key.epoch_due(), policy::FormatUtc(snapshot.covenant->valid_from() + year));
    } else if (key.purpose() == "onaantastbaren") {
      EXPECT_EQ(key.epoch_due(), "") << "it ends by itself";
    } else {
      EXPECT_EQ(key.epoch_due(), policy::FormatUtc(snapshot.chain->all()[0]->valid_from() + year));
    }
  }
}

TEST_F(KeyStatusTest, AnEpochThatIsOverIsMarkedAndOneOfACovenantThatFollowsIsNot) {
  NodeWorld short_world([](v1::Covenant& covenant) { covenant.set_epoch_days(7); });
  short_world.AnnouncePurpose("nieuw", absl::Hours(24));
  KeyStatus status(
      short_world.node("politie").environment, [] { return std::make_shared<PeerClients>(); }, nullptr);
  const auto keys = status.Get(short_world.Snapshot());
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->next_covenant(), 2u);
  std::set<std::string> purposes;
  for (const v1::KeyStatus& key : keys->keys()) {
    purposes.insert(key.purpose());
    EXPECT_EQ(key.next_covenant(), key.purpose() == "nieuw");
    EXPECT_EQ(key.epoch_over(), key.purpose() != "nieuw");
    EXPECT_EQ(key.epoch_due().empty(), key.purpose() == "nieuw");
  }
  EXPECT_EQ(purposes.size(), 4u);
}

TEST_F(KeyStatusTest, WhatWasEvaluatedIsLessLeft) {
  world_.Push("politie", NodeWorld::RecordOf("one"));
  world_.Drain("politie");
  const v1::GetKeyStatusResponse status = Get();
  const uint64_t quota = world_.Snapshot().covenant->QuotaFor("politie", v1::PERSON);
  EXPECT_LT(Find(status, "onaantastbaren", v1::PERSON)->evaluations_left(), quota);
  EXPECT_EQ(Find(status, "risicojeugd", v1::PERSON)->evaluations_left(), quota);
}

TEST_F(KeyStatusTest, WhoMayNotUseTheBsnHasNothingLeftThere) {
  const v1::GetKeyStatusResponse status = Get("woningcorporatie");
  const v1::KeyStatus* key = Find(status, "onaantastbaren", v1::BSN);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->own_share());
  EXPECT_EQ(key->evaluations_left(), 0u);
  for (const v1::KeyHolderStatus& holder : key->holders()) EXPECT_TRUE(holder.online());
}

TEST_F(KeyStatusTest, AHolderThatIsAwayOrHasNoShareIsNotOnline) {
  testing::TestNode& politie = world_.node("politie");
  politie.peers["gemeente"]->on_describe = nullptr;
  const auto keyset = world_.KeysetOf("onaantastbaren", v1::PERSON);
  world_.node("jeugdzorg").keys->Disregard(keyset->id());
  const v1::GetKeyStatusResponse status = Get();
  for (const v1::KeyHolderStatus& holder : Find(status, "onaantastbaren", v1::PERSON)->holders()) {
    EXPECT_EQ(holder.online(), holder.partner() == "politie" || holder.partner() == "woningcorporatie")
        << holder.partner();
  }
  EXPECT_THAT(Make("politie").Online(*keyset), ::testing::ElementsAre("politie", "woningcorporatie"));
}

TEST_F(KeyStatusTest, AKeyThatIsGoneIsMissingAndRotationsAreToldAsTheyAre) {
  world_.node("politie").keys->Disregard(world_.KeysetOf("onaantastbaren", v1::PERSON)->id());
  rotations_ = [](const policy::Snapshot&) {
    v1::RotationStatus rotation;
    rotation.set_purpose("onaantastbaren");
    rotation.set_live(7);
    return std::vector<v1::RotationStatus>{rotation};
  };
  const v1::GetKeyStatusResponse status = Get();
  const v1::KeyStatus* key = Find(status, "onaantastbaren", v1::PERSON);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->state(), "missing");
  EXPECT_EQ(key->keyset_id(), "");
  ASSERT_EQ(status.rotations_size(), 1);
  EXPECT_EQ(status.rotations(0).live(), 7u);
}

TEST(CovenantThatFollowsTest, KeysAreMadeForACovenantWhoseDateHasComeAndThatWaitsForItsRoster) {
  raakvlak::testing::TestRegion region;
  testing::CeremonyWorld world(region);
  const auto begin = [&](const std::string& kind) {
    v1::StartCeremonyRequest request;
    request.set_kind(kind);
    request.set_purpose(testing::CeremonyWorld::kPurpose);
    request.set_identifier_class(testing::CeremonyWorld::kClass);
    request.set_next_covenant(true);
    return world.node("politie").driver->Propose(
        world.OperatorPass("politie"), request,
        [](const policy::Keyset&) { return std::set<std::string>(); });
  };
  EXPECT_THAT(begin("generate"), base::testing::HasReason(base::reason::kCovenantMismatch)) << "none follows";
  region.clock().Advance(absl::Minutes(1));
  region.NextCovenant();
  region.RaiseEpoch(testing::CeremonyWorld::kPurpose, absl::ZeroDuration());
  ASSERT_THAT(policy::AddNote(region.policy_folder(), crypto::note::Format(region.CovenantNote())), IsOk());
  ASSERT_EQ(world.Snapshot().covenant->text().version(), 1u);
  const auto started = begin("generate");
  ASSERT_THAT(started, IsOk());
  for (const std::string& partner : world.partners())
    EXPECT_THAT(world.Approve(partner, started->ceremony_id()), IsOk()) << partner;
  world.Step();
  for (const std::string& partner : world.partners())
    EXPECT_NE(world.KeysetAt(partner, 2), nullptr) << partner;
}

}  // namespace
}  // namespace raakvlak::node

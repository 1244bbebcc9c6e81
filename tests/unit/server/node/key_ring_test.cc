#include "server/node/key_ring.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "tests/support/region.h"
#include "tests/support/split.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

// Keys as ceremonies make them, generation after generation, and the ring of politie (index 1).
class KeyRingTest : public ::testing::Test {
 protected:
  struct Made {
    std::string note;
    std::shared_ptr<const policy::Keyset> keyset;
    crypto::group::Scalar share;
  };

  KeyRingTest() {
    chain_ = policy::ChainOf(*region_.authority().Current());
    Reload();
  }

  Made Make(uint8_t identifier_class, uint32_t generation, absl::string_view replaces) {
    const policy::Covenant& covenant = *chain_->all().front();
    const auto sharing = *raakvlak::testing::Split(key_, 3, {1, 2, 3, 4}, random_);
    policy::KeysetText text;
    text.region = covenant.region();
    text.purpose = "risicojeugd";
    text.identifier_class = identifier_class;
    text.epoch = 1;
    text.generation = generation;
    text.replaces = std::string(replaces);
    text.quorum = 3;
    text.covenant_id = covenant.id();
    text.transcript_hash = random_.Bytes(32);
    for (const auto& [index, partner] : policy::KeyHolders(covenant.text()))
      text.holders.emplace_back(index, partner);
    text.commitments = sharing.commitments;
    crypto::note::Note note{policy::FormatKeysetText(text), {}};
    for (const auto& verifier : covenant.PartnerVerifiers())
      crypto::note::Sign(note, verifier, region_.KeyOf(verifier.name()));
    std::string file = crypto::note::Format(note);
    auto keyset = *policy::Keyset::Verify(file, *chain_);
    return {std::move(file), std::move(keyset), sharing.shares[0]};
  }
  absl::Status Install(const Made& made) { return ring_->Install(made.note, made.keyset, &made.share); }
  void Reload() {
    auto ring = KeyRing::Load({folder_.File("keysets"), folder_.File("shares")}, "politie",
                              base::SecretBytes(std::string(32, 'v')), *chain_, random_);
    ASSERT_THAT(ring, IsOk());
    ring_ = *std::move(ring);
  }
  std::string ShareFile(const Made& made) {
    return folder_.File("shares/" + base::Hex(made.keyset->id()) + ".share");
  }
  bool Holds(const Made& made) {
    const auto keys = ring_->Now();
    const crypto::group::Scalar* share = keys->FindShare(made.keyset->id());
    return share != nullptr && *share == made.share;
  }

  TestRegion region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{5};
  crypto::group::Scalar key_ = crypto::group::Scalar::Random(random_);
  std::shared_ptr<const policy::CovenantChain> chain_;
  std::unique_ptr<KeyRing> ring_;
};

TEST_F(KeyRingTest, WhatIsInstalledIsUsedAndThereAfterARestart) {
  const Made made = Make(1, 1, "");
  const auto before = ring_->Now();
  ASSERT_THAT(Install(made), IsOk());
  EXPECT_TRUE(Holds(made));
  EXPECT_EQ(before->FindShare(made.keyset->id()), nullptr) << "who asked before goes on with what it got";
  ASSERT_THAT(Install(made), IsOk());
  Reload();
  EXPECT_TRUE(Holds(made));
  EXPECT_EQ(ring_->Now()->keysets().Newest("risicojeugd", 1, 1)->id(), made.keyset->id());
}

TEST_F(KeyRingTest, ANewGenerationTakesTheOlderShareAway) {
  const Made first = Make(1, 1, "");
  const Made other_class = Make(2, 1, "");
  ASSERT_THAT(Install(first), IsOk());
  ASSERT_THAT(Install(other_class), IsOk());
  const Made second = Make(1, 2, first.keyset->id());
  ASSERT_THAT(Install(second), IsOk());
  EXPECT_TRUE(Holds(second));
  EXPECT_FALSE(Holds(first));
  EXPECT_FALSE(std::filesystem::exists(ShareFile(first)));
  EXPECT_TRUE(Holds(other_class));
  // A restore puts the older one back: it goes at the next start.
  ASSERT_THAT(base::WriteFileAtomically(ShareFile(first), "old", 0600), IsOk());
  Reload();
  EXPECT_FALSE(std::filesystem::exists(ShareFile(first)));
  EXPECT_TRUE(Holds(second));
}

TEST_F(KeyRingTest, ASecondKeyOfOneGenerationIsRefused) {
  const Made first = Make(1, 1, "");
  ASSERT_THAT(Install(first), IsOk());
  const Made second = Make(1, 1, "");
  EXPECT_THAT(Install(second), HasReason(base::reason::kKeysetInvalid));
  EXPECT_TRUE(Holds(first));
  Reload();
  EXPECT_TRUE(Holds(first));
}

TEST_F(KeyRingTest, ALaterGenerationWithAnotherKeyIsRefusedAndTheShareInUseStays) {
  const Made first = Make(1, 1, "");
  ASSERT_THAT(Install(first), IsOk());
  key_ = crypto::group::Scalar::Random(random_);
  const Made other = Make(1, 2, first.keyset->id());
  EXPECT_THAT(Install(other), HasReason(base::reason::kKeysetInvalid));
  EXPECT_TRUE(Holds(first));
  EXPECT_FALSE(std::filesystem::exists(ShareFile(other)));
  Reload();
  EXPECT_TRUE(Holds(first));
}

TEST_F(KeyRingTest, AHalfWrittenShareIsRemovedAtTheStartAndNothingElse) {
  const Made made = Make(1, 1, "");
  ASSERT_THAT(Install(made), IsOk());
  const std::string id = std::string(64, 'a');
  const std::vector<std::string> others = {id + ".share", id + ".share.bak", "a.share.Xy12Zq", "readme"};
  for (const std::string& name : others)
    ASSERT_THAT(base::WriteFileAtomically(folder_.File("shares/" + name), "x", 0600), IsOk());
  ASSERT_THAT(base::WriteFileAtomically(folder_.File("shares/" + id + ".share.Xy12Zq"), "x", 0600), IsOk());
  Reload();
  EXPECT_FALSE(std::filesystem::exists(folder_.File("shares/" + id + ".share.Xy12Zq")));
  for (const std::string& name : others) EXPECT_TRUE(std::filesystem::exists(folder_.File("shares/" + name)));
  EXPECT_TRUE(Holds(made));
}

TEST_F(KeyRingTest, AnotherHoldersShareIsNotTaken) {
  Made made = Make(1, 1, "");
  made.share = made.share + crypto::group::Scalar::FromUint64(1);
  EXPECT_THAT(Install(made), HasReason(base::reason::kVerificationFailed));
  EXPECT_EQ(ring_->Now()->keysets().size(), 0u);
}

TEST_F(KeyRingTest, AMissingShareLeavesTheKeysetAndAWrongOneStopsTheStart) {
  const Made made = Make(1, 1, "");
  ASSERT_THAT(Install(made), IsOk());
  ASSERT_THAT(base::RemoveFile(ShareFile(made)), IsOk());
  Reload();
  EXPECT_FALSE(Holds(made));
  EXPECT_EQ(ring_->Now()->keysets().size(), 1u);
  ASSERT_THAT(base::WriteFileAtomically(ShareFile(made), std::string(72, 'x'), 0600), IsOk());
  EXPECT_THAT(KeyRing::Load({folder_.File("keysets"), folder_.File("shares")}, "politie",
                            base::SecretBytes(std::string(32, 'v')), *chain_, random_),
              HasReason(base::reason::kVerificationFailed));
}

// As at the start and in the thread that destroys keys, while another thread installs one.
TEST_F(KeyRingTest, WhoWalksOverTheKeysetsIsNotInTheWayOfOneThatDropsThem) {
  ASSERT_THAT(Install(Make(1, 1, "")), IsOk());
  ASSERT_THAT(Install(Make(2, 1, "")), IsOk());
  std::set<uint8_t> seen;
  for (const auto& keyset : ring_->Now()->keysets().all()) {
    ASSERT_THAT(ring_->Drop("risicojeugd", 1), IsOk());
    seen.insert(keyset->text().identifier_class);
  }
  EXPECT_EQ(seen, (std::set<uint8_t>{1, 2}));
}

TEST_F(KeyRingTest, AnEpochThatEndedLeavesNothing) {
  const Made made = Make(1, 1, "");
  const Made other = Make(2, 1, "");
  ASSERT_THAT(Install(made), IsOk());
  ASSERT_THAT(Install(other), IsOk());
  EXPECT_TRUE(ring_->Drop("risicojeugd", 2)->empty());
  EXPECT_TRUE(ring_->Drop("onaantastbaren", 1)->empty());
  EXPECT_EQ(ring_->Drop("risicojeugd", 1)->size(), 2u);
  EXPECT_FALSE(Holds(made));
  EXPECT_FALSE(std::filesystem::exists(ShareFile(made)));
  Reload();
  EXPECT_EQ(ring_->Now()->keysets().size(), 0u);
  EXPECT_TRUE(ring_->Drop("risicojeugd", 1)->empty());
}

}  // namespace
}  // namespace raakvlak::node

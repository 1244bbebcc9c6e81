// What a quorum of shares gives, and what fewer give: nothing, however old and new ones are mixed.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/crypto/ceremony/quorums.h"

namespace raakvlak::crypto::ceremony {
namespace {

using group::Element;
using group::Scalar;
using testing::Again;
using testing::CountBits;
using testing::ExpectEveryQuorumGivesTheTokenOf;
using testing::FirstIndices;
using testing::Held;
using testing::MemberAt;
using testing::NewKey;
using testing::Reconstruct;
using testing::Rig;
using testing::SetsOf;
using testing::Subset;
using testing::TokenOf;

Held Generate(uint32_t n, uint32_t quorum) { return Rig(NewKey(FirstIndices(n), quorum)).Make(); }

Held Refresh(const Held& held) {
  std::vector<uint32_t> indices;
  for (const auto& [index, share] : held.shares) indices.push_back(index);
  const auto quorum = static_cast<uint32_t>(held.commitments.size());
  return Rig(Again(held, Kind::kRefresh, NewKey(indices, quorum)), &held).Make();
}

// The first holders of the old quorum contribute; who holds afterwards is `receivers`.
Held Reshare(const Held& held, const std::vector<uint32_t>& receivers, uint32_t quorum) {
  std::map<uint32_t, Role> roles;
  for (const uint32_t index : receivers) roles[index] = Role::kReceiver;
  size_t contributing = 0;
  for (const auto& [index, share] : held.shares) {
    if (contributing++ == held.commitments.size()) break;
    roles[index] = roles.contains(index) ? Role::kBoth : Role::kContributor;
  }
  ParametersText text = Again(held, Kind::kReshare, NewKey({}, quorum));
  for (const auto& [index, role] : roles) text.members.push_back(MemberAt(index, role));
  return Rig(text, &held).Make();
}

class EveryRegionTest : public ::testing::TestWithParam<std::pair<uint32_t, uint32_t>> {};

TEST_P(EveryRegionTest, EveryQuorumGivesTheTokenOfTheWholeKeyAfterGenerateRefreshAndReshare) {
  const auto [n, quorum] = GetParam();
  const Held made = Generate(n, quorum);
  ASSERT_EQ(made.shares.size(), n);
  ASSERT_EQ(made.commitments.size(), quorum);
  const Scalar key = Reconstruct(Subset(made, (1u << quorum) - 1));
  EXPECT_TRUE(Element::MulBase(key) == made.commitments.front());
  ExpectEveryQuorumGivesTheTokenOf(key, made);

  const Held fresh = Refresh(made);
  EXPECT_TRUE(fresh.commitments.front() == made.commitments.front());
  ExpectEveryQuorumGivesTheTokenOf(key, fresh);

  // Holder 1 leaves, two join; the quorum becomes n, or 2 where it was n.
  std::vector<uint32_t> receivers = FirstIndices(n + 2);
  receivers.erase(receivers.begin());
  const uint32_t other_quorum = quorum == n ? 2 : n;
  const Held other = Reshare(fresh, receivers, other_quorum);
  ASSERT_EQ(other.shares.size(), n + 1);
  ASSERT_EQ(other.commitments.size(), other_quorum);
  EXPECT_TRUE(other.commitments.front() == made.commitments.front());
  ExpectEveryQuorumGivesTheTokenOf(key, other);
}

std::vector<std::pair<uint32_t, uint32_t>> Regions() {
  std::vector<std::pair<uint32_t, uint32_t>> out;
  for (uint32_t n = 3; n <= 7; ++n) {
    for (uint32_t quorum = 2; quorum <= n; ++quorum) out.push_back({n, quorum});
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(NAndT, EveryRegionTest, ::testing::ValuesIn(Regions()), [](const auto& region) {
  return "n" + std::to_string(region.param.first) + "t" + std::to_string(region.param.second);
});

// Too few.

using Points = std::map<uint32_t, Scalar>;

// The value at `x` of the polynomial of least degree through (0, constant) and `points`.
Scalar ValueAt(uint32_t x, const Scalar& constant, const Points& points) {
  std::vector<std::pair<Scalar, Scalar>> all = {{Scalar(), constant}};
  for (const auto& [index, value] : points) all.push_back({Scalar::FromUint64(index), value});
  Scalar out;
  for (const auto& [at, value] : all) {
    Scalar term = value;
    for (const auto& [other, ignored] : all) {
      if (!(other == at)) term = term * (Scalar::FromUint64(x) - other) * (at - other).Invert();
    }
    out = out + term;
  }
  return out;
}

// A sharing of `key` with the same holders and quorum as `held`, in which the `known` shares are as they are.
Held Alternative(const Held& held, const Scalar& key, const Points& known) {
  // Where fewer are known than could be, the others are free; zero will do.
  Points fixed = known;
  for (const auto& [index, share] : held.shares) {
    if (fixed.size() + 1 < held.commitments.size()) fixed.emplace(index, Scalar());
  }
  Held out;
  for (const auto& [index, share] : held.shares) out.shares[index] = ValueAt(index, key, fixed);
  return out;
}

// Whoever knows these old and these new shares cannot tell the key from any other: there is a sharing of
// another key, before and after, in which exactly these shares are the same. So no function of them gives it.
void ExpectAnyKeyFits(const Held& before, const Points& old_known, const Held& after,
                      const Points& new_known) {
  const Scalar other_key = Scalar::FromUint64(424242);
  for (const auto& [held, known] : {std::pair(&before, &old_known), std::pair(&after, &new_known)}) {
    Held alternative = Alternative(*held, other_key, *known);
    for (const auto& [index, share] : *known) EXPECT_TRUE(alternative.shares.at(index) == share);
    for (const uint32_t bits : SetsOf(*held, held->commitments.size())) {
      EXPECT_TRUE(Reconstruct(Subset(alternative, bits)) == other_key) << bits;
    }
  }
}

// Lagrange over any part of the shares known, with the old or the new one where a holder has both.
void ExpectNoMixtureGives(const Scalar& key, const Points& old_known, const Points& new_known) {
  const std::string token = TokenOf(key);
  for (const bool new_first : {false, true}) {
    Points mixed = new_first ? new_known : old_known;
    for (const auto& [index, share] : new_first ? old_known : new_known) mixed.emplace(index, share);
    Held all;
    all.shares = mixed;
    for (uint32_t bits = 0; bits < (1u << mixed.size()); ++bits) {
      if (CountBits(bits) < 2) continue;
      const Scalar guess = Reconstruct(Subset(all, bits));
      EXPECT_FALSE(guess == key);
      EXPECT_NE(TokenOf(guess), token);
    }
  }
}

class TooFewTest : public ::testing::Test {
 protected:
  // Every t - 1 of the old shares with every t - 1 of the new ones.
  void ExpectWorthless(const Held& before, const Held& after) {
    const Scalar key = Reconstruct(Subset(before, (1u << before.commitments.size()) - 1));
    ASSERT_TRUE(Element::MulBase(key) == after.commitments.front());
    for (const uint32_t old_bits : SetsOf(before, before.commitments.size() - 1)) {
      for (const uint32_t new_bits : SetsOf(after, after.commitments.size() - 1)) {
        SCOPED_TRACE(std::to_string(old_bits) + " old, " + std::to_string(new_bits) + " new");
        const Points old_known = Subset(before, old_bits);
        const Points new_known = Subset(after, new_bits);
        ExpectNoMixtureGives(key, old_known, new_known);
        ExpectAnyKeyFits(before, old_known, after, new_known);
      }
    }
  }
};

TEST_F(TooFewTest, OldSharesAndSharesOfARefreshReconstructNothing) {
  for (const auto& [n, quorum] : std::vector<std::pair<uint32_t, uint32_t>>{{3, 2}, {3, 3}, {4, 3}}) {
    const Held before = Generate(n, quorum);
    ExpectWorthless(before, Refresh(before));
  }
}

TEST_F(TooFewTest, OldSharesAndSharesOfAReshareToMoreFewerOrAnotherQuorumReconstructNothing) {
  const Held before = Generate(4, 3);
  ExpectWorthless(before, Reshare(before, {1, 2, 3, 4, 5}, 3));
  ExpectWorthless(before, Reshare(before, {2, 3, 4}, 3));
  ExpectWorthless(before, Reshare(before, {1, 2, 3, 4}, 2));
  ExpectWorthless(before, Reshare(before, {1, 2, 3, 4}, 4));
}

TEST_F(TooFewTest, AQuorumOfEitherIsEnoughAndFitsNoOtherKey) {
  const Held before = Generate(4, 3);
  const Held after = Refresh(before);
  const Scalar key = Reconstruct(Subset(before, 0b0111));
  for (const Held* held : {&before, &after}) {
    for (const uint32_t bits : SetsOf(*held, 3)) {
      const Points known = Subset(*held, bits);
      EXPECT_TRUE(Reconstruct(known) == key);
      // A polynomial of the quorum's degree through all of them and another key does not exist.
      Points two = known;
      const auto [index, share] = *two.begin();
      two.erase(two.begin());
      EXPECT_FALSE(ValueAt(index, Scalar::FromUint64(424242), two) == share);
      EXPECT_TRUE(ValueAt(index, key, two) == share);
    }
  }
}

TEST_F(TooFewTest, ALeaversShareGivesNothingWithFewerThanTheQuorumOfNewOnes) {
  const Held before = Generate(4, 3);
  const Scalar key = Reconstruct(Subset(before, 0b0111));
  // The leaver contributes, so it sees all there is to see for it; and it does not.
  for (const uint32_t leaver : {1u, 4u}) {
    std::vector<uint32_t> receivers = {1, 2, 3, 4, 5};
    receivers.erase(receivers.begin() + (leaver - 1));
    const Held after = Reshare(before, receivers, 3);
    EXPECT_FALSE(after.shares.contains(leaver));
    EXPECT_TRUE(after.commitments.front() == before.commitments.front());
    const Points old_known = {{leaver, before.shares.at(leaver)}};
    for (const uint32_t bits : SetsOf(after, 2)) {
      ExpectNoMixtureGives(key, old_known, Subset(after, bits));
      ExpectAnyKeyFits(before, old_known, after, Subset(after, bits));
    }
  }
}

}  // namespace
}  // namespace raakvlak::crypto::ceremony

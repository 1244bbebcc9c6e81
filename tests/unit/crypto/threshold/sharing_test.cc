#include "crypto/threshold/sharing.h"

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/threshold/combine.h"
#include "gtest/gtest.h"
#include "tests/support/split.h"

namespace raakvlak::crypto::threshold {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::SeededRandom;
using group::Element;
using group::Scalar;
using raakvlak::testing::Sharing;
using raakvlak::testing::Split;

std::vector<uint32_t> IndicesTo(uint32_t n) {
  std::vector<uint32_t> indices;
  for (uint32_t i = 1; i <= n; ++i) indices.push_back(i);
  return indices;
}

// sum lambda_i share_i over the holders at `positions`.
Scalar Interpolate(const Sharing& sharing, const std::vector<uint32_t>& indices,
                   const std::vector<size_t>& positions) {
  std::vector<uint32_t> chosen;
  for (const size_t position : positions) chosen.push_back(indices[position]);
  const std::vector<Scalar> coefficients = Lagrange(chosen).value();
  Scalar sum;
  for (size_t i = 0; i < positions.size(); ++i) sum = sum + coefficients[i] * sharing.shares[positions[i]];
  return sum;
}

TEST(CheckIndicesTest, AcceptsAllSizesWithinTheLimits) {
  for (uint32_t n = 2; n <= kMaxIndex; ++n) {
    for (uint32_t quorum = 2; quorum <= n; ++quorum) EXPECT_THAT(CheckIndices(quorum, IndicesTo(n)), IsOk());
  }
  EXPECT_THAT(CheckIndices(2, {32, 1}), IsOk());
}

TEST(CheckIndicesTest, RejectsQuorumsOfOneOrMoreThanThereAre) {
  for (const uint32_t quorum : {0u, 1u, 4u, 33u, 0xffffffffu}) {
    EXPECT_THAT(CheckIndices(quorum, {1, 2, 3}), HasReason(base::reason::kInvalidArgument)) << quorum;
  }
  EXPECT_THAT(CheckIndices(2, {}), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(CheckIndices(2, {1}), HasReason(base::reason::kInvalidArgument));
}

TEST(CheckIndicesTest, RejectsDuplicateZeroAndOutOfRangeIndices) {
  EXPECT_THAT(CheckIndices(2, {1, 2, 1}), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(CheckIndices(2, {7, 7}), HasReason(base::reason::kInvalidArgument));
  for (const uint32_t index : {0u, 33u, 64u, 65u, 0xffffffffu}) {
    EXPECT_THAT(CheckIndices(2, {1, index}), HasReason(base::reason::kInvalidArgument)) << index;
    EXPECT_THAT(CheckIndices(2, {index, 1}), HasReason(base::reason::kInvalidArgument)) << index;
  }
  std::vector<uint32_t> too_many = IndicesTo(32);
  too_many.push_back(33);
  EXPECT_THAT(CheckIndices(2, too_many), HasReason(base::reason::kInvalidArgument));
}

TEST(SplitTest, RejectsWhatCheckIndicesRejectsAndAZeroKey) {
  SeededRandom random(40);
  const Scalar key = Scalar::Random(random);
  EXPECT_THAT(Split(key, 1, {1, 2, 3}, random), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Split(key, 2, {1, 0}, random), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Split(key, 2, {3, 3}, random), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Split(Scalar(), 2, {1, 2}, random), HasReason(base::reason::kInvalidArgument));
}

TEST(SplitTest, SharesLieOnAPolynomialOfTheRightDegree) {
  SeededRandom random(41);
  const std::vector<uint32_t> indices = {3, 32, 7, 1, 20};
  for (uint32_t quorum = 2; quorum <= 5; ++quorum) {
    const Scalar key = Scalar::Random(random);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Sharing sharing, Split(key, quorum, indices, random));
    ASSERT_EQ(sharing.commitments.size(), quorum);
    ASSERT_EQ(sharing.shares.size(), indices.size());
    EXPECT_EQ(sharing.commitments[0], Element::MulBase(key));
    std::vector<size_t> positions;
    for (size_t i = 0; i < indices.size(); ++i) {
      positions.push_back(i);
      if (i == 0) continue;
      // Off by one would show here: t - 1 shares are not enough, t are.
      EXPECT_EQ(Interpolate(sharing, indices, positions) == key, positions.size() >= quorum)
          << positions.size() << " of quorum " << quorum;
    }
  }
}

TEST(SplitTest, TwoSharingsOfOneKeyHaveNothingElseInCommon) {
  SeededRandom random(42);
  const Scalar key = Scalar::Random(random);
  const Sharing first = Split(key, 2, {1, 2}, random).value();
  const Sharing second = Split(key, 2, {1, 2}, random).value();
  EXPECT_EQ(first.commitments[0], second.commitments[0]);
  EXPECT_FALSE(first.commitments[1] == second.commitments[1]);
  EXPECT_FALSE(first.shares[0] == second.shares[0]);
  EXPECT_FALSE(first.shares[0] == key);
}

TEST(PublicShareTest, EqualsTheShareTimesTheGenerator) {
  SeededRandom random(43);
  for (const uint32_t quorum : {2u, 3u, 7u, 32u}) {
    const std::vector<uint32_t> indices = IndicesTo(32);
    const Sharing sharing = Split(Scalar::Random(random), quorum, indices, random).value();
    for (const uint32_t index : indices) {
      EXPECT_EQ(PublicShare(sharing.commitments, index).value(), Element::MulBase(sharing.shares[index - 1]));
      EXPECT_THAT(CheckShare(sharing.commitments, index, sharing.shares[index - 1]), IsOk());
    }
  }
}

TEST(PublicShareTest, RejectsIndicesAndCommitmentsOutsideTheLimits) {
  SeededRandom random(44);
  const Sharing sharing = Split(Scalar::Random(random), 2, {1, 2}, random).value();
  for (const uint32_t index : {0u, 33u, 0xffffffffu}) {
    EXPECT_THAT(PublicShare(sharing.commitments, index), HasReason(base::reason::kInvalidArgument)) << index;
  }
  const Element generator = Element::Generator();
  EXPECT_THAT(PublicShare({}, 1), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(PublicShare({generator}, 1), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(PublicShare(std::vector<Element>(33, generator), 1), HasReason(base::reason::kInvalidArgument));
}

TEST(PublicShareTest, AnIdentityIsRejected) {
  // f(X) = 5 - X has the zero share at 5.
  const Element a_0 = Element::MulBase(Scalar::FromUint64(5));
  const Element a_1 = Element::MulBase(Scalar() - Scalar::FromUint64(1));
  EXPECT_THAT(PublicShare({a_0, a_1}, 5), HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(CheckShare({a_0, a_1}, 5, Scalar()), HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(CheckShare({a_0, a_1}, 4, Scalar::FromUint64(1)), IsOk());
}

TEST(CheckShareTest, OtherSharesAreRejected) {
  SeededRandom random(45);
  const Sharing sharing = Split(Scalar::Random(random), 3, {1, 2, 3, 4}, random).value();
  EXPECT_THAT(CheckShare(sharing.commitments, 1, sharing.shares[1]),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(CheckShare(sharing.commitments, 1, Scalar()), HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(CheckShare(sharing.commitments, 1, sharing.shares[0] + Scalar::FromUint64(1)),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(CheckShare(sharing.commitments, 0, sharing.shares[0]),
              HasReason(base::reason::kInvalidArgument));
}

TEST(CheckShareTest, AnotherCommitmentVectorIsRejected) {
  SeededRandom random(46);
  const Sharing sharing = Split(Scalar::Random(random), 3, {1, 2, 3}, random).value();
  std::vector<Element> longer = sharing.commitments;
  longer.push_back(Element::Generator());
  EXPECT_THAT(CheckShare(longer, 1, sharing.shares[0]), HasReason(base::reason::kVerificationFailed));
  std::vector<Element> shorter = sharing.commitments;
  shorter.pop_back();
  EXPECT_THAT(CheckShare(shorter, 1, sharing.shares[0]), HasReason(base::reason::kVerificationFailed));
  std::vector<Element> swapped = sharing.commitments;
  std::swap(swapped[1], swapped[2]);
  EXPECT_THAT(CheckShare(swapped, 2, sharing.shares[1]), HasReason(base::reason::kVerificationFailed));
}

}  // namespace
}  // namespace raakvlak::crypto::threshold

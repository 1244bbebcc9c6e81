#include "crypto/threshold/combine.h"

#include <numeric>
#include <string>

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/oprf/oprf.h"
#include "crypto/threshold/sharing.h"
#include "gtest/gtest.h"
#include "tests/support/split.h"

namespace raakvlak::crypto::threshold {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::SeededRandom;
using group::Element;
using group::Scalar;
using oprf::ElementList;
using raakvlak::testing::Sharing;
using raakvlak::testing::Split;

// A key split over holders, inputs blinded by a client, and each holder's verified answer.
class Region {
 public:
  Region(uint32_t quorum, std::vector<uint32_t> indices, size_t num_inputs, uint64_t seed)
      : random_(seed), quorum_(quorum), indices_(std::move(indices)), key_(Scalar::Random(random_)) {
    const Sharing sharing = Split(key_, quorum_, indices_, random_).value();
    std::string packed;
    for (size_t m = 0; m < num_inputs; ++m) {
      inputs_.push_back("input " + std::to_string(m));
      const oprf::Blinded one = oprf::Blind(inputs_.back(), random_).value();
      blinds_.push_back(one.blind);
      packed += one.blinded.Encode();
    }
    const ElementList request = ElementList::DecodeAll(packed).value();
    for (size_t i = 0; i < indices_.size(); ++i) {
      const Element public_share = PublicShare(sharing.commitments, indices_[i]).value();
      const oprf::Evaluation evaluation =
          oprf::BlindEvaluate(sharing.shares[i], public_share, request, random_).value();
      answers_.push_back(ElementList::DecodeAll(evaluation.evaluated).value());
      EXPECT_THAT(oprf::VerifyProof(public_share, request, answers_.back(), evaluation.proof), IsOk());
    }
  }

  Partial At(size_t position) const { return {indices_[position], &answers_[position]}; }

  // The partials of the holders whose bit is set.
  std::vector<Partial> Subset(uint32_t bits) const {
    std::vector<Partial> out;
    for (size_t i = 0; i < indices_.size(); ++i) {
      if ((bits >> i) & 1) out.push_back(At(i));
    }
    return out;
  }

  absl::StatusOr<std::vector<Element>> Combine(const std::vector<Partial>& partials) const {
    return threshold::Combine(quorum_, partials, blinds_);
  }

  // What the undivided key gives.
  std::vector<Element> Expected() const {
    std::vector<Element> out;
    for (const std::string& input : inputs_)
      out.push_back(oprf::HashToGroup(input).value().Mul(key_).ToElement());
    return out;
  }
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<Scalar>& blinds() const { return blinds_; }

 private:
  SeededRandom random_;
  const uint32_t quorum_;
  const std::vector<uint32_t> indices_;
  const Scalar key_;
  std::vector<std::string> inputs_;
  std::vector<Scalar> blinds_;
  std::vector<ElementList> answers_;
};

std::vector<uint32_t> FirstIndices(uint32_t n) {
  std::vector<uint32_t> indices(n);
  std::iota(indices.begin(), indices.end(), 1u);
  return indices;
}

TEST(CombineTest, EveryQuorumOfEveryRegionUpToSevenGivesTheOutputOfTheSingleKey) {
  int combined = 0;
  for (uint32_t n = 2; n <= 7; ++n) {
    for (uint32_t quorum = 2; quorum <= n; ++quorum) {
      const Region region(quorum, FirstIndices(n), 2, 100 * n + quorum);
      const std::vector<Element> expected = region.Expected();
      for (uint32_t bits = 0; bits < (1u << n); ++bits) {
        if (static_cast<uint32_t>(__builtin_popcount(bits)) != quorum) continue;
        RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<Element> got, region.Combine(region.Subset(bits)));
        ASSERT_EQ(got, expected) << "n " << n << " quorum " << quorum << " set " << bits;
        const auto output = oprf::Finalize(region.inputs()[0], got[0]);
        EXPECT_EQ(output.Reveal(base::RevealSecret{}),
                  oprf::Finalize(region.inputs()[0], expected[0]).Reveal(base::RevealSecret{}));
        ++combined;
      }
    }
  }
  // sum over n of 2^n - n - 1.
  EXPECT_EQ(combined, 219);
}

TEST(CombineTest, OneHolderFewerThanTheQuorumGivesSomethingElse) {
  for (uint32_t quorum = 3; quorum <= 7; ++quorum) {
    const Region region(quorum, FirstIndices(7), 1, quorum);
    for (uint32_t bits = 0; bits < (1u << 7); ++bits) {
      if (static_cast<uint32_t>(__builtin_popcount(bits)) != quorum - 1) continue;
      const std::vector<Partial> partials = region.Subset(bits);
      // Refused as what it is, and worthless when the quorum is lied about.
      EXPECT_THAT(region.Combine(partials), HasReason(base::reason::kInvalidArgument));
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<Element> got,
                                    Combine(quorum - 1, partials, region.blinds()));
      EXPECT_FALSE(got == region.Expected()) << "quorum " << quorum << " set " << bits;
    }
  }
}

TEST(CombineTest, OneHolderAloneIsRefused) {
  const Region region(2, FirstIndices(3), 1, 50);
  EXPECT_THAT(Combine(1, {region.At(0)}, region.blinds()), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Combine(0, {}, region.blinds()), HasReason(base::reason::kInvalidArgument));
}

TEST(CombineTest, MoreHoldersThanTheQuorumAreRefused) {
  const Region region(2, FirstIndices(3), 1, 51);
  EXPECT_THAT(region.Combine({region.At(0), region.At(1), region.At(2)}),
              HasReason(base::reason::kInvalidArgument));
}

TEST(CombineTest, TheOrderOfTheAnswersDoesNotMatter) {
  const Region region(3, {5, 2, 31, 9}, 3, 52);
  EXPECT_EQ(region.Combine({region.At(0), region.At(1), region.At(3)}).value(), region.Expected());
  EXPECT_EQ(region.Combine({region.At(3), region.At(0), region.At(1)}).value(), region.Expected());
}

TEST(CombineTest, DuplicateZeroAndOutOfRangeIndicesAreRejected) {
  const Region region(2, FirstIndices(3), 1, 53);
  EXPECT_THAT(region.Combine({region.At(0), region.At(0)}), HasReason(base::reason::kInvalidArgument));
  for (const uint32_t index : {0u, 1u, 33u, 0xffffffffu}) {
    Partial renamed = region.At(1);
    renamed.index = index;
    EXPECT_THAT(region.Combine({region.At(0), renamed}), HasReason(base::reason::kInvalidArgument)) << index;
  }
}

TEST(CombineTest, AnAnswerUnderAnothersIndexGivesSomethingElse) {
  const Region region(2, FirstIndices(3), 1, 54);
  Partial renamed = region.At(1);
  renamed.index = 3;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<Element> got, region.Combine({region.At(0), renamed}));
  EXPECT_FALSE(got == region.Expected());
}

TEST(CombineTest, ListsOfDifferentSizesAreRejected) {
  const Region region(2, FirstIndices(2), 3, 55);
  const ElementList shorter =
      ElementList::DecodeAll(std::string(region.At(1).evaluated->packed().substr(0, 64))).value();
  EXPECT_THAT(region.Combine({region.At(0), {2, &shorter}}), HasReason(base::reason::kInvalidArgument));
  const std::vector<Scalar> two_blinds(region.blinds().begin(), region.blinds().begin() + 2);
  EXPECT_THAT(Combine(2, {region.At(0), region.At(1)}, two_blinds),
              HasReason(base::reason::kInvalidArgument));
}

TEST(CombineTest, AnswersThatCancelAreRejected) {
  // Indices 1 and 2 have the coefficients 2 and -1.
  const Region region(2, FirstIndices(2), 1, 56);
  const ElementList doubled =
      ElementList::DecodeAll(region.At(0).evaluated->point(0).MulSmall(2).Encode()).value();
  EXPECT_THAT(region.Combine({region.At(0), {2, &doubled}}), HasReason(base::reason::kVerificationFailed));
}

TEST(CombineTest, LargeAndScatteredRegionsGiveTheOutputOfTheSingleKey) {
  const std::vector<std::vector<uint32_t>> sets = {
      FirstIndices(8),
      FirstIndices(32),
      {1, 32},
      {31, 32},
      {2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32},
      // The factors over the common denominator have 40 bits in the next and 64 in the last.
      {2, 4, 18, 19, 20, 25, 31},
      {3, 5, 8, 10, 12, 15, 16, 17, 18, 20, 21, 24, 30, 31, 32},
  };
  for (const std::vector<uint32_t>& set : sets) {
    const Region region(static_cast<uint32_t>(set.size()), set, 2, 57 + set.size());
    EXPECT_EQ(region.Combine(region.Subset(0xffffffff)).value(), region.Expected()) << set.size();
  }
}

TEST(LagrangeTest, KnownCoefficients) {
  const Scalar one = Scalar::FromUint64(1);
  const Scalar three = Scalar::FromUint64(3);
  const std::vector<Scalar> expected = {three, Scalar() - three, one};
  EXPECT_EQ(Lagrange({1, 2, 3}).value(), expected);
  // 8/3, -2, 1/3.
  const Scalar third = three.Invert();
  const std::vector<Scalar> gap = {Scalar::FromUint64(8) * third, Scalar() - Scalar::FromUint64(2), third};
  EXPECT_EQ(Lagrange({1, 2, 4}).value(), gap);
}

TEST(LagrangeTest, CoefficientsSumToOneForEverySet) {
  SeededRandom random(58);
  for (int round = 0; round < 100; ++round) {
    const std::string draw = random.Bytes(32);
    std::vector<uint32_t> indices;
    for (uint32_t i = 1; i <= 32; ++i) {
      if (draw[i - 1] & 1) indices.push_back(i);
    }
    if (indices.size() < 2) continue;
    Scalar sum;
    const std::vector<Scalar> coefficients = Lagrange(indices).value();
    for (const Scalar& coefficient : coefficients) sum = sum + coefficient;
    EXPECT_EQ(sum, Scalar::FromUint64(1));
  }
}

TEST(LagrangeTest, RejectsWhatCheckIndicesRejects) {
  for (const std::vector<uint32_t>& indices :
       std::vector<std::vector<uint32_t>>{{}, {1}, {1, 1}, {0, 1}, {1, 33}, {5, 6, 5}}) {
    EXPECT_THAT(Lagrange(indices), HasReason(base::reason::kInvalidArgument));
  }
}

}  // namespace
}  // namespace raakvlak::crypto::threshold

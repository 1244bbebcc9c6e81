#include "crypto/disclosure/share.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/group/element.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::disclosure {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using group::Scalar;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

// What Recover says of one share alone, which is always too few.
absl::Status VerifyShare(absl::string_view share, uint32_t index, absl::string_view commitments, uint32_t k) {
  std::vector<size_t> faulty;
  const absl::Status status = Recover({{index, std::string(share)}}, commitments, k, &faulty).status();
  if (base::ReasonOf(status) != reason::kThresholdNotMet) return status;
  if (faulty.empty()) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, reason::kVerificationFailed, "faulty");
}

// One identity: a polynomial, its commitments, and shares of any index.
class ShareTest : public ::testing::Test {
 protected:
  ShareTest() { Choose(3); }

  void Choose(uint32_t k) {
    k_ = k;
    coefficients_.clear();
    for (uint32_t j = 0; j < k; ++j) coefficients_.push_back(Scalar::Random(random_));
    commitments_ = Commit(coefficients_);
  }
  std::string Share(uint32_t index) { return EvaluateShare(coefficients_, index)->Encode(); }
  std::vector<IndexedShare> Shares(const std::vector<uint32_t>& indices) {
    std::vector<IndexedShare> out;
    for (const uint32_t index : indices) out.push_back({index, Share(index)});
    return out;
  }
  absl::StatusOr<Recovered> RecoverAll(const std::vector<IndexedShare>& shares) {
    return Recover(shares, commitments_, k_, &faulty_);
  }

  base::testing::SeededRandom random_{41};
  uint32_t k_ = 0;
  std::vector<Scalar> coefficients_;
  std::string commitments_;
  std::vector<size_t> faulty_;
};

TEST_F(ShareTest, AnyThresholdOfOrganisationsRecoversTheSecret) {
  for (uint32_t k = 2; k <= 5; ++k) {
    Choose(k);
    for (unsigned chosen = 0; chosen < 128; ++chosen) {
      std::vector<uint32_t> indices;
      for (uint32_t i = 0; i < 7; ++i) {
        if ((chosen >> i) & 1) indices.push_back(5 * i + 1);
      }
      const absl::StatusOr<Recovered> recovered = RecoverAll(Shares(indices));
      if (indices.size() >= k) {
        ASSERT_THAT(recovered, IsOk()) << k << " " << chosen;
        EXPECT_EQ(recovered->secret, coefficients_[0]);
        EXPECT_THAT(recovered->faulty, IsEmpty());
      } else {
        EXPECT_THAT(recovered, HasReason(reason::kThresholdNotMet)) << k << " " << chosen;
      }
    }
  }
}

TEST_F(ShareTest, AllThirtyTwoRecoverTheSecret) {
  Choose(32);
  std::vector<uint32_t> indices;
  for (uint32_t i = 32; i >= 1; --i) indices.push_back(i);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Recovered recovered, RecoverAll(Shares(indices)));
  EXPECT_EQ(recovered.secret, coefficients_[0]);
  indices.pop_back();
  EXPECT_THAT(RecoverAll(Shares(indices)), HasReason(reason::kThresholdNotMet));
}

TEST_F(ShareTest, LoneSignalRecoversNothing) {
  Choose(2);
  EXPECT_THAT(RecoverAll(Shares({4})), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(RecoverAll({}), HasReason(reason::kThresholdNotMet));
  // The share is not the secret in another dress.
  EXPECT_NE(Share(4), coefficients_[0].Encode());
}

TEST_F(ShareTest, SharesOfOneOrganisationCountOnce) {
  EXPECT_THAT(RecoverAll(Shares({7, 7, 7, 7})), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(RecoverAll(Shares({7, 8, 7, 8})), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, IsEmpty());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Recovered recovered, RecoverAll(Shares({7, 7, 8, 8, 9})));
  EXPECT_EQ(recovered.secret, coefficients_[0]);
}

TEST_F(ShareTest, SharesOfOneOrganisationUnderOtherIndicesAreFaulty) {
  const std::string share = Share(7);
  EXPECT_THAT(RecoverAll({{7, share}, {8, share}, {9, share}}), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(1, 2));
}

TEST_F(ShareTest, LowerThresholdThanTheSharesWereMadeForIsRefused) {
  // Dropping the last commitment lowers the degree; the shares do not fit any more.
  const absl::string_view fewer = absl::string_view(commitments_).substr(0, 2 * kCommitmentSize);
  EXPECT_THAT(Recover(Shares({1, 2}), fewer, 2, &faulty_), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(0, 1));
  EXPECT_THAT(Recover(Shares({1, 2}), commitments_, 2, &faulty_), HasReason(reason::kInvalidArgument));
}

TEST_F(ShareTest, IndexOutsideItsRangeIsRefused) {
  for (const uint32_t index : {0u, 33u, 0xffffffffu}) {
    EXPECT_THAT(CheckIndex(index), HasReason(reason::kInvalidArgument));
    EXPECT_THAT(EvaluateShare(coefficients_, index), HasReason(reason::kInvalidArgument));
    EXPECT_THAT(VerifyShare(coefficients_[0].Encode(), index, commitments_, k_),
                HasReason(reason::kInvalidArgument));
    std::vector<IndexedShare> shares = Shares({1, 2, 3});
    shares.push_back({index, coefficients_[0].Encode()});
    EXPECT_THAT(RecoverAll(shares), HasReason(reason::kInvalidArgument));
  }
  EXPECT_THAT(CheckIndex(1), IsOk());
  EXPECT_THAT(CheckIndex(32), IsOk());
  EXPECT_THAT(VerifyShare(Share(32), 32, commitments_, k_), IsOk());
}

TEST_F(ShareTest, ThresholdOutsideItsRangeIsRefused) {
  for (const uint32_t k : {0u, 1u, 33u, 0xffffffffu}) {
    EXPECT_THAT(CheckThreshold(k), HasReason(reason::kInvalidArgument));
    const std::string commitments =
        std::string(commitments_.substr(0, 32)).append(std::string(k == 33 ? 1024 : 0, 'C'));
    EXPECT_THAT(VerifyShare(Share(1), 1, commitments, k), HasReason(reason::kInvalidArgument)) << k;
    EXPECT_THAT(Recover(Shares({1, 2, 3}), commitments, k, nullptr), HasReason(reason::kInvalidArgument))
        << k;
  }
  EXPECT_THAT(CheckThreshold(2), IsOk());
  EXPECT_THAT(CheckThreshold(32), IsOk());
  // k = 1: the share would be the secret itself.
  EXPECT_THAT(EvaluateShare({coefficients_[0]}, 1), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EvaluateShare({}, 1), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EvaluateShare(std::vector<Scalar>(33, coefficients_[0]), 1),
              HasReason(reason::kInvalidArgument));
}

TEST_F(ShareTest, ShareOfSmallCoefficientsIsThePolynomialInIntegers) {
  const std::vector<Scalar> small = {Scalar::FromUint64(5), Scalar::FromUint64(7), Scalar::FromUint64(11)};
  for (uint32_t x = 1; x <= 32; ++x) {
    EXPECT_EQ(*EvaluateShare(small, x), Scalar::FromUint64(5 + 7 * x + 11 * x * x)) << x;
  }
}

TEST_F(ShareTest, CommitmentsAreTheCoefficientsTimesTheGenerator) {
  ASSERT_EQ(commitments_.size(), k_ * kCommitmentSize);
  for (uint32_t j = 0; j < k_; ++j) {
    EXPECT_EQ(commitments_.substr(32 * j, 32), group::Element::MulBase(coefficients_[j]).Encode());
  }
}

TEST_F(ShareTest, OnlyTheShareOfItsOwnIndexVerifies) {
  for (uint32_t owner = 1; owner <= 32; ++owner) {
    for (uint32_t index = 1; index <= 32; index += 3) {
      const absl::Status status = VerifyShare(Share(owner), index, commitments_, k_);
      if (owner == index) {
        EXPECT_THAT(status, IsOk());
      } else {
        EXPECT_THAT(status, HasReason(reason::kVerificationFailed)) << owner << " as " << index;
      }
    }
  }
}

TEST_F(ShareTest, AnyFlippedBitOfShareOrCommitmentsIsRefused) {
  const std::string share = Share(5);
  for (size_t bit = 0; bit < 256; ++bit) {
    std::string changed = share;
    changed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    ASSERT_THAT(VerifyShare(changed, 5, commitments_, k_), HasReason(reason::kVerificationFailed)) << bit;
  }
  for (size_t bit = 0; bit < 8 * commitments_.size(); ++bit) {
    std::string changed = commitments_;
    changed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    ASSERT_THAT(VerifyShare(share, 5, changed, k_), HasReason(reason::kVerificationFailed)) << bit;
  }
}

TEST_F(ShareTest, ShareThatIsNotCanonicalIsRefused) {
  // s + L: libsodium alone would take it for s.
  const std::string order =
      *base::ParseHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  std::string share = Share(5);
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const int sum = static_cast<uint8_t>(share[i]) + static_cast<uint8_t>(order[i]) + carry;
    share[i] = static_cast<char>(sum & 0xff);
    carry = sum >> 8;
  }
  EXPECT_THAT(VerifyShare(share, 5, commitments_, k_), HasReason(reason::kVerificationFailed));
  std::vector<IndexedShare> shares = Shares({1, 2});
  shares.push_back({5, share});
  EXPECT_THAT(RecoverAll(shares), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(2));
}

TEST_F(ShareTest, ShareOfAnotherLengthIsRefused) {
  const std::string share = Share(5);
  for (const std::string& wrong : {std::string(), share.substr(0, 31), share + '\0'}) {
    EXPECT_THAT(VerifyShare(wrong, 5, commitments_, k_), HasReason(reason::kVerificationFailed))
        << wrong.size();
  }
}

TEST_F(ShareTest, WrongNumberOfCommitmentsIsRefused) {
  const std::string share = Share(5);
  for (const std::string& wrong :
       {std::string(), commitments_.substr(32), commitments_ + commitments_.substr(0, 32),
        commitments_.substr(1), commitments_ + '\0'}) {
    EXPECT_THAT(VerifyShare(share, 5, wrong, k_), HasReason(reason::kInvalidArgument)) << wrong.size();
    EXPECT_THAT(Recover(Shares({1, 2, 3}), wrong, k_, nullptr), HasReason(reason::kInvalidArgument))
        << wrong.size();
  }
}

TEST_F(ShareTest, SwappedCommitmentsMakeEveryShareFaulty) {
  // Not index 1: there 1 * C_0 + 1 * C_1 is the same either way round.
  const std::string swapped =
      commitments_.substr(32, 32) + commitments_.substr(0, 32) + commitments_.substr(64);
  EXPECT_THAT(VerifyShare(Share(5), 5, swapped, k_), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Recover(Shares({2, 3, 4}), swapped, k_, &faulty_), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(0, 1, 2));
}

TEST_F(ShareTest, IdentityOrInvalidCommitmentIsRefused) {
  std::string high_bit(32, '\0');
  high_bit[31] = '\x80';
  for (const std::string& point : {std::string(32, '\0'), std::string(32, '\xff'), high_bit}) {
    for (size_t j = 0; j < k_; ++j) {
      std::string changed = commitments_;
      changed.replace(32 * j, 32, point);
      EXPECT_THAT(VerifyShare(Share(5), 5, changed, k_), HasReason(reason::kVerificationFailed)) << j;
      EXPECT_THAT(Recover(Shares({1, 2, 3}), changed, k_, nullptr), HasReason(reason::kVerificationFailed))
          << j;
    }
  }
}

TEST_F(ShareTest, DegreeHiddenBehindAnIdentityCommitmentIsRefused) {
  // f(X) = K: every share is the secret. The commitments that fit hold identities.
  const std::vector<Scalar> constant = {coefficients_[0], Scalar(), Scalar()};
  const std::string commitments = commitments_.substr(0, 32) + std::string(64, '\0');
  EXPECT_THAT(VerifyShare(EvaluateShare(constant, 5)->Encode(), 5, commitments, k_),
              HasReason(reason::kVerificationFailed));
}

TEST_F(ShareTest, ForgedShareIsNamedAndBlocksNobody) {
  for (size_t liar = 0; liar < 4; ++liar) {
    std::vector<IndexedShare> shares = Shares({2, 9, 17, 32});
    shares[liar].share = Scalar::Random(random_).Encode();
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Recovered recovered, RecoverAll(shares));
    EXPECT_EQ(recovered.secret, coefficients_[0]);
    EXPECT_THAT(recovered.faulty, ElementsAre(liar));
    EXPECT_THAT(faulty_, ElementsAre(liar));
  }
}

TEST_F(ShareTest, ForgedSharesAreNamedAlsoWhenTooFewAreLeft) {
  std::vector<IndexedShare> shares = Shares({2, 9, 17});
  shares[1].share = Share(10);
  EXPECT_THAT(RecoverAll(shares), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(1));
}

TEST_F(ShareTest, ForgedShareDoesNotHideTheGoodOneOfTheSameIndex) {
  std::vector<IndexedShare> shares = Shares({2, 9, 9, 17});
  shares[1].share = Scalar::Random(random_).Encode();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Recovered recovered, RecoverAll(shares));
  EXPECT_EQ(recovered.secret, coefficients_[0]);
  EXPECT_THAT(recovered.faulty, ElementsAre(1));
}

TEST_F(ShareTest, SharesOfTwoIdentitiesDoNotMix) {
  const std::vector<IndexedShare> first = Shares({1, 2});
  Choose(3);
  std::vector<IndexedShare> mixed = Shares({3});
  mixed.insert(mixed.end(), first.begin(), first.end());
  EXPECT_THAT(RecoverAll(mixed), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(faulty_, ElementsAre(1, 2));
}

TEST_F(ShareTest, FaultyListOfAnEarlierCallDoesNotStay) {
  faulty_ = {9};
  EXPECT_THAT(RecoverAll(Shares({1, 2, 3})), IsOk());
  EXPECT_THAT(faulty_, IsEmpty());
  faulty_ = {9};
  EXPECT_THAT(Recover(Shares({1, 2, 3}), "", k_, &faulty_), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(faulty_, IsEmpty());
}

}  // namespace
}  // namespace raakvlak::crypto::disclosure

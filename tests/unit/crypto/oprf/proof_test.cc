// A key holder that cheats: every way of it must end in the one error.
#include "crypto/oprf/proof.h"

#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/oprf/oprf.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::oprf {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::SeededRandom;
using group::Element;
using group::PublicPoint;
using group::Scalar;

constexpr char kOrder[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// The sum of two little-endian numbers of 32 bytes, modulo 2^256.
std::string AddIntegers(std::string a, const std::string& b) {
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += static_cast<uint8_t>(a[i]) + static_cast<uint8_t>(b[i]);
    a[i] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  return a;
}

class ProofTest : public ::testing::Test {
 protected:
  std::string Elements(size_t n) {
    std::string packed;
    for (size_t i = 0; i < n; ++i) packed += Element::MulBase(Scalar::Random(random_)).Encode();
    return packed;
  }
  static ElementList Decoded(const std::string& packed) { return ElementList::DecodeAll(packed).value(); }

  Evaluation Evaluate(const Scalar& key, const std::string& packed) {
    return BlindEvaluate(key, Element::MulBase(key), Decoded(packed), random_).value();
  }
  // As the client does: whatever does not decode is as bad as what does not verify.
  absl::Status Verify(const std::string& evaluated, const std::string& proof) const {
    RAAKVLAK_ASSIGN_OR_RETURN(const ElementList answer, ElementList::DecodeAll(evaluated));
    return VerifyProof(public_key_, Decoded(request_), answer, proof);
  }
  void ExpectRejected(const std::string& evaluated, const std::string& proof, const std::string& why) const {
    EXPECT_THAT(Verify(evaluated, proof), HasReason(base::reason::kVerificationFailed)) << why;
  }

  SeededRandom random_{30};
  const Scalar key_ = Scalar::Random(random_);
  const Element public_key_ = Element::MulBase(key_);
  const std::string request_ = Elements(5);
  const Evaluation honest_ = Evaluate(key_, request_);
};

TEST_F(ProofTest, HonestAnswersOfEverySizeVerify) {
  for (const size_t n : {1, 2, 3, 5, 6, 7, 64, 300}) {
    const std::string request = Elements(n);
    const Evaluation answer = Evaluate(key_, request);
    ASSERT_EQ(answer.evaluated.size(), 32 * n);
    EXPECT_THAT(VerifyProof(public_key_, Decoded(request), Decoded(answer.evaluated), answer.proof), IsOk())
        << n;
    for (size_t i = 0; i < n; i += 37) {
      const Element element = Element::Decode(absl::string_view(request).substr(32 * i, 32)).value();
      EXPECT_EQ(element.Mul(key_).bytes(), absl::string_view(answer.evaluated).substr(32 * i, 32));
    }
  }
}

TEST_F(ProofTest, TheLargestBatchVerifiesAndOneMoreIsRejected) {
  std::string request;
  const std::string element = Elements(1);
  for (size_t i = 0; i < kMaxBatch; ++i) request += element;
  const Evaluation answer = Evaluate(key_, request);
  EXPECT_THAT(VerifyProof(public_key_, Decoded(request), Decoded(answer.evaluated), answer.proof), IsOk());
  EXPECT_THAT(ElementList::DecodeAll(request + element), HasReason(base::reason::kInvalidArgument));
}

TEST_F(ProofTest, AListMadeOfPointsIsTheListMadeOfTheirEncodings) {
  std::vector<PublicPoint> points;
  std::string packed;
  for (int i = 0; i < 40; ++i) {
    const Blinded one = Blind("input " + std::to_string(i), random_).value();
    points.push_back(one.blinded);
    packed += one.blinded.Encode();
  }
  const ElementList request = ElementList::FromPoints(points).value();
  EXPECT_EQ(request.packed(), packed);
  ASSERT_EQ(request.size(), 40u);
  for (size_t i = 0; i < 40; ++i) EXPECT_TRUE(request.point(i) == Decoded(packed).point(i)) << i;
  const Evaluation answer = Evaluate(key_, packed);
  EXPECT_THAT(VerifyProof(public_key_, request, Decoded(answer.evaluated), answer.proof), IsOk());
  std::swap(points[3], points[4]);
  EXPECT_THAT(VerifyProof(public_key_, ElementList::FromPoints(points).value(), Decoded(answer.evaluated),
                          answer.proof),
              HasReason(base::reason::kVerificationFailed));
}

TEST_F(ProofTest, AListOfPointsHasTheLimitsOfABatchAndNoIdentity) {
  const PublicPoint point = PublicPoint::Generator();
  EXPECT_THAT(ElementList::FromPoints({}), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(ElementList::FromPoints(std::vector<PublicPoint>(kMaxBatch, point)), IsOk());
  EXPECT_THAT(ElementList::FromPoints(std::vector<PublicPoint>(kMaxBatch + 1, point)),
              HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(ElementList::FromPoints({point, PublicPoint(), point}),
              HasReason(base::reason::kVerificationFailed));
}

TEST_F(ProofTest, ProofsAreFreshEachTime) {
  const Evaluation again = Evaluate(key_, request_);
  EXPECT_EQ(again.evaluated, honest_.evaluated);
  EXPECT_NE(again.proof, honest_.proof);
  EXPECT_THAT(Verify(again.evaluated, again.proof), IsOk());
}

TEST_F(ProofTest, WrongShareIsRejected) {
  const Scalar other = Scalar::Random(random_);
  const Evaluation answer = BlindEvaluate(other, public_key_, Decoded(request_), random_).value();
  ExpectRejected(answer.evaluated, answer.proof, "other share under the right public share");
  const Evaluation own = Evaluate(other, request_);
  ExpectRejected(own.evaluated, own.proof,
                 "other share with a proof that is good under its own public share");
  ExpectRejected(own.evaluated, honest_.proof, "other share with the right proof");
}

TEST_F(ProofTest, RightShareWithWrongProofIsRejected) {
  ExpectRejected(honest_.evaluated, Evaluate(Scalar::Random(random_), request_).proof,
                 "proof of another share");
  ExpectRejected(honest_.evaluated, std::string(64, '\0'), "zero");
  ExpectRejected(honest_.evaluated, honest_.proof.substr(32) + honest_.proof.substr(0, 32),
                 "c and s exchanged");
  ExpectRejected(honest_.evaluated, Scalar::Random(random_).Encode() + Scalar::Random(random_).Encode(),
                 "random");
}

TEST_F(ProofTest, ProofOfAnotherRequestIsRejected) {
  const std::string other = Elements(5);
  const Evaluation answer = Evaluate(key_, other);
  ExpectRejected(answer.evaluated, answer.proof, "the whole answer to another request");
  ExpectRejected(honest_.evaluated, answer.proof, "the proof alone");
}

TEST_F(ProofTest, AnswersUnderAnotherPublicShareAreRejected) {
  const Element other = Element::MulBase(Scalar::Random(random_));
  EXPECT_THAT(VerifyProof(other, Decoded(request_), Decoded(honest_.evaluated), honest_.proof),
              HasReason(base::reason::kVerificationFailed));
  // Multiples of the public key that a confused client could hold.
  const Element doubled = public_key_.Mul(Scalar::FromUint64(2));
  EXPECT_THAT(VerifyProof(doubled, Decoded(request_), Decoded(honest_.evaluated), honest_.proof),
              HasReason(base::reason::kVerificationFailed));
}

TEST_F(ProofTest, SwappedOrderWithinABatchIsRejected) {
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = 0; j < i; ++j) {
      std::string swapped = honest_.evaluated;
      swapped.replace(32 * i, 32, honest_.evaluated, 32 * j, 32);
      swapped.replace(32 * j, 32, honest_.evaluated, 32 * i, 32);
      ExpectRejected(swapped, honest_.proof, "swapped");
      EXPECT_THAT(VerifyProof(public_key_, Decoded(swapped), Decoded(request_), honest_.proof),
                  HasReason(base::reason::kVerificationFailed));
    }
  }
}

TEST_F(ProofTest, TwoErrorsThatCancelInTheSumAreRejected) {
  // Z_0 + E and Z_1 - E: a proof over the plain sum would pass.
  const group::PublicPoint error = group::PublicPoint::Generator();
  const ElementList answer = Decoded(honest_.evaluated);
  const std::string forged = (answer.point(0) + error).Encode() + (answer.point(1) - error).Encode();
  ExpectRejected(forged + honest_.evaluated.substr(64), honest_.proof, "errors that cancel");
}

TEST_F(ProofTest, OneWrongElementIsRejectedWhereverItStands) {
  for (size_t i = 0; i < 5; ++i) {
    std::string forged = honest_.evaluated;
    forged.replace(32 * i, 32, Elements(1));
    ExpectRejected(forged, honest_.proof, "one wrong element");
  }
}

TEST_F(ProofTest, TruncatedAndExtendedListsAreRejected) {
  ExpectRejected(honest_.evaluated.substr(0, 4 * 32), honest_.proof, "shorter");
  ExpectRejected(honest_.evaluated.substr(32), honest_.proof, "without the first");
  ExpectRejected(honest_.evaluated + honest_.evaluated.substr(0, 32), honest_.proof, "longer");
  EXPECT_THAT(Verify(honest_.evaluated.substr(1), honest_.proof), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Verify(honest_.evaluated + '\0', honest_.proof), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Verify("", honest_.proof), HasReason(base::reason::kInvalidArgument));
}

TEST_F(ProofTest, ProofsOfAnotherLengthAreRejected) {
  for (const size_t size : {0, 32, 63}) {
    ExpectRejected(honest_.evaluated, honest_.proof.substr(0, size), "length");
  }
  ExpectRejected(honest_.evaluated, honest_.proof + '\0', "length");
}

TEST_F(ProofTest, IdentityIsRejectedWhereverItStands) {
  for (size_t i = 0; i < 5; ++i) {
    std::string forged = honest_.evaluated;
    forged.replace(32 * i, 32, std::string(32, '\0'));
    EXPECT_THAT(Verify(forged, honest_.proof), HasReason(base::reason::kMalformed)) << i;
  }
  EXPECT_THAT(ElementList::DecodeAll(std::string(32, '\0')), HasReason(base::reason::kMalformed));
  EXPECT_THAT(ElementList::DecodeAll(std::string(31, '\0') + '\x80'), HasReason(base::reason::kMalformed));
}

TEST_F(ProofTest, NonCanonicalScalarsAreRejected) {
  const std::string order = base::ParseHex(kOrder).value();
  const std::string c = honest_.proof.substr(0, 32);
  const std::string s = honest_.proof.substr(32);
  ExpectRejected(honest_.evaluated, AddIntegers(c, order) + s, "c + L");
  ExpectRejected(honest_.evaluated, c + AddIntegers(s, order), "s + L");
  ExpectRejected(honest_.evaluated, AddIntegers(c, order) + AddIntegers(s, order), "both");
  std::string high_bit = honest_.proof;
  high_bit[63] = static_cast<char>(high_bit[63] | 0x80);
  ExpectRejected(honest_.evaluated, high_bit, "bit 255 of s");
  EXPECT_THAT(Verify(honest_.evaluated, c + s), IsOk());
}

TEST_F(ProofTest, EveryFlippedBitOfTheProofIsRejected) {
  for (size_t bit = 0; bit < 8 * kProofSize; ++bit) {
    std::string flipped = honest_.proof;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ExpectRejected(honest_.evaluated, flipped, "bit " + std::to_string(bit));
  }
}

TEST_F(ProofTest, FlippedBitsOfElementsAreRejected) {
  const uint64_t seed = 31;
  SeededRandom random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::string draw = random.Bytes(3);
    const size_t bit = static_cast<uint8_t>(draw[0]) * 256u + static_cast<uint8_t>(draw[1]);
    // The answer, or the request that it is checked against.
    const bool in_answer = (draw[2] & 1) != 0;
    std::string flipped = in_answer ? honest_.evaluated : request_;
    const size_t at = bit % (8 * flipped.size());
    flipped[at / 8] = static_cast<char>(flipped[at / 8] ^ (1 << (at % 8)));
    const absl::StatusOr<ElementList> list = ElementList::DecodeAll(flipped);
    if (!list.ok()) {
      EXPECT_THAT(list, HasReason(base::reason::kMalformed));
      continue;
    }
    const absl::Status status =
        in_answer ? VerifyProof(public_key_, Decoded(request_), *list, honest_.proof)
                  : VerifyProof(public_key_, *list, Decoded(honest_.evaluated), honest_.proof);
    EXPECT_THAT(status, HasReason(base::reason::kVerificationFailed))
        << "seed " << seed << " round " << round;
  }
}

TEST_F(ProofTest, AnElementListKeepsWireBytesAndPointsTogether) {
  const ElementList list = Decoded(request_);
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list.packed(), request_);
  ASSERT_EQ(list.points().size(), 5u);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(list.point(i).Encode(), list.encoding(i));
}

}  // namespace
}  // namespace raakvlak::crypto::oprf

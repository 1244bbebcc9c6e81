#include "crypto/oprf/oprf.h"

#include <set>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::oprf {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::SeededRandom;
using group::Element;
using group::Scalar;

std::string Output(absl::string_view input, const Element& unblinded) {
  return std::string(Finalize(input, unblinded).Reveal(base::RevealSecret{}));
}

TEST(OprfTest, TheOutputDoesNotDependOnTheBlind) {
  SeededRandom random(20);
  const Scalar key = Scalar::Random(random);
  const std::string input = "an input";
  const std::string expected = Output(input, HashToGroup(input).value().Mul(key).ToElement());
  std::set<std::string> sent;
  for (int round = 0; round < 10; ++round) {
    const Blinded one = Blind(input, random).value();
    sent.insert(one.blinded.Encode());
    EXPECT_EQ(Output(input, one.blinded.ToElement().value().Mul(key).Mul(one.blind.Invert())), expected);
  }
  EXPECT_EQ(sent.size(), 10u);
}

TEST(OprfTest, OtherInputsAndOtherKeysGiveOtherOutputs) {
  SeededRandom random(21);
  std::set<std::string> outputs;
  const Scalar keys[] = {Scalar::Random(random), Scalar::Random(random)};
  const std::string inputs[] = {"", "a", "b", "ab", std::string(1, '\0'), std::string(2, '\0')};
  for (const Scalar& key : keys) {
    for (const std::string& input : inputs)
      outputs.insert(Output(input, HashToGroup(input).value().Mul(key).ToElement()));
  }
  EXPECT_EQ(outputs.size(), 12u);
}

TEST(OprfTest, InputsUpToTheLimitOfTheStandardAreTakenAndLongerOnesRejected) {
  SeededRandom random(22);
  EXPECT_THAT(HashToGroup(std::string(kMaxInputSize, 'x')), IsOk());
  EXPECT_THAT(HashToGroup(std::string(kMaxInputSize + 1, 'x')), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Blind(std::string(kMaxInputSize + 1, 'x'), random), HasReason(base::reason::kInvalidArgument));
  EXPECT_EQ(Finalize(std::string(kMaxInputSize, 'x'), Element::Generator()).size(), kOutputSize);
}

TEST(OprfTest, DerivedKeysDependOnSeedAndInfo) {
  const std::string seed(32, 's');
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Scalar key, DeriveKey(seed, "info"));
  EXPECT_EQ(DeriveKey(seed, "info").value(), key);
  EXPECT_FALSE(DeriveKey(seed, "infO").value() == key);
  EXPECT_FALSE(DeriveKey(std::string(32, 't'), "info").value() == key);
}

TEST(OprfTest, DeriveKeyRejectsOtherLengths) {
  for (const size_t size : {0, 31, 33, 64}) {
    EXPECT_THAT(DeriveKey(std::string(size, 's'), ""), HasReason(base::reason::kInvalidArgument)) << size;
  }
  EXPECT_THAT(DeriveKey(std::string(32, 's'), std::string(65536, 'i')),
              HasReason(base::reason::kInvalidArgument));
}

TEST(OprfTest, HashToScalarSeparatesByDst) {
  EXPECT_FALSE(HashToScalar("x") == HashToScalar("y"));
  EXPECT_FALSE(HashToScalar("x") == HashToScalar("x", "another DST"));
  EXPECT_EQ(HashToScalar("x"),
            HashToScalar("x", "HashToScalar-" + std::string(kContextString, kContextStringSize)));
}

}  // namespace
}  // namespace raakvlak::crypto::oprf

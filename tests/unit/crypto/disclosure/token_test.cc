// Tokens of several organisations on one person, from y to the opened content: what crypto/disclosure and
// crypto/seal promise together.
#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "crypto/seal/seal.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/disclosure/example.h"

namespace raakvlak::crypto::disclosure {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
namespace reason = base::reason;

// What one organisation sends for one rule.
struct Signal {
  uint32_t index;
  std::string header;
  std::string payload;
  std::string tag;
  std::string share;
  std::string commitments;
  std::string wrapped;
};

class TokenTest : public ::testing::Test {
 protected:
  Signal Send(uint32_t index, const std::string& content) {
    const absl::StatusOr<TokenSecrets> secrets = Derive(SecretBytes(y_), context_, k_);
    const SecretBytes content_key = SecretBytes::Generate(random_, seal::kKeySize);
    Signal signal;
    signal.index = index;
    signal.header = absl::StrCat("header of ", index, seal::ContentKeyCommitment(content_key));
    signal.payload = *seal::SealContent(signal.header, content, content_key, seal_key_.public_key, random_);
    signal.tag = secrets->tag;
    signal.share = EvaluateShare(secrets->coefficients, index)->Encode();
    signal.commitments = Commit(secrets->coefficients);
    signal.wrapped = seal::WrapContentKey(WrapKey(secrets->coefficients[0], context_, signal.tag),
                                          content_key, AdditionalData(signal), random_);
    return signal;
  }
  std::string AdditionalData(const Signal& signal) const {
    return absl::StrCat(signal.header, context_, signal.tag, signal.share, signal.commitments);
  }
  absl::StatusOr<std::string> OpenWith(const group::Scalar& secret, const Signal& signal) const {
    RAAKVLAK_ASSIGN_OR_RETURN(const SecretBytes content_key,
                              seal::UnwrapContentKey(WrapKey(secret, context_, signal.tag), signal.wrapped,
                                                     AdditionalData(signal)));
    RAAKVLAK_ASSIGN_OR_RETURN(const SecretBytes content,
                              seal::OpenContent(signal.header, signal.payload, content_key, seal_key_));
    return std::string(content.Reveal(base::RevealSecret{}));
  }
  absl::StatusOr<group::Scalar> RecoverFrom(const std::vector<Signal>& signals) {
    std::vector<IndexedShare> shares;
    for (const Signal& signal : signals) shares.push_back({signal.index, signal.share});
    RAAKVLAK_ASSIGN_OR_RETURN(const Recovered recovered,
                              Recover(shares, signals[0].commitments, k_, &faulty_));
    return recovered.secret;
  }

  const uint32_t k_ = 3;
  base::testing::SeededRandom random_{51};
  const std::string y_ = example::ExampleOutput();
  const std::string context_ =
      EncodeExtendedContext(example::ExampleContext(), k_, example::ExamplePublicKey());
  seal::SealKeyPair seal_key_ = seal::GenerateSealKeyPair(random_);
  std::vector<size_t> faulty_;
};

TEST_F(TokenTest, OrganisationsThatMeetTheThresholdAreAllOpened) {
  const std::vector<Signal> signals = {Send(1, "one"), Send(2, "two"), Send(9, "nine"), Send(2, "two again")};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const group::Scalar secret, RecoverFrom(signals));
  std::vector<std::string> contents;
  for (const Signal& signal : signals) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string content, OpenWith(secret, signal));
    contents.push_back(content);
  }
  EXPECT_THAT(contents, ElementsAre("one", "two", "nine", "two again"));
}

TEST_F(TokenTest, SignalsOfTooFewOrganisationsOpenForNobody) {
  const std::vector<Signal> signals = {Send(1, "one"), Send(2, "two"), Send(2, "two again"),
                                       Send(1, "one again")};
  EXPECT_THAT(RecoverFrom(signals), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(RecoverFrom({signals[0]}), HasReason(reason::kThresholdNotMet));
  // Nor does what can be computed from the two shares open one: each share, their sum, the line through them.
  const group::Scalar first = *group::Scalar::Decode(signals[0].share);
  const group::Scalar second = *group::Scalar::Decode(signals[1].share);
  for (const group::Scalar& guess : {first, second, first + second, first + first - second}) {
    EXPECT_THAT(OpenWith(guess, signals[0]), HasReason(reason::kVerificationFailed));
  }
}

TEST_F(TokenTest, HonestOrganisationsSendEqualTagsAndCommitmentsAndNothingElseAlike) {
  const Signal first = Send(1, "content");
  const Signal second = Send(2, "content");
  EXPECT_EQ(first.tag, second.tag);
  EXPECT_EQ(first.commitments, second.commitments);
  EXPECT_NE(first.share, second.share);
  size_t equal_bytes = 0;
  for (size_t i = 0; i < first.payload.size(); ++i) equal_bytes += first.payload[i] == second.payload[i];
  EXPECT_LT(equal_bytes, 20u);
  equal_bytes = 0;
  for (size_t i = 0; i < first.wrapped.size(); ++i) equal_bytes += first.wrapped[i] == second.wrapped[i];
  EXPECT_LT(equal_bytes, 8u);
}

TEST_F(TokenTest, FieldOfAnotherOrganisationDoesNotOpen) {
  const std::vector<Signal> signals = {Send(1, "one"), Send(2, "two"), Send(9, "nine")};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const group::Scalar secret, RecoverFrom(signals));
  ASSERT_THAT(OpenWith(secret, signals[0]), IsOk());
  for (std::string Signal::*field : {&Signal::header, &Signal::payload, &Signal::share, &Signal::wrapped}) {
    Signal changed = signals[0];
    changed.*field = signals[1].*field;
    EXPECT_THAT(OpenWith(secret, changed), HasReason(reason::kVerificationFailed));
  }
}

TEST_F(TokenTest, AnyFlippedBitOfAnyFieldDoesNotOpen) {
  const std::vector<Signal> signals = {Send(1, "one"), Send(2, "two"), Send(9, "nine")};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const group::Scalar secret, RecoverFrom(signals));
  for (std::string Signal::*field : {&Signal::header, &Signal::payload, &Signal::tag, &Signal::share,
                                     &Signal::commitments, &Signal::wrapped}) {
    for (size_t bit = 0; bit < 8 * (signals[0].*field).size(); ++bit) {
      Signal changed = signals[0];
      (changed.*field)[bit / 8] ^= static_cast<char>(1 << (bit % 8));
      ASSERT_THAT(OpenWith(secret, changed), HasReason(reason::kVerificationFailed)) << bit;
    }
  }
}

TEST_F(TokenTest, LiarIsNamedAndTheOthersStillOpen) {
  std::vector<Signal> signals = {Send(1, "one"), Send(2, "two"), Send(3, "three"), Send(4, "four")};
  signals[1].share = signals[2].share;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const group::Scalar secret, RecoverFrom(signals));
  EXPECT_THAT(faulty_, ElementsAre(1));
  for (const size_t honest : {0, 2, 3}) EXPECT_THAT(OpenWith(secret, signals[honest]), IsOk());
}

TEST_F(TokenTest, TokensOfOnePersonAreUnrelatedUnderAnotherPurposeClassEpochOrRule) {
  // Even under one y, which separate keys rule out: no tag, coefficient or commitment is shared.
  std::set<std::string> seen;
  size_t count = 0;
  for (int i = 0; i < 5; ++i) {
    Context context = example::ExampleContext();
    if (i == 1) context.purpose = "risicojeugd";
    if (i == 2) context.identifier_class = 2;
    if (i == 3) context.epoch = 2;
    if (i == 4) context.rule = "surname-initial-birthdate";
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(
        const TokenSecrets secrets,
        Derive(SecretBytes(y_), EncodeExtendedContext(context, k_, example::ExamplePublicKey()), k_));
    seen.insert(secrets.tag);
    ++count;
    const std::string commitments = Commit(secrets.coefficients);
    for (size_t j = 0; j < k_; ++j, count += 2) {
      seen.insert(secrets.coefficients[j].Encode());
      seen.insert(commitments.substr(32 * j, 32));
    }
  }
  EXPECT_EQ(seen.size(), count);
}

}  // namespace
}  // namespace raakvlak::crypto::disclosure

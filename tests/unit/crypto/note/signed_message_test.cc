#include "crypto/note/signed_message.h"

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::note {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
namespace reason = base::reason;

constexpr const char* kKinds[] = {kEnvelopeKind, kWithdrawalKind, kEvaluateKind, kEvaluatedKind, kOrderKind};

class SignedMessageTest : public ::testing::Test {
 protected:
  base::testing::SeededRandom random_{7};
  PrivateKey key_ = PrivateKey::Generate(random_);
};

TEST_F(SignedMessageTest, SignatureCoversPrefixKindZeroAndBody) {
  const std::string body("\x08\x01", 2);
  const std::string covered = std::string("raakvlak/v1/order\0", 18) + body;
  EXPECT_EQ(SignMessage(key_, kOrderKind, body), key_.Sign(covered));
}

TEST_F(SignedMessageTest, MessageOfOneKindIsRefusedAsEveryOther) {
  for (const char* signed_as : kKinds) {
    const std::string signature = SignMessage(key_, signed_as, "body");
    for (const char* shown_as : kKinds) {
      const absl::Status status = VerifyMessage(key_.public_key(), shown_as, "body", signature);
      if (shown_as == signed_as) {
        EXPECT_THAT(status, IsOk());
      } else {
        EXPECT_THAT(status, HasReason(reason::kSignatureInvalid)) << signed_as << " as " << shown_as;
      }
    }
  }
}

TEST_F(SignedMessageTest, KindThatIsAPrefixOfAnotherDoesNotRunIntoTheBody) {
  // "evaluate" || "d" .. and "evaluated" || ..: only the zero byte between keeps these apart.
  const std::string signature = SignMessage(key_, kEvaluateKind, "d");
  EXPECT_THAT(VerifyMessage(key_.public_key(), kEvaluatedKind, "", signature),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(SignedMessageTest, ChangedBodyOrOtherKeyIsRefused) {
  const std::string signature = SignMessage(key_, kEnvelopeKind, "body");
  EXPECT_THAT(VerifyMessage(key_.public_key(), kEnvelopeKind, "bodz", signature),
              HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(VerifyMessage(key_.public_key(), kEnvelopeKind, "", signature),
              HasReason(reason::kSignatureInvalid));
  const PrivateKey other = PrivateKey::Generate(random_);
  EXPECT_THAT(VerifyMessage(other.public_key(), kEnvelopeKind, "body", signature),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(SignedMessageTest, SignatureOverTheBareBodyIsRefused) {
  EXPECT_THAT(VerifyMessage(key_.public_key(), kOrderKind, "body", key_.Sign("body")),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(SignedMessageTest, EmptySignatureIsRefused) {
  EXPECT_THAT(VerifyMessage(key_.public_key(), kOrderKind, "body", ""), HasReason(reason::kSignatureInvalid));
}

TEST_F(SignedMessageTest, KindWithAZeroByteAborts) {
  EXPECT_DEATH(SignMessage(key_, absl::string_view("a\0b", 3), "body"), "kind");
}

// The worked example of docs/format/signed_message.md, also computed with Python's cryptography.
TEST_F(SignedMessageTest, SignatureIsThatOfTheWorkedExample) {
  std::string seed;
  for (char byte = 0; byte < 32; ++byte) seed += byte;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const PrivateKey key, PrivateKey::FromSeed(base::SecretBytes(seed)));
  EXPECT_EQ(base::Hex(SignMessage(key, kWithdrawalKind, "\x08\x01")),
            "86197bd07db666a82e75d77a16547a7ab416ca2060b390f9008e85e32f41bf7e2ca5de63fd1078b2f9a72a4a6dc5ed0b"
            "0cb97a068d25f6af2fe7049684e87e0e");
}

}  // namespace
}  // namespace raakvlak::crypto::note

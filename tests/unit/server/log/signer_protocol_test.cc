#include "server/log/signer_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/reason.h"
#include "base/testing/status_matchers.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using crypto::tlog::Checkpoint;

constexpr char kRequest[] =
    "sign urn:raakvlak:maastricht:hub:h/2026 3 pkvybgkSj2/i/m+LLYyAHhZrV8BHp82bK4Ceepai8cs=";

TEST(SignerProtocolTest, ARequestIsTheLineOfItsFormat) {
  const auto checkpoint = ParseSignRequest(kRequest);
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->origin, "urn:raakvlak:maastricht:hub:h/2026");
  EXPECT_EQ(checkpoint->size, 3);
  EXPECT_EQ(FormatSignRequest(*checkpoint), kRequest);
}

TEST(SignerProtocolTest, AnythingElseIsNoRequest) {
  const std::string root = "pkvybgkSj2/i/m+LLYyAHhZrV8BHp82bK4Ceepai8cs=";
  for (const std::string& line :
       {std::string(), std::string("sign"), "SIGN o/2026 3 " + root, "sign  3 " + root,
        "sign o/2026 03 " + root, "sign o/2026 -3 " + root, "sign o/2026 9223372036854775808 " + root,
        "sign o/2026 3 " + root.substr(1), "sign o/2026 3 " + root + " ", " sign o/2026 3 " + root,
        "sign o/2026 3  " + root, "sign o/2026 3 " + root + "\n"}) {
    EXPECT_THAT(ParseSignRequest(line), HasReason(reason::kMalformed)) << line;
  }
  for (size_t length = 0; length < sizeof kRequest - 1; ++length) {
    EXPECT_THAT(ParseSignRequest(std::string(kRequest, length)), HasReason(reason::kMalformed)) << length;
  }
}

TEST(SignerProtocolTest, AnswersCarryTheNoteOrTheReason) {
  const std::string note = "origin\n3\nroot\n\n\xE2\x80\x94 name sig\n";
  const auto signed_note = ParseSignAnswer(FormatSignAnswer(note));
  ASSERT_THAT(signed_note, IsOk());
  EXPECT_EQ(*signed_note, note);
  const absl::Status fork = base::Error(absl::StatusCode::kDataLoss, reason::kLogFork, "two\nlines");
  EXPECT_EQ(FormatSignAnswer(fork), "error LOG_FORK two lines");
  EXPECT_THAT(ParseSignAnswer(FormatSignAnswer(fork)), HasReason(reason::kLogFork));
  const absl::Status without = absl::InternalError("no reason");
  EXPECT_THAT(ParseSignAnswer(FormatSignAnswer(without)), HasReason(reason::kInternal));
  const absl::Status long_one =
      base::Error(absl::StatusCode::kInternal, reason::kInternal, std::string(100'000, 'x'));
  EXPECT_EQ(FormatSignAnswer(long_one).size(), kMaxSignAnswer);
}

TEST(SignerProtocolTest, AnythingElseIsNoAnswer) {
  for (const char* const line :
       {"", "ok", "ok !", "ok YQ", "error", "error ", "error lower case", "error OK fine", "no"}) {
    EXPECT_THAT(ParseSignAnswer(line), HasReason(reason::kMalformed)) << line;
  }
}

}  // namespace
}  // namespace raakvlak::log

#include "cli/exit_code.h"

#include <fstream>
#include <map>
#include <sstream>

#include "base/reason.h"
#include "base/status.h"
#include "gtest/gtest.h"

namespace raakvlak::cli {
namespace {

namespace reason = base::reason;

absl::Status Failed(const std::string& why) { return base::Error(absl::StatusCode::kUnknown, why, "m"); }

const std::map<std::string, ExitCode>& Wanted() {
  static const std::map<std::string, ExitCode> wanted = {
      {"UNAUTHENTICATED", ExitCode::kDenied},
      {"NOT_ALLOWED", ExitCode::kDenied},
      {"PARTNER_SUSPENDED", ExitCode::kDenied},
      {"CLOCK_SKEW", ExitCode::kDenied},
      {"REPLAYED", ExitCode::kDenied},
      {"QUOTA_EXCEEDED", ExitCode::kDenied},
      {"PURPOSE_NOT_ALLOWED", ExitCode::kDenied},
      {"KIND_NOT_ALLOWED", ExitCode::kDenied},
      {"BSN_NOT_ENTITLED", ExitCode::kDenied},
      {"NOT_FOUND", ExitCode::kNotFound},
      {"SIGNATURE_INVALID", ExitCode::kVerificationFailed},
      {"VERIFICATION_FAILED", ExitCode::kVerificationFailed},
      {"PROOF_INVALID", ExitCode::kVerificationFailed},
      {"QUORUM_MISSING", ExitCode::kVerificationFailed},
      {"LOG_DAMAGED", ExitCode::kVerificationFailed},
      {"LOG_FORK", ExitCode::kVerificationFailed},
      {"LOG_ROLLBACK", ExitCode::kVerificationFailed},
      {"THRESHOLD_NOT_MET", ExitCode::kVerificationFailed},
      {"ENVELOPE_INVALID", ExitCode::kVerificationFailed},
      {"COVENANT_INVALID", ExitCode::kVerificationFailed},
      {"COVENANT_EXPIRED", ExitCode::kVerificationFailed},
      {"COVENANT_OUTDATED", ExitCode::kVerificationFailed},
      {"COVENANT_MISMATCH", ExitCode::kVerificationFailed},
      {"ROSTER_INVALID", ExitCode::kVerificationFailed},
      {"ROSTER_EXPIRED", ExitCode::kVerificationFailed},
      {"ROSTER_OUTDATED", ExitCode::kVerificationFailed},
      {"EXCLUDED_LIST_INVALID", ExitCode::kVerificationFailed},
      {"EXCLUDED_LIST_STALE", ExitCode::kVerificationFailed},
      {"KEYSET_INVALID", ExitCode::kVerificationFailed},
      {"KEYSET_UNKNOWN", ExitCode::kVerificationFailed},
      {"KEYSET_OUTDATED", ExitCode::kVerificationFailed},
      {"NEEDS_LATER_VERSION", ExitCode::kVerificationFailed},
  };
  return wanted;
}

TEST(ExitCodeTest, EveryReasonOfTheHeaderHasTheExitCodeOfTheTable) {
  std::ifstream file(RAAKVLAK_SOURCE_DIR "/base/reason.h");
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  int reasons = 0;
  for (size_t at = text.find("[] = \""); at != std::string::npos;
       at = text.find("[] = \"", at + 1), ++reasons) {
    const size_t begin = at + 6;
    const std::string why = text.substr(begin, text.find('"', begin) - begin);
    const auto wanted = Wanted().find(why);
    EXPECT_EQ(ExitCodeOf(Failed(why)), wanted == Wanted().end() ? ExitCode::kError : wanted->second) << why;
  }
  EXPECT_GT(reasons, 50);
}

TEST(ExitCodeTest, TheNumbersAreThoseThatScriptsKnow) {
  EXPECT_EQ(static_cast<int>(ExitCode::kOk), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kError), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kDenied), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotFound), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kVerificationFailed), 5);
}

TEST(ExitCodeTest, OkIsZeroAndAnErrorWithoutAReasonIsOne) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("x")), ExitCode::kError);
  EXPECT_EQ(ExitCodeOf(Failed("NEW_REASON")), ExitCode::kError);
}

TEST(ExitCodeTest, ASignatureThatAServerRefusesIsADenial) {
  EXPECT_EQ(ExitCodeOf(FromPeer(Failed(reason::kSignatureInvalid))), ExitCode::kDenied);
  EXPECT_EQ(ExitCodeOf(Failed(reason::kSignatureInvalid)), ExitCode::kVerificationFailed);
  EXPECT_EQ(ExitCodeOf(FromPeer(Failed(reason::kVerificationFailed))), ExitCode::kVerificationFailed);
  EXPECT_EQ(ExitCodeOf(FromPeer(Failed(reason::kNotFound))), ExitCode::kNotFound);
  EXPECT_EQ(base::ReasonOf(FromPeer(Failed(reason::kNotFound))), reason::kNotFound);
  EXPECT_TRUE(FromPeer(absl::OkStatus()).ok());
}

TEST(ExitCodeTest, AUsageErrorIsTwoWhateverItsReason) {
  EXPECT_EQ(ExitCodeOf(UsageError("x")), ExitCode::kUsage);
}

}  // namespace
}  // namespace raakvlak::cli

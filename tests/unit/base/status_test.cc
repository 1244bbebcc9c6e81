#include "base/status.h"

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

TEST(StatusTest, ErrorCarriesItsReason) {
  const absl::Status status = Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such match");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "NOT_FOUND");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "OK");
}

TEST(StatusTest, StatusWithoutReasonIsInternal) { EXPECT_EQ(ReasonOf(absl::UnknownError("x")), "INTERNAL"); }

TEST(StatusTest, AnnotateKeepsCodeAndReason) {
  const absl::Status status =
      Annotate(Error(absl::StatusCode::kNotFound, reason::kFileUnreadable, "gone"), "covenant");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "FILE_UNREADABLE");
  EXPECT_EQ(status.message(), "covenant: gone");
}

TEST(StatusTest, BrokenInvariantAbortsWithItsReason) {
  EXPECT_DEATH(RAAKVLAK_CHECK(1 == 2, "numbers differ"), "numbers differ");
}

}  // namespace
}  // namespace raakvlak::base

// gMock matchers for absl::Status: EXPECT_THAT(status, IsOk()), EXPECT_THAT(result,
// HasReason(reason::kReplayed)).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/status.h"
#include "gmock/gmock.h"

namespace raakvlak::base::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is ok") {
  *result_listener << "whose status is " << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(HasReason, expected, std::string("has the reason ") + expected) {
  *result_listener << "whose reason is " << ReasonOf(StatusOf(arg)) << " (" << StatusOf(arg).ToString()
                   << ")";
  return ReasonOf(StatusOf(arg)) == expected;
}

}  // namespace raakvlak::base::testing

#define RAAKVLAK_ASSERT_OK_AND_ASSIGN(declaration, expression)                                         \
  RAAKVLAK_ASSERT_OK_AND_ASSIGN_INNER(RAAKVLAK_STATUS_CONCAT(status_or_value_, __LINE__), declaration, \
                                      expression)
#define RAAKVLAK_ASSERT_OK_AND_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                                \
  ASSERT_THAT(temporary, ::raakvlak::base::testing::IsOk());                    \
  declaration = *std::move(temporary)

#include "base/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"

namespace raakvlak::base {
namespace {
constexpr char kReasonUrl[] = "raakvlak/reason";
}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message) {
  RAAKVLAK_CHECK(code != absl::StatusCode::kOk, "an error needs an error code");
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  if (status.ok()) return "OK";
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : std::string(reason::kInternal);
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return Error(status.code(), ReasonOf(status), absl::StrCat(context, ": ", status.message()));
}

void CheckFailed(const char* file, int line, const char* condition, const char* reason) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", file, line, reason, condition);
  std::abort();
}

}  // namespace raakvlak::base

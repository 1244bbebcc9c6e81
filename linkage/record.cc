#include "linkage/record.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace raakvlak::linkage {
namespace {
constexpr char kFieldUrl[] = "raakvlak/field";
}  // namespace

absl::Status FieldError(absl::string_view reason, absl::string_view field, absl::string_view message) {
  absl::Status status =
      base::Error(absl::StatusCode::kInvalidArgument, reason, absl::StrCat(field, ": ", message));
  status.SetPayload(kFieldUrl, absl::Cord(field));
  return status;
}

std::string FieldOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace raakvlak::linkage

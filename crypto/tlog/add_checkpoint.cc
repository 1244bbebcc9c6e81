#include "crypto/tlog/add_checkpoint.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

// DO NOT CHANGE.
constexpr absl::string_view kOld = "old ";

}  // namespace

std::string FormatAddCheckpoint(const AddCheckpoint& request) {
  RAAKVLAK_CHECK(request.proof.size() <= kMaxProofSize, "a request within its format");
  return absl::StrCat(kOld, request.old_size, "\n", HashLines(request.proof), request.checkpoint);
}

absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(absl::string_view body) {
  if (body.size() > kMaxAddCheckpointSize) return MalformedError("a request over its size limit");
  AddCheckpoint request;
  RAAKVLAK_ASSIGN_OR_RETURN(absl::string_view line, TakeLine(body));
  if (!absl::ConsumePrefix(&line, kOld)) return MalformedError("a request without an old size");
  RAAKVLAK_ASSIGN_OR_RETURN(request.old_size, ParseDecimal(line));
  RAAKVLAK_ASSIGN_OR_RETURN(request.proof, TakeHashLines(body));
  request.checkpoint = std::string(body);
  return request;
}

}  // namespace raakvlak::crypto::tlog

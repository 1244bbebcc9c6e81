#include "server/log/signer_protocol.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::log {
namespace {

using crypto::tlog::Checkpoint;
using crypto::tlog::MalformedError;

bool IsReason(absl::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The signer's codes are not sent; what is done about an error hangs on its reason.
absl::StatusCode CodeOf(absl::string_view reason) {
  if (reason == base::reason::kUnavailable) return absl::StatusCode::kUnavailable;
  if (reason == base::reason::kInternal) return absl::StatusCode::kInternal;
  return absl::StatusCode::kFailedPrecondition;
}

}  // namespace

std::string FormatSignRequest(const Checkpoint& checkpoint) {
  return absl::StrCat("sign ", checkpoint.origin, " ", checkpoint.size, " ", checkpoint.root.ToBase64());
}

absl::StatusOr<Checkpoint> ParseSignRequest(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 4 || words[0] != "sign" || words[1].empty()) return MalformedError("no sign request");
  Checkpoint checkpoint;
  checkpoint.origin = std::string(words[1]);
  RAAKVLAK_ASSIGN_OR_RETURN(checkpoint.size, crypto::tlog::ParseDecimal(words[2]));
  RAAKVLAK_ASSIGN_OR_RETURN(checkpoint.root, crypto::tlog::Hash::FromBase64(words[3]));
  return checkpoint;
}

std::string FormatSignAnswer(const absl::StatusOr<std::string>& note) {
  if (note.ok()) return absl::StrCat("ok ", base::Base64(*note));
  const std::string message = absl::StrReplaceAll(note.status().message(), {{"\n", " "}, {"\r", " "}});
  return absl::StrCat("error ", base::ReasonOf(note.status()), " ", message).substr(0, kMaxSignAnswer);
}

absl::StatusOr<std::string> ParseSignAnswer(absl::string_view line) {
  if (absl::ConsumePrefix(&line, "ok ")) return base::ParseBase64(line);
  if (!absl::ConsumePrefix(&line, "error ")) return MalformedError("no answer of a signer");
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
  if (!IsReason(parts.first) || parts.first == "OK") return MalformedError("no answer of a signer");
  return base::Error(CodeOf(parts.first), parts.first, absl::StrCat("signer: ", parts.second));
}

}  // namespace raakvlak::log

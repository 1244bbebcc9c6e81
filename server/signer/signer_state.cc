#include "server/signer/signer_state.h"

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::signer {
namespace {

constexpr absl::string_view kHeader = "raakvlak-signer/1\n";
constexpr absl::string_view kSuffix = ".signed";
constexpr size_t kMaxStateSize = 8192;

}  // namespace

std::string FormatState(const Signed& state) {
  return absl::StrCat(kHeader, crypto::tlog::FormatCheckpoint(state.ToCheckpoint()),
                      base::Base64(state.frontier.Serialise()), "\n");
}

absl::StatusOr<Signed> ParseState(absl::string_view bytes) {
  absl::string_view rest = bytes;
  if (!absl::ConsumePrefix(&rest, kHeader)) {
    return crypto::tlog::MalformedError("no state of a signer, or of another version");
  }
  const absl::string_view text = rest;
  for (int origin_size_root = 0; origin_size_root < 3; ++origin_size_root) {
    RAAKVLAK_RETURN_IF_ERROR(crypto::tlog::TakeLine(rest).status());
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::tlog::Checkpoint checkpoint,
                            crypto::tlog::ParseCheckpoint(text.substr(0, text.size() - rest.size())));
  RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view line, crypto::tlog::TakeLine(rest));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string frontier, base::ParseBase64(line));
  Signed state;
  state.origin = checkpoint.origin;
  RAAKVLAK_ASSIGN_OR_RETURN(state.frontier, crypto::tlog::Frontier::Parse(frontier));
  // Size and root stand there twice, so that a damaged file never passes for another state.
  if (!rest.empty() || state.ToCheckpoint() != checkpoint) {
    return crypto::tlog::MalformedError("a damaged state of a signer");
  }
  return state;
}

std::string Origin(absl::string_view urn, uint32_t year) { return absl::StrCat(urn, "/", year); }

absl::StatusOr<std::map<uint32_t, Signed>> ReadStates(const std::string& folder, absl::string_view urn) {
  std::map<uint32_t, Signed> states;
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return states;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    uint32_t year = 0;
    // Others are temporary files of a write that was cut off, and the lock.
    if (!absl::EndsWith(name, kSuffix) ||
        !absl::SimpleAtoi(name.substr(0, name.size() - kSuffix.size()), &year)) {
      continue;
    }
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(it->path().string(), kMaxStateSize));
    absl::StatusOr<Signed> state = ParseState(bytes);
    if (!state.ok()) return base::Annotate(state.status(), it->path().string());
    if (state->origin != Origin(urn, year)) {
      return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                         absl::StrCat(it->path().string(), " is of the log ", state->origin, ", not of ",
                                      Origin(urn, year)));
    }
    states.emplace(year, *std::move(state));
  }
  if (error) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kFileUnreadable,
                       absl::StrCat(folder, ": ", error.message()));
  }
  return states;
}

absl::Status WriteState(const std::string& folder, uint32_t year, const Signed& state) {
  return base::WriteFileAtomically(absl::StrCat(folder, "/", year, kSuffix), FormatState(state), 0600);
}

}  // namespace raakvlak::signer

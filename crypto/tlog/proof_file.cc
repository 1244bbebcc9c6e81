#include "crypto/tlog/proof_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/proof.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

// DO NOT CHANGE.
constexpr absl::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr absl::string_view kExtra = "extra ";
constexpr absl::string_view kIndex = "index ";

}  // namespace

std::string FormatProofFile(const ProofFile& file) {
  RAAKVLAK_CHECK(file.proof.size() <= kMaxProofSize && (!file.extra.has_value() || !file.extra->empty()),
                 "a proof file within its format");
  std::string out = absl::StrCat(kHeader, "\n");
  if (file.extra.has_value()) absl::StrAppend(&out, kExtra, base::Base64(*file.extra), "\n");
  absl::StrAppend(&out, kIndex, file.index, "\n", HashLines(file.proof), file.checkpoint);
  return out;
}

absl::StatusOr<ProofFile> ParseProofFile(absl::string_view bytes) {
  if (bytes.size() > kMaxProofFileSize) return MalformedError("a proof file over its size limit");
  RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view header, TakeLine(bytes));
  if (header != kHeader) return MalformedError("not a proof file of version 1");
  ProofFile file;
  RAAKVLAK_ASSIGN_OR_RETURN(absl::string_view line, TakeLine(bytes));
  if (absl::ConsumePrefix(&line, kExtra)) {
    RAAKVLAK_ASSIGN_OR_RETURN(file.extra, base::ParseBase64(line));
    if (file.extra->empty()) return MalformedError("a proof file with an empty extra line");
    RAAKVLAK_ASSIGN_OR_RETURN(line, TakeLine(bytes));
  }
  if (!absl::ConsumePrefix(&line, kIndex)) return MalformedError("a proof file without an index");
  RAAKVLAK_ASSIGN_OR_RETURN(file.index, ParseDecimal(line));
  RAAKVLAK_ASSIGN_OR_RETURN(file.proof, TakeHashLines(bytes));
  file.checkpoint = std::string(bytes);
  return file;
}

absl::StatusOr<VerifiedProof> VerifyProofFile(absl::string_view bytes, absl::string_view entry,
                                              const note::VerifierKey& log,
                                              absl::Span<const WitnessKey> witnesses, size_t quorum) {
  RAAKVLAK_ASSIGN_OR_RETURN(const ProofFile file, ParseProofFile(bytes));
  RAAKVLAK_ASSIGN_OR_RETURN(const OpenedCheckpoint opened, OpenCheckpoint(file.checkpoint, log));
  RAAKVLAK_RETURN_IF_ERROR(VerifyInclusion(LeafHash(entry), file.index, opened.checkpoint.size, file.proof,
                                           opened.checkpoint.root));
  VerifiedProof verified{file.index, opened.checkpoint, {}, 0, 0};
  RAAKVLAK_ASSIGN_OR_RETURN(verified.cosigned, CountCosignatures(opened.note, witnesses));
  if (verified.cosigned.size() < quorum) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kQuorumMissing,
                       absl::StrCat(verified.cosigned.size(), " witnesses cosigned, ", quorum, " must"));
  }
  if (!verified.cosigned.empty()) {
    const auto by_time = [](const Cosigned& a, const Cosigned& b) { return a.time < b.time; };
    const auto [oldest, newest] =
        std::minmax_element(verified.cosigned.begin(), verified.cosigned.end(), by_time);
    verified.oldest = oldest->time;
    verified.newest = newest->time;
  }
  return verified;
}

}  // namespace raakvlak::crypto::tlog

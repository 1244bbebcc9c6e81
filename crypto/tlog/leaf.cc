#include "crypto/tlog/leaf.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

constexpr size_t kTimeSize = 8;

std::string Commitment(absl::string_view salt, absl::string_view details) {
  return base::Sha256(absl::StrCat(salt, details));
}

}  // namespace

std::string MakeLeaf(uint64_t time_ms, absl::string_view salt, absl::string_view details) {
  RAAKVLAK_CHECK(salt.size() == kSaltSize && time_ms <= kMaxTime, "a leaf within its format");
  return absl::StrCat(base::BigEndian(kLeafVersion, 1), base::BigEndian(time_ms, kTimeSize),
                      Commitment(salt, details));
}

absl::StatusOr<Leaf> ParseLeaf(absl::string_view entry) {
  if (entry.size() != kLeafSize || static_cast<uint8_t>(entry[0]) != kLeafVersion) {
    return MalformedError("not a leaf of version 1");
  }
  Leaf leaf;
  leaf.time_ms = ReadBigEndian(entry.substr(1, kTimeSize));
  if (leaf.time_ms > kMaxTime) return MalformedError("a leaf with a time beyond all times");
  RAAKVLAK_ASSIGN_OR_RETURN(leaf.commitment, Hash::Create(entry.substr(1 + kTimeSize)));
  return leaf;
}

absl::Status VerifyLeaf(absl::string_view entry, absl::string_view salt, absl::string_view details) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Leaf leaf, ParseLeaf(entry));
  // Another length would let the border between salt and details move.
  if (salt.size() != kSaltSize || leaf.commitment.view() != Commitment(salt, details)) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kProofInvalid,
                       "the details are not those that the leaf commits to");
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::crypto::tlog

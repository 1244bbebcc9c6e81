// Pieces of the formats of this folder: strict and canonical, so that one value has one spelling.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

// An error with the reason MALFORMED.
absl::Status MalformedError(absl::string_view message);

// ParseDecimal accepts ASCII digits without leading zeros, up to 2^63 - 1. MALFORMED otherwise.
absl::StatusOr<uint64_t> ParseDecimal(absl::string_view text);

// The number that all of `bytes`, at most 8, make.
uint64_t ReadBigEndian(absl::string_view bytes);

// TakeLine takes the first line off `text`, without its newline. MALFORMED when `text` has no newline.
absl::StatusOr<absl::string_view> TakeLine(absl::string_view& text);

// TakeHashLines takes lines of one base64 hash each off `text`, and the empty line after them. MALFORMED for
// more than kMaxProofSize, another line, or no empty line.
absl::StatusOr<Proof> TakeHashLines(absl::string_view& text);

// HashLines is the inverse of TakeHashLines: with the empty line.
std::string HashLines(const Proof& proof);

}  // namespace raakvlak::crypto::tlog

// The short code of a ceremony, for people to compare by telephone. Thread safety: pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace raakvlak::crypto::ceremony {

// TranscriptCode returns six groups of five digits, "12345 67890 ..": group g is the 5 bytes at 5g of
// SHA-512("raakvlak/v1/ceremony/code" with its length || hash), big-endian, modulo 100,000. Almost 100 bits:
// nobody finds a second transcript with the code of a first. REQUIRES: 32 bytes.
std::string TranscriptCode(absl::string_view transcript_hash);

}  // namespace raakvlak::crypto::ceremony

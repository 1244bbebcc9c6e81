#include "crypto/ceremony/code.h"

#include <sodium.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::crypto::ceremony {
namespace {

// DO NOT CHANGE.
constexpr char kCodeLabel[] = "raakvlak/v1/ceremony/code";

constexpr size_t kNumGroups = 6;
constexpr size_t kBytesPerGroup = 5;

}  // namespace

std::string TranscriptCode(absl::string_view transcript_hash) {
  RAAKVLAK_CHECK(transcript_hash.size() == 32, "a transcript hash has 32 bytes");
  const std::string message = absl::StrCat(base::LengthPrefixed(kCodeLabel), transcript_hash);
  uint8_t digest[crypto_hash_sha512_BYTES];
  crypto_hash_sha512(digest, base::AsBytes(message), message.size());
  std::string out;
  for (size_t group = 0; group < kNumGroups; ++group) {
    uint64_t value = 0;
    for (size_t i = 0; i < kBytesPerGroup; ++i) value = value << 8 | digest[group * kBytesPerGroup + i];
    absl::StrAppendFormat(&out, "%s%05d", group == 0 ? "" : " ", value % 100'000);
  }
  return out;
}

}  // namespace raakvlak::crypto::ceremony

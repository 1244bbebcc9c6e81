#include "crypto/tlog/hash.h"

#include <sodium.h>

#include <cstring>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::tlog {
namespace {

// DO NOT CHANGE.
constexpr uint8_t kLeafPrefix = 0x00;
constexpr uint8_t kNodePrefix = 0x01;

}  // namespace

absl::StatusOr<Hash> Hash::Create(absl::string_view bytes) {
  if (bytes.size() != kHashSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "a hash has 32 bytes");
  }
  Hash hash;
  std::memcpy(hash.bytes.data(), bytes.data(), kHashSize);
  return hash;
}

absl::StatusOr<Hash> Hash::FromBase64(absl::string_view text) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ParseBase64(text));
  return Create(bytes);
}

Hash LeafHash(absl::string_view entry) {
  Hash hash;
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, &kLeafPrefix, 1);
  crypto_hash_sha256_update(&state, base::AsBytes(entry), entry.size());
  crypto_hash_sha256_final(&state, hash.bytes.data());
  return hash;
}

Hash NodeHash(const Hash& left, const Hash& right) {
  std::array<uint8_t, 1 + 2 * kHashSize> input;
  input[0] = kNodePrefix;
  std::memcpy(input.data() + 1, left.bytes.data(), kHashSize);
  std::memcpy(input.data() + 1 + kHashSize, right.bytes.data(), kHashSize);
  Hash hash;
  crypto_hash_sha256(hash.bytes.data(), input.data(), input.size());
  return hash;
}

Hash EmptyRoot() {
  Hash hash;
  crypto_hash_sha256(hash.bytes.data(), nullptr, 0);
  return hash;
}

}  // namespace raakvlak::crypto::tlog

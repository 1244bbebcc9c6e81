#include "crypto/ceremony/derived_random.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::crypto::ceremony {
namespace {

// DO NOT CHANGE.
constexpr char kRandomLabel[] = "raakvlak/v1/ceremony/random";

}  // namespace

DerivedRandom::DerivedRandom(const base::SecretBytes& seed, absl::string_view use, absl::string_view chain)
    : seed_(seed),
      context_(absl::StrCat(base::LengthPrefixed(kRandomLabel), base::LengthPrefixed(use), chain)) {
  RAAKVLAK_CHECK(seed.size() == crypto_auth_hmacsha512_KEYBYTES, "a seed has 32 bytes");
}

DerivedRandom::~DerivedRandom() { base::WipeString(rest_); }

void DerivedRandom::Fill(void* buffer, size_t size) {
  auto* out = static_cast<char*>(buffer);
  while (size > 0) {
    if (rest_.empty()) {
      rest_.resize(crypto_auth_hmacsha512_BYTES);
      const std::string message = absl::StrCat(context_, base::BigEndian(counter_++, 8));
      crypto_auth_hmacsha512(base::AsMutableBytes(rest_), base::AsBytes(message), message.size(),
                             base::AsBytes(seed_.Reveal(base::RevealSecret{})));
    }
    const size_t taken = std::min(size, rest_.size());
    std::memcpy(out, rest_.data(), taken);
    rest_.erase(0, taken);
    out += taken;
    size -= taken;
  }
}

}  // namespace raakvlak::crypto::ceremony

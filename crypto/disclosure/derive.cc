#include "crypto/disclosure/derive.h"

#include <sodium.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/share.h"

namespace raakvlak::crypto::disclosure {
namespace {

constexpr absl::string_view kLabelPrefix = "raakvlak/v1/";
constexpr absl::string_view kWrapLabel = "raakvlak/v1/wrap";
constexpr size_t kOutputSize = 64;

// HMAC-SHA-512 under one key, which is absorbed once for all messages.
class Hmac {
 public:
  using Digest = std::array<uint8_t, crypto_auth_hmacsha512_BYTES>;

  Hmac(const uint8_t* key, size_t size) { crypto_auth_hmacsha512_init(&keyed_, key, size); }
  ~Hmac() { sodium_memzero(&keyed_, sizeof keyed_); }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  void Compute(std::initializer_list<absl::string_view> parts, Digest& digest) const {
    crypto_auth_hmacsha512_state state = keyed_;
    for (const absl::string_view part : parts) {
      crypto_auth_hmacsha512_update(&state, base::AsBytes(part), part.size());
    }
    crypto_auth_hmacsha512_final(&state, digest.data());
    sodium_memzero(&state, sizeof state);
  }

 private:
  crypto_auth_hmacsha512_state keyed_;
};

// d(label, 64) for one y and ctx'.
class Derivation {
 public:
  Derivation(const base::SecretBytes& output, absl::string_view extended_context)
      : hmac_(base::AsBytes(output.Reveal(base::RevealSecret{})), output.size()),
        extended_context_(extended_context) {}
  ~Derivation() { sodium_memzero(digest_.data(), digest_.size()); }

  // Valid until the next call.
  absl::string_view Derive(absl::string_view label) {
    const std::string prefixed = base::LengthPrefixed(absl::StrCat(kLabelPrefix, label));
    hmac_.Compute({prefixed, extended_context_, "\x01"}, digest_);
    return base::AsView(digest_);
  }

  std::string DeriveTag() { return std::string(Derive("tag").substr(0, kTagSize)); }

 private:
  Hmac hmac_;
  absl::string_view extended_context_;
  Hmac::Digest digest_;
};

absl::Status CheckOutput(const base::SecretBytes& output) {
  if (output.size() == kOutputSize) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                     "an OPRF output has 64 bytes");
}

}  // namespace

absl::StatusOr<TokenSecrets> Derive(const base::SecretBytes& output, absl::string_view extended_context,
                                    uint32_t disclosure_threshold) {
  RAAKVLAK_RETURN_IF_ERROR(CheckOutput(output));
  RAAKVLAK_RETURN_IF_ERROR(CheckThreshold(disclosure_threshold));
  Derivation derivation(output, extended_context);
  TokenSecrets secrets;
  secrets.tag = derivation.DeriveTag();
  secrets.coefficients.reserve(disclosure_threshold);
  for (uint32_t j = 0; j < disclosure_threshold; ++j) {
    secrets.coefficients.push_back(group::Scalar::FromWide(derivation.Derive(absl::StrCat("coef-", j))));
    if (secrets.coefficients.back().IsZero()) {
      return base::Error(absl::StatusCode::kInternal, base::reason::kInternal, "a coefficient is zero");
    }
  }
  return secrets;
}

absl::StatusOr<std::string> DeriveTag(const base::SecretBytes& output, absl::string_view extended_context) {
  RAAKVLAK_RETURN_IF_ERROR(CheckOutput(output));
  return Derivation(output, extended_context).DeriveTag();
}

base::SecretBytes WrapKey(const group::Scalar& k, absl::string_view extended_context, absl::string_view tag) {
  Hmac::Digest digest;
  Hmac(k.data(), group::kScalarSize)
      .Compute({base::LengthPrefixed(kWrapLabel), extended_context, tag}, digest);
  base::SecretBytes key(base::AsView(digest).substr(0, kWrapKeySize));
  sodium_memzero(digest.data(), digest.size());
  return key;
}

}  // namespace raakvlak::crypto::disclosure

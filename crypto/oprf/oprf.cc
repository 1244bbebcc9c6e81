#include "crypto/oprf/oprf.h"

#include <sodium.h>

#include <utility>

#include "base/reason.h"
#include "base/status.h"
#include "crypto/oprf/expand.h"

namespace raakvlak::crypto::oprf {

absl::StatusOr<group::SecretPoint> HashToGroup(absl::string_view input) {
  if (input.size() > kMaxInputSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "input is too long");
  }
  static const Expander expander("HashToGroup-" + std::string(kContextString, kContextStringSize));
  std::string uniform = expander.Start().Add(input).Finish();
  const group::SecretPoint point = group::SecretPoint::FromUniform(uniform);
  base::WipeString(uniform);
  if (point.IsIdentity()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "an input that maps to the identity");
  }
  return point;
}

group::Scalar HashToScalar(absl::string_view input) {
  return group::Scalar::FromWide(ScalarExpander().Start().Add(input).Finish());
}

group::Scalar HashToScalar(absl::string_view input, absl::string_view dst) {
  std::string uniform = Expander(dst).Start().Add(input).Finish();
  const group::Scalar scalar = group::Scalar::FromWide(uniform);
  base::WipeString(uniform);
  return scalar;
}

absl::StatusOr<Blinded> Blind(absl::string_view input, base::Random& random) {
  RAAKVLAK_ASSIGN_OR_RETURN(const group::SecretPoint point, HashToGroup(input));
  const group::Scalar blind = group::Scalar::Random(random);
  return Blinded{blind, point.Mul(blind).Publish()};
}

base::SecretBytes Finalize(absl::string_view input, const group::Element& unblinded) {
  const std::string input_size = base::BigEndian(input.size(), 2);
  const std::string element_size = base::BigEndian(group::kElementSize, 2);
  constexpr absl::string_view kLabel = "Finalize";
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  for (const absl::string_view part :
       {absl::string_view(input_size), input, absl::string_view(element_size), unblinded.bytes(), kLabel}) {
    crypto_hash_sha512_update(&state, base::AsBytes(part), part.size());
  }
  std::string output(kOutputSize, '\0');
  crypto_hash_sha512_final(&state, base::AsMutableBytes(output));
  return base::SecretBytes::Take(std::move(output));
}

absl::StatusOr<group::Scalar> DeriveKey(absl::string_view seed, absl::string_view info) {
  if (seed.size() != 32) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "a seed has 32 bytes");
  }
  if (info.size() > 65535) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "key info is too long");
  }
  // "deriveInput = seed || I2OSP(len(info), 2) || info"; no hyphen after "DeriveKeyPair".
  std::string input = std::string(seed) + base::LengthPrefixed(info) + '\0';
  const std::string dst = "DeriveKeyPair" + std::string(kContextString, kContextStringSize);
  group::Scalar key;
  for (int counter = 0; counter <= 255 && key.IsZero(); ++counter) {
    input.back() = static_cast<char>(counter);
    key = HashToScalar(input, dst);
  }
  base::WipeString(input);
  if (key.IsZero())
    return base::Error(absl::StatusCode::kInternal, base::reason::kInternal, "no key in 256 tries");
  return key;
}

}  // namespace raakvlak::crypto::oprf

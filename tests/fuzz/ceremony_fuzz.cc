// Ceremonies: a text or an accusation that parses is written back byte for byte; a state that does not parse
// is refused.
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "crypto/ceremony/evidence.h"
#include "crypto/ceremony/participant.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace ceremony = raakvlak::crypto::ceremony;
  using raakvlak::base::SecretBytes;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto parameters = ceremony::Parameters::Parse(input); parameters.ok()) {
    RAAKVLAK_CHECK(absl::string_view(parameters->bytes()) == input,
                   "a ceremony is written back as it was read");
  }
  if (const auto accusation = ceremony::ParseAccusation(input); accusation.ok()) {
    RAAKVLAK_CHECK(absl::string_view(ceremony::FormatAccusation(*accusation)) == input,
                   "an accusation is written back as it was read");
  }
  // The key and share of member 1 of the corpus.
  static const auto key = raakvlak::crypto::note::PrivateKey::FromSeed(
      SecretBytes{absl::string_view("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                                    "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1")});
  (void)ceremony::Participant::Import(SecretBytes(input), *key,
                                      raakvlak::crypto::group::Scalar::FromUint64(3000));
  return 0;
}

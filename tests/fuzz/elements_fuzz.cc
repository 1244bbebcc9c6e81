// Elements, proofs and shares of a peer: refused or taken, never a crash; no proof of random bytes verifies.
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "crypto/disclosure/share.h"
#include "crypto/oprf/proof.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace oprf = raakvlak::crypto::oprf;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto elements = oprf::ElementList::DecodeAll(std::string(input));
  if (elements.ok()) {
    const auto generator = raakvlak::crypto::group::Element::Generator();
    RAAKVLAK_CHECK(!oprf::VerifyProof(generator, *elements, *elements, input.substr(0, 64)).ok(),
                   "no proof is made of chance");
  }
  if (size > 33) {
    raakvlak::crypto::disclosure::Recover({{data[0], std::string(input.substr(1, 32))}}, input.substr(33), 2,
                                          nullptr)
        .status()
        .IgnoreError();
  }
  return 0;
}

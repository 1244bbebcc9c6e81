// What a ceremony (crypto/ceremony) is under a covenant, and the keyset that comes out of it.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/ceremony/participant.h"
#include "policy/covenant.h"
#include "policy/keyset/keyset.h"

namespace raakvlak::policy {

struct CeremonyScope {
  crypto::ceremony::Kind kind = crypto::ceremony::Kind::kGenerate;
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t attempt = 1;
  // Reshare only: the indices that contribute, ascending.
  std::vector<uint32_t> contributors;
};

// CeremonyFor builds the one text that fits: members and quorum are the key holders and the quorum of
// `covenant`, the epoch is its purpose's. `old_keyset` is the keyset whose key stays, nullptr for a new key.
// A refresh has the same holders and quorum as it; a reshare is contributed to by as many of its holders as
// its quorum says, which are key holders still: who left brings no share, and then a new epoch is needed when
// too few are left. COVENANT_MISMATCH: the covenant does not have the purpose, or the old keyset is of
// another purpose, class or epoch, or its holders are not those wanted. INVALID_ARGUMENT as
// Parameters::Create.
absl::StatusOr<crypto::ceremony::Parameters> CeremonyFor(const Covenant& covenant, const CeremonyScope& scope,
                                                         const Keyset* old_keyset);

// CheckCeremony: COVENANT_MISMATCH unless the parameters, which came from someone else, are what CeremonyFor
// gives. Who approves a ceremony checks this first.
absl::Status CheckCeremony(const crypto::ceremony::Parameters& parameters, const Covenant& covenant,
                           const Keyset* old_keyset);

// KeysetOf returns what all holders sign when the ceremony has come to its end. REQUIRES: `old_keyset` is the
// keyset that the parameters name, nullptr for a new key.
KeysetText KeysetOf(const crypto::ceremony::Parameters& parameters, const crypto::ceremony::Outcome& outcome,
                    const Keyset* old_keyset);

// A keyset and its signed note, with the signatures of its holders and no others.
struct CompleteKeyset {
  std::string note;
  std::shared_ptr<const Keyset> keyset;
};

// CompleteKeysets puts the signatures together that holders gave one by one. `posted` is what the holders of
// each ceremony posted, one note each. A keyset is complete when as many notes of one ceremony have its text
// as it has holders, and Keyset::Verify takes their signatures together: each holder said so itself, and none
// for another. Notes that are wrong are passed over, whoever posted them. Those of the newest covenant and
// generation come first: what contradicts them finds its place taken (KeysetStore::With).
std::vector<CompleteKeyset> CompleteKeysets(absl::Span<const std::vector<std::string>> posted,
                                            const CovenantChain& chain);

}  // namespace raakvlak::policy

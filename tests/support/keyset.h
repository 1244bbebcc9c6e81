// MakeKeyset: a keyset of a purpose, signed by all key holders, with their shares, as a ceremony would have
// made it. Tests only: see tests/support/split.h.
//
// Thread safety: pure but for the random source.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "crypto/group/scalar.h"
#include "policy/covenant.h"
#include "policy/covenant_chain.h"
#include "policy/keyset/keyset.h"
#include "tests/support/region.h"

namespace raakvlak::testing {

struct MadeKeyset {
  std::string note;
  std::shared_ptr<const policy::Keyset> keyset;
  std::map<std::string, crypto::group::Scalar> shares;  // by partner
};

// Of generation 1, for `covenant`, which is in `chain`. REQUIRES: the keyset is valid.
MadeKeyset MakeKeyset(TestRegion& region, const policy::Covenant& covenant,
                      const policy::CovenantChain& chain, const v1::Purpose& purpose, int identifier_class,
                      const crypto::group::Scalar& key, base::Random& random);

}  // namespace raakvlak::testing

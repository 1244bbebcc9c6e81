#include "tests/support/keyset.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crypto/note/note.h"
#include "tests/support/split.h"

namespace raakvlak::testing {

MadeKeyset MakeKeyset(TestRegion& region, const policy::Covenant& covenant,
                      const policy::CovenantChain& chain, const v1::Purpose& purpose, int identifier_class,
                      const crypto::group::Scalar& key, base::Random& random) {
  policy::KeysetText text;
  text.region = covenant.region();
  text.purpose = purpose.id();
  text.identifier_class = static_cast<uint8_t>(identifier_class);
  text.epoch = purpose.epoch();
  text.quorum = covenant.text().quorum();
  text.covenant_id = covenant.id();
  text.transcript_hash = std::string(32, 't');
  for (const v1::Partner& partner : covenant.text().partners()) {
    text.holders.emplace_back(partner.index(), partner.id());
  }
  std::sort(text.holders.begin(), text.holders.end());
  std::vector<uint32_t> indices;
  for (const auto& [index, partner] : text.holders) indices.push_back(index);
  const Sharing sharing = *Split(key, text.quorum, indices, random);
  text.commitments = sharing.commitments;
  crypto::note::Note note{policy::FormatKeysetText(text), {}};
  for (const crypto::note::VerifierKey& verifier : covenant.PartnerVerifiers()) {
    crypto::note::Sign(note, verifier, region.KeyOf(verifier.name()));
  }
  MadeKeyset made;
  made.note = crypto::note::Format(note);
  auto keyset = policy::Keyset::Verify(made.note, chain);
  if (!keyset.ok()) std::fprintf(stderr, "%s\n", keyset.status().ToString().c_str());
  RAAKVLAK_CHECK(keyset.ok(), "the keyset is valid");
  made.keyset = *std::move(keyset);
  for (size_t i = 0; i < indices.size(); ++i) made.shares.emplace(text.holders[i].second, sharing.shares[i]);
  return made;
}

}  // namespace raakvlak::testing

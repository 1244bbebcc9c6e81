// Keyset: the public part of one shared key (docs/format/keyset.md): a signed note of all its holders.
//
//   raakvlak/v1/keyset
//   region <region>
//   purpose <purpose>
//   class <1|2|3>
//   epoch <n>
//   generation <n>                     1 for a new key; each refresh or reshare of it counts on
//   replaces <hex keyset_id|->         the keyset whose key stayed; - in generation 1
//   quorum <t>
//   covenant <hex covenant_id>
//   transcript <hex 32 bytes>
//   holder <index> <partner id>        one line per holder, ascending index
//   commitment <j> <base64 32 bytes>   A_0 .. A_{t-1}
//
// keyset_id = SHA-256 of the text. PK and every PK_i are computed from the commitments, never received. A
// Keyset exists only when every holder's partner signed, holders, quorum and epoch are those of the covenant
// that it names, and no key in it is the identity. It does NOT say that it is in use: under a later covenant
// it goes on with fewer holders or another quorum than that one wants, until it is reshared or its epoch
// ends (policy/epochs.h). Immutable; thread safe.
//
// It lives apart from the rest of policy because it needs crypto/group and crypto/threshold, which the broker
// must not contain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"
#include "policy/covenant_chain.h"

namespace raakvlak::policy {

struct Holder {
  uint32_t index;
  std::string partner;
  crypto::group::Element public_share;
};

struct KeysetText {
  std::string region;
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t epoch = 0;
  uint32_t generation = 1;
  std::string replaces;  // 32 bytes; empty in generation 1
  uint32_t quorum = 0;
  std::string covenant_id;      // 32 bytes
  std::string transcript_hash;  // 32 bytes
  std::vector<std::pair<uint32_t, std::string>> holders;
  std::vector<crypto::group::Element> commitments;
};

// FormatKeysetText and ParseKeysetText are exact inverses. KEYSET_INVALID for anything else.
std::string FormatKeysetText(const KeysetText& keyset);
absl::StatusOr<KeysetText> ParseKeysetText(absl::string_view text);

class Keyset {
 public:
  // KEYSET_INVALID, SIGNATURE_INVALID (names who did not sign), COVENANT_MISMATCH (the covenant that it names
  // is not in the chain, or is of another region, purpose or epoch).
  static absl::StatusOr<std::shared_ptr<const Keyset>> Verify(absl::string_view note_bytes,
                                                              const CovenantChain& chain);

  const std::string& id() const { return id_; }  // 32 bytes
  const KeysetText& text() const { return text_; }
  // Of the covenant that it names.
  uint32_t covenant_version() const { return covenant_version_; }
  const crypto::group::Element& public_key() const { return text_.commitments.front(); }
  uint32_t quorum() const { return text_.quorum; }
  // Ascending index.
  const std::vector<Holder>& holders() const { return holders_; }
  // nullptr when this partner holds no share.
  const Holder* FindHolder(absl::string_view partner) const;

 private:
  Keyset() = default;
  std::string id_;
  KeysetText text_;
  uint32_t covenant_version_ = 0;
  std::vector<Holder> holders_;
};

// KeysetStore: a set of keysets, by id and by (purpose, class, epoch).
class KeysetStore {
 public:
  // Load reads every *.keyset of the folder; the first that does not verify, or that With refuses, is an
  // error that names it. FILE_UNREADABLE.
  static absl::StatusOr<KeysetStore> Load(const std::string& folder, const CovenantChain& chain);

  // With returns these and one more; one that is there is not added again. KEYSET_INVALID: of its purpose,
  // class and epoch there is one of the same generation, one with another public key, or one that contradicts
  // its place: a later generation never names an earlier covenant, whose holders are fewer than those that
  // share the key by then.
  absl::StatusOr<KeysetStore> With(std::shared_ptr<const Keyset> keyset) const;
  KeysetStore Without(absl::string_view keyset_id) const;

  // nullptr when there is none.
  std::shared_ptr<const Keyset> Find(absl::string_view keyset_id) const;
  // Newest returns that of the highest generation: the one to use.
  std::shared_ptr<const Keyset> Newest(absl::string_view purpose, uint8_t identifier_class,
                                       uint32_t epoch) const;
  size_t size() const { return keysets_.size(); }
  // A copy: who walks over them often got the store from somewhere that replaces it meanwhile.
  std::vector<std::shared_ptr<const Keyset>> all() const { return keysets_; }

 private:
  std::vector<std::shared_ptr<const Keyset>> keysets_;
};

// Share files: <keyset id, hex>.share holds nonce(24) || XChaCha20-Poly1305 of the 32-byte share under the
// node's at-rest key for "share", additional data lp("raakvlak/v1/share") || keyset_id || index(4). ReadShare
// checks share * G == PK_i. FILE_UNREADABLE, FILE_UNSAFE, VERIFICATION_FAILED (wrong key, wrong file, wrong
// share).
absl::StatusOr<crypto::group::Scalar> ReadShare(const std::string& folder, const Keyset& keyset,
                                                absl::string_view partner,
                                                const base::SecretBytes& vault_key);
absl::Status WriteShare(const std::string& folder, const Keyset& keyset, absl::string_view partner,
                        const crypto::group::Scalar& share, const base::SecretBytes& vault_key,
                        base::Random& random);

}  // namespace raakvlak::policy

// Parameters of a ceremony: who makes which shared key together (docs/format/ceremony.md). All members hold
// the same text, byte for byte, or they have no ceremony in common: its SHA-256 is the ceremony id, which
// every message carries.
//
//   raakvlak/v1/ceremony
//   suite ristretto255-SHA512
//   kind <generate|refresh|reshare>
//   region <region>
//   purpose <purpose>
//   class <1|2|3>
//   epoch <n>
//   attempt <n>
//   covenant <hex covenant_id>
//   quorum <t>
//   member <index> <partner id> <both|contributor|receiver> <base64 signing key>   ascending index
//   keyset <hex keyset_id>          refresh and reshare: the keyset whose key stays
//   old <j> <base64 32 bytes>       its commitments
//
// A contributor sends shares, a receiver holds a share afterwards. Generate and refresh: every member is
// both. Reshare: exactly as many contributors as the old quorum, and the new holders as receivers.
//
// It does NOT know the covenant: whoever builds or approves the text compares it with the covenant and, for
// refresh and reshare, with the keyset in force (all of its holders are members of a refresh). Immutable;
// thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/group/element.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::crypto::ceremony {

enum class Kind : uint8_t { kGenerate, kRefresh, kReshare };
enum class Role : uint8_t { kBoth, kContributor, kReceiver };

struct Member {
  // 1..32; that of the partner's organisation in the covenant.
  uint32_t index;
  std::string partner;
  Role role;
  note::PublicKey signing_key;

  bool contributes() const { return role != Role::kReceiver; }
  bool receives() const { return role != Role::kContributor; }
};

struct ParametersText {
  Kind kind = Kind::kGenerate;
  std::string region;
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t epoch = 0;
  // A member takes part in one text once: who tries again after an abort counts on.
  uint32_t attempt = 1;
  std::string covenant_id;  // 32 bytes
  // Of the key that comes out.
  uint32_t quorum = 0;
  std::vector<Member> members;
  std::string old_keyset_id;  // 32 bytes; empty for generate
  std::vector<group::Element> old_commitments;
};

std::string FormatParameters(const ParametersText& text);

class Parameters {
 public:
  // INVALID_ARGUMENT, and the message says why, unless: region, purpose and partners are 1 to 32 lower-case
  // letters, digits and hyphens; class 1..3; epoch and attempt at least 1; indices ascending and 1..32;
  // partners and signing keys distinct; 2 <= quorum <= receivers <= 32; roles, keyset and old commitments as
  // the kind wants them; no old public share of a contributor is the identity.
  static absl::StatusOr<Parameters> Create(ParametersText text);
  // Also MALFORMED for bytes that Create's text would not be written as.
  static absl::StatusOr<Parameters> Parse(absl::string_view bytes);

  const ParametersText& text() const { return text_; }
  Kind kind() const { return text_.kind; }
  uint32_t quorum() const { return text_.quorum; }
  const std::vector<Member>& members() const { return text_.members; }
  // As FormatParameters.
  const std::string& bytes() const { return bytes_; }
  // SHA-256 of bytes().
  const std::string& id() const { return id_; }

  // nullptr when there is none.
  const Member* Find(uint32_t index) const;
  // Ascending indices.
  const std::vector<uint32_t>& contributors() const { return contributors_; }
  const std::vector<uint32_t>& receivers() const { return receivers_; }
  // How many commitments a contributor sends: t, or t - 1 for a refresh, whose constant is nothing.
  size_t num_commitments() const { return text_.kind == Kind::kRefresh ? text_.quorum - 1 : text_.quorum; }

 private:
  Parameters() = default;
  ParametersText text_;
  std::string bytes_;
  std::string id_;
  std::vector<uint32_t> contributors_;
  std::vector<uint32_t> receivers_;
};

}  // namespace raakvlak::crypto::ceremony

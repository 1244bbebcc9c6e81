#include "cli/key_split.h"

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "crypto/threshold/sharing.h"
#include "policy/keyset/keyset.h"

namespace raakvlak::cli {
namespace {

// DO NOT CHANGE.
constexpr char kTranscriptLabel[] = "raakvlak/v1/transcript/split";

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed,
                     absl::StrCat("cannot make folder ", path, ": ", error.message()));
}

absl::Status CheckKeys(const policy::Covenant& covenant, const SplitKeys& keys) {
  for (const auto& [index, partner] : policy::KeyHolders(covenant.text())) {
    const auto signing = keys.signing.find(partner);
    if (signing == keys.signing.end())
      return InvalidArgument(absl::StrCat("the signing key of ", partner, " is missing"));
    if (!(signing->second.public_key() == covenant.PartnerKey(partner))) {
      return InvalidArgument(absl::StrCat("the signing key given for ", partner, " is not the covenant's"));
    }
    if (!keys.vault.contains(partner))
      return InvalidArgument(absl::StrCat("the vault key of ", partner, " is missing"));
  }
  return absl::OkStatus();
}

// The covenant belongs to the caller, and outlives the chain.
std::shared_ptr<const policy::CovenantChain> ChainOf(const policy::Covenant& covenant) {
  return policy::CovenantChain::Create(
      {std::shared_ptr<const policy::Covenant>(std::shared_ptr<const policy::Covenant>(), &covenant)});
}

// Every (purpose, class) that needs a key.
std::vector<SplitResult> Scopes(const v1::Covenant& covenant) {
  std::vector<SplitResult> scopes;
  for (const v1::Purpose& purpose : covenant.purposes()) {
    std::set<int> classes;
    for (const v1::LinkageRule& rule : purpose.rules()) classes.insert(rule.identifier_class());
    for (const int identifier_class : classes) {
      scopes.push_back({.purpose = purpose.id(),
                        .identifier_class = static_cast<uint8_t>(identifier_class),
                        .epoch = purpose.epoch(),
                        .keyset_id = "",
                        .made = false});
    }
  }
  return scopes;
}

// The transcript of a ceremony is what all agreed on; here one machine dealt, and this says so.
std::string Transcript(const policy::KeysetText& text) {
  std::string bytes = absl::StrCat(base::LengthPrefixed(kTranscriptLabel), text.covenant_id,
                                   base::LengthPrefixed(text.purpose),
                                   base::BigEndian(text.identifier_class, 1), base::BigEndian(text.epoch, 4));
  for (const auto& commitment : text.commitments) absl::StrAppend(&bytes, commitment.bytes());
  return base::Sha256(bytes);
}

absl::StatusOr<std::string> SplitOne(const policy::Covenant& covenant, const SplitKeys& keys,
                                     const SplitResult& scope, const std::string& folder,
                                     base::Random& random) {
  const auto holders = policy::KeyHolders(covenant.text());
  std::vector<uint32_t> indices;
  for (const auto& [index, partner] : holders) indices.push_back(index);

  // Scalars wipe themselves when they go.
  const crypto::group::Scalar key = crypto::group::Scalar::Random(random);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto sharing,
                            crypto::threshold::Split(key, covenant.text().quorum(), indices, random));
  policy::KeysetText text{.region = covenant.region(),
                          .purpose = scope.purpose,
                          .identifier_class = scope.identifier_class,
                          .epoch = scope.epoch,
                          .generation = 1,
                          .replaces = "",
                          .quorum = covenant.text().quorum(),
                          .covenant_id = covenant.id(),
                          .transcript_hash = "",
                          .holders = {holders.begin(), holders.end()},
                          .commitments = sharing.commitments};
  text.transcript_hash = Transcript(text);
  crypto::note::Note note{.text = policy::FormatKeysetText(text), .signatures = {}};
  for (const auto& [index, partner] : holders) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto verifier, crypto::note::VerifierKey::Create(
                                                       policy::Urn(covenant.region(), "node", partner),
                                                       covenant.PartnerKey(partner)));
    crypto::note::Sign(note, verifier, keys.signing.at(partner));
  }
  const std::string file = crypto::note::Format(note);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto keyset, policy::Keyset::Verify(file, *ChainOf(covenant)));
  for (size_t i = 0; i < indices.size(); ++i) {
    const std::string& partner = holders.at(indices[i]);
    RAAKVLAK_RETURN_IF_ERROR(policy::WriteShare(absl::StrCat(folder, "/shares/", partner), *keyset, partner,
                                                sharing.shares[i], keys.vault.at(partner), random));
  }
  RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(
      absl::StrCat(folder, "/keysets/", base::Hex(keyset->id()), ".keyset"), file, 0644));
  return keyset->id();
}

}  // namespace

absl::StatusOr<std::vector<SplitResult>> SplitAll(const policy::Covenant& covenant, const SplitKeys& keys,
                                                  const std::string& folder, IfPresent if_present,
                                                  base::Random& random) {
  RAAKVLAK_RETURN_IF_ERROR(CheckKeys(covenant, keys));
  RAAKVLAK_RETURN_IF_ERROR(MakeFolder(folder + "/keysets"));
  for (const auto& [index, partner] : policy::KeyHolders(covenant.text())) {
    RAAKVLAK_RETURN_IF_ERROR(MakeFolder(absl::StrCat(folder, "/shares/", partner)));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const auto present,
                            policy::KeysetStore::Load(folder + "/keysets", *ChainOf(covenant)));
  std::vector<SplitResult> results = Scopes(covenant.text());
  for (SplitResult& result : results) {
    const auto keyset = present.Newest(result.purpose, result.identifier_class, result.epoch);
    if (keyset == nullptr) continue;
    if (if_present == IfPresent::kRefuse) {
      return InvalidArgument(absl::StrCat("there is a keyset for purpose ", result.purpose, ", class ",
                                          uint32_t{result.identifier_class}, ", epoch ", result.epoch,
                                          " already"));
    }
    result.keyset_id = keyset->id();
  }
  for (SplitResult& result : results) {
    if (!result.keyset_id.empty()) continue;
    RAAKVLAK_ASSIGN_OR_RETURN(result.keyset_id, SplitOne(covenant, keys, result, folder, random));
    result.made = true;
  }
  return results;
}

}  // namespace raakvlak::cli

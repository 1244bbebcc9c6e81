#include "policy/keyset/keyset.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/line_reader.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "crypto/seal/seal.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::policy {
namespace {

namespace group = crypto::group;
namespace threshold = crypto::threshold;

// DO NOT CHANGE.
constexpr char kFirstLine[] = "raakvlak/v1/keyset";
constexpr char kShareLabel[] = "raakvlak/v1/share";
constexpr char kShareUse[] = "share";

// 32 holders and 32 commitments take less than 5 kB.
constexpr size_t kMaxTextSize = 16'384;
constexpr size_t kMaxShareFileSize = 1024;

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kKeysetInvalid,
                     absl::StrCat("keyset: ", message));
}

absl::Status Mismatch(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kCovenantMismatch,
                     absl::StrCat("keyset: ", message));
}

absl::Status VerificationFailed(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed, message);
}

absl::StatusOr<std::pair<uint32_t, std::string>> ParseHolder(const std::vector<std::string>& words) {
  uint32_t index = 0;
  if (!absl::SimpleAtoi(words[0], &index)) return Invalid("a holder line is malformed");
  return std::make_pair(index, words[1]);
}

absl::StatusOr<group::Element> ParseCommitment(const std::vector<std::string>& words, size_t expected) {
  size_t number = 0;
  if (!absl::SimpleAtoi(words[0], &number) || number != expected) {
    return Invalid("a commitment line is malformed or out of order");
  }
  const auto bytes = base::ParseBase64(words[1]);
  if (!bytes.ok()) return Invalid("a commitment is not base64");
  auto element = group::Element::Decode(*bytes);
  if (!element.ok())
    return Invalid(absl::StrCat("commitment ", expected, " is no group element, or the identity"));
  return element;
}

// Whether who holds what, and how many must cooperate, is what the covenant says.
absl::Status CheckFits(const KeysetText& text, const Covenant& covenant) {
  if (text.region != covenant.region()) return Mismatch("it is for another region");
  const v1::Purpose* purpose = covenant.FindPurpose(text.purpose);
  if (purpose == nullptr) return Mismatch("the covenant does not have its purpose");
  if (purpose->epoch() != text.epoch)
    return Mismatch("it is of another epoch than the covenant that it names");
  const bool used = std::any_of(
      purpose->rules().begin(), purpose->rules().end(),
      [&](const v1::LinkageRule& rule) { return rule.identifier_class() == text.identifier_class; });
  if (!used) return Invalid("no rule of its purpose uses its class");
  if (text.quorum != covenant.text().quorum()) return Invalid("its quorum is not the covenant's");
  if (text.commitments.size() != text.quorum)
    return Invalid("there are more or fewer commitments than its quorum");
  const auto key_holders = KeyHolders(covenant.text());
  std::vector<uint32_t> indices;
  for (const auto& [index, partner] : text.holders) {
    const auto found = key_holders.find(index);
    if (found == key_holders.end() || found->second != partner) {
      return Invalid(
          absl::StrCat("\"", partner, "\" is not the holder with index ", index, " in the covenant"));
    }
    indices.push_back(index);
  }
  if (indices.size() != key_holders.size()) {
    return Invalid("not every key holder of the covenant holds a share");
  }
  const absl::Status limits = threshold::CheckIndices(text.quorum, indices);
  return limits.ok() ? limits : Invalid(limits.message());
}

std::string ShareFile(const std::string& folder, const Keyset& keyset) {
  return absl::StrCat(folder, "/", base::Hex(keyset.id()), ".share");
}

std::string ShareContext(const Keyset& keyset, uint32_t index) {
  return absl::StrCat(base::LengthPrefixed(kShareLabel), keyset.id(), base::BigEndian(index, 4));
}

}  // namespace

std::string FormatKeysetText(const KeysetText& keyset) {
  std::string text = absl::StrCat(kFirstLine, "\nregion ", keyset.region, "\npurpose ", keyset.purpose,
                                  "\nclass ", uint32_t{keyset.identifier_class}, "\nepoch ", keyset.epoch,
                                  "\ngeneration ", keyset.generation, "\nreplaces ",
                                  keyset.replaces.empty() ? "-" : base::Hex(keyset.replaces));
  absl::StrAppend(&text, "\nquorum ", keyset.quorum, "\ncovenant ", base::Hex(keyset.covenant_id),
                  "\ntranscript ", base::Hex(keyset.transcript_hash), "\n");
  for (const auto& [index, partner] : keyset.holders)
    absl::StrAppend(&text, "holder ", index, " ", partner, "\n");
  for (size_t j = 0; j < keyset.commitments.size(); ++j) {
    absl::StrAppend(&text, "commitment ", j, " ", base::Base64(keyset.commitments[j].bytes()), "\n");
  }
  return text;
}

absl::StatusOr<KeysetText> ParseKeysetText(absl::string_view text) {
  if (text.size() > kMaxTextSize) return Invalid("it is too large");
  base::LineReader reader(text, Invalid);
  if (!reader.Next(kFirstLine, 0).has_value()) return Invalid("it does not start as a keyset of version 1");
  KeysetText keyset;
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.region, reader.Value("region"));
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.purpose, reader.Value("purpose"));
  RAAKVLAK_ASSIGN_OR_RETURN(const uint32_t identifier_class, reader.Number("class"));
  if (!v1::IdentifierClass_IsValid(static_cast<int>(identifier_class)) || identifier_class == 0) {
    return Invalid("its class is not 1, 2 or 3");
  }
  keyset.identifier_class = static_cast<uint8_t>(identifier_class);
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.epoch, reader.Number("epoch"));
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.generation, reader.Number("generation"));
  if (keyset.generation == 0) return Invalid("its generation is 0");
  if (keyset.generation == 1) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string nothing, reader.Value("replaces"));
    if (nothing != "-") return Invalid("a new key replaces no keyset");
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(keyset.replaces, reader.Digest("replaces"));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.quorum, reader.Number("quorum"));
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.covenant_id, reader.Digest("covenant"));
  RAAKVLAK_ASSIGN_OR_RETURN(keyset.transcript_hash, reader.Digest("transcript"));
  for (auto words = reader.Next("holder", 2); words.has_value(); words = reader.Next("holder", 2)) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto holder, ParseHolder(*words));
    if (!keyset.holders.empty() && holder.first <= keyset.holders.back().first) {
      return Invalid("the holders are not in ascending order of index");
    }
    keyset.holders.push_back(std::move(holder));
  }
  for (auto words = reader.Next("commitment", 2); words.has_value(); words = reader.Next("commitment", 2)) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto commitment, ParseCommitment(*words, keyset.commitments.size()));
    keyset.commitments.push_back(commitment);
  }
  // One text per keyset: anything that the reading above forgave, or did not reach, is refused here.
  if (FormatKeysetText(keyset) != text) return Invalid("it is not in its normal form");
  return keyset;
}

absl::StatusOr<std::shared_ptr<const Keyset>> Keyset::Verify(absl::string_view note_bytes,
                                                             const CovenantChain& chain) {
  const auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return Invalid(absl::StrCat("it is no signed note: ", note.status().message()));
  // Who must sign stands in the text: the holders, as the covenant that it names knows them.
  RAAKVLAK_ASSIGN_OR_RETURN(KeysetText text, ParseKeysetText(note->text));
  const std::shared_ptr<const Covenant> named = chain.Find(text.covenant_id);
  if (named == nullptr) return Mismatch("the covenant that it names is not known here");
  const Covenant& covenant = *named;
  RAAKVLAK_RETURN_IF_ERROR(CheckFits(text, covenant));
  std::vector<crypto::note::VerifierKey> signers;
  for (const auto& [index, partner] : text.holders) {
    auto signer = crypto::note::VerifierKey::Create(Urn(covenant.region(), "node", partner),
                                                    covenant.PartnerKey(partner));
    RAAKVLAK_CHECK(signer.ok(), "a verified covenant holds names that are URNs");
    signers.push_back(*std::move(signer));
  }
  RAAKVLAK_RETURN_IF_ERROR(base::Annotate(crypto::note::VerifyAll(*note, signers), "keyset"));

  std::shared_ptr<Keyset> keyset(new Keyset());
  for (const auto& [index, partner] : text.holders) {
    const auto public_share = threshold::PublicShare(text.commitments, index);
    if (!public_share.ok()) {
      return Invalid(
          absl::StrCat("the public share of \"", partner, "\": ", public_share.status().message()));
    }
    keyset->holders_.push_back(Holder{index, partner, *public_share});
  }
  keyset->id_ = base::Sha256(note->text);
  keyset->covenant_version_ = covenant.text().version();
  keyset->text_ = std::move(text);
  return keyset;
}

const Holder* Keyset::FindHolder(absl::string_view partner) const {
  for (const Holder& holder : holders_) {
    if (holder.partner == partner) return &holder;
  }
  return nullptr;
}

absl::StatusOr<group::Scalar> ReadShare(const std::string& folder, const Keyset& keyset,
                                        absl::string_view partner, const base::SecretBytes& vault_key) {
  const Holder* holder = keyset.FindHolder(partner);
  if (holder == nullptr) return VerificationFailed(absl::StrCat(partner, " holds no share of this keyset"));
  const std::string path = ShareFile(folder, keyset);
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes encrypted, base::ReadSecretFile(path, kMaxShareFileSize));
  auto plaintext = crypto::seal::DecryptAtRest(crypto::seal::DeriveAtRestKey(vault_key, kShareUse),
                                               encrypted.Reveal(base::RevealSecret{}),
                                               ShareContext(keyset, holder->index));
  if (!plaintext.ok())
    return VerificationFailed(absl::StrCat(path, " is not this node's share, or the vault key is another"));
  const auto share = group::Scalar::DecodeNonZero(plaintext->Reveal(base::RevealSecret{}));
  if (!share.ok() || !threshold::CheckShare(keyset.text().commitments, holder->index, *share).ok()) {
    return VerificationFailed(absl::StrCat(path, " holds a share that does not fit the keyset"));
  }
  return *share;
}

absl::Status WriteShare(const std::string& folder, const Keyset& keyset, absl::string_view partner,
                        const group::Scalar& share, const base::SecretBytes& vault_key,
                        base::Random& random) {
  const Holder* holder = keyset.FindHolder(partner);
  if (holder == nullptr) return VerificationFailed(absl::StrCat(partner, " holds no share of this keyset"));
  RAAKVLAK_RETURN_IF_ERROR(threshold::CheckShare(keyset.text().commitments, holder->index, share));
  const base::SecretBytes plaintext = base::SecretBytes::Take(share.Encode());
  return base::WriteFileAtomically(
      ShareFile(folder, keyset),
      crypto::seal::EncryptAtRest(crypto::seal::DeriveAtRestKey(vault_key, kShareUse),
                                  plaintext.Reveal(base::RevealSecret{}), ShareContext(keyset, holder->index),
                                  random),
      0600);
}

}  // namespace raakvlak::policy

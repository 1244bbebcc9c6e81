#include "policy/keyset/ceremony.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"

namespace raakvlak::policy {
namespace {

namespace ceremony = crypto::ceremony;
using ceremony::Kind;
using ceremony::Role;

absl::Status CeremonyMismatch(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kCovenantMismatch,
                     absl::StrCat("ceremony: ", message));
}

absl::Status CheckOldKeyset(const Covenant& covenant, const v1::Purpose& purpose, const CeremonyScope& scope,
                            const Keyset& old_keyset) {
  const KeysetText& old_text = old_keyset.text();
  if (old_text.region != covenant.region() || old_text.purpose != scope.purpose ||
      old_text.identifier_class != scope.identifier_class || old_text.epoch != purpose.epoch()) {
    return CeremonyMismatch("the old keyset is of another purpose, class or epoch");
  }
  const auto key_holders = KeyHolders(covenant.text());
  if (scope.kind == Kind::kRefresh &&
      old_text.holders != decltype(old_text.holders)(key_holders.begin(), key_holders.end())) {
    return CeremonyMismatch("a refresh is among the holders of the old keyset, and the covenant has others");
  }
  for (const uint32_t index : scope.contributors) {
    const auto found = key_holders.find(index);
    const auto is_same = [&](const auto& holder) {
      return holder.first == index && found != key_holders.end() && holder.second == found->second;
    };
    if (std::none_of(old_text.holders.begin(), old_text.holders.end(), is_same)) {
      return CeremonyMismatch("a contributor holds no share of the old keyset, or no more");
    }
  }
  return absl::OkStatus();
}

// The keyset with the signatures of its holders, when all of them are there.
std::optional<CompleteKeyset> Join(const std::string& text, absl::Span<const crypto::note::Note> notes,
                                   const CovenantChain& chain) {
  const auto keyset_text = ParseKeysetText(text);
  const auto covenant = keyset_text.ok() ? chain.Find(keyset_text->covenant_id) : nullptr;
  if (covenant == nullptr || notes.size() < keyset_text->holders.size()) return std::nullopt;
  crypto::note::Note whole{text, {}};
  for (const auto& [index, partner] : keyset_text->holders) {
    if (covenant->FindPartner(partner) == nullptr) return std::nullopt;
    const auto verifier = crypto::note::VerifierKey::Create(Urn(covenant->region(), "node", partner),
                                                            covenant->PartnerKey(partner));
    const auto find = [&]() -> const crypto::note::NoteSignature* {
      for (const crypto::note::Note& note : notes) {
        for (const crypto::note::NoteSignature& signature : note.signatures) {
          if (verifier.ok() && crypto::note::VerifyAll({text, {signature}}, {*verifier}).ok())
            return &signature;
        }
      }
      return nullptr;
    };
    const crypto::note::NoteSignature* signature = find();
    if (signature == nullptr) return std::nullopt;
    whole.signatures.push_back(*signature);
  }
  std::string note = crypto::note::Format(whole);
  auto keyset = Keyset::Verify(note, chain);
  if (!keyset.ok()) return std::nullopt;
  return CompleteKeyset{std::move(note), *std::move(keyset)};
}

}  // namespace

absl::StatusOr<ceremony::Parameters> CeremonyFor(const Covenant& covenant, const CeremonyScope& scope,
                                                 const Keyset* old_keyset) {
  const v1::Purpose* purpose = covenant.FindPurpose(scope.purpose);
  const bool has_rule = purpose != nullptr &&
                        std::any_of(purpose->rules().begin(), purpose->rules().end(), [&](const auto& rule) {
                          return rule.identifier_class() == scope.identifier_class;
                        });
  if (!has_rule) return CeremonyMismatch("the covenant has no rule of this purpose and class");
  if ((scope.kind == Kind::kGenerate) != (old_keyset == nullptr)) {
    return CeremonyMismatch("a new key has no old keyset, the others have");
  }
  if (old_keyset != nullptr) {
    RAAKVLAK_RETURN_IF_ERROR(CheckOldKeyset(covenant, *purpose, scope, *old_keyset));
  }
  ceremony::ParametersText text;
  text.kind = scope.kind;
  text.region = covenant.region();
  text.purpose = scope.purpose;
  text.identifier_class = scope.identifier_class;
  text.epoch = purpose->epoch();
  text.attempt = scope.attempt;
  text.covenant_id = covenant.id();
  text.quorum = covenant.text().quorum();
  for (const auto& [index, partner] : KeyHolders(covenant.text())) {
    const bool contributes =
        scope.kind != Kind::kReshare ||
        std::find(scope.contributors.begin(), scope.contributors.end(), index) != scope.contributors.end();
    text.members.push_back(
        {index, partner, contributes ? Role::kBoth : Role::kReceiver, covenant.PartnerKey(partner)});
  }
  if (old_keyset != nullptr) {
    text.old_keyset_id = old_keyset->id();
    text.old_commitments = old_keyset->text().commitments;
  }
  return ceremony::Parameters::Create(std::move(text));
}

absl::Status CheckCeremony(const ceremony::Parameters& parameters, const Covenant& covenant,
                           const Keyset* old_keyset) {
  const ceremony::ParametersText& text = parameters.text();
  CeremonyScope scope{text.kind, text.purpose, text.identifier_class, text.attempt, {}};
  if (text.kind == Kind::kReshare) scope.contributors = parameters.contributors();
  RAAKVLAK_ASSIGN_OR_RETURN(const ceremony::Parameters expected, CeremonyFor(covenant, scope, old_keyset));
  if (expected.bytes() != parameters.bytes()) return CeremonyMismatch("it is not what the covenant says");
  return absl::OkStatus();
}

KeysetText KeysetOf(const ceremony::Parameters& parameters, const ceremony::Outcome& outcome,
                    const Keyset* old_keyset) {
  const ceremony::ParametersText& text = parameters.text();
  RAAKVLAK_CHECK(text.old_keyset_id == (old_keyset == nullptr ? "" : old_keyset->id()),
                 "the old keyset is the one that the ceremony went out from");
  KeysetText out{.region = text.region,
                 .purpose = text.purpose,
                 .identifier_class = text.identifier_class,
                 .epoch = text.epoch,
                 .generation = old_keyset == nullptr ? 1 : old_keyset->text().generation + 1,
                 .replaces = text.old_keyset_id,
                 .quorum = text.quorum,
                 .covenant_id = text.covenant_id,
                 .transcript_hash = outcome.transcript_hash,
                 .holders = {},
                 .commitments = outcome.commitments};
  for (const ceremony::Member& member : parameters.members()) {
    if (member.receives()) out.holders.emplace_back(member.index, member.partner);
  }
  return out;
}

std::vector<CompleteKeyset> CompleteKeysets(absl::Span<const std::vector<std::string>> posted,
                                            const CovenantChain& chain) {
  std::vector<CompleteKeyset> out;
  for (const std::vector<std::string>& notes : posted) {
    std::map<std::string, std::vector<crypto::note::Note>> notes_by_text;
    for (const std::string& bytes : notes) {
      auto note = crypto::note::Parse(bytes);
      if (note.ok()) notes_by_text[note->text].push_back(*std::move(note));
    }
    for (const auto& [text, same] : notes_by_text) {
      auto complete = Join(text, same, chain);
      if (complete.has_value()) out.push_back(*std::move(complete));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const CompleteKeyset& one, const CompleteKeyset& other) {
    return std::pair(one.keyset->covenant_version(), one.keyset->text().generation) >
           std::pair(other.keyset->covenant_version(), other.keyset->text().generation);
  });
  return out;
}

}  // namespace raakvlak::policy

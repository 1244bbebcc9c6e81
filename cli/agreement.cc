#include "cli/agreement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/budget/covenant_budget.h"
#include "policy/roster.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

}  // namespace

absl::StatusOr<crypto::note::Note> ParseFile(absl::string_view file) {
  if (file.size() > crypto::note::kMaxNoteSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "the file is over 1 MB");
  }
  auto note = crypto::note::Parse(file);
  if (note.ok()) return note;
  return crypto::note::Note{.text = std::string(file), .signatures = {}};
}

absl::StatusOr<std::string> NewCovenant(absl::string_view text) {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Covenant covenant, policy::ParseCovenantText(text));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckCovenant(covenant));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLinkage(covenant));
  return policy::PrintText(covenant);
}

absl::StatusOr<std::string> NewRoster(absl::string_view text, const policy::Covenant& covenant,
                                      uint64_t number, absl::Time now, absl::Duration validity) {
  RAAKVLAK_ASSIGN_OR_RETURN(v1::Roster roster, policy::ParseRosterText(text));
  roster.set_format(1);
  roster.set_covenant_id(base::Hex(covenant.id()));
  if (number != 0) roster.set_number(number);
  roster.set_issued(policy::FormatUtc(now));
  roster.set_expires(policy::FormatUtc(now + validity));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckRoster(roster, covenant));
  return policy::PrintText(roster);
}

absl::StatusOr<Signers> SignersOf(const crypto::note::Note& note,
                                  const std::vector<crypto::note::VerifierKey>& verifiers) {
  Signers signers;
  for (const crypto::note::VerifierKey& verifier : verifiers) {
    const bool present = std::any_of(
        note.signatures.begin(), note.signatures.end(), [&](const crypto::note::NoteSignature& signature) {
          return signature.name == verifier.name() && signature.key_id == verifier.key_id();
        });
    if (present) RAAKVLAK_RETURN_IF_ERROR(crypto::note::VerifyAll(note, absl::MakeConstSpan(&verifier, 1)));
    (present ? signers.signed_by : signers.missing).push_back(verifier.name());
  }
  return signers;
}

absl::StatusOr<std::string> SignFile(const crypto::note::Note& note,
                                     const std::vector<crypto::note::VerifierKey>& verifiers,
                                     absl::string_view name, const crypto::note::PrivateKey& key) {
  // A wrong signature by someone else would make the whole note worthless: better told now than at the last
  // signer.
  RAAKVLAK_RETURN_IF_ERROR(SignersOf(note, verifiers).status());
  const auto verifier = std::find_if(verifiers.begin(), verifiers.end(), [&](const auto& candidate) {
    return candidate.name() == std::string(name) && candidate.key() == key.public_key();
  });
  const bool signs = std::any_of(verifiers.begin(), verifiers.end(), [&](const auto& candidate) {
    return candidate.name() == std::string(name);
  });
  if (!signs) return InvalidArgument(absl::StrCat(name, " does not sign this text"));
  if (verifier == verifiers.end()) {
    return InvalidArgument(absl::StrCat("this is not the key that the covenant gives ", name));
  }
  if (note.text.empty() || note.text.back() != '\n')
    return InvalidArgument("the text does not end with a newline");
  crypto::note::Note with_signature = note;
  crypto::note::Sign(with_signature, *verifier, key);
  std::string file = crypto::note::Format(with_signature);
  if (!crypto::note::Parse(file).ok()) {
    return InvalidArgument(
        "the text cannot stand in a signed note (tabs, other control characters, not UTF-8); "
        "`new` writes it in its normal form");
  }
  return file;
}

}  // namespace raakvlak::cli

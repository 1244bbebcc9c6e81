#include "cli/covenant_successor.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement.h"
#include "crypto/seal/seal.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

absl::Status WrongTerms(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::Status RaiseEpoch(const std::string& id, const SuccessorTerms& terms, absl::Time valid_from,
                        v1::Covenant& covenant) {
  const auto purpose = std::find_if(covenant.mutable_purposes()->begin(), covenant.mutable_purposes()->end(),
                                    [&](const v1::Purpose& candidate) { return candidate.id() == id; });
  if (purpose == covenant.mutable_purposes()->end()) return WrongTerms(absl::StrCat("no purpose ", id));
  const auto given = terms.seal_keys.find(id);
  const auto public_key =
      given == terms.seal_keys.end() ? base::ParseBase64("") : base::ParseBase64(given->second);
  if (!public_key.ok() || public_key->size() != 32) {
    return WrongTerms(absl::StrCat("the new epoch of ", id,
                                   " needs a seal key of the hub's: `raakvlak key new "
                                   "--kind seal`, then --seal-key ",
                                   id, "=PUBLIC_KEY"));
  }
  const uint32_t before = purpose->epoch();
  const bool overlaps = covenant.overlap_days() > 0;
  purpose->set_epoch(before + 1);
  purpose->set_previous_epoch_until(
      overlaps ? policy::FormatUtc(valid_from + absl::Hours(24) * covenant.overlap_days()) : "");
  auto& seal_keys = *covenant.mutable_hub()->mutable_seal_keys();
  seal_keys.erase(std::remove_if(seal_keys.begin(), seal_keys.end(),
                                 [&](const v1::SealKey& key) {
                                   return key.purpose() == id && (!overlaps || key.epoch() != before);
                                 }),
                  seal_keys.end());
  v1::SealKey& seal_key = *seal_keys.Add();
  seal_key.set_purpose(id);
  seal_key.set_epoch(before + 1);
  seal_key.set_id(crypto::seal::SealKeyId(*public_key));
  seal_key.set_public_key(given->second);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> SuccessorText(const policy::Covenant& previous, const SuccessorTerms& terms) {
  const auto valid_from = policy::ParseUtc(terms.valid_from);
  if (!valid_from.has_value() ||
      (!terms.valid_until.empty() && !policy::ParseUtc(terms.valid_until).has_value())) {
    return WrongTerms("times are written as 2027-01-01T00:00:00Z");
  }
  v1::Covenant covenant = previous.text();
  covenant.set_version(covenant.version() + 1);
  covenant.set_supersedes(base::Hex(previous.id()));
  covenant.set_valid_from(terms.valid_from);
  if (!terms.valid_until.empty()) covenant.set_valid_until(terms.valid_until);
  std::set<std::string> raised;
  for (const std::string& purpose : terms.next_epochs) {
    if (!raised.insert(purpose).second) return WrongTerms(absl::StrCat(purpose, " is given twice"));
    RAAKVLAK_RETURN_IF_ERROR(RaiseEpoch(purpose, terms, *valid_from, covenant));
  }
  for (const auto& [purpose, key] : terms.seal_keys) {
    if (!raised.contains(purpose))
      return WrongTerms(absl::StrCat("--seal-key ", purpose, " goes with --next-epoch ", purpose));
  }
  return NewCovenant(policy::PrintText(covenant));
}

}  // namespace raakvlak::cli

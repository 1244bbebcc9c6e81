#include "server/node/sealing_epoch.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"

namespace raakvlak::node {
namespace {

bool HasKeysets(const policy::KeysetStore& keysets, const v1::Purpose& purpose) {
  return std::all_of(purpose.rules().begin(), purpose.rules().end(), [&](const v1::LinkageRule& rule) {
    return keysets.Newest(purpose.id(), static_cast<uint8_t>(rule.identifier_class()), purpose.epoch()) !=
           nullptr;
  });
}

}  // namespace

absl::StatusOr<const v1::Purpose*> FindSealingTerms(const Environment& environment,
                                                    const policy::Snapshot& snapshot,
                                                    absl::string_view purpose) {
  const v1::Purpose* in_force = snapshot.covenant->FindPurpose(purpose);
  if (in_force == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kPurposeUnknown,
                       "no such purpose in the covenant");
  }
  const std::shared_ptr<const Keys> keys = environment.keys->Now();
  for (const uint32_t epoch : policy::EpochsServed(*in_force, environment.clock->Now())) {
    const v1::Purpose* terms = snapshot.TermsOf(purpose, epoch);
    if (terms != nullptr && HasKeysets(keys->keysets(), *terms)) return terms;
  }
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kKeysetUnknown,
                     absl::StrCat("no served epoch of purpose ", purpose, " has all its keysets here"));
}

}  // namespace raakvlak::node

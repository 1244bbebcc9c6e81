#include "policy/epochs.h"

#include <algorithm>

#include "policy/authority.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

constexpr uint32_t kDefaultEpochDays = 365;

}  // namespace

absl::Time PreviousEpochUntil(const v1::Purpose& purpose) {
  if (purpose.epoch() < 2 || purpose.previous_epoch_until().empty()) return absl::InfinitePast();
  const auto until = ParseUtc(purpose.previous_epoch_until());
  return until ? *until : absl::InfinitePast();
}

std::vector<uint32_t> EpochsServed(const v1::Purpose& purpose, absl::Time now) {
  std::vector<uint32_t> epochs = {purpose.epoch()};
  if (now < PreviousEpochUntil(purpose)) epochs.push_back(purpose.epoch() - 1);
  return epochs;
}

bool IsEpochServed(const v1::Purpose& purpose, uint32_t epoch, absl::Time now) {
  const std::vector<uint32_t> served = EpochsServed(purpose, now);
  return std::find(served.begin(), served.end(), epoch) != served.end();
}

bool IsEpochWanted(const Snapshot& snapshot, absl::string_view purpose, uint32_t epoch, absl::Time now) {
  const auto chain = ChainOf(snapshot);
  return std::any_of(chain->all().begin(), chain->all().end(), [&](const auto& covenant) {
    if (covenant->text().version() < snapshot.covenant->text().version()) return false;
    const v1::Purpose* found = covenant->FindPurpose(purpose);
    return found != nullptr && IsEpochServed(*found, epoch, now);
  });
}

uint32_t EpochDays(const v1::Covenant& covenant) {
  return covenant.epoch_days() == 0 ? kDefaultEpochDays : covenant.epoch_days();
}

absl::Time EpochDue(const Snapshot& snapshot, const v1::Purpose& purpose) {
  absl::Time start = snapshot.covenant->valid_from();
  for (const auto& covenant : snapshot.UpToInForce()) {
    const v1::Purpose* found = covenant->FindPurpose(purpose.id());
    if (found != nullptr && found->epoch() == purpose.epoch()) start = covenant->valid_from();
  }
  return start + absl::Hours(24) * EpochDays(snapshot.covenant->text());
}

bool IsEpochOver(const Snapshot& snapshot, const v1::Purpose& purpose, absl::Time now) {
  return now >= EpochDue(snapshot, purpose) &&
         !IsEpochWanted(snapshot, purpose.id(), purpose.epoch() + 1, now);
}

}  // namespace raakvlak::policy

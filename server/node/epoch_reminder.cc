#include "server/node/epoch_reminder.h"

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::node {
namespace {

constexpr absl::Duration kRemindEvery = absl::Hours(24);

}  // namespace

bool EpochReminder::Look(const policy::Snapshot& snapshot) {
  const absl::Time now = clock_.Now();
  bool in_time = true;
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    if (!policy::IsEpochOver(snapshot, purpose, now)) continue;
    in_time = false;
    const auto warning = next_warning_.try_emplace({purpose.id(), purpose.epoch()}, now).first;
    if (now < warning->second) continue;
    warning->second = now + kRemindEvery;
    base::Log(base::LogLevel::kWarning, "node.epoch_over",
              {{"purpose", purpose.id()},
               {"epoch", absl::StrCat(purpose.epoch())},
               {"due", policy::FormatUtc(policy::EpochDue(snapshot, purpose))},
               {"what_to_do", "agree on a covenant with the next epoch: docs/operating.md, A new epoch"}});
  }
  return in_time;
}

}  // namespace raakvlak::node

#include "server/node/allowances.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;

// Less than a node waits for a holder.
constexpr absl::Duration kAskTimeout = absl::Seconds(5);

absl::Status AwayError(absl::string_view what) {
  return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, what);
}

// What a quota comes to within one epoch: both are bounded by the covenant's checks.
uint64_t LimitFor(const policy::Covenant& covenant, const v1::Allowance& allowance) {
  const uint64_t days = policy::EpochDays(covenant.text());
  const uint64_t quota = covenant.QuotaFor(allowance.partner(), allowance.identifier_class());
  return quota * days;
}

}  // namespace

bool Allowances::IsOpen(const policy::Snapshot& snapshot, const std::string& purpose, uint32_t epoch) const {
  const v1::Purpose* in_force = snapshot.covenant->FindPurpose(purpose);
  return in_force != nullptr && in_force->epoch() == epoch &&
         environment_.clock->Now() < policy::PreviousEpochUntil(*in_force);
}

absl::StatusOr<bool> Allowances::Fetch(const policy::Snapshot& snapshot, const std::string& purpose,
                                       uint32_t epoch) {
  RAAKVLAK_ASSIGN_OR_RETURN(const bool granted, environment_.store->IsAllowanceGranted(purpose, epoch));
  if (granted) return false;
  {
    base::MutexLock lock(mutex_);
    if (asking_ || !backoff_.MayTry(environment_.clock->Now())) {
      return AwayError("the broker has not said the allowances yet");
    }
    asking_ = true;
  }
  const absl::StatusOr<bool> done = Ask(snapshot, *snapshot.covenant->FindPurpose(purpose));
  base::MutexLock lock(mutex_);
  asking_ = false;
  if (done.ok()) {
    backoff_.Succeeded();
  } else {
    backoff_.Failed(environment_.clock->Now());
    base::LogStatus(base::LogLevel::kWarning, "node.allowances_wait", done.status(), {{"purpose", purpose}});
  }
  return done;
}

absl::StatusOr<bool> Allowances::Ask(const policy::Snapshot& snapshot, const v1::Purpose& purpose) {
  v1::ListAllowancesRequest request;
  request.set_purpose(purpose.id());
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ListAllowancesResponse response,
                            exchange_.ListAllowances(request, kAskTimeout));
  // Its policy may be older or newer than ours for a moment.
  if (response.epoch() + 1 != purpose.epoch()) return AwayError("the broker named another epoch");
  std::vector<storage::EvaluationAllowance> granted;
  uint64_t total = 0;
  for (const v1::Allowance& allowance : response.allowances()) {
    if (snapshot.covenant->FindPartner(allowance.partner()) == nullptr) continue;
    const uint64_t elements = std::min(allowance.tokens(), LimitFor(*snapshot.covenant, allowance));
    granted.push_back({allowance.partner(), static_cast<uint8_t>(allowance.identifier_class()), elements});
    total += elements;
  }
  storage::AuditEntry entry =
      NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", "allowance");
  entry.purpose = purpose.id();
  entry.reason = absl::StrCat("epoch ", purpose.epoch());
  entry.count = total;
  bool first = false;
  const absl::Status written =
      environment_.store->Write("allowances", [&](storage::NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(first, transaction.GrantAllowances(purpose.id(), purpose.epoch(), granted));
        return first ? transaction.AppendAudit(entry).status() : absl::OkStatus();
      });
  if (!written.ok()) return written;
  return first;
}

}  // namespace raakvlak::node

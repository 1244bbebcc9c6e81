#include "server/storage/memory/broker_store.h"

#include <algorithm>

#include "base/reason.h"
#include "base/status.h"
#include "server/storage/memory/broker_transaction.h"

namespace raakvlak::storage {
namespace {

bool Fits(const AuditFilter& filter, const AuditEntry& entry) {
  const auto equal = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  return equal(filter.actor, entry.actor) && equal(filter.action, entry.action) &&
         equal(filter.purpose, entry.purpose) && equal(filter.case_reference, entry.case_reference) &&
         equal(filter.result, entry.result) && (filter.from_ms == 0 || entry.time_ms >= filter.from_ms) &&
         (filter.until_ms == 0 || entry.time_ms < filter.until_ms);
}

}  // namespace

MemoryBrokerStore::MemoryBrokerStore() : state_(std::make_unique<State>()) {}
MemoryBrokerStore::~MemoryBrokerStore() = default;

absl::Status MemoryBrokerStore::Write(absl::string_view,
                                      absl::FunctionRef<absl::Status(BrokerTransaction&)> body) {
  base::MutexLock lock(mutex_);
  auto next = std::make_unique<State>(*state_);
  MemoryBrokerTransaction transaction(*next);
  RAAKVLAK_RETURN_IF_ERROR(body(transaction));
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::Status MemoryBrokerStore::Read(absl::string_view, absl::FunctionRef<absl::Status(BrokerReader&)> body) {
  base::MutexLock lock(mutex_);
  MemoryBrokerTransaction transaction(*state_);
  return body(transaction);
}

absl::StatusOr<std::vector<AuditEntry>> MemoryBrokerStore::ReadAudit(const AuditFilter& filter,
                                                                     uint64_t start, size_t limit) {
  base::MutexLock lock(mutex_);
  std::vector<AuditEntry> entries;
  const auto& audit = state_->audit;
  const auto take = [&](const AuditEntry& entry) {
    if (entries.size() < limit && Fits(filter, entry)) entries.push_back(entry);
  };
  if (filter.newest_first) {
    for (size_t i = start < audit.size() ? start + 1 : audit.size(); i > 0; --i) take(*audit[i - 1]);
  } else {
    for (size_t i = start; i < audit.size(); ++i) take(*audit[i]);
  }
  return entries;
}

absl::StatusOr<policy::Newest> MemoryBrokerStore::Load() {
  base::MutexLock lock(mutex_);
  return state_->newest;
}

absl::Status MemoryBrokerStore::Store(const policy::Newest& newest) {
  base::MutexLock lock(mutex_);
  if (newest.covenant_version < state_->newest.covenant_version ||
      newest.roster_number < state_->newest.roster_number) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kStorageFailed,
                       "a newer covenant or roster was stored before");
  }
  state_->newest = newest;
  return absl::OkStatus();
}

}  // namespace raakvlak::storage

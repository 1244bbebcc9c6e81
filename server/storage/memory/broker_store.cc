#include "server/storage/memory/broker_store.h"

#include <utility>

#include "base/reason.h"
#include "base/status.h"
#include "server/storage/memory/broker_transaction.h"

namespace raakvlak::storage {
MemoryBrokerStore::MemoryBrokerStore(std::string urn)
    : state_(std::make_unique<State>()),
      log_(std::move(urn), [this](absl::FunctionRef<void(MemoryLog&)> use) {
        base::MutexLock lock(mutex_);
        use(state_->log);
      }) {}
MemoryBrokerStore::~MemoryBrokerStore() = default;

absl::Status MemoryBrokerStore::Write(absl::string_view,
                                      absl::FunctionRef<absl::Status(BrokerTransaction&)> body) {
  base::MutexLock lock(mutex_);
  auto next = std::make_unique<State>(*state_);
  MemoryBrokerTransaction transaction(*next, log_.codec());
  RAAKVLAK_RETURN_IF_ERROR(body(transaction));
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::Status MemoryBrokerStore::Read(absl::string_view, absl::FunctionRef<absl::Status(BrokerReader&)> body) {
  base::MutexLock lock(mutex_);
  MemoryBrokerTransaction transaction(*state_, log_.codec());
  return body(transaction);
}

absl::StatusOr<policy::Newest> MemoryBrokerStore::Load() {
  base::MutexLock lock(mutex_);
  return state_->newest;
}

absl::Status MemoryBrokerStore::Store(const policy::Newest& newest) {
  base::MutexLock lock(mutex_);
  if (!policy::MayFollow(state_->newest, newest)) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kStorageFailed,
                       "a newer covenant or roster was stored before");
  }
  state_->newest = newest;
  return absl::OkStatus();
}

}  // namespace raakvlak::storage

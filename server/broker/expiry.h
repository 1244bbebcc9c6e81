// Expiry: ends signals at the end of their retention, and clears away what is only kept for a time.
//
// A signal is live before its expiry day and not on it. Run this before each matching run: the matcher counts
// what is stored. Tombstones stay a week beyond their expiry day, so that a node that was away gets a clear
// answer; orders twice their window and more; counts of submits two days; closed matches as long as the
// covenant keeps the log; ceremonies 90 days, and their keysets longer than any epoch. Thread safety: Run may
// be called from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

struct ExpiryTerms {
  uint32_t today = 0;  // in the covenant's time zone
  uint32_t closed_match_days = 0;
  std::string policy;  // for the audit entry
};

struct ExpiryRun {
  uint64_t expired = 0;
  uint64_t pruned = 0;
};

class Expiry {
 public:
  // At most this many rows go in one transaction, so that submits are not held up for long.
  static constexpr size_t kBatch = 500;

  // `actor` is the broker's URN, for the audit. `store` and `clock` outlive the Expiry.
  Expiry(storage::BrokerStore& store, const base::Clock& clock, std::string actor, size_t batch = kBatch)
      : store_(store), clock_(clock), actor_(std::move(actor)), batch_(batch) {}

  // Run works until nothing is left to do. Each transaction that ended signals has one audit entry "expire"
  // with their number. STORAGE_FAILED.
  absl::StatusOr<ExpiryRun> Run(const ExpiryTerms& terms);

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
  const std::string actor_;
  const size_t batch_;
};

}  // namespace raakvlak::broker

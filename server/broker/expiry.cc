#include "server/broker/expiry.h"

#include "base/status.h"

namespace raakvlak::broker {
namespace {

constexpr uint32_t kTombstoneDays = 7;
constexpr int64_t kCeremonyDays = 90;
// Longer than any epoch: who joins or lost its files takes keysets from here.
constexpr int64_t kKeysetDays = 4'000;
constexpr uint32_t kCounterDays = 2;
// An order is taken within 120 s of its time, either way; after this one can no longer be replayed.
constexpr int64_t kOrderMs = 600'000;
constexpr int64_t kDayMs = 86'400'000;

}  // namespace

absl::StatusOr<ExpiryRun> Expiry::Run(const ExpiryTerms& terms) {
  ExpiryRun run;
  const int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  uint64_t done = batch_;
  while (done == batch_) {
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Write("expire", [&](storage::BrokerTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(done, transaction.ExpireSignals(terms.today, now_ms, batch_));
          if (done == 0) return absl::OkStatus();
          storage::AuditEntry entry;
          entry.time_ms = now_ms;
          entry.actor = actor_;
          entry.role = "broker";
          entry.action = "expire";
          entry.count = done;
          entry.policy = terms.policy;
          return transaction.AppendAudit(entry).status();
        }));
    run.expired += done;
  }

  const auto days_ago = [&](uint32_t days) { return terms.today > days ? terms.today - days : 0; };
  storage::PruneBounds bounds;
  bounds.tombstones_before_day = days_ago(kTombstoneDays);
  bounds.orders_before_ms = now_ms - kOrderMs;
  bounds.counters_before_day = days_ago(kCounterDays);
  bounds.closed_matches_before_ms = now_ms - int64_t{terms.closed_match_days} * kDayMs;
  done = batch_;
  while (done == batch_) {
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Write("prune", [&](storage::BrokerTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(done, transaction.Prune(bounds, batch_));
          return absl::OkStatus();
        }));
    run.pruned += done;
  }

  const storage::CeremonyBounds ceremonies{.messages_before_ms = now_ms - kCeremonyDays * kDayMs,
                                           .keysets_before_ms = now_ms - kKeysetDays * kDayMs};
  done = batch_;
  while (done == batch_) {
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Write("prune_ceremonies", [&](storage::BrokerTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(done, transaction.ceremonies().Prune(ceremonies, batch_));
          return absl::OkStatus();
        }));
    run.pruned += done;
  }
  return run;
}

}  // namespace raakvlak::broker

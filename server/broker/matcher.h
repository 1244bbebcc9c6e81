// Matcher: finds which signals overlap, by comparing opaque tokens and nothing else.
//
// A group is the live signals with one (purpose, rule, epoch, tag, commitments) when they are of at least k
// organisations and, in mode CASE, hold a case report that counts. EXACT and STRONG rules form groups. A
// match joins the groups of one purpose and subject kind that share a signal and holds all signals of its
// groups. Live: stored (not withdrawn, not expired) and its partner in force.
//
// While epochs overlap a signal has a version in each. A group is of one epoch and so of versions; two groups
// share a signal when they hold versions of it, whichever. So a match stays one while its partners renew
// their signals one by one, and its members are all versions that stand in its groups.
//
// Ids: a match keeps its id while it lives. When matches grow together the oldest lives on and the ids of the
// others resolve to it. When one falls apart, the part that holds the oldest of its members, by number, keeps
// the id. One that falls below k is closed for good; overlap that comes back later is a new match, also when
// it comes back because a partner renewed its signal only after the epoch's end.
//
// Rules of a match: those of its groups, and SUPPORTING ones in which two of its organisations agree
// (whatever their subject kind). Quality: the best of its groups. Conflict: under the tag of one of its
// groups stand live signals with other commitments.
//
// Incremental: a run reads the dirty signals, all that share a tag with them, and the matches these belong
// to, and nothing else, so its cost does not depend on how much is stored. A change of a purpose's mode takes
// effect on a signal when it is next looked at. A change of k comes with a new epoch: what was sealed in an
// older one keeps the k that it was sealed under when that is higher.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/random.h"
#include "policy/authority.h"
#include "raakvlak/v1/covenant.pb.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

struct PurposeTerms {
  uint32_t threshold = 0;  // k
  v1::Mode mode = v1::MODE_UNSPECIFIED;
  // By epoch: the k that signals of that epoch were sealed under, where it is known.
  std::map<uint32_t, uint32_t> threshold_of = {};
};

// What of covenant and roster decides about matches. Signals of other purposes and partners form no groups.
struct MatchTerms {
  std::map<std::string, PurposeTerms> purposes;
  std::set<std::string> partners_in_force;
  std::string policy;  // for the audit entry
};

// TermsOf reads them from what is in force.
MatchTerms TermsOf(const policy::Snapshot& snapshot);

struct MatchRun {
  uint64_t signals = 0;       // that came, ended, or whose partner's standing changed
  uint64_t transactions = 0;  // 0: there was nothing to do
};

class Matcher {
 public:
  // At most this many signals that came or ended are looked at in one transaction, with what became dirty
  // beside them, so that submits are not held up for long.
  static constexpr size_t kBatch = 2000;

  // `actor` is the broker's URN, for the audit. `store`, `clock` and `random` outlive the Matcher.
  Matcher(storage::BrokerStore& store, const base::Clock& clock, base::Random& random, std::string actor,
          size_t batch = kBatch)
      : store_(store), clock_(clock), random_(random), actor_(std::move(actor)), batch_(batch) {}

  // Run works until nothing is dirty. Each transaction holds its matches and one audit entry "match_run"
  // whose count is the number of changed signals, of the same shape whether or not there was overlap. With
  // nothing dirty there is no entry. What was not finished when it fails is still dirty. STORAGE_FAILED.
  // REQUIRES: one Run at a time.
  absl::StatusOr<MatchRun> Run(const MatchTerms& terms);

  // Update is Run inside a transaction of the caller's, for what must find nothing dirty; partners whose
  // standing changed are left for Run. STORAGE_FAILED.
  absl::Status Update(storage::BrokerTransaction& transaction, const MatchTerms& terms);

 private:
  // One transaction's work. Returns how many changed signals it looked at; nothing when nothing was dirty.
  absl::StatusOr<std::optional<uint64_t>> UpdateBatch(storage::BrokerTransaction& transaction,
                                                      const MatchTerms& terms);
  // Marks the signals of partners whose standing differs from the last run.
  absl::Status MarkChangedPartners(const MatchTerms& terms);

  storage::BrokerStore& store_;
  const base::Clock& clock_;
  base::Random& random_;
  const std::string actor_;
  const size_t batch_;
};

}  // namespace raakvlak::broker

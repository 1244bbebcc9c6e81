// BrokerStore: what the broker keeps: sealed signals with their tokens, what has ended, matches, orders seen,
// counters, ceremonies, and the audit log.
//
// All access is in named transactions: Write is serialisable and durable when it returns, Read sees one
// snapshot. A body that returns an error has no effect at all, its audit entries included. A body must not
// call Write or Read of the store again; it may use its own transaction only. STORAGE_FAILED from Write means
// that the outcome is unknown: retry with the same ids.
//
// A signal is (partner, signal id) and has a version for each epoch that its partner sealed it in, one beside
// the other. Versions and matches have numbers (from 1, in order of arrival, never used twice) besides their
// ids; where a signal has a number below, it is that of one version. "Dirty" is what the matcher has not
// looked at yet; every operation here that changes what is live marks it itself.
//
// A signal that ends (withdrawn, expired) loses all its versions, with envelopes, tokens and places in
// matches, in that same transaction; what remains is a tombstone (ids, newest envelope hash, how and when it
// ended) until its expiry day, so that nothing comes back to life. When an epoch ends its versions go in the
// same way but without a tombstone: the partner did not end the signal and may seal it anew. A batch (which
// log entry says that its signals came) stays until the last of its signals is past its expiry day.
//
// What a store does NOT do: check signatures, dates, entitlement or quota; decide who may see what.
// Every method that returns a Status or StatusOr may return STORAGE_FAILED; only further reasons are named.
// Thread safety: a BrokerStore may be used from any thread; a reader or transaction only by the body it was
// handed to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/authority.h"
#include "raakvlak/v1/covenant.pb.h"
#include "server/storage/audit.h"
#include "server/storage/ceremonies.h"

namespace raakvlak::storage {

struct StoredToken {
  std::string rule;
  v1::SubjectKind subject = v1::SUBJECT_KIND_UNSPECIFIED;
  v1::Quality quality = v1::QUALITY_UNSPECIFIED;
  std::string tag;               // 16 bytes
  std::string commitments_hash;  // SHA-256 of the token's commitments, 32 bytes; empty for SUPPORTING
};

// One version of a signal.
struct StoredSignal {
  std::string partner;
  uint32_t organisation = 0;  // the organisation's index in the covenant
  std::string signal_id;      // 16 bytes
  std::string envelope_hash;  // 32 bytes
  std::string purpose;
  uint32_t epoch = 0;
  v1::SignalKind kind = v1::SIGNAL_KIND_UNSPECIFIED;
  bool counts_as_case = false;  // a case report of a partner that the purpose entitles to one
  uint32_t submitted_day = 0;
  uint32_t expiry_day = 0;  // the first day on which it is no longer live
  int64_t accepted_ms = 0;
  std::string body;  // of the envelope, as signed
  std::string signature;
  std::vector<StoredToken> tokens;  // at most one for each rule
};

struct StoredEnvelope {
  std::string body;
  std::string signature;
};

enum class SignalState { kLive = 1, kWithdrawn = 2, kExpired = 3 };

// What is known of a signal, live (then of one of its versions) or ended.
struct SignalStatus {
  SignalState state = SignalState::kLive;
  uint64_t number = 0;  // 0 when it has ended
  uint32_t epoch = 0;   // 0 when it has ended, and so are purpose, kind and submitted_day
  std::string purpose;
  v1::SignalKind kind = v1::SIGNAL_KIND_UNSPECIFIED;
  uint32_t submitted_day = 0;
  std::string envelope_hash;  // empty when it was withdrawn without ever being submitted
  int64_t accepted_ms = 0;    // 0 when never submitted
  int64_t ended_ms = 0;       // 0 while live
  std::string reason;         // kWithdrawn: of the first withdrawal
  uint32_t expiry_day = 0;    // a tombstone is kept until this day
};

// Signals that were inserted in one transaction, under one entry of the log.
struct StoredBatch {
  EntryId entry;
  uint64_t first_number = 0;        // they have consecutive numbers
  std::vector<std::string> hashes;  // of their envelopes, 32 bytes each, in that order
};

struct Withdrawal {
  std::string partner;
  std::string signal_id;
  std::string reason;
  int64_t time_ms = 0;
  // For an id that was never submitted: until when it is remembered; later than any submit of it could
  // expire.
  uint32_t remember_until_day = 0;
};

// The epochs of a purpose.
struct PurposeEpoch {
  std::string purpose;
  uint32_t epoch = 0;
  auto operator<=>(const PurposeEpoch&) const = default;
};

// How many live tokens of one rule a partner has in one epoch of a purpose.
struct TokenCount {
  std::string partner;
  std::string rule;
  uint64_t tokens = 0;
};

// How far the partners of a purpose have come with a newer epoch.
struct EpochProgress {
  uint64_t versions = 0;  // live in the epoch
  uint64_t renewed = 0;   // of these, how many signals have a newer version
};

// What the matcher needs of a live version of a signal.
struct SignalFacts {
  uint64_t number = 0;
  std::vector<uint64_t> versions;  // numbers of all live versions of the signal, this one among them, sorted
  std::string partner;
  uint32_t organisation = 0;
  std::string purpose;
  uint32_t epoch = 0;
  bool counts_as_case = false;
  std::vector<StoredToken> tokens;
};

struct TaggedSignal {
  uint64_t number = 0;
  std::string commitments_hash;
};

enum class MatchState { kOpen = 1, kClosed = 2, kMerged = 3 };

struct MatchMember {
  uint64_t number = 0;
  std::string partner;
  uint32_t organisation = 0;
  std::string signal_id;
  std::string envelope_hash;
  uint32_t submitted_day = 0;
  uint32_t expiry_day = 0;
  bool counts_as_case = false;
};

struct MatchRecord {
  uint64_t number = 0;  // 0: not stored yet
  std::string id;       // 16 bytes
  std::string purpose;
  v1::SubjectKind subject = v1::SUBJECT_KIND_UNSPECIFIED;
  v1::Quality quality = v1::QUALITY_UNSPECIFIED;
  std::vector<std::string> rules;  // sorted
  bool conflict = false;
  MatchState state = MatchState::kOpen;
  int64_t changed_ms = 0;
  // In order of number. A signal that ends leaves at once, so until the next matching run an open match may
  // have members of fewer than k organisations, or no case report any more: who shows or opens it checks
  // that, and that every member is unexpired and its partner in force.
  std::vector<MatchMember> members;
  std::vector<std::string> merged_ids;  // 16 bytes each, oldest first

  std::vector<std::string> Partners() const;  // sorted, each once
  std::vector<std::string> EnvelopeHashes() const;
  uint32_t FirstDay() const;  // 0 without members
  uint32_t LastDay() const;
};

// A page of matches of one purpose, oldest first.
struct MatchQuery {
  std::string purpose;
  bool include_closed = false;
  uint64_t after_number = 0;  // of the last match of the page before
  size_t limit = 100;
};

// What may go; each is exclusive: rows of that day or time stay.
struct PruneBounds {
  uint32_t tombstones_before_day = 0;  // by expiry day; batches too
  int64_t orders_before_ms = 0;
  uint32_t counters_before_day = 0;
  int64_t closed_matches_before_ms = 0;
};

// More than a signal that ends can make dirty: one for each of its tokens, and the matches it was in.
inline constexpr size_t kMaxBeside = 64;

struct DirtySignal {
  uint64_t number = 0;
  // The signal itself came, ended or had its partner's standing changed; otherwise a signal beside it did.
  bool changed = false;
};

class BrokerReader {
 public:
  virtual ~BrokerReader() = default;

  // Of a live signal, its version of the newest epoch.
  virtual absl::StatusOr<std::optional<SignalStatus>> FindSignal(absl::string_view partner,
                                                                 absl::string_view signal_id) = 0;
  // The live version of that epoch; nothing when there is none.
  virtual absl::StatusOr<std::optional<SignalStatus>> FindVersion(absl::string_view partner,
                                                                  absl::string_view signal_id,
                                                                  uint32_t epoch) = 0;
  // By number; nothing when it has ended.
  virtual absl::StatusOr<std::optional<StoredEnvelope>> FindEnvelope(uint64_t number) = 0;
  // The batch that the signal with that number came in; nothing when it came in none.
  virtual absl::StatusOr<std::optional<StoredBatch>> FindBatch(uint64_t number) = 0;
  // How many signals are live, whatever the number of their versions; with a partner, of that partner.
  virtual absl::StatusOr<uint64_t> CountSignals(absl::string_view partner) = 0;
  // In which epochs versions are live, sorted. Cost depends on how many epochs that are only.
  virtual absl::StatusOr<std::vector<PurposeEpoch>> Epochs() = 0;
  // Live tokens of that epoch, by partner and rule, without zeros. Cost depends on how many partners and
  // rules there are only.
  virtual absl::StatusOr<std::vector<TokenCount>> CountTokens(const PurposeEpoch& epoch) = 0;
  // Looks at every version of that epoch.
  virtual absl::StatusOr<EpochProgress> CountRenewed(const PurposeEpoch& epoch) = 0;

  // The match with that id, or the match it went up in; nothing when there is none.
  virtual absl::StatusOr<std::optional<MatchRecord>> FindMatch(absl::string_view match_id) = 0;
  // Open matches, and closed ones when asked for; never those that went up in others.
  virtual absl::StatusOr<std::vector<MatchRecord>> ListMatches(const MatchQuery& query) = 0;

  // Purposes that have open or closed matches, sorted. Cost depends on how many purposes that are only.
  virtual absl::StatusOr<std::vector<std::string>> MatchPurposes() = 0;

  // What follows is for the matcher.
  virtual absl::StatusOr<std::optional<SignalFacts>> FindFacts(uint64_t number) = 0;
  // All live signals with that tag, whatever their commitments, in order of number.
  virtual absl::StatusOr<std::vector<TaggedSignal>> SignalsWithTag(absl::string_view purpose,
                                                                   absl::string_view rule, uint32_t epoch,
                                                                   absl::string_view tag) = 0;
  // Numbers of the open matches that hold the signal.
  virtual absl::StatusOr<std::vector<uint64_t>> MatchesOf(uint64_t number) = 0;
  // As stored, without following merges.
  virtual absl::StatusOr<std::optional<MatchRecord>> FindMatchByNumber(uint64_t number) = 0;
  // The oldest dirty signals (also those that have ended since), and matches that lost a signal. Up to
  // `limit` that changed; of signals and matches that are dirty beside them, which tell of overlap, up to
  // kMaxBeside times as many, so that how often one has to ask depends on what came and ended only.
  virtual absl::StatusOr<std::vector<DirtySignal>> DirtySignals(size_t limit) = 0;
  virtual absl::StatusOr<std::vector<uint64_t>> DirtyMatches(size_t limit) = 0;
  // The partners in force at the last matching run.
  virtual absl::StatusOr<std::set<std::string>> PartnersInForce() = 0;

  // What the relay keeps; valid as long as this.
  virtual CeremonyReader& ceremonies() = 0;
};

class BrokerTransaction : public BrokerReader, public AuditAppender {
 public:
  // Stores a new signal, or a further version of a live one, and marks it dirty. ENVELOPE_CONFLICT when a
  // version of that epoch or of a newer one is live, SIGNAL_ENDED when the signal has ended: look with
  // FindSignal first. REQUIRES: all versions of a signal have one purpose, kind, submitted and expiry day.
  virtual absl::Status InsertSignal(const StoredSignal& signal) = 0;
  // Stores that the last `hashes.size()` signals inserted, all by this transaction and in this order, are
  // logged in `entry`; kept until `expiry_day`, the latest of theirs. REQUIRES: at least one.
  virtual absl::Status PutBatch(EntryId entry, const std::vector<std::string>& hashes,
                                uint32_t expiry_day) = 0;
  // Ends the signal, or remembers that it must not come; a signal that has ended stays as it is. Returns what
  // is known of it afterwards.
  virtual absl::StatusOr<SignalStatus> MarkWithdrawn(const Withdrawal& withdrawal) = 0;
  // Ends at most `limit` signals with expiry_day <= today. Returns how many.
  virtual absl::StatusOr<uint64_t> ExpireSignals(uint32_t today, int64_t now_ms, size_t limit) = 0;
  // Deletes at most `limit` versions of that epoch, without a tombstone. Returns how many.
  virtual absl::StatusOr<uint64_t> EndEpoch(const PurposeEpoch& epoch, size_t limit) = 0;
  // Deletes at most `limit` matches of the purpose, open or closed, with the ids that went up in them.
  // Returns how many.
  virtual absl::StatusOr<uint64_t> DeleteMatches(absl::string_view purpose, size_t limit) = 0;
  // Deletes at most `limit` rows that are past their time. Returns how many. A closed match takes the ids
  // that went up in it along.
  virtual absl::StatusOr<uint64_t> Prune(const PruneBounds& bounds, size_t limit) = 0;

  // Adds to the counter of that name and day and returns the sum; adding 0 reads it. The Exchange keeps one
  // of submitted tokens for each partner, purpose and class, and one of withdrawals of unknown ids for each
  // partner.
  virtual absl::StatusOr<uint64_t> CountSubmitted(absl::string_view counter, uint32_t day,
                                                  uint64_t tokens) = 0;
  // Returns false when the order id was seen before.
  virtual absl::StatusOr<bool> RememberOrder(absl::string_view order_id, int64_t time_ms) = 0;

  // What follows is for the matcher.
  // Stores a new match (number 0) or rules, quality, conflict and members of an open one; state, merged_ids
  // and all of a member but its number are not read. Returns its number.
  virtual absl::StatusOr<uint64_t> PutMatch(const MatchRecord& match) = 0;
  // An open match loses its members and is closed for good.
  virtual absl::Status CloseMatch(uint64_t number, int64_t time_ms) = 0;
  // `number` loses its members, and its id, with all that went up in it, resolves to `into`.
  virtual absl::Status MergeMatch(uint64_t number, uint64_t into, int64_t time_ms) = 0;
  virtual absl::Status ClearDirty(const std::vector<DirtySignal>& signals,
                                  const std::vector<uint64_t>& matches) = 0;
  // Marks at most `limit` signals of the partner dirty with all their versions, from the one after
  // `after_signal_id` on. Returns the last signal id; empty when there were none left.
  virtual absl::StatusOr<std::string> MarkPartnerDirty(absl::string_view partner,
                                                       absl::string_view after_signal_id, size_t limit) = 0;
  virtual absl::Status SetPartnersInForce(const std::set<std::string>& partners) = 0;

  CeremonyTable& ceremonies() override = 0;
};

// The store also has the broker's log: the reading side, and an appender for entries without an effect
// (refusals), each in a transaction of its own. And it is where policy::Authority keeps the newest covenant
// and roster it saw.
class BrokerStore : public AuditAppender, public policy::HighWater {
 public:
  // `name` is for logs.
  virtual absl::Status Write(absl::string_view name,
                             absl::FunctionRef<absl::Status(BrokerTransaction&)> body) = 0;
  virtual absl::Status Read(absl::string_view name, absl::FunctionRef<absl::Status(BrokerReader&)> body) = 0;

  virtual AuditLog& audit_log() = 0;

  // Durable when it returns. REQUIRES: not within a Write or Read.
  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) final;
};

}  // namespace raakvlak::storage

#include "server/broker/matches.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/covenant.h"
#include "policy/evidence.h"
#include "server/broker/method_table.h"
#include "server/storage/log_codec.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using storage::BrokerTransaction;
using storage::MatchMember;
using storage::MatchRecord;

constexpr uint32_t kMaxPage = 500;
constexpr uint32_t kDefaultPage = 100;

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message);
}

absl::Status Changed(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason::kMatchChanged, message);
}

absl::Status Closed(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason::kMatchClosed, message);
}

// The entry of a call on behalf of the member of staff who signed the order.
storage::AuditEntry EntryOfOrder(const rpc::Gate::Pass& pass, absl::Time now, absl::string_view action,
                                 const v1::OrderBody& body, absl::string_view order_hash) {
  storage::AuditEntry entry = EntryOf(pass, now, action, base::Hex(body.match_id()));
  entry.actor = body.staff();
  entry.role = std::string(rpc::RoleName(rpc::Role::kStaff));
  entry.purpose = body.purpose();
  entry.legal_basis = body.legal_basis();
  entry.case_reference = body.case_reference();
  entry.reason = body.reason();
  entry.order_hash = std::string(order_hash);
  return entry;
}

// A refused order names who signed it only when the signature is that member's; otherwise all that is known
// is the hub.
storage::AuditEntry EntryOfRefusedOrder(const rpc::Gate::Pass& pass, absl::Time now, const v1::Order& order,
                                        const absl::Status& why) {
  const std::string reason_code = base::ReasonOf(why);
  const bool unsigned_or_unread = reason_code == reason::kSignatureInvalid ||
                                  reason_code == reason::kMalformed || reason_code == reason::kUnknownField;
  v1::OrderBody body;
  if (unsigned_or_unread || !body.ParseFromString(order.body())) return EntryOf(pass, now, "refuse", "");
  // Whatever was not checked before the order was refused stays out.
  v1::OrderBody known;
  known.set_staff(body.staff());
  if (pass.snapshot.covenant->FindPurpose(body.purpose()) != nullptr) known.set_purpose(body.purpose());
  if (body.match_id().size() == 16) known.set_match_id(body.match_id());
  return EntryOfOrder(pass, now, "refuse", known, base::Sha256(order.body()));
}

// From the tokens of the match's own signals: as much work as it has of these, however large the store.
absl::Status AddEvidence(storage::BrokerReader& reader, const MatchRecord& match, v1::MatchSummary& summary) {
  std::vector<policy::EvidenceToken> tokens;
  for (const MatchMember& member : match.members) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::SignalFacts> facts,
                              reader.FindFacts(member.number));
    RAAKVLAK_CHECK(facts.has_value(), "a member of a match is live");
    for (const storage::StoredToken& token : facts->tokens) {
      // What is of the other subject kind made no part of this match.
      if (token.subject != match.subject && token.quality != v1::SUPPORTING) continue;
      tokens.push_back({facts->partner, facts->organisation, token.rule, token.quality, token.tag,
                        token.commitments_hash, facts->epoch});
    }
  }
  for (v1::RuleEvidence& entry : policy::EvidenceOf(match.Partners(), tokens)) {
    *summary.add_evidence() = std::move(entry);
  }
  return absl::OkStatus();
}

// While epochs overlap a signal has several versions.
uint32_t CountSignals(const MatchRecord& match) {
  std::set<std::pair<std::string, std::string>> signals;
  for (const MatchMember& member : match.members) signals.emplace(member.partner, member.signal_id);
  return static_cast<uint32_t>(signals.size());
}

// Standing says whether a stored open match is still one: OK, MATCH_CLOSED, MATCH_CHANGED.
absl::Status Standing(const MatchRecord& match, const v1::Purpose& purpose, const policy::Snapshot& snapshot,
                      uint32_t today) {
  if (match.state != storage::MatchState::kOpen) return Closed("the match is closed");
  std::set<uint32_t> organisations;
  bool has_case = false;
  bool has_expired = false;
  for (const MatchMember& member : match.members) {
    // Its index may have changed between the epochs of two versions.
    const v1::Partner* partner = snapshot.covenant->FindPartner(member.partner);
    organisations.insert(partner == nullptr ? member.organisation : partner->index());
    has_case = has_case || member.counts_as_case;
    has_expired = has_expired || member.expiry_day <= today;
  }
  if (organisations.size() < purpose.disclosure_threshold()) return Closed("too few organisations are left");
  for (const std::string& partner : match.Partners()) {
    if (!policy::Authority::CheckPartner(snapshot, partner).ok())
      return Changed("a partner is no longer in force");
  }
  if (purpose.mode() == v1::CASE && !has_case) return Closed("no case report is left");
  if (has_expired) return Changed("a signal has expired");
  return absl::OkStatus();
}

v1::MatchSummary ToSummary(const MatchRecord& match) {
  v1::MatchSummary summary;
  const bool open = match.state == storage::MatchState::kOpen;
  summary.set_match_id(match.id);
  summary.set_purpose(match.purpose);
  summary.set_subject(match.subject);
  summary.set_quality(match.quality);
  for (const std::string& rule : match.rules) summary.add_rules(rule);
  for (const std::string& partner : match.Partners()) summary.add_partners(partner);
  summary.set_signals(CountSignals(match));
  summary.set_first_day(match.FirstDay());
  summary.set_last_day(match.LastDay());
  summary.set_state(open ? v1::OPEN : v1::CLOSED);
  summary.set_conflict(match.conflict);
  if (open) summary.set_contents_digest(policy::ContentsDigest(match.EnvelopeHashes()));
  for (const std::string& id : match.merged_ids) summary.add_merged_ids(id);
  return summary;
}

absl::Status AddEnvelopes(BrokerTransaction& transaction, const MatchRecord& match,
                          v1::OpenMatchResponse& out_response) {
  size_t bytes = 0;
  for (const MatchMember& member : match.members) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::StoredEnvelope> envelope,
                              transaction.FindEnvelope(member.number));
    if (!envelope) {
      return base::Error(absl::StatusCode::kInternal, reason::kInternal,
                         "a match has a signal without its envelope");
    }
    bytes += envelope->body.size() + envelope->signature.size() + 16;
    if (bytes > kMaxOpenedBytes) {
      return base::Error(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                         "the match does not fit an answer");
    }
    v1::Envelope& out = *out_response.add_envelopes();
    out.set_body(envelope->body);
    out.set_signature(envelope->signature);
  }
  return absl::OkStatus();
}

// What the caller is told when there is no proof in time, whatever was missing for it; other reasons stay.
absl::Status Unwitnessed(const absl::Status& why) {
  const std::string code = base::ReasonOf(why);
  if (code != reason::kQuorumMissing && code != reason::kDeadlineExceeded && code != reason::kUnavailable) {
    return why;
  }
  return base::Error(
      absl::StatusCode::kUnavailable, reason::kLogUnwitnessed,
      absl::StrCat("nothing is opened before a quorum of witnesses cosigned it: ", why.message()));
}

}  // namespace

absl::StatusOr<storage::Logged> Matches::Act(
    absl::string_view rpc, const policy::VerifiedOrder& order, storage::AuditEntry entry, absl::Time now,
    absl::FunctionRef<absl::Status(BrokerTransaction&, storage::AuditEntry&)> body) {
  absl::Status outcome;
  storage::Logged logged;
  const auto decide_and_log = [&](BrokerTransaction& transaction) -> absl::Status {
    storage::AuditEntry done = entry;
    RAAKVLAK_ASSIGN_OR_RETURN(const bool is_new,
                              transaction.RememberOrder(order.body.order_id(), absl::ToUnixMillis(now)));
    outcome =
        is_new ? body(transaction, done)
               : base::Error(absl::StatusCode::kAlreadyExists, reason::kReplayed, "an order is taken once");
    if (EndsTransaction(outcome)) return outcome;
    RAAKVLAK_ASSIGN_OR_RETURN(logged,
                              transaction.AppendAudit(outcome.ok() ? done : AsRefusal(entry, rpc, outcome)));
    return absl::OkStatus();
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write(rpc, decide_and_log));
  if (!outcome.ok()) return outcome;
  return logged;
}

absl::StatusOr<v1::ListMatchesResponse> Matches::List(const rpc::Gate::Pass& pass,
                                                      const v1::ListMatchesRequest& request) {
  const absl::Time now = clock_.Now();
  const absl::StatusOr<policy::VerifiedOrder> order =
      policy::VerifyOrder(request.order(), pass.snapshot, now, v1::LIST_MATCHES);
  if (!order.ok()) {
    return RefuseDurably(store_, EntryOfRefusedOrder(pass, now, request.order(), order.status()),
                         kListMatchesMethod, order.status());
  }
  const v1::Purpose* purpose = pass.snapshot.covenant->FindPurpose(order->body.purpose());
  RAAKVLAK_CHECK(purpose != nullptr, "VerifyOrder found the purpose");

  v1::ListMatchesResponse response;
  const auto list = [&](BrokerTransaction& transaction, storage::AuditEntry& entry) -> absl::Status {
    response.Clear();
    storage::MatchQuery query;
    query.purpose = purpose->id();
    query.include_closed = request.include_closed();
    if (request.page_size() > kMaxPage) return Invalid(absl::StrCat("a page has at most ", kMaxPage));
    const size_t page = request.page_size() == 0 ? kDefaultPage : request.page_size();
    // One more than the page tells whether there is a next one.
    query.limit = page + 1;
    // SQLite's integers are signed.
    if (!request.page_token().empty() &&
        (!absl::SimpleAtoi(request.page_token(), &query.after_number) ||
         query.after_number > uint64_t{std::numeric_limits<int64_t>::max()})) {
      return Invalid("the page token is not one of ours");
    }
    RAAKVLAK_ASSIGN_OR_RETURN(std::vector<MatchRecord> matches, transaction.ListMatches(query));
    if (matches.size() > page) {
      matches.resize(page);
      response.set_next_page_token(absl::StrCat(matches.back().number));
    }
    const uint32_t today = pass.snapshot.covenant->DayAt(now);
    for (const MatchRecord& match : matches) {
      const bool closed = match.state != storage::MatchState::kOpen;
      if (!closed && !Standing(match, *purpose, pass.snapshot, today).ok()) continue;
      v1::MatchSummary& summary = *response.add_matches() = ToSummary(match);
      RAAKVLAK_RETURN_IF_ERROR(AddEvidence(transaction, match, summary));
    }
    entry.count = static_cast<uint64_t>(response.matches_size());
    return absl::OkStatus();
  };
  RAAKVLAK_RETURN_IF_ERROR(
      Act(kListMatchesMethod, *order, EntryOfOrder(pass, now, "list", order->body, order->hash), now, list)
          .status());
  return response;
}

absl::StatusOr<v1::OpenMatchResponse> Matches::Open(const rpc::Gate::Pass& pass,
                                                    const v1::OpenMatchRequest& request) {
  const absl::Time now = clock_.Now();
  const absl::StatusOr<policy::VerifiedOrder> order =
      policy::VerifyOrder(request.order(), pass.snapshot, now, v1::OPEN_MATCH);
  if (!order.ok()) {
    return RefuseDurably(store_, EntryOfRefusedOrder(pass, now, request.order(), order.status()),
                         kOpenMatchMethod, order.status());
  }
  const v1::OrderBody& body = order->body;
  const v1::Purpose* purpose = pass.snapshot.covenant->FindPurpose(body.purpose());
  RAAKVLAK_CHECK(purpose != nullptr, "VerifyOrder found the purpose");

  const absl::Time deadline = std::min(pass.deadline, now + kProofLimit);
  const absl::Status quorum = prover_.CheckQuorum(deadline);

  v1::OpenMatchResponse response;
  const auto open = [&](BrokerTransaction& transaction, storage::AuditEntry& entry) -> absl::Status {
    response.Clear();
    if (!quorum.ok()) return Unwitnessed(quorum);
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<MatchRecord> match, transaction.FindMatch(body.match_id()));
    if (!match || match->purpose != purpose->id()) {
      return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such match for this purpose");
    }
    RAAKVLAK_RETURN_IF_ERROR(Standing(*match, *purpose, pass.snapshot, pass.snapshot.covenant->DayAt(now)));
    if (policy::ContentsDigest(match->EnvelopeHashes()) != body.contents_digest()) {
      return Changed("the match is no longer what the order was signed for");
    }
    RAAKVLAK_RETURN_IF_ERROR(AddEnvelopes(transaction, *match, response));
    *response.mutable_match() = ToSummary(*match);
    RAAKVLAK_RETURN_IF_ERROR(AddEvidence(transaction, *match, *response.mutable_match()));
    entry.object = base::Hex(match->id);
    entry.count = CountSignals(*match);
    return absl::OkStatus();
  };
  RAAKVLAK_ASSIGN_OR_RETURN(
      const storage::Logged logged,
      Act(kOpenMatchMethod, *order, EntryOfOrder(pass, now, "open", body, order->hash), now, open));
  absl::StatusOr<std::string> proof = prover_.Prove(logged, deadline);
  if (!proof.ok()) {
    base::LogStatus(base::LogLevel::kError, "broker.opening_not_proven", proof.status(),
                    {{"entry", absl::StrCat(logged.id.index)}});
    return Unwitnessed(proof.status());
  }
  *response.mutable_logged() =
      storage::LogEntryOf(store_.audit_log().Origin(logged.id.year), logged, storage::LeafOf(logged));
  response.set_proof(*std::move(proof));
  return response;
}

}  // namespace raakvlak::broker

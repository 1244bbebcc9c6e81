#include "server/node/envelopes.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/node/address_exclusion.h"
#include "server/node/receipts.h"
#include "server/node/sealer.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;

// What may be different the next time.
bool IsTemporary(absl::string_view why) {
  for (const char* temporary :
       {reason::kUnavailable, reason::kOverloaded, reason::kDeadlineExceeded, reason::kShuttingDown,
        reason::kQuotaExceeded, reason::kRosterExpired, reason::kCovenantExpired, reason::kCovenantMismatch,
        reason::kPartnerSuspended, reason::kStorageFailed, reason::kInternal, reason::kClockSkew}) {
    if (why == temporary) return true;
  }
  return false;
}

Submitted Judge(const Environment& environment, const policy::Snapshot& snapshot, const std::string& purpose,
                const Ready& sent, const v1::SubmitReceipt& receipt, const v1::SubmitResponse& response) {
  Submitted out;
  out.signal_id = sent.signal_id;
  const v1::SignalHeader header = HeaderOf(sent.envelope);
  if (receipt.accepted()) {
    const absl::StatusOr<v1::LoggedSignal> logged =
        CheckReceipt(receipt, response, *snapshot.covenant, environment.partner, purpose,
                     base::Sha256(sent.envelope.body()));
    if (logged.ok()) {
      out.outcome = Outcome::kAccepted;
      out.receipt = environment.vault->Encrypt(Column::kReceipt, sent.signal_id, logged->SerializeAsString());
      out.epoch = header.epoch();
    } else {
      AlarmWrongReceipt(logged.status(), sent.signal_id);
      out.reason = base::ReasonOf(logged.status());
    }
    return out;
  }
  out.reason = receipt.reason();
  // A covenant that replaced our key makes the signature wrong before anything else is looked at.
  if ((out.reason == reason::kCovenantMismatch || out.reason == reason::kSignatureInvalid) &&
      header.covenant_id() != snapshot.covenant->id()) {
    out.outcome = Outcome::kOutdated;
  } else if (!IsTemporary(out.reason)) {
    out.outcome = Outcome::kRefused;
  }
  return out;
}

}  // namespace

absl::Status ReadStored(const Environment& environment, Column column, const storage::NodeSignal& signal,
                        google::protobuf::MessageLite& out_message) {
  const std::string& ciphertext = column == Column::kRecord ? signal.record : signal.envelope;
  const absl::StatusOr<base::SecretBytes> bytes =
      environment.vault->Decrypt(column, signal.signal_id, ciphertext);
  if (bytes.ok()) {
    const absl::string_view view = bytes->Reveal(base::RevealSecret{});
    if (out_message.ParseFromArray(view.data(), static_cast<int>(view.size()))) return absl::OkStatus();
  }
  const absl::Status damaged =
      base::Error(absl::StatusCode::kDataLoss, reason::kInternal, "a stored signal cannot be read");
  base::LogStatus(base::LogLevel::kError, "node.signal_damaged", damaged,
                  {{"signal_id", base::Hex(signal.signal_id)}});
  return damaged;
}

absl::Status Wait(absl::string_view why) {
  return base::Error(absl::StatusCode::kUnavailable, why, "some signals wait");
}

v1::SignalHeader HeaderOf(const v1::Envelope& envelope) {
  v1::EnvelopeBody body;
  v1::SignalHeader header;
  if (!body.ParseFromString(envelope.body()) || !header.ParseFromString(body.header())) header.Clear();
  return header;
}

absl::StatusOr<MadeEnvelopes> MakeEnvelopes(const Environment& environment, Pseudonymiser& pseudonymiser,
                                            const policy::Snapshot& snapshot, const v1::Purpose& terms,
                                            std::vector<Draft> drawn) {
  MadeEnvelopes out;
  std::vector<Draft> drafts;
  std::vector<std::vector<Identifier>> identifiers;
  for (Draft& draft : drawn) {
    const absl::Status allowed =
        environment.exclusion->Filter(*snapshot.covenant, draft.valid.fields, draft.valid.identifiers);
    if (base::ReasonOf(allowed) == reason::kExcludedListStale) {
      out.list_is_stale = true;
    } else if (!allowed.ok()) {
      out.refused.emplace_back(draft.signal_id, base::ReasonOf(allowed));
    } else {
      identifiers.push_back(std::move(draft.valid.identifiers));
      drafts.push_back(std::move(draft));
    }
  }
  if (drafts.empty()) return out;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto pseudonyms, pseudonymiser.Evaluate(snapshot, terms, identifiers));
  for (size_t i = 0; i < drafts.size(); ++i) {
    const Draft& draft = drafts[i];
    RAAKVLAK_ASSIGN_OR_RETURN(v1::Envelope envelope,
                              Seal(environment, snapshot, terms, draft.valid.kind, draft.record,
                                   draft.signal_id, draft.days, pseudonyms[i]));
    std::string encrypted =
        environment.vault->Encrypt(Column::kEnvelope, draft.signal_id, envelope.SerializeAsString());
    out.made.push_back({{draft.signal_id, std::move(envelope)}, std::move(encrypted), draft.days});
  }
  return out;
}

void Shuffle(std::vector<Ready>& envelopes, base::Random& random) {
  for (size_t i = envelopes.size(); i > 1; --i) {
    uint64_t draw = 0;
    random.Fill(&draw, sizeof(draw));
    std::swap(envelopes[i - 1], envelopes[draw % i]);
  }
}

absl::StatusOr<std::vector<Submitted>> SubmitEnvelopes(
    const Environment& environment, const policy::Snapshot& snapshot, const std::string& purpose,
    client::ExchangeClient& exchange, absl::Span<const Ready> ready, absl::Duration timeout) {
  v1::SubmitRequest request;
  for (const Ready& one : ready) *request.add_envelopes() = one.envelope;
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::SubmitResponse response, exchange.Submit(request, timeout));
  if (static_cast<size_t>(response.receipts_size()) != ready.size()) return Wait(reason::kInternal);
  std::vector<Submitted> out;
  for (size_t i = 0; i < ready.size(); ++i) {
    out.push_back(
        Judge(environment, snapshot, purpose, ready[i], response.receipts(static_cast<int>(i)), response));
  }
  return out;
}

}  // namespace raakvlak::node

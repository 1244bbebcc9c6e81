#include "tests/unit/server/broker/broker_region.h"
#include "server/storage/testing/entries.h"

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"

namespace raakvlak::broker::testing {

BrokerRegion::BrokerRegion(const std::function<void(v1::Covenant&)>& change) {
  v1::Covenant& covenant = region_.covenant();
  const uint32_t retention[] = {90, 30, 60};
  for (int i = 0; i < covenant.purposes_size(); ++i)
    covenant.mutable_purposes(i)->set_retention_days(retention[i]);
  v1::LinkageRule& rule = *covenant.mutable_purposes(0)->add_rules();
  rule.set_id("address");
  rule.set_identifier_class(v1::ADDRESS);
  rule.set_quality(v1::SUPPORTING);
  rule.set_version(1);
  rule.set_subject(v1::PERSON_SUBJECT);
  v1::Purpose& household = *covenant.mutable_purposes(2);
  household.set_disclosure_threshold(3);
  household.clear_submitters();
  for (const char* partner : {"politie", "gemeente", "woningcorporatie"}) household.add_submitters(partner);
  for (v1::Quota& quota : *covenant.mutable_quotas()) quota.set_elements_per_day(1000);
  if (change) change(covenant);

  v1::Member& bram = *region_.roster().add_members();
  bram.set_id("bram");
  bram.set_urn(UrnOf("staff:bram"));
  bram.set_signing_key(
      crypto::note::VerifierKey::Create(bram.urn(), region_.KeyOf(bram.urn()).public_key())->Encode());
  bram.add_roles(v1::STAFF);
  bram.add_purposes(kHouseholdPurpose);
  region_.Write();
}

std::string BrokerRegion::UrnOf(const std::string& member) {
  return absl::StrCat("urn:raakvlak:", raakvlak::testing::TestRegion::kName, ":", member);
}

rpc::Gate::Pass BrokerRegion::PassOf(rpc::Role role, const std::string& id) {
  const std::string role_name(rpc::RoleName(role));
  return {{raakvlak::testing::TestRegion::Urn(role_name, id), raakvlak::testing::TestRegion::kName, role, id},
          Snapshot()};
}

v1::Envelope BrokerRegion::SignEnvelope(const std::string& partner, const std::string& body) {
  v1::Envelope envelope;
  envelope.set_body(body);
  envelope.set_signature(
      crypto::note::SignMessage(region_.KeyOf(UrnOf("node:" + partner)), crypto::note::kEnvelopeKind, body));
  return envelope;
}

v1::Envelope BrokerRegion::MakeEnvelope(const std::string& partner_id, const std::string& purpose_id,
                                        const EnvelopeChange& change) {
  const policy::Snapshot snapshot = Snapshot();
  const v1::Partner& partner = *snapshot.covenant->FindPartner(partner_id);
  const v1::Purpose& purpose = *snapshot.covenant->FindPurpose(purpose_id);
  v1::SignalHeader header;
  header.set_version(1);
  header.set_region(raakvlak::testing::TestRegion::kName);
  header.set_purpose(purpose_id);
  header.set_epoch(1);
  header.set_covenant_id(snapshot.covenant->id());
  header.set_partner(partner_id);
  header.set_index(partner.index());
  header.set_signal_id(RandomBytes(16));
  header.set_kind(v1::SIGNAL);
  header.set_submitted_day(Today());
  header.set_expiry_day(Today() + purpose.retention_days());
  header.set_seal_key_id(snapshot.covenant->FindSealKey(purpose_id, 1)->id());
  header.set_content_key_commitment(RandomBytes(32));
  v1::EnvelopeBody body;
  for (const v1::LinkageRule& rule : purpose.rules()) {
    if (rule.identifier_class() == v1::BSN && !partner.bsn_entitled()) continue;
    v1::RuleVersion& version = *header.add_rules();
    version.set_rule(rule.id());
    version.set_version(rule.version());
    v1::Token& token = *body.add_tokens();
    token.set_tag(RandomBytes(16));
    if (rule.quality() == v1::SUPPORTING) continue;
    token.set_share(RandomBytes(32));
    token.set_commitments(RandomBytes(32 * purpose.disclosure_threshold()));
    token.set_wrapped_key(RandomBytes(72));
  }
  body.set_payload(RandomBytes(88 + 512));
  if (change) change(header, body);
  if (body.header().empty()) body.set_header(header.SerializeAsString());
  return SignEnvelope(partner_id, body.SerializeAsString());
}

v1::SignalHeader BrokerRegion::HeaderOf(const v1::Envelope& envelope) {
  v1::EnvelopeBody body;
  v1::SignalHeader header;
  RAAKVLAK_CHECK(body.ParseFromString(envelope.body()) && header.ParseFromString(body.header()), "it parses");
  return header;
}

v1::SignedWithdrawal BrokerRegion::SignWithdrawal(const std::string& partner, const std::string& body) {
  v1::SignedWithdrawal withdrawal;
  withdrawal.set_body(body);
  withdrawal.set_signature(crypto::note::SignMessage(region_.KeyOf(UrnOf("node:" + partner)),
                                                     crypto::note::kWithdrawalKind, body));
  return withdrawal;
}

v1::SignedWithdrawal BrokerRegion::MakeWithdrawal(const std::string& partner, const std::string& signal_id,
                                                  const std::function<void(v1::WithdrawalBody&)>& change) {
  v1::WithdrawalBody body;
  body.set_version(1);
  body.set_covenant_id(Snapshot().covenant->id());
  body.set_partner(partner);
  body.set_signal_id(signal_id);
  body.set_reason(v1::UNJUST);
  body.set_time_ms(absl::ToUnixMillis(clock().Now()));
  if (change) change(body);
  return SignWithdrawal(partner, body.SerializeAsString());
}

v1::Order BrokerRegion::SignOrder(v1::OrderBody body, const std::function<void(v1::OrderBody&)>& change,
                                  const std::string& member) {
  const policy::Snapshot snapshot = Snapshot();
  body.set_version(1);
  body.set_order_id(RandomBytes(16));
  body.set_covenant_id(snapshot.covenant->id());
  body.set_staff(UrnOf(member));
  body.set_legal_basis(snapshot.covenant->FindPurpose(body.purpose())->legal_basis());
  body.set_time_ms(absl::ToUnixMillis(clock().Now()));
  if (change) change(body);
  v1::Order order;
  order.set_body(body.SerializeAsString());
  order.set_signature(
      crypto::note::SignMessage(region_.KeyOf(UrnOf(member)), crypto::note::kOrderKind, order.body()));
  return order;
}

v1::Order BrokerRegion::MakeListOrder(const std::string& purpose,
                                      const std::function<void(v1::OrderBody&)>& change,
                                      const std::string& member) {
  v1::OrderBody body;
  body.set_action(v1::LIST_MATCHES);
  body.set_purpose(purpose);
  return SignOrder(body, change, member);
}

v1::Order BrokerRegion::MakeOpenOrder(const std::string& purpose, const std::string& match,
                                      const std::string& digest,
                                      const std::function<void(v1::OrderBody&)>& change,
                                      const std::string& member) {
  v1::OrderBody body;
  body.set_action(v1::OPEN_MATCH);
  body.set_purpose(purpose);
  body.set_case_reference("ZVH-2026-0012");
  body.set_reason("Besproken in het casusoverleg");
  body.set_match_id(match);
  body.set_contents_digest(digest);
  return SignOrder(body, change, member);
}

absl::Status FailingStore::Write(absl::string_view name,
                                 absl::FunctionRef<absl::Status(storage::BrokerTransaction&)> body) {
  if (fail_ != Fail::kBefore) {
    const absl::Status status = store_.Write(name, body);
    if (fail_ == Fail::kNever || !status.ok()) return status;
  }
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "told to fail");
}

uint64_t FailingStore::LiveSignals() {
  uint64_t count = 0;
  const auto read = [&](storage::BrokerReader& reader) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(count, reader.CountSignals(""));
    return absl::OkStatus();
  };
  RAAKVLAK_CHECK(store_.Read("count", read).ok(), "memory can be read");
  return count;
}

std::vector<storage::AuditEntry> FailingStore::Audit(const std::string& action) {
  storage::AuditFilter filter;
  filter.action = action;
  return storage::testing::Entries(store_.audit_log(), filter);
}

}  // namespace raakvlak::broker::testing

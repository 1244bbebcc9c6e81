#include "tests/unit/server/hub/fixture.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/share.h"
#include "crypto/note/note.h"
#include "crypto/note/signed_message.h"
#include "crypto/oprf/oprf.h"
#include "tests/support/split.h"
#include "tests/unit/server/hub/broker_log.h"

namespace raakvlak::hub {
namespace {

namespace disclosure = crypto::disclosure;
namespace note = crypto::note;
namespace seal = crypto::seal;

disclosure::Context PlainContext(const v1::Purpose& purpose, const v1::LinkageRule& rule) {
  return {testing::TestRegion::kName,
          purpose.id(),
          static_cast<uint8_t>(rule.identifier_class()),
          purpose.epoch(),
          rule.id(),
          static_cast<uint16_t>(rule.version())};
}

}  // namespace

HubTest::HubTest() {
  v1::Covenant& covenant = region_.covenant();
  v1::Partner& south = *covenant.add_partners();
  south = covenant.partners(0);
  south.set_id("politie-zuid");
  region_.GiveKeys(south);
  v1::Purpose& wide = *covenant.add_purposes();
  wide = covenant.purposes(0);
  wide.set_id(kWide);
  wide.set_disclosure_threshold(3);
  v1::LinkageRule& address = *wide.add_rules();
  address.set_id("address");
  address.set_version(1);
  address.set_identifier_class(v1::ADDRESS);
  address.set_quality(v1::SUPPORTING);
  address.set_subject(v1::PERSON_SUBJECT);
  v1::Purpose& mixed = *covenant.add_purposes();
  mixed = covenant.purposes(0);
  mixed.set_id(kMixed);
  mixed.mutable_rules(1)->set_id("household");
  mixed.mutable_rules(1)->set_subject(v1::HOUSEHOLD_SUBJECT);
  covenant.mutable_hub()->clear_seal_keys();
  for (v1::Purpose& purpose : *covenant.mutable_purposes()) {
    purpose.add_submitters("politie-zuid");
    purpose.add_case_reporters("politie-zuid");
    seal::SealKeyPair pair = seal::GenerateSealKeyPair(random_);
    v1::SealKey& key = *covenant.mutable_hub()->add_seal_keys();
    key.set_purpose(purpose.id());
    key.set_epoch(1);
    key.set_id(seal::SealKeyId(pair.public_key));
    key.set_public_key(base::Base64(pair.public_key));
    seal_keys_.emplace(key.id(), std::move(pair));
  }
  for (const char* purpose : {kWide, kMixed}) region_.roster().mutable_members(0)->add_purposes(purpose);
  region_.Write();
  covenants_.push_back(region_.authority().Current()->covenant);
  for (const v1::Purpose& purpose : region_.covenant().purposes()) AddKeysets(purpose);
}

policy::Snapshot HubTest::snapshot() {
  policy::Snapshot in_force = *region_.authority().Current();
  in_force.chain = policy::CovenantChain::Create(covenants_);
  return in_force;
}

void HubTest::RaiseEpoch(const std::string& purpose, absl::Duration overlap,
                         const std::function<void(v1::Covenant&)>& change) {
  region_.NextCovenant();
  region_.RaiseEpoch(purpose, overlap);
  v1::Covenant& covenant = region_.covenant();
  v1::SealKey& key = *covenant.mutable_hub()->mutable_seal_keys(covenant.hub().seal_keys_size() - 1);
  seal::SealKeyPair pair = seal::GenerateSealKeyPair(random_);
  key.set_id(seal::SealKeyId(pair.public_key));
  key.set_public_key(base::Base64(pair.public_key));
  seal_keys_.emplace(key.id(), std::move(pair));
  if (change) change(covenant);
  region_.roster().set_number(region_.roster().number() + 1);
  region_.Write();
  const auto in_force = region_.authority().Current()->covenant;
  RAAKVLAK_CHECK(in_force->id() != covenants_.back()->id(), "the covenant that follows is in force");
  covenants_.push_back(in_force);
  AddKeysets(PurposeOf(purpose));
}

void HubTest::AddKeysets(const v1::Purpose& purpose) {
  for (const v1::LinkageRule& rule : purpose.rules()) {
    const auto key = crypto::group::Scalar::Random(random_);
    const std::string note = MakeKeyset(purpose, rule.identifier_class(), 1, "", key);
    const std::string epoch = purpose.epoch() == 1 ? "" : absl::StrCat("-", purpose.epoch());
    const std::string file = absl::StrCat(purpose.id(), "-", rule.identifier_class(), epoch, ".keyset");
    RAAKVLAK_CHECK(base::WriteFileAtomically(keyset_folder_.File(file), note, 0644).ok(),
                   "the temporary folder takes files");
    keys_.insert_or_assign(std::pair(purpose.id(), rule.identifier_class()), key);
  }
}

std::string HubTest::MakeKeyset(const v1::Purpose& purpose, int identifier_class, uint32_t generation,
                                const std::string& replaces, const crypto::group::Scalar& key) {
  const policy::Covenant& covenant = *covenants_.back();
  policy::KeysetText text;
  std::vector<uint32_t> indices;
  for (const auto& [index, partner] : policy::KeyHolders(covenant.text())) {
    text.holders.emplace_back(index, partner);
    indices.push_back(index);
  }
  const auto sharing = raakvlak::testing::Split(key, covenant.text().quorum(), indices, random_);
  text.region = covenant.region();
  text.purpose = purpose.id();
  text.identifier_class = static_cast<uint8_t>(identifier_class);
  text.epoch = purpose.epoch();
  text.generation = generation;
  text.replaces = replaces;
  text.quorum = covenant.text().quorum();
  text.covenant_id = covenant.id();
  text.transcript_hash = random_.Bytes(32);
  text.commitments = sharing->commitments;
  note::Note signed_text{policy::FormatKeysetText(text), {}};
  for (const auto& [index, partner] : text.holders) {
    const std::string urn = testing::TestRegion::Urn("node", partner);
    note::Sign(signed_text, *note::VerifierKey::Create(urn, region_.KeyOf(urn).public_key()),
               region_.KeyOf(urn));
  }
  return note::Format(signed_text);
}

const v1::Purpose& HubTest::PurposeOf(const std::string& id) {
  const auto& purposes = region_.covenant().purposes();
  const auto found = std::find_if(purposes.begin(), purposes.end(),
                                  [&](const v1::Purpose& purpose) { return purpose.id() == id; });
  RAAKVLAK_CHECK(found != purposes.end(), "the test names a purpose of the region");
  return *found;
}

std::string HubTest::ContextOf(const v1::Purpose& purpose, const v1::LinkageRule& rule) const {
  const auto& key = keys_.at({purpose.id(), rule.identifier_class()});
  return disclosure::EncodeExtendedContext(PlainContext(purpose, rule), purpose.disclosure_threshold(),
                                           crypto::group::Element::MulBase(key));
}

disclosure::TokenSecrets HubTest::SecretsOf(const Report& report, const v1::LinkageRule& rule) {
  const auto other = report.subject_of_rule.find(rule.id());
  const std::string& subject = other == report.subject_of_rule.end() ? report.subject : other->second;
  const v1::Purpose& purpose = PurposeOf(report.purpose);
  const base::SecretBytes input = *disclosure::EncodeInput(PlainContext(purpose, rule), {subject});
  const absl::string_view bytes = input.Reveal(base::RevealSecret{});
  // What quorum evaluation gives: the input hashed to the group, times the whole key.
  const auto evaluated =
      crypto::oprf::HashToGroup(bytes)->Mul(keys_.at({purpose.id(), rule.identifier_class()})).ToElement();
  return *disclosure::Derive(crypto::oprf::Finalize(bytes, evaluated), ContextOf(purpose, rule),
                             purpose.disclosure_threshold());
}

v1::SignalContent HubTest::ContentOf(const Report& report) {
  v1::SignalContent content;
  content.set_client_ref(absl::StrCat(report.partner, "/", report.subject));
  content.set_category("overlast");
  content.set_contact(absl::StrCat("desk of ", report.partner));
  content.set_note(report.note.empty() ? absl::StrCat(report.subject, " at ", report.partner) : report.note);
  return content;
}

Sealed HubTest::Seal(const Report& report) {
  const policy::Snapshot in_force = snapshot();
  const v1::Purpose& purpose = PurposeOf(report.purpose);
  const v1::Partner& partner = *in_force.covenant->FindPartner(report.partner);
  Sealed sealed;
  sealed.report = report;
  sealed.content_key = base::SecretBytes::Generate(random_, seal::kKeySize);
  std::vector<const v1::LinkageRule*> rules;
  for (const v1::LinkageRule& rule : purpose.rules()) {
    const bool left_out =
        std::find(report.without.begin(), report.without.end(), rule.id()) != report.without.end();
    if (!left_out && (rule.identifier_class() != v1::BSN || partner.bsn_entitled())) rules.push_back(&rule);
  }
  v1::SignalHeader header;
  header.set_version(1);
  header.set_region(testing::TestRegion::kName);
  header.set_purpose(purpose.id());
  header.set_epoch(purpose.epoch());
  header.set_covenant_id(in_force.covenant->id());
  header.set_partner(partner.id());
  header.set_index(partner.index());
  header.set_signal_id(random_.Bytes(16));
  header.set_kind(report.kind);
  header.set_submitted_day(in_force.covenant->DayAt(region_.clock().Now()));
  header.set_expiry_day(header.submitted_day() + purpose.retention_days());
  header.set_seal_key_id(in_force.covenant->FindSealKey(purpose.id(), purpose.epoch())->id());
  header.set_content_key_commitment(seal::ContentKeyCommitment(sealed.content_key));
  for (const v1::LinkageRule* rule : rules) {
    sealed.rules.push_back(rule->id());
    v1::RuleVersion& version = *header.add_rules();
    version.set_rule(rule->id());
    version.set_version(rule->version());
  }
  if (report.bend) report.bend(header);
  sealed.body.set_header(header.SerializeAsString());
  SealPayload(sealed, ContentOf(report).SerializeAsString());
  for (const v1::LinkageRule* rule : rules) {
    const disclosure::TokenSecrets secrets = SecretsOf(report, *rule);
    v1::Token& token = *sealed.body.add_tokens();
    token.set_tag(secrets.tag);
    if (rule->quality() == v1::SUPPORTING) continue;
    // An index that the header lies about does not evaluate; the signal is to be refused for the lie.
    token.set_share(disclosure::EvaluateShare(secrets.coefficients, partner.index())->Encode());
    token.set_commitments(disclosure::Commit(secrets.coefficients));
    Wrap(sealed, sealed.body.tokens_size() - 1);
  }
  return sealed;
}

void HubTest::SealPayload(Sealed& sealed, absl::string_view content) {
  const std::string& key_id =
      snapshot().covenant->FindSealKey(sealed.report.purpose, PurposeOf(sealed.report.purpose).epoch())->id();
  sealed.body.set_payload(*seal::SealContent(sealed.body.header(), content, sealed.content_key,
                                             seal_keys_.at(key_id).public_key, random_));
}

void HubTest::Wrap(Sealed& sealed, int position) {
  const v1::Purpose& purpose = PurposeOf(sealed.report.purpose);
  const v1::LinkageRule& rule =
      *policy::Covenant::FindRule(purpose, sealed.rules.at(static_cast<size_t>(position)));
  const std::string context = ContextOf(purpose, rule);
  v1::Token& token = *sealed.body.mutable_tokens(position);
  const base::SecretBytes wrap_key =
      disclosure::WrapKey(SecretsOf(sealed.report, rule).coefficients.front(), context, token.tag());
  token.set_wrapped_key(seal::WrapContentKey(
      wrap_key, sealed.content_key,
      absl::StrCat(sealed.body.header(), context, token.tag(), token.share(), token.commitments()), random_));
}

v1::Envelope HubTest::Sign(const Sealed& sealed) {
  v1::Envelope envelope;
  envelope.set_body(sealed.body.SerializeAsString());
  envelope.set_signature(
      note::SignMessage(region_.KeyOf(testing::TestRegion::Urn("node", sealed.report.partner)),
                        note::kEnvelopeKind, envelope.body()));
  return envelope;
}

std::vector<v1::Envelope> HubTest::MakeAll(const std::vector<Report>& reports) {
  std::vector<v1::Envelope> envelopes;
  for (const Report& report : reports) envelopes.push_back(Make(report));
  return envelopes;
}

v1::OrderBody HubTest::OrderFor(const std::vector<v1::Envelope>& envelopes, const std::string& purpose) {
  std::vector<std::string> hashes;
  for (const v1::Envelope& envelope : envelopes) hashes.push_back(base::Sha256(envelope.body()));
  v1::OrderBody body;
  body.set_version(1);
  body.set_order_id(random_.Bytes(16));
  body.set_covenant_id(snapshot().covenant->id());
  body.set_staff(testing::TestRegion::Urn("staff", "anna"));
  body.set_action(v1::OPEN_MATCH);
  body.set_purpose(purpose);
  body.set_legal_basis(PurposeOf(purpose).legal_basis());
  body.set_case_reference("ZVH-2027-001");
  body.set_reason("weekly consultation");
  body.set_match_id(std::string(16, 'm'));
  body.set_contents_digest(policy::ContentsDigest(std::move(hashes)));
  body.set_time_ms(absl::ToUnixMillis(region_.clock().Now()));
  return body;
}

v1::Order HubTest::SignOrder(const v1::OrderBody& body, const std::string& signer) {
  v1::Order order;
  order.set_body(body.SerializeAsString());
  order.set_signature(note::SignMessage(region_.KeyOf(signer), note::kOrderKind, order.body()));
  return order;
}

Opener HubTest::MakeOpener() {
  auto keys = std::make_shared<OpenerKeys>();
  for (const auto& [id, pair] : seal_keys_) {
    keys->seal_keys.emplace(
        id, std::make_shared<const seal::SealKeyPair>(*seal::SealKeyPairFromSecret(pair.secret_key.Copy())));
  }
  auto keysets = policy::KeysetStore::Load(keyset_folder_.path(), *snapshot().chain);
  if (!keysets.ok()) std::fprintf(stderr, "%s\n", keysets.status().ToString().c_str());
  RAAKVLAK_CHECK(keysets.ok(), "the fixture's keysets are valid");
  keys->keysets = *std::move(keysets);
  return Opener([keys] { return keys; });
}

OpeningProof HubTest::ProofFor(const policy::VerifiedOrder& order) {
  const policy::Snapshot in_force = snapshot();
  const absl::Time now = region_.clock().Now();
  const LoggedAndProof answer = BrokerLog(*in_force.covenant, order, now).Make();
  auto proof = OpeningProof::Verify(order, answer.logged, answer.proof, in_force, now);
  RAAKVLAK_CHECK(proof.ok(), "the log of the fixture is honest");
  return *std::move(proof);
}

absl::StatusOr<Opener::Opened> HubTest::Open(const std::vector<v1::Envelope>& envelopes,
                                             const std::string& purpose) {
  const policy::Snapshot in_force = snapshot();
  const absl::Time now = region_.clock().Now();
  RAAKVLAK_ASSIGN_OR_RETURN(
      const policy::VerifiedOrder order,
      policy::VerifyOrder(SignOrder(OrderFor(envelopes, purpose)), in_force, now, v1::OPEN_MATCH));
  return MakeOpener().Open(ProofFor(order), envelopes, in_force, now);
}

std::vector<std::string> SignalsOf(const Opener::Opened& opened) {
  std::vector<std::string> out;
  for (const v1::OpenedSignal& signal : opened.signals) {
    out.push_back(absl::StrCat(signal.client_ref(), ": ", signal.note()));
  }
  return out;
}

std::vector<std::string> FaultsOf(const Opener::Opened& opened) {
  std::vector<std::string> out;
  for (const v1::Fault& fault : opened.faults) {
    out.push_back(absl::StrCat(fault.partner(), " ", fault.reason()));
  }
  return out;
}

}  // namespace raakvlak::hub

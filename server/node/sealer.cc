#include "server/node/sealer.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "crypto/note/signed_message.h"
#include "crypto/seal/seal.h"

namespace raakvlak::node {
namespace {

bool FormsGroups(const v1::LinkageRule& rule) {
  return rule.quality() == v1::EXACT || rule.quality() == v1::STRONG;
}

// A city has some 60,000 addresses, so a key wrapped under one is open to whoever tries them all: only where
// the address is itself the subject.
bool WrapsKey(const v1::LinkageRule& rule) {
  return FormsGroups(rule) &&
         (rule.identifier_class() != v1::ADDRESS || rule.subject() == v1::HOUSEHOLD_SUBJECT);
}

absl::StatusOr<v1::Token> MakeToken(const Pseudonym& pseudonym, const v1::Purpose& purpose, uint32_t index,
                                    absl::string_view header, const base::SecretBytes& content_key,
                                    base::Random& random) {
  namespace disclosure = crypto::disclosure;
  v1::Token token;
  if (!FormsGroups(*pseudonym.rule)) {
    RAAKVLAK_ASSIGN_OR_RETURN(std::string tag,
                              disclosure::DeriveTag(pseudonym.output, pseudonym.extended_context));
    token.set_tag(std::move(tag));
    return token;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(
      const disclosure::TokenSecrets secrets,
      disclosure::Derive(pseudonym.output, pseudonym.extended_context, purpose.disclosure_threshold()));
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::group::Scalar share,
                            disclosure::EvaluateShare(secrets.coefficients, index));
  token.set_tag(secrets.tag);
  token.set_share(share.Encode());
  token.set_commitments(disclosure::Commit(secrets.coefficients));
  if (WrapsKey(*pseudonym.rule)) {
    const base::SecretBytes wrap_key =
        disclosure::WrapKey(secrets.coefficients.front(), pseudonym.extended_context, secrets.tag);
    token.set_wrapped_key(crypto::seal::WrapContentKey(
        wrap_key, content_key,
        absl::StrCat(header, pseudonym.extended_context, token.tag(), token.share(), token.commitments()),
        random));
  }
  return token;
}

absl::StatusOr<std::string> SealPayload(const v1::Record& record, absl::string_view header,
                                        const base::SecretBytes& content_key, const v1::SealKey& seal_key,
                                        base::Random& random) {
  v1::SignalContent content;
  content.set_client_ref(record.client_ref());
  content.set_category(record.category());
  content.set_contact(record.contact());
  content.set_note(record.note());
  const base::SecretBytes bytes = base::SecretBytes::Take(content.SerializeAsString());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string public_key, base::ParseBase64(seal_key.public_key()));
  return crypto::seal::SealContent(header, bytes.Reveal(base::RevealSecret{}), content_key, public_key,
                                   random);
}

}  // namespace

absl::StatusOr<v1::Envelope> Seal(const Environment& environment, const policy::Snapshot& snapshot,
                                  const v1::Purpose& terms, v1::SignalKind kind, const v1::Record& record,
                                  const std::string& signal_id, storage::SignalDays days,
                                  absl::Span<const Pseudonym> pseudonyms) {
  const policy::Covenant& covenant = *snapshot.covenant;
  const v1::Partner& partner = *covenant.FindPartner(environment.partner);
  const v1::SealKey* seal_key = covenant.FindSealKey(terms.id(), terms.epoch());
  if (seal_key == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kCovenantMismatch,
                       "the covenant has no seal key for this purpose");
  }
  base::Random& random = *environment.random;
  const base::SecretBytes content_key = base::SecretBytes::Generate(random, crypto::seal::kKeySize);

  v1::SignalHeader header;
  header.set_version(1);
  header.set_region(covenant.region());
  header.set_purpose(terms.id());
  header.set_epoch(terms.epoch());
  header.set_covenant_id(covenant.id());
  header.set_partner(partner.id());
  header.set_index(partner.index());
  header.set_signal_id(signal_id);
  header.set_kind(kind);
  header.set_submitted_day(days.submitted);
  header.set_expiry_day(days.expiry);
  header.set_seal_key_id(seal_key->id());
  for (const Pseudonym& pseudonym : pseudonyms) {
    v1::RuleVersion& rule = *header.add_rules();
    rule.set_rule(pseudonym.rule->id());
    rule.set_version(pseudonym.rule->version());
  }
  header.set_content_key_commitment(crypto::seal::ContentKeyCommitment(content_key));

  v1::EnvelopeBody body;
  body.set_header(header.SerializeAsString());
  RAAKVLAK_ASSIGN_OR_RETURN(std::string payload,
                            SealPayload(record, body.header(), content_key, *seal_key, random));
  body.set_payload(std::move(payload));
  for (const Pseudonym& pseudonym : pseudonyms) {
    RAAKVLAK_ASSIGN_OR_RETURN(
        v1::Token token, MakeToken(pseudonym, terms, partner.index(), body.header(), content_key, random));
    *body.add_tokens() = std::move(token);
  }

  v1::Envelope envelope;
  envelope.set_body(body.SerializeAsString());
  envelope.set_signature(crypto::note::SignMessage(OwnKey(environment, *snapshot.covenant),
                                                   crypto::note::kEnvelopeKind, envelope.body()));
  return envelope;
}

}  // namespace raakvlak::node

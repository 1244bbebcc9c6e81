#include "server/log/witnessing.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::log {
namespace {

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid, message);
}

// The witness key that the covenant gives a process, base64; empty for one that is no witness.
std::string WitnessKeyOf(const policy::Covenant& covenant, const std::string& urn) {
  if (covenant.text().broker().urn() == urn) return covenant.text().broker().witness_key();
  for (const v1::Partner& partner : covenant.text().partners()) {
    if (policy::Urn(covenant.region(), "node", partner.id()) == urn) return partner.witness_key();
  }
  return "";
}

}  // namespace

Witness::FindLog LogsWitnessedBy(const std::string& urn, policy::Authority& authority) {
  return [urn, &authority](absl::string_view origin) -> absl::StatusOr<crypto::note::VerifierKey> {
    RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, authority.Current());
    const std::string& broker = snapshot.covenant->text().broker().urn();
    const bool of_the_broker = absl::StartsWith(origin, absl::StrCat(broker, "/"));
    if (of_the_broker == (urn == broker)) {
      return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                         "another process is witness of this log");
    }
    return snapshot.covenant->LogVerifier(origin);
  };
}

absl::StatusOr<crypto::note::PrivateKey> ReadWitnessKey(const v1::Common& common, const std::string& urn,
                                                        const policy::Covenant& covenant) {
  if (common.witness_key().empty()) return Invalid("witness_key is missing");
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes pem,
                            base::ReadSecretFile(common.witness_key(), crypto::note::kMaxPemSize));
  auto key = crypto::note::PrivateKey::FromPem(pem);
  if (!key.ok()) return base::Annotate(key.status(), common.witness_key());
  if (base::Base64(key->public_key().bytes()) != WitnessKeyOf(covenant, urn)) {
    return Invalid(absl::StrCat("witness_key is not the one that the covenant gives ", urn));
  }
  return key;
}

absl::StatusOr<std::unique_ptr<Witnessing>> Witnessing::Create(const v1::Common& common,
                                                               const std::string& urn,
                                                               policy::Authority& authority,
                                                               storage::AuditAppender& audit,
                                                               const base::Clock& clock) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, authority.Current());
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::note::PrivateKey key, ReadWitnessKey(common, urn, *snapshot.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::tlog::WitnessKey name,
                            crypto::tlog::WitnessKey::Create(urn, key.public_key()));
  std::unique_ptr<Witnessing> witnessing(new Witnessing(std::move(key), audit, clock));
  RAAKVLAK_ASSIGN_OR_RETURN(witnessing->store_, storage::OpenWitnessStore(common.state() + "/witness.db"));
  witnessing->witness_ =
      std::make_unique<Witness>(std::move(name), witnessing->key_, LogsWitnessedBy(urn, authority),
                                *witnessing->store_, clock, witnessing->contradictions_);
  if (!common.listen_witness().empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(witnessing->http_,
                              WitnessHttp::Start(common.listen_witness(), *witnessing->witness_));
    base::Log(base::LogLevel::kInfo, "witness.listening",
              {{"address", absl::StrCat("127.0.0.1:", witnessing->http_->port())}});
  }
  return witnessing;
}

}  // namespace raakvlak::log

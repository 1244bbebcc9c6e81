#include "policy/log_trust.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {
namespace {

absl::StatusOr<crypto::tlog::WitnessKey> WitnessOf(const std::string& urn, const std::string& key) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ParseBase64(key));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto public_key, crypto::note::PublicKey::Create(bytes));
  return crypto::tlog::WitnessKey::Create(urn, public_key);
}

}  // namespace

absl::StatusOr<LogTrust> TrustOf(const Covenant& covenant, absl::string_view origin) {
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::note::VerifierKey log, covenant.LogVerifier(origin));
  LogTrust trust{std::move(log), {}, 1};
  const v1::Broker& broker = covenant.text().broker();
  if (!absl::StartsWith(origin, absl::StrCat(broker.urn(), "/"))) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto witness, WitnessOf(broker.urn(), broker.witness_key()));
    trust.witnesses.push_back(std::move(witness));
    return trust;
  }
  for (const v1::Partner& partner : covenant.text().partners()) {
    const std::string urn = Urn(covenant.region(), "node", partner.id());
    RAAKVLAK_ASSIGN_OR_RETURN(auto witness, WitnessOf(urn, partner.witness_key()));
    trust.witnesses.push_back(std::move(witness));
  }
  trust.quorum = covenant.WitnessQuorum();
  return trust;
}

std::vector<std::string> WitnessesOf(const LogTrust& trust, const crypto::tlog::VerifiedProof& proof) {
  std::vector<std::string> names;
  for (const crypto::tlog::Cosigned& each : proof.cosigned) {
    names.push_back(trust.witnesses[each.witness].name());
  }
  return names;
}

absl::StatusOr<ProvenEntry> CheckLogProof(const v1::LogEntry& entry, absl::string_view proof,
                                          const Covenant& covenant) {
  RAAKVLAK_ASSIGN_OR_RETURN(LogTrust trust, TrustOf(covenant, entry.log()));
  RAAKVLAK_ASSIGN_OR_RETURN(
      crypto::tlog::VerifiedProof verified,
      crypto::tlog::VerifyProofFile(proof, entry.leaf(), trust.log, trust.witnesses, trust.quorum));
  if (verified.index != entry.index()) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                       "the proof is of another entry");
  }
  return ProvenEntry{std::move(trust), std::move(verified)};
}

}  // namespace raakvlak::policy

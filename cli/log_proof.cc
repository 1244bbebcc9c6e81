#include "cli/log_proof.h"

#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/proof_file.h"
#include "policy/log_trust.h"

namespace raakvlak::cli {

absl::StatusOr<ProvenEntry> CheckLogProof(const v1::LogEntry& entry, absl::string_view proof,
                                          const policy::Covenant& covenant) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::LogTrust trust, policy::TrustOf(covenant, entry.log()));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const crypto::tlog::VerifiedProof verified,
      crypto::tlog::VerifyProofFile(proof, entry.leaf(), trust.log, trust.witnesses, trust.quorum));
  if (verified.index != entry.index()) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                       "the proof is about another entry");
  }
  ProvenEntry proven;
  proven.size = verified.checkpoint.size;
  for (const crypto::tlog::Cosigned& cosigned : verified.cosigned) {
    proven.witnesses.push_back(trust.witnesses[cosigned.witness].name());
  }
  return proven;
}

}  // namespace raakvlak::cli

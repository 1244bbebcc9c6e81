#include "policy/receipt.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "crypto/tlog/batch_tree.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/proof.h"
#include "crypto/tlog/proof_file.h"
#include "policy/log_trust.h"
#include "policy/strict_parse.h"

namespace raakvlak::policy {
namespace {

namespace note = crypto::note;
namespace reason = base::reason;
namespace tlog = crypto::tlog;

constexpr char kSubmitAction[] = "submit";
constexpr size_t kMaxDetailsSize = 16384;

absl::Status Wrong(absl::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, reason::kVerificationFailed,
                     absl::StrCat("the receipt ", what));
}

absl::Status Unproven(absl::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, reason::kProofInvalid, absl::StrCat("the receipt ", what));
}

absl::StatusOr<tlog::Proof> ReadHashes(absl::string_view bytes) {
  if (bytes.size() % tlog::kHashSize != 0 || bytes.size() > tlog::kMaxProofSize * tlog::kHashSize) {
    return Wrong("has a path that is not whole hashes");
  }
  tlog::Proof proof;
  for (; !bytes.empty(); bytes.remove_prefix(tlog::kHashSize)) {
    RAAKVLAK_ASSIGN_OR_RETURN(tlog::Hash hash, tlog::Hash::Create(bytes.substr(0, tlog::kHashSize)));
    proof.push_back(hash);
  }
  return proof;
}

std::string HashBytes(const tlog::Proof& proof) {
  std::string bytes;
  for (const tlog::Hash& hash : proof) absl::StrAppend(&bytes, hash.view());
  return bytes;
}

std::string LeafOf(const v1::LogEntry& entry) {
  return tlog::MakeLeaf(static_cast<uint64_t>(entry.time_ms()), entry.salt(), entry.details());
}

// The partner whose node `urn` is; nullptr when there is none.
const v1::Partner* PartnerOf(const Covenant& covenant, absl::string_view urn) {
  for (const v1::Partner& partner : covenant.text().partners()) {
    if (Urn(covenant.region(), "node", partner.id()) == urn) return &partner;
  }
  return nullptr;
}

// What the entry says, and that it commits to the envelope. `entry.log` and the leaf were looked at.
absl::StatusOr<v1::AuditDetails> CheckEntry(const v1::LoggedSignal& logged) {
  const v1::LogEntry& entry = logged.entry();
  if (entry.salt().size() != tlog::kSaltSize || entry.time_ms() < 0) return Wrong("has no salt or no time");
  v1::AuditDetails details;
  if (!ParseStrictly(entry.details(), kMaxDetailsSize, details).ok()) {
    return Wrong("has details that do not parse");
  }
  if (details.action() != kSubmitAction) return Wrong("is about an entry that is no submit");
  if (details.result() != "OK") return Wrong("is about a submit that was refused");
  if (logged.batch() > kMaxReceiptBatch || details.count() != logged.batch()) {
    return Wrong("names another number of envelopes than its entry");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Proof path, ReadHashes(logged.path()));
  const absl::StatusOr<tlog::Hash> root = tlog::Hash::Create(details.batch_root());
  if (!root.ok() || !tlog::VerifyInclusion(tlog::LeafHash(logged.envelope_hash()), logged.position(),
                                           logged.batch(), path, *root)
                         .ok()) {
    return Unproven("has a path that does not lead from the envelope to its entry");
  }
  return details;
}

// Not verified yet: it says whose keys are to be asked.
absl::StatusOr<tlog::Checkpoint> ReadCheckpoint(const std::string& bytes) {
  const absl::StatusOr<note::Note> parsed = note::Parse(bytes);
  if (!parsed.ok()) return Wrong("has a checkpoint that does not parse");
  const absl::StatusOr<tlog::Checkpoint> checkpoint = tlog::ParseCheckpoint(parsed->text);
  if (!checkpoint.ok()) return Wrong("has a checkpoint that does not parse");
  return checkpoint;
}

bool IsBrokersLog(const Covenant& covenant, absl::string_view origin) {
  return absl::StartsWith(origin, absl::StrCat(covenant.text().broker().urn(), "/")) &&
         covenant.LogVerifier(origin).ok();
}

// The same receipt has one spelling: who compares two of them compares bytes.
absl::StatusOr<v1::SignalReceipt> ParseReceipt(absl::string_view bytes) {
  v1::SignalReceipt receipt;
  const absl::Status parsed = ParseStrictly(bytes, kMaxReceiptSize, receipt);
  if (!parsed.ok()) return Wrong(absl::StrCat("does not parse: ", std::string(parsed.message())));
  if (receipt.version() != kReceiptVersion) return Wrong("is of a version that this program does not know");
  if (!receipt.logged().entry().log().empty() || !receipt.logged().entry().leaf().empty() ||
      absl::string_view(receipt.SerializeAsString()) != bytes) {
    return Wrong("is not in its only spelling");
  }
  return receipt;
}

}  // namespace

SubmitTree MakeSubmitTree(absl::Span<const std::string> hashes) {
  std::vector<tlog::Hash> leaves;
  leaves.reserve(hashes.size());
  for (const std::string& hash : hashes) {
    RAAKVLAK_CHECK(hash.size() == tlog::kHashSize, "an envelope hash has 32 bytes");
    leaves.push_back(tlog::LeafHash(hash));
  }
  const tlog::BatchTree tree(leaves);
  SubmitTree made;
  made.root = std::string(tree.Root().view());
  for (size_t i = 0; i < leaves.size(); ++i) made.paths.push_back(HashBytes(tree.PathOf(i)));
  return made;
}

absl::Status CheckLogged(const v1::LoggedSignal& logged, const Covenant& covenant, absl::string_view partner,
                         absl::string_view purpose, absl::string_view envelope_hash) {
  if (absl::string_view(logged.envelope_hash()) != envelope_hash) return Wrong("is about another envelope");
  if (!IsBrokersLog(covenant, logged.entry().log())) return Wrong("names a log that is not the broker's");
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::AuditDetails details, CheckEntry(logged));
  if (absl::string_view(details.purpose()) != purpose) return Wrong("is about another purpose");
  if (details.actor() != Urn(covenant.region(), "node", partner)) return Wrong("is about another partner");
  if (logged.entry().leaf() != LeafOf(logged.entry()))
    return Wrong("has a leaf that is not made of its details");
  return absl::OkStatus();
}

absl::StatusOr<std::string> MakeReceipt(const v1::LoggedSignal& logged, absl::string_view tlog_proof,
                                        const Covenant& covenant) {
  const absl::StatusOr<tlog::ProofFile> file = tlog::ParseProofFile(tlog_proof);
  if (!file.ok()) return Wrong("has a proof that does not parse");
  absl::StatusOr<note::Note> parsed = note::Parse(file->checkpoint);
  if (!parsed.ok()) return Wrong("has a checkpoint that does not parse");
  note::Note checkpoint = *std::move(parsed);
  RAAKVLAK_ASSIGN_OR_RETURN(const LogTrust trust, TrustOf(covenant, logged.entry().log()));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<tlog::Cosigned> cosigned,
                            tlog::CountCosignatures(checkpoint, trust.witnesses));
  // The log's own signature, and as many others as are asked for: the receipt is kept for long by many.
  std::vector<note::NoteSignature> kept;
  size_t missing = trust.quorum;
  for (const note::NoteSignature& signature : checkpoint.signatures) {
    const bool is_witness = std::any_of(cosigned.begin(), cosigned.end(), [&](const tlog::Cosigned& each) {
      return trust.witnesses[each.witness].name() == signature.name;
    });
    if (is_witness && missing > 0) --missing, kept.push_back(signature);
    if (signature.name == trust.log.name()) kept.push_back(signature);
  }
  checkpoint.signatures = std::move(kept);

  v1::SignalReceipt receipt;
  receipt.set_version(kReceiptVersion);
  *receipt.mutable_logged() = logged;
  receipt.mutable_logged()->mutable_entry()->clear_log();
  receipt.mutable_logged()->mutable_entry()->clear_leaf();
  receipt.set_proof(HashBytes(file->proof));
  receipt.set_checkpoint(note::Format(checkpoint));
  std::string bytes = receipt.SerializeAsString();
  RAAKVLAK_ASSIGN_OR_RETURN(const VerifiedReceipt verified, VerifyReceipt(bytes, covenant));
  if (verified.index != file->index) return Unproven("has a proof of another entry");
  return bytes;
}

absl::StatusOr<VerifiedReceipt> VerifyReceipt(absl::string_view bytes, const Covenant& covenant) {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::SignalReceipt receipt, ParseReceipt(bytes));
  const v1::LogEntry& entry = receipt.logged().entry();
  VerifiedReceipt verified;
  RAAKVLAK_ASSIGN_OR_RETURN(verified.details, CheckEntry(receipt.logged()));
  const v1::Partner* partner = PartnerOf(covenant, verified.details.actor());
  if (partner == nullptr) return Wrong("is about a partner that the covenant does not know");
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Checkpoint checkpoint, ReadCheckpoint(receipt.checkpoint()));
  if (!IsBrokersLog(covenant, checkpoint.origin))
    return Wrong("has a checkpoint of a log that is not the broker's");
  RAAKVLAK_ASSIGN_OR_RETURN(const LogTrust trust, TrustOf(covenant, checkpoint.origin));
  RAAKVLAK_ASSIGN_OR_RETURN(tlog::Proof proof, ReadHashes(receipt.proof()));
  const std::string file =
      tlog::FormatProofFile({std::nullopt, entry.index(), std::move(proof), receipt.checkpoint()});
  RAAKVLAK_ASSIGN_OR_RETURN(
      const tlog::VerifiedProof proven,
      tlog::VerifyProofFile(file, LeafOf(entry), trust.log, trust.witnesses, trust.quorum));
  verified.envelope_hash = receipt.logged().envelope_hash();
  verified.partner = partner->id();
  verified.log = checkpoint.origin;
  verified.index = entry.index();
  verified.time_ms = entry.time_ms();
  verified.checkpoint_size = checkpoint.size;
  verified.witnesses = WitnessesOf(trust, proven);
  verified.cosigned_time = proven.newest;
  return verified;
}

}  // namespace raakvlak::policy

#include "server/log/witness.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "crypto/tlog/add_checkpoint.h"
#include "crypto/tlog/proof.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;
using storage::Witnessed;

// How often a request is tried against a record that others change meanwhile.
constexpr int kMaxAttempts = 4;

WitnessAnswer Refuse(int status, absl::string_view why) {
  return {status, kTextType, absl::StrCat(why, "\n")};
}

WitnessAnswer Conflict(uint64_t size) { return {409, kSizeType, absl::StrCat(size, "\n")}; }

// The client learns no more than that it is not its fault.
WitnessAnswer StorageFailed(const absl::Status& status) {
  base::LogStatus(base::LogLevel::kError, "witness.storage_failed", status);
  return Refuse(500, "the witness cannot keep checkpoints now");
}

// Well-formed but for its root, which only one value can be: 422 by the standard, where the strict parser
// finds it malformed.
bool IsEmptyTreeWithWrongRoot(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.size() != 4 || lines[1] != "0") return false;
  const auto root = tlog::Hash::FromBase64(lines[2]);
  if (!root.ok() || *root == tlog::EmptyRoot()) return false;
  return tlog::ParseCheckpoint(absl::StrCat(lines[0], "\n0\n", tlog::EmptyRoot().ToBase64(), "\n")).ok();
}

}  // namespace

Witness::Witness(tlog::WitnessKey name, const note::PrivateKey& key, FindLog find_log,
                 storage::WitnessStore& store, const base::Clock& clock, ContradictionLog& contradictions)
    : name_(std::move(name)),
      key_(key),
      find_log_(std::move(find_log)),
      store_(store),
      clock_(clock),
      contradictions_(contradictions) {
  RAAKVLAK_CHECK(name_.key() == key_.public_key(), "the name belongs to the key");
}

WitnessAnswer Witness::AddCheckpoint(absl::string_view body, absl::string_view submitter) {
  const auto request = tlog::ParseAddCheckpoint(body);
  if (!request.ok()) return Refuse(400, request.status().message());
  const auto parsed = note::Parse(request->checkpoint);
  if (!parsed.ok()) return Refuse(400, parsed.status().message());
  const bool wrong_empty_tree = IsEmptyTreeWithWrongRoot(parsed->text);
  const auto claimed = tlog::ParseCheckpoint(parsed->text);
  if (!claimed.ok() && !wrong_empty_tree) return Refuse(400, claimed.status().message());
  const std::string origin = parsed->text.substr(0, parsed->text.find('\n'));
  const auto log = find_log_(origin);
  if (absl::IsNotFound(log.status())) return Refuse(404, "this witness does not know the log");
  if (!log.ok()) {
    base::LogStatus(base::LogLevel::kWarning, "witness.logs_unknown", log.status());
    return Refuse(503, "which logs may be cosigned is not known now");
  }
  const absl::Status signed_by_log = note::VerifyAll(*parsed, {*log});
  if (!signed_by_log.ok()) return Refuse(403, signed_by_log.message());
  if (wrong_empty_tree) return Refuse(422, "the root of the empty tree is wrong");
  if (request->old_size > claimed->size) return Refuse(400, "old is above the checkpoint's size");
  // Others' lines were not verified, so they are neither kept nor passed on.
  note::Note kept{parsed->text, {}};
  for (const note::NoteSignature& signature : parsed->signatures) {
    if (signature.name == log->name() && signature.key_id == log->key_id()) {
      kept.signatures = {signature};
    }
  }
  return Advance(request->old_size, request->proof, {*claimed, std::move(kept)},
                 !submitter.empty() && absl::StartsWith(origin, absl::StrCat(submitter, "/")));
}

WitnessAnswer Witness::Advance(uint64_t old_size, const tlog::Proof& proof,
                               const tlog::OpenedCheckpoint& opened, bool from_the_log) {
  const tlog::Checkpoint& checkpoint = opened.checkpoint;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const auto kept = store_.FindWitnessed(checkpoint.origin);
    if (!kept.ok()) return StorageFailed(kept.status());
    const Witnessed before =
        kept->value_or(Witnessed{checkpoint.origin, 0, std::string(tlog::EmptyRoot().view()), 0, ""});
    const auto report = [&](Contradiction::Kind kind) {
      contradictions_.Report({kind, before, checkpoint.size, note::Format(opened.note)});
    };
    if (checkpoint.size == before.size && checkpoint.root.view() != before.root) {
      report(Contradiction::Kind::kFork);
    }
    if (checkpoint.size < before.size && from_the_log) report(Contradiction::Kind::kRollback);
    if (old_size != before.size) return Conflict(before.size);
    const auto before_root = tlog::Hash::Create(before.root);
    if (!before_root.ok()) return StorageFailed(before_root.status());
    // Of equal sizes the roots must be equal, and a proof from 0 must be empty: both are checked in it.
    const absl::Status consistent =
        tlog::VerifyConsistency(before.size, *before_root, checkpoint.size, checkpoint.root, proof);
    if (!consistent.ok()) {
      if (checkpoint.size > before.size && from_the_log) report(Contradiction::Kind::kInconsistent);
      return Refuse(422, consistent.message());
    }
    // A clock set back must not make a later cosignature look older than an earlier one.
    const uint64_t now = static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixSeconds(clock_.Now())));
    const Witnessed next = {checkpoint.origin, checkpoint.size, std::string(checkpoint.root.view()),
                            std::max(now, before.time), note::Format(opened.note)};
    // "The witness MUST persist the new checkpoint before responding."
    const auto advanced = store_.AdvanceWitnessed(before.size, next);
    if (!advanced.ok()) return StorageFailed(advanced.status());
    // Another request was faster: `old_size` is compared with what it left.
    if (!*advanced) continue;
    return {200, kTextType,
            tlog::FormatCosignatures({tlog::Cosign(opened.note.text, name_, key_, next.time)})};
  }
  return Refuse(503, "others submit checkpoints of this log at the same time");
}

WitnessAnswer Witness::LatestCheckpoint(absl::string_view origin_hash_hex) {
  const auto hash = base::ParseHex(origin_hash_hex);
  if (!hash.ok() || hash->size() != tlog::kHashSize || base::Hex(*hash) != std::string(origin_hash_hex)) {
    return Refuse(404, "no such log");
  }
  const auto kept = store_.FindWitnessedByHash(*hash);
  if (!kept.ok()) return StorageFailed(kept.status());
  if (!kept->has_value()) return Refuse(404, "no such log");
  auto checkpoint = note::Parse((*kept)->note);
  if (!checkpoint.ok()) return StorageFailed(checkpoint.status());
  checkpoint->signatures.push_back(tlog::Cosign(checkpoint->text, name_, key_, (*kept)->time));
  return {200, kTextType, note::Format(*checkpoint)};
}

}  // namespace raakvlak::log

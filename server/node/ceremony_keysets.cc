// CeremonyDriver: keysets that are complete, and whether a ceremony fits what is in force.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/code.h"
#include "crypto/note/note.h"
#include "policy/epochs.h"
#include "server/node/ceremony_driver.h"
#include "server/node/ceremony_known.h"

namespace raakvlak::node {
namespace {

namespace ceremony = crypto::ceremony;
namespace reason = base::reason;
using storage::NodeCeremony;
using storage::NodeCeremonyState;

bool IsSameKey(const policy::KeysetText& one, const policy::KeysetText& other) {
  return one.purpose == other.purpose && one.identifier_class == other.identifier_class &&
         one.epoch == other.epoch;
}

}  // namespace

absl::Status CeremonyDriver::TakeKeysets(const policy::Snapshot& snapshot) {
  // A covenant that comes later makes others of them valid.
  std::pair<uint64_t, size_t> posted = {0, policy::ChainOf(snapshot)->all().size()};
  for (const auto& known : known_) posted.first += known->num_keysets;
  if (posted == keysets_taken_) return absl::OkStatus();
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::KeysetsResponse response, client_.Keysets({}, options_.timeout));
  std::vector<std::vector<std::string>> notes;
  for (const v1::CeremonyKeysets& of : response.ceremonies())
    notes.emplace_back(of.keysets().begin(), of.keysets().end());
  absl::Status first_error;
  for (const policy::CompleteKeyset& complete : policy::CompleteKeysets(notes, *policy::ChainOf(snapshot)))
    first_error.Update(TakeKeyset(snapshot, complete));
  RAAKVLAK_RETURN_IF_ERROR(first_error);
  keysets_taken_ = posted;
  return absl::OkStatus();
}

absl::Status CeremonyDriver::TakeKeyset(const policy::Snapshot& snapshot,
                                        const policy::CompleteKeyset& complete) {
  const policy::KeysetText& text = complete.keyset->text();
  Known* known = nullptr;
  for (const auto& other : known_) {
    const auto note = other->row.has_value() ? crypto::note::Parse(other->row->keyset)
                                             : absl::StatusOr<crypto::note::Note>(absl::NotFoundError(""));
    if (note.ok() && base::Sha256(note->text) == complete.keyset->id()) known = other.get();
  }
  const bool is_finished = known == nullptr || known->is_in(NodeCeremonyState::kDone);
  const auto before =
      environment_.keys->Now()->keysets().Newest(text.purpose, text.identifier_class, text.epoch);
  const bool is_there = before != nullptr && before->text().generation >= text.generation;
  if (is_there && is_finished) return absl::OkStatus();
  if (!policy::IsEpochWanted(snapshot, text.purpose, text.epoch, environment_.clock->Now()))
    return absl::OkStatus();

  storage::SeenKeyset seen = {text.purpose,          text.identifier_class, text.epoch, text.generation,
                              complete.keyset->id(), environment_.NowMs(),  0};
  // Asked before anything is written: what was used before decides, also when the folders are empty.
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::SeenKeyset> all_seen,
                            environment_.store->SeenKeysets());
  for (const storage::SeenKeyset& other : all_seen) {
    if (other.purpose != seen.purpose || other.identifier_class != seen.identifier_class ||
        other.epoch != seen.epoch || other.keyset_id == seen.keyset_id ||
        other.generation < seen.generation) {
      continue;
    }
    if (other.generation == seen.generation) {
      base::Log(base::LogLevel::kError, "node.second_keyset",
                {{"keyset", base::Hex(seen.keyset_id)}, {"reason", reason::kKeysetInvalid}});
    }
    return absl::OkStatus();
  }

  // All holders of an earlier covenant may have signed what today's holders never agreed to.
  const absl::Status fits = environment_.keys->Now()->keysets().With(complete.keyset).status();
  if (!fits.ok()) {
    base::LogStatus(base::LogLevel::kError, "node.keyset_refused", fits,
                    {{"keyset", base::Hex(complete.keyset->id())}});
    return absl::OkStatus();
  }

  std::optional<crypto::group::Scalar> share;
  if (known != nullptr && !known->row->share.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(
        const base::SecretBytes bytes,
        environment_.vault->Decrypt(Column::kCeremonyShare, known->id(), known->row->share));
    RAAKVLAK_ASSIGN_OR_RETURN(share,
                              crypto::group::Scalar::DecodeNonZero(bytes.Reveal(base::RevealSecret{})));
  }
  RAAKVLAK_RETURN_IF_ERROR(
      environment_.keys->Install(complete.note, complete.keyset, share.has_value() ? &*share : nullptr));

  storage::AuditEntry made =
      NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", "key_made");
  made.object = base::Hex(complete.keyset->id());
  made.purpose = text.purpose;
  made.reason = absl::StrCat("transcript ", base::Hex(text.transcript_hash), " code ",
                             ceremony::TranscriptCode(text.transcript_hash));
  std::vector<storage::AuditEntry> entries = {made};
  const auto replaced = environment_.keys->Now()->keysets().Find(text.replaces);
  if (replaced != nullptr && replaced->FindHolder(environment_.partner) != nullptr) {
    storage::AuditEntry destroyed = made;
    destroyed.action = "key_destroyed";
    destroyed.object = base::Hex(replaced->id());
    destroyed.reason = "replaced";
    entries.push_back(destroyed);
  }
  NodeCeremony next;
  if (known != nullptr) {
    next = *known->row;
    next.state = NodeCeremonyState::kDone;
    next.changed_ms = environment_.NowMs();
    next.share.clear();
    next.keyset = complete.note;
  }
  const absl::Status written =
      environment_.store->Write("key_made", [&](storage::NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_RETURN_IF_ERROR(transaction.SeeKeyset(seen).status());
        if (known != nullptr) RAAKVLAK_RETURN_IF_ERROR(transaction.PutCeremony(next).status());
        for (const storage::AuditEntry& entry : entries)
          RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
        return absl::OkStatus();
      });
  RAAKVLAK_RETURN_IF_ERROR(written);
  if (known != nullptr) known->row = std::move(next);
  base::Log(
      base::LogLevel::kInfo, "node.key_made",
      {{"keyset", made.object}, {"purpose", text.purpose}, {"generation", absl::StrCat(text.generation)}});
  return absl::OkStatus();
}

// Secrets of a key that nobody will use any more.
absl::Status CeremonyDriver::ForgetEnded(const policy::Snapshot& snapshot) {
  for (const auto& known : known_) {
    if (!known->row.has_value() || known->is_in(NodeCeremonyState::kRunning)) continue;
    if (known->row->share.empty()) continue;
    const ceremony::ParametersText& text = known->parameters.text();
    const auto newest =
        environment_.keys->Now()->keysets().Newest(text.purpose, text.identifier_class, text.epoch);
    const auto note = crypto::note::Parse(known->row->keyset);
    const auto own =
        note.ok() ? policy::ParseKeysetText(note->text) : absl::StatusOr<policy::KeysetText>(note.status());
    const bool is_late = own.ok() && newest != nullptr && IsSameKey(newest->text(), *own) &&
                         newest->text().generation >= own->generation &&
                         newest->id() != base::Sha256(note->text);
    if (!is_late && policy::IsEpochWanted(snapshot, text.purpose, text.epoch, environment_.clock->Now()))
      continue;
    NodeCeremony next = *known->row;
    next.share.clear();
    next.state = NodeCeremonyState::kStopped;
    next.changed_ms = environment_.NowMs();
    if (next.why.empty()) next.why = is_late ? "another keyset is in use" : "the epoch of this key has ended";
    storage::AuditEntry entry = OwnEntry(snapshot, "ceremony_stopped", known->parameters);
    entry.reason = next.why;
    RAAKVLAK_RETURN_IF_ERROR(Save(*known, std::move(next), {entry}));
  }
  return absl::OkStatus();
}

absl::Status CeremonyDriver::CheckFits(const policy::Snapshot& snapshot,
                                       const ceremony::Parameters& parameters) {
  const auto mismatch = [](absl::string_view message) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch, message);
  };
  const ceremony::ParametersText& text = parameters.text();
  std::shared_ptr<const policy::Covenant> covenant = policy::ChainOf(snapshot)->Find(text.covenant_id);
  if (covenant == nullptr || covenant->text().version() < snapshot.covenant->text().version()) {
    return mismatch("it is of a covenant that is neither in force nor follows");
  }
  const auto keys = environment_.keys->Now();
  const auto newest = keys->keysets().Newest(text.purpose, text.identifier_class, text.epoch);
  if (text.kind == ceremony::Kind::kGenerate && newest != nullptr)
    return mismatch("the key is there already");
  return policy::CheckCeremony(parameters, *covenant,
                               text.kind == ceremony::Kind::kGenerate ? nullptr : newest.get());
}

}  // namespace raakvlak::node

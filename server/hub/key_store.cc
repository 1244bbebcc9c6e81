#include "server/hub/key_store.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/epochs.h"
#include "policy/keyset/key_files.h"

namespace raakvlak::hub {
namespace {

namespace reason = base::reason;

// Ids of the seal keys that the covenant in force uses, or one that follows it will.
std::set<std::string> WantedSealKeys(const policy::Snapshot& snapshot, absl::Time now) {
  std::set<std::string> wanted;
  // Held for the length of the loop.
  const auto chain = policy::ChainOf(snapshot);
  for (const auto& covenant : chain->all()) {
    for (const v1::SealKey& key : covenant->text().hub().seal_keys()) {
      if (policy::IsEpochWanted(snapshot, key.purpose(), key.epoch(), now)) wanted.insert(key.id());
    }
  }
  return wanted;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyStore>> KeyStore::Open(Places places, FindPolicy policy,
                                                         storage::AuditAppender& audit,
                                                         const base::Clock& clock) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, policy());
  std::unique_ptr<KeyStore> store(new KeyStore(std::move(places), std::move(policy), audit, clock));
  RAAKVLAK_RETURN_IF_ERROR(store->ReadKeysets(*policy::ChainOf(snapshot)));
  store->Look();
  return store;
}

absl::Status KeyStore::CheckSealKeys(const std::string& folder, const policy::Snapshot& snapshot,
                                     absl::Time now) {
  for (const std::string& id : WantedSealKeys(snapshot, now)) {
    RAAKVLAK_RETURN_IF_ERROR(policy::ReadSealKeyPair(folder, id).status());
  }
  return absl::OkStatus();
}

std::shared_ptr<const OpenerKeys> KeyStore::Now() const {
  base::MutexLock lock(mutex_);
  return keys_;
}

void KeyStore::Use(OpenerKeys keys) {
  auto next = std::make_shared<const OpenerKeys>(std::move(keys));
  base::MutexLock lock(mutex_);
  keys_ = std::move(next);
}

absl::Status KeyStore::ReadKeysets(const policy::CovenantChain& chain) {
  std::error_code error;
  std::filesystem::create_directories(places_.keysets, error);
  std::set<std::string> files;
  for (std::filesystem::directory_iterator entry(places_.keysets, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".keyset") files.insert(entry->path().string());
  }
  if (error) {
    return base::Error(absl::StatusCode::kNotFound, reason::kFileUnreadable,
                       absl::StrCat("folder ", places_.keysets, ": ", error.message()));
  }
  OpenerKeys keys;
  for (const std::string& file : files) {
    const auto read = [&]() -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(file, crypto::note::kMaxNoteSize));
      RAAKVLAK_ASSIGN_OR_RETURN(auto keyset, policy::Keyset::Verify(bytes, chain));
      RAAKVLAK_ASSIGN_OR_RETURN(keys.keysets, keys.keysets.With(std::move(keyset)));
      return absl::OkStatus();
    }();
    if (!read.ok()) base::LogStatus(base::LogLevel::kError, "hub.keyset_refused", read, {{"file", file}});
  }
  Use(std::move(keys));
  return absl::OkStatus();
}

void KeyStore::Look() {
  const absl::StatusOr<policy::Snapshot> snapshot = policy_();
  if (!snapshot.ok()) return;
  const std::set<std::string> wanted = WantedSealKeys(*snapshot, clock_.Now());
  OpenerKeys keys = *Now();
  LoadSealKeys(wanted, keys);
  std::set<std::string> seen;
  const auto chain = policy::ChainOf(*snapshot);
  for (const auto& covenant : chain->all()) {
    for (const v1::SealKey& key : covenant->text().hub().seal_keys()) {
      if (wanted.contains(key.id()) || !seen.insert(key.id()).second) continue;
      const absl::Status destroyed = Destroy(*snapshot, key, keys);
      if (!destroyed.ok()) {
        base::LogStatus(base::LogLevel::kError, "hub.key_not_destroyed", destroyed, {{"key", key.id()}});
      }
    }
  }
  Use(std::move(keys));
}

void KeyStore::LoadSealKeys(const std::set<std::string>& wanted, OpenerKeys& keys) {
  for (const std::string& id : wanted) {
    if (keys.seal_keys.contains(id)) continue;
    absl::StatusOr<crypto::seal::SealKeyPair> pair = policy::ReadSealKeyPair(places_.seal_keys, id);
    if (pair.ok()) {
      keys.seal_keys.emplace(id, std::make_shared<const crypto::seal::SealKeyPair>(*std::move(pair)));
      base::Log(base::LogLevel::kInfo, "hub.seal_key_loaded", {{"key", id}});
      missing_.erase(id);
    } else if (missing_.insert(id).second) {
      base::LogStatus(base::LogLevel::kError, "hub.seal_key_missing", pair.status(),
                      {{"key", id},
                       {"what_to_do", absl::StrCat("put the file ", id,
                                                   ".seal, made by 'raakvlak key new "
                                                   "--kind seal', into seal_keys")}});
    }
  }
}

absl::Status KeyStore::Destroy(const policy::Snapshot& snapshot, const v1::SealKey& key, OpenerKeys& keys) {
  const std::string path = absl::StrCat(places_.seal_keys, "/", key.id(), ".seal");
  std::error_code error;
  const bool is_there = std::filesystem::exists(std::filesystem::symlink_status(path, error));
  if (!is_there && !keys.seal_keys.contains(key.id())) return absl::OkStatus();
  keys.seal_keys.erase(key.id());
  if (!logged_.contains(key.id())) {
    storage::AuditEntry entry;
    entry.time_ms = absl::ToUnixMillis(clock_.Now());
    entry.actor = snapshot.covenant->text().hub().urn();
    entry.role = "hub";
    entry.action = "key_destroyed";
    entry.object = key.id();
    entry.purpose = key.purpose();
    entry.reason = absl::StrCat("seal key of epoch ", key.epoch());
    entry.policy = snapshot.Name();
    RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
    logged_.insert(key.id());
  }
  RAAKVLAK_RETURN_IF_ERROR(base::RemoveFile(path));
  base::Log(base::LogLevel::kInfo, "hub.key_destroyed",
            {{"key", key.id()}, {"purpose", key.purpose()}, {"epoch", absl::StrCat(key.epoch())}});
  return absl::OkStatus();
}

absl::Status KeyStore::Poll(client::CeremonyClient& broker, absl::Duration timeout) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, policy_());
  const std::shared_ptr<const policy::CovenantChain> chain = policy::ChainOf(snapshot);
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ListCeremoniesResponse list, broker.ListCeremonies({}, timeout));
  // A covenant that comes later makes others of them valid.
  std::pair<uint64_t, size_t> posted = {0, chain->all().size()};
  for (const v1::CeremonyInfo& ceremony : list.ceremonies()) posted.first += ceremony.keysets();
  if (posted == taken_) return absl::OkStatus();
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::KeysetsResponse response, broker.Keysets({}, timeout));
  RAAKVLAK_RETURN_IF_ERROR(Take(response, *chain));
  taken_ = posted;
  return absl::OkStatus();
}

absl::Status KeyStore::Take(const v1::KeysetsResponse& posted, const policy::CovenantChain& chain) {
  OpenerKeys keys = *Now();
  const size_t before = keys.keysets.size();
  std::vector<std::vector<std::string>> notes;
  for (const v1::CeremonyKeysets& ceremony : posted.ceremonies())
    notes.emplace_back(ceremony.keysets().begin(), ceremony.keysets().end());
  for (policy::CompleteKeyset& complete : policy::CompleteKeysets(notes, chain)) {
    const std::string id = base::Hex(complete.keyset->id());
    if (keys.keysets.Find(complete.keyset->id()) != nullptr || refused_.contains(id)) continue;
    absl::StatusOr<policy::KeysetStore> more = keys.keysets.With(complete.keyset);
    if (!more.ok()) {
      base::LogStatus(base::LogLevel::kError, "hub.keyset_refused", more.status(), {{"keyset", id}});
      refused_.insert(id);
      continue;
    }
    RAAKVLAK_RETURN_IF_ERROR(
        base::WriteFileAtomically(absl::StrCat(places_.keysets, "/", id, ".keyset"), complete.note, 0644));
    keys.keysets = *std::move(more);
    base::Log(base::LogLevel::kInfo, "hub.keyset_taken",
              {{"keyset", id}, {"purpose", complete.keyset->text().purpose}});
  }
  if (keys.keysets.size() != before) Use(std::move(keys));
  return absl::OkStatus();
}

}  // namespace raakvlak::hub

#include "server/node/key_ring.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::node {
namespace {

absl::Status EnsureFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                     absl::StrCat("cannot make folder ", folder, ": ", error.message()));
}

// Half-written shares (base::WriteFileAtomically) of a process that was stopped: nobody would find them when
// their epoch ends.
absl::Status RemoveHalfWritten(const std::string& folder) {
  constexpr absl::string_view kSuffix = ".share.XXXXXX";
  constexpr size_t kIdSize = 64;
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == kIdSize + kSuffix.size() && name.compare(kIdSize, 7, ".share.") == 0)
      files.push_back(entry->path().string());
  }
  for (const std::string& file : files) RAAKVLAK_RETURN_IF_ERROR(base::RemoveFile(file));
  return absl::OkStatus();
}

bool IsOlder(const policy::KeysetText& one, const policy::KeysetText& other) {
  return one.purpose == other.purpose && one.identifier_class == other.identifier_class &&
         one.epoch == other.epoch && one.generation < other.generation;
}

}  // namespace

const crypto::group::Scalar* Keys::FindShare(absl::string_view keyset_id) const {
  const auto found = shares_.find(keyset_id);
  return found == shares_.end() ? nullptr : &**found->second;
}

absl::StatusOr<std::unique_ptr<KeyRing>> KeyRing::Load(Places places, std::string partner,
                                                       base::SecretBytes vault_key,
                                                       const policy::CovenantChain& chain,
                                                       base::Random& random) {
  RAAKVLAK_RETURN_IF_ERROR(EnsureFolder(places.keysets));
  RAAKVLAK_RETURN_IF_ERROR(EnsureFolder(places.shares));
  RAAKVLAK_RETURN_IF_ERROR(RemoveHalfWritten(places.shares));
  std::unique_ptr<KeyRing> ring(
      new KeyRing(std::move(places), std::move(partner), std::move(vault_key), random));
  Keys keys;
  RAAKVLAK_ASSIGN_OR_RETURN(keys.keysets_, policy::KeysetStore::Load(ring->places_.keysets, chain));
  for (const auto& keyset : keys.keysets_.all()) {
    const policy::KeysetText& text = keyset->text();
    if (keys.keysets_.Newest(text.purpose, text.identifier_class, text.epoch) != keyset) continue;
    if (keyset->FindHolder(ring->partner_) == nullptr) continue;
    RAAKVLAK_RETURN_IF_ERROR(ring->ReadOwnShare(*keyset, keys));
    RAAKVLAK_RETURN_IF_ERROR(ring->DeleteOlderShares(*keyset, keys));
  }
  ring->Use(std::move(keys));
  return ring;
}

absl::Status KeyRing::ReadOwnShare(const policy::Keyset& keyset, Keys& keys) const {
  const auto share = policy::ReadShare(places_.shares, keyset, partner_, vault_key_);
  if (share.status().code() == absl::StatusCode::kNotFound) {
    base::LogStatus(base::LogLevel::kError, "node.share_missing", share.status(),
                    {{"keyset", base::Hex(keyset.id())}, {"purpose", keyset.text().purpose}});
    return absl::OkStatus();
  }
  RAAKVLAK_RETURN_IF_ERROR(share.status());
  auto locked = std::make_shared<const base::Locked<crypto::group::Scalar>>(*share);
  if (!locked->is_locked()) base::Log(base::LogLevel::kWarning, "node.share_not_locked", {});
  keys.shares_.insert_or_assign(keyset.id(), std::move(locked));
  return absl::OkStatus();
}

absl::Status KeyRing::DeleteOlderShares(const policy::Keyset& keyset, Keys& keys) const {
  for (const auto& other : keys.keysets_.all()) {
    if (!IsOlder(other->text(), keyset.text())) continue;
    RAAKVLAK_RETURN_IF_ERROR(base::RemoveFile(ShareFile(other->id())));
    keys.shares_.erase(other->id());
  }
  return absl::OkStatus();
}

std::shared_ptr<const Keys> KeyRing::Now() const {
  base::MutexLock lock(mutex_);
  return keys_;
}

absl::Status KeyRing::Install(absl::string_view keyset_note, std::shared_ptr<const policy::Keyset> keyset,
                              const crypto::group::Scalar* share) {
  base::MutexLock lock(change_mutex_);
  Keys keys = *Now();
  RAAKVLAK_ASSIGN_OR_RETURN(keys.keysets_, keys.keysets_.With(keyset));
  // The share first: with the keyset there, it is what everyone else goes by.
  if (share != nullptr) {
    RAAKVLAK_RETURN_IF_ERROR(
        policy::WriteShare(places_.shares, *keyset, partner_, *share, vault_key_, random_));
  }
  RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(KeysetFile(keyset->id()), keyset_note, 0644));
  const policy::KeysetText& text = keyset->text();
  const bool is_newest =
      keys.keysets_.Newest(text.purpose, text.identifier_class, text.epoch)->id() == keyset->id();
  if (is_newest && keyset->FindHolder(partner_) != nullptr)
    RAAKVLAK_RETURN_IF_ERROR(ReadOwnShare(*keyset, keys));
  Use(keys);
  if (!is_newest) return absl::OkStatus();
  RAAKVLAK_RETURN_IF_ERROR(DeleteOlderShares(*keyset, keys));
  Use(std::move(keys));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> KeyRing::Drop(absl::string_view purpose, uint32_t epoch) {
  base::MutexLock lock(change_mutex_);
  Keys keys = *Now();
  std::vector<std::string> dropped;
  for (const auto& keyset : Now()->keysets().all()) {
    if (keyset->text().purpose != purpose || keyset->text().epoch != epoch) continue;
    RAAKVLAK_RETURN_IF_ERROR(base::RemoveFile(ShareFile(keyset->id())));
    RAAKVLAK_RETURN_IF_ERROR(base::RemoveFile(KeysetFile(keyset->id())));
    keys.keysets_ = keys.keysets_.Without(keyset->id());
    keys.shares_.erase(keyset->id());
    dropped.push_back(keyset->id());
  }
  Use(std::move(keys));
  return dropped;
}

void KeyRing::Disregard(absl::string_view keyset_id) {
  base::MutexLock lock(change_mutex_);
  Keys keys = *Now();
  keys.keysets_ = keys.keysets_.Without(keyset_id);
  keys.shares_.erase(std::string(keyset_id));
  Use(std::move(keys));
}

std::string KeyRing::ShareFile(absl::string_view keyset_id) const {
  return absl::StrCat(places_.shares, "/", base::Hex(keyset_id), ".share");
}

std::string KeyRing::KeysetFile(absl::string_view keyset_id) const {
  return absl::StrCat(places_.keysets, "/", base::Hex(keyset_id), ".keyset");
}

void KeyRing::Use(Keys keys) {
  auto next = std::make_shared<const Keys>(std::move(keys));
  base::MutexLock lock(mutex_);
  keys_ = std::move(next);
}

}  // namespace raakvlak::node

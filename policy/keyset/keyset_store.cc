#include <algorithm>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/keyset/keyset.h"

namespace raakvlak::policy {
namespace {

absl::StatusOr<std::vector<std::string>> KeysetFiles(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".keyset") files.push_back(entry->path().string());
  }
  if (error) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable,
                       absl::StrCat("folder ", folder, ": ", error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

auto KeyOf(const KeysetText& text) { return std::tie(text.purpose, text.identifier_class, text.epoch); }

// All holders of an earlier covenant can sign whatever they like, and may be fewer than today's quorum: what
// later covenants' holders share is not theirs to replace.
absl::Status CheckBeside(const Keyset& one, const Keyset& other) {
  const auto invalid = [](absl::string_view message) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kKeysetInvalid, message);
  };
  // Tags of two keys do not match each other: signals would quietly miss each other.
  if (one.text().generation == other.text().generation) {
    return invalid("a second keyset of one purpose, class, epoch and generation");
  }
  if (!(one.public_key() == other.public_key())) {
    return invalid("a second key of one purpose, class and epoch");
  }
  const bool is_older = one.text().generation < other.text().generation;
  const Keyset& older = is_older ? one : other;
  const Keyset& newer = is_older ? other : one;
  if (newer.covenant_version() < older.covenant_version()) {
    return invalid("a keyset of an earlier covenant in the place of one of a later covenant");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeysetStore> KeysetStore::Load(const std::string& folder, const CovenantChain& chain) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> files, KeysetFiles(folder));
  KeysetStore store;
  for (const std::string& file : files) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(file, crypto::note::kMaxNoteSize));
    auto keyset = Keyset::Verify(bytes, chain);
    if (!keyset.ok()) return base::Annotate(keyset.status(), file);
    absl::StatusOr<KeysetStore> more = store.With(*std::move(keyset));
    if (!more.ok()) return base::Annotate(more.status(), file);
    store = *std::move(more);
  }
  return store;
}

absl::StatusOr<KeysetStore> KeysetStore::With(std::shared_ptr<const Keyset> keyset) const {
  for (const auto& other : keysets_) {
    if (other->id() == keyset->id()) return *this;
    if (KeyOf(other->text()) == KeyOf(keyset->text())) RAAKVLAK_RETURN_IF_ERROR(CheckBeside(*other, *keyset));
  }
  KeysetStore more = *this;
  more.keysets_.push_back(std::move(keyset));
  return more;
}

KeysetStore KeysetStore::Without(absl::string_view keyset_id) const {
  KeysetStore fewer;
  for (const auto& keyset : keysets_) {
    if (keyset->id() != keyset_id) fewer.keysets_.push_back(keyset);
  }
  return fewer;
}

std::shared_ptr<const Keyset> KeysetStore::Find(absl::string_view keyset_id) const {
  for (const auto& keyset : keysets_) {
    if (keyset->id() == keyset_id) return keyset;
  }
  return nullptr;
}

std::shared_ptr<const Keyset> KeysetStore::Newest(absl::string_view purpose, uint8_t identifier_class,
                                                  uint32_t epoch) const {
  std::shared_ptr<const Keyset> newest;
  for (const auto& keyset : keysets_) {
    const KeysetText& text = keyset->text();
    if (text.purpose != purpose || text.identifier_class != identifier_class || text.epoch != epoch) continue;
    if (newest == nullptr || newest->text().generation < text.generation) newest = keyset;
  }
  return newest;
}

}  // namespace raakvlak::policy

#include "server/node/address_exclusion.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "linkage/record.h"

namespace raakvlak::node {
namespace {

constexpr absl::Duration kAlarmEvery = absl::Hours(1);

absl::Status Invalid(absl::string_view what) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kExcludedListInvalid,
                     absl::StrCat("list of excluded addresses: ", what));
}

absl::Status Stale(absl::string_view what) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kExcludedListStale, what);
}

// ctime: unlike mtime nobody can set it.
std::string MarkOf(const std::string& path, const policy::Covenant& covenant) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return absl::StrCat(covenant.id(), " none");
  return absl::StrCat(covenant.id(), " ", status.st_ctim.tv_sec, ".", status.st_ctim.tv_nsec, " ",
                      status.st_ino, " ", status.st_size);
}

bool IsOfAddress(const Identifier& identifier) { return identifier.rule->identifier_class() == v1::ADDRESS; }

}  // namespace

absl::StatusOr<std::shared_ptr<const policy::ExcludedAddresses>> AddressExclusion::Current(
    const policy::Covenant& covenant) {
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  // Marked before it is read: a change in between shows at the next call.
  std::string mark = path_.empty() ? "" : MarkOf(path_, covenant);
  if (mark != mark_) {
    mark_ = std::move(mark);
    Reload(covenant);
  }
  const absl::Status fresh = list_ == nullptr
                                 ? Stale("there is no list of excluded addresses: address rules are off")
                                 : list_->CheckFresh(covenant, now);
  Alarm(fresh, now);
  RAAKVLAK_RETURN_IF_ERROR(fresh);
  return list_;
}

bool AddressExclusion::Look(const policy::Covenant& covenant) {
  return !policy::HasAddressRules(covenant) || Current(covenant).ok();
}

void AddressExclusion::Reload(const policy::Covenant& covenant) {
  const absl::Status loaded = Load(covenant);
  if (!loaded.ok()) base::LogStatus(base::LogLevel::kError, "node.excluded_addresses_refused", loaded);
}

absl::Status AddressExclusion::Load(const policy::Covenant& covenant) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(path_, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(auto list, policy::ExcludedAddresses::Verify(bytes, covenant));
  RAAKVLAK_RETURN_IF_ERROR(CheckSeen(*list));
  list_ = std::move(list);
  base::Log(base::LogLevel::kInfo, "node.excluded_addresses_in_force",
            {{"number", absl::StrCat(list_->text().number)},
             {"addresses", absl::StrCat(list_->text().addresses.size())}});
  return absl::OkStatus();
}

// "<number> <id in hexadecimal>\n". One that cannot be read stops every list: it may hide a higher number.
absl::Status AddressExclusion::CheckSeen(const policy::ExcludedAddresses& list) {
  const uint64_t number = list.text().number;
  const std::string line = absl::StrCat(number, " ", base::Hex(list.id()), "\n");
  struct stat status = {};
  if (stat(seen_path_.c_str(), &status) == 0) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string seen, base::ReadFile(seen_path_));
    if (seen == line) return absl::OkStatus();
    const std::vector<std::string> parts = absl::StrSplit(absl::StripSuffix(seen, "\n"), ' ');
    uint64_t highest = 0;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &highest)) {
      return Invalid(absl::StrCat(seen_path_, " is damaged"));
    }
    if (number < highest) {
      return Invalid(
          absl::StrCat("number ", number, " is older than number ", highest, ", which was in force here"));
    }
    if (number == highest) {
      return Invalid(absl::StrCat("another one of number ", number, " was in force here"));
    }
  }
  return base::WriteFileAtomically(seen_path_, line, 0600);
}

void AddressExclusion::Alarm(const absl::Status& status, absl::Time now) {
  if (status.ok()) {
    if (is_stale_) base::Log(base::LogLevel::kInfo, "node.address_rules_on");
    is_stale_ = false;
    return;
  }
  if (is_stale_ && now < alarm_at_) return;
  is_stale_ = true;
  alarm_at_ = now + kAlarmEvery;
  base::LogStatus(base::LogLevel::kError, "node.address_rules_off", status);
}

absl::Status AddressExclusion::Filter(const policy::Covenant& covenant, const linkage::Normalised& fields,
                                      std::vector<Identifier>& identifiers) {
  if (std::none_of(identifiers.begin(), identifiers.end(), IsOfAddress)) return absl::OkStatus();
  const auto list = Current(covenant);
  if (list.ok() && !(*list)->Contains(fields.postcode, fields.house_number)) return absl::OkStatus();
  identifiers.erase(std::remove_if(identifiers.begin(), identifiers.end(), IsOfAddress), identifiers.end());
  if (!identifiers.empty()) return absl::OkStatus();
  RAAKVLAK_RETURN_IF_ERROR(list.status());
  return linkage::FieldError(base::reason::kAddressExcluded, linkage::kPostcode,
                             "addresses are not matched here, and no other rule applies");
}

}  // namespace raakvlak::node

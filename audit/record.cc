#include "audit/record.h"

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/leaf.h"
#include "policy/strict_parse.h"

namespace raakvlak::audit {
namespace {

constexpr size_t kMaxDetailsSize = 16384;

absl::Status Altered(const v1::LogEntry& entry) {
  return base::Error(
      absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
      absl::StrCat(entry.log(), " entry ", entry.index(), ": its details are not what the log commits to"));
}

}  // namespace

absl::StatusOr<Record> ReadEntry(const v1::LogEntry& entry) {
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::tlog::Leaf leaf, crypto::tlog::ParseLeaf(entry.leaf()));
  Record record;
  record.log = entry.log();
  record.index = entry.index();
  record.time_ms = entry.time_ms();
  record.erased = entry.salt().empty() && entry.details().empty();
  if (static_cast<int64_t>(leaf.time_ms) != entry.time_ms()) return Altered(entry);
  if (record.erased) return record;
  if (!crypto::tlog::VerifyLeaf(entry.leaf(), entry.salt(), entry.details()).ok()) return Altered(entry);
  RAAKVLAK_RETURN_IF_ERROR(policy::ParseStrictly(entry.details(), kMaxDetailsSize, record.details));
  return record;
}

std::string IdOf(const Record& record) {
  const size_t slash = record.log.rfind('/');
  return absl::StrCat(slash == std::string::npos ? record.log : record.log.substr(slash + 1), "/",
                      record.index);
}

}  // namespace raakvlak::audit

#include "server/storage/audit.h"

namespace raakvlak::storage {

bool Matches(const AuditFilter& filter, const StoredEntry& stored) {
  const auto fits = [&](const std::string& wanted, const std::string& found) {
    return wanted.empty() || (!stored.erased && wanted == found);
  };
  const AuditEntry& entry = stored.entry;
  return fits(filter.actor, entry.actor) && fits(filter.action, entry.action) &&
         fits(filter.purpose, entry.purpose) && fits(filter.case_reference, entry.case_reference) &&
         fits(filter.result, entry.result) && (filter.from_ms == 0 || stored.time_ms >= filter.from_ms) &&
         (filter.until_ms == 0 || stored.time_ms < filter.until_ms);
}

}  // namespace raakvlak::storage

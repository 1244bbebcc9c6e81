// Records for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "audit/record.h"

namespace raakvlak::audit {

inline constexpr int64_t kHourMs = 60 * 60 * 1000;
inline constexpr int64_t kDayMs = 24 * kHourMs;
// 2026-05-04T00:00:00Z, a Monday.
inline constexpr int64_t kMondayMs = 1777852800000;

class LogOfTest {
 public:
  Record& Add(int64_t time_ms, const std::string& actor, const std::string& action) {
    Record record;
    record.log = "urn:raakvlak:maastricht:broker:centrum/2026";
    record.index = records_.size();
    record.time_ms = time_ms;
    record.details.set_actor(actor);
    record.details.set_role("staff");
    record.details.set_action(action);
    record.details.set_result("OK");
    record.details.set_purpose("onaantastbaren");
    records_.push_back(record);
    return records_.back();
  }
  void AddMany(int64_t from_ms, const std::string& actor, const std::string& action, int count) {
    for (int i = 0; i < count; ++i) Add(from_ms + i * 60'000, actor, action);
  }
  const std::vector<Record>& records() const { return records_; }

 private:
  std::vector<Record> records_;
};

}  // namespace raakvlak::audit

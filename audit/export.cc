#include "audit/export.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "base/bytes.h"

namespace raakvlak::audit {
namespace {

using Json = nlohmann::ordered_json;

// Where the trace id of a call is missing (jobs), and for every span: stable names of this entry.
// DO NOT CHANGE: a second export of the same entry must give the same ids.
constexpr char kTraceLabel[] = "raakvlak/v1/trace";
constexpr char kSpanLabel[] = "raakvlak/v1/span";
constexpr size_t kTraceIdSize = 16;
constexpr size_t kSpanIdSize = 8;

std::string TimeText(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

std::string DerivedId(const Record& record, absl::string_view label, size_t size) {
  const std::string name = absl::StrCat(label, "\n", record.log, "\n", record.index);
  return base::Hex(base::Sha256(name).substr(0, size));
}

std::string TraceId(const Record& record) {
  const std::string& given = record.details.trace_id();
  return given.size() == kTraceIdSize ? base::Hex(given) : DerivedId(record, kTraceLabel, kTraceIdSize);
}

struct Column {
  const char* name;
  std::string value;
};

std::vector<Column> ColumnsOf(const Record& record) {
  const v1::AuditDetails& details = record.details;
  return {{"log", record.log},
          {"index", absl::StrCat(record.index)},
          {"time", TimeText(record.time_ms)},
          {"actor", details.actor()},
          {"role", details.role()},
          {"action", details.action()},
          {"object", details.object()},
          {"result", details.result()},
          {"origin", details.origin()},
          {"purpose", details.purpose()},
          {"legal_basis", details.legal_basis()},
          {"case", details.case_reference()},
          {"reason", details.reason()},
          {"count", absl::StrCat(details.count())},
          {"order_hash", base::Hex(details.order_hash())},
          {"policy", details.policy()},
          {"trace_id", TraceId(record)},
          {"erased", record.erased ? "true" : "false"}};
}

std::string Cell(const std::string& value) {
  const bool formula =
      !value.empty() && absl::string_view("=+-@\t\r").find(value[0]) != absl::string_view::npos;
  const std::string safe = formula ? absl::StrCat("'", value) : value;
  if (safe.find_first_of("\",\r\n") == std::string::npos) return safe;
  return absl::StrCat("\"", absl::StrReplaceAll(safe, {{"\"", "\"\""}}), "\"");
}

// What the standard calls them: a refusal or an empty answer is no error.
const char* StatusOf(const Record& record) {
  const std::string& result = record.details.result();
  if (result == "OK") return "Ok";
  for (const char* failure : {"STORAGE_FAILED", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"}) {
    if (result == failure) return "Error";
  }
  return "Unset";
}

}  // namespace

std::string CsvHeader() {
  std::vector<std::string> names;
  for (const Column& column : ColumnsOf(Record())) names.emplace_back(column.name);
  return absl::StrCat(absl::StrJoin(names, ","), "\r\n");
}

std::string CsvRow(const Record& record) {
  std::vector<std::string> cells;
  for (const Column& column : ColumnsOf(record)) cells.push_back(Cell(column.value));
  return absl::StrCat(absl::StrJoin(cells, ","), "\r\n");
}

Json ToJson(const Record& record) {
  Json json;
  for (Column& column : ColumnsOf(record)) json[column.name] = std::move(column.value);
  json["index"] = record.index;
  json["count"] = record.details.count();
  json["erased"] = record.erased;
  return json;
}

Json ToLogboek(const Record& record, absl::string_view region) {
  const v1::AuditDetails& details = record.details;
  Json attributes = Json::object();
  if (!details.purpose().empty()) {
    attributes["dpl.core.processing_activity_id"] =
        absl::StrCat("urn:raakvlak:", region, ":purpose:", details.purpose());
  }
  for (Column& column : ColumnsOf(record)) {
    const absl::string_view name = column.name;
    if (column.value.empty() || name == "trace_id") continue;
    attributes[absl::StrCat("raakvlak.", name)] = std::move(column.value);
  }
  const std::string owner = record.log.substr(0, record.log.rfind('/'));
  return {{"trace_id", TraceId(record)},
          {"span_id", DerivedId(record, kSpanLabel, kSpanIdSize)},
          {"status", StatusOf(record)},
          {"name", details.action().empty() ? "erased" : details.action()},
          {"start_time", record.time_ms},
          {"end_time", record.time_ms},
          {"resource", {{"attributes", {{"name", owner}}}}},
          {"attributes", attributes}};
}

}  // namespace raakvlak::audit

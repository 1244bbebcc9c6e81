// Export: entries of the log in forms that other tools read (docs/format/audit_export.md).
//
// - CSV (RFC 4180, UTF-8, header): one row an entry. A cell that a spreadsheet would take for a formula gets
// an
//   apostrophe in front.
// - JSON lines: one object an entry, with the same fields.
// - Logboek Dataverwerkingen (Logius): one object a line. `dpl.core.*` attributes stand only where that
// standard
//   defines them and the log knows them; it holds no data subjects, so there is no dpl.core.data_subject_id.
//   Everything of ours is under `raakvlak.`.
//
// All three carry the six that BIO asks of a log line: action, object, result, origin, actor, time. Thread
// safety: all functions are pure.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "absl/strings/string_view.h"
#include "audit/record.h"

namespace raakvlak::audit {

// With their line ends (CR LF).
std::string CsvHeader();
std::string CsvRow(const Record& record);

nlohmann::ordered_json ToJson(const Record& record);

// `region` names the register of processing activities: urn:raakvlak:<region>:purpose:<purpose>.
nlohmann::ordered_json ToLogboek(const Record& record, absl::string_view region);

}  // namespace raakvlak::audit

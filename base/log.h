// Log: one JSON object a line on standard error: time (RFC 3339, UTC), level, event, then the fields given.
//
// It is for operators. It never carries an identifier, name, note, key or other record data; it is not the
// audit log. Thread safety: may be called from any thread; lines do not mix.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace raakvlak::base {

enum class LogLevel { kInfo, kWarning, kError };

using LogField = std::pair<absl::string_view, std::string>;

// Log writes one line. `event` is a stable name such as "node.submit_failed".
void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields = {});

// LogStatus is Log with the reason, code and message of `status` added.
void LogStatus(LogLevel level, absl::string_view event, const absl::Status& status,
               std::initializer_list<LogField> fields = {});

}  // namespace raakvlak::base

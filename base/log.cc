#include "base/log.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"

namespace raakvlak::base {
namespace {

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void Write(LogLevel level, absl::string_view event, const std::vector<LogField>& fields) {
  const absl::string_view name = level == LogLevel::kInfo      ? "info"
                                 : level == LogLevel::kWarning ? "warning"
                                                               : "error";
  std::string line =
      absl::StrCat("{\"ts\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                   "\",\"level\":\"", name, "\",\"event\":", JsonString(event));
  for (const auto& [key, value] : fields)
    absl::StrAppend(&line, ",", JsonString(key), ":", JsonString(value));
  line += "}\n";
  // One write per line keeps lines of several threads apart; a log that cannot be written must not stop the
  // service.
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields) {
  Write(level, event, fields);
}

void LogStatus(LogLevel level, absl::string_view event, const absl::Status& status,
               std::initializer_list<LogField> fields) {
  std::vector<LogField> all(fields);
  all.emplace_back("reason", ReasonOf(status));
  all.emplace_back("code", absl::StatusCodeToString(status.code()));
  all.emplace_back("message", std::string(status.message()));
  Write(level, event, all);
}

}  // namespace raakvlak::base

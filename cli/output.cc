#include "cli/output.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "base/reason.h"
#include "base/status.h"
#include "linkage/fold.h"

namespace raakvlak::cli {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

bool IsUnsafe(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

// Size of the UTF-8 sequence at the start of `text`, 0 when it is not well formed.
size_t SequenceSize(absl::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return linkage::IsUtf8(text.substr(0, size)) ? size : 0;
}

uint32_t CodePoint(absl::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
  uint32_t value = static_cast<unsigned char>(sequence[0]) & (0xFFu >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return value;
}

size_t Width(absl::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  bool skipped = false;
  while (!text.empty()) {
    const size_t size = SequenceSize(text);
    const absl::string_view sequence = text.substr(0, std::max<size_t>(size, 1));
    text.remove_prefix(sequence.size());
    if (size != 0 && IsUnsafe(CodePoint(sequence))) {
      skipped = true;
      continue;
    }
    if (skipped && !out.empty()) out += ' ';
    skipped = false;
    absl::StrAppend(&out, size == 0 ? absl::string_view(kReplacement) : sequence);
  }
  return out;
}

void PrintJson(std::ostream& out, const nlohmann::ordered_json& value) {
  out << value.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

std::string JsonText(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::ordered_json::error_handler_t::replace);
}

nlohmann::ordered_json ErrorJson(const absl::Status& error) {
  return {{"reason", base::ReasonOf(error)}, {"message", std::string(error.message())}};
}

void Table::Add(std::vector<std::string> cells) {
  RAAKVLAK_CHECK(cells.size() == titles_.size(), "a row has a cell for each title");
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out) {
  if (!titles_written_) rows_.insert(rows_.begin(), titles_);
  titles_written_ = true;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], Width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i], std::string(widths_[i] - Width(row[i]) + 2, ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
  rows_.clear();
}

absl::Status CheckAbsent(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return absl::OkStatus();
  return base::Error(absl::StatusCode::kAlreadyExists, base::reason::kInvalidArgument,
                     absl::StrCat(path, " is there already and is not replaced"));
}

std::string DayText(uint32_t day) { return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day); }

std::string TimeText(int64_t milliseconds) {
  if (milliseconds == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(milliseconds), absl::UTCTimeZone());
}

}  // namespace raakvlak::cli

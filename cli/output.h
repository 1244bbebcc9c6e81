// Output: tables for people, JSON for programs, text of others made safe for a terminal, and no file over
// another.
//
// Thread safety: all functions and classes are for one thread.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace raakvlak::cli {

// Printable returns `text` without what steers a terminal or hides text: control characters (C0, DEL, C1),
// line and paragraph separators, direction marks and zero-width characters; a run of them becomes one blank.
// Bytes that are not UTF-8 become U+FFFD.
std::string Printable(absl::string_view text);

// PrintJson writes `value` with indents and a newline, in ASCII (other characters escaped), so that it is
// safe on a terminal too.
void PrintJson(std::ostream& out, const nlohmann::ordered_json& value);
// JsonText is the same on one line, without a newline.
std::string JsonText(const nlohmann::ordered_json& value);

// ErrorJson is an error as --json shows it: {"reason", "message"}.
nlohmann::ordered_json ErrorJson(const absl::Status& error);

// Table prints rows in aligned columns under their titles. Cells are made Printable. Print may be called
// again for more rows: the titles are written once, and columns never get narrower.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)), widths_(titles_.size()) {}
  // REQUIRES: one cell for each title.
  void Add(std::vector<std::string> cells);
  void Print(std::ostream& out);

 private:
  std::vector<std::string> titles_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool titles_written_ = false;
};

// CheckAbsent refuses to write over what somebody may need: INVALID_ARGUMENT when something, a dangling link
// included, is at `path`.
absl::Status CheckAbsent(const std::string& path);

// Days since 1970-01-01 as an ISO date; milliseconds since 1970 as RFC 3339 in UTC, empty for 0.
std::string DayText(uint32_t day);
std::string TimeText(int64_t milliseconds);

}  // namespace raakvlak::cli

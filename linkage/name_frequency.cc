#include "linkage/name_frequency.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status.h"

namespace raakvlak::linkage {

extern const char kSurnamesCsv[];
extern const char kGivenNamesCsv[];

namespace {

// The rows below the header, cut into columns.
std::vector<std::vector<std::string>> Rows(absl::string_view csv, size_t columns) {
  std::vector<std::vector<std::string>> rows;
  bool header_seen = false;
  for (const absl::string_view line : absl::StrSplit(csv, '\n', absl::SkipEmpty())) {
    if (line.front() == '#') continue;
    if (header_seen) {
      rows.push_back(absl::StrSplit(line, ','));
      RAAKVLAK_CHECK(rows.back().size() == columns, "a shipped table has its columns");
    }
    header_seen = true;
  }
  return rows;
}

double Number(absl::string_view text) {
  double number = 0;
  RAAKVLAK_CHECK(absl::SimpleAtod(text, &number), "a shipped table holds numbers");
  return number;
}

}  // namespace

std::vector<SurnameRow> ShippedSurnames() {
  std::vector<SurnameRow> out;
  double sum = 0;
  for (std::vector<std::string>& row : Rows(kSurnamesCsv, 4)) {
    out.push_back({std::move(row[0]), std::move(row[1]), std::move(row[2]), Number(row[3])});
    sum += out.back().share;
  }
  for (SurnameRow& row : out) row.share /= sum;
  return out;
}

std::vector<GivenNameRow> ShippedGivenNames() {
  std::vector<GivenNameRow> out;
  for (std::vector<std::string>& row : Rows(kGivenNamesCsv, 7)) {
    out.push_back({std::move(row[0]), row[1][0], static_cast<int>(Number(row[2])),
                   static_cast<int>(Number(row[3])), std::move(row[4]),
                   absl::StrSplit(row[5], ' ', absl::SkipEmpty()), Number(row[6]) / 1e6});
  }
  return out;
}

}  // namespace raakvlak::linkage

#include "tests/quality/febrl.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace raakvlak::quality {
namespace {

// Dates of the form lie before it.
constexpr absl::CivilDay kToday(2026, 1, 1);

std::vector<std::string> Cells(absl::string_view line) {
  std::vector<std::string> cells = absl::StrSplit(line, ',');
  for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
  return cells;
}

bool PersonOf(absl::string_view rec_id, uint32_t& person) {
  const std::vector<absl::string_view> parts = absl::StrSplit(rec_id, '-');
  return parts.size() >= 2 && absl::SimpleAtoi(parts[1], &person);
}

// What else is not there counts as not given.
absl::Status CheckHeader(const std::vector<std::string>& header) {
  for (const char* name : {"rec_id", "surname"}) {
    if (std::count(header.begin(), header.end(), name) != 1) {
      return absl::InvalidArgumentError(absl::StrCat("the header does not name column ", name, " once"));
    }
  }
  return absl::OkStatus();
}

linkage::Normalised Fields(const std::map<std::string, std::string>& row) {
  linkage::Record record;
  record.surname = row.at("surname");
  record.given_names = row.at("given_name");
  const std::string& date = row.at("date_of_birth");
  if (date.size() == 8) {
    record.birth_date = absl::StrCat(date.substr(0, 4), "-", date.substr(4, 2), "-", date.substr(6, 2));
  }
  auto normalised = linkage::Normalise(record, kToday, linkage::Recipe::kTwo);
  if (!normalised.ok()) {
    record.birth_date.clear();
    normalised = linkage::Normalise(record, kToday, linkage::Recipe::kTwo);
  }
  linkage::Normalised fields = normalised.ok() ? *std::move(normalised) : linkage::Normalised();
  fields.bsn = row.at("soc_sec_id");
  fields.postcode = row.at("postcode");
  fields.house_number = row.at("street_number");
  return fields;
}

}  // namespace

absl::StatusOr<std::vector<FebrlRow>> ParseFebrl(absl::string_view text) {
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> header;
  std::vector<FebrlRow> rows;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    std::vector<std::string> cells = Cells(line);
    if (header.empty()) {
      header = std::move(cells);
      if (const absl::Status status = CheckHeader(header); !status.ok()) return status;
      continue;
    }
    if (cells.size() != header.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", cells.size(), " columns, not ", header.size()));
    }
    std::map<std::string, std::string> row;
    for (const char* name :
         {"rec_id", "given_name", "surname", "street_number", "postcode", "date_of_birth", "soc_sec_id"}) {
      row[name].clear();
    }
    for (size_t i = 0; i < cells.size(); ++i) row[header[i]] = std::move(cells[i]);
    FebrlRow out;
    if (!PersonOf(row["rec_id"], out.person)) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": rec_id holds no number"));
    }
    out.fields = Fields(row);
    rows.push_back(std::move(out));
  }
  if (header.empty()) return absl::InvalidArgumentError("no header");
  return rows;
}

}  // namespace raakvlak::quality

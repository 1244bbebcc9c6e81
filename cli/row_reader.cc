#include "cli/row_reader.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/csv_reader.h"
#include "linkage/fold.h"

namespace raakvlak::cli {
namespace {

namespace reason = base::reason;
using Setter = std::string* (v1::Record::*)();

struct Column {
  absl::string_view name;
  Setter field;
};

constexpr size_t kRequiredColumns = 4;
constexpr std::array<Column, 15> kColumns = {{
    {"client_ref", &v1::Record::mutable_client_ref},
    {"purpose", &v1::Record::mutable_purpose},
    {"kind", &v1::Record::mutable_kind},
    {"category", &v1::Record::mutable_category},
    {"bsn", &v1::Record::mutable_bsn},
    {"surname", &v1::Record::mutable_surname},
    {"surname_prefix", &v1::Record::mutable_surname_prefix},
    {"given_names", &v1::Record::mutable_given_names},
    {"birth_date", &v1::Record::mutable_birth_date},
    {"postcode", &v1::Record::mutable_postcode},
    {"house_number", &v1::Record::mutable_house_number},
    {"house_letter", &v1::Record::mutable_house_letter},
    {"house_suffix", &v1::Record::mutable_house_suffix},
    {"contact", &v1::Record::mutable_contact},
    {"note", &v1::Record::mutable_note},
}};

const Column* FindColumn(absl::string_view name) {
  for (const Column& column : kColumns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

absl::Status InvalidHeader(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason::kHeaderInvalid, what);
}

void Reject(Row& row, absl::string_view why, absl::string_view column = "") {
  row.reason = std::string(why);
  row.column = std::string(column);
  row.record.Clear();
}

class CsvRowReader final : public RowReader {
 public:
  explicit CsvRowReader(std::istream& in) : csv_(in) {}

  absl::Status ReadHeader() {
    if (!csv_.Next(csv_row_)) return InvalidHeader("the file is empty");
    if (!csv_row_.error.empty()) return InvalidHeader("the first row cannot be read");
    for (const std::string& name : csv_row_.fields) {
      const Column* column = FindColumn(name);
      if (column == nullptr) {
        const bool separator = csv_row_.fields.size() == 1 && absl::StrContains(name, ';');
        return InvalidHeader(separator ? std::string("columns are separated by ';', not by ','")
                                       : absl::StrCat("column ", columns_.size() + 1, " has no known name"));
      }
      if (std::find(columns_.begin(), columns_.end(), column) != columns_.end()) {
        return InvalidHeader(absl::StrCat("column ", column->name, " is there twice"));
      }
      columns_.push_back(column);
    }
    for (size_t i = 0; i < kRequiredColumns; ++i) {
      if (std::find(columns_.begin(), columns_.end(), &kColumns[i]) == columns_.end()) {
        return InvalidHeader(absl::StrCat("column ", kColumns[i].name, " is missing"));
      }
    }
    return absl::OkStatus();
  }

  bool Next(Row& row) override {
    if (!csv_.Next(csv_row_)) return false;
    row.line = csv_row_.line;
    row.reason.clear();
    row.column.clear();
    row.record.Clear();
    if (!csv_row_.error.empty()) {
      Reject(row, csv_row_.error);
    } else if (csv_row_.fields.size() != columns_.size()) {
      Reject(row, reason::kRowMalformed);
    } else {
      Fill(row);
    }
    return true;
  }

 private:
  void Fill(Row& row) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!linkage::IsUtf8(csv_row_.fields[i])) return Reject(row, reason::kNotUtf8, columns_[i]->name);
      *(row.record.*columns_[i]->field)() = csv_row_.fields[i];
    }
  }

  CsvReader csv_;
  CsvRow csv_row_;
  std::vector<const Column*> columns_;
};

class JsonLinesReader final : public RowReader {
 public:
  explicit JsonLinesReader(std::istream& in) : in_(in) {}

  bool Next(Row& row) override {
    row.reason.clear();
    row.column.clear();
    row.record.Clear();
    while (true) {
      bool too_large = false;
      if (!ReadLine(too_large)) return false;
      ++line_;
      absl::string_view text = text_;
      if (line_ == 1) text = absl::StripPrefix(text, "\xEF\xBB\xBF");
      if (!too_large && linkage::IsUtf8(text) && linkage::TrimWhiteSpace(text).empty()) continue;
      row.line = line_;
      if (too_large) {
        Reject(row, reason::kTooLarge);
      } else if (!linkage::IsUtf8(text)) {
        Reject(row, reason::kNotUtf8);
      } else {
        Parse(text, row);
      }
      return true;
    }
  }

 private:
  // ReadLine reads one line without its end; what is over kMaxRowSize is thrown away.
  bool ReadLine(bool& too_large) {
    text_.clear();
    std::streambuf* bytes = in_.rdbuf();
    int c = bytes->sbumpc();
    if (c == std::char_traits<char>::eof()) return false;
    for (; c != std::char_traits<char>::eof() && c != '\n'; c = bytes->sbumpc()) {
      if (text_.size() < kMaxRowSize) {
        text_ += static_cast<char>(c);
      } else {
        too_large = true;
      }
    }
    return true;
  }

  static void Parse(absl::string_view text, Row& row) {
    using JsonValue = nlohmann::json;
    // A JSON object may name a member twice, and the last would win unseen.
    bool repeated = false;
    std::set<std::string> names;
    const auto watch = [&](int depth, JsonValue::parse_event_t event, JsonValue& value) {
      if (event == JsonValue::parse_event_t::key && depth == 1) {
        repeated = !names.insert(value.get<std::string>()).second || repeated;
      }
      return true;
    };
    const JsonValue object = JsonValue::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
    if (!object.is_object() || repeated) return Reject(row, reason::kRowMalformed);
    for (const auto& [name, value] : object.items()) {
      const Column* column = FindColumn(name);
      if (column == nullptr) return Reject(row, reason::kRowMalformed);
      if (value.is_null()) continue;
      if (!value.is_string()) return Reject(row, reason::kRowMalformed, column->name);
      const auto& field = value.get_ref<const std::string&>();
      if (absl::StrContains(field, absl::string_view("\0", 1))) {
        return Reject(row, reason::kRowMalformed, column->name);
      }
      *(row.record.*column->field)() = field;
    }
  }

  std::istream& in_;
  std::string text_;
  uint64_t line_ = 0;
};

}  // namespace

absl::Span<const absl::string_view> Columns() {
  static const auto names = [] {
    std::array<absl::string_view, kColumns.size()> all;
    for (size_t i = 0; i < kColumns.size(); ++i) all[i] = kColumns[i].name;
    return all;
  }();
  return names;
}

Format FormatOf(absl::string_view file_name) {
  const bool lines =
      absl::EndsWithIgnoreCase(file_name, ".jsonl") || absl::EndsWithIgnoreCase(file_name, ".ndjson");
  return lines ? Format::kJsonLines : Format::kCsv;
}

absl::StatusOr<std::unique_ptr<RowReader>> MakeRowReader(std::istream& in, Format format) {
  if (format == Format::kJsonLines) return std::make_unique<JsonLinesReader>(in);
  auto reader = std::make_unique<CsvRowReader>(in);
  RAAKVLAK_RETURN_IF_ERROR(reader->ReadHeader());
  return reader;
}

}  // namespace raakvlak::cli

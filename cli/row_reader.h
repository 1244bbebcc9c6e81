// RowReader: records from a file of signals, CSV or JSON lines, row by row with flat memory.
//
// What is wrong with a row is reported with the line where it starts, the column and a reason code, never
// with data, and does not stop the rows behind it. Only the form is checked here: fields are checked by the
// node.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "raakvlak/v1/intake.pb.h"

namespace raakvlak::cli {

// The columns, in the order of raakvlak.v1.Record; the first four are required.
absl::Span<const absl::string_view> Columns();

struct Row {
  uint64_t line = 0;
  // Empty for a good row. ROW_MALFORMED, NOT_UTF8 or TOO_LARGE, and the column it is about when it is about
  // one.
  std::string reason;
  std::string column;
  v1::Record record;
};

class RowReader {
 public:
  virtual ~RowReader() = default;
  // False at the end of the file.
  virtual bool Next(Row& row) = 0;
};

enum class Format { kCsv, kJsonLines };

// FormatOf: JSON lines for names that end in .jsonl or .ndjson, CSV for all others.
Format FormatOf(absl::string_view file_name);

// MakeRowReader reads the header of a CSV file: HEADER_INVALID when it lacks client_ref, purpose, kind or
// category, has a column twice or one that we do not know, or cannot be read. `in` outlives the reader.
absl::StatusOr<std::unique_ptr<RowReader>> MakeRowReader(std::istream& in, Format format);

}  // namespace raakvlak::cli

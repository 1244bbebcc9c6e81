// CsvReader: rows of a CSV file by RFC 4180, with flat memory.
//
// Fields are separated by commas; a field in double quotes may hold commas, line ends and, doubled, quotes.
// Lines end with LF or CRLF; the last may end without. A UTF-8 byte order mark at the start is passed over,
// and so are lines without any character. Stricter than many readers: a quote inside an unquoted field, text
// behind a closing quote, a lone CR and a NUL byte are malformed.
//
// A row that breaks the grammar or is over kMaxRowSize is reported and reading goes on with the line after
// the one where that row started, so that one forgotten quote costs one row and not the file.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace raakvlak::cli {

inline constexpr size_t kMaxRowSize = 64 << 10;

struct CsvRow {
  // Line of the file where the row starts, from 1.
  uint64_t line = 0;
  // Empty for a good row; otherwise ROW_MALFORMED or TOO_LARGE, without fields.
  std::string error;
  std::vector<std::string> fields;
};

class CsvReader {
 public:
  // `in` outlives the reader.
  explicit CsvReader(std::istream& in) : in_(in) {}

  // Next reads one row into `row`, reusing its memory; false at the end of the file.
  bool Next(CsvRow& row);

 private:
  enum class Outcome { kRow, kMalformed, kTooLarge };

  // Peek returns the byte at `offset` behind the start of the row, reading more when needed; -1 at the end of
  // the file.
  int Peek(size_t offset);
  bool SkipEmptyLines();
  Outcome ParseRow(CsvRow& row, size_t& size);
  Outcome ParseQuoted(std::string& field, size_t& at);
  Outcome ParsePlain(std::string& field, size_t& at);
  // Consume moves the start of the row by `size` bytes and counts their lines.
  void Consume(size_t size);
  void SkipLine();

  std::istream& in_;
  std::string buffer_;
  size_t start_ = 0;
  uint64_t line_ = 1;
  bool first_ = true;
};

}  // namespace raakvlak::cli

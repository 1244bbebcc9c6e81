#include "cli/csv_reader.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/reason.h"

namespace raakvlak::cli {
namespace {
constexpr size_t kChunkSize = 64 << 10;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
}  // namespace

int CsvReader::Peek(size_t offset) {
  while (start_ + offset >= buffer_.size()) {
    if (!in_.good()) return -1;
    buffer_.erase(0, start_);
    start_ = 0;
    const size_t kept = buffer_.size();
    buffer_.resize(kept + kChunkSize);
    in_.read(buffer_.data() + kept, kChunkSize);
    buffer_.resize(kept + static_cast<size_t>(in_.gcount()));
  }
  return static_cast<unsigned char>(buffer_[start_ + offset]);
}

void CsvReader::Consume(size_t size) {
  const auto begin = buffer_.begin() + static_cast<ptrdiff_t>(start_);
  line_ += static_cast<uint64_t>(std::count(begin, begin + static_cast<ptrdiff_t>(size), '\n'));
  start_ += size;
}

void CsvReader::SkipLine() {
  while (true) {
    if (Peek(0) < 0) return;
    const size_t end = buffer_.find('\n', start_);
    if (end != std::string::npos) {
      Consume(end - start_ + 1);
      return;
    }
    start_ = buffer_.size();
  }
}

bool CsvReader::SkipEmptyLines() {
  while (true) {
    const int c = Peek(0);
    if (c < 0) return false;
    if (c == '\n') {
      Consume(1);
    } else if (c == '\r' && Peek(1) == '\n') {
      Consume(2);
    } else {
      return true;
    }
  }
}

bool CsvReader::Next(CsvRow& row) {
  if (first_) {
    first_ = false;
    Peek(2);
    if (absl::StartsWith(buffer_, kByteOrderMark)) Consume(3);
  }
  row.error.clear();
  if (!SkipEmptyLines()) return false;
  row.line = line_;
  size_t size = 0;
  const Outcome outcome = ParseRow(row, size);
  if (outcome == Outcome::kRow) {
    Consume(size);
    return true;
  }
  row.error = outcome == Outcome::kTooLarge ? base::reason::kTooLarge : base::reason::kRowMalformed;
  row.fields.clear();
  SkipLine();
  return true;
}

CsvReader::Outcome CsvReader::ParseRow(CsvRow& row, size_t& size) {
  size_t at = 0;
  size_t fields = 0;
  while (true) {
    if (row.fields.size() == fields) row.fields.emplace_back();
    std::string& field = row.fields[fields++];
    field.clear();
    const Outcome outcome = Peek(at) == '"' ? ParseQuoted(field, at) : ParsePlain(field, at);
    if (outcome != Outcome::kRow) return outcome;
    if (at > kMaxRowSize) return Outcome::kTooLarge;
    const int c = Peek(at);
    if (c == ',') {
      ++at;
      continue;
    }
    if (c == '\r') ++at;
    if (c >= 0) ++at;
    row.fields.resize(fields);
    size = at;
    return Outcome::kRow;
  }
}

// Both parse one field from `at` and leave `at` on the comma or line end behind it, or at the end of the
// file.

CsvReader::Outcome CsvReader::ParseQuoted(std::string& field, size_t& at) {
  ++at;
  for (; at <= kMaxRowSize; ++at) {
    const int c = Peek(at);
    if (c <= 0) return Outcome::kMalformed;
    if (c != '"') {
      field += static_cast<char>(c);
      continue;
    }
    const int next = Peek(++at);
    if (next == '"') {
      field += '"';
      continue;
    }
    const bool ends = next < 0 || next == ',' || next == '\n' || (next == '\r' && Peek(at + 1) == '\n');
    return ends ? Outcome::kRow : Outcome::kMalformed;
  }
  return Outcome::kTooLarge;
}

CsvReader::Outcome CsvReader::ParsePlain(std::string& field, size_t& at) {
  for (; at <= kMaxRowSize; ++at) {
    const int c = Peek(at);
    if (c < 0 || c == ',' || c == '\n') return Outcome::kRow;
    if (c == '\r') return Peek(at + 1) == '\n' ? Outcome::kRow : Outcome::kMalformed;
    if (c == '"' || c == 0) return Outcome::kMalformed;
    field += static_cast<char>(c);
  }
  return Outcome::kTooLarge;
}

}  // namespace raakvlak::cli

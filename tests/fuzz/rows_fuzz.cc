// CSV and JSON lines of a partner: every input is read to its end, and line numbers grow.
#include <sstream>

#include "base/status.h"
#include "cli/row_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace cli = raakvlak::cli;
  for (const cli::Format format : {cli::Format::kCsv, cli::Format::kJsonLines}) {
    std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
    const auto rows = cli::MakeRowReader(in, format);
    if (!rows.ok()) continue;
    cli::Row row;
    uint64_t last = 0;
    while ((*rows)->Next(row)) {
      RAAKVLAK_CHECK(row.line > last, "rows start on lines of their own");
      last = row.line;
    }
  }
  return 0;
}

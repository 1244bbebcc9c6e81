#include "cli/push_command.h"

#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/output.h"
#include "cli/push.h"
#include "cli/row_reader.h"

namespace raakvlak::cli {
namespace {

constexpr absl::Duration kProgressInterval = absl::Seconds(1);
constexpr char kStandardInput[] = "-";

// Report writes what was rejected as it comes, so that a file of which every row is wrong takes no memory
// either.
class Report final : public PushSink {
 public:
  explicit Report(Context& context) : context_(context), shown_(context.clock.Now()) {
    if (context_.json) context_.out << "{\"rejected\": [";
  }

  void Rejected(const RejectedRow& row) override {
    ClearProgress();
    if (context_.json) {
      context_.out << (first_ ? "\n" : ",\n")
                   << JsonText({{"file", row.file},
                                {"line", row.line},
                                {"column", row.column},
                                {"reason", row.reason}});
      first_ = false;
      return;
    }
    context_.out << Printable(row.file) << ":" << row.line << ": ";
    if (!row.column.empty()) context_.out << Printable(row.column) << ": ";
    context_.out << Printable(row.reason) << "\n";
  }

  void Progress(const std::string& file, const PushCounts& counts) override {
    if (!context_.progress || context_.clock.Now() - shown_ < kProgressInterval) return;
    shown_ = context_.clock.Now();
    context_.err << "\r" << Printable(file) << ": " << Summary(counts) << std::flush;
    progress_shown_ = true;
  }

  // A file of which no row can be read.
  void FileRejected(const std::string& file, const absl::Status& why) {
    ++rejected_files_;
    Rejected({file, 1, "", base::ReasonOf(why)});
    context_.err << Printable(absl::StrCat(file, ": ", why.message())) << "\n";
  }

  // `outcome` says whether all rows were read and have their receipts.
  void Finish(const PushCounts& counts, const absl::Status& outcome) {
    ClearProgress();
    if (context_.json) {
      context_.out << "\n], \"rows\": " << counts.read << ", \"accepted\": " << counts.accepted
                   << ", \"known\": " << counts.known << ", \"rejected_rows\": " << counts.rejected
                   << ", \"waiting\": " << counts.waiting << ", \"rejected_files\": " << rejected_files_
                   << ", \"outcome\": \"" << base::ReasonOf(outcome) << "\"}\n";
    } else {
      context_.out << Summary(counts) << "\n";
    }
  }

  int rejected_files() const { return rejected_files_; }

 private:
  static std::string Summary(const PushCounts& counts) {
    return absl::StrCat(counts.read, " rows: ", counts.accepted, " accepted, ", counts.known, " known, ",
                        counts.rejected, " rejected",
                        counts.waiting == 0 ? ""
                                            : absl::StrCat("; ", counts.waiting,
                                                           " wait for a fresh list of excluded addresses "
                                                           "(EXCLUDED_LIST_STALE)"));
  }
  void ClearProgress() {
    if (progress_shown_) context_.err << "\n";
    progress_shown_ = false;
  }

  Context& context_;
  absl::Time shown_;
  bool first_ = true;
  bool progress_shown_ = false;
  int rejected_files_ = 0;
};

absl::Status PushFile(const std::string& file, const PushOptions& options, Context& context, Pusher& pusher,
                      Report& report) {
  std::ifstream opened;
  if (file != kStandardInput) {
    opened.open(file, std::ios::binary);
    // A folder opens, and fails at the first byte.
    if (!opened.is_open() || (opened.peek() < 0 && !opened.eof())) {
      report.FileRejected(
          file, base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable, "cannot be read"));
      return absl::OkStatus();
    }
    opened.clear();
  }
  const Format format = options.format.empty()      ? FormatOf(file)
                        : options.format == "jsonl" ? Format::kJsonLines
                                                    : Format::kCsv;
  const absl::StatusOr<std::unique_ptr<RowReader>> rows =
      MakeRowReader(file == kStandardInput ? context.in : opened, format);
  if (!rows.ok()) {
    report.FileRejected(file, rows.status());
    return absl::OkStatus();
  }
  RAAKVLAK_RETURN_IF_ERROR(pusher.PushRows(file, **rows));
  if (opened.bad()) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kFileUnreadable,
                       absl::StrCat(file, ": reading broke off"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExitCode> PushFiles(const PushOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake, context.services->Intake());
  Report report(context);
  Pusher pusher(*intake, report, context.clock);
  absl::Status outcome;
  for (const std::string& file : options.files) {
    outcome = PushFile(file, options, context, pusher, report);
    if (!outcome.ok()) break;
  }
  if (outcome.ok()) outcome = pusher.Finish();
  report.Finish(pusher.counts(), outcome);
  if (!outcome.ok()) {
    context.err << "The push broke off after " << pusher.counts().receipts()
                << " receipts. Run the same command again: rows with a receipt count as known, nothing is "
                   "sent twice.\n";
    return outcome;
  }
  const bool all_taken = pusher.counts().rejected == 0 && report.rejected_files() == 0;
  return all_taken ? ExitCode::kOk : ExitCode::kError;
}

}  // namespace raakvlak::cli

#include "cli/audit_verify.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "audit/folder_verifier.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/audit_fetch.h"
#include "cli/audit_source.h"
#include "cli/output.h"
#include "crypto/tlog/leaf.h"
#include "policy/log_trust.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxCheckpoint = 1 << 16;
constexpr size_t kMaxEvidenceLine = 65536;

struct VerifyOptions {
  std::string folder;
  std::string log = "broker";
  uint32_t year = 0;
  std::string since;
  std::string keep;
  std::string details;
  std::string covenant;
  bool no_details = false;
};

// Details of one log that were read, to be compared with the leaves of the log.
class DetailCheck {
 public:
  // `record` is what audit::ReadEntry read of `entry`: it fits the leaf that came with it. Check compares
  // that leaf with the log's.
  void Take(const v1::LogEntry& entry, const audit::Record& record) {
    leaves_[entry.index()] = entry.leaf();
    if (record.erased) ++erased_;
  }

  // Reads what `audit export --format evidence` wrote. MALFORMED, VERIFICATION_FAILED, FILE_UNREADABLE; each
  // names the line.
  absl::Status ReadFrom(const std::string& path, const std::string& origin) {
    std::ifstream file(path);
    if (!file) {
      return base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable,
                         absl::StrCat(path, ": cannot be read"));
    }
    std::string line;
    for (uint64_t number = 1; std::getline(file, line); ++number) {
      const absl::Status status = TakeLine(line, origin);
      if (!status.ok()) {
        return base::Error(status.code(), base::ReasonOf(status),
                           absl::StrCat(path, ":", number, ": ", status.message()));
      }
    }
    return absl::OkStatus();
  }

  // For audit::FolderOptions::check_entry.
  std::optional<std::string> Check(uint64_t index, absl::string_view entry) {
    const auto found = leaves_.find(index);
    if (found == leaves_.end()) return std::nullopt;
    if (found->second != entry) return "the stored details are not those the log commits to";
    ++checked_;
    return std::nullopt;
  }

  uint64_t checked() const { return checked_; }
  uint64_t erased() const { return erased_; }
  // Entries below `size` for which there were no details at all.
  uint64_t MissingBelow(uint64_t size) const {
    const auto end = leaves_.lower_bound(size);
    return size - static_cast<uint64_t>(std::distance(leaves_.begin(), end));
  }

 private:
  absl::Status TakeLine(const std::string& line, const std::string& origin) {
    const absl::Status malformed = base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                                               "is no line of audit export --format evidence");
    if (line.size() > kMaxEvidenceLine) return malformed;
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    v1::LogEntry entry;
    for (const char* name : {"log", "salt", "details", "leaf"}) {
      if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return malformed;
    }
    for (const char* name : {"index", "time_ms"}) {
      if (!json.contains(name) || !json[name].is_number_unsigned()) return malformed;
    }
    RAAKVLAK_ASSIGN_OR_RETURN(*entry.mutable_salt(), base::ParseBase64(json["salt"].get<std::string>()));
    RAAKVLAK_ASSIGN_OR_RETURN(*entry.mutable_details(),
                              base::ParseBase64(json["details"].get<std::string>()));
    RAAKVLAK_ASSIGN_OR_RETURN(*entry.mutable_leaf(), base::ParseBase64(json["leaf"].get<std::string>()));
    entry.set_log(json["log"].get<std::string>());
    entry.set_index(json["index"].get<uint64_t>());
    entry.set_time_ms(json["time_ms"].get<int64_t>());
    if (entry.log() != origin) return absl::OkStatus();
    RAAKVLAK_ASSIGN_OR_RETURN(const audit::Record record, audit::ReadEntry(entry));
    Take(entry, record);
    return absl::OkStatus();
  }

  std::map<uint64_t, std::string> leaves_;  // by index
  uint64_t checked_ = 0;
  uint64_t erased_ = 0;
};

// Reads all details of the server, once, by the origin of their log.
absl::StatusOr<std::map<std::string, DetailCheck>> ReadDetails(client::AuditClient& client) {
  v1::ListEntriesRequest request;
  request.set_page_size(1000);
  std::map<std::string, DetailCheck> details;
  RAAKVLAK_RETURN_IF_ERROR(ReadEntries(
      client, request, [&](const v1::LogEntry& entry, const audit::Record& record) -> absl::StatusOr<bool> {
        details[entry.log()].Take(entry, record);
        return true;
      }));
  return details;
}

struct Verified {
  audit::FolderReport report;
  std::vector<std::string> witnesses;
  bool key_from_folder = false;
  bool with_details = false;
  uint64_t details = 0;
  uint64_t erased = 0;
  uint64_t missing = 0;
};

std::string OriginOf(const std::string& folder) {
  const absl::StatusOr<std::string> note =
      base::ReadFile(absl::StrCat(folder, "/checkpoint"), kMaxCheckpoint);
  return note.ok() ? note->substr(0, note->find('\n')) : "";
}

// `covenant` null: the folder's own key is believed.
absl::StatusOr<Verified> VerifyOne(const std::string& folder, const policy::Covenant* covenant,
                                   const std::string& since, DetailCheck* details) {
  audit::FolderOptions options;
  Verified verified;
  if (covenant != nullptr) {
    RAAKVLAK_ASSIGN_OR_RETURN(policy::LogTrust trust, policy::TrustOf(*covenant, OriginOf(folder)));
    options.log = std::move(trust.log);
    options.witnesses = std::move(trust.witnesses);
    options.quorum = trust.quorum;
  }
  verified.key_from_folder = covenant == nullptr;
  if (!since.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(options.since, base::ReadFile(since, kMaxCheckpoint));
  }
  options.check_entry = [details, before_ms = uint64_t{0}](
                            uint64_t index, absl::string_view entry) mutable -> std::optional<std::string> {
    const absl::StatusOr<crypto::tlog::Leaf> leaf = crypto::tlog::ParseLeaf(entry);
    if (!leaf.ok()) return "is no leaf";
    if (leaf->time_ms < before_ms) return "says a time before that of the entry before it";
    before_ms = leaf->time_ms;
    return details == nullptr ? std::nullopt : details->Check(index, entry);
  };
  RAAKVLAK_ASSIGN_OR_RETURN(verified.report, audit::VerifyFolder(folder, options));
  for (const crypto::tlog::Cosigned& cosigned : verified.report.cosigned) {
    verified.witnesses.push_back(options.witnesses[cosigned.witness].name());
  }
  if (details != nullptr) {
    verified.with_details = true;
    verified.details = details->checked();
    verified.erased = details->erased();
    verified.missing = details->MissingBelow(verified.report.checkpoint.size);
  }
  return verified;
}

Json VerifiedJson(const Verified& verified) {
  const audit::FolderReport& report = verified.report;
  Json json = {{"log", report.checkpoint.origin},
               {"whole", !report.fault.has_value()},
               {"size", report.checkpoint.size},
               {"root", report.checkpoint.root.ToBase64()},
               {"entries", report.entries},
               {"witnesses", verified.witnesses},
               {"key_from_folder", verified.key_from_folder}};
  if (report.since) json["since_size"] = report.since->size;
  if (verified.with_details) {
    json["details"] = verified.details;
    json["erased"] = verified.erased;
    json["without_details"] = verified.missing;
  }
  if (report.fault) {
    json["fault"] = {{"file", report.fault->file}, {"what", report.fault->what}};
    if (report.fault->index) json["fault"]["index"] = *report.fault->index;
  }
  return json;
}

void PrintVerified(const Verified& verified, std::ostream& out) {
  const audit::FolderReport& report = verified.report;
  if (report.fault) {
    out << "NOT WHOLE: " << Printable(report.checkpoint.origin) << "\n  " << Printable(report.fault->file)
        << ": ";
    if (report.fault->index) out << "entry " << *report.fault->index << ": ";
    out << Printable(report.fault->what) << "\n";
    return;
  }
  out << "whole: " << Printable(report.checkpoint.origin) << ": " << report.entries << " entries, root "
      << report.checkpoint.root.ToBase64() << "\n";
  out << "  cosigned by "
      << (verified.witnesses.empty() ? "nobody" : Printable(absl::StrJoin(verified.witnesses, ", "))) << "\n";
  if (report.since) out << "  continues the kept checkpoint of " << report.since->size << " entries\n";
  if (verified.with_details) {
    out << "  " << verified.details << " entries compared with their details; " << verified.erased
        << " of them erased at the end of their term";
    if (verified.missing > 0)
      out << "; " << verified.missing << " not shown to this officer or not in the file";
    out << "\n";
  }
  if (verified.key_from_folder) {
    out << "  by the key in the folder's log.vkey: compare it with the covenant, or give --covenant\n";
  }
}

absl::StatusOr<ExitCode> Conclude(const std::vector<Verified>& all, Context& context) {
  bool whole = true;
  Json list = Json::array();
  for (const Verified& verified : all) {
    whole = whole && !verified.report.fault.has_value();
    if (context.json) {
      list.push_back(VerifiedJson(verified));
    } else {
      PrintVerified(verified, context.out);
    }
  }
  if (context.json) PrintJson(context.out, {{"whole", whole}, {"logs", list}});
  return whole ? ExitCode::kOk : ExitCode::kVerificationFailed;
}

absl::StatusOr<ExitCode> VerifyCopy(const VerifyOptions& options, Context& context) {
  std::shared_ptr<const policy::Covenant> covenant;
  if (options.covenant.empty() && context.services != nullptr) {
    RAAKVLAK_ASSIGN_OR_RETURN(covenant, context.services->Covenant());
  } else if (!options.covenant.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string note, base::ReadFile(options.covenant));
    RAAKVLAK_ASSIGN_OR_RETURN(covenant, policy::Covenant::Verify(note));
  }
  DetailCheck details;
  if (!options.details.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(details.ReadFrom(options.details, OriginOf(options.folder)));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(Verified verified, VerifyOne(options.folder, covenant.get(), options.since,
                                                         options.details.empty() ? nullptr : &details));
  std::vector<Verified> all;
  all.push_back(std::move(verified));
  return Conclude(all, context);
}

absl::StatusOr<std::string> MakeTemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "raakvlak-audit-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                       absl::StrCat(path, ": cannot be made"));
  }
  return path;
}

void ShowProgress(Context& context, const std::string& log, size_t done, size_t all) {
  if (context.progress) context.err << "\r" << log << ": " << done << " of " << all << " files" << std::flush;
}

// Asking for a proof of the last entry makes the server have it cosigned now. Without it a log that has just
// begun would be found uncosigned; that it cannot be done shows in the verification.
void HaveItCosigned(client::AuditClient& client, const v1::LogInfo& log) {
  if (log.size() == 0) return;
  v1::GetEntryRequest last;
  last.set_year(log.year());
  last.set_index(log.size() - 1);
  client.GetEntry(last, kAuditTimeout).status().IgnoreError();
}

absl::StatusOr<ExitCode> VerifyServer(const VerifyOptions& options, Context& context) {
  if (context.services == nullptr)
    return UsageError("give the FOLDER of a copy, or --region FILE and --as NAME");
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  const absl::StatusOr<v1::ListLogsResponse> logs = client->ListLogs({}, kAuditTimeout);
  if (!logs.ok()) return FromPeer(logs.status());
  std::string base = options.keep;
  if (base.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(base, MakeTemporaryFolder());
  }
  const auto remove = absl::MakeCleanup([&] {
    std::error_code ignored;
    if (options.keep.empty()) std::filesystem::remove_all(base, ignored);
  });
  std::vector<v1::LogInfo> wanted;
  for (const v1::LogInfo& log : logs->logs()) {
    if (options.year == 0 || log.year() == options.year) wanted.push_back(log);
  }
  if (wanted.empty()) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound, "the server has no such log");
  }
  const auto folder_of = [&base](const v1::LogInfo& log) { return absl::StrCat(base, "/", log.year()); };
  for (const v1::LogInfo& log : wanted) {
    HaveItCosigned(*client, log);
    RAAKVLAK_RETURN_IF_ERROR(FetchLog(*client, log.year(), folder_of(log), [&](size_t done, size_t files) {
                               ShowProgress(context, log.log(), done, files);
                             }).status());
    if (context.progress) context.err << "\n";
  }
  // After the logs, so that there are details of every entry that was fetched.
  std::map<std::string, DetailCheck> details;
  if (!options.no_details) {
    RAAKVLAK_ASSIGN_OR_RETURN(details, ReadDetails(*client));
  }
  std::vector<Verified> all;
  for (const v1::LogInfo& log : wanted) {
    const bool is_last = log.year() == logs->logs(logs->logs_size() - 1).year();
    const std::string since = options.year != 0 || is_last ? options.since : "";
    DetailCheck* const to_check = options.no_details ? nullptr : &details[log.log()];
    RAAKVLAK_ASSIGN_OR_RETURN(Verified verified, VerifyOne(folder_of(log), covenant.get(), since, to_check));
    all.push_back(std::move(verified));
  }
  return Conclude(all, context);
}

}  // namespace

absl::StatusOr<audit::ReportSource> SourceOf(client::AuditClient& client, const policy::Covenant& covenant,
                                             absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::LogInfo log, FindLog(client, 0));
  HaveItCosigned(client, log);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string folder, MakeTemporaryFolder());
  const auto remove = absl::MakeCleanup([&] {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  });
  RAAKVLAK_RETURN_IF_ERROR(FetchLog(client, log.year(), folder, [](size_t, size_t) {}).status());
  RAAKVLAK_ASSIGN_OR_RETURN(const Verified verified, VerifyOne(folder, &covenant, "", nullptr));
  if (verified.report.fault) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                       absl::StrCat(verified.report.fault->file, ": ", verified.report.fault->what,
                                    "; raakvlak audit verify says more"));
  }
  audit::ReportSource source;
  source.region = covenant.region();
  source.log = verified.report.checkpoint.origin;
  source.size = verified.report.checkpoint.size;
  source.root = verified.report.checkpoint.root.ToBase64();
  source.witnesses = verified.witnesses;
  source.made_ms = absl::ToUnixMillis(now);
  return source;
}

void AddVerifyCommand(Commands& commands, CLI::App& group) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App& verify = commands.Add(
      group, "verify",
      "Verify a log: hash every entry, compare every tile, root, signature, cosignature and stored detail. "
      "Without "
      "FOLDER all logs of a server, which are fetched; with FOLDER a copy, without a network",
      "raakvlak --region region.json --as officer audit verify\n"
      "raakvlak --region region.json --as officer audit verify --log hub --keep copies/hub\n"
      "raakvlak --region region.json --as officer audit verify --since checkpoint-of-may\n"
      "raakvlak audit verify copies/hub/2026 --covenant covenant.note --details details.jsonl",
      Needs::kRegionIfGiven, [options](Context& context) {
        return options->folder.empty() ? VerifyServer(*options, context) : VerifyCopy(*options, context);
      });
  verify.add_option("FOLDER", options->folder,
                    "A copied log: the folder with checkpoint, log.vkey and tile/");
  AddLogOption(verify, options->log);
  verify.add_option("--year", options->year, "Of the server's logs only that of this year");
  verify.add_option("--since", options->since, "A checkpoint kept from before: the log must continue it");
  verify.add_option(
      "--keep", options->keep,
      "Keep what was fetched in this folder, one folder a year; next time only what is new is fetched");
  verify.add_flag("--no-details", options->no_details, "Of a server's logs not the stored details");
  verify.add_option(
      "--covenant", options->covenant,
      "With FOLDER: signed covenant that names the keys of log and witnesses; without it the folder's "
      "own key is believed");
  verify.add_option("--details", options->details,
                    "With FOLDER: compare with details of audit export --format evidence");
}

}  // namespace raakvlak::cli

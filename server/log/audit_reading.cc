#include "server/log/audit_reading.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/tile.h"
#include "policy/covenant.h"
#include "server/storage/log_codec.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using storage::EntryId;
using storage::StoredEntry;

constexpr uint32_t kMaxPage = 1000;
constexpr uint32_t kDefaultPage = 200;
constexpr size_t kMaxFilterSize = 200;
constexpr int kMaxFiles = 200;
constexpr size_t kMaxFileSize = 1 << 20;
constexpr size_t kMaxAnswerSize = 3 << 20;
constexpr absl::Duration kProofTimeout = absl::Seconds(10);
// Reading a page looks at so many pages of the store at the most, so that a filter that finds little does not
// hold a thread for long.
constexpr int kMaxStorePages = 16;
constexpr char kReadAction[] = "audit_read";
constexpr char kWatchObject[] = "watch";

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message);
}

std::string ToToken(EntryId id) { return absl::StrCat(id.year, "/", id.index); }

absl::StatusOr<EntryId> ParseToken(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '/');
  EntryId id;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &id.year) || !absl::SimpleAtoi(parts[1], &id.index) ||
      ToToken(id) != token || id.index > crypto::tlog::kMaxTreeSize) {
    return Invalid("the position is not one of ours");
  }
  return id;
}

absl::StatusOr<storage::AuditFilter> ToFilter(const v1::ListEntriesRequest& request) {
  for (const std::string* text : {&request.actor(), &request.action(), &request.purpose(),
                                  &request.case_reference(), &request.result()}) {
    if (text->size() > kMaxFilterSize)
      return Invalid(absl::StrCat("a filter has at most ", kMaxFilterSize, " bytes"));
  }
  storage::AuditFilter filter;
  filter.actor = request.actor();
  filter.action = request.action();
  filter.purpose = request.purpose();
  filter.case_reference = request.case_reference();
  filter.result = request.result();
  filter.from_ms = request.from_ms();
  filter.until_ms = request.until_ms();
  filter.newest_first = request.newest_first();
  return filter;
}

// Whose entries an officer sees: everybody's, or those of one partner.
class Sight {
 public:
  explicit Sight(const rpc::Gate::Pass& pass) {
    const v1::Member* officer = pass.snapshot.roster->FindMember(pass.caller.urn);
    RAAKVLAK_CHECK(officer != nullptr, "the gate found the officer in the roster");
    if (officer->partner().empty()) return;
    const std::string& region = pass.snapshot.covenant->region();
    limited_ = true;
    actors_ = {pass.caller.urn, policy::Urn(region, "node", officer->partner()),
               policy::Urn(region, "it", officer->partner())};
  }
  bool Covers(const StoredEntry& stored) const {
    if (!limited_) return true;
    for (const std::string& actor : actors_) {
      if (!stored.erased && stored.entry.actor == actor) return true;
    }
    return false;
  }

 private:
  bool limited_ = false;
  std::vector<std::string> actors_;
};

// Which entry is not what the log commits to is for the officer to know, and VERIFICATION_FAILED would not
// say.
absl::Status ForOfficer(const absl::Status& status) {
  if (base::ReasonOf(status) != reason::kVerificationFailed) return status;
  return base::Error(absl::StatusCode::kDataLoss, reason::kLogDamaged, status.message());
}

bool IsOwnWatch(const StoredEntry& stored, const rpc::Gate::Pass& pass) {
  return !stored.erased && stored.entry.action == kReadAction && stored.entry.object == kWatchObject &&
         stored.entry.actor == pass.caller.urn;
}

}  // namespace

std::vector<rpc::MethodRule> AuditMethods() {
  std::vector<rpc::MethodRule> rules;
  for (const char* method :
       {kListLogsMethod, kListEntriesMethod, kGetEntryMethod, kReadFilesMethod, kWatchMethod}) {
    rules.push_back({method, {rpc::Role::kOfficer}, ""});
  }
  return rules;
}

absl::Status AuditReading::Record(const rpc::Gate::Pass& pass, absl::string_view method,
                                  storage::AuditEntry read, const absl::Status& outcome) {
  read.time_ms = absl::ToUnixMillis(clock_.Now());
  read.actor = pass.caller.urn;
  read.role = std::string(rpc::RoleName(pass.caller.role));
  read.action = outcome.ok() ? kReadAction : "refuse";
  if (!outcome.ok()) read.object = std::string(method);
  read.result = base::ReasonOf(outcome);
  read.policy = pass.snapshot.Name();
  read.origin = pass.origin;
  read.trace_id = pass.trace_id;
  RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(read).status());
  return outcome;
}

absl::StatusOr<v1::ListLogsResponse> AuditReading::ListLogs(const rpc::Gate::Pass& pass,
                                                            const v1::ListLogsRequest&) {
  v1::ListLogsResponse response;
  storage::AuditEntry read;
  read.object = "logs";
  const auto logs = log_.Logs();
  if (logs.ok()) {
    for (const storage::LogSize& log : *logs) {
      v1::LogInfo& info = *response.add_logs();
      info.set_log(log_.Origin(log.year));
      info.set_year(log.year);
      info.set_size(log.size);
    }
    read.count = logs->size();
  }
  RAAKVLAK_RETURN_IF_ERROR(Record(pass, kListLogsMethod, read, logs.status()));
  return response;
}

absl::StatusOr<v1::ListEntriesResponse> AuditReading::ListEntries(const rpc::Gate::Pass& pass,
                                                                  const v1::ListEntriesRequest& request) {
  absl::StatusOr<v1::ListEntriesResponse> response = DoListEntries(pass, request);
  storage::AuditEntry read;
  read.object = "entries";
  // What the officer looked for is part of who read what; but only words that stand in the log already.
  if (response.ok() && response->entries_size() > 0) {
    if (!request.actor().empty()) absl::StrAppend(&read.object, " of ", request.actor());
    read.purpose = request.purpose();
    read.case_reference = request.case_reference();
  }
  if (response.ok()) read.count = static_cast<uint64_t>(response->entries_size());
  RAAKVLAK_RETURN_IF_ERROR(Record(pass, kListEntriesMethod, read, response.status()));
  return response;
}

absl::StatusOr<v1::ListEntriesResponse> AuditReading::DoListEntries(const rpc::Gate::Pass& pass,
                                                                    const v1::ListEntriesRequest& request) {
  RAAKVLAK_ASSIGN_OR_RETURN(const storage::AuditFilter filter, ToFilter(request));
  if (request.page_size() > kMaxPage)
    return Invalid(absl::StrCat("a page has at most ", kMaxPage, " entries"));
  const size_t limit = request.page_size() == 0 ? kDefaultPage : request.page_size();
  std::optional<EntryId> next = request.newest_first() ? storage::kLastEntry : storage::kFirstEntry;
  if (!request.page_token().empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(next, ParseToken(request.page_token()));
  }
  const Sight sight(pass);
  v1::ListEntriesResponse response;
  for (int pages = 0; pages < kMaxStorePages && next.has_value(); ++pages) {
    const size_t wanted = limit - static_cast<size_t>(response.entries_size());
    if (wanted == 0) break;
    const absl::StatusOr<storage::AuditPage> page = log_.ReadAudit(filter, *next, wanted);
    if (!page.ok()) return ForOfficer(page.status());
    for (const StoredEntry& stored : page->entries) {
      if (sight.Covers(stored)) *response.add_entries() = ToWire(stored);
    }
    next = page->next;
  }
  if (next.has_value()) response.set_next_page_token(ToToken(*next));
  return response;
}

absl::StatusOr<v1::GetEntryResponse> AuditReading::GetEntry(const rpc::Gate::Pass& pass,
                                                            const v1::GetEntryRequest& request) {
  absl::StatusOr<v1::GetEntryResponse> response = DoGetEntry(pass, request);
  storage::AuditEntry read;
  read.object = absl::StrCat("entry ", ToToken({request.year(), request.index()}));
  read.count = 1;
  RAAKVLAK_RETURN_IF_ERROR(Record(pass, kGetEntryMethod, read, response.status()));
  return response;
}

absl::StatusOr<v1::GetEntryResponse> AuditReading::DoGetEntry(const rpc::Gate::Pass& pass,
                                                              const v1::GetEntryRequest& request) {
  const absl::StatusOr<std::optional<StoredEntry>> found = log_.Find({request.year(), request.index()});
  if (!found.ok()) return ForOfficer(found.status());
  const std::optional<StoredEntry>& stored = *found;
  if (!stored || !Sight(pass).Covers(*stored)) {
    return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such entry for this officer");
  }
  v1::GetEntryResponse response;
  *response.mutable_entry() = ToWire(*stored);
  const storage::Logged logged{stored->id, stored->time_ms, stored->salt, stored->details};
  absl::StatusOr<std::string> proof = prover_.Prove(logged, clock_.Now() + kProofTimeout);
  if (proof.ok()) {
    response.set_proof(*std::move(proof));
  } else {
    response.set_no_proof_reason(base::ReasonOf(proof.status()));
  }
  return response;
}

absl::StatusOr<v1::ReadFilesResponse> AuditReading::ReadFiles(const rpc::Gate::Pass& pass,
                                                              const v1::ReadFilesRequest& request) {
  absl::StatusOr<v1::ReadFilesResponse> response = DoReadFiles(request);
  storage::AuditEntry read;
  read.object = "files";
  if (response.ok()) read.count = static_cast<uint64_t>(response->files_size());
  RAAKVLAK_RETURN_IF_ERROR(Record(pass, kReadFilesMethod, read, response.status()));
  return response;
}

absl::StatusOr<v1::ReadFilesResponse> AuditReading::DoReadFiles(const v1::ReadFilesRequest& request) {
  if (request.names_size() == 0 || request.names_size() > kMaxFiles)
    return Invalid(absl::StrCat("1 to ", kMaxFiles, " names"));
  v1::ReadFilesResponse response;
  size_t bytes = 0;
  for (const std::string& name : request.names()) {
    RAAKVLAK_ASSIGN_OR_RETURN(std::string content, ReadFile(request.year(), name));
    bytes += content.size();
    if (bytes > kMaxAnswerSize) {
      return base::Error(absl::StatusCode::kInvalidArgument, reason::kTooLarge,
                         "the files do not fit an answer; ask for fewer");
    }
    response.add_files(std::move(content));
  }
  return response;
}

absl::StatusOr<std::string> AuditReading::ReadFile(uint32_t year, const std::string& name) {
  const bool known = name == kCheckpointFile || name == kCosignedFile || name == kVerifierFile;
  if (known) return folder_.Read(InYear(year, name), kMaxFileSize);
  const absl::StatusOr<crypto::tlog::TileId> tile = crypto::tlog::ParsePath(name);
  if (!tile.ok()) return Invalid("that is no file of a log");
  absl::StatusOr<std::string> content = folder_.Read(InYear(year, name), kMaxFileSize);
  if (content.ok() || !absl::IsNotFound(content.status()) || tile->width == crypto::tlog::kTileWidth) {
    return content;
  }
  const std::string full = crypto::tlog::Path({tile->level, tile->index, crypto::tlog::kTileWidth});
  return folder_.Read(InYear(year, full), kMaxFileSize);
}

absl::StatusOr<v1::WatchResponse> AuditReading::Watch(const rpc::Gate::Pass& pass,
                                                      const v1::WatchRequest& request) {
  absl::StatusOr<v1::WatchResponse> response = DoWatch(pass, request);
  if (response.ok() && response->entries_size() == 0 && !request.position().empty()) return response;
  storage::AuditEntry read;
  read.object = kWatchObject;
  if (response.ok()) read.count = static_cast<uint64_t>(response->entries_size());
  RAAKVLAK_RETURN_IF_ERROR(Record(pass, kWatchMethod, read, response.status()));
  return response;
}

absl::StatusOr<v1::WatchResponse> AuditReading::DoWatch(const rpc::Gate::Pass& pass,
                                                        const v1::WatchRequest& request) {
  v1::WatchResponse response;
  if (request.position().empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const EntryId end, End());
    response.set_position(ToToken(end));
    return response;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const EntryId from, ParseToken(request.position()));
  const absl::StatusOr<storage::AuditPage> page = log_.ReadAudit({}, from, kMaxPage);
  if (!page.ok()) return ForOfficer(page.status());
  const Sight sight(pass);
  for (const StoredEntry& stored : page->entries) {
    if (sight.Covers(stored) && !IsOwnWatch(stored, pass)) *response.add_entries() = ToWire(stored);
  }
  EntryId position = from;
  if (page->next) {
    position = *page->next;
  } else if (!page->entries.empty()) {
    const EntryId last = page->entries.back().id;
    position = {last.year, last.index + 1};
  }
  response.set_position(ToToken(position));
  return response;
}

absl::StatusOr<EntryId> AuditReading::End() {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::LogSize> logs, log_.Logs());
  if (logs.empty()) return storage::kFirstEntry;
  return EntryId{logs.back().year, logs.back().size};
}

v1::LogEntry AuditReading::ToWire(const StoredEntry& stored) const {
  return storage::LogEntryOf(log_.Origin(stored.id.year),
                             {stored.id, stored.time_ms, stored.salt, stored.details}, stored.leaf);
}

}  // namespace raakvlak::log

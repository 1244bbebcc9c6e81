// AuditReading: what officers read of this process's logs. Every call is itself an entry, durable before the
// answer leaves.
//
// An officer of a partner sees entries of that partner's node and IT system, and its own; the hub's officers
// see all (raakvlak/v1/audit.proto). Thread safety: all methods may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "raakvlak/v1/audit.pb.h"
#include "rpc/gate.h"
#include "server/log/log_folder.h"
#include "server/log/prover.h"
#include "server/storage/audit.h"

namespace raakvlak::log {

inline constexpr char kListLogsMethod[] = "/raakvlak.v1.Audit/ListLogs";
inline constexpr char kListEntriesMethod[] = "/raakvlak.v1.Audit/ListEntries";
inline constexpr char kGetEntryMethod[] = "/raakvlak.v1.Audit/GetEntry";
inline constexpr char kReadFilesMethod[] = "/raakvlak.v1.Audit/ReadFiles";
inline constexpr char kWatchMethod[] = "/raakvlak.v1.Audit/Watch";

// The rows of the method table for this service.
std::vector<rpc::MethodRule> AuditMethods();

class AuditReading {
 public:
  // All outlive this. `audit` is durable when it returns.
  AuditReading(storage::AuditLog& log, storage::AuditAppender& audit, Prover& prover, const LogFolder& folder,
               const base::Clock& clock)
      : log_(log), audit_(audit), prover_(prover), folder_(folder), clock_(clock) {}

  // Errors as raakvlak/v1/audit.proto says.
  absl::StatusOr<v1::ListLogsResponse> ListLogs(const rpc::Gate::Pass& pass,
                                                const v1::ListLogsRequest& request);
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const rpc::Gate::Pass& pass,
                                                      const v1::ListEntriesRequest& request);
  absl::StatusOr<v1::GetEntryResponse> GetEntry(const rpc::Gate::Pass& pass,
                                                const v1::GetEntryRequest& request);
  absl::StatusOr<v1::ReadFilesResponse> ReadFiles(const rpc::Gate::Pass& pass,
                                                  const v1::ReadFilesRequest& request);
  absl::StatusOr<v1::WatchResponse> Watch(const rpc::Gate::Pass& pass, const v1::WatchRequest& request);

 private:
  // Appends the entry of a call, or of its refusal, and returns the outcome; STORAGE_FAILED instead when it
  // cannot be logged.
  absl::Status Record(const rpc::Gate::Pass& pass, absl::string_view method, storage::AuditEntry read,
                      const absl::Status& outcome);

  absl::StatusOr<v1::ListEntriesResponse> DoListEntries(const rpc::Gate::Pass& pass,
                                                        const v1::ListEntriesRequest& request);
  absl::StatusOr<v1::GetEntryResponse> DoGetEntry(const rpc::Gate::Pass& pass,
                                                  const v1::GetEntryRequest& request);
  absl::StatusOr<v1::ReadFilesResponse> DoReadFiles(const v1::ReadFilesRequest& request);
  absl::StatusOr<v1::WatchResponse> DoWatch(const rpc::Gate::Pass& pass, const v1::WatchRequest& request);
  absl::StatusOr<std::string> ReadFile(uint32_t year, const std::string& name);
  // The place behind the last entry of the newest log.
  absl::StatusOr<storage::EntryId> End();
  v1::LogEntry ToWire(const storage::StoredEntry& stored) const;

  storage::AuditLog& log_;
  storage::AuditAppender& audit_;
  Prover& prover_;
  const LogFolder& folder_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::log

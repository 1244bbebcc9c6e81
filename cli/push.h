// Pusher: rows of files to the partner's own node, in batches over Push streams, with memory that does not
// grow with the files.
//
// Several batches are under way at a time. A stream has a deadline, so a new one is opened from time to time.
// What becomes of each row is told to the sink in the order of the rows. Running the same push again is safe:
// rows with a receipt count as known.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "cli/row_reader.h"
#include "client/intake_client.h"

namespace raakvlak::cli {

inline constexpr size_t kPushBatchRows = 256;
inline constexpr size_t kPushBatchBytes = 1 << 20;
inline constexpr size_t kPushWindow = 4;
inline constexpr absl::Duration kPushStreamTimeout = absl::Minutes(9);
// A stream older than this takes no more batches.
inline constexpr absl::Duration kPushStreamAge = absl::Minutes(4);

struct PushCounts {
  uint64_t read = 0;
  uint64_t accepted = 0;
  uint64_t known = 0;
  uint64_t rejected = 0;
  uint64_t waiting = 0;  // of the accepted and known: for a fresh list of excluded addresses
  uint64_t receipts() const { return accepted + known + rejected; }
};

struct RejectedRow {
  std::string file;
  uint64_t line = 0;
  // Empty when it is about the row as a whole.
  std::string column;
  std::string reason;
};

class PushSink {
 public:
  virtual ~PushSink() = default;
  virtual void Rejected(const RejectedRow& row) = 0;
  // Called about once a batch.
  virtual void Progress(const std::string& file, const PushCounts& counts) = 0;
};

class Pusher {
 public:
  // All outlive the Pusher.
  Pusher(client::IntakeClient& intake, PushSink& sink, const base::Clock& clock)
      : intake_(intake), sink_(sink), clock_(clock) {}

  // PushRows sends all rows of `rows`. After an error of the call, which it returns, nothing more can be
  // sent.
  absl::Status PushRows(const std::string& file, RowReader& rows);
  // Finish waits for the receipts that are still to come. Call it last.
  absl::Status Finish();

  const PushCounts& counts() const { return counts_; }

 private:
  // One row that was read: where it stood, and why it was rejected here when it was.
  struct Entry {
    uint64_t line;
    std::string reason;
    std::string column;
  };
  struct Batch {
    std::string file;
    std::vector<Entry> entries;
    size_t records = 0;
    size_t bytes = 0;
  };

  absl::Status SendBatch();
  absl::Status ReceiveBatch();
  absl::Status CloseStream();
  void Reject(const Batch& batch, const Entry& entry, const std::string& reason, const std::string& column);

  client::IntakeClient& intake_;
  PushSink& sink_;
  const base::Clock& clock_;
  std::unique_ptr<client::PushStream> stream_;
  absl::Time opened_;
  Batch batch_;
  v1::PushRequest request_;
  std::deque<Batch> under_way_;
  PushCounts counts_;
};

}  // namespace raakvlak::cli

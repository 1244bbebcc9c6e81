// Database: one SQLite file with one writer and several readers.
//
// Writes: callers hand in a function; one writer thread runs a group of them in one transaction, each inside
// a savepoint, and all are told the outcome only after COMMIT (synchronous = FULL). Under load the writer
// waits a moment for those it has just answered, so that each sync serves as many as possible. A function
// that returns an error has no effect and does not touch its neighbours. Reads: each runs in a snapshot on a
// read-only connection from a small pool. Only the writer ever checkpoints the WAL, between groups: SQLite
// before 3.51.3 can lose committed data when two connections checkpoint (docs/adr/).
//
// An I/O error, corruption or a full disk on COMMIT fails the whole group with STORAGE_FAILED; the writer
// rolls back and goes on, and callers must treat the outcome as unknown and retry with the same ids.
//
// Settings: WAL, foreign keys on, trusted_schema off, cell_size_check on, temp store in memory, secure_delete
// on, DEFENSIVE on. Thread safety: all methods may be called from any thread; Write blocks. Do not call Write
// inside a Write or Read.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace raakvlak::storage {

// A prepared statement in use: bind, then Step or Run. Reset when it goes. Columns are valid until the next
// Step.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters in order, from 1: integers, blobs, text (Text(...)), or nullptr.
  Statement& Bind(int64_t value);
  Statement& Bind(uint64_t value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(uint32_t value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(int value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(bool value) { return Bind(static_cast<int64_t>(value)); }
  Statement& BindBlob(absl::string_view value);
  Statement& BindText(absl::string_view value);

  // Step returns whether there is a row. STORAGE_FAILED.
  absl::StatusOr<bool> Step();
  // Run steps a statement that returns no rows. STORAGE_FAILED.
  absl::Status Run();

  int64_t Int(int column) const;
  uint32_t Uint32(int column) const { return static_cast<uint32_t>(Int(column)); }
  std::string Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  sqlite3_stmt* statement_;
  int next_parameter_ = 1;
};

// One connection inside a transaction.
class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Query returns the cached statement for `sql`, which must be a string literal. REQUIRES: it compiles (our
  // own SQL).
  Statement Query(const char* sql);
  // Rows changed by the last Run.
  int64_t Changes() const;

 private:
  friend class Database;
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

class Database {
 public:
  struct Options {
    int readers = 4;
    size_t max_group = 256;
  };
  // Opens or makes the file. `schema` is run once on a new file and its version kept in user_version;
  // `application_id` marks whose file it is. SCHEMA_UNKNOWN for another version or application;
  // STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, const char* schema,
                                                        int version, int application_id, Options options);
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, const char* schema,
                                                        int version, int application_id) {
    return Open(path, schema, version, application_id, Options());
  }
  // Finishes what is queued, checkpoints, closes.
  ~Database();

  // Write runs `body` in a transaction and returns when it is durable, or its error. `name` is for logs.
  absl::Status Write(absl::string_view name, absl::FunctionRef<absl::Status(Connection&)> body);
  // Read runs `body` in a snapshot.
  absl::Status Read(absl::string_view name, absl::FunctionRef<absl::Status(Connection&)> body);

  // How many COMMITs there were: with the number of writes it shows the grouping.
  uint64_t commits() const;

 private:
  struct Pending;
  Database(std::unique_ptr<Connection> writer, Options options);
  void RunWriter();
  void RunGroup(const std::vector<Pending*>& group);

  std::unique_ptr<Connection> writer_;
  // Pages in the WAL after the last commit; the writer thread's own.
  int wal_pages_ = 0;
  const Options options_;
  mutable base::Mutex mutex_;
  base::ConditionVariable wakeup_;
  base::ConditionVariable reader_free_;
  std::deque<Pending*> queue_ ABSL_GUARDED_BY(mutex_);
  // The writer is woken when so many wait.
  size_t wanted_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<std::unique_ptr<Connection>> free_readers_ ABSL_GUARDED_BY(mutex_);
  uint64_t commits_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace raakvlak::storage

#include "server/storage/sqlite/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

// Pages in the WAL after which the writer moves them into the database, between groups.
constexpr int kCheckpointPages = 4000;
constexpr int kBusyMilliseconds = 10'000;
// How long the writer waits at most for a group to fill.
constexpr absl::Duration kMaxPatience = absl::Milliseconds(2);

// SQLite's text names tables and columns of ours, never a bound value.
absl::Status Failed(sqlite3* handle, absl::string_view what) {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                     absl::StrCat(what, ": ", sqlite3_errmsg(handle)));
}

absl::Status Execute(sqlite3* handle, const char* sql) {
  if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failed(handle, "database");
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadPragma(sqlite3* handle, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  auto finalizer = absl::MakeCleanup([&] { sqlite3_finalize(statement); });
  if (sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) != SQLITE_OK ||
      sqlite3_step(statement) != SQLITE_ROW) {
    return Failed(handle, "database");
  }
  return sqlite3_column_int64(statement, 0);
}

absl::StatusOr<sqlite3*> OpenHandle(const std::string& path, int flags) {
  sqlite3* handle = nullptr;
  if (sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    const absl::Status status = Failed(handle, path);
    sqlite3_close(handle);
    return status;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Only the writer's own PASSIVE and TRUNCATE checkpoints run; nothing else moves the WAL.
  sqlite3_wal_autocheckpoint(handle, 0);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  absl::Status status =
      Execute(handle,
              "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
              "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
              "PRAGMA cache_size=-16384;");
  if (!status.ok()) {
    sqlite3_close(handle);
    return status;
  }
  return handle;
}

absl::Status Prepare(sqlite3* handle, const std::string& path, const char* schema, int version,
                     int application_id) {
  RAAKVLAK_RETURN_IF_ERROR(Execute(handle, "PRAGMA journal_mode=WAL"));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t found_version, ReadPragma(handle, "PRAGMA user_version"));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t found_application, ReadPragma(handle, "PRAGMA application_id"));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t tables, ReadPragma(handle, "SELECT count(*) FROM sqlite_master"));
  if (found_version == version && found_application == application_id) return absl::OkStatus();
  if (found_version != 0 || found_application != 0 || tables != 0) {
    return base::Error(
        absl::StatusCode::kFailedPrecondition, base::reason::kSchemaUnknown,
        absl::StrCat(path, ": holds schema version ", found_version, " of application ", found_application,
                     "; this program knows version ", version, " of ", application_id));
  }
  const std::string create = absl::StrCat("BEGIN IMMEDIATE;", schema, ";PRAGMA user_version=", version,
                                          ";PRAGMA application_id=", application_id, ";COMMIT;");
  return Execute(handle, create.c_str());
}

}  // namespace

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), next_parameter_(other.next_parameter_) {}

Statement& Statement::Bind(int64_t value) {
  RAAKVLAK_CHECK(sqlite3_bind_int64(statement_, next_parameter_++, value) == SQLITE_OK,
                 "the parameter exists");
  return *this;
}

Statement& Statement::BindBlob(absl::string_view value) {
  // A null pointer would bind NULL; an empty blob is meant.
  const char* data = value.empty() ? "" : value.data();
  RAAKVLAK_CHECK(
      sqlite3_bind_blob64(statement_, next_parameter_++, data, value.size(), SQLITE_TRANSIENT) == SQLITE_OK,
      "the parameter exists");
  return *this;
}

Statement& Statement::BindText(absl::string_view value) {
  const char* data = value.empty() ? "" : value.data();
  RAAKVLAK_CHECK(sqlite3_bind_text64(statement_, next_parameter_++, data, value.size(), SQLITE_TRANSIENT,
                                     SQLITE_UTF8) == SQLITE_OK,
                 "the parameter exists");
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return Failed(sqlite3_db_handle(statement_), "database");
}

absl::Status Statement::Run() {
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, Step());
  RAAKVLAK_CHECK(!row, "Run is for statements without rows");
  return absl::OkStatus();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(data, static_cast<size_t>(size));
}

bool Statement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Statement Connection::Query(const char* sql) {
  const auto cached = statements_.find(sql);
  // A statement that is still in use (a nested loop over the same SQL) gets a second copy, kept until the
  // connection closes.
  if (cached != statements_.end()) {
    RAAKVLAK_CHECK(sqlite3_stmt_busy(cached->second) == 0, "a cached statement is used once at a time");
    return Statement(cached->second);
  }
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  RAAKVLAK_CHECK(result == SQLITE_OK, sqlite3_errmsg(handle_));
  statements_.emplace(sql, statement);
  return Statement(statement);
}

int64_t Connection::Changes() const { return sqlite3_changes64(handle_); }

// A write that waits for its group; lives on its caller's stack.
struct Database::Pending {
  absl::string_view name;
  absl::FunctionRef<absl::Status(Connection&)> body;
  absl::Status status;
  bool done = false;
  base::ConditionVariable finished;
};

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, const char* schema,
                                                         int version, int application_id, Options options) {
  // Made here with the right mode, so that neither the file nor its WAL is ever open to others.
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor >= 0) close(descriptor);
  RAAKVLAK_ASSIGN_OR_RETURN(sqlite3 * handle, OpenHandle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  std::unique_ptr<Connection> writer(new Connection(handle));
  RAAKVLAK_RETURN_IF_ERROR(Prepare(handle, path, schema, version, application_id));
  std::unique_ptr<Database> database(new Database(std::move(writer), options));
  for (int i = 0; i < options.readers; ++i) {
    RAAKVLAK_ASSIGN_OR_RETURN(sqlite3 * reader, OpenHandle(path, SQLITE_OPEN_READWRITE));
    std::unique_ptr<Connection> connection(new Connection(reader));
    RAAKVLAK_RETURN_IF_ERROR(Execute(reader, "PRAGMA query_only=ON"));
    base::MutexLock lock(database->mutex_);
    database->free_readers_.push_back(std::move(connection));
  }
  database->thread_ = std::thread([raw = database.get()] { raw->RunWriter(); });
  return database;
}

Database::Database(std::unique_ptr<Connection> writer, Options options)
    : writer_(std::move(writer)), options_(options) {
  sqlite3_wal_hook(
      writer_->handle_,
      [](void* pages, sqlite3*, const char*, int now) {
        *static_cast<int*>(pages) = now;
        return SQLITE_OK;
      },
      &wal_pages_);
}

Database::~Database() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  {
    base::MutexLock lock(mutex_);
    free_readers_.clear();
  }
  sqlite3_wal_checkpoint_v2(writer_->handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

absl::Status Database::Write(absl::string_view name, absl::FunctionRef<absl::Status(Connection&)> body) {
  Pending pending{name, body, absl::OkStatus(), false, {}};
  base::MutexLock lock(mutex_);
  if (stopping_) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kShuttingDown,
                       "the database is closing");
  }
  queue_.push_back(&pending);
  if (queue_.size() >= wanted_) wakeup_.NotifyOne();
  while (!pending.done) pending.finished.Wait(mutex_);
  return pending.status;
}

absl::Status Database::Read(absl::string_view name, absl::FunctionRef<absl::Status(Connection&)> body) {
  std::unique_ptr<Connection> connection;
  {
    base::MutexLock lock(mutex_);
    while (free_readers_.empty()) reader_free_.Wait(mutex_);
    connection = std::move(free_readers_.back());
    free_readers_.pop_back();
  }
  absl::Status status = Execute(connection->handle_, "BEGIN");
  if (status.ok()) {
    status = body(*connection);
    const absl::Status ended = Execute(connection->handle_, "ROLLBACK");
    if (!ended.ok())
      base::LogStatus(base::LogLevel::kError, "database.read_end", ended, {{"name", std::string(name)}});
  }
  base::MutexLock lock(mutex_);
  free_readers_.push_back(std::move(connection));
  reader_free_.NotifyOne();
  return status;
}

uint64_t Database::commits() const {
  base::MutexLock lock(mutex_);
  return commits_;
}

void Database::RunWriter() {
  // Those who were just answered often come back at once. Waiting for them a fraction of what a commit takes
  // makes one full group of what would be two, each with a sync of its own. A lone caller is never waited
  // for.
  size_t expected = 1;
  absl::Duration patience;
  while (true) {
    std::vector<Pending*> group;
    {
      base::MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wakeup_.Wait(mutex_);
      if (queue_.empty()) return;
      wanted_ = std::min(expected, options_.max_group);
      const absl::Time deadline = absl::Now() + patience;
      while (queue_.size() < wanted_ && !stopping_) {
        const absl::Duration left = std::min(deadline - absl::Now(), patience);
        if (left <= absl::ZeroDuration() || !wakeup_.WaitFor(mutex_, left)) break;
      }
      wanted_ = 1;
      while (!queue_.empty() && group.size() < options_.max_group) {
        group.push_back(queue_.front());
        queue_.pop_front();
      }
    }
    const absl::Time begin = absl::Now();
    RunGroup(group);
    patience = std::clamp((absl::Now() - begin) / 4, absl::ZeroDuration(), kMaxPatience);
    {
      base::MutexLock lock(mutex_);
      ++commits_;
      expected = group.size() + queue_.size();
      for (Pending* pending : group) {
        pending->done = true;
        pending->finished.NotifyOne();
      }
    }
    if (wal_pages_ >= kCheckpointPages) {
      sqlite3_wal_checkpoint_v2(writer_->handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
  }
}

void Database::RunGroup(const std::vector<Pending*>& group) {
  sqlite3* handle = writer_->handle_;
  // Prepared once: parsing these for every body would cost as much as a small body itself.
  const auto run = [&](const char* sql) { return writer_->Query(sql).Run(); };
  absl::Status outcome = run("BEGIN IMMEDIATE");
  if (outcome.ok()) {
    for (Pending* pending : group) {
      outcome = run("SAVEPOINT one");
      if (!outcome.ok()) break;
      pending->status = pending->body(*writer_);
      // Some errors (disk full, I/O) make SQLite end the whole transaction by itself.
      if (sqlite3_get_autocommit(handle) != 0) {
        outcome = base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                              "the database ended the transaction");
        break;
      }
      if (!pending->status.ok()) outcome = run("ROLLBACK TO one");
      if (outcome.ok()) outcome = run("RELEASE one");
      if (!outcome.ok()) break;
    }
  }
  if (outcome.ok()) outcome = run("COMMIT");
  if (outcome.ok()) return;
  if (sqlite3_get_autocommit(handle) == 0) {
    [[maybe_unused]] const absl::Status rolled_back = run("ROLLBACK");
  }
  base::LogStatus(base::LogLevel::kError, "database.write_failed", outcome,
                  {{"name", std::string(group[0]->name)}});
  // A function that refused by itself keeps its own error: it had no effect either way.
  for (Pending* pending : group) {
    if (pending->status.ok()) pending->status = outcome;
  }
}

}  // namespace raakvlak::storage

#include "server/storage/sqlite/database.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

constexpr char kSchema[] = "CREATE TABLE item(id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT";

class DatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Database> Open(int version = 1, int application = 77) {
    auto database = Database::Open(path_, kSchema, version, application);
    EXPECT_THAT(database, IsOk());
    return std::move(*database);
  }
  static absl::Status Insert(Connection& connection, int64_t id, absl::string_view value) {
    return connection.Query("INSERT INTO item(id, value) VALUES(?, ?)").Bind(id).BindBlob(value).Run();
  }
  static int64_t Count(Database& database) {
    int64_t count = -1;
    EXPECT_THAT(database.Read("count",
                              [&](Connection& connection) -> absl::Status {
                                Statement query = connection.Query("SELECT count(*) FROM item");
                                RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
                                if (row) count = query.Int(0);
                                return absl::OkStatus();
                              }),
                IsOk());
    return count;
  }

  base::testing::TemporaryFolder folder_;
  const std::string path_ = folder_.File("test.db");
};

TEST_F(DatabaseTest, WrittenRowsSurviveReopening) {
  {
    auto database = Open();
    ASSERT_THAT(database->Write("insert", [](Connection& c) { return Insert(c, 1, std::string("a\0b", 3)); }),
                IsOk());
  }
  auto database = Open();
  std::string value;
  ASSERT_THAT(database->Read("get",
                             [&](Connection& c) -> absl::Status {
                               Statement query = c.Query("SELECT value FROM item WHERE id=?");
                               query.Bind(1);
                               RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
                               EXPECT_TRUE(row);
                               value = query.Bytes(0);
                               return absl::OkStatus();
                             }),
              IsOk());
  EXPECT_EQ(value, std::string("a\0b", 3));
}

TEST_F(DatabaseTest, FailingWriteHasNoEffectAndLeavesNeighboursAlone) {
  auto database = Open();
  std::vector<std::thread> threads;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status status = database->Write("mixed", [&](Connection& c) -> absl::Status {
        RAAKVLAK_RETURN_IF_ERROR(Insert(c, i, "x"));
        if (i % 2 == 1) return base::Error(absl::StatusCode::kAborted, base::reason::kReplayed, "odd");
        return absl::OkStatus();
      });
      if (base::ReasonOf(status) == base::reason::kReplayed) ++refused;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused, 32);
  EXPECT_EQ(Count(*database), 32);
}

TEST_F(DatabaseTest, ConcurrentWritesShareCommits) {
  auto database = Open();
  // The first write holds the writer until all others are queued, so that they form one group.
  std::atomic<int> queued = 0;
  std::vector<std::thread> threads;
  std::thread first([&] {
    ASSERT_THAT(database->Write("hold",
                                [&](Connection&) {
                                  while (queued < 50) std::this_thread::yield();
                                  return absl::OkStatus();
                                }),
                IsOk());
  });
  for (int i = 0; i < 50; ++i) {
    threads.emplace_back([&, i] {
      ++queued;
      ASSERT_THAT(database->Write("insert", [&](Connection& c) { return Insert(c, i, "x"); }), IsOk());
    });
  }
  first.join();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Count(*database), 50);
  EXPECT_LT(database->commits(), 51u);
}

TEST_F(DatabaseTest, ReaderKeepsItsSnapshotAndCannotWrite) {
  auto database = Open();
  ASSERT_THAT(database->Read("try to write", [](Connection& c) { return Insert(c, 1, "x"); }),
              HasReason(base::reason::kStorageFailed));
  EXPECT_EQ(Count(*database), 0);
}

TEST_F(DatabaseTest, UnknownSchemaIsRefused) {
  Open();
  EXPECT_THAT(Database::Open(path_, kSchema, 2, 77), HasReason(base::reason::kSchemaUnknown));
  EXPECT_THAT(Database::Open(path_, kSchema, 1, 78), HasReason(base::reason::kSchemaUnknown));
}

TEST_F(DatabaseTest, FileThatIsNoDatabaseIsRefused) {
  ASSERT_THAT(base::WriteFileAtomically(path_, std::string(8192, 'z'), 0600), IsOk());
  EXPECT_THAT(Database::Open(path_, kSchema, 1, 77), HasReason(base::reason::kStorageFailed));
}

TEST_F(DatabaseTest, AcknowledgedWritesSurviveKill) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto database = Database::Open(path_, kSchema, 1, 77);
    if (!database.ok()) _exit(1);
    for (int64_t i = 0;; ++i) {
      if (!(*database)->Write("insert", [&](Connection& c) { return Insert(c, i, "x"); }).ok()) _exit(2);
      if (write(pipe_ends[1], &i, sizeof i) != sizeof i) _exit(3);
    }
  }
  close(pipe_ends[1]);
  int64_t acknowledged = -1;
  for (int64_t value = 0; acknowledged < 200 && read(pipe_ends[0], &value, sizeof value) == sizeof value;) {
    acknowledged = value;
  }
  kill(child, SIGKILL);
  for (int64_t value = 0; read(pipe_ends[0], &value, sizeof value) == sizeof value;) acknowledged = value;
  close(pipe_ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto database = Open();
  // One write may have become durable without its acknowledgement.
  EXPECT_GE(Count(*database), acknowledged + 1);
  EXPECT_LE(Count(*database), acknowledged + 2);
}

TEST_F(DatabaseTest, FullDiskFailsTheWriteAndKeepsWhatWasThere) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto database = Database::Open(path_, kSchema, 1, 77);
    if (!database.ok() || !(*database)->Write("one", [](Connection& c) { return Insert(c, 1, "kept"); }).ok())
      _exit(1);
    const rlimit small = {200 << 10, 200 << 10};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string big(1 << 20, 'x');
    const absl::Status status = (*database)->Write("two", [&](Connection& c) { return Insert(c, 2, big); });
    _exit(base::ReasonOf(status) == base::reason::kStorageFailed ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  auto database = Open();
  EXPECT_EQ(Count(*database), 1);
}

}  // namespace
}  // namespace raakvlak::storage

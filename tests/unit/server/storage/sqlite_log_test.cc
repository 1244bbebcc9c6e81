// What the log in SQLite promises besides: who changes the file is found out, without the key it says
// nothing, and what was erased is gone from it.
#include "server/storage/sqlite/sqlite_log.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "server/storage/hub_store.h"
#include "server/storage/sqlite/process_tables.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;
namespace reason = base::reason;

constexpr int64_t kNow = 1'790'000'000'000;  // September 2026
constexpr uint32_t kYear = 2026;

class SqliteLogTest : public ::testing::Test {
 protected:
  SqliteLogTest() { Open(); }
  void Open() {
    log_.reset();
    database_.reset();
    database_ = std::move(*Database::Open(path_, kProcessSchema, 1, 5));
    auto log = SqliteAuditLog::Open(*database_, testing::TestCodec());
    EXPECT_THAT(log, IsOk());
    log_ = std::move(*log);
  }
  absl::StatusOr<Logged> Append(const std::string& actor = "somebody", int64_t time_ms = kNow) {
    AuditEntry entry;
    entry.time_ms = time_ms;
    entry.actor = actor;
    entry.action = "list";
    Logged logged;
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("append", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(logged, log_->Append(connection, entry));
      return absl::OkStatus();
    }));
    return logged;
  }
  absl::Status Run(const char* sql) {
    return database_->Write("test", [&](Connection& connection) { return connection.Query(sql).Run(); });
  }
  // As somebody with the file in hand: the triggers do not stop them.
  void Tamper(const char* sql) {
    for (const char* drop :
         {"DROP TRIGGER IF EXISTS log_leaf_no_update", "DROP TRIGGER IF EXISTS log_leaf_no_delete",
          "DROP TRIGGER IF EXISTS log_detail_no_update", "DROP TRIGGER IF EXISTS log_detail_no_delete"}) {
      ASSERT_THAT(Run(drop), IsOk());
    }
    ASSERT_THAT(Run(sql), IsOk());
  }
  std::string File() {
    log_.reset();
    database_.reset();
    return *base::ReadFile(path_);
  }

  base::testing::TemporaryFolder folder_;
  const std::string path_ = folder_.File("process.db");
  std::unique_ptr<Database> database_;
  std::unique_ptr<SqliteAuditLog> log_;
};

TEST_F(SqliteLogTest, WrittenEntryCannotBeChangedOrDeleted) {
  ASSERT_THAT(Append(), IsOk());
  for (const char* sql : {"UPDATE log_leaf SET leaf = zeroblob(41)", "UPDATE log_leaf SET entry = entry + 1",
                          "DELETE FROM log_leaf", "UPDATE log_detail SET sealed = x'00'",
                          "UPDATE log_detail SET entry = entry + 1", "DELETE FROM log_detail"}) {
    EXPECT_THAT(Run(sql), HasReason(reason::kStorageFailed)) << sql;
  }
  EXPECT_EQ(testing::Entries(*log_).size(), 1u);
}

TEST_F(SqliteLogTest, DetailsCannotBeDeletedBeyondWhatWasErased) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Append("a", kNow + i), IsOk());
  ASSERT_EQ(*log_->EraseDetails(kNow + 1, {}), 1u);
  EXPECT_THAT(Run("DELETE FROM log_detail"), HasReason(reason::kStorageFailed));
  EXPECT_EQ(testing::StoredEntries(*log_).size(), 4u);
}

TEST_F(SqliteLogTest, EverythingIsThereAfterReopening) {
  ASSERT_THAT(Append("first", kNow), IsOk());
  ASSERT_THAT(Append("second", kNow + 1), IsOk());
  ASSERT_EQ(*log_->EraseDetails(kNow + 1, {}), 1u);
  Open();
  EXPECT_EQ(Append("third", kNow)->id, (EntryId{kYear, 3}));
  const auto stored = testing::StoredEntries(*log_);
  ASSERT_EQ(stored.size(), 4u);
  EXPECT_TRUE(stored[0].erased);
  EXPECT_EQ(stored[1].entry.actor, "second");
  EXPECT_EQ(stored[3].time_ms, kNow + 1);
}

TEST_F(SqliteLogTest, AnotherDetailsKeyOrProcessIsRefused) {
  ASSERT_THAT(Append(), IsOk());
  base::testing::SeededRandom random(1);
  const std::string urn = "urn:raakvlak:maastricht:broker:test";
  LogCodec other_key(urn, base::SecretBytes(std::string(32, 'e')), random);
  EXPECT_THAT(SqliteAuditLog::Open(*database_, std::move(other_key)).status(),
              HasReason(reason::kVerificationFailed));
  EXPECT_THAT(
      SqliteAuditLog::Open(*database_, testing::TestCodec("urn:raakvlak:maastricht:hub:test")).status(),
      HasReason(reason::kVerificationFailed));
  EXPECT_THAT(SqliteAuditLog::Open(*database_, testing::TestCodec(urn)).status(), IsOk());
}

TEST_F(SqliteLogTest, FileSaysNothingWithoutTheKey) {
  ASSERT_THAT(Append("urn:raakvlak:maastricht:staff:anna"), IsOk());
  const Logged logged = *Append("urn:raakvlak:maastricht:staff:anna");
  const std::string file = File();
  EXPECT_THAT(file, HasSubstr(LeafOf(logged)));
  EXPECT_THAT(file, Not(HasSubstr("anna")));
  EXPECT_THAT(file, Not(HasSubstr(logged.salt)));
  EXPECT_THAT(file, Not(HasSubstr(base::Sha256(logged.details))));
}

TEST_F(SqliteLogTest, ErasedDetailsAreGoneFromTheFile) {
  ASSERT_THAT(Append("a", kNow), IsOk());
  ASSERT_THAT(Append("b", kNow + 1), IsOk());
  std::vector<std::string> sealed;
  ASSERT_THAT(database_->Read("sealed",
                              [&](Connection& connection) -> absl::Status {
                                Statement query =
                                    connection.Query("SELECT sealed FROM log_detail ORDER BY entry");
                                while (*query.Step()) sealed.push_back(query.Bytes(0));
                                return absl::OkStatus();
                              }),
              IsOk());
  ASSERT_EQ(*log_->EraseDetails(kNow + 1, {}), 1u);
  const std::string file = File();
  EXPECT_THAT(file, Not(HasSubstr(sealed[0])));
  EXPECT_THAT(file, HasSubstr(sealed[1]));
}

TEST_F(SqliteLogTest, ManyDetailsAreErasedInBatchesThatEachLeaveAProof) {
  constexpr int kEntries = 25'000;
  AuditEntry entry;
  entry.time_ms = kNow;
  for (int i = 0; i < kEntries; i += 5000) {
    ASSERT_THAT(database_->Write("append",
                                 [&](Connection& connection) -> absl::Status {
                                   for (int j = 0; j < 5000; ++j)
                                     RAAKVLAK_RETURN_IF_ERROR(log_->Append(connection, entry).status());
                                   return absl::OkStatus();
                                 }),
                IsOk());
  }
  AuditFilter erasures;
  erasures.action = "erase";
  EXPECT_EQ(*log_->EraseDetails(kNow + 1, entry), uint64_t{kEntries});
  uint64_t counted = 0;
  for (const AuditEntry& proof : testing::Entries(*log_, erasures)) counted += proof.count;
  EXPECT_EQ(counted, uint64_t{kEntries});
}

TEST_F(SqliteLogTest, OneCallLooksAtNoMoreThanSomeThousandEntries) {
  AuditEntry entry;
  entry.time_ms = kNow;
  entry.action = "list";
  ASSERT_THAT(database_->Write("append",
                               [&](Connection& connection) -> absl::Status {
                                 for (int i = 0; i < 12'000; ++i)
                                   RAAKVLAK_RETURN_IF_ERROR(log_->Append(connection, entry).status());
                                 return absl::OkStatus();
                               }),
              IsOk());
  AuditFilter none;
  none.action = "open";
  auto page = log_->ReadAudit(none, kFirstEntry, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE(page->entries.empty());
  ASSERT_TRUE(page->next.has_value());
  EXPECT_EQ(page->next->index, 10'000u);
  page = log_->ReadAudit(none, *page->next, 10);
  EXPECT_FALSE(page->next.has_value());
}

class TamperedLogTest : public SqliteLogTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i)
      ASSERT_THAT(Append(std::string(1, static_cast<char>('a' + i)), kNow + i), IsOk());
  }
  void PutLeaf(const std::string& leaf) {
    Tamper("DELETE FROM log_detail WHERE 0");
    ASSERT_THAT(database_->Write("leaf",
                                 [&](Connection& connection) {
                                   return connection
                                       .Query("UPDATE log_leaf SET leaf = ? WHERE entry & 255 = 1")
                                       .BindBlob(leaf)
                                       .Run();
                                 }),
                IsOk());
  }
  // Index 1 was tampered with: it is found, and its neighbour is fine.
  void ExpectFound() {
    EXPECT_THAT(log_->Find({kYear, 1}), HasReason(reason::kVerificationFailed));
    EXPECT_THAT(log_->ReadAudit({}, kFirstEntry, 10), HasReason(reason::kVerificationFailed));
    EXPECT_THAT(log_->ReadAudit({}, {kYear, 3}, 10), IsOk());
    EXPECT_THAT(log_->Find({kYear, 3}), IsOk());
    EXPECT_THAT(std::string(log_->Find({kYear, 1}).status().message()), HasSubstr("entry 1"));
  }
};

TEST_F(TamperedLogTest, ChangedDetailsAreFound) {
  Tamper("UPDATE log_detail SET sealed = zeroblob(length(sealed)) WHERE entry & 255 = 1");
  ExpectFound();
}

TEST_F(TamperedLogTest, DetailsCopiedFromAnotherEntryAreFound) {
  Tamper(
      "UPDATE log_detail SET sealed = (SELECT sealed FROM log_detail WHERE entry & 255 = 2) WHERE entry & "
      "255 = 1");
  ExpectFound();
}

TEST_F(TamperedLogTest, ChangedLeafIsFound) {
  Tamper(
      "UPDATE log_leaf SET leaf = (SELECT leaf FROM log_leaf WHERE entry & 255 = 2) WHERE entry & 255 = 1");
  ExpectFound();
}

TEST_F(TamperedLogTest, LeafOfAnotherVersionIsFound) {
  std::string leaf = *log_->ReadLeaves(kYear, 1, 1)->begin();
  leaf[0] = 2;
  PutLeaf(leaf);
  ExpectFound();
}

TEST_F(TamperedLogTest, BackdatedLeafIsFound) {
  std::string leaf = *log_->ReadLeaves(kYear, 1, 1)->begin();
  leaf[8] = static_cast<char>(leaf[8] - 1);
  PutLeaf(leaf);
  ExpectFound();
}

TEST_F(TamperedLogTest, DetailsThatAreGoneWithoutAnErasureAreFound) {
  Tamper("DELETE FROM log_detail WHERE entry & 255 = 1");
  ExpectFound();
}

TEST_F(TamperedLogTest, MissingEntryIsFound) {
  const auto expect_missing = [&](const std::string& which) {
    AuditFilter newest;
    newest.newest_first = true;
    for (const absl::Status& status :
         {log_->ReadLeaves(kYear, 0, 10).status(), log_->ReadAudit({}, kFirstEntry, 10).status(),
          log_->ReadAudit(newest, kLastEntry, 10).status()}) {
      EXPECT_THAT(status, HasReason(reason::kLogDamaged)) << which;
      EXPECT_THAT(std::string(status.message()), HasSubstr(which));
    }
    EXPECT_THAT(log_->ReadAudit({}, {kYear, 2}, 10), IsOk());
  };
  Tamper("DELETE FROM log_detail WHERE entry & 255 = 1");
  Tamper("DELETE FROM log_leaf WHERE entry & 255 = 1");
  expect_missing("entry 1 of ");
  Tamper("DELETE FROM log_detail WHERE entry & 255 = 0");
  Tamper("DELETE FROM log_leaf WHERE entry & 255 = 0");
  expect_missing("entry 0 of ");
}

// No entry, no effect: a full disk refuses, and what was there stays.
TEST_F(SqliteLogTest, FullDiskRefusesAndLeavesTheLogWhole) {
  log_.reset();
  database_.reset();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = OpenHubStore(folder_.File("hub.db"), testing::TestCodec());
    AuditEntry entry;
    entry.time_ms = kNow;
    if (!store.ok() || !(*store)->AppendAudit(entry).ok()) _exit(1);
    const rlimit small = {300 << 10, 300 << 10};
    setrlimit(RLIMIT_FSIZE, &small);
    entry.reason = std::string(100 << 10, 'x');
    for (int i = 0; i < 20; ++i) {
      const absl::Status status = (*store)->AppendAudit(entry).status();
      if (!status.ok()) _exit(base::ReasonOf(status) == reason::kStorageFailed && i > 0 ? 0 : 2);
    }
    _exit(3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(auto store, OpenHubStore(folder_.File("hub.db"), testing::TestCodec()));
  const size_t kept = testing::StoredEntries(store->audit_log()).size();
  EXPECT_GT(kept, 1u);
  AuditEntry entry;
  entry.time_ms = kNow;
  EXPECT_EQ(store->AppendAudit(entry)->id, (EntryId{kYear, kept}));
}

}  // namespace
}  // namespace raakvlak::storage

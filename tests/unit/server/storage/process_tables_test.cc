#include "server/storage/sqlite/process_tables.h"

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

class ProcessTablesTest : public ::testing::Test {
 protected:
  ProcessTablesTest() {
    database_ = std::move(*Database::Open(folder_.File("process.db"), kProcessSchema, 1, 5));
  }

  absl::Status Append(const AuditEntry& entry) {
    return database_->Write(
        "append", [&](Connection& connection) { return AppendAuditRow(connection, entry).status(); });
  }
  std::vector<uint64_t> Indices(const AuditFilter& filter, uint64_t start, size_t limit) {
    std::vector<uint64_t> indices;
    EXPECT_THAT(database_->Read("read",
                                [&](Connection& connection) -> absl::Status {
                                  RAAKVLAK_ASSIGN_OR_RETURN(const auto entries,
                                                            ReadAuditRows(connection, filter, start, limit));
                                  for (const AuditEntry& entry : entries) indices.push_back(entry.index);
                                  return absl::OkStatus();
                                }),
                IsOk());
    return indices;
  }
  absl::Status StoreNewest(const policy::Newest& newest) {
    return database_->Write("store",
                            [&](Connection& connection) { return StoreNewestRow(connection, newest); });
  }

  base::testing::TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

AuditEntry Entry(const std::string& actor, const std::string& action, int64_t time_ms) {
  AuditEntry entry;
  entry.actor = actor;
  entry.action = action;
  entry.time_ms = time_ms;
  return entry;
}

TEST_F(ProcessTablesTest, EveryFieldIsReadBack) {
  AuditEntry entry = {0,
                      12,
                      "urn:a",
                      "staff",
                      "open",
                      "m1",
                      "risicojeugd",
                      "WGS 2.26",
                      "case-1",
                      "why",
                      "OK",
                      3,
                      std::string(32, '\0'),
                      "c1/r2"};
  ASSERT_THAT(Append(entry), IsOk());
  std::vector<AuditEntry> entries;
  ASSERT_THAT(database_->Read("read",
                              [&](Connection& connection) -> absl::Status {
                                RAAKVLAK_ASSIGN_OR_RETURN(entries, ReadAuditRows(connection, {}, 0, 10));
                                return absl::OkStatus();
                              }),
              IsOk());
  ASSERT_EQ(entries.size(), 1u);
  const AuditEntry& read = entries[0];
  EXPECT_EQ(std::tie(read.index, read.time_ms, read.actor, read.role, read.action, read.object, read.purpose,
                     read.legal_basis, read.case_reference, read.reason, read.result, read.count,
                     read.order_hash, read.policy),
            std::tie(entry.index, entry.time_ms, entry.actor, entry.role, entry.action, entry.object,
                     entry.purpose, entry.legal_basis, entry.case_reference, entry.reason, entry.result,
                     entry.count, entry.order_hash, entry.policy));
}

TEST_F(ProcessTablesTest, IndicesHaveNoGapsAlsoAfterARefusedTransaction) {
  ASSERT_THAT(Append(Entry("a", "x", 1)), IsOk());
  ASSERT_THAT(
      database_->Write("refused",
                       [&](Connection& connection) -> absl::Status {
                         RAAKVLAK_RETURN_IF_ERROR(AppendAuditRow(connection, Entry("a", "x", 2)).status());
                         return base::Error(absl::StatusCode::kAborted, base::reason::kReplayed, "no");
                       }),
      HasReason(base::reason::kReplayed));
  ASSERT_THAT(Append(Entry("a", "x", 3)), IsOk());
  EXPECT_EQ(Indices({}, 0, 10), (std::vector<uint64_t>{0, 1}));
}

TEST_F(ProcessTablesTest, FilterAndPagesSelect) {
  for (int i = 0; i < 6; ++i) ASSERT_THAT(Append(Entry(i % 2 == 0 ? "a" : "b", "x", 100 + i)), IsOk());
  AuditFilter filter;
  filter.actor = "b";
  EXPECT_EQ(Indices(filter, 0, 2), (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(Indices(filter, 4, 2), (std::vector<uint64_t>{5}));
  filter.newest_first = true;
  EXPECT_EQ(Indices(filter, UINT64_MAX, 2), (std::vector<uint64_t>{5, 3}));
  AuditFilter period;
  period.from_ms = 102;
  period.until_ms = 104;
  EXPECT_EQ(Indices(period, 0, 10), (std::vector<uint64_t>{2, 3}));
}

TEST_F(ProcessTablesTest, WrittenEntryCannotBeChangedOrDeleted) {
  ASSERT_THAT(Append(Entry("a", "x", 1)), IsOk());
  for (const char* sql : {"UPDATE audit SET actor = 'b'", "DELETE FROM audit"}) {
    EXPECT_THAT(
        database_->Write("tamper", [&](Connection& connection) { return connection.Query(sql).Run(); }),
        HasReason(base::reason::kStorageFailed))
        << sql;
  }
  EXPECT_EQ(Indices({}, 0, 10).size(), 1u);
}

TEST_F(ProcessTablesTest, NewestPolicyNeverGoesBack) {
  ASSERT_THAT(StoreNewest({std::string(32, 'a'), 2, 5}), IsOk());
  EXPECT_THAT(StoreNewest({std::string(32, 'b'), 1, 9}), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(StoreNewest({std::string(32, 'a'), 2, 4}), HasReason(base::reason::kStorageFailed));
  ASSERT_THAT(StoreNewest({std::string(32, 'c'), 3, 5}), IsOk());
  policy::Newest newest;
  ASSERT_THAT(database_->Read("load",
                              [&](Connection& connection) -> absl::Status {
                                RAAKVLAK_ASSIGN_OR_RETURN(newest, LoadNewestRow(connection));
                                return absl::OkStatus();
                              }),
              IsOk());
  EXPECT_EQ(newest.covenant_id, std::string(32, 'c'));
  EXPECT_EQ(newest.covenant_version, 3u);
  EXPECT_EQ(newest.roster_number, 5u);
}

}  // namespace
}  // namespace raakvlak::storage

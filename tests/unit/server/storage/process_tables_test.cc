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

  absl::Status StoreNewest(const policy::Newest& newest) {
    return database_->Write("store",
                            [&](Connection& connection) { return StoreNewestRow(connection, newest); });
  }

  base::testing::TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(ProcessTablesTest, NewestPolicyNeverGoesBack) {
  ASSERT_THAT(StoreNewest({std::string(32, 'a'), 2, 5, "r5"}), IsOk());
  EXPECT_THAT(StoreNewest({std::string(32, 'b'), 2, 6, "r6"}), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(StoreNewest({std::string(32, 'a'), 2, 5, "x5"}), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(StoreNewest({std::string(32, 'b'), 1, 9}), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(StoreNewest({std::string(32, 'a'), 2, 4}), HasReason(base::reason::kStorageFailed));
  ASSERT_THAT(StoreNewest({std::string(32, 'c'), 3, 5, "r5"}), IsOk());
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
  EXPECT_EQ(newest.roster_id, "r5");
}

}  // namespace
}  // namespace raakvlak::storage

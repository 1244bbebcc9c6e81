// Both witness stores hold to the same rules.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/witness_store.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

Witnessed Row(uint64_t size, char root, uint64_t time = 100, const std::string& origin = "log/2026") {
  return {origin, size, std::string(32, root), time, "note of " + std::string(1, root)};
}

class WitnessStoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  WitnessStoreTest() { Open(); }
  void Open() {
    store_ = nullptr;
    store_ =
        GetParam() == "Memory" ? MakeMemoryWitnessStore() : *OpenWitnessStore(folder_.File("witness.db"));
  }
  bool Advance(uint64_t old_size, const Witnessed& next) {
    const auto advanced = store_->AdvanceWitnessed(old_size, next);
    EXPECT_THAT(advanced, IsOk());
    return advanced.ok() && *advanced;
  }
  std::optional<Witnessed> Find(const std::string& origin = "log/2026") {
    return *store_->FindWitnessed(origin);
  }

  base::testing::TemporaryFolder folder_;
  std::unique_ptr<WitnessStore> store_;
};

TEST_P(WitnessStoreTest, WhatWasNeverSeenIsNotThere) {
  EXPECT_EQ(Find(), std::nullopt);
  EXPECT_FALSE(Advance(3, Row(5, 'a'))) << "nothing of size 3 is kept";
  EXPECT_EQ(Find(), std::nullopt);
}

TEST_P(WitnessStoreTest, FirstAndLaterRowsAreKept) {
  EXPECT_TRUE(Advance(0, Row(5, 'a')));
  EXPECT_EQ(Find(), Row(5, 'a'));
  EXPECT_TRUE(Advance(5, Row(9, 'b', 101)));
  EXPECT_EQ(Find(), Row(9, 'b', 101));
  EXPECT_EQ(*store_->FindWitnessedByHash(base::Sha256("log/2026")), Row(9, 'b', 101));
  EXPECT_EQ(*store_->FindWitnessedByHash(base::Sha256("log/2027")), std::nullopt);
}

TEST_P(WitnessStoreTest, LogsDoNotTouchEachOther) {
  EXPECT_TRUE(Advance(0, Row(5, 'a')));
  EXPECT_TRUE(Advance(0, Row(2, 'b', 100, "other/2026")));
  EXPECT_EQ(Find(), Row(5, 'a'));
  EXPECT_EQ(Find("other/2026"), Row(2, 'b', 100, "other/2026"));
}

TEST_P(WitnessStoreTest, NothingGoesBack) {
  ASSERT_TRUE(Advance(0, Row(5, 'a')));
  EXPECT_FALSE(Advance(0, Row(9, 'b'))) << "not from nothing";
  EXPECT_FALSE(Advance(4, Row(9, 'b'))) << "not from another size";
  EXPECT_FALSE(Advance(6, Row(9, 'b'))) << "not from another size";
  EXPECT_FALSE(Advance(5, Row(4, 'b'))) << "not smaller";
  EXPECT_FALSE(Advance(5, Row(5, 'b'))) << "not another root";
  EXPECT_FALSE(Advance(5, Row(9, 'b', 99))) << "not an earlier time";
  EXPECT_EQ(Find(), Row(5, 'a'));
  EXPECT_TRUE(Advance(5, Row(5, 'a', 101))) << "the same again, later";
  EXPECT_EQ(Find()->time, 101u);
}

TEST_P(WitnessStoreTest, EmptyTreeCanBeFollowedByAnother) {
  EXPECT_TRUE(Advance(0, Row(0, 'e')));
  EXPECT_FALSE(Advance(0, Row(0, 'x')));
  EXPECT_TRUE(Advance(0, Row(3, 'a')));
  EXPECT_EQ(Find(), Row(3, 'a'));
}

TEST_P(WitnessStoreTest, OfTwoFromOneSizeOneWins) {
  for (uint64_t size = 0; size < 50; size += 1) {
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (const char root : {'a', 'b', 'c'}) {
      threads.emplace_back([&, root] { winners += Advance(size, Row(size + 1, root)); });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners, 1) << size;
  }
  EXPECT_EQ(Find()->size, 50u);
}

INSTANTIATE_TEST_SUITE_P(Each, WitnessStoreTest, ::testing::Values("Memory", "Sqlite"),
                         [](const auto& test) { return test.param; });

TEST(SqliteWitnessStore, KeepsAcrossARestart) {
  base::testing::TemporaryFolder folder;
  {
    const auto store = *OpenWitnessStore(folder.File("witness.db"));
    ASSERT_TRUE(*store->AdvanceWitnessed(0, Row(5, 'a')));
  }
  const auto store = *OpenWitnessStore(folder.File("witness.db"));
  EXPECT_EQ(*store->FindWitnessed("log/2026"), Row(5, 'a'));
}

TEST(SqliteWitnessStore, AnotherProcessCannotBringItBack) {
  base::testing::TemporaryFolder folder;
  const auto one = *OpenWitnessStore(folder.File("witness.db"));
  const auto two = *OpenWitnessStore(folder.File("witness.db"));
  ASSERT_TRUE(*one->AdvanceWitnessed(0, Row(5, 'a')));
  ASSERT_TRUE(*two->AdvanceWitnessed(5, Row(9, 'b')));
  EXPECT_FALSE(*one->AdvanceWitnessed(5, Row(7, 'c')));
  EXPECT_EQ(*one->FindWitnessed("log/2026"), Row(9, 'b'));
}

TEST(SqliteWitnessStore, RowsCannotBeDeleted) {
  base::testing::TemporaryFolder folder;
  const auto store = *OpenWitnessStore(folder.File("witness.db"));
  ASSERT_TRUE(*store->AdvanceWitnessed(0, Row(5, 'a')));
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder.File("witness.db").c_str(), &handle), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(handle, "DELETE FROM witnessed", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
}

TEST(SqliteWitnessStore, AnotherProgramsFileIsRefused) {
  base::testing::TemporaryFolder folder;
  ASSERT_THAT(Database::Open(folder.File("witness.db"), "CREATE TABLE other(a)", 1, 7), IsOk());
  EXPECT_THAT(OpenWitnessStore(folder.File("witness.db")), HasReason(base::reason::kSchemaUnknown));
}

}  // namespace
}  // namespace raakvlak::storage

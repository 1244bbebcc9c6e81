#include "server/storage/hub_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::storage {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kEntryTime = 1'780'000'000'000;

class HubStoreTest : public ::testing::Test {
 protected:
  HubStoreTest() { Open(); }
  void Open() {
    store_.reset();
    auto store = OpenHubStore(folder_.File("hub.db"), testing::TestCodec());
    RAAKVLAK_CHECK(store.ok(), "it opens");
    store_ = *std::move(store);
  }
  static std::string HashOf(char letter) { return std::string(32, letter); }
  static v1::KeptOpening Opening(char letter, int64_t time_ms = kEntryTime) {
    v1::KeptOpening opening;
    opening.set_order_hash(HashOf(letter));
    opening.set_match_id(std::string(16, letter));
    opening.set_case_reference("ZVH-2026-0042");
    opening.set_staff("urn:raakvlak:maastricht:staff:anna");
    opening.mutable_logged()->set_time_ms(time_ms);
    opening.set_proof("c2sp.org/tlog-proof@v1");
    return opening;
  }
  static AuditEntry Entry(const std::string& action = "open") {
    AuditEntry entry;
    entry.time_ms = kEntryTime;
    entry.action = action;
    return entry;
  }
  void Tamper(const char* sql) {
    store_.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(folder_.File("hub.db").c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    sqlite3_close(raw);
    Open();
  }

  base::testing::TemporaryFolder folder_;
  std::unique_ptr<HubStore> store_;
};

TEST_F(HubStoreTest, EntriesPolicyAndOpeningsAreThereAfterReopening) {
  ASSERT_THAT(store_->AppendAudit(Entry("list")), IsOk());
  ASSERT_THAT(store_->Store({"id", 1, 2}), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Logged logged, store_->AppendOpening(Entry(), Opening('a')));
  EXPECT_EQ(logged.id.index, 1u);
  Open();
  const auto entries = testing::Entries(store_->audit_log());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].action, "open");
  EXPECT_EQ(store_->Load()->roster_number, 2u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto found, store_->FindOpening(HashOf('a')));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->SerializeAsString(), Opening('a').SerializeAsString());
  EXPECT_EQ(*store_->FindOpening(HashOf('b')), std::nullopt);
}

TEST_F(HubStoreTest, OrderIsKeptOnceAndTheSecondTimeNothingIsWritten) {
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('a')), IsOk());
  EXPECT_THAT(store_->AppendOpening(Entry(), Opening('a', kEntryTime + 1)), HasReason(reason::kReplayed));
  EXPECT_EQ(testing::Entries(store_->audit_log()).size(), 1u);
  EXPECT_EQ((*store_->FindOpening(HashOf('a')))->logged().time_ms(), kEntryTime);
}

TEST_F(HubStoreTest, WhoOpenedWhatStandsNowhereInTheClear) {
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('a')), IsOk());
  store_.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    const auto bytes = base::ReadFile(file.path().string());
    ASSERT_THAT(bytes, IsOk());
    EXPECT_THAT(*bytes, Not(HasSubstr("ZVH-2026"))) << file.path();
    EXPECT_THAT(*bytes, Not(HasSubstr("anna"))) << file.path();
  }
}

TEST_F(HubStoreTest, OpeningInAnotherPlaceIsFound) {
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('a')), IsOk());
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('b')), IsOk());
  Tamper(
      "DROP TRIGGER opening_no_update; UPDATE opening SET time_ms = time_ms + 1 WHERE hex(order_hash) LIKE "
      "'61%'");
  EXPECT_THAT(store_->FindOpening(HashOf('a')), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(store_->FindOpening(HashOf('b')), IsOk());
  Tamper("UPDATE opening SET sealed = (SELECT sealed FROM opening WHERE hex(order_hash) LIKE '61%')");
  EXPECT_THAT(store_->FindOpening(HashOf('b')), HasReason(reason::kVerificationFailed));
}

TEST_F(HubStoreTest, OpeningsGoWhenTheirTermEndsAndLeaveAnEntry) {
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('a', kEntryTime - 2)), IsOk());
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('b', kEntryTime - 1)), IsOk());
  ASSERT_THAT(store_->AppendOpening(Entry(), Opening('c', kEntryTime)), IsOk());
  AuditEntry proof = Entry("");
  proof.actor = "urn:raakvlak:maastricht:hub:veiligheidshuis";
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(uint64_t erased, store_->EraseOpenings(kEntryTime, proof));
  EXPECT_EQ(erased, 2u);
  EXPECT_EQ(*store_->FindOpening(HashOf('a')), std::nullopt);
  EXPECT_NE(*store_->FindOpening(HashOf('c')), std::nullopt);
  const auto entries = testing::Entries(store_->audit_log());
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[3].action, "erase");
  EXPECT_EQ(entries[3].object, "openings");
  EXPECT_EQ(entries[3].count, 2u);
  EXPECT_EQ(entries[3].actor, proof.actor);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(erased, store_->EraseOpenings(kEntryTime, proof));
  EXPECT_EQ(erased, 0u);
  EXPECT_EQ(testing::Entries(store_->audit_log()).size(), 4u) << "nothing erased, nothing to say";
}

}  // namespace
}  // namespace raakvlak::storage

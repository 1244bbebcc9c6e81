#include "server/broker/audit_reading.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "server/program/policy_log.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using testing::BrokerRegion;
using testing::FailingStore;

class AuditReadingTest : public ::testing::Test {
 protected:
  void Append(const std::string& action, const std::string& purpose) {
    storage::AuditEntry entry;
    entry.time_ms = 1000 * ++appended_;
    entry.actor = "urn:raakvlak:maastricht:node:politie";
    entry.role = "node";
    entry.action = action;
    entry.object = "object";
    entry.purpose = purpose;
    entry.legal_basis = "basis";
    entry.case_reference = "case";
    entry.reason = "why";
    entry.count = 7;
    entry.order_hash = std::string(32, '\xab');
    entry.policy = "c1/r1";
    const auto append = [&](storage::BrokerTransaction& transaction) {
      return transaction.AppendAudit(entry).status();
    };
    ASSERT_THAT(store_.Write("test", append), base::testing::IsOk());
  }
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request) {
    return reading_.ListEntries(region_.Officer(), request);
  }

  int appended_ = 0;
  BrokerRegion region_;
  FailingStore store_;
  AuditReading reading_{store_, region_.clock()};
};

TEST_F(AuditReadingTest, EntryIsShownWithAllItsFields) {
  Append("submit", "onaantastbaren");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListEntriesResponse response, ListEntries({}));
  ASSERT_EQ(response.entries_size(), 1);
  const v1::AuditEntry& entry = response.entries(0);
  EXPECT_EQ(entry.index(), 0u);
  EXPECT_EQ(entry.time_ms(), 1000);
  EXPECT_EQ(entry.actor(), "urn:raakvlak:maastricht:node:politie");
  EXPECT_EQ(entry.role(), "node");
  EXPECT_EQ(entry.action(), "submit");
  EXPECT_EQ(entry.object(), "object");
  EXPECT_EQ(entry.purpose(), "onaantastbaren");
  EXPECT_EQ(entry.legal_basis(), "basis");
  EXPECT_EQ(entry.case_reference(), "case");
  EXPECT_EQ(entry.reason(), "why");
  EXPECT_EQ(entry.result(), "OK");
  EXPECT_EQ(entry.count(), 7u);
  EXPECT_EQ(entry.order_hash(), base::Hex(std::string(32, '\xab')));
  EXPECT_EQ(entry.policy(), "c1/r1");
}

TEST_F(AuditReadingTest, ReadingIsItselfAnEntry) {
  Append("submit", "onaantastbaren");
  v1::ListEntriesRequest request;
  request.set_purpose("onaantastbaren");
  ASSERT_THAT(ListEntries(request), base::testing::IsOk());
  const std::vector<storage::AuditEntry> reads = store_.Audit("audit_read");
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].actor, "urn:raakvlak:maastricht:officer:olga");
  EXPECT_EQ(reads[0].role, "officer");
  EXPECT_EQ(reads[0].purpose, "onaantastbaren");
  EXPECT_EQ(reads[0].count, 1u);
}

TEST_F(AuditReadingTest, WordsThatFoundNothingAreNotWrittenDown) {
  v1::ListEntriesRequest request;
  request.set_actor("Jan Jansen");
  request.set_purpose("Jan Jansen");
  request.set_case_reference("Jan Jansen");
  ASSERT_THAT(ListEntries(request), base::testing::IsOk());
  const storage::AuditEntry read = store_.Audit("audit_read").at(0);
  EXPECT_EQ(read.object + read.purpose + read.case_reference, "");
}

TEST_F(AuditReadingTest, PagesInBothDirectionsHoldEveryEntryOnce) {
  for (int i = 0; i < 10; ++i) Append(i % 2 == 0 ? "submit" : "list", "onaantastbaren");
  for (const bool newest_first : {false, true}) {
    v1::ListEntriesRequest request;
    request.set_action("submit");
    request.set_page_size(2);
    request.set_newest_first(newest_first);
    std::vector<uint64_t> seen;
    do {
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListEntriesResponse page, ListEntries(request));
      for (const v1::AuditEntry& entry : page.entries()) seen.push_back(entry.index());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    const std::vector<uint64_t> oldest_first = {0, 2, 4, 6, 8};
    EXPECT_EQ(seen, newest_first ? std::vector<uint64_t>(oldest_first.rbegin(), oldest_first.rend())
                                 : oldest_first);
  }
}

TEST_F(AuditReadingTest, TimeBoundsTakeFromAndLeaveUntil) {
  for (int i = 0; i < 4; ++i) Append("submit", "onaantastbaren");
  v1::ListEntriesRequest request;
  request.set_from_ms(2000);
  request.set_until_ms(4000);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListEntriesResponse response, ListEntries(request));
  ASSERT_EQ(response.entries_size(), 2);
  EXPECT_EQ(response.entries(0).index(), 1u);
}

TEST_F(AuditReadingTest, BadRequestsAreRefusedAndLogged) {
  v1::ListEntriesRequest large;
  large.set_page_size(1001);
  v1::ListEntriesRequest token;
  token.set_page_token("-1");
  v1::ListEntriesRequest huge_token;
  huge_token.set_page_token("18446744073709551615");
  v1::ListEntriesRequest filter;
  filter.set_actor(std::string(201, 'a'));
  for (const v1::ListEntriesRequest& request : {large, token, huge_token, filter}) {
    EXPECT_THAT(ListEntries(request), HasReason(reason::kInvalidArgument));
  }
  EXPECT_EQ(store_.Audit("refuse").size(), 4u);
  EXPECT_TRUE(store_.Audit("audit_read").empty());
}

TEST_F(AuditReadingTest, NoAnswerWithoutItsEntry) {
  Append("submit", "onaantastbaren");
  store_.FailWrites(FailingStore::Fail::kBefore);
  EXPECT_THAT(ListEntries({}), HasReason(reason::kStorageFailed));
  store_.FailWrites(FailingStore::Fail::kAfter);
  EXPECT_THAT(ListEntries({}), HasReason(reason::kStorageFailed));
}

TEST_F(AuditReadingTest, CovenantThatComesInForceIsAnEntryBeforeItIsKept) {
  server::PolicyLog log(store_, store_, region_.clock(), "raakvlak-broker", "broker");
  policy::Newest newest;
  newest.covenant_id = std::string(32, '\x01');
  newest.covenant_version = 3;
  newest.roster_number = 9;
  store_.FailWrites(FailingStore::Fail::kBefore);
  EXPECT_THAT(log.Store(newest), HasReason(reason::kStorageFailed));
  EXPECT_EQ(log.Load()->covenant_version, 0u) << "nothing is kept without its entry";
  store_.FailWrites(FailingStore::Fail::kNever);
  ASSERT_THAT(log.Store(newest), base::testing::IsOk());
  EXPECT_EQ(log.Load()->roster_number, 9u);
  const storage::AuditEntry entry = store_.Audit("policy_load").at(0);
  EXPECT_EQ(entry.policy, "c3/r9");
  EXPECT_EQ(entry.actor, "raakvlak-broker");
  EXPECT_EQ(entry.object, base::Hex(newest.covenant_id));
}

}  // namespace
}  // namespace raakvlak::broker

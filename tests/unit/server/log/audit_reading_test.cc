#include "server/log/audit_reading.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/leaf.h"
#include "server/log/testing/fakes.h"
#include "server/program/policy_log.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using broker::testing::BrokerRegion;
using broker::testing::FailingStore;

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

  // olga as officer of a partner.
  rpc::Gate::Pass OfficerOf(const std::string& partner) {
    v1::Roster& roster = region_.region().roster();
    for (v1::Member& member : *roster.mutable_members()) {
      if (member.id() == "olga") member.set_partner(partner);
    }
    roster.set_number(roster.number() + 1);
    region_.region().Write();
    return region_.Officer();
  }
  static v1::AuditDetails DetailsOf(const v1::LogEntry& entry) {
    v1::AuditDetails details;
    EXPECT_TRUE(details.ParseFromString(entry.details()));
    return details;
  }
  void WriteFile(const std::string& name, const std::string& content) {
    ASSERT_THAT(folder_->Write(name, content), base::testing::IsOk());
    ASSERT_THAT(folder_->Sync(), base::testing::IsOk());
  }

  int appended_ = 0;
  BrokerRegion region_;
  FailingStore store_;
  base::testing::TemporaryFolder temporary_;
  std::unique_ptr<LogFolder> folder_ = *LogFolder::Open(temporary_.File("log"));
  testing::FakeProver prover_;
  AuditReading reading_{store_.audit_log(), store_, prover_, *folder_, region_.clock()};
};

TEST_F(AuditReadingTest, EntryIsShownWithAllItsFields) {
  Append("submit", "onaantastbaren");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListEntriesResponse response, ListEntries({}));
  ASSERT_EQ(response.entries_size(), 1);
  const v1::LogEntry& logged = response.entries(0);
  EXPECT_EQ(logged.log(), store_.audit_log().Origin(1970));
  EXPECT_EQ(logged.index(), 0u);
  EXPECT_EQ(logged.time_ms(), 1000);
  EXPECT_THAT(crypto::tlog::VerifyLeaf(logged.leaf(), logged.salt(), logged.details()),
              base::testing::IsOk());
  const v1::AuditDetails entry = DetailsOf(logged);
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
  EXPECT_EQ(entry.order_hash(), std::string(32, '\xab'));
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
  EXPECT_EQ(read.object + read.purpose + read.case_reference, "entries");
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
      for (const v1::LogEntry& entry : page.entries()) seen.push_back(entry.index());
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
  token.set_page_token("2026/-1");
  v1::ListEntriesRequest huge_token;
  huge_token.set_page_token("2026/18446744073709551615");
  v1::ListEntriesRequest filter;
  filter.set_actor(std::string(201, 'a'));
  for (const v1::ListEntriesRequest& request : {large, token, huge_token, filter}) {
    EXPECT_THAT(ListEntries(request), HasReason(reason::kInvalidArgument));
  }
  EXPECT_EQ(store_.Audit("refuse").size(), 4u);
  EXPECT_TRUE(store_.Audit("audit_read").empty());
}

TEST_F(AuditReadingTest, AnOfficerOfAPartnerSeesItsOwnEntriesOnly) {
  Append("submit", "onaantastbaren");
  const rpc::Gate::Pass own = OfficerOf("politie");
  EXPECT_EQ(reading_.ListEntries(own, {})->entries_size(), 1);
  v1::GetEntryRequest request;
  request.set_year(1970);
  EXPECT_THAT(reading_.GetEntry(own, request), base::testing::IsOk());
  const rpc::Gate::Pass other = OfficerOf("gemeente");
  // Its own reading, and nothing of the other partner's.
  v1::ListEntriesRequest submits;
  submits.set_action("submit");
  EXPECT_EQ(reading_.ListEntries(other, submits)->entries_size(), 0);
  EXPECT_THAT(reading_.GetEntry(other, request), HasReason(reason::kNotFound));
}

TEST_F(AuditReadingTest, EntryComesWithItsProofOrTheReasonWhyNot) {
  Append("open", "onaantastbaren");
  v1::GetEntryRequest request;
  request.set_year(1970);
  EXPECT_EQ(reading_.GetEntry(region_.Officer(), request)->proof(), "proof of 1970/0");
  prover_.FailWith(base::Error(absl::StatusCode::kUnavailable, reason::kQuorumMissing, "nobody"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::GetEntryResponse unproven,
                                reading_.GetEntry(region_.Officer(), request));
  EXPECT_EQ(unproven.proof(), "");
  EXPECT_EQ(unproven.no_proof_reason(), reason::kQuorumMissing);
  request.set_index(99);
  EXPECT_THAT(reading_.GetEntry(region_.Officer(), request), HasReason(reason::kNotFound));
}

TEST_F(AuditReadingTest, FilesOfTheLogAreGivenAndNoOthers) {
  WriteFile("2026/checkpoint", "the checkpoint");
  WriteFile("2026/tile/0/000", "full tile");
  WriteFile("secret", "of somebody");
  v1::ReadFilesRequest request;
  request.set_year(2026);
  request.add_names("checkpoint");
  // Gone, and its full tile is there.
  request.add_names("tile/0/000.p/7");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ReadFilesResponse response,
                                reading_.ReadFiles(region_.Officer(), request));
  EXPECT_EQ(response.files(0), "the checkpoint");
  EXPECT_EQ(response.files(1), "full tile");
  for (const char* name :
       {"../secret", "secret", "/etc/passwd", "tile/../../secret", "tile/0/0", "", "tmp"}) {
    v1::ReadFilesRequest other;
    other.set_year(2026);
    other.add_names(name);
    EXPECT_THAT(reading_.ReadFiles(region_.Officer(), other), HasReason(reason::kInvalidArgument)) << name;
  }
  EXPECT_EQ(store_.Audit("audit_read").size(), 1u);
}

TEST_F(AuditReadingTest, LogsAreListedWithTheirSizes) {
  Append("open", "onaantastbaren");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListLogsResponse response,
                                reading_.ListLogs(region_.Officer(), {}));
  ASSERT_EQ(response.logs_size(), 1);
  EXPECT_EQ(response.logs(0).year(), 1970u);
  EXPECT_EQ(response.logs(0).size(), 1u);
}

TEST_F(AuditReadingTest, WatchGivesWhatComesInAndNotItself) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(v1::WatchResponse response, reading_.Watch(region_.Officer(), {}));
  EXPECT_EQ(response.entries_size(), 0);
  EXPECT_EQ(store_.Audit("audit_read").size(), 1u);
  v1::WatchRequest request;
  request.set_position(response.position());
  // Nothing but the entry of the watching itself.
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(response, reading_.Watch(region_.Officer(), request));
  EXPECT_EQ(response.entries_size(), 0);
  EXPECT_EQ(store_.Audit("audit_read").size(), 1u);
  Append("open", "onaantastbaren");
  request.set_position(response.position());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(response, reading_.Watch(region_.Officer(), request));
  ASSERT_EQ(response.entries_size(), 1);
  EXPECT_EQ(DetailsOf(response.entries(0)).action(), "open");
  EXPECT_EQ(store_.Audit("audit_read").size(), 2u);
  request.set_position("elsewhere");
  EXPECT_THAT(reading_.Watch(region_.Officer(), request), HasReason(reason::kInvalidArgument));
}

TEST_F(AuditReadingTest, EveryCallLeavesExactlyOneEntry) {
  Append("open", "onaantastbaren");
  v1::ReadFilesRequest files;
  files.add_names("nothing");
  const std::vector<std::function<void()>> calls = {
      [&] { reading_.ListLogs(region_.Officer(), {}).status().IgnoreError(); },
      [&] { reading_.ListEntries(region_.Officer(), {}).status().IgnoreError(); },
      [&] { reading_.GetEntry(region_.Officer(), {}).status().IgnoreError(); },
      [&] { reading_.ReadFiles(region_.Officer(), files).status().IgnoreError(); },
      [&] { reading_.Watch(region_.Officer(), {}).status().IgnoreError(); },
  };
  ASSERT_EQ(calls.size(), AuditMethods().size()) << "an RPC without its test";
  // The first begins the log of the year now.
  calls[0]();
  for (const auto& call : calls) {
    const size_t before = store_.Audit().size();
    call();
    EXPECT_EQ(store_.Audit().size(), before + 1);
  }
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
}  // namespace raakvlak::log

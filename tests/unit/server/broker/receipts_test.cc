// What a submit's receipts prove, ProveEntry, and what the sizes of the log tell of overlap: nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/receipt.h"
#include "server/broker/entry_prover.h"
#include "server/broker/exchange.h"
#include "server/broker/expiry.h"
#include "server/broker/matcher.h"
#include "server/log/testing/fakes.h"
#include "server/storage/sqlite/broker_store.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using testing::BrokerRegion;
using testing::kListPurpose;

class ReceiptsTest : public ::testing::Test {
 protected:
  v1::SubmitResponse Submit(const std::string& partner, const std::vector<v1::Envelope>& envelopes) {
    v1::SubmitRequest request;
    for (const v1::Envelope& envelope : envelopes) *request.add_envelopes() = envelope;
    const auto response = exchange_.Submit(region_.Node(partner), request);
    EXPECT_THAT(response, IsOk());
    return response.ok() ? *response : v1::SubmitResponse();
  }
  std::vector<v1::Envelope> Envelopes(size_t count) {
    std::vector<v1::Envelope> envelopes;
    for (size_t i = 0; i < count; ++i) envelopes.push_back(region_.MakeEnvelope("politie", kListPurpose));
    return envelopes;
  }
  static v1::LoggedSignal Logged(const v1::SubmitResponse& response, int number) {
    const v1::SubmitReceipt& receipt = response.receipts(number);
    v1::LoggedSignal logged;
    logged.set_envelope_hash(receipt.envelope_hash());
    if (receipt.entry() > 0)
      *logged.mutable_entry() = response.entries(static_cast<int>(receipt.entry()) - 1);
    logged.set_position(receipt.position());
    logged.set_batch(receipt.batch());
    logged.set_path(receipt.path());
    return logged;
  }
  absl::Status Check(const v1::SubmitResponse& response, int number, const v1::Envelope& envelope) {
    return policy::CheckLogged(Logged(response, number), *region_.Snapshot().covenant, "politie",
                               kListPurpose, base::Sha256(envelope.body()));
  }
  absl::StatusOr<v1::ProveEntryResponse> Prove(const std::string& partner, uint64_t index,
                                               uint32_t year = 2027) {
    v1::ProveEntryRequest request;
    request.set_year(year);
    request.set_index(index);
    return entry_prover_.ProveEntry(region_.Node(partner), request);
  }
  storage::AuditEntry Newest() { return storage::testing::Entries(store_.audit_log()).back(); }
  size_t LogSize() { return storage::testing::Entries(store_.audit_log()).size(); }

  BrokerRegion region_;
  storage::MemoryBrokerStore store_{TestRegion::Urn("broker", "centre")};
  log::testing::FakeProver prover_;
  Exchange exchange_{store_, region_.clock()};
  EntryProver entry_prover_{store_, prover_, region_.clock()};
};

TEST_F(ReceiptsTest, EachAcceptedEnvelopeIsLedToTheEntryOfItsBatch) {
  for (const size_t count : {1, 2, 5, 256}) {
    const std::vector<v1::Envelope> envelopes = Envelopes(count);
    const v1::SubmitResponse response = Submit("politie", envelopes);
    ASSERT_EQ(response.entries_size(), 1);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_THAT(Check(response, static_cast<int>(i), envelopes[i]), IsOk()) << i << " of " << count;
      EXPECT_EQ(response.receipts(static_cast<int>(i)).position(), i);
    }
    EXPECT_EQ(Newest().count, count);
  }
}

TEST_F(ReceiptsTest, OnlyWhatIsNewIsInTheTree) {
  std::vector<v1::Envelope> envelopes = Envelopes(3);
  const v1::SubmitResponse before = Submit("politie", {envelopes[0]});
  // Known; new; not signed by its partner; new; the same again.
  v1::Envelope broken = region_.MakeEnvelope("politie", kListPurpose);
  broken.mutable_signature()->front() ^= 1;
  const v1::SubmitResponse response =
      Submit("politie", {envelopes[0], envelopes[1], broken, envelopes[2], envelopes[1]});
  EXPECT_EQ(Newest().action, "refuse");
  EXPECT_EQ(Newest().batch_root, "");
  for (const auto& [number, envelope] : std::vector<std::pair<int, int>>{{0, 0}, {1, 1}, {3, 2}, {4, 1}}) {
    EXPECT_THAT(Check(response, number, envelopes[static_cast<size_t>(envelope)]), IsOk()) << number;
  }
  EXPECT_EQ(response.entries_size(), 2);
  EXPECT_EQ(Logged(response, 0).SerializeAsString(), Logged(before, 0).SerializeAsString());
  EXPECT_EQ(Logged(response, 4).SerializeAsString(), Logged(response, 1).SerializeAsString());
  EXPECT_EQ(response.receipts(1).batch(), 2u);
  EXPECT_EQ(response.receipts(3).position(), 1u);
  EXPECT_EQ(response.receipts(2).entry(), 0u) << "refused";
}

TEST_F(ReceiptsTest, ARepetitionGetsTheSameReceiptInWhateverBatch) {
  const std::vector<v1::Envelope> first = Envelopes(3);
  const std::vector<v1::Envelope> second = Envelopes(2);
  const v1::SubmitResponse a = Submit("politie", first);
  const v1::SubmitResponse b = Submit("politie", second);
  const v1::SubmitResponse again = Submit("politie", {second[1], first[2], first[0], second[0]});
  EXPECT_EQ(Newest().batch_root, base::Sha256("")) << "nothing was new";
  EXPECT_EQ(again.entries_size(), 2);
  const std::vector<std::string> want = {Logged(b, 1).SerializeAsString(), Logged(a, 2).SerializeAsString(),
                                         Logged(a, 0).SerializeAsString(), Logged(b, 0).SerializeAsString()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Logged(again, i).SerializeAsString(), want[static_cast<size_t>(i)]) << i;
  }
}

TEST_F(ReceiptsTest, ItIsKeptForAsLongAsTheSignalLives) {
  const std::vector<v1::Envelope> envelopes = Envelopes(2);
  const v1::SubmitResponse first = Submit("politie", envelopes);
  const uint32_t last_day = BrokerRegion::HeaderOf(envelopes[0]).expiry_day() - 1;
  Expiry expiry(store_, region_.clock(), TestRegion::Urn("broker", "centre"));
  ASSERT_THAT(expiry.Run({last_day, 365, "c1/r1"}), IsOk());
  EXPECT_EQ(Logged(Submit("politie", envelopes), 1).SerializeAsString(),
            Logged(first, 1).SerializeAsString());
}

TEST_F(ReceiptsTest, AfterTheirTermTheDetailsAreGoneAndTheLeafIsNot) {
  const std::vector<v1::Envelope> envelopes = Envelopes(1);
  const v1::SubmitResponse before = Submit("politie", envelopes);
  region_.clock().Advance(absl::Hours(1));
  ASSERT_THAT(store_.audit_log().EraseDetails(absl::ToUnixMillis(region_.clock().Now()), {}), IsOk());
  const v1::SubmitResponse after = Submit("politie", envelopes);
  ASSERT_EQ(after.entries_size(), 1);
  EXPECT_EQ(after.entries(0).leaf(), before.entries(0).leaf());
  EXPECT_EQ(after.entries(0).salt() + after.entries(0).details(), "");
  EXPECT_THAT(Check(after, 0, envelopes[0]), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Prove("politie", 0), HasReason(reason::kNotFound));
}

TEST_F(ReceiptsTest, AProofIsForEntriesOfOwnSubmitsAndEachCallIsOneEntry) {
  const std::vector<v1::Envelope> envelopes = Envelopes(2);
  Submit("politie", envelopes);                                          // entry 0
  Submit("gemeente", {region_.MakeEnvelope("gemeente", kListPurpose)});  // entry 1
  v1::WithdrawSignalsRequest withdrawal;
  *withdrawal.add_withdrawals() =
      region_.MakeWithdrawal("politie", BrokerRegion::HeaderOf(envelopes[0]).signal_id());
  ASSERT_THAT(exchange_.Withdraw(region_.Node("politie"), withdrawal), IsOk());  // entry 2

  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ProveEntryResponse proven, Prove("politie", 0));
  EXPECT_EQ(proven.proof(), "proof of 2027/0");
  EXPECT_EQ(LogSize(), 4u);
  EXPECT_EQ(Newest().action, "prove");
  EXPECT_EQ(Newest().object, "2027/0");
  EXPECT_EQ(Newest().actor, TestRegion::Urn("node", "politie"));
  struct Case {
    const char* what;
    uint64_t index;
    uint32_t year;
  };
  for (const Case& each :
       {Case{"of another partner", 1, 2027}, Case{"a withdrawal", 2, 2027}, Case{"a proof", 3, 2027},
        Case{"not there", 99, 2027}, Case{"of another year", 0, 2026}}) {
    const size_t before = LogSize();
    EXPECT_THAT(Prove("politie", each.index, each.year), HasReason(reason::kNotFound)) << each.what;
    EXPECT_EQ(LogSize(), before + 1) << each.what;
    EXPECT_EQ(Newest().action, "refuse") << each.what;
    EXPECT_EQ(Newest().result, reason::kNotFound) << each.what;
  }
  prover_.FailWith(base::Error(absl::StatusCode::kUnavailable, reason::kQuorumMissing, "two of four"));
  const size_t before = LogSize();
  EXPECT_THAT(Prove("politie", 0), HasReason(reason::kQuorumMissing));
  EXPECT_EQ(LogSize(), before + 1);
  EXPECT_EQ(Newest().result, reason::kQuorumMissing);
}

// What an operator sees of the log without the details key.
struct LogShape {
  std::vector<size_t> leaves;
  std::vector<int> details;
  bool operator==(const LogShape&) const = default;
};

// Submits, matches, withdraws and matches again; the partners' signals are on the same people or not.
LogShape ShapeOfWork(BrokerRegion& region, bool overlap) {
  base::testing::TemporaryFolder folder;
  const std::string path = folder.File("broker.db");
  auto opened = storage::SqliteBrokerStore::Open(path, storage::testing::TestCodec());
  EXPECT_THAT(opened, IsOk());
  storage::SqliteBrokerStore& store = **opened;
  base::testing::SeededRandom random(1);
  // Small batches: a run takes many transactions, each of which is an entry.
  Matcher matcher(store, region.clock(), random, TestRegion::Urn("broker", "centre"), 4);
  Exchange exchange(store, region.clock());
  constexpr size_t kPeople = 12;
  v1::WithdrawSignalsRequest withdrawals;
  for (const std::string partner : {"politie", "gemeente", "jeugdzorg"}) {
    v1::SubmitRequest request;
    for (size_t person = 0; person < kPeople; ++person) {
      *request.add_envelopes() =
          region.MakeEnvelope(partner, kListPurpose, [&](auto&, v1::EnvelopeBody& body) {
            for (int token = 0; overlap && token < body.tokens_size(); ++token) {
              const std::string same = base::Sha256(absl::StrCat(person, "/", token));
              body.mutable_tokens(token)->set_tag(same.substr(0, 16));
              if (!body.tokens(token).commitments().empty()) {
                body.mutable_tokens(token)->set_commitments(same + same);
              }
            }
          });
      if (partner == "gemeente") {
        *withdrawals.add_withdrawals() = region.MakeWithdrawal(
            partner, BrokerRegion::HeaderOf(request.envelopes(static_cast<int>(person))).signal_id());
      }
    }
    const auto response = exchange.Submit(region.Node(partner), request);
    EXPECT_THAT(response, IsOk());
    for (const auto& receipt : response->receipts()) EXPECT_TRUE(receipt.accepted());
  }
  EXPECT_THAT(matcher.Run(TermsOf(region.Snapshot())), IsOk());
  uint64_t matches = 0;
  EXPECT_THAT(
      store.Read("count",
                 [&](storage::BrokerReader& reader) -> absl::Status {
                   RAAKVLAK_ASSIGN_OR_RETURN(const auto found, reader.ListMatches({kListPurpose, false}));
                   matches = found.size();
                   return absl::OkStatus();
                 }),
      IsOk());
  EXPECT_EQ(matches, overlap ? kPeople : 0);
  EXPECT_THAT(exchange.Withdraw(region.Node("gemeente"), withdrawals), IsOk());
  EXPECT_THAT(matcher.Run(TermsOf(region.Snapshot())), IsOk());

  LogShape shape;
  const auto leaves = store.audit_log().ReadLeaves(2027, 0, 1000);
  for (const std::string& leaf : *leaves) shape.leaves.push_back(leaf.size());
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  sqlite3_stmt* rows = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, "SELECT length(sealed) FROM log_detail ORDER BY entry", -1, &rows,
                               nullptr),
            SQLITE_OK);
  while (sqlite3_step(rows) == SQLITE_ROW) shape.details.push_back(sqlite3_column_int(rows, 0));
  sqlite3_finalize(rows);
  sqlite3_close(database);
  return shape;
}

TEST(LogShapeTest, TheLogIsOfTheSameShapeWithAndWithoutOverlap) {
  BrokerRegion region;
  const LogShape with = ShapeOfWork(region, true);
  EXPECT_EQ(with, ShapeOfWork(region, false));
  // Three submits, nine transactions of the first run, the withdrawal, three of the second.
  EXPECT_EQ(with.leaves.size(), 16u);
  EXPECT_EQ(with.details.size(), 16u);
  for (const int size : with.details) EXPECT_EQ((size - 40) % 256, 0) << size;
}

}  // namespace
}  // namespace raakvlak::broker

#include "server/node/intake.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/storage/sqlite/node_store.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using testing::NodeWorld;
using v1::Record;

struct Rejection {
  const char* name;
  const char* partner;
  std::function<void(Record&)> change;
  const char* reason;
  const char* field;
};

class IntakeRejectionTest : public ::testing::TestWithParam<Rejection> {};

const Rejection kRejections[] = {
    {"NoClientRef", "politie", [](Record& r) { r.clear_client_ref(); }, "FIELD_MISSING", "client_ref"},
    {"LongClientRef", "politie", [](Record& r) { r.set_client_ref(std::string(129, 'x')); }, "FIELD_TOO_LONG",
     "client_ref"},
    {"NoPurpose", "politie", [](Record& r) { r.clear_purpose(); }, "FIELD_MISSING", "purpose"},
    {"NoKind", "politie", [](Record& r) { r.clear_kind(); }, "FIELD_MISSING", "kind"},
    {"NoCategory", "politie", [](Record& r) { r.clear_category(); }, "FIELD_MISSING", "category"},
    {"LongContact", "politie", [](Record& r) { r.set_contact(std::string(257, 'x')); }, "FIELD_TOO_LONG",
     "contact"},
    {"LongNote", "politie", [](Record& r) { r.set_note(std::string(2001, 'x')); }, "FIELD_TOO_LONG", "note"},
    {"UnknownPurpose", "politie", [](Record& r) { r.set_purpose("anders"); }, "PURPOSE_UNKNOWN", "purpose"},
    {"NotASubmitter", "jeugdzorg", [](Record& r) { r.set_purpose("gezinsaanpak"); }, "PURPOSE_NOT_ALLOWED",
     "purpose"},
    {"UnknownKind", "politie", [](Record& r) { r.set_kind("SIGNAL"); }, "KIND_INVALID", "kind"},
    {"CaseOfACareBody", "jeugdzorg", [](Record& r) { r.set_kind("case_report"); }, "KIND_NOT_ALLOWED",
     "kind"},
    {"UnknownCategory", "politie", [](Record& r) { r.set_category("roddel"); }, "CATEGORY_UNKNOWN",
     "category"},
    {"BsnFailsElevenTest", "politie", [](Record& r) { r.set_bsn("999993848"); }, "BSN_INVALID", "bsn"},
    {"BsnAllZero", "politie", [](Record& r) { r.set_bsn("000000000"); }, "BSN_INVALID", "bsn"},
    {"BsnNotEntitled", "woningcorporatie", [](Record&) {}, "BSN_NOT_ENTITLED", "bsn"},
    {"BsnOutsideTestRange", "politie", [](Record& r) { r.set_bsn("111222333"); }, "BSN_OUTSIDE_TEST_RANGE",
     "bsn"},
    {"ImpossibleDate", "politie", [](Record& r) { r.set_birth_date("2014-02-30"); }, "DATE_INVALID",
     "birth_date"},
    {"DateInTheFuture", "politie", [](Record& r) { r.set_birth_date("2030-01-01"); }, "DATE_INVALID",
     "birth_date"},
    {"Postcode", "politie", [](Record& r) { r.set_postcode("62110"); }, "POSTCODE_INVALID", "postcode"},
    {"HouseNumber", "politie", [](Record& r) { r.set_house_number("0"); }, "HOUSE_NUMBER_INVALID",
     "house_number"},
    {"HouseLetter", "politie", [](Record& r) { r.set_house_letter("AB"); }, "HOUSE_LETTER_INVALID",
     "house_letter"},
    {"HouseSuffix", "politie", [](Record& r) { r.set_house_suffix("abcde"); }, "HOUSE_SUFFIX_INVALID",
     "house_suffix"},
    {"LongSurname", "politie", [](Record& r) { r.set_surname(std::string(257, 'x')); }, "FIELD_TOO_LONG",
     "surname"},
    {"SurnameThatGrowsWhenFolded", "politie",
     [](Record& r) {
       std::string name;
       for (int i = 0; i < 80; ++i) name += "\uFDFA";
       r.set_surname(name);
     },
     "FIELD_TOO_LONG", "surname"},
    {"SixteenForYouth", "politie",
     [](Record& r) {
       r.set_purpose("risicojeugd");
       r.set_birth_date("2011-01-15");
     },
     "AGE_NOT_ALLOWED", "birth_date"},
    {"NoBirthDateForYouth", "politie",
     [](Record& r) {
       r.set_purpose("risicojeugd");
       r.clear_birth_date();
     },
     "AGE_UNKNOWN", "birth_date"},
    {"NoRuleComplete", "politie",
     [](Record& r) {
       r.clear_bsn();
       r.clear_given_names();
     },
     "NO_RULE_APPLIES", ""},
    {"AddressForAPersonPurpose", "politie",
     [](Record& r) {
       r.clear_bsn();
       r.clear_surname();
     },
     "NO_RULE_APPLIES", ""},
};

INSTANTIATE_TEST_SUITE_P(Table, IntakeRejectionTest, ::testing::ValuesIn(kRejections),
                         [](const auto& rejection) { return rejection.param.name; });

TEST_P(IntakeRejectionTest, NamesReasonAndFieldAndTheOtherRowsArrive) {
  NodeWorld world([](v1::Covenant& covenant) {
    auto& submitters = *covenant.mutable_purposes(2)->mutable_submitters();
    submitters.erase(std::find(submitters.begin(), submitters.end(), "jeugdzorg"));
  });
  const std::string partner = GetParam().partner;
  const bool bsn = partner != "woningcorporatie";
  v1::PushRequest request;
  *request.add_records() = NodeWorld::RecordOf("before", "onaantastbaren", bsn);
  *request.add_records() = NodeWorld::RecordOf("wrong");
  GetParam().change(*request.mutable_records(1));
  *request.add_records() = NodeWorld::RecordOf("after", "onaantastbaren", bsn);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response,
                                world.node(partner).intake->Push(world.ItPass(partner), request));
  ASSERT_EQ(response.receipts_size(), 3);
  EXPECT_EQ(response.receipts(0).result(), v1::ACCEPTED);
  EXPECT_EQ(response.receipts(2).result(), v1::ACCEPTED);
  const v1::PushReceipt& rejected = response.receipts(1);
  EXPECT_EQ(rejected.result(), v1::REJECTED);
  EXPECT_EQ(rejected.reason(), GetParam().reason);
  EXPECT_EQ(rejected.field(), GetParam().field);
  EXPECT_EQ(rejected.signal_id(), "");
  EXPECT_EQ(world.StateOf(partner, "wrong").state(), v1::SIGNAL_STATE_UNSPECIFIED);
  for (const char* secret : {"999993847", "Vermeulen", "2014", "6211", "buren"}) {
    EXPECT_THAT(rejected.message(), ::testing::Not(::testing::HasSubstr(secret)));
  }
}

class IntakeTest : public ::testing::Test {
 protected:
  v1::WithdrawRequest WithdrawalOf(const std::string& client_ref, const std::string& reason = "risk_over") {
    v1::WithdrawRequest request;
    request.set_client_ref(client_ref);
    request.set_reason(reason);
    return request;
  }
  absl::StatusOr<v1::WithdrawResponse> Withdraw(const v1::WithdrawRequest& request) {
    return world_.node("politie").intake->Withdraw(world_.ItPass("politie"), request);
  }
  std::vector<storage::AuditEntry> Audit(const std::string& action) {
    storage::AuditFilter filter;
    filter.action = action;
    return storage::testing::Entries(world_.node("politie").environment.store->audit_log(), filter);
  }
  NodeWorld world_;
};

TEST_F(IntakeTest, ARecordIsAcceptedAndQueued) {
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  EXPECT_EQ(receipt.result(), v1::ACCEPTED);
  EXPECT_EQ(receipt.signal_id().size(), 16u);
  const v1::SignalStatus status = world_.StateOf("politie", "ref-1");
  EXPECT_EQ(status.client_ref(), "ref-1");
  EXPECT_EQ(status.state(), v1::QUEUED);
  EXPECT_EQ(status.purpose(), "onaantastbaren");
  EXPECT_EQ(status.signal_id(), receipt.signal_id());
  EXPECT_EQ(status.received_ms(), absl::ToUnixMillis(world_.clock().Now()));
}

TEST_F(IntakeTest, SubjectsUnderSixteenAreTakenUntilTheirBirthday) {
  // The clock says 15 January 2027 in Amsterdam.
  v1::Record record = NodeWorld::RecordOf("ref-1", "risicojeugd");
  record.set_birth_date("2011-01-16");
  EXPECT_EQ(world_.Push("politie", record).result(), v1::ACCEPTED);
}

TEST_F(IntakeTest, FieldsThatNoRuleNeedsAreAcceptedAndNotMatchedOn) {
  v1::Record record = NodeWorld::RecordOf("ref-1", "gezinsaanpak");
  EXPECT_EQ(world_.Push("politie", record).result(), v1::ACCEPTED);
  world_.Drain("politie");
  ASSERT_EQ(world_.broker().taken.size(), 1u);
  EXPECT_EQ(world_.broker().taken.begin()->second.header.rules_size(), 1);
}

TEST_F(IntakeTest, TheSameRecordAgainIsKnownAndNothingNew) {
  const v1::PushReceipt first = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  const v1::PushReceipt again = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  EXPECT_EQ(again.result(), v1::KNOWN);
  EXPECT_EQ(again.signal_id(), first.signal_id());
  world_.Drain("politie");
  EXPECT_EQ(world_.Push("politie", NodeWorld::RecordOf("ref-1")).result(), v1::KNOWN);
  EXPECT_EQ(world_.broker().taken.size(), 1u);
}

TEST_F(IntakeTest, TheSameRecordTwiceInOneBatchIsTakenOnce) {
  v1::PushRequest request;
  *request.add_records() = NodeWorld::RecordOf("ref-1");
  *request.add_records() = NodeWorld::RecordOf("ref-1");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response,
                                world_.node("politie").intake->Push(world_.ItPass("politie"), request));
  EXPECT_EQ(response.receipts(0).result(), v1::ACCEPTED);
  EXPECT_EQ(response.receipts(1).result(), v1::KNOWN);
}

TEST_F(IntakeTest, EveryFieldCountsForBeingTheSame) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  const auto* descriptor = Record::descriptor();
  int changed = 0;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->name() == "client_ref") continue;
    v1::Record record = NodeWorld::RecordOf("ref-1");
    const std::map<std::string, std::string> valid = {{"purpose", "gezinsaanpak"},  {"kind", "case_report"},
                                                      {"category", "schulden"},     {"bsn", ""},
                                                      {"birth_date", "2014-03-06"}, {"postcode", "6211XY"},
                                                      {"house_number", "18"},       {"house_letter", "A"},
                                                      {"house_suffix", "bis"}};
    const auto value = valid.find(field->name());
    record.GetReflection()->SetString(&record, field, value == valid.end() ? "anders" : value->second);
    const v1::PushReceipt receipt = world_.Push("politie", record);
    EXPECT_EQ(receipt.reason(), "CLIENT_REF_CONFLICT") << field->name();
    EXPECT_EQ(receipt.field(), "client_ref");
    ++changed;
  }
  EXPECT_EQ(changed, 14);
}

TEST_F(IntakeTest, ARecordThatBecameInvalidIsStillKnown) {
  v1::Record record = NodeWorld::RecordOf("ref-1", "risicojeugd");
  record.set_birth_date("2011-01-16");
  EXPECT_EQ(world_.Push("politie", record).result(), v1::ACCEPTED);
  world_.Drain("politie");
  world_.clock().Advance(absl::Hours(48));
  EXPECT_EQ(world_.Push("politie", record).result(), v1::KNOWN);
  record.set_client_ref("ref-2");
  EXPECT_EQ(world_.Push("politie", record).reason(), "AGE_NOT_ALLOWED");
}

TEST_F(IntakeTest, ABatchWithoutRecordsOrWithTooManyIsRefused) {
  v1::PushRequest request;
  EXPECT_THAT(world_.node("politie").intake->Push(world_.ItPass("politie"), request),
              HasReason("INVALID_ARGUMENT"));
  for (int i = 0; i <= kMaxPushBatch; ++i) request.add_records();
  EXPECT_THAT(world_.node("politie").intake->Push(world_.ItPass("politie"), request), HasReason("TOO_LARGE"));
}

TEST_F(IntakeTest, EachBatchIsOneAuditEntryWithCountsAndWithoutContent) {
  v1::PushRequest request;
  *request.add_records() = NodeWorld::RecordOf("ref-1");
  *request.add_records() = NodeWorld::RecordOf("ref-1");
  *request.add_records() = NodeWorld::RecordOf("ref-2", "anders");
  *request.add_records() = NodeWorld::RecordOf("ref-3");
  ASSERT_THAT(world_.node("politie").intake->Push(world_.ItPass("politie"), request), IsOk());
  const auto entries = Audit("intake");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "urn:raakvlak:maastricht:it:politie");
  EXPECT_EQ(entries[0].role, "it");
  EXPECT_EQ(entries[0].count, 2u);
  EXPECT_EQ(entries[0].reason, "2 accepted, 1 known, 1 rejected");
  EXPECT_EQ(entries[0].policy, "c1/r1");
}

TEST_F(IntakeTest, AReceiptIsGivenOnlyWhenTheSignalIsStored) {
  testing::FlakyStore flaky(*world_.node("politie").environment.store, 1, testing::FlakyStore::When::kBefore);
  storage::NodeStore* store = world_.node("politie").environment.store;
  world_.Restart("politie", &flaky);
  v1::PushRequest request;
  *request.add_records() = NodeWorld::RecordOf("ref-1");
  EXPECT_THAT(world_.node("politie").intake->Push(world_.ItPass("politie"), request),
              HasReason("STORAGE_FAILED"));
  world_.Restart("politie", store);
  EXPECT_EQ(world_.Push("politie", NodeWorld::RecordOf("ref-1")).result(), v1::ACCEPTED);
}

TEST_F(IntakeTest, AQueuedSignalThatWasNeverSentIsWithdrawnAtOnceAndTheBrokerNeverHears) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, Withdraw(WithdrawalOf("ref-1")));
  EXPECT_EQ(response.status().state(), v1::WITHDRAWN);
  EXPECT_EQ(response.status().reason(), "risk_over");
  world_.Drain("politie");
  EXPECT_TRUE(world_.broker().batches.empty());
  EXPECT_TRUE(world_.broker().withdrawn.empty());
  EXPECT_EQ(Audit("withdraw").size(), 1u);
}

TEST_F(IntakeTest, ASubmittedSignalIsWithdrawnAtTheBrokerToo) {
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, Withdraw(WithdrawalOf("ref-1", "unjust")));
  EXPECT_EQ(response.status().state(), v1::WITHDRAWN);
  world_.Drain("politie");
  EXPECT_THAT(world_.broker().withdrawn, ::testing::ElementsAre(receipt.signal_id()));
  EXPECT_TRUE(world_.broker().taken.empty());
  EXPECT_TRUE(world_.node("politie").environment.store->Withdrawals(10)->empty());
}

TEST_F(IntakeTest, WithdrawingAgainIsTheSameAsOnce) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  ASSERT_THAT(Withdraw(WithdrawalOf("ref-1")), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto again, Withdraw(WithdrawalOf("ref-1", "unjust")));
  EXPECT_EQ(again.status().reason(), "risk_over");
  const std::vector<storage::AuditEntry> entries = Audit("withdraw");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].count, 1u);
  EXPECT_EQ(entries[1].count, 0u);
}

TEST_F(IntakeTest, WithdrawalRefusals) {
  EXPECT_THAT(Withdraw(WithdrawalOf("never")), HasReason("NOT_FOUND"));
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  EXPECT_THAT(Withdraw(WithdrawalOf("ref-1", "because")), HasReason("INVALID_ARGUMENT"));
  EXPECT_EQ(world_.StateOf("politie", "ref-1").state(), v1::QUEUED);
}

TEST_F(IntakeTest, AWithdrawnClientRefDoesNotComeBack) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  ASSERT_THAT(Withdraw(WithdrawalOf("ref-1")), IsOk());
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  EXPECT_EQ(receipt.reason(), "CLIENT_REF_ENDED");
  EXPECT_EQ(receipt.field(), "client_ref");
}

TEST_F(IntakeTest, ARefusedSignalMayBePushedAnewAsANewSignal) {
  world_.broker().refuse_with = "PURPOSE_NOT_ALLOWED";
  const v1::PushReceipt first = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  EXPECT_EQ(world_.StateOf("politie", "ref-1").state(), v1::REFUSED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "PURPOSE_NOT_ALLOWED");
  world_.broker().refuse_with.clear();
  const v1::PushReceipt second = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  EXPECT_EQ(second.result(), v1::ACCEPTED);
  EXPECT_NE(second.signal_id(), first.signal_id());
  world_.Drain("politie");
  EXPECT_EQ(world_.StateOf("politie", "ref-1").state(), v1::SUBMITTED);
}

TEST_F(IntakeTest, ListingPagesThroughAllInOrderOfArrival) {
  for (int i = 0; i < 5; ++i) world_.Push("politie", NodeWorld::RecordOf(absl::StrCat("ref-", 9 - i)));
  v1::ListSignalsRequest request;
  request.set_page_size(2);
  std::vector<std::string> refs;
  do {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(
        const auto page, world_.node("politie").intake->ListSignals(world_.ItPass("politie"), request));
    for (const auto& signal : page.signals()) refs.push_back(signal.client_ref());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(refs, ::testing::ElementsAre("ref-9", "ref-8", "ref-7", "ref-6", "ref-5"));
}

TEST_F(IntakeTest, ListingRefusesAForeignPageToken) {
  v1::ListSignalsRequest request;
  for (const char* token : {"x", "-1", "99999999999999999999", "9223372036854775808"}) {
    request.set_page_token(token);
    EXPECT_THAT(world_.node("politie").intake->ListSignals(world_.ItPass("politie"), request),
                HasReason("INVALID_ARGUMENT"))
        << token;
  }
  request.clear_page_token();
  request.set_page_size(1001);
  EXPECT_THAT(world_.node("politie").intake->ListSignals(world_.ItPass("politie"), request),
              HasReason("INVALID_ARGUMENT"));
}

TEST_F(IntakeTest, EveryAnswerToAReaderLeavesAnEntry) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Push("politie", NodeWorld::RecordOf("ref-2"));
  world_.StateOf("politie", "ref-1");
  ASSERT_THAT(world_.node("politie").intake->ListSignals(world_.ItPass("politie"), {}), IsOk());
  const std::vector<storage::AuditEntry> read = Audit("intake_read");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].object, "state");
  EXPECT_EQ(read[0].purpose, "onaantastbaren");
  EXPECT_EQ(read[0].actor, world_.ItPass("politie").caller.urn);
  EXPECT_EQ(read[1].object, "signals");
  EXPECT_EQ(read[1].count, 2u);
}

TEST_F(IntakeTest, ListingByStateShowsOnlyThose) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  world_.Push("politie", NodeWorld::RecordOf("ref-2"));
  v1::ListSignalsRequest request;
  request.set_state(v1::QUEUED);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const auto page, world_.node("politie").intake->ListSignals(world_.ItPass("politie"), request));
  ASSERT_EQ(page.signals_size(), 1);
  EXPECT_EQ(page.signals(0).client_ref(), "ref-2");
}

TEST(IntakeOnDiskTest, ReceiptsSurviveReopening) {
  base::testing::TemporaryFolder folder;
  NodeWorld world;
  {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(
        auto store, storage::SqliteNodeStore::Open(folder.File("node.db"), storage::testing::TestCodec()));
    world.Restart("politie", store.get());
    EXPECT_EQ(world.Push("politie", NodeWorld::RecordOf("ref-1")).result(), v1::ACCEPTED);
    world.node("politie").sender.reset();
  }
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      auto store, storage::SqliteNodeStore::Open(folder.File("node.db"), storage::testing::TestCodec()));
  world.Restart("politie", store.get());
  EXPECT_EQ(world.Push("politie", NodeWorld::RecordOf("ref-1")).result(), v1::KNOWN);
  world.Drain("politie");
  EXPECT_EQ(world.StateOf("politie", "ref-1").state(), v1::SUBMITTED);
  world.node("politie").sender.reset();
}

TEST(IntakeOnDiskTest, NoFileOfTheDatabaseHoldsAnIdentityOrAnUnkeyedDigestOfOne) {
  base::testing::TemporaryFolder folder;
  NodeWorld world;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      auto store, storage::SqliteNodeStore::Open(folder.File("node.db"), storage::testing::TestCodec()));
  world.Restart("politie", store.get());
  const v1::Record record = NodeWorld::RecordOf("GEHEIM-REFERENTIE-77");
  world.broker().away = true;
  world.Push("politie", record);
  world.Drain("politie");
  ASSERT_FALSE(
      world.node("politie").environment.store->Queued("onaantastbaren", 0, 1)->front().envelope.empty());

  std::vector<std::string> secrets;
  const auto* descriptor = Record::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const std::string& name = descriptor->field(i)->name();
    const std::string value = record.GetReflection()->GetString(record, descriptor->field(i));
    // What everyone may see, or what is too short to be searched for.
    if (value.size() < 4 || name == "purpose" || name == "kind") continue;
    secrets.push_back(value);
    secrets.push_back(base::Sha256(value));
    secrets.push_back(base::Hex(base::Sha256(value)));
    secrets.push_back(absl::AsciiStrToLower(value));
  }
  secrets.push_back("vermeulenokafor");
  secrets.push_back("6211XZ");
  secrets.push_back(base::Sha256(record.SerializeAsString()));
  ASSERT_GT(secrets.size(), 30u);
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string bytes, base::ReadFile(file.path().string(), 64 << 20));
    ++files;
    for (const std::string& secret : secrets) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << file.path() << " holds " << base::Hex(secret);
    }
  }
  EXPECT_GE(files, 2) << "the database and its log of writes";
  world.node("politie").sender.reset();
}

}  // namespace
}  // namespace raakvlak::node

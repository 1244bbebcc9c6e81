// Matches: orders, what is listed, what is opened, entries, storage that fails. Matches come from the real
// Matcher.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/envelope.h"
#include "server/broker/exchange.h"
#include "server/broker/matcher.h"
#include "server/broker/matches.h"
#include "server/log/testing/fakes.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/broker/broker_region.h"
#include "tests/unit/server/broker/matches_fixture.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using testing::BrokerRegion;
using ::testing::ElementsAre;
using testing::FailingStore;
using testing::kCasePurpose;
using testing::kHouseholdPurpose;
using testing::kListPurpose;
using testing::MatchesTest;

TEST_F(MatchesTest, ListShowsWhoOverlapsAndByWhatButOnlyOfThePurpose) {
  Signal("politie", kListPurpose, "a");
  Signal("woningcorporatie", kListPurpose, "a");
  Signal("jeugdzorg", kListPurpose, "alone");
  Signal("politie", kCasePurpose, "a", v1::CASE_REPORT);
  Signal("gemeente", kCasePurpose, "a");
  RunMatcher();
  const std::vector<v1::MatchSummary> matches = ListAll(kListPurpose);
  ASSERT_EQ(matches.size(), 1u);
  const v1::MatchSummary& match = matches[0];
  EXPECT_EQ(match.match_id().size(), 16u);
  EXPECT_EQ(match.purpose(), kListPurpose);
  EXPECT_EQ(match.subject(), v1::PERSON_SUBJECT);
  EXPECT_EQ(match.quality(), v1::STRONG);
  EXPECT_THAT(match.rules(), ElementsAre("address", "surname-initial-birthdate"));
  EXPECT_THAT(match.partners(), ElementsAre("politie", "woningcorporatie"));
  EXPECT_EQ(match.signals(), 2u);
  EXPECT_EQ(match.first_day(), region_.Today());
  EXPECT_EQ(match.state(), v1::OPEN);
  EXPECT_EQ(match.contents_digest().size(), 32u);
}

TEST_F(MatchesTest, EntryOfAListNamesTheMemberAndTheOrder) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::Order order = region_.MakeListOrder(kListPurpose);
  ASSERT_THAT(List(order), IsOk());
  const std::vector<storage::AuditEntry> entries = store_.Audit("list");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "urn:raakvlak:maastricht:staff:anna");
  EXPECT_EQ(entries[0].role, "staff");
  EXPECT_EQ(entries[0].purpose, kListPurpose);
  EXPECT_EQ(entries[0].legal_basis, "WGS 2.26(b), 2.32");
  EXPECT_EQ(entries[0].order_hash, base::Sha256(order.body()));
  EXPECT_EQ(entries[0].count, 1u);
  EXPECT_EQ(entries[0].policy, "c1/r1");
}

TEST_F(MatchesTest, PagesTogetherHoldEveryMatchOnce) {
  for (int i = 0; i < 7; ++i) {
    Signal("politie", kListPurpose, absl::StrCat("subject-", i));
    Signal("gemeente", kListPurpose, absl::StrCat("subject-", i));
  }
  RunMatcher();
  std::set<std::string> seen;
  std::string token;
  int pages = 0;
  do {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListMatchesResponse page,
                                  List(region_.MakeListOrder(kListPurpose), 3, token));
    EXPECT_LE(page.matches_size(), 3);
    for (const v1::MatchSummary& match : page.matches()) EXPECT_TRUE(seen.insert(match.match_id()).second);
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(List(region_.MakeListOrder(kListPurpose), 501), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(List(region_.MakeListOrder(kListPurpose), 0, "seven"), HasReason(reason::kInvalidArgument));
  EXPECT_EQ(store_.Audit("refuse").size(), 2u);
}

TEST_F(MatchesTest, OpenHandsOutTheEnvelopesAndLogsWhoWhatAndWhy) {
  Signal("politie", kListPurpose, "a");
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  const v1::Order order = OrderFor(match);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::OpenMatchResponse response, Open(order));
  EXPECT_EQ(response.match().SerializeAsString(), match.SerializeAsString());
  ASSERT_EQ(response.envelopes_size(), 3);
  std::vector<std::string> hashes;
  for (const v1::Envelope& envelope : response.envelopes()) {
    EXPECT_EQ(envelope.signature().size(), 64u);
    hashes.push_back(base::Sha256(envelope.body()));
  }
  EXPECT_EQ(policy::ContentsDigest(hashes), match.contents_digest());

  const std::vector<storage::AuditEntry> entries = store_.Audit("open");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "urn:raakvlak:maastricht:staff:anna");
  EXPECT_EQ(entries[0].object, base::Hex(match.match_id()));
  EXPECT_EQ(entries[0].case_reference, "ZVH-2026-0012");
  EXPECT_EQ(entries[0].reason, "Besproken in het casusoverleg");
  EXPECT_EQ(entries[0].purpose, kListPurpose);
  EXPECT_EQ(entries[0].order_hash, base::Sha256(order.body()));
  EXPECT_EQ(entries[0].count, 3u);
}

TEST_F(MatchesTest, OrderIsTakenOnce) {
  const v1::Order order = region_.MakeListOrder(kListPurpose);
  ASSERT_THAT(List(order), IsOk());
  EXPECT_THAT(List(order), HasReason(reason::kReplayed));
  const storage::AuditEntry refused = store_.Audit("refuse").at(0);
  EXPECT_EQ(refused.result, reason::kReplayed);
  EXPECT_EQ(refused.actor, "urn:raakvlak:maastricht:staff:anna");
  EXPECT_EQ(refused.order_hash, base::Sha256(order.body()));
}

TEST_F(MatchesTest, OrderThatWasRefusedIsSpent) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  const v1::Order order = OrderFor(match, [](auto& body) { body.set_contents_digest(std::string(32, 'd')); });
  EXPECT_THAT(Open(order), HasReason(reason::kMatchChanged));
  EXPECT_THAT(Open(order), HasReason(reason::kReplayed));
}

TEST_F(MatchesTest, EachThingWrongWithAnOrderGivesItsReasonAndNothingElse) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  using Body = v1::OrderBody&;
  struct Case {
    const char* name;
    const char* want;
    std::function<void(Body)> change;
    const char* member = "staff:anna";
    // Whether the refusal's entry names the member.
    bool named = true;
  };
  const std::vector<Case> cases = {
      {"121 s old", reason::kClockSkew, [](Body body) { body.set_time_ms(body.time_ms() - 120'001); }},
      {"121 s ahead", reason::kClockSkew, [](Body body) { body.set_time_ms(body.time_ms() + 120'001); }},
      {"another covenant", reason::kCovenantMismatch,
       [](Body body) { body.set_covenant_id(std::string(32, 'c')); }},
      {"an order to list", reason::kOrderInvalid, [](Body body) { body.set_action(v1::LIST_MATCHES); }},
      {"another legal basis", reason::kOrderInvalid, [](Body body) { body.set_legal_basis("WGS 9.99"); }},
      {"no case reference", reason::kOrderInvalid, [](Body body) { body.clear_case_reference(); }},
      {"case reference too long", reason::kOrderInvalid,
       [](Body body) { body.set_case_reference(std::string(65, 'c')); }},
      {"no reason", reason::kOrderInvalid, [](Body body) { body.clear_reason(); }},
      {"reason too long", reason::kOrderInvalid, [](Body body) { body.set_reason(std::string(501, 'r')); }},
      {"no match", reason::kOrderInvalid, [](Body body) { body.clear_match_id(); }},
      {"no digest", reason::kOrderInvalid, [](Body body) { body.clear_contents_digest(); }},
      {"no order id", reason::kOrderInvalid, [](Body body) { body.clear_order_id(); }},
      {"unknown purpose", reason::kPurposeUnknown, [](Body body) { body.set_purpose("jan-jansen"); }},
      {"unknown field", reason::kUnknownField,
       [](Body body) { body.GetReflection()->MutableUnknownFields(&body)->AddVarint(1000, 1); }, "staff:anna",
       false},
      {"signed by another member", reason::kSignatureInvalid,
       [](Body body) { body.set_staff("urn:raakvlak:maastricht:staff:anna"); }, "staff:bram", false},
      {"signed by a stranger", reason::kSignatureInvalid, nullptr, "staff:eve", false},
      {"member without the purpose", reason::kNotAllowed, nullptr, "staff:bram"},
      {"officer", reason::kNotAllowed, nullptr, "officer:olga"},
      {"operator", reason::kNotAllowed, nullptr, "operator:piet"},
      {"another purpose than the match's", reason::kNotFound,
       [](Body body) { body.set_purpose(kCasePurpose); }},
      {"no such match", reason::kNotFound, [](Body body) { body.set_match_id(std::string(16, 'm')); }},
      {"other contents", reason::kMatchChanged,
       [](Body body) { body.set_contents_digest(std::string(32, 'd')); }},
  };
  for (const Case& broken : cases) {
    SCOPED_TRACE(broken.name);
    const size_t before = store_.Audit("refuse").size();
    EXPECT_THAT(Open(OrderFor(match, broken.change, broken.member)), HasReason(broken.want));
    const std::vector<storage::AuditEntry> refused = store_.Audit("refuse");
    ASSERT_EQ(refused.size(), before + 1);
    EXPECT_EQ(refused.back().result, broken.want);
    EXPECT_THAT(refused.back().object, ::testing::StartsWith("/raakvlak.v1.Matches/Open"));
    EXPECT_EQ(refused.back().actor, broken.named ? absl::StrCat("urn:raakvlak:maastricht:", broken.member)
                                                 : "urn:raakvlak:maastricht:hub:veiligheidshuis");
    EXPECT_EQ(refused.back().purpose == "jan-jansen", false);
  }
  EXPECT_TRUE(store_.Audit("open").empty());
  EXPECT_THAT(Open(OrderFor(match)), IsOk());
}

TEST_F(MatchesTest, OrderAtTheEdgeOfItsTimeIsTaken) {
  for (const int64_t skew : {-120'000, 120'000}) {
    const auto shift = [&](v1::OrderBody& body) { body.set_time_ms(body.time_ms() + skew); };
    EXPECT_THAT(List(region_.MakeListOrder(kListPurpose, shift)), IsOk()) << skew;
  }
}

TEST_F(MatchesTest, AlteredOrderIsRefused) {
  v1::Order order = region_.MakeListOrder(kListPurpose);
  for (size_t i = 0; i < order.body().size(); i += 5) {
    v1::Order altered = order;
    (*altered.mutable_body())[i] = static_cast<char>((*altered.mutable_body())[i] ^ 2);
    EXPECT_THAT(List(altered), HasReason(reason::kSignatureInvalid)) << i;
  }
  order.clear_signature();
  EXPECT_THAT(List(order), HasReason(reason::kSignatureInvalid));
}

TEST_F(MatchesTest, MatchThatGrewIsNotWhatTheOrderWasSignedFor) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary before = ListAll(kListPurpose).at(0);
  Signal("jeugdzorg", kListPurpose, "a");
  RunMatcher();
  EXPECT_THAT(Open(OrderFor(before)), HasReason(reason::kMatchChanged));
  EXPECT_THAT(Open(OrderFor(ListAll(kListPurpose).at(0))), IsOk());
}

TEST_F(MatchesTest, MatchWithoutEnoughOrganisationsIsGoneBeforeTheMatcherRuns) {
  const std::string id = Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  const std::string other = Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  Withdraw("politie", id);
  EXPECT_TRUE(ListAll(kListPurpose).empty());
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchClosed));
  RunMatcher();
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchClosed));
  const std::vector<v1::MatchSummary> closed = ListAll(kListPurpose, true);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].state(), v1::CLOSED);
  EXPECT_EQ(closed[0].contents_digest(), "");
}

TEST_F(MatchesTest, MatchThatDoesNotFitAnAnswerIsTooLarge) {
  large_ = true;
  for (int i = 0; i < 500; ++i) Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  EXPECT_THAT(Open(OrderFor(ListAll(kListPurpose).at(0))), HasReason(reason::kTooLarge));
  EXPECT_EQ(store_.Audit("refuse").back().result, "TOO_LARGE");
}

TEST_F(MatchesTest, MatchWithASuspendedPartnerIsHeldBackAtOnce) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  Signal("jeugdzorg", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  region_.region().Suspend("politie");
  EXPECT_TRUE(ListAll(kListPurpose).empty());
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchChanged));
  RunMatcher();
  const std::vector<v1::MatchSummary> after = ListAll(kListPurpose);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_THAT(after[0].partners(), ElementsAre("gemeente", "jeugdzorg"));
}

TEST_F(MatchesTest, CaseMatchWithoutItsCaseReportIsNeitherListedNorOpened) {
  const std::string report = Signal("politie", kCasePurpose, "a", v1::CASE_REPORT);
  Signal("politie", kCasePurpose, "a");
  Signal("jeugdzorg", kCasePurpose, "a");
  RunMatcher();
  ASSERT_EQ(ListAll(kCasePurpose).size(), 1u);
  const v1::MatchSummary match = ListAll(kCasePurpose)[0];
  ASSERT_THAT(Open(OrderFor(match)), IsOk());
  Withdraw("politie", report);
  EXPECT_TRUE(ListAll(kCasePurpose).empty()) << "politie and jeugdzorg still overlap, but nobody has a case";
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchClosed));
  RunMatcher();
  EXPECT_TRUE(ListAll(kCasePurpose).empty());
}

TEST_F(MatchesTest, MatchWithASignalOnItsExpiryDayIsNeitherListedNorOpened) {
  Signal("politie", kCasePurpose, "a", v1::CASE_REPORT);
  Signal("jeugdzorg", kCasePurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kCasePurpose).at(0);
  region_.clock().Advance(absl::Hours(24 * 28));
  EXPECT_THAT(Open(OrderFor(match)), IsOk());
  region_.region().roster().set_number(2);
  region_.region().roster().set_issued("2027-02-01T00:00:00Z");
  region_.region().roster().set_expires("2027-02-28T00:00:00Z");
  region_.region().Write();
  ASSERT_EQ(ListAll(kCasePurpose).size(), 1u);
  region_.clock().Advance(absl::Hours(24 * 2));
  EXPECT_TRUE(ListAll(kCasePurpose).empty());
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchChanged));
}

TEST_F(MatchesTest, IdOfAMergedMatchStillOpensIt) {
  // Two matches on one person, joined by a signal that carries the rules of both.
  const auto only = [&](const std::string& partner, int rule) {
    const v1::Envelope envelope = region_.MakeEnvelope(partner, kListPurpose, [&](auto& header, auto& body) {
      const v1::RuleVersion version = header.rules(rule);
      header.clear_rules();
      *header.add_rules() = version;
      const std::string digest = base::Sha256(absl::StrCat("m/", version.rule()));
      v1::Token token = body.tokens(rule);
      token.set_tag(digest.substr(0, 16));
      token.set_commitments(digest + base::Sha256(digest));
      body.clear_tokens();
      *body.add_tokens() = token;
    });
    v1::SubmitRequest request;
    *request.add_envelopes() = envelope;
    EXPECT_TRUE(exchange_.Submit(region_.Node(partner), request)->receipts(0).accepted());
  };
  only("politie", 0);
  only("gemeente", 0);
  only("politie", 1);
  only("gemeente", 1);
  RunMatcher();
  const std::vector<v1::MatchSummary> two = ListAll(kListPurpose);
  ASSERT_EQ(two.size(), 2u);
  Signal("jeugdzorg", kListPurpose, "m");
  RunMatcher();
  const std::vector<v1::MatchSummary> one = ListAll(kListPurpose);
  ASSERT_EQ(one.size(), 1u);
  ASSERT_EQ(one[0].merged_ids_size(), 1);
  EXPECT_EQ(one[0].signals(), 5u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const v1::OpenMatchResponse response,
      Open(OrderFor(one[0], [&](auto& body) { body.set_match_id(one[0].merged_ids(0)); })));
  EXPECT_EQ(response.match().match_id(), one[0].match_id());
  EXPECT_EQ(store_.Audit("open").back().object, base::Hex(one[0].match_id()));
}

TEST_F(MatchesTest, HouseholdPurposeNeedsThreeOrganisations) {
  Signal("politie", kHouseholdPurpose, "h");
  Signal("gemeente", kHouseholdPurpose, "h");
  RunMatcher();
  EXPECT_TRUE(ListAll(kHouseholdPurpose).empty());
  Signal("woningcorporatie", kHouseholdPurpose, "h");
  RunMatcher();
  const std::vector<v1::MatchSummary> matches = ListAll(kHouseholdPurpose);
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_EQ(matches[0].subject(), v1::HOUSEHOLD_SUBJECT);
  EXPECT_THAT(Open(OrderFor(matches[0], nullptr, "staff:bram")), IsOk()) << "bram is staff of this purpose";
}

TEST_F(MatchesTest, NoAnswerWithoutItsEntry) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  for (const auto fail : {FailingStore::Fail::kBefore, FailingStore::Fail::kAfter}) {
    store_.FailWrites(fail);
    EXPECT_THAT(List(region_.MakeListOrder(kListPurpose)), HasReason(reason::kStorageFailed));
    EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kStorageFailed));
    EXPECT_THAT(Open(v1::Order()), HasReason(reason::kStorageFailed)) << "a refusal needs its entry too";
    EXPECT_THAT(Open(OrderFor(match, [](auto& body) { body.set_contents_digest(std::string(32, 'd')); })),
                HasReason(reason::kStorageFailed));
  }
}

TEST_F(MatchesTest, OpeningCarriesItsEntryAndTheProof) {
  const v1::MatchSummary match = MatchOfTwo();
  const v1::Order order = OrderFor(match);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::OpenMatchResponse response, Open(order));
  const v1::LogEntry& logged = response.logged();
  const auto stored = storage::testing::StoredEntries(store_.audit_log()).back();
  EXPECT_EQ(stored.entry.action, "open");
  EXPECT_EQ(stored.entry.order_hash, base::Sha256(order.body()));
  EXPECT_EQ(logged.log(), store_.audit_log().Origin(stored.id.year));
  EXPECT_EQ(logged.index(), stored.id.index);
  EXPECT_EQ(logged.time_ms(), stored.time_ms);
  EXPECT_EQ(logged.salt(), stored.salt);
  EXPECT_EQ(logged.details(), stored.details);
  EXPECT_EQ(logged.leaf(), stored.leaf);
  EXPECT_EQ(response.proof(), absl::StrCat("proof of ", stored.id.year, "/", stored.id.index));
  EXPECT_EQ(prover_.deadline(), region_.clock().Now() + kProofLimit);
}

TEST_F(MatchesTest, OpeningWaitsNoLongerThanItsCaller) {
  const v1::MatchSummary match = MatchOfTwo();
  v1::OpenMatchRequest request;
  *request.mutable_order() = OrderFor(match);
  rpc::Gate::Pass pass = region_.Hub();
  pass.deadline = region_.clock().Now() + absl::Seconds(3);
  ASSERT_THAT(matches_.Open(pass, request), IsOk());
  EXPECT_EQ(prover_.deadline(), pass.deadline);
}

TEST_F(MatchesTest, WithoutAProofNoEnvelopeLeavesAndTheEntryStays) {
  const v1::MatchSummary match = MatchOfTwo();
  const std::pair<const char*, const char*> causes[] = {{reason::kQuorumMissing, reason::kLogUnwitnessed},
                                                        {reason::kDeadlineExceeded, reason::kLogUnwitnessed},
                                                        {reason::kUnavailable, reason::kLogUnwitnessed},
                                                        {reason::kLogFork, reason::kLogFork}};
  for (const auto& [why, shown] : causes) {
    const size_t before = store_.Audit("open").size();
    prover_.FailWith(base::Error(absl::StatusCode::kUnavailable, why, "not in time"));
    const v1::Order order = OrderFor(match);
    EXPECT_THAT(Open(order), HasReason(shown)) << why;
    ASSERT_EQ(store_.Audit("open").size(), before + 1) << "it may say more than was given, never less";
    EXPECT_EQ(store_.Audit("open").back().order_hash, base::Sha256(order.body()));
  }
  prover_.FailWith(absl::OkStatus());
  EXPECT_THAT(Open(OrderFor(match)), IsOk());
}

TEST_F(MatchesTest, QuorumThatIsMissingAlreadyRefusesAtOnce) {
  const v1::MatchSummary match = MatchOfTwo();
  prover_.SetQuorum(base::Error(absl::StatusCode::kUnavailable, reason::kQuorumMissing, "2 of 3"));
  const v1::Order order = OrderFor(match);
  EXPECT_THAT(Open(order), HasReason(reason::kLogUnwitnessed));
  EXPECT_TRUE(store_.Audit("open").empty());
  ASSERT_EQ(store_.Audit("refuse").size(), 1u);
  EXPECT_EQ(store_.Audit("refuse").back().result, reason::kLogUnwitnessed);
  EXPECT_EQ(store_.Audit("refuse").back().order_hash, base::Sha256(order.body()));
  EXPECT_THAT(List(region_.MakeListOrder(kListPurpose)), IsOk()) << "lists go on";
  prover_.SetQuorum(absl::OkStatus());
  EXPECT_THAT(Open(order), HasReason(reason::kReplayed));
  EXPECT_THAT(Open(OrderFor(match)), IsOk());
}

}  // namespace
}  // namespace raakvlak::broker

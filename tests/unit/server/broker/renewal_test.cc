// Signals that are renewed in a new epoch, through Exchange, Matches and Allowances.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "server/broker/allowances.h"
#include "server/broker/epoch_end.h"
#include "tests/unit/server/broker/matches_fixture.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using testing::BrokerRegion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kCasePurpose;
using testing::kHouseholdPurpose;
using testing::kListPurpose;

// Each partner may submit one new signal a day.
class RenewalTest : public testing::MatchesTest {
 protected:
  RenewalTest()
      : MatchesTest([](v1::Covenant& covenant) {
          for (v1::Quota& quota : *covenant.mutable_quotas()) quota.set_elements_per_day(1);
        }),
        first_(region_.Snapshot().covenant) {}

  // A covenant follows in which every purpose is one epoch on; the one before is served for two days more.
  void RaiseEpochs(const std::function<void(v1::Covenant&)>& change = nullptr) {
    raakvlak::testing::TestRegion& region = region_.region();
    region.NextCovenant();
    if (change) change(region.covenant());
    for (const char* purpose : {kListPurpose, kCasePurpose, kHouseholdPurpose}) {
      region.RaiseEpoch(purpose, absl::Hours(48));
    }
    region.roster().set_number(region.roster().number() + 1);
    region.Write();
  }
  // With both covenants, as a broker has them that saw the first.
  policy::Snapshot Snapshot() {
    policy::Snapshot snapshot = region_.Snapshot();
    if (snapshot.covenant->id() == first_->id()) return snapshot;
    snapshot.chain = policy::CovenantChain::Create({first_, snapshot.covenant});
    return snapshot;
  }
  rpc::Gate::Pass Node(const std::string& partner) {
    rpc::Gate::Pass pass = region_.Node(partner);
    pass.snapshot = Snapshot();
    return pass;
  }
  // Signal `word` about jan, sealed in that epoch.
  v1::Envelope Make(const std::string& partner, const std::string& word, uint32_t epoch,
                    const BrokerRegion::EnvelopeChange& change = nullptr,
                    const std::string& purpose = kListPurpose) {
    return region_.MakeEnvelope(partner, purpose, [&](v1::SignalHeader& header, v1::EnvelopeBody& body) {
      header.set_signal_id(base::Sha256(word).substr(0, 16));
      header.set_epoch(epoch);
      header.set_seal_key_id(region_.Snapshot().covenant->FindSealKey(purpose, epoch)->id());
      for (int i = 0; i < body.tokens_size(); ++i) {
        v1::Token& token = *body.mutable_tokens(i);
        const std::string digest = base::Sha256(absl::StrCat("jan/", header.rules(i).rule(), "/", epoch));
        token.set_tag(digest.substr(0, 16));
        if (!token.commitments().empty()) token.set_commitments(digest + base::Sha256(digest));
      }
      if (change) change(header, body);
    });
  }
  v1::SubmitResponse SubmitAll(const std::string& partner, const std::vector<v1::Envelope>& envelopes) {
    v1::SubmitRequest request;
    for (const v1::Envelope& envelope : envelopes) *request.add_envelopes() = envelope;
    const auto response = exchange_.Submit(Node(partner), request);
    EXPECT_THAT(response, IsOk());
    return response.value_or(v1::SubmitResponse());
  }
  // "OK", or the reason.
  std::string Submit(const v1::Envelope& envelope) {
    const std::string partner = BrokerRegion::HeaderOf(envelope).partner();
    const v1::SubmitResponse response = SubmitAll(partner, {envelope});
    if (response.receipts_size() != 1) return "no receipt";
    return response.receipts(0).accepted() ? "OK" : response.receipts(0).reason();
  }
  void WithdrawSignal(const std::string& partner, const std::string& word) {
    Withdraw(partner, base::Sha256(word).substr(0, 16));
  }
  void EndOverlap() {
    region_.clock().Advance(absl::Hours(49));
    const MatchTerms terms = TermsOf(Snapshot());
    EpochEnd end(store_, region_.clock(), matcher_, "urn:broker");
    EXPECT_THAT(end.Run(ServedEpochs(Snapshot(), region_.clock().Now()), &terms, ""), IsOk());
  }
  std::vector<uint64_t> Counts(const std::string& action) {
    std::vector<uint64_t> counts;
    for (const storage::AuditEntry& entry : store_.Audit(action)) counts.push_back(entry.count);
    return counts;
  }

  const std::shared_ptr<const policy::Covenant> first_;
};

TEST_F(RenewalTest, EnvelopeOfTheNewerEpochStandsBesideTheOlderAndCostsNoQuota) {
  const v1::Envelope first = Make("politie", "a", 1);
  ASSERT_EQ(Submit(first), "OK");
  RaiseEpochs();
  const v1::Envelope renewed = Make("politie", "a", 2);
  EXPECT_EQ(Submit(renewed), "OK");
  EXPECT_EQ(Submit(Make("politie", "b", 2)), reason::kQuotaExceeded) << "a new signal";
  EXPECT_EQ(store_.LiveSignals(), 1u);
  EXPECT_THAT(Counts("submit"), ElementsAre(1, 1, 0));
  EXPECT_EQ(Submit(first), "OK") << "both are answered as they were";
  EXPECT_EQ(Submit(renewed), "OK");
  EXPECT_THAT(Counts("submit"), ElementsAre(1, 1, 0, 0, 0));
}

TEST_F(RenewalTest, ReceiptOfEachVersionLeadsToItsOwnEntry) {
  const v1::Envelope first = Make("politie", "a", 1);
  const v1::SubmitResponse then = SubmitAll("politie", {first});
  RaiseEpochs();
  region_.clock().Advance(absl::Minutes(1));
  const v1::Envelope renewed = Make("politie", "a", 2);
  const v1::SubmitResponse response = SubmitAll("politie", {renewed, first});
  ASSERT_EQ(response.entries_size(), 2);
  for (const v1::SubmitReceipt& receipt : response.receipts()) {
    EXPECT_EQ(receipt.position(), 0u);
    EXPECT_EQ(receipt.batch(), 1u);
  }
  const auto entry_of = [&](int receipt) {
    return response.entries(static_cast<int>(response.receipts(receipt).entry()) - 1).SerializeAsString();
  };
  EXPECT_EQ(entry_of(1), then.entries(0).SerializeAsString());
  EXPECT_NE(entry_of(0), entry_of(1));
  EXPECT_EQ(response.receipts(1).accepted_ms(), then.receipts(0).accepted_ms());
  EXPECT_LT(response.receipts(1).accepted_ms(), response.receipts(0).accepted_ms());
}

TEST_F(RenewalTest, WhatIsNotTheSameSignalIsNoRenewal) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  RaiseEpochs();
  const auto earlier = [](v1::SignalHeader& header, auto&) {
    header.set_submitted_day(header.submitted_day() - 1);
    header.set_expiry_day(header.expiry_day() - 1);
  };
  const auto report = [](v1::SignalHeader& header, auto&) { header.set_kind(v1::CASE_REPORT); };
  EXPECT_EQ(Submit(Make("politie", "a", 2, earlier)), reason::kEnvelopeConflict);
  EXPECT_EQ(Submit(Make("politie", "a", 2, report)), reason::kEnvelopeConflict);
  const auto same_expiry = [this](v1::SignalHeader& header, auto&) {
    header.set_expiry_day(region_.Today() + 90);
    header.set_submitted_day(region_.Today());
  };
  EXPECT_NE(Submit(Make("politie", "a", 2, same_expiry, kCasePurpose)), "OK");
  EXPECT_EQ(Submit(Make("gemeente", "a", 2)), "OK") << "the id is another partner's too";
  EXPECT_EQ(Submit(Make("politie", "a", 2)), "OK");
  EXPECT_EQ(Submit(Make("politie", "a", 2,
                        [](auto&, v1::EnvelopeBody& body) { body.mutable_payload()->front() ^= 1; })),
            reason::kEnvelopeConflict)
      << "one envelope for each epoch";
}

TEST_F(RenewalTest, RenewalInAnotherPurposeIsAConflict) {
  // With the same retention, so that the days agree.
  RaiseEpochs([](v1::Covenant& covenant) {
    for (v1::Purpose& purpose : *covenant.mutable_purposes()) purpose.set_retention_days(90);
  });
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  EXPECT_EQ(Submit(Make("politie", "a", 2, nullptr, kCasePurpose)), reason::kEnvelopeConflict);
}

TEST_F(RenewalTest, OtherDaysAreNoRenewalAlsoWhenTheRetentionHasChanged) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  RaiseEpochs([](v1::Covenant& covenant) { covenant.mutable_purposes(0)->set_retention_days(100); });
  const uint32_t today = region_.Today();
  const auto renew = [&](uint32_t submitted, uint32_t expiry) {
    return Submit(Make("politie", "a", 2, [&](v1::SignalHeader& header, auto&) {
      header.set_submitted_day(submitted);
      header.set_expiry_day(expiry);
    }));
  };
  EXPECT_EQ(renew(today, today + 100), reason::kEnvelopeConflict);
  EXPECT_EQ(renew(today - 10, today + 90), reason::kEnvelopeConflict);
  EXPECT_EQ(renew(today, today + 90), "OK");
}

TEST_F(RenewalTest, EnvelopeOfAnOlderEpochDoesNotComeBehindTheNewer) {
  RaiseEpochs();
  ASSERT_EQ(Submit(Make("politie", "a", 2)), "OK");
  EXPECT_EQ(Submit(Make("politie", "a", 1)), reason::kEnvelopeConflict);
  EXPECT_EQ(Submit(Make("gemeente", "b", 1)), "OK") << "the older epoch is served still";
}

TEST_F(RenewalTest, WithdrawnSignalHasEndedInEveryEpoch) {
  const v1::Envelope first = Make("politie", "a", 1);
  ASSERT_EQ(Submit(first), "OK");
  RaiseEpochs();
  const v1::Envelope renewed = Make("politie", "a", 2);
  ASSERT_EQ(Submit(renewed), "OK");
  WithdrawSignal("politie", "a");
  EXPECT_EQ(store_.LiveSignals(), 0u);
  EXPECT_EQ(Submit(first), reason::kSignalEnded);
  EXPECT_EQ(Submit(renewed), reason::kSignalEnded);
  EXPECT_THAT(Counts("withdraw"), ElementsAre(1));
  ASSERT_EQ(Submit(Make("gemeente", "b", 1)), "OK");
  WithdrawSignal("gemeente", "b");
  EXPECT_EQ(Submit(Make("gemeente", "b", 2)), reason::kSignalEnded);
}

TEST_F(RenewalTest, SignalThatWasNotRenewedInTimeIsTakenAsANewOne) {
  const v1::Envelope first = Make("politie", "a", 1);
  ASSERT_EQ(Submit(first), "OK");
  ASSERT_EQ(Submit(Make("gemeente", "b", 1)), "OK");
  RaiseEpochs();
  ASSERT_EQ(Submit(Make("gemeente", "b", 2)), "OK");
  EndOverlap();
  EXPECT_THAT(Counts("tags_destroyed"), ElementsAre(2));
  EXPECT_EQ(store_.LiveSignals(), 1u);
  EXPECT_EQ(Submit(first), reason::kCovenantMismatch) << "its epoch is over";
  EXPECT_EQ(Submit(Make("politie", "a", 2)), "OK");
  EXPECT_EQ(Submit(Make("politie", "c", 2)), reason::kQuotaExceeded) << "the late one was a new signal";
}

TEST_F(RenewalTest, MatchShowsEachSignalOnceAndOpensAllItsVersions) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  region_.clock().Advance(absl::Hours(24));
  ASSERT_EQ(Submit(Make("gemeente", "b", 1)), "OK");
  RunMatcher();
  const v1::MatchSummary before = ListAll(kListPurpose).at(0);
  RaiseEpochs();
  const auto yesterday = [](v1::SignalHeader& header, auto&) {
    header.set_submitted_day(header.submitted_day() - 1);
    header.set_expiry_day(header.expiry_day() - 1);
  };
  ASSERT_EQ(Submit(Make("politie", "a", 2, yesterday)), "OK");
  ASSERT_EQ(Submit(Make("gemeente", "b", 2)), "OK");
  RunMatcher();
  const std::vector<v1::MatchSummary> matches = ListAll(kListPurpose);
  ASSERT_EQ(matches.size(), 1u);
  const v1::MatchSummary& match = matches[0];
  EXPECT_EQ(match.match_id(), before.match_id());
  EXPECT_THAT(match.partners(), ElementsAre("gemeente", "politie"));
  EXPECT_EQ(match.signals(), 2u);
  EXPECT_EQ(match.first_day(), before.first_day());
  EXPECT_EQ(match.last_day(), before.last_day());
  EXPECT_EQ(match.evidence_size(), before.evidence_size());
  for (const v1::RuleEvidence& evidence : match.evidence()) {
    EXPECT_THAT(evidence.agree(), ElementsAre("gemeente", "politie")) << evidence.rule();
  }
  EXPECT_THAT(Open(OrderFor(before)), HasReason(reason::kMatchChanged));
  const auto opened = Open(OrderFor(match));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->envelopes_size(), 4);
  EXPECT_THAT(Counts("open"), ElementsAre(2));
  EndOverlap();
  ASSERT_EQ(ListAll(kListPurpose).size(), 1u);
  const v1::MatchSummary after = ListAll(kListPurpose).at(0);
  EXPECT_EQ(after.match_id(), before.match_id());
  EXPECT_EQ(after.signals(), 2u);
  const auto of_two = Open(OrderFor(after));
  ASSERT_THAT(of_two, IsOk());
  EXPECT_EQ(of_two->envelopes_size(), 2);
}

TEST_F(RenewalTest, EvidenceComparesNothingThatIsOfTwoEpochs) {
  const auto only = [](const std::set<std::string>& rules) {
    return [rules](v1::SignalHeader& header, v1::EnvelopeBody& body) {
      for (int i = header.rules_size() - 1; i >= 0; --i) {
        if (rules.count(header.rules(i).rule()) != 0) continue;
        header.mutable_rules()->DeleteSubrange(i, 1);
        body.mutable_tokens()->DeleteSubrange(i, 1);
      }
    };
  };
  const std::string names = "surname-initial-birthdate";
  ASSERT_EQ(Submit(Make("gemeente", "b", 1, only({"bsn", names}))), "OK");
  ASSERT_EQ(Submit(Make("politie", "a", 1, only({names}))), "OK");
  RaiseEpochs();
  ASSERT_EQ(Submit(Make("politie", "a", 2, only({names}))), "OK");
  ASSERT_EQ(Submit(Make("jeugdzorg", "c", 2, only({"bsn", names}))), "OK");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  EXPECT_THAT(match.partners(), ElementsAre("gemeente", "jeugdzorg", "politie"));
  ASSERT_EQ(match.evidence_size(), 1) << "two have a BSN, in two epochs";
  EXPECT_EQ(match.evidence(0).rule(), names);
}

TEST_F(RenewalTest, PartnerWithAnotherIndexInTheNewEpochIsStillOneOrganisation) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  ASSERT_EQ(Submit(Make("gemeente", "b", 1)), "OK");
  RaiseEpochs([](v1::Covenant& covenant) { covenant.mutable_partners(0)->set_index(9); });
  ASSERT_EQ(Submit(Make("politie", "a", 2)), "OK");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  EXPECT_EQ(match.signals(), 2u);
  WithdrawSignal("gemeente", "b");
  EXPECT_THAT(ListAll(kListPurpose), IsEmpty()) << "what is left is of politie alone";
  EXPECT_THAT(Open(OrderFor(match)), HasReason(reason::kMatchClosed));
}

TEST_F(RenewalTest, ThresholdOfAnEpochIsThatOfItsCovenant) {
  RaiseEpochs([](v1::Covenant& covenant) { covenant.mutable_purposes(0)->set_disclosure_threshold(3); });
  const MatchTerms terms = TermsOf(Snapshot());
  const PurposeTerms& purpose = terms.purposes.at(kListPurpose);
  EXPECT_EQ(purpose.threshold, 3u);
  EXPECT_EQ(purpose.threshold_of, (std::map<uint32_t, uint32_t>{{1, 2}, {2, 3}}));
}

class AllowancesTest : public RenewalTest {
 protected:
  absl::StatusOr<v1::ListAllowancesResponse> Ask(const std::string& purpose,
                                                 const std::string& partner = "jeugdzorg") {
    v1::ListAllowancesRequest request;
    request.set_purpose(purpose);
    return allowances_.List(Node(partner), request);
  }
  // "epoch; partner CLASS tokens ..."
  std::vector<std::string> List(const std::string& purpose = kListPurpose) {
    const auto response = Ask(purpose);
    EXPECT_THAT(response, IsOk());
    if (!response.ok()) return {};
    std::vector<std::string> texts = {absl::StrCat(response->epoch())};
    for (const v1::Allowance& allowance : response->allowances()) {
      texts.push_back(absl::StrCat(allowance.partner(), " ",
                                   v1::IdentifierClass_Name(allowance.identifier_class()), " ",
                                   allowance.tokens()));
    }
    return texts;
  }
  Allowances allowances_{store_, region_.clock()};
};

TEST_F(AllowancesTest, LiveTokensOfTheEpochBeforeAreCountedByPartnerAndClass) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  ASSERT_EQ(Submit(Make("woningcorporatie", "w", 1)), "OK");
  ASSERT_EQ(Submit(Make("gemeente", "b", 1)), "OK");
  EXPECT_THAT(List(), ElementsAre("0")) << "nothing overlaps";
  RaiseEpochs();
  WithdrawSignal("gemeente", "b");
  ASSERT_EQ(Submit(Make("politie", "a", 2)), "OK");
  EXPECT_THAT(List(), ElementsAre("1", "politie BSN 1", "politie PERSON 1", "politie ADDRESS 1",
                                  "woningcorporatie PERSON 1", "woningcorporatie ADDRESS 1"));
  EXPECT_THAT(List(kCasePurpose), ElementsAre("1"));
  EXPECT_THAT(Counts("allowances"), ElementsAre(0, 5, 0));
  const storage::AuditEntry entry = store_.Audit("allowances")[1];
  EXPECT_EQ(entry.actor, "urn:raakvlak:maastricht:node:jeugdzorg");
  EXPECT_EQ(entry.purpose, kListPurpose);
  region_.clock().Advance(absl::Hours(49));
  EXPECT_THAT(List(), ElementsAre("0")) << "over, also before the tokens are gone";
}

TEST_F(AllowancesTest, RuleThatTheCovenantNoLongerHasIsNotMadeAnew) {
  ASSERT_EQ(Submit(Make("politie", "a", 1)), "OK");
  RaiseEpochs([](v1::Covenant& covenant) {
    covenant.mutable_purposes(0)->mutable_rules()->RemoveLast();  // the address
  });
  EXPECT_THAT(List(), ElementsAre("1", "politie BSN 1", "politie PERSON 1"));
}

TEST_F(AllowancesTest, RefusalsAreLogged) {
  EXPECT_THAT(Ask("jan-jansen"), HasReason(reason::kPurposeUnknown));
  region_.region().Suspend("gemeente");
  EXPECT_THAT(Ask(kListPurpose, "gemeente"), HasReason(reason::kPartnerSuspended));
  const std::vector<storage::AuditEntry> refusals = store_.Audit("refuse");
  ASSERT_EQ(refusals.size(), 2u);
  EXPECT_EQ(refusals[0].purpose, "") << "what a caller made up";
  EXPECT_EQ(refusals[0].result, reason::kPurposeUnknown);
  EXPECT_EQ(refusals[1].purpose, kListPurpose);
  EXPECT_THAT(store_.Audit("allowances"), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::broker

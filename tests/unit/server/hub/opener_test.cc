// Who may be opened: organisations, case reports, subjects, days; and what an order allows.
#include "server/hub/opener.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace reason = base::reason;

class OpenerTest : public HubTest {};

TEST_F(OpenerTest, MatchOfTwoOrganisationsOpensWithWhatTheyWrote) {
  const Report ours = {.partner = "politie", .subject = "jan"};
  const Report theirs = {.partner = "gemeente", .subject = "jan", .kind = v1::CASE_REPORT};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(MakeAll({ours, theirs})));
  EXPECT_THAT(opened.faults, IsEmpty());
  ASSERT_EQ(opened.signals.size(), 2u);
  const v1::OpenedSignal& first = opened.signals[0];
  EXPECT_EQ(first.partner(), "gemeente");
  EXPECT_EQ(first.kind(), v1::CASE_REPORT);
  EXPECT_EQ(first.client_ref(), "gemeente/jan");
  EXPECT_EQ(first.category(), "overlast");
  EXPECT_EQ(first.contact(), "desk of gemeente");
  EXPECT_EQ(first.note(), "jan at gemeente");
  EXPECT_EQ(first.signal_id().size(), 16u);
  EXPECT_EQ(first.submitted_day(), snapshot().covenant->DayAt(region_.clock().Now()));
  EXPECT_THAT(first.rules(), ElementsAre("bsn", "surname-initial-birthdate"));
  EXPECT_EQ(opened.signals[1].partner(), "politie");
  EXPECT_EQ(opened.signals[1].kind(), v1::SIGNAL);
}

TEST_F(OpenerTest, LoneSignalOpensForNobody) {
  EXPECT_THAT(Open(MakeAll({{.partner = "politie", .subject = "jan"}})), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(Open({}), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerTest, SignalsOfOneOrganisationOpenNothing) {
  EXPECT_THAT(Open(MakeAll({{.partner = "politie", .subject = "jan"},
                            {.partner = "politie", .subject = "jan"},
                            {.partner = "politie", .subject = "jan", .kind = v1::CASE_REPORT}})),
              HasReason(reason::kThresholdNotMet));
  // Two entries in the covenant, one organisation.
  EXPECT_THAT(Open(MakeAll(
                  {{.partner = "politie", .subject = "jan"}, {.partner = "politie-zuid", .subject = "jan"}})),
              HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerTest, SignalsOfDifferentSubjectsOpenNothing) {
  EXPECT_THAT(
      Open(MakeAll({{.partner = "politie", .subject = "jan"}, {.partner = "gemeente", .subject = "piet"}})),
      HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerTest, SeveralSignalsOfOnePartnerAllOpenBesideAnother) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open(MakeAll({{.partner = "politie", .subject = "jan", .note = "one"},
                                              {.partner = "politie-zuid", .subject = "jan"},
                                              {.partner = "jeugdzorg", .subject = "jan"},
                                              {.partner = "politie", .subject = "jan", .note = "two"}})));
  EXPECT_THAT(SignalsOf(opened),
              UnorderedElementsAre("jeugdzorg/jan: jan at jeugdzorg", "politie/jan: one", "politie/jan: two",
                                   "politie-zuid/jan: jan at politie-zuid"));
  EXPECT_THAT(opened.faults, IsEmpty());
}

TEST_F(OpenerTest, PartnerWithoutBsnOpensThroughTheOtherRule) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open(MakeAll({{.partner = "politie", .subject = "jan"},
                                              {.partner = "woningcorporatie", .subject = "jan"}})));
  ASSERT_EQ(opened.signals.size(), 2u);
  for (const v1::OpenedSignal& signal : opened.signals) EXPECT_THAT(signal.rules(), ElementsAre(kNameRule));
}

TEST_F(OpenerTest, HouseholdPurposeOpensThroughTheAddress) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open(MakeAll({{.partner = "woningcorporatie", .subject = "6211AA 1", .purpose = kFamily},
                    {.partner = "jeugdzorg", .subject = "6211AA 1", .purpose = kFamily}}),
           kFamily));
  EXPECT_EQ(opened.signals.size(), 2u);
}

TEST_F(OpenerTest, AddressNeverOpensSignalsAboutPersons) {
  const auto at_one_address = [](const char* partner, const char* subject) {
    return Report{.partner = partner,
                  .subject = subject,
                  .purpose = kWide,
                  .subject_of_rule = {{"address", "6211AA 1"}}};
  };
  EXPECT_THAT(Open(MakeAll({at_one_address("politie", "jan"), at_one_address("gemeente", "piet"),
                            at_one_address("jeugdzorg", "kees")}),
                   kWide),
              HasReason(reason::kThresholdNotMet));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open(MakeAll({at_one_address("politie", "jan"), at_one_address("gemeente", "jan"),
                    at_one_address("jeugdzorg", "jan"), at_one_address("politie", "piet")}),
           kWide));
  EXPECT_THAT(opened.signals, ::testing::SizeIs(3));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie THRESHOLD_NOT_MET"));
  EXPECT_THAT(opened.signals[0].rules(), ElementsAre("bsn", kNameRule));
}

TEST_F(OpenerTest, HigherThresholdCountsOrganisationsNotSignals) {
  const auto report = [](const char* partner) {
    return Report{.partner = partner, .subject = "jan", .purpose = kWide};
  };
  EXPECT_THAT(
      Open(MakeAll({report("politie"), report("politie-zuid"), report("gemeente"), report("gemeente")}),
           kWide),
      HasReason(reason::kThresholdNotMet));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open(MakeAll({report("politie"), report("gemeente"), report("woningcorporatie")}), kWide));
  EXPECT_THAT(opened.signals, ::testing::SizeIs(3));
}

TEST_F(OpenerTest, ThresholdIsMetInOneGroupNotOverSeveral) {
  // By the number and by the name two organisations each, three in all.
  const Report by_number = {.partner = "politie", .subject = "jan", .purpose = kWide, .without = {kNameRule}};
  const Report by_both = {.partner = "gemeente", .subject = "jan", .purpose = kWide};
  const Report by_name = {.partner = "woningcorporatie", .subject = "jan", .purpose = kWide};
  EXPECT_THAT(Open(MakeAll({by_number, by_both, by_name}), kWide), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerTest, GroupsThatShareASignalOpenTogether) {
  const Report by_number = {.partner = "politie", .subject = "jan", .without = {kNameRule}};
  const Report by_both = {.partner = "gemeente", .subject = "jan"};
  const Report by_name = {.partner = "woningcorporatie", .subject = "jan"};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(MakeAll({by_number, by_both, by_name})));
  ASSERT_EQ(opened.signals.size(), 3u);
  EXPECT_THAT(opened.signals[0].rules(), ElementsAre("bsn", kNameRule));
  EXPECT_THAT(opened.signals[1].rules(), ElementsAre("bsn"));
  EXPECT_THAT(opened.signals[2].rules(), ElementsAre(kNameRule));
  EXPECT_THAT(opened.faults, IsEmpty());
}

// "bsn: agree | differ | absent".
std::vector<std::string> EvidenceOf(const Opener::Opened& opened) {
  std::vector<std::string> texts;
  for (const v1::RuleEvidence& entry : opened.evidence) {
    texts.push_back(absl::StrCat(entry.rule(), ": ", absl::StrJoin(entry.agree(), ","), " | ",
                                 absl::StrJoin(entry.differ(), ","), " | ",
                                 absl::StrJoin(entry.absent(), ",")));
  }
  return texts;
}

TEST_F(OpenerTest, EvidenceIsOfWhatTheSignedTokensSay) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open(MakeAll({{.partner = "politie", .subject = "jan"},
                    {.partner = "gemeente", .subject = "jan"},
                    {.partner = "jeugdzorg", .subject = "jan", .subject_of_rule = {{kBsnRule, "another"}}},
                    {.partner = "woningcorporatie", .subject = "jan"}})));
  EXPECT_THAT(EvidenceOf(opened),
              ElementsAre("bsn: gemeente,politie | jeugdzorg | woningcorporatie",
                          "surname-initial-birthdate: gemeente,jeugdzorg,politie,woningcorporatie |  | "));
}

TEST_F(OpenerTest, EvidenceLeavesOutWhatDidNotOpen) {
  // The token of jeugdzorg is a copy under the wrong share: its tag agrees, and says nothing.
  Sealed forged = Seal({.partner = "jeugdzorg", .subject = "jan"});
  const auto bsn = std::find(forged.rules.begin(), forged.rules.end(), kBsnRule) - forged.rules.begin();
  v1::Token& token = *forged.body.mutable_tokens(static_cast<int>(bsn));
  token.set_share(Seal({.partner = "gemeente", .subject = "jan"}).body.tokens(static_cast<int>(bsn)).share());
  std::vector<v1::Envelope> envelopes = MakeAll({{.partner = "politie", .subject = "jan"},
                                                 {.partner = "gemeente", .subject = "jan"},
                                                 {.partner = "politie", .subject = "piet"}});
  envelopes.push_back(Sign(forged));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_THAT(FaultsOf(opened),
              UnorderedElementsAre("jeugdzorg VERIFICATION_FAILED", "politie THRESHOLD_NOT_MET"));
  EXPECT_THAT(EvidenceOf(opened), ElementsAre("bsn: gemeente,politie |  | jeugdzorg",
                                              "surname-initial-birthdate: gemeente,jeugdzorg,politie |  | "));
}

TEST_F(OpenerTest, EvidenceOfPersonsNamesTheSharedAddressAndNotTheirHousehold) {
  const auto at_home = [](const char* partner, const char* purpose) {
    return Report{
        .partner = partner,
        .subject = "jan",
        .purpose = purpose,
        .subject_of_rule = {{"address", "6211AA 1"}, {"household", std::string("home of ") + partner}}};
  };
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened wide,
      Open(MakeAll({at_home("politie", kWide), at_home("gemeente", kWide), at_home("jeugdzorg", kWide)}),
           kWide));
  EXPECT_EQ(EvidenceOf(wide).back(), "address: gemeente,jeugdzorg,politie |  | ");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened mixed,
      Open(MakeAll({at_home("politie", kMixed), at_home("gemeente", kMixed)}), kMixed));
  EXPECT_THAT(EvidenceOf(mixed), ElementsAre("bsn: gemeente,politie |  | "));
}

TEST_F(OpenerTest, LongChainOfGroupsIsOneSubject) {
  // Each two neighbours agree by one rule only.
  std::vector<Report> chain;
  const char* partners[] = {"politie", "gemeente", "jeugdzorg"};
  for (int i = 0; i < 12; ++i) {
    chain.push_back({.partner = partners[i % 3],
                     .subject = "jan",
                     .subject_of_rule = {{kBsnRule, "number " + std::to_string((i + 1) / 2)},
                                         {kNameRule, "name " + std::to_string(i / 2)}}});
  }
  std::rotate(chain.begin(), chain.begin() + 5, chain.end());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(MakeAll(chain)));
  EXPECT_EQ(opened.signals.size(), chain.size());
  EXPECT_THAT(opened.faults, IsEmpty());
}

TEST_F(OpenerTest, OfTwoSubjectsInOneMatchTheLargerOpens) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open(MakeAll({{.partner = "politie", .subject = "jan"},
                                              {.partner = "gemeente", .subject = "jan"},
                                              {.partner = "politie", .subject = "piet"},
                                              {.partner = "gemeente", .subject = "piet"},
                                              {.partner = "jeugdzorg", .subject = "piet"}})));
  EXPECT_THAT(SignalsOf(opened),
              ElementsAre("gemeente/piet: piet at gemeente", "jeugdzorg/piet: piet at jeugdzorg",
                          "politie/piet: piet at politie"));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie THRESHOLD_NOT_MET", "gemeente THRESHOLD_NOT_MET"));
}

TEST_F(OpenerTest, PersonAndHouseholdAreTwoSubjects) {
  // The signal of gemeente is in both groups; only the household's, which is larger, opens.
  const auto in_house = [](const char* partner, const char* person) {
    return Report{.partner = partner,
                  .subject = person,
                  .purpose = kMixed,
                  .subject_of_rule = {{"household", "house of jan"}}};
  };
  Report outside = in_house("politie", "jan");
  outside.without = {"household"};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open(MakeAll({outside, in_house("gemeente", "jan"), in_house("jeugdzorg", "piet"),
                    in_house("woningcorporatie", "kees")}),
           kMixed));
  ASSERT_EQ(opened.signals.size(), 3u);
  for (const v1::OpenedSignal& signal : opened.signals) EXPECT_THAT(signal.rules(), ElementsAre("household"));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie THRESHOLD_NOT_MET"));
}

TEST_F(OpenerTest, CasePurposeNeedsACaseReport) {
  const Report signal = {.partner = "politie", .subject = "jan", .purpose = kCase};
  const Report other = {.partner = "jeugdzorg", .subject = "jan", .purpose = kCase};
  EXPECT_THAT(Open(MakeAll({signal, other}), kCase), HasReason(reason::kThresholdNotMet));
  Report report = signal;
  report.kind = v1::CASE_REPORT;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(MakeAll({report, other}), kCase));
  EXPECT_THAT(opened.signals, ::testing::SizeIs(2));
}

TEST_F(OpenerTest, CaseReportOnAnotherSubjectOpensNothing) {
  EXPECT_THAT(
      Open(MakeAll({{.partner = "politie", .subject = "jan", .purpose = kCase},
                    {.partner = "jeugdzorg", .subject = "jan", .purpose = kCase},
                    {.partner = "gemeente", .subject = "piet", .purpose = kCase, .kind = v1::CASE_REPORT}}),
           kCase),
      HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerTest, CaseReportOfAPartnerThatMayNotReportOpensNothing) {
  const auto result =
      Open(MakeAll({{.partner = "politie", .subject = "jan", .purpose = kCase},
                    {.partner = "jeugdzorg", .subject = "jan", .purpose = kCase, .kind = v1::CASE_REPORT},
                    {.partner = "woningcorporatie", .subject = "jan", .purpose = kCase}}),
           kCase);
  EXPECT_THAT(result, HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr("jeugdzorg KIND_NOT_ALLOWED"));
}

TEST_F(OpenerTest, ExpiredSignalDoesNotCount) {
  const std::vector<v1::Envelope> old = MakeAll({{.partner = "politie", .subject = "jan"}});
  const auto bend = [](v1::SignalHeader& header) {
    header.set_submitted_day(header.submitted_day() - 365);
    header.set_expiry_day(header.expiry_day() - 365);
  };
  const v1::Envelope expired = Make({.partner = "gemeente", .subject = "jan", .bend = bend});
  const auto result = Open({old[0], expired});
  EXPECT_THAT(result, HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr("gemeente DATE_OUT_OF_RANGE"));
  const auto last_day = [](v1::SignalHeader& header) {
    header.set_submitted_day(header.submitted_day() - 364);
    header.set_expiry_day(header.expiry_day() - 364);
  };
  EXPECT_THAT(Open({old[0], Make({.partner = "gemeente", .subject = "jan", .bend = last_day})}), IsOk());
}

TEST_F(OpenerTest, SuspendedPartnersSignalDoesNotCount) {
  const std::vector<v1::Envelope> two =
      MakeAll({{.partner = "politie", .subject = "jan"}, {.partner = "gemeente", .subject = "jan"}});
  const v1::Envelope third = Make({.partner = "jeugdzorg", .subject = "jan"});
  ASSERT_THAT(Open(two), IsOk());
  region_.Suspend("gemeente");
  EXPECT_THAT(Open(two), HasReason(reason::kThresholdNotMet));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open({two[0], two[1], third}));
  EXPECT_THAT(SignalsOf(opened),
              ElementsAre("jeugdzorg/jan: jan at jeugdzorg", "politie/jan: jan at politie"));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("gemeente PARTNER_SUSPENDED"));
}

TEST_F(OpenerTest, EnvelopesOtherThanTheOrdersAreMatchChanged) {
  const std::vector<v1::Envelope> three = MakeAll({{.partner = "politie", .subject = "jan"},
                                                   {.partner = "gemeente", .subject = "jan"},
                                                   {.partner = "jeugdzorg", .subject = "jan"}});
  const Opener opener = MakeOpener();
  policy::VerifiedOrder order{OrderFor(three, kList), ""};
  const OpeningProof proof = ProofFor(order);
  const absl::Time now = region_.clock().Now();
  EXPECT_THAT(opener.Open(proof, {three[0], three[1]}, snapshot(), now), HasReason(reason::kMatchChanged));
  EXPECT_THAT(opener.Open(proof, {three[0], three[1], three[2], three[2]}, snapshot(), now),
              HasReason(reason::kMatchChanged));
  EXPECT_THAT(opener.Open(proof, {three[0], three[1], Make({.partner = "jeugdzorg", .subject = "jan"})},
                          snapshot(), now),
              HasReason(reason::kMatchChanged));
  EXPECT_THAT(opener.Open(proof, {}, snapshot(), now), HasReason(reason::kMatchChanged));
  EXPECT_THAT(opener.Open(proof, {three[2], three[0], three[1]}, snapshot(), now), IsOk()) << "in any order";
  order.body.set_purpose("unknown");
  EXPECT_THAT(opener.Open(ProofFor(order), three, snapshot(), now), HasReason(reason::kPurposeUnknown));
}

TEST_F(OpenerTest, MissingKeysetOrSealKeyIsTheHubsFault) {
  const std::vector<v1::Envelope> two =
      MakeAll({{.partner = "politie", .subject = "jan"}, {.partner = "gemeente", .subject = "jan"}});
  std::filesystem::remove(keyset_folder_.File("onaantastbaren-1.keyset"));
  EXPECT_THAT(Open(two), IsOk()) << "by the other rule";
  std::filesystem::remove(keyset_folder_.File("onaantastbaren-2.keyset"));
  EXPECT_THAT(Open(two), HasReason(reason::kKeysetUnknown));
  const std::vector<v1::Envelope> family =
      MakeAll({{.partner = "politie", .subject = "6211AA 1", .purpose = kFamily},
               {.partner = "gemeente", .subject = "6211AA 1", .purpose = kFamily}});
  EXPECT_THAT(Open(family, kFamily), IsOk());
  seal_keys_.erase(snapshot().covenant->FindSealKey(kFamily, 1)->id());
  EXPECT_THAT(Open(family, kFamily), HasReason(reason::kKeysetUnknown));
}

TEST_F(OpenerTest, ContentOfMaximalSizeOpens) {
  Report report = {.partner = "politie", .subject = "jan"};
  const auto size = [&] { return ContentOf(report).ByteSizeLong(); };
  report.note = std::string(crypto::seal::kMaxContentSize - 100, 'x');
  report.note.append(crypto::seal::kMaxContentSize - size(), 'y');
  ASSERT_EQ(size(), crypto::seal::kMaxContentSize);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open({Make(report), Make({.partner = "gemeente", .subject = "jan"})}));
  ASSERT_EQ(opened.signals.size(), 2u);
  EXPECT_EQ(opened.signals[1].note(), report.note);
}

}  // namespace
}  // namespace raakvlak::hub

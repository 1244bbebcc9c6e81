// One match over two epochs: versions of signals, each under its own keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "crypto/disclosure/share.h"
#include "server/hub/opener.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

constexpr absl::Duration kFortnight = absl::Hours(24 * 14);

class OpenerEpochTest : public HubTest {
 protected:
  // A signal with an id of its own, so that it can be made again under the next epoch.
  Report ReportOf(const std::string& partner, const std::string& subject, const std::string& note = {}) {
    const std::string id = random_.Bytes(16);
    return {.partner = partner,
            .subject = subject,
            .bend = [id](v1::SignalHeader& header) { header.set_signal_id(id); },
            .note = note};
  }
  v1::Envelope Again(Report report, const std::string& note = "again") {
    report.note = note;
    return Make(report);
  }
};

TEST_F(OpenerEpochTest, BothVersionsOfAllShowEachSignalOnceInItsNewest) {
  const Report ours = ReportOf("politie", "jan");
  const Report theirs = ReportOf("gemeente", "jan");
  std::vector<v1::Envelope> envelopes = MakeAll({ours, theirs});
  RaiseEpoch(kList, kFortnight);
  for (const Report& report : {ours, theirs}) envelopes.push_back(Again(report));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_THAT(SignalsOf(opened), ElementsAre("gemeente/jan: again", "politie/jan: again"));
  EXPECT_THAT(opened.faults, IsEmpty());
  ASSERT_EQ(opened.evidence.size(), 2u);
  for (const v1::RuleEvidence& evidence : opened.evidence) {
    EXPECT_THAT(evidence.agree(), ElementsAre("gemeente", "politie"));
    EXPECT_THAT(evidence.differ(), IsEmpty());
  }
}

TEST_F(OpenerEpochTest, PartnerThatHasNotGoneOverYetOpensWithTheOldVersion) {
  const Report ours = ReportOf("politie", "jan");
  std::vector<v1::Envelope> envelopes = {Make(ours), Make(ReportOf("gemeente", "jan"))};
  RaiseEpoch(kList, kFortnight);
  envelopes.push_back(Again(ours));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_THAT(SignalsOf(opened), ElementsAre("gemeente/jan: jan at gemeente", "politie/jan: jan at politie"));
  EXPECT_THAT(opened.faults, IsEmpty()) << "a version that waits for the others is no fault";
}

TEST_F(OpenerEpochTest, VersionsOfTwoEpochsNeverAddUp) {
  const Report ours = ReportOf("politie", "jan");
  const v1::Envelope theirs = Make(ReportOf("gemeente", "jan"));
  const v1::Envelope old = Make(ours);
  RaiseEpoch(kList, kFortnight);
  EXPECT_THAT(Open({Again(ours), theirs}), HasReason(reason::kThresholdNotMet));
  // The same organisation in both epochs is one organisation.
  EXPECT_THAT(Open({old, Again(ours)}), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(Open({old, theirs}), IsOk());
}

TEST_F(OpenerEpochTest, TokensOfTheEpochBeforeInANewEnvelopeDoNotCount) {
  namespace disclosure = crypto::disclosure;
  const Report ours = ReportOf("politie", "jan");
  const v1::Envelope theirs = Make(ReportOf("gemeente", "jan"));
  // What makes good tokens of the epoch before, for whatever header.
  std::vector<std::pair<disclosure::TokenSecrets, std::string>> before;
  for (const v1::LinkageRule& rule : PurposeOf(kList).rules()) {
    before.emplace_back(SecretsOf(ours, rule), ContextOf(PurposeOf(kList), rule));
  }
  RaiseEpoch(kList, kFortnight);
  Sealed bent = Seal(ours);
  for (int i = 0; i < bent.body.tokens_size(); ++i) {
    const auto& [secrets, context] = before[static_cast<size_t>(i)];
    v1::Token& token = *bent.body.mutable_tokens(i);
    token.set_tag(secrets.tag);
    token.set_share(disclosure::EvaluateShare(secrets.coefficients, 1)->Encode());
    token.set_commitments(disclosure::Commit(secrets.coefficients));
    token.set_wrapped_key(crypto::seal::WrapContentKey(
        disclosure::WrapKey(secrets.coefficients.front(), context, token.tag()), bent.content_key,
        absl::StrCat(bent.body.header(), context, token.tag(), token.share(), token.commitments()), random_));
  }
  EXPECT_THAT(Open({Sign(bent), theirs}), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerEpochTest, OldVersionsOpenUntilTheOverlapEndsAndNotAfter) {
  const std::vector<v1::Envelope> old = MakeAll({ReportOf("politie", "jan"), ReportOf("gemeente", "jan")});
  const std::vector<v1::Envelope> new_ones = [&] {
    RaiseEpoch(kList, kFortnight);
    return MakeAll({ReportOf("jeugdzorg", "jan"), ReportOf("woningcorporatie", "jan")});
  }();
  region_.clock().Advance(kFortnight - absl::Seconds(1));
  EXPECT_THAT(Open(old), IsOk());
  region_.clock().Advance(absl::Seconds(1));
  EXPECT_THAT(Open(old), HasReason(reason::kThresholdNotMet));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open({old[0], new_ones[0], new_ones[1]}));
  EXPECT_EQ(opened.signals.size(), 2u);
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie COVENANT_MISMATCH"));
}

TEST_F(OpenerEpochTest, WithoutOverlapTheEpochBeforeOpensNothing) {
  const std::vector<v1::Envelope> old = MakeAll({ReportOf("politie", "jan"), ReportOf("gemeente", "jan")});
  RaiseEpoch(kList, absl::ZeroDuration());
  EXPECT_THAT(Open(old), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerEpochTest, TwoEnvelopesOfOneSignalAndEpochAreAReplay) {
  const Report ours = ReportOf("politie", "jan");
  RaiseEpoch(kList, kFortnight);
  const std::vector<v1::Envelope> envelopes = {Make(ours), Again(ours), Make(ReportOf("gemeente", "jan"))};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_EQ(opened.signals.size(), 2u);
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie REPLAYED"));
}

TEST_F(OpenerEpochTest, GroupsOfTwoEpochsThatShareASignalAreOneSubject) {
  const Report ours = ReportOf("politie", "jan");
  std::vector<v1::Envelope> envelopes = {Make(ours), Make(ReportOf("gemeente", "jan"))};
  RaiseEpoch(kList, kFortnight);
  envelopes.push_back(Again(ours));
  envelopes.push_back(Make(ReportOf("jeugdzorg", "jan")));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_THAT(SignalsOf(opened), ElementsAre("gemeente/jan: jan at gemeente",
                                             "jeugdzorg/jan: jan at jeugdzorg", "politie/jan: again"));
  EXPECT_THAT(opened.faults, IsEmpty());
}

TEST_F(OpenerEpochTest, RuleThatNobodyElseHasInItsEpochComparesNothing) {
  Report ours = ReportOf("politie", "jan");
  std::vector<v1::Envelope> envelopes = {Make(ours), Make(ReportOf("gemeente", "jan"))};
  RaiseEpoch(kList, kFortnight);
  ours.without = {kNameRule};
  Report theirs = ReportOf("jeugdzorg", "jan");
  theirs.subject_of_rule = {{kNameRule, "piet"}};
  envelopes.push_back(Make(ours));
  envelopes.push_back(Make(theirs));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_EQ(opened.signals.size(), 3u);
  ASSERT_EQ(opened.evidence.size(), 2u);
  const v1::RuleEvidence& name = opened.evidence[1];
  EXPECT_EQ(name.rule(), kNameRule);
  EXPECT_THAT(name.agree(), ElementsAre("gemeente", "politie"));
  EXPECT_THAT(name.differ(), IsEmpty());
  EXPECT_THAT(name.absent(), ElementsAre("jeugdzorg"));
}

TEST_F(OpenerEpochTest, OneSignalIdOfTwoPartnersJoinsNothing) {
  const Report ours = ReportOf("politie", "jan");
  std::vector<v1::Envelope> envelopes = {Make(ours), Make(ReportOf("gemeente", "jan")),
                                         Make(ReportOf("woningcorporatie", "jan"))};
  RaiseEpoch(kList, kFortnight);
  Report same_id = ours;
  same_id.partner = "jeugdzorg";
  same_id.subject = "piet";
  envelopes.push_back(Make(same_id));
  envelopes.push_back(Make(ReportOf("politie-zuid", "piet")));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open(envelopes));
  EXPECT_EQ(opened.signals.size(), 3u);
  EXPECT_THAT(FaultsOf(opened), ElementsAre("jeugdzorg THRESHOLD_NOT_MET", "politie-zuid THRESHOLD_NOT_MET"));
}

TEST_F(OpenerEpochTest, ThresholdIsThatOfTheEpoch) {
  const Report ours = ReportOf("politie", "jan");
  const Report theirs = ReportOf("gemeente", "jan");
  const std::vector<v1::Envelope> old = MakeAll({ours, theirs});
  RaiseEpoch(kList, kFortnight,
             [](v1::Covenant& covenant) { covenant.mutable_purposes(0)->set_disclosure_threshold(3); });
  EXPECT_THAT(Open({Again(ours), Again(theirs)}), HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(Open({Again(ours), Again(theirs), Make(ReportOf("jeugdzorg", "jan"))}), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open({old[0], old[1], Again(ours)}));
  EXPECT_EQ(opened.signals.size(), 2u) << "what was agreed for the epoch before goes on until it ends";
}

TEST_F(OpenerEpochTest, MissingKeysOfOneEpochAreMissedOnlyByWhatNeedsThem) {
  const Report ours = ReportOf("politie", "jan");
  const Report theirs = ReportOf("gemeente", "jan");
  const std::vector<v1::Envelope> old = MakeAll({ours, theirs});
  RaiseEpoch(kList, kFortnight);
  const v1::Envelope again = Again(ours);
  const v1::Envelope third = Make(ReportOf("jeugdzorg", "jan"));
  seal_keys_.erase(snapshot().covenant->FindSealKey(kList, 2)->id());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open({old[0], old[1], again}));
  EXPECT_THAT(SignalsOf(opened), ElementsAre("gemeente/jan: jan at gemeente", "politie/jan: jan at politie"));
  EXPECT_THAT(opened.faults, IsEmpty());
  EXPECT_THAT(Open({old[0], old[1], again, third}), HasReason(reason::kKeysetUnknown))
      << "part of a match is not shown as if it were the whole";
}

TEST_F(OpenerEpochTest, RefreshedKeysetOpensWhatWasSealedBefore) {
  const std::vector<v1::Envelope> two = MakeAll({ReportOf("politie", "jan"), ReportOf("gemeente", "jan")});
  const auto before = policy::KeysetStore::Load(keyset_folder_.path(), *snapshot().chain);
  ASSERT_THAT(before, IsOk());
  for (const int identifier_class : {1, 2}) {
    const std::string note =
        MakeKeyset(PurposeOf(kList), identifier_class, 2,
                   before->Newest(kList, static_cast<uint8_t>(identifier_class), 1)->id(),
                   keys_.at({kList, identifier_class}));
    ASSERT_THAT(
        base::WriteFileAtomically(
            keyset_folder_.File("refreshed-" + std::to_string(identifier_class) + ".keyset"), note, 0644),
        IsOk());
  }
  EXPECT_THAT(Open(two), IsOk());
}

}  // namespace
}  // namespace raakvlak::hub

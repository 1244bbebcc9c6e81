#include "cli/agreement.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/budget/covenant_budget.h"
#include "policy/roster.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::cli {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AgreementTest : public ::testing::Test {
 protected:
  AgreementTest() {
    // The rules of the test region are those that linkage knows.
    text_ = policy::PrintText(region_.covenant());
    verifiers_ = *policy::SignersOf(region_.covenant());
  }
  absl::StatusOr<std::string> Sign(const std::string& file, const std::string& name,
                                   const std::string& key_of) {
    auto note = ParseFile(file);
    EXPECT_THAT(note, IsOk());
    return SignFile(*note, verifiers_, name, region_.KeyOf(key_of));
  }

  TestRegion region_;
  const std::string politie_ = TestRegion::Urn("node", "politie");
  std::string text_;
  std::vector<crypto::note::VerifierKey> verifiers_;
};

TEST_F(AgreementTest, NewCovenantDropsCommentsAndKeepsWhatItSays) {
  const auto made = NewCovenant("# a comment\n\n" + text_);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(*made, text_);
}

TEST_F(AgreementTest, NewCovenantRefusesWhatThePolicyRefuses) {
  EXPECT_THAT(NewCovenant(text_ + "surprise: 1\n"), HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(NewCovenant(absl::StrReplaceAll(text_, {{"quorum: 3", "quorum: 1"}})),
              HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(NewCovenant(absl::StrReplaceAll(text_, {{"mode: LIST", "mode: OTHER_LAW"}})),
              HasReason(reason::kNeedsLaterVersion));
}

TEST_F(AgreementTest, LinkageRuleThatThisVersionDoesNotKnowIsRefused) {
  v1::Covenant covenant = region_.covenant();
  ASSERT_THAT(policy::CheckLinkage(covenant), IsOk());
  covenant.mutable_purposes(0)->mutable_rules(0)->set_version(2);
  EXPECT_THAT(policy::CheckLinkage(covenant), HasReason(reason::kCovenantInvalid));
  covenant = region_.covenant();
  covenant.mutable_purposes(0)->mutable_rules(0)->set_id("surname");
  EXPECT_THAT(policy::CheckLinkage(covenant), HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(NewCovenant(policy::PrintText(covenant)), HasReason(reason::kCovenantInvalid));
}

TEST_F(AgreementTest, LinkageRuleOfAnotherClassOrSubjectIsRefused) {
  // A bsn rule declared as PERSON would let a partner without entitlement evaluate BSNs.
  v1::Covenant covenant = region_.covenant();
  covenant.mutable_purposes(0)->mutable_rules(0)->set_identifier_class(v1::PERSON);
  EXPECT_THAT(policy::CheckLinkage(covenant), HasReason(reason::kCovenantInvalid));
  covenant = region_.covenant();
  covenant.mutable_purposes(0)->mutable_rules(0)->set_subject(v1::HOUSEHOLD_SUBJECT);
  EXPECT_THAT(policy::CheckLinkage(covenant), HasReason(reason::kCovenantInvalid));
}

TEST_F(AgreementTest, SignaturesCollectOneByOneUntilTheCovenantVerifies) {
  std::string file = text_;
  for (size_t i = 0; i < verifiers_.size(); ++i) {
    EXPECT_FALSE(policy::Covenant::Verify(file).ok());
    const auto signed_file = Sign(file, verifiers_[i].name(), verifiers_[i].name());
    ASSERT_THAT(signed_file, IsOk());
    file = *signed_file;
    const auto signers = SignersOf(*ParseFile(file), verifiers_);
    ASSERT_THAT(signers, IsOk());
    EXPECT_EQ(signers->signed_by.size(), i + 1);
    EXPECT_EQ(signers->missing.size(), verifiers_.size() - i - 1);
  }
  const auto covenant = policy::Covenant::Verify(file);
  ASSERT_THAT(covenant, IsOk());
  EXPECT_EQ((*covenant)->id(), base::Sha256(text_)) << "the text stays as it is";
}

TEST_F(AgreementTest, SigningAgainChangesNothing) {
  const std::string once = *Sign(text_, politie_, politie_);
  EXPECT_EQ(*Sign(once, politie_, politie_), once);
}

TEST_F(AgreementTest, OnlyASignerWithItsOwnKeySigns) {
  EXPECT_THAT(Sign(text_, "urn:raakvlak:maastricht:node:anders", politie_),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(Sign(text_, politie_, TestRegion::Urn("node", "gemeente")),
              HasReason(reason::kInvalidArgument));
}

TEST_F(AgreementTest, NobodySignsBesideAWrongSignature) {
  std::string file = *Sign(text_, politie_, politie_);
  file[file.size() - 10] = file[file.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_THAT(Sign(file, verifiers_[1].name(), verifiers_[1].name()), HasReason(reason::kSignatureInvalid));
}

TEST_F(AgreementTest, TextThatCannotStandInANoteIsNotSigned) {
  EXPECT_THAT(Sign("\tformat: 1\n", politie_, politie_), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(Sign("format: 1", politie_, politie_), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(Sign("", politie_, politie_), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ParseFile(std::string(crypto::note::kMaxNoteSize + 1, 'x')), HasReason(reason::kMalformed));
}

TEST_F(AgreementTest, UnsignedTextHasNoSignatures) {
  const auto note = ParseFile(text_);
  ASSERT_THAT(note, IsOk());
  EXPECT_EQ(note->text, text_);
  EXPECT_THAT(note->signatures, IsEmpty());
}

TEST_F(AgreementTest, NewRosterIsDatedNumberedAndTiedToTheCovenant) {
  const auto covenant = *policy::Covenant::Verify(*base::ReadFile(region_.covenant_path()));
  v1::Roster members = region_.roster();
  members.clear_covenant_id();
  members.clear_issued();
  members.clear_expires();
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000) + absl::Milliseconds(700);
  const auto text = NewRoster(policy::PrintText(members), *covenant, 12, now, absl::Hours(24 * 31));
  ASSERT_THAT(text, IsOk());
  const auto roster = *policy::ParseRosterText(*text);
  EXPECT_EQ(roster.number(), 12u);
  EXPECT_EQ(roster.covenant_id(), base::Hex(covenant->id()));
  EXPECT_EQ(roster.issued(), "2027-01-15T08:00:00Z");
  EXPECT_EQ(roster.expires(), "2027-02-15T08:00:00Z");
  EXPECT_THAT(NewRoster(policy::PrintText(members), *covenant, 12, now, absl::Hours(24 * 32)),
              HasReason(reason::kRosterInvalid));
  members.clear_number();
  EXPECT_THAT(NewRoster(policy::PrintText(members), *covenant, 0, now, absl::Hours(24)),
              HasReason(reason::kRosterInvalid));
}

// The samples are right but for the keys that a region fills in.
TEST(Samples, FilledInCovenantIsTaken) {
  base::testing::SeededRandom random(8);
  std::string text = kCovenantSample;
  for (const char* role_and_id :
       {"node:politie", "node:gemeente", "node:woningcorporatie", "hub:veiligheidshuis", "officer:fg"}) {
    const std::string urn = std::string("urn:raakvlak:maastricht:") + role_and_id;
    const auto key = crypto::note::PrivateKey::Generate(random).public_key();
    text = absl::StrReplaceAll(text, {{"<raakvlak key new --kind signing --name " + urn + ">",
                                       crypto::note::VerifierKey::Create(urn, key)->Encode()}});
  }
  for (const std::string who : {"politie", "gemeente", "woningcorporatie", "broker", "veiligheidshuis"}) {
    for (const std::string kind : {"log", "witness"}) {
      text = absl::StrReplaceAll(
          text, {{"<raakvlak key new --kind " + kind + " --out " + who + "-" + kind + ".pem>",
                  base::Base64(crypto::note::PrivateKey::Generate(random).public_key().bytes())}});
    }
  }
  const std::string seal_key = random.Bytes(32);
  text = absl::StrReplaceAll(
      text, {{"<raakvlak key new --kind seal>", base::Hex(base::Sha256(seal_key)).substr(0, 16)},
             {"<the same>", base::Base64(seal_key)}});
  EXPECT_THAT(NewCovenant(text), IsOk());
}

TEST(Samples, UnfilledCovenantIsRefusedForItsKeys) {
  const auto result = NewCovenant(kCovenantSample);
  EXPECT_THAT(result, HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("signing_key"));
}

TEST(Samples, RosterParses) {
  const auto roster = policy::ParseRosterText(kRosterSample);
  ASSERT_THAT(roster, IsOk());
  ASSERT_EQ(roster->members_size(), 2);
  EXPECT_THAT(roster->members(0).roles(), ElementsAre(v1::STAFF));
}

}  // namespace
}  // namespace raakvlak::cli

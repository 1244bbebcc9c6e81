// Covenant::Verify and what a verified covenant answers.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/covenant.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;

class CovenantNoteTest : public ::testing::Test {
 protected:
  std::string File() { return *base::ReadFile(region_.covenant_path()); }
  std::shared_ptr<const Covenant> Written() {
    region_.Write();
    auto covenant = Covenant::Verify(File());
    EXPECT_THAT(covenant, IsOk());
    return *covenant;
  }
  // The covenant's text signed by everybody but `without`.
  std::string SignedWithout(const std::string& text, const std::string& without = "") {
    crypto::note::Note note{text, {}};
    std::vector<std::string> urns = {region_.covenant().hub().urn()};
    for (const auto& partner : region_.covenant().partners())
      urns.push_back(TestRegion::Urn("node", partner.id()));
    for (const std::string& urn : urns) {
      if (urn == without) continue;
      const auto& key = region_.KeyOf(urn);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    }
    return crypto::note::Format(note);
  }

  TestRegion region_;
};

TEST_F(CovenantNoteTest, SignedByAllVerifiesAndItsIdIsTheDigestOfItsText) {
  const auto covenant = Covenant::Verify(File());
  ASSERT_THAT(covenant, IsOk());
  EXPECT_EQ((*covenant)->id(), base::Sha256(PrintText(region_.covenant())));
  EXPECT_EQ((*covenant)->region(), "maastricht");
}

TEST_F(CovenantNoteTest, EachMissingSignerIsNamed) {
  const std::string text = PrintText(region_.covenant());
  ASSERT_THAT(Covenant::Verify(SignedWithout(text)), IsOk());
  for (const std::string urn :
       {"urn:raakvlak:maastricht:node:politie", "urn:raakvlak:maastricht:node:gemeente",
        "urn:raakvlak:maastricht:node:jeugdzorg", "urn:raakvlak:maastricht:node:woningcorporatie",
        "urn:raakvlak:maastricht:hub:veiligheidshuis"}) {
    const auto result = Covenant::Verify(SignedWithout(text, urn));
    EXPECT_THAT(result, HasReason(base::reason::kSignatureInvalid)) << urn;
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(urn));
  }
}

TEST_F(CovenantNoteTest, NoByteOfTheFileCanBeChanged) {
  const std::string file = File();
  std::mt19937 engine(1);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (engine() % 8)));
    EXPECT_FALSE(Covenant::Verify(changed).ok()) << "byte " << i << ", seed 1";
  }
}

TEST_F(CovenantNoteTest, CutFileIsRefused) {
  const std::string file = File();
  for (size_t size = 0; size < file.size(); size += 7)
    EXPECT_FALSE(Covenant::Verify(file.substr(0, size)).ok()) << size;
}

TEST_F(CovenantNoteTest, UnknownFieldIsRefusedAlsoWhenAllSigned) {
  const auto result = Covenant::Verify(SignedWithout(PrintText(region_.covenant()) + "surprise: 1\n"));
  EXPECT_THAT(result, HasReason(base::reason::kCovenantInvalid));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("surprise"));
}

TEST_F(CovenantNoteTest, FieldGivenTwiceIsRefused) {
  EXPECT_THAT(Covenant::Verify(SignedWithout(PrintText(region_.covenant()) + "quorum: 2\n")),
              HasReason(base::reason::kCovenantInvalid));
}

TEST_F(CovenantNoteTest, BrokenRuleIsRefusedAlsoWhenAllSigned) {
  v1::Covenant covenant = region_.covenant();
  covenant.set_quorum(1);
  EXPECT_THAT(Covenant::Verify(SignedWithout(PrintText(covenant))),
              HasReason(base::reason::kCovenantInvalid));
}

TEST_F(CovenantNoteTest, ReplacedKeyOfAPartnerLacksThatPartnersSignature) {
  // Who edits the text and signs it with a new key of the partner's name still lacks all the others.
  const std::string urn = TestRegion::Urn("node", "politie");
  base::testing::SeededRandom random(5);
  const auto key = crypto::note::PrivateKey::Generate(random);
  const auto verifier = *crypto::note::VerifierKey::Create(urn, key.public_key());
  v1::Covenant covenant = region_.covenant();
  covenant.mutable_partners(0)->set_signing_key(verifier.Encode());
  crypto::note::Note note = *crypto::note::Parse(File());
  note.text = PrintText(covenant);
  crypto::note::Sign(note, verifier, key);
  EXPECT_THAT(Covenant::Verify(crypto::note::Format(note)), HasReason(base::reason::kSignatureInvalid));
}

TEST_F(CovenantNoteTest, ValidFromItsFirstToBeforeItsLastMoment) {
  region_.covenant().set_valid_from("2026-01-01T00:00:00Z");
  region_.covenant().set_valid_until("2027-01-01T00:00:00Z");
  const auto covenant = Written();
  const absl::Time from = *ParseUtc("2026-01-01T00:00:00Z");
  const absl::Time until = *ParseUtc("2027-01-01T00:00:00Z");
  EXPECT_THAT(covenant->CheckValidAt(from - absl::Nanoseconds(1)), HasReason(base::reason::kCovenantExpired));
  EXPECT_THAT(covenant->CheckValidAt(from), IsOk());
  EXPECT_THAT(covenant->CheckValidAt(until - absl::Nanoseconds(1)), IsOk());
  EXPECT_THAT(covenant->CheckValidAt(until), HasReason(base::reason::kCovenantExpired));
}

TEST_F(CovenantNoteTest, LookUpsFindWhatIsThereAndNothingElse) {
  const auto covenant = Written();
  ASSERT_NE(covenant->FindPartner("politie"), nullptr);
  EXPECT_EQ(covenant->FindPartner("politi"), nullptr);
  const v1::Purpose* purpose = covenant->FindPurpose("risicojeugd");
  ASSERT_NE(purpose, nullptr);
  EXPECT_EQ(covenant->FindPurpose(""), nullptr);
  ASSERT_NE(Covenant::FindRule(*purpose, "bsn"), nullptr);
  EXPECT_EQ(Covenant::FindRule(*purpose, "address"), nullptr);
  ASSERT_NE(covenant->FindSealKey("risicojeugd", 1), nullptr);
  EXPECT_EQ(covenant->FindSealKey("risicojeugd", 1)->purpose(), "risicojeugd");
  EXPECT_EQ(covenant->FindSealKey("risicojeugd", 2), nullptr);
  EXPECT_TRUE(Covenant::MaySubmit(*purpose, "jeugdzorg"));
  EXPECT_FALSE(Covenant::MayReportCases(*purpose, "jeugdzorg"));
  EXPECT_TRUE(Covenant::MayReportCases(*purpose, "politie"));
  EXPECT_TRUE(covenant->PartnerKey("politie") ==
              region_.KeyOf(TestRegion::Urn("node", "politie")).public_key());
  EXPECT_TRUE(covenant->HubKey() == region_.KeyOf(region_.covenant().hub().urn()).public_key());
  ASSERT_EQ(covenant->PartnerVerifiers().size(), 4u);
  EXPECT_EQ(covenant->PartnerVerifiers()[3].name(), TestRegion::Urn("node", "woningcorporatie"));
}

TEST_F(CovenantNoteTest, OwnQuotaGoesBeforeTheCommonOneAndNobodyHasABsnQuotaWithoutEntitlement) {
  region_.covenant().mutable_quotas(1)->set_elements_per_day(10);  // PERSON
  v1::Quota& own = *region_.covenant().add_quotas();
  own.set_partner("gemeente");
  own.set_identifier_class(v1::PERSON);
  own.set_elements_per_day(3);
  const auto covenant = Written();
  EXPECT_EQ(covenant->QuotaFor("politie", v1::PERSON), 10u);
  EXPECT_EQ(covenant->QuotaFor("gemeente", v1::PERSON), 3u);
  EXPECT_EQ(covenant->QuotaFor("politie", v1::BSN), 1'000'000u);
  EXPECT_EQ(covenant->QuotaFor("woningcorporatie", v1::BSN), 0u);
  EXPECT_EQ(covenant->QuotaFor("anders", v1::PERSON), 0u);
}

TEST_F(CovenantNoteTest, DaysAreThoseOfTheCovenantsTimeZone) {
  const auto covenant = Written();  // Europe/Amsterdam
  EXPECT_EQ(covenant->CivilDayAt(*ParseUtc("2026-06-30T21:59:59Z")), absl::CivilDay(2026, 6, 30));
  EXPECT_EQ(covenant->CivilDayAt(*ParseUtc("2026-06-30T22:00:00Z")), absl::CivilDay(2026, 7, 1));
  EXPECT_EQ(covenant->CivilDayAt(*ParseUtc("2026-12-31T22:59:59Z")), absl::CivilDay(2026, 12, 31));
  EXPECT_EQ(covenant->DayAt(*ParseUtc("1970-01-01T23:00:00Z")), 1u);
}

TEST_F(CovenantNoteTest, EachProcessHasALogForEveryYearUnderItsOwnKey) {
  const auto covenant = Written();
  const auto key_of = [](const std::string& urn) { return TestRegion::LogKeyOf(urn).public_key(); };
  for (const std::string& urn :
       {TestRegion::Urn("node", "politie"), TestRegion::Urn("node", "woningcorporatie"),
        region_.covenant().broker().urn(), region_.covenant().hub().urn()}) {
    const auto verifier = covenant->LogVerifier(urn + "/2027");
    ASSERT_THAT(verifier, IsOk()) << urn;
    EXPECT_EQ(verifier->name(), urn + "/2027");
    EXPECT_EQ(verifier->key(), key_of(urn));
  }
}

TEST_F(CovenantNoteTest, LogOfNobodyIsNotFound) {
  const auto covenant = Written();
  const std::string urn = TestRegion::Urn("node", "politie");
  for (const std::string& origin :
       {urn, urn + "/", urn + "/27", urn + "/02027", urn + "/0027", urn + "/2027/", urn + "/2027 ",
        urn + "//2027", urn + "/202a", urn + "x/2027", TestRegion::Urn("it", "politie") + "/2027",
        std::string("/2027"), std::string()}) {
    EXPECT_THAT(covenant->LogVerifier(origin), HasReason(base::reason::kNotFound)) << origin;
  }
}

}  // namespace
}  // namespace raakvlak::policy

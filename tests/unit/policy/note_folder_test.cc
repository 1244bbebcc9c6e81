// Notes that arrive while a process runs: the folder, what may be added to it, and what Authority takes of
// it.
#include "policy/note_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "policy/text.h"
#include "tests/unit/policy/note_folder_fixture.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::MemoryHighWater;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

TEST_F(NoteFolderTest, NoteIsKeptOnceUnderItsDigest) {
  EXPECT_THAT(*ReadNotes(folder()), IsEmpty()) << "a folder that is missing holds nothing";
  Add("one");
  Add("two");
  Add("one");
  const auto notes = ReadNotes(folder());
  ASSERT_THAT(notes, IsOk());
  ASSERT_THAT(*notes, SizeIs(2));
  for (const StoredNote& note : *notes) EXPECT_EQ(note.name, base::Hex(base::Sha256(note.bytes)) + ".note");
}

TEST_F(NoteFolderTest, NoteIsClassifiedByItsText) {
  const Notes notes = Remember();
  EXPECT_EQ(*ClassifyNote(notes.covenant), NoteKind::kCovenant);
  EXPECT_EQ(*ClassifyNote(notes.roster), NoteKind::kRoster);
  EXPECT_EQ(*ClassifyNote(Withdrawal(notes.covenant, "gemeente", "gemeente")), NoteKind::kWithdrawal);
  EXPECT_THAT(ClassifyNote("nonsense"), HasReason(reason::kMalformed));
  crypto::note::Note other = *crypto::note::Parse(notes.roster);
  other.text = "something else\n";
  EXPECT_THAT(ClassifyNote(crypto::note::Format(other)), HasReason(reason::kMalformed));
}

TEST_F(NoteFolderTest, WithdrawalTextIsAsItsFormatSays) {
  EXPECT_EQ(WithdrawalText(std::string(32, '\x0a'), "politie"),
            "raakvlak/v1/covenant-withdrawal\ncovenant "
            "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\npartner politie\n");
}

TEST_F(NoteFolderTest, CovenantFromTheFolderComesIntoForceAtItsDate) {
  Start();
  const Notes next = Next(kDay);
  Add(next.covenant);
  EXPECT_EQ(InForce(), "c1/r1");
  const Snapshot waiting = *authority_->Current();
  const auto after = waiting.chain->After(*waiting.covenant);
  ASSERT_NE(after, nullptr) << "keys can be made for it";
  EXPECT_EQ(after->text().version(), 2u);
  EXPECT_EQ(waiting.chain->After(*after), nullptr);
  Add(next.roster);
  region_.clock().Advance(kDay);
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_NE(authority_->Current()->FindCovenant(waiting.covenant->id()), nullptr) << "the one before stays";
}

TEST_F(NoteFolderTest, EachNoteWorksOnTheNextCall) {
  Start();
  for (int i = 2; i < 20; ++i) {
    Add(NextRoster().roster);
    EXPECT_EQ(InForce(), "c1/r" + std::to_string(i));
  }
}

TEST_F(NoteFolderTest, CovenantWaitsForItsRoster) {
  Start();
  const Notes next = Next();
  Add(next.covenant);
  EXPECT_EQ(InForce(), "c1/r1");
  Add(next.roster);
  EXPECT_EQ(InForce(), "c2/r2");
}

TEST_F(NoteFolderTest, WhatIsInForceSurvivesARestart) {
  Start();
  const Notes next = Next();
  Add(next.covenant);
  Add(next.roster);
  ASSERT_EQ(InForce(), "c2/r2");
  Start();
  EXPECT_EQ(InForce(), "c2/r2") << "the files still hold the first";
  EXPECT_THAT(authority_->Current()->UpToInForce(), SizeIs(2));
  std::filesystem::remove_all(folder());
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_THAT(Create(), HasReason(reason::kCovenantOutdated)) << "the first must not come back";
  PutFiles(next);
  EXPECT_THAT(Create(), IsOk());
}

TEST_F(NoteFolderTest, WhenTheNewestIsLostWhatFollowsItIsTaken) {
  const Notes first = Remember();
  const Notes second = Next();
  PutFiles(second);
  Start();
  Notes third = Next();
  region_.covenant().set_supersedes(base::Hex(base::Sha256(crypto::note::Parse(second.covenant)->text)));
  region_.covenant().set_version(2);
  const Notes no_later = NextRoster();
  const auto create = [&](const Notes& files, const Notes& arrived) {
    authority_.reset();
    std::filesystem::remove_all(folder());
    PutFiles(files);
    Add(arrived.covenant);
    Add(arrived.roster);
    const policy::Newest newest = *high_water_.Load();
    auto authority = Create();
    EXPECT_THAT(high_water_.Store(newest), IsOk());
    return authority.ok() ? (*authority)->Current()->Name() : base::ReasonOf(authority.status());
  };
  EXPECT_EQ(create(third, first), "c3/r3");
  EXPECT_EQ(create(no_later, first), reason::kCovenantOutdated);
  third.roster = first.roster;
  EXPECT_EQ(create(first, third), reason::kCovenantMismatch) << "it has no roster";
}

TEST_F(NoteFolderTest, StartFailsOnFilesOfTheConfigurationThatAreNotOfThePolicyInForce) {
  const Notes first = Remember();
  Start();
  for (const std::string& roster : {first.covenant, std::string("nonsense")}) {
    PutFiles({first.covenant, roster});
    EXPECT_THAT(Create(), HasReason(reason::kRosterInvalid)) << "also when the folder has one";
  }
  std::filesystem::remove(region_.roster_path());
  EXPECT_THAT(Create(), HasReason(reason::kFileUnreadable));
  region_.covenant().set_population(299'999);
  PutFiles({Remember().covenant, first.roster});
  EXPECT_THAT(Create(), HasReason(reason::kCovenantOutdated)) << "another of that version";
  const Notes next = Next(absl::ZeroDuration(), [](v1::Covenant& covenant) { covenant.set_version(4); });
  PutFiles({next.covenant, first.roster});
  EXPECT_THAT(Create(), HasReason(reason::kCovenantOutdated)) << "a later one that does not follow";
}

TEST_F(NoteFolderTest, FilesOfTheConfigurationAreKept) {
  const Notes first = Remember();
  ASSERT_THAT(Create(/*read_only=*/true), IsOk());
  EXPECT_THAT(*ReadNotes(folder()), IsEmpty());
  Start();
  EXPECT_THAT(*ReadNotes(folder()), SizeIs(2));
  const Notes next = Next();
  PutFiles(next);
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_THAT(*ReadNotes(folder()), SizeIs(3)) << "the first roster is of no use any more";
  Start();
  EXPECT_NE(authority_->Current()->FindCovenant(base::Sha256(crypto::note::Parse(first.covenant)->text)),
            nullptr)
      << "signals under the first are judged by it";
}

TEST_F(NoteFolderTest, FilesOfTheConfigurationThatAreNotInForceAreNotKept) {
  const Notes first = Remember();
  const Notes second = NextRoster();
  Start();
  region_.covenant().set_population(299'999);
  const Notes other = Remember();
  for (const Notes& files :
       {first, Notes{first.covenant, "nonsense"}, Notes{other.covenant, second.roster}}) {
    PutFiles(files);
    EXPECT_EQ(InForce(), "c1/r2");
    EXPECT_THAT(*ReadNotes(folder()), SizeIs(2));
  }
  std::filesystem::remove_all(folder());
  std::filesystem::remove(region_.roster_path());
  EXPECT_EQ(InForce(), "c1/r2");
}

TEST_F(NoteFolderTest, HighestRosterOfFilesAndFolderIsInForce) {
  const Notes first = Remember();
  const Notes second = NextRoster();
  const Notes third = NextRoster();
  PutFiles({first.covenant, second.roster});
  Add(first.roster);
  Start();
  EXPECT_EQ(InForce(), "c1/r2");
  Add(third.roster);
  EXPECT_EQ(InForce(), "c1/r3");
  PutFiles(first);
  EXPECT_EQ(InForce(), "c1/r3");
}

TEST_F(NoteFolderTest, OlderOrOtherRosterIsRefusedAfterARestart) {
  const Notes first = Remember();
  const Notes second = NextRoster();
  region_.roster().mutable_members()->RemoveLast();
  const Notes other = Remember();
  PutFiles(second);
  Start();
  ASSERT_EQ(InForce(), "c1/r2");
  authority_.reset();
  std::filesystem::remove_all(folder());
  PutFiles(first);
  EXPECT_THAT(Create(), HasReason(reason::kRosterOutdated));
  PutFiles(other);
  EXPECT_THAT(Create(), HasReason(reason::kRosterOutdated)) << "another one of the same number";
  PutFiles(second);
  EXPECT_THAT(Create(), IsOk());
}

TEST_F(NoteFolderTest, NoteThatDoesNotVerifyOrFollowIsPassedOver) {
  Start();
  const Notes next = Next(absl::ZeroDuration(), [](v1::Covenant& covenant) {
    covenant.mutable_purposes(0)->set_disclosure_threshold(3);
  });
  Add(next.covenant);
  Add(next.roster);
  Add("nonsense");
  crypto::note::Note unsigned_note = *crypto::note::Parse(next.covenant);
  unsigned_note.signatures.pop_back();
  Add(crypto::note::Format(unsigned_note));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(InForce(), "c1/r1") << "another k needs a new epoch";
  Add("more nonsense");
  EXPECT_EQ(InForce(), "c1/r1");
  const std::vector<std::string> told =
      absl::StrSplit(::testing::internal::GetCapturedStderr(), "policy.note_refused");
  EXPECT_THAT(told, SizeIs(4)) << "each once";
  EXPECT_THAT(authority_->Current()->chain->all(), SizeIs(1));
  region_.covenant() =
      *ParseCovenantText(crypto::note::Parse(*base::ReadFile(region_.covenant_path()))->text);
  const Notes good = Next();
  Add(good.covenant);
  Add(good.roster);
  EXPECT_EQ(InForce(), "c2/r3");
}

TEST_F(NoteFolderTest, CovenantThatIsNotFollowedAsItShouldBeIsNotInTheChain) {
  const Notes first = Remember();
  const Notes next = Next(absl::ZeroDuration(), [](v1::Covenant& covenant) {
    covenant.mutable_purposes(0)->set_disclosure_threshold(3);
  });
  PutFiles(next);
  Add(first.covenant);
  Start();
  EXPECT_EQ(InForce(), "c2/r2") << "all signed it";
  EXPECT_THAT(authority_->Current()->chain->all(), SizeIs(1));
}

TEST_F(NoteFolderTest, CovenantThatReplacesAWaitingOneIsTakenInItsPlace) {
  Start();
  const Notes second = Next(kDay);
  const Notes third = Next(kDay);
  Add(second.covenant);
  Add(third.covenant);
  Add(third.roster);
  region_.clock().Advance(kDay);
  EXPECT_EQ(InForce(), "c3/r3");
}

TEST_F(NoteFolderTest, WhenItsRosterHasExpiredACovenantDoesNotGiveWayToTheOneBefore) {
  const Notes first = Remember();
  region_.roster().set_number(5);
  region_.roster().set_expires(FormatUtc(region_.clock().Now() + 80 * kDay));
  const Notes of_the_first = Remember();
  PutFiles(first);
  region_.roster().set_number(1);
  region_.roster().set_expires(FormatUtc(region_.clock().Now() + 20 * kDay));
  const Notes next = Next();
  Start();
  Add(next.covenant);
  Add(next.roster);
  ASSERT_EQ(InForce(), "c2/r2");
  Add(of_the_first.roster);
  region_.clock().Advance(21 * kDay);
  EXPECT_EQ(InForce(), reason::kRosterExpired);
}

TEST_F(NoteFolderTest, RosterInForceHoldsWhenItsFileIsLost) {
  const Notes first = Remember();
  authority_ = *Create(/*read_only=*/true);
  std::filesystem::remove(region_.roster_path());
  Add(Withdrawal(first.covenant, "jeugdzorg", "jeugdzorg"));
  ASSERT_EQ(InForce(), "c1/r1");
  EXPECT_TRUE(authority_->Current()->IsOut("jeugdzorg"));
}

TEST_F(NoteFolderTest, ExpiredRosterIsMendedByTheNext) {
  Start();
  region_.clock().Advance(kDay * 29);
  EXPECT_EQ(InForce(), reason::kRosterExpired);
  region_.roster().set_issued(FormatUtc(region_.clock().Now()));
  region_.roster().set_expires(FormatUtc(region_.clock().Now() + kDay));
  Add(NextRoster().roster);
  EXPECT_EQ(InForce(), "c1/r2");
}

TEST_F(NoteFolderTest, PartnerThatWithdrawsIsOutUnderThatCovenant) {
  const Notes first = Remember();
  Start();
  EXPECT_FALSE(authority_->Current()->IsOut("gemeente"));
  Add(Withdrawal(first.covenant, "gemeente", "politie"));
  EXPECT_FALSE(authority_->Current()->IsOut("gemeente")) << "another's signature";
  Add(Withdrawal(first.covenant, "gemeente", "gemeente"));
  EXPECT_TRUE(authority_->Current()->IsOut("gemeente"));
  EXPECT_FALSE(authority_->Current()->IsOut("politie"));
  EXPECT_THAT(Authority::CheckPartner(*authority_->Current(), "gemeente"),
              HasReason(reason::kPartnerSuspended));
  EXPECT_EQ(InForce(), "c1/r1") << "for the others it goes on";
  Start();
  EXPECT_TRUE(authority_->Current()->IsOut("gemeente")) << "also after a restart";
  const Notes next = Next();
  Add(next.covenant);
  Add(next.roster);
  ASSERT_EQ(InForce(), "c2/r2");
  EXPECT_FALSE(authority_->Current()->IsOut("gemeente")) << "it signed the next";
}

TEST_F(NoteFolderTest, WithdrawalIsOfAPartnerOfAKnownCovenant) {
  const Notes first = Remember();
  Start();
  const auto chain = authority_->Current()->chain;
  const std::string good = Withdrawal(first.covenant, "gemeente", "gemeente");
  EXPECT_THAT(VerifyWithdrawal(good, *chain), IsOk());
  EXPECT_THAT(VerifyWithdrawal(Withdrawal(first.covenant, "anders", "anders"), *chain),
              HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(VerifyWithdrawal(Withdrawal(Next().covenant, "gemeente", "gemeente"), *chain),
              HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(VerifyWithdrawal(Withdrawal(first.covenant, "gemeente", "politie"), *chain),
              HasReason(reason::kSignatureInvalid));
  const size_t end = good.find("\npartner gemeente\n");
  EXPECT_THAT(VerifyWithdrawal(std::string(good).insert(end + 18, "more\n"), *chain),
              HasReason(reason::kMalformed));
}

TEST_F(NoteFolderTest, NoteThatMayBeAddedIsTold) {
  const Notes first = Remember();
  Start();
  const Notes roster = NextRoster();
  PutFiles(first);
  const Notes next = Next(kDay);
  for (const std::string& note :
       {next.covenant, roster.roster, Withdrawal(first.covenant, "gemeente", "gemeente")}) {
    const auto checked = CheckHere(note);
    ASSERT_THAT(checked, IsOk());
    EXPECT_FALSE(checked->known);
  }
  EXPECT_THAT(CheckHere(next.roster), HasReason(reason::kCovenantMismatch))
      << "its covenant is not known yet";
  Add(next.covenant);
  EXPECT_THAT(CheckHere(next.roster), IsOk());
  EXPECT_TRUE(CheckHere(first.covenant)->known);
  EXPECT_TRUE(CheckHere(first.roster)->known);
  EXPECT_TRUE(CheckHere(next.covenant)->known);
}

TEST_F(NoteFolderTest, NoteThatMayNotBeAddedIsRefused) {
  const Notes first = Remember();
  Start();
  EXPECT_THAT(CheckHere("nonsense"), HasReason(reason::kMalformed));
  EXPECT_THAT(CheckHere(Withdrawal(first.covenant, "gemeente", "politie")),
              HasReason(reason::kSignatureInvalid));
  crypto::note::Note note = *crypto::note::Parse(Next().covenant);
  note.signatures.pop_back();
  EXPECT_THAT(CheckHere(crypto::note::Format(note)), HasReason(reason::kSignatureInvalid));
  region_.covenant() = *ParseCovenantText(crypto::note::Parse(first.covenant)->text);

  const Notes bad =
      Next(kDay, [](auto& covenant) { covenant.mutable_purposes(0)->set_disclosure_threshold(3); });
  EXPECT_THAT(CheckHere(bad.covenant), HasReason(reason::kCovenantInvalid));
  region_.covenant() = *ParseCovenantText(crypto::note::Parse(first.covenant)->text);
  const Notes second = Next(kDay);
  region_.covenant() = *ParseCovenantText(crypto::note::Parse(first.covenant)->text);
  const Notes fork = Next(kDay * 2);
  Add(second.covenant);
  ASSERT_EQ(InForce(), "c1/r1");
  EXPECT_THAT(CheckHere(fork.covenant), HasReason(reason::kCovenantOutdated)) << "the second is known";

  region_.covenant() = *ParseCovenantText(crypto::note::Parse(first.covenant)->text);
  region_.roster().set_number(1);
  region_.roster().mutable_members()->RemoveLast();
  EXPECT_THAT(CheckHere(Remember().roster), HasReason(reason::kRosterOutdated));
  region_.roster().set_number(9);
  region_.roster().set_expires(FormatUtc(region_.clock().Now()));
  EXPECT_THAT(CheckHere(Remember().roster), HasReason(reason::kRosterExpired));
}

TEST_F(NoteFolderTest, CovenantOfThePastIsTakenByAProcessThatCameLater) {
  const Notes first = Remember();
  const Notes second = Next();
  const Notes third = Next();
  PutFiles(third);
  Start();
  ASSERT_EQ(InForce(), "c3/r3");
  EXPECT_THAT(CheckHere(first.covenant), HasReason(reason::kCovenantOutdated)) << "the second is first";
  EXPECT_THAT(CheckHere(second.covenant), IsOk());
  Add(second.covenant);
  ASSERT_EQ(InForce(), "c3/r3");
  EXPECT_THAT(CheckHere(first.covenant), IsOk());
  Add(first.covenant);
  ASSERT_EQ(InForce(), "c3/r3");
  EXPECT_THAT(authority_->Current()->UpToInForce(), SizeIs(3));
  EXPECT_THAT(CheckHere(first.roster), HasReason(reason::kCovenantMismatch)) << "of no use any more";
}

TEST_F(NoteFolderTest, RostersThatNothingLetsComeBackAreDeletedAndNothingElse) {
  const std::string second = NextRoster().roster, third = NextRoster().roster;
  const std::string withdrawal = Withdrawal(*base::ReadFile(region_.covenant_path()), "politie", "politie");
  Add(second);
  Add(withdrawal);
  Start();
  ASSERT_EQ(InForce(), "c1/r3");
  const auto kept = [&] {
    const auto notes = ReadNotes(folder());
    std::set<std::string> bytes;
    for (const StoredNote& note : *notes) bytes.insert(note.bytes);
    return bytes;
  };
  const std::string covenant = *base::ReadFile(region_.covenant_path());
  EXPECT_EQ(kept(), (std::set{covenant, withdrawal, third}));
  const Notes next = Next();
  Add(next.covenant);
  Add(next.roster);
  EXPECT_EQ(InForce(), "c2/r4");
  EXPECT_EQ(kept(), (std::set{covenant, withdrawal, next.covenant, next.roster}));
  // Not by who only looks, and not before the number in force is noted for good.
  Add(third);
  const PolicyFiles files{region_.covenant_path(), region_.roster_path(), folder()};
  MemoryHighWater fresh;
  PolicyFiles to_look_at = files;
  to_look_at.read_only = true;
  ASSERT_THAT(Authority::Create(to_look_at, region_.clock(), fresh), IsOk());
  class FullDisk final : public HighWater {
    absl::StatusOr<Newest> Load() override { return Newest(); }
    absl::Status Store(const Newest&) override { return absl::InternalError("disk full"); }
  } full;
  EXPECT_FALSE(Authority::Create(files, region_.clock(), full).ok());
  EXPECT_TRUE(kept().contains(third));
  MemoryHighWater other;
  ASSERT_THAT(Authority::Create(files, region_.clock(), other), IsOk());
  EXPECT_FALSE(kept().contains(third));
}

}  // namespace
}  // namespace raakvlak::policy

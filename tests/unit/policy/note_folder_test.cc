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
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "policy/policy_copy.h"
#include "policy/text.h"
#include "tests/support/region.h"

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

class NoteFolderTest : public ::testing::Test {
 protected:
  NoteFolderTest() { Remember(); }

  // Notes of the covenant and roster as they are written now, by version and number.
  struct Notes {
    std::string covenant;
    std::string roster;
  };
  Notes Remember() {
    region_.Write();
    return {*base::ReadFile(region_.covenant_path()), *base::ReadFile(region_.roster_path())};
  }
  // The covenant that follows, valid from `in` on, with the next roster; the files stay what they were.
  Notes Next(absl::Duration in = absl::ZeroDuration(),
             const std::function<void(v1::Covenant&)>& change = nullptr) {
    const Notes files = {*base::ReadFile(region_.covenant_path()), *base::ReadFile(region_.roster_path())};
    region_.NextCovenant();
    region_.covenant().set_valid_from(FormatUtc(region_.clock().Now() + in));
    if (change) change(region_.covenant());
    const Notes next = NextRoster();
    PutFiles(files);
    return next;
  }
  Notes NextRoster() {
    region_.roster().set_number(region_.roster().number() + 1);
    return Remember();
  }
  void PutFiles(const Notes& notes) {
    ASSERT_THAT(base::WriteFileAtomically(region_.covenant_path(), notes.covenant, 0644), IsOk());
    ASSERT_THAT(base::WriteFileAtomically(region_.roster_path(), notes.roster, 0644), IsOk());
  }
  std::string Withdrawal(const std::string& covenant_note, const std::string& partner,
                         const std::string& signer) {
    crypto::note::Note note{WithdrawalText(base::Sha256(crypto::note::Parse(covenant_note)->text), partner),
                            {}};
    const std::string urn = TestRegion::Urn("node", signer);
    const auto& key = region_.KeyOf(urn);
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    return crypto::note::Format(note);
  }

  absl::StatusOr<std::unique_ptr<Authority>> Create(bool read_only = false) {
    return Authority::Create({region_.covenant_path(), region_.roster_path(), folder(), read_only},
                             region_.clock(), high_water_);
  }
  void Start() {
    auto authority = Create();
    ASSERT_THAT(authority, IsOk());
    authority_ = *std::move(authority);
  }
  std::string InForce() {
    const auto snapshot = authority_->Current();
    return snapshot.ok() ? snapshot->Name() : base::ReasonOf(snapshot.status());
  }
  void Add(const std::string& note) { ASSERT_THAT(AddNote(folder(), note), IsOk()); }
  std::string folder() { return region_.policy_folder(); }
  absl::StatusOr<CheckedNote> CheckHere(const std::string& note) {
    return CheckNote(note, *authority_->Current(), region_.clock().Now());
  }

  TestRegion region_;
  MemoryHighWater high_water_;
  std::unique_ptr<Authority> authority_;
};

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
  EXPECT_EQ(InForce(), "c1/r1") << "another k needs a new epoch";
  EXPECT_THAT(authority_->Current()->chain->all(), SizeIs(1));
  region_.covenant() =
      *ParseCovenantText(crypto::note::Parse(*base::ReadFile(region_.covenant_path()))->text);
  const Notes good = Next();
  Add(good.covenant);
  Add(good.roster);
  EXPECT_EQ(InForce(), "c2/r3");
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

// What the command line of somebody with the region's first covenant and roster knows.
class PolicyCopyTest : public NoteFolderTest {
 protected:
  PolicyCopyTest() : first_(Remember()) {}

  absl::StatusOr<PolicyCopy> Read() {
    return PolicyCopy::Read({region_.covenant_path(), region_.roster_path(), folder()});
  }
  absl::Status Take(PolicyCopy& copy, const std::vector<std::string>& notes) {
    return copy.Take(notes, region_.clock().Now());
  }
  // "c<version>/r<number>", or why not.
  std::string Known(const PolicyCopy& copy) {
    const absl::Time now = region_.clock().Now();
    const auto covenant = copy.CovenantAt(now);
    if (!covenant.ok()) return base::ReasonOf(covenant.status());
    const auto roster = copy.RosterAt(now);
    return absl::StrCat(
        "c", (*covenant)->text().version(), "/",
        roster.ok() ? absl::StrCat("r", (*roster)->number()) : base::ReasonOf(roster.status()));
  }
  std::string KnownFromDisk() {
    const auto copy = Read();
    return copy.ok() ? Known(*copy) : base::ReasonOf(copy.status());
  }
  size_t Kept() { return ReadNotes(folder())->size(); }

  const Notes first_;
};

TEST_F(PolicyCopyTest, CovenantThatWasHandedOverIsInForceAtItsDateOnceItHasARoster) {
  const Notes next = Next(kDay);
  auto copy = Read();
  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  EXPECT_THAT(copy->Hashes(),
              ::testing::UnorderedElementsAre(base::Sha256(first_.covenant), base::Sha256(first_.roster)));
  ASSERT_THAT(Take(*copy, {next.covenant}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  region_.clock().Advance(kDay);
  EXPECT_EQ(Known(*copy), "c1/r1") << "as the processes, which wait for its roster";
  ASSERT_THAT(Take(*copy, {next.roster}), IsOk());
  EXPECT_EQ(Known(*copy), "c2/r2");
  EXPECT_THAT(copy->Hashes(), SizeIs(4));
  EXPECT_EQ(KnownFromDisk(), "c2/r2") << "kept in the folder";
  region_.clock().Advance(-kDay);
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
  region_.clock().Advance(40 * kDay);
  EXPECT_EQ(KnownFromDisk(), "c2/ROSTER_EXPIRED") << "and not that the other one is of another covenant";
}

TEST_F(PolicyCopyTest, OfTwoRostersTheHigherNumberCounts) {
  const std::string second = NextRoster().roster, third = NextRoster().roster;
  PutFiles(first_);
  for (const auto& order : {std::vector{second, third}, std::vector{third, second}}) {
    auto copy = Read();
    ASSERT_THAT(Take(*copy, order), IsOk());
    EXPECT_EQ(Known(*copy), "c1/r3");
    EXPECT_EQ(Kept(), 1u) << "the older one is of no use";
    std::filesystem::remove_all(folder());
  }
  PutFiles({first_.covenant, third});
  auto copy = Read();
  ASSERT_THAT(Take(*copy, {second}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r3");
}

TEST_F(PolicyCopyTest, WhoWasAwayUntilEverythingExpiredFindsBack) {
  auto copy = Read();
  region_.clock().Advance(40 * kDay);
  EXPECT_EQ(Known(*copy), "c1/ROSTER_EXPIRED");
  // Past the end of the first covenant.
  region_.clock().Set(*ParseUtc(region_.covenant().valid_until()) + kDay);
  EXPECT_EQ(Known(*copy), "COVENANT_EXPIRED");
  const Notes next = Next(absl::ZeroDuration(), [&](v1::Covenant& covenant) {
    covenant.set_valid_until(FormatUtc(region_.clock().Now() + 300 * kDay));
    region_.roster().set_issued(FormatUtc(region_.clock().Now()));
    region_.roster().set_expires(FormatUtc(region_.clock().Now() + 30 * kDay));
  });
  ASSERT_THAT(Take(*copy, {next.roster, next.covenant}), IsOk());
  EXPECT_EQ(Known(*copy), absl::StrCat("c2/r", region_.roster().number()));
  EXPECT_EQ(KnownFromDisk(), absl::StrCat("c2/r", region_.roster().number()));
}

TEST_F(PolicyCopyTest, WhatDoesNotFollowIsNeitherTakenNorKept) {
  // Valid before the one that it follows.
  const Notes early = Next(-181 * kDay);
  std::string altered = Next().roster;
  altered.replace(altered.find("number: "), 9, "number: 9");
  crypto::note::Note withdrawal{
      WithdrawalText(base::Sha256(crypto::note::Parse(first_.covenant)->text), "politie"), {}};
  const std::string by_hand = crypto::note::Format(withdrawal);
  auto copy = Read();
  ASSERT_THAT(Take(*copy, {early.covenant, early.roster, altered, by_hand, "no note"}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  EXPECT_EQ(Kept(), 0u);
  ASSERT_THAT(Take(*copy, {Withdrawal(first_.covenant, "politie", "politie")}), IsOk());
  EXPECT_EQ(Kept(), 1u);
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
}

TEST_F(PolicyCopyTest, FolderThatTakesNothingIsNoHindrance) {
  const Notes next = Next();
  ASSERT_THAT(base::WriteFileAtomically(folder(), "a file", 0644), IsOk());
  auto copy = Read();
  ASSERT_THAT(copy, IsOk());
  EXPECT_THAT(Take(*copy, {next.covenant, next.roster}), HasReason(reason::kStorageFailed));
  EXPECT_EQ(Known(*copy), "c2/r2");
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
}

TEST_F(PolicyCopyTest, FilesThatAreMissingAreTold) {
  std::filesystem::remove(region_.roster_path());
  EXPECT_EQ(KnownFromDisk(), "c1/FILE_UNREADABLE");
  EXPECT_EQ(Known(*PolicyCopy::Read({.covenant = region_.covenant_path(), .roster = ""})),
            "c1/ROSTER_EXPIRED");
  ASSERT_THAT(base::WriteFileAtomically(region_.covenant_path(), first_.roster, 0644), IsOk());
  const auto copy = Read();
  EXPECT_THAT(copy.status(), HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(std::string(copy.status().message()), HasSubstr(region_.covenant_path()));
  std::filesystem::remove(region_.covenant_path());
  EXPECT_EQ(KnownFromDisk(), "FILE_UNREADABLE");
}

}  // namespace
}  // namespace raakvlak::policy

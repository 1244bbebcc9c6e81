#include "server/signer/signer.h"

#include "tests/unit/server/log/log_world.h"

namespace raakvlak::signer {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using crypto::tlog::Checkpoint;
using log::IsOkAndHolds;
using log::kUrn;
using log::kYear;
using log::TestKey;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A log folder written by a publisher whose signer signs anything; the signer under test reads it.
class SignerTest : public log::LogWorld {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(state());
    Grow(300);
    ASSERT_THAT(Restart(), IsOk());
  }
  void Grow(uint64_t count) {
    auto folder = log::LogFolder::Open(logs());
    ASSERT_THAT(folder, IsOk());
    auto publisher = log::Publisher::Create(audit_, **folder, anything_, clock_, anything_.public_key());
    ASSERT_THAT(publisher, IsOk());
    audit_.Append(kYear, count);
    ASSERT_THAT((*publisher)->Publish(log::kNoHurry), IsOk());
    at_[(*publisher)->Newest(kYear)->checkpoint.size] = (*publisher)->Newest(kYear)->checkpoint;
    note_ = (*publisher)->Newest(kYear)->note;
    // The signer under test has not signed it: at its start it must not find it.
    std::filesystem::remove(year() + "/checkpoint");
  }
  absl::Status Restart() {
    signer_.reset();
    RAAKVLAK_ASSIGN_OR_RETURN(signer_, Signer::Create(paths(), TestKey()));
    return absl::OkStatus();
  }
  SignerPaths paths() const { return {kUrn, logs(), state()}; }
  std::string StateFile() const { return state() + "/2026.signed"; }
  void WriteCheckpoint() {
    ASSERT_THAT(base::WriteFileAtomically(year() + "/checkpoint", note_, 0600), IsOk());
  }

  log::testing::FakeCheckpointSigner anything_{TestKey()};
  std::map<uint64_t, Checkpoint> at_;
  std::string note_;
  std::unique_ptr<Signer> signer_;
};

TEST_F(SignerTest, SignsWhatTheEntriesGive) {
  EXPECT_THAT(signer_->Sign(at_[300]), IsOkAndHolds(note_));
  Grow(700);
  EXPECT_THAT(signer_->Sign(at_[1000]), IsOkAndHolds(note_));
}

TEST_F(SignerTest, TheSameQuestionHasTheSameAnswer) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  EXPECT_THAT(signer_->Sign(at_[300]), IsOkAndHolds(note_));
  ASSERT_THAT(Restart(), IsOk());
  EXPECT_THAT(signer_->Sign(at_[300]), IsOkAndHolds(note_));
}

TEST_F(SignerTest, ReadsOnlyEntriesThatCameSince) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  Grow(300);
  std::filesystem::remove(year() + "/tile/entries/000");
  ASSERT_THAT(Restart(), IsOk());
  EXPECT_THAT(signer_->Sign(at_[600]), IsOkAndHolds(note_));
}

TEST_F(SignerTest, ReadsOpenBundlesOnlyAtTheSizeAskedFor) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  // Over a read of several bundles, from the middle of one to the middle of another.
  for (const uint64_t more : {uint64_t{4200}, uint64_t{9000}, uint64_t{1}}) {
    Grow(more);
    EXPECT_THAT(signer_->Sign(at_.rbegin()->second), IsOkAndHolds(note_));
  }
}

TEST_F(SignerTest, NeedsNoHashTile) {
  std::filesystem::remove_all(year() + "/tile/0");
  std::filesystem::remove_all(year() + "/tile/1");
  EXPECT_THAT(signer_->Sign(at_[300]), IsOkAndHolds(note_));
}

TEST_F(SignerTest, ASmallerSizeThanSignedIsARollback) {
  Grow(10);
  ASSERT_THAT(signer_->Sign(at_[310]), IsOk());
  EXPECT_THAT(signer_->Sign(at_[300]), HasReason(reason::kLogRollback));
  ASSERT_THAT(Restart(), IsOk());
  EXPECT_THAT(signer_->Sign(at_[300]), HasReason(reason::kLogRollback));
}

TEST_F(SignerTest, AnotherRootAtTheSignedSizeIsAFork) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  Checkpoint other = at_[300];
  other.root.bytes[31] ^= 1;
  EXPECT_THAT(signer_->Sign(other), HasReason(reason::kLogFork));
}

TEST_F(SignerTest, ARootThatTheEntriesDoNotGiveIsAForkAndChangesNothing) {
  Checkpoint other = at_[300];
  other.root.bytes[0] ^= 1;
  EXPECT_THAT(signer_->Sign(other), HasReason(reason::kLogFork));
  EXPECT_FALSE(std::filesystem::exists(StateFile()));
  EXPECT_THAT(signer_->Sign(at_[300]), IsOkAndHolds(note_));
}

TEST_F(SignerTest, EverySingleFlippedBitOfAnEntryIsRefused) {
  const std::string bundle = year() + "/tile/entries/001.p/44";
  const size_t size = std::filesystem::file_size(bundle);
  for (size_t position = size - 43; position < size; ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      FlipBit(bundle, position, bit);
      EXPECT_FALSE(signer_->Sign(at_[300]).ok()) << position << "." << bit;
      FlipBit(bundle, position, bit);
    }
  }
  EXPECT_THAT(signer_->Sign(at_[300]), IsOk());
}

TEST_F(SignerTest, EntriesThatAreMissingOrShortAreNotSigned) {
  std::filesystem::resize_file(year() + "/tile/entries/001.p/44", 43 * 44 - 1);
  EXPECT_THAT(signer_->Sign(at_[300]), HasReason(reason::kMalformed));
  std::filesystem::remove(year() + "/tile/entries/001.p/44");
  EXPECT_THAT(signer_->Sign(at_[300]), HasReason(reason::kFileUnreadable));
}

TEST_F(SignerTest, WhatIsNoLeafIsNotSigned) {
  std::string bundle;
  crypto::tlog::AppendEntry(bundle, "something else");
  std::filesystem::create_directories(year() + "/tile/entries/000.p");
  ASSERT_THAT(base::WriteFileAtomically(year() + "/tile/entries/000.p/1", bundle, 0600), IsOk());
  const Checkpoint checkpoint{at_[300].origin, 1, crypto::tlog::LeafHash("something else")};
  EXPECT_THAT(signer_->Sign(checkpoint), HasReason(reason::kMalformed));
}

TEST_F(SignerTest, AnEntryThatIsDatedBackIsNotSigned) {
  std::filesystem::create_directories(year() + "/tile/entries/000.p");
  const auto write = [&](const std::vector<uint64_t>& times) {
    std::string bundle;
    crypto::tlog::Frontier frontier;
    for (const uint64_t time : times) {
      const std::string leaf = crypto::tlog::MakeLeaf(time, std::string(32, 's'), "details");
      crypto::tlog::AppendEntry(bundle, leaf);
      frontier.Append(crypto::tlog::LeafHash(leaf));
    }
    EXPECT_THAT(
        base::WriteFileAtomically(absl::StrCat(year(), "/tile/entries/000.p/", times.size()), bundle, 0600),
        IsOk());
    return Checkpoint{at_[300].origin, times.size(), frontier.Root()};
  };
  EXPECT_THAT(signer_->Sign(write({6, 5})), HasReason(reason::kLogDamaged));
  EXPECT_THAT(signer_->Sign(write({5, 6, 6})), IsOk());
  // Also before one that was signed before.
  EXPECT_THAT(signer_->Sign(write({5, 6, 6, 5})), HasReason(reason::kLogDamaged));
  EXPECT_THAT(signer_->Sign(write({5, 6, 6, 6})), IsOk());
}

TEST_F(SignerTest, SignsForItsOwnProcessOnly) {
  for (const char* const origin :
       {"urn:raakvlak:maastricht:hub:veiligheidshuis/2026", "urn:raakvlak:maastricht:broker:centrum",
        "urn:raakvlak:maastricht:broker:centrum/", "urn:raakvlak:maastricht:broker:centrum/26",
        "urn:raakvlak:maastricht:broker:centrum/02026", "urn:raakvlak:maastricht:broker:centrum/+026",
        "urn:raakvlak:maastricht:broker:centrum/2026/2026", "urn:raakvlak:maastricht:broker:centrum/../x",
        ""}) {
    Checkpoint checkpoint = at_[300];
    checkpoint.origin = origin;
    EXPECT_THAT(signer_->Sign(checkpoint), HasReason(reason::kNotAllowed)) << origin;
  }
}

TEST_F(SignerTest, AnEmptyLogAndTooMuchAtOnceAreRefused) {
  EXPECT_THAT(signer_->Sign({at_[300].origin, 0, crypto::tlog::EmptyRoot()}),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(signer_->Sign({at_[300].origin, kMaxNewEntries + 1, at_[300].root}),
              HasReason(reason::kTooLarge));
}

TEST_F(SignerTest, WhatCannotBeRememberedIsNotSigned) {
  std::filesystem::remove_all(state());
  EXPECT_THAT(signer_->Sign(at_[300]), HasReason(reason::kStorageFailed));
  std::filesystem::create_directories(state());
  EXPECT_THAT(signer_->Sign(at_[300]), IsOk());
  EXPECT_TRUE(std::filesystem::exists(StateFile())) << "remembered before the answer";
}

TEST_F(SignerTest, EachYearIsRememberedApart) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  audit_.Append(kYear + 1, 5);
  Grow(0);
  Checkpoint next;
  next.origin = audit_.Origin(kYear + 1);
  next.size = 5;
  next.root = *log::Root(logs() + "/2027", 5);
  EXPECT_THAT(signer_->Sign(next), IsOk());
  const auto states = ReadStates(state(), kUrn);
  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->at(2026).ToCheckpoint(), at_[300]);
  EXPECT_EQ(states->at(2027).ToCheckpoint(), next);
}

TEST_F(SignerTest, ALostStateIsRefusedAtTheStart) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  WriteCheckpoint();
  ASSERT_THAT(Restart(), IsOk());
  std::filesystem::remove(StateFile());
  const absl::Status refused = Restart();
  EXPECT_THAT(refused, HasReason(reason::kLogRollback));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--adopt"));
}

TEST_F(SignerTest, ACheckpointThatContradictsTheStateIsRefusedAtTheStart) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  Checkpoint other = at_[300];
  other.root.bytes[0] ^= 1;
  note_ = *anything_.Sign(other, absl::Seconds(1));
  WriteCheckpoint();
  EXPECT_THAT(Restart(), HasReason(reason::kLogFork));
  EXPECT_THAT(Adopt(paths(), TestKey().public_key()), HasReason(reason::kLogFork));
}

TEST_F(SignerTest, ACheckpointOfAnotherKeyIsRefusedAtTheStart) {
  WriteCheckpoint();
  EXPECT_THAT(Signer::Create(paths(), TestKey('x')), HasReason(reason::kSignatureInvalid));
}

TEST_F(SignerTest, TheStateOfAnotherProcessIsRefusedAtTheStart) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  SignerPaths other = paths();
  other.urn = "urn:raakvlak:maastricht:hub:veiligheidshuis";
  EXPECT_THAT(Signer::Create(other, TestKey()), HasReason(reason::kConfigInvalid));
}

TEST_F(SignerTest, AdoptingReadsEveryEntryFirst) {
  WriteCheckpoint();
  FlipBit(year() + "/tile/entries/000", 43 * 100 + 20);
  EXPECT_THAT(Adopt(paths(), TestKey().public_key()), HasReason(reason::kLogFork));
  EXPECT_FALSE(std::filesystem::exists(StateFile()));
  FlipBit(year() + "/tile/entries/000", 43 * 100 + 20);
  const auto adopted = Adopt(paths(), TestKey().public_key());
  ASSERT_THAT(adopted, IsOk());
  ASSERT_THAT(*adopted, SizeIs(1));
  EXPECT_EQ(adopted->front(), at_[300]);
  EXPECT_THAT(Restart(), IsOk());
}

TEST_F(SignerTest, AdoptingNeverSetsAStateBack) {
  WriteCheckpoint();
  Grow(10);
  ASSERT_THAT(signer_->Sign(at_[310]), IsOk());
  const std::string before = *base::ReadFile(StateFile());
  note_ = *anything_.Sign(at_[300], absl::Seconds(1));
  WriteCheckpoint();
  EXPECT_THAT(Adopt(paths(), TestKey().public_key()), IsOkAndHolds(std::vector<Checkpoint>()));
  EXPECT_THAT(base::ReadFile(StateFile()), IsOkAndHolds(before));
}

TEST_F(SignerTest, AdoptingALogThatLeftWhatWasSignedIsRefused) {
  ASSERT_THAT(signer_->Sign(at_[300]), IsOk());
  // Other entries from the first on, in a log that went further.
  audit_.Restore({});
  audit_.SetSeed(1);
  std::filesystem::remove_all(logs());
  Grow(400);
  WriteCheckpoint();
  EXPECT_THAT(Restart(), HasReason(reason::kLogRollback));
  EXPECT_THAT(Adopt(paths(), TestKey().public_key()), HasReason(reason::kLogFork));
}

TEST(SignerStateTest, IsTheTextOfItsFormat) {
  Signed state{"urn:raakvlak:maastricht:hub:h/2026", {}};
  for (const char* const entry : {"entry-0", "entry-1", "entry-2"}) {
    state.frontier.Append(crypto::tlog::LeafHash(entry));
  }
  // docs/format/signer.md shows this file; the root is that of the published vectors.
  EXPECT_EQ(FormatState(state),
            "raakvlak-signer/1\n"
            "urn:raakvlak:maastricht:hub:h/2026\n"
            "3\n"
            "pkvybgkSj2/i/m+LLYyAHhZrV8BHp82bK4Ceepai8cs=\n" +
                base::Base64(state.frontier.Serialise()) + "\n");
  const auto parsed = ParseState(FormatState(state));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->origin, state.origin);
  EXPECT_EQ(parsed->frontier, state.frontier);
}

TEST(SignerStateTest, ADamagedFileNeverPassesForAnotherState) {
  Signed state{"urn:raakvlak:maastricht:hub:h/2026", {}};
  for (int i = 0; i < 7; ++i)
    state.frontier.Append(crypto::tlog::LeafHash(std::string(1, static_cast<char>(i))));
  const std::string good = FormatState(state);
  for (size_t position = 0; position < good.size(); ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[position] = static_cast<char>(bad[position] ^ (1 << bit));
      const auto parsed = ParseState(bad);
      // The origin is compared with the name of the file by who reads it.
      EXPECT_TRUE(!parsed.ok() || parsed->origin != state.origin) << position << "." << bit;
    }
    EXPECT_THAT(ParseState(good.substr(0, position)), HasReason(reason::kMalformed)) << position;
  }
  EXPECT_THAT(ParseState(good + "\n"), HasReason(reason::kMalformed));
}

TEST(SignerStateTest, FilesOfOtherNamesAreNotRead) {
  base::testing::TemporaryFolder here;
  for (const char* const name : {"lock", "2026.signed.Ab12Cd", "notes.txt", ".signed"}) {
    ASSERT_THAT(base::WriteFileAtomically(here.File(name), "junk", 0600), IsOk());
  }
  EXPECT_THAT(ReadStates(here.path(), kUrn), IsOk());
  EXPECT_THAT(ReadStates(here.File("missing"), kUrn), IsOk());
  ASSERT_THAT(base::WriteFileAtomically(here.File("2026.signed"), "junk", 0600), IsOk());
  EXPECT_THAT(ReadStates(here.path(), kUrn), HasReason(reason::kMalformed));
}

}  // namespace
}  // namespace raakvlak::signer

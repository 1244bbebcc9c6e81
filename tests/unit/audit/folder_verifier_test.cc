#include "audit/folder_verifier.h"

#include <cstdlib>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "audit/tile_folder.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/audit/log_folder.h"

namespace raakvlak::audit {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using crypto::tlog::kTileWidth;
using ::testing::HasSubstr;
namespace reason = base::reason;

class FolderVerifierTest : public ::testing::Test {
 protected:
  FolderReport Verify() {
    const auto report = VerifyFolder(log_.path(), options_);
    EXPECT_THAT(report, IsOk());
    return report.value_or(FolderReport{});
  }
  // "file entry N: what", "file: what", or "whole".
  std::string Fault() {
    const FolderReport report = Verify();
    if (!report.fault.has_value()) return "whole";
    return absl::StrCat(report.fault->file,
                        report.fault->index.has_value() ? absl::StrCat(" entry ", *report.fault->index) : "",
                        ": ", report.fault->what);
  }
  void ExpectFault(const std::string& place) {
    const std::string fault = Fault();
    EXPECT_TRUE(fault == place || absl::StartsWith(fault, place + ":")) << fault << "\nexpected " << place;
  }
  void Flip(const std::string& name, size_t offset) {
    log_.Change(name, [offset](std::string& bytes) { bytes.at(offset) ^= 1; });
  }
  // Of an entry in its bundle: each is 2 + 41 bytes.
  static size_t EntryOffset(uint64_t index) { return (index % kTileWidth) * 43; }

  base::testing::TemporaryFolder temporary_;
  testing::LogFolder log_{temporary_.path() + "/log"};
  FolderOptions options_;
};

TEST_F(FolderVerifierTest, LogsOfEveryShapeAreWhole) {
  for (const uint64_t size : {0, 1, 2, 255, 256, 257, 511, 512, 1000, 65'535, 65'536, 65'537, 66'000}) {
    log_.Grow(size);
    const FolderReport report = Verify();
    EXPECT_FALSE(report.fault.has_value()) << size << ": " << report.fault->file << report.fault->what;
    EXPECT_EQ(report.checkpoint, log_.checkpoint());
    EXPECT_EQ(report.entries, size);
  }
}

TEST_F(FolderVerifierTest, VectorsAreWhole) {
  const auto report = VerifyFolder(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/tests/vectors/tlog"),
                                   {log_.log(), std::nullopt, {log_.witness()}, 1, nullptr});
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->fault.has_value());
  EXPECT_EQ(report->checkpoint.size, 300u);
  EXPECT_EQ(report->cosigned.size(), 1u);
}

// Every file, 2,000 sampled bits (seed printed; RAAKVLAK_SEED repeats one).
TEST_F(FolderVerifierTest, EveryBitFlipIsFoundInItsFile) {
  // In two steps, so that partial tiles of an earlier size stand beside the others.
  log_.Grow(700);
  log_.Grow(1000);
  options_.witnesses = {log_.witness()};
  options_.quorum = 1;
  ASSERT_EQ(Fault(), "whole");
  const char* given = std::getenv("RAAKVLAK_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  SCOPED_TRACE(absl::StrCat("RAAKVLAK_SEED=", seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> files = log_.Files();
  ASSERT_EQ(files.size(), 2 + 4 + 1 + 4 + 1 + 2u);
  for (int sample = 0; sample < 2000; ++sample) {
    const std::string& name = files[static_cast<size_t>(sample) % files.size()];
    const std::string good = log_.Read(name);
    const size_t bit = random() % (8 * good.size());
    log_.Change(name, [bit](std::string& bytes) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    });
    const FolderReport report = Verify();
    ASSERT_TRUE(report.fault.has_value()) << name << " bit " << bit;
    ASSERT_EQ(report.fault->file, name) << "bit " << bit << ": " << report.fault->what;
    if (absl::StartsWith(name, "tile/")) {
      const auto tile = *crypto::tlog::ParsePath(name);
      const uint64_t element = tile.index * kTileWidth + bit / 8 / (tile.level < 0 ? 43 : 32);
      ASSERT_EQ(*report.fault->index, tile.level == 1 ? element * kTileWidth : element)
          << name << " bit " << bit;
    }
    log_.Write(name, good);
  }
  EXPECT_EQ(Fault(), "whole");
}

TEST_F(FolderVerifierTest, MissingTruncatedAndExtendedFilesAreNamed) {
  log_.Grow(1000);
  for (const std::string& name : log_.Files()) {
    const std::string good = log_.Read(name);
    for (const std::string& bad : {good.substr(0, good.size() - 1), good + "x", good + good, std::string()}) {
      log_.Write(name, bad);
      EXPECT_EQ(Verify().fault.value_or(audit::Fault{}).file, name) << bad.size() << " of " << good.size();
    }
    log_.Remove(name);
    EXPECT_EQ(Verify().fault.value_or(audit::Fault{}).file, name);
    log_.Write(name, good);
  }
  EXPECT_EQ(Fault(), "whole");
}

TEST_F(FolderVerifierTest, AFolderThatIsNoneIsAnError) {
  EXPECT_THAT(VerifyFolder(log_.path() + "/other", options_), HasReason(reason::kFileUnreadable));
  EXPECT_THAT(VerifyFolder(log_.path() + "/log.vkey", options_), HasReason(reason::kFileUnreadable));
}

TEST_F(FolderVerifierTest, AMissingEntryIsNamed) {
  log_.Grow(1000);
  log_.Change("tile/entries/001", [](std::string& bytes) { bytes.erase(EntryOffset(300), 43); });
  ExpectFault("tile/entries/001 entry 300");
}

TEST_F(FolderVerifierTest, ReorderedAndBackdatedEntriesAreNamed) {
  log_.Grow(1000);
  const std::string good = log_.Read("tile/entries/002");
  log_.Change("tile/entries/002", [](std::string& bytes) {
    std::swap_ranges(bytes.begin() + 43 * 7, bytes.begin() + 43 * 8, bytes.begin() + 43 * 20);
  });
  ExpectFault("tile/entries/002 entry 519");
  log_.Write("tile/entries/002", good);
  Flip("tile/entries/002", EntryOffset(600) + 2 + 6);
  ExpectFault("tile/entries/002 entry 600");
}

TEST_F(FolderVerifierTest, TheFirstOfSeveralBadEntriesIsNamed) {
  log_.Grow(1000);
  Flip("tile/entries/002", EntryOffset(700) + 20);
  Flip("tile/entries/001", EntryOffset(500) + 20);
  Flip("tile/entries/001", EntryOffset(501) + 20);
  ExpectFault("tile/entries/001 entry 500");
  log_.Remove("tile/entries/003.p/232");
  ExpectFault("tile/entries/001 entry 500");
}

TEST_F(FolderVerifierTest, AnEntryAndItsTileChangedTogetherAreFound) {
  log_.Grow(1000);
  Flip("tile/entries/001", EntryOffset(300) + 20);
  const std::string entry = log_.Read("tile/entries/001").substr(EntryOffset(300) + 2, 41);
  log_.Change("tile/0/001", [&](std::string& bytes) {
    bytes.replace(32 * (300 - 256), 32, std::string(crypto::tlog::LeafHash(entry).view()));
  });
  // The level above is proven, so the tile is named, and that its entries are wrong too.
  EXPECT_THAT(Fault(), HasSubstr("tile/0/001 entry 256: the tile and its entries were changed"));
  // With the level above changed elsewhere nothing is proven any more.
  Flip("tile/1/000.p/3", 32 * 2);
  EXPECT_THAT(Fault(), HasSubstr("tile/1/000.p/3 entry 256: the tile contradicts those below it"));
}

TEST_F(FolderVerifierTest, WithSeveralTilesWrongWhatContradictsIsSaid) {
  log_.Grow(1000);
  Flip("tile/entries/001", EntryOffset(300) + 20);
  ExpectFault("tile/entries/001 entry 300: the entry is not the one that leads to the signed root");
  Flip("tile/1/000.p/3", 32 * 2);
  ExpectFault(
      "tile/entries/001 entry 300: the entry contradicts tile/0/001, and not all tiles above are right");
}

TEST_F(FolderVerifierTest, AHistoryWrittenAnewDoesNotLeadToTheSignedRoot) {
  log_.Grow(1000);
  const std::string checkpoint = log_.Read("checkpoint");
  testing::LogFolder other(temporary_.path() + "/other");
  for (uint64_t i = 0; i < 1000; ++i) other.Append(testing::LogFolder::Entry(i == 17 ? 5000 : i));
  other.WriteTiles(0);
  other.Write("checkpoint", checkpoint);
  const auto report = VerifyFolder(other.path(), options_);
  ASSERT_TRUE(report->fault.has_value());
  EXPECT_EQ(report->fault->file, "checkpoint");
  EXPECT_THAT(report->fault->what, HasSubstr("not with the signed root"));
}

TEST_F(FolderVerifierTest, AKeptCheckpointProvesTheSameHistory) {
  for (const uint64_t size : {0, 1, 255, 256, 300, 511, 512, 1000}) {
    log_.Grow(size);
    const std::string kept = log_.CheckpointBytes();
    options_.since = kept;
    EXPECT_EQ(Fault(), "whole") << size;
  }
  // Each of them against the log of 66,000 entries.
  testing::LogFolder later(temporary_.path() + "/later");
  std::vector<std::string> kept;
  for (const uint64_t size : {0, 1, 256, 300, 512, 1000, 65'536, 65'600, 66'000}) {
    later.Grow(size);
    kept.push_back(later.CheckpointBytes());
  }
  for (const std::string& since : kept) {
    options_.since = since;
    const auto report = VerifyFolder(later.path(), options_);
    ASSERT_THAT(report, IsOk());
    EXPECT_FALSE(report->fault.has_value()) << since;
  }
}

TEST_F(FolderVerifierTest, AHistoryWrittenAnewAndSignedIsFoundByAKeptCheckpoint) {
  for (const uint64_t size : {1, 256, 300, 512, 999, 1000}) {
    testing::LogFolder honest(temporary_.path() + absl::StrCat("/honest", size));
    honest.Grow(size);
    options_.since = honest.CheckpointBytes();
    testing::LogFolder forged(temporary_.path() + absl::StrCat("/forged", size));
    for (uint64_t i = 0; i < 1000; ++i) forged.Append(testing::LogFolder::Entry(i == 0 ? 5000 : i));
    forged.WriteTiles(0);
    forged.WriteCheckpoint();
    const auto report = VerifyFolder(forged.path(), options_);
    ASSERT_TRUE(report->fault.has_value()) << size;
    EXPECT_EQ(report->fault->file, "checkpoint");
    EXPECT_THAT(report->fault->what, HasSubstr("not those of the kept checkpoint"));
    // Alone it looks whole: that is what keeping checkpoints is for.
    EXPECT_FALSE(VerifyFolder(forged.path(), FolderOptions{})->fault.has_value());
  }
}

TEST_F(FolderVerifierTest, ARestoredBackupIsFoundByAKeptCheckpoint) {
  log_.Grow(1000);
  testing::LogFolder yesterday(temporary_.path() + "/yesterday");
  yesterday.Grow(900);
  options_.since = log_.CheckpointBytes();
  const auto report = VerifyFolder(yesterday.path(), options_);
  ASSERT_TRUE(report->fault.has_value());
  EXPECT_EQ(*report->fault->index, 900u);
  EXPECT_THAT(report->fault->what, HasSubstr("the kept checkpoint has 1000 entries, the log 900"));
}

TEST_F(FolderVerifierTest, AKeptCheckpointOfAnotherLogIsAnError) {
  log_.Grow(10);
  options_.since = "nonsense";
  EXPECT_THAT(VerifyFolder(log_.path(), options_), HasReason(reason::kMalformed));
  const crypto::note::PrivateKey key = crypto::tlog::testing::KeyFromSeed(0x50);
  const auto other = *crypto::note::VerifierKey::Create("broker.example/audit", key.public_key());
  options_.since = crypto::note::Format(SignCheckpoint(log_.checkpoint(), other, key));
  EXPECT_THAT(VerifyFolder(log_.path(), options_), HasReason(reason::kSignatureInvalid));
}

TEST_F(FolderVerifierTest, TheKeyThatWasAskedForIsTheOneThatCounts) {
  log_.Grow(10);
  options_.log = log_.log();
  EXPECT_EQ(Fault(), "whole");
  // Without a file there is nothing to contradict it.
  const std::string vkey = log_.Read("log.vkey");
  log_.Remove("log.vkey");
  EXPECT_EQ(Fault(), "whole");
  log_.Write("log.vkey", vkey);
  const crypto::note::PrivateKey key = crypto::tlog::testing::KeyFromSeed(0x50);
  options_.log = *crypto::note::VerifierKey::Create("broker.example/audit", key.public_key());
  ExpectFault("log.vkey");
  log_.Remove("log.vkey");
  ExpectFault("checkpoint");
}

TEST_F(FolderVerifierTest, TheQuorumMustHaveCosigned) {
  log_.Grow(10);
  options_.witnesses = {log_.witness()};
  options_.quorum = 1;
  EXPECT_EQ(Verify().cosigned.size(), 1u);
  options_.quorum = 2;
  EXPECT_EQ(Fault(), "checkpoint: 1 witnesses cosigned, 2 must");
  options_.quorum = 0;
  log_.Change("checkpoint", [](std::string& bytes) { bytes[bytes.size() - 10] ^= 1; });
  ExpectFault("checkpoint");
}

TEST_F(FolderVerifierTest, ALogThatGoesOnIsWholeUpToItsCheckpoint) {
  log_.Grow(300);
  const std::string checkpoint = log_.Read("checkpoint");
  log_.Grow(700);
  log_.Write("checkpoint", checkpoint);
  EXPECT_EQ(Fault(), "whole");
  EXPECT_EQ(Verify().entries, 300u);
  // Its partial tiles may be gone once the full ones stand.
  log_.Remove("tile/entries/001.p/44");
  log_.Remove("tile/0/001.p/44");
  EXPECT_EQ(Fault(), "whole");
  Flip("tile/0/001", 32 * 43);
  ExpectFault("tile/0/001 entry 299");
  Flip("tile/0/001", 32 * 43);
  // What lies beyond the checkpoint is another one's affair.
  Flip("tile/0/001", 32 * 44);
  EXPECT_EQ(Fault(), "whole");
}

TEST_F(FolderVerifierTest, ALogThatGrowsMeanwhileIsWhole) {
  log_.Grow(200);
  log_.Grow(300);
  options_.check_entry = [&](uint64_t index, absl::string_view) {
    if (index == 10) {
      log_.Grow(900);
      for (const char* name :
           {"tile/entries/000.p/200", "tile/0/000.p/200", "tile/entries/001.p/44", "tile/0/001.p/44"}) {
        log_.Remove(name);
      }
    }
    return std::optional<std::string>();
  };
  EXPECT_EQ(Fault(), "whole");
  EXPECT_EQ(Verify().checkpoint.size, 900u);
}

TEST_F(FolderVerifierTest, AnOldListingOfTheFolderServesForNewTiles) {
  log_.Grow(200);
  const TileFolder folder = *TileFolder::Open(log_.path());
  log_.Grow(300);
  EXPECT_EQ(folder.Read({0, 1, 44})->bytes, log_.Read("tile/0/001.p/44"));
  EXPECT_EQ(folder.Read({0, 0, 201})->tile.width, kTileWidth);
  EXPECT_THAT(folder.Read({0, 1, 45}), HasReason(reason::kFileUnreadable));
}

TEST_F(FolderVerifierTest, UnknownFilesAreCountedOnly) {
  log_.Grow(300);
  log_.Write("tile/0/000.tmp", "half");
  log_.Write("tile/entries/x", "");
  log_.Write("notes.txt", "");
  const FolderReport report = Verify();
  EXPECT_FALSE(report.fault.has_value());
  EXPECT_EQ(report.unknown_files, 2u);
}

TEST_F(FolderVerifierTest, ASurplusPartialTileMustBeginAsTheOthers) {
  log_.Grow(1000);
  log_.Write("tile/0/001.p/3", log_.Read("tile/0/001").substr(0, 96));
  log_.Write("tile/0/003.p/240", log_.Read("tile/0/003.p/232") + std::string(8 * 32, 'x'));
  EXPECT_EQ(Fault(), "whole");
  Flip("tile/0/001.p/3", 64);
  ExpectFault("tile/0/001.p/3 entry 258");
  Flip("tile/0/001.p/3", 64);
  Flip("tile/0/003.p/240", 32 * 231);
  ExpectFault("tile/0/003.p/240 entry 999");
  Flip("tile/0/003.p/240", 32 * 231);
  log_.Write("tile/entries/001.p/3", log_.Read("tile/entries/001").substr(0, 3 * 43));
  EXPECT_EQ(Fault(), "whole");
  Flip("tile/entries/001.p/3", 43 + 30);
  ExpectFault("tile/entries/001.p/3 entry 257");
  log_.Write("tile/entries/001.p/3", log_.Read("tile/entries/001").substr(0, 4 * 43));
  ExpectFault("tile/entries/001.p/3 entry 258");
}

TEST_F(FolderVerifierTest, EveryEntryIsHandedOnOnceAndInOrder) {
  log_.Grow(600);
  uint64_t next = 0;
  options_.check_entry = [&](uint64_t index, absl::string_view entry) -> std::optional<std::string> {
    EXPECT_EQ(index, next++);
    EXPECT_EQ(entry, testing::LogFolder::Entry(index));
    return std::nullopt;
  };
  EXPECT_EQ(Fault(), "whole");
  EXPECT_EQ(next, 600u);
}

TEST_F(FolderVerifierTest, TheFirstEntryThatACheckRefusesIsNamed) {
  log_.Grow(600);
  options_.check_entry = [&](uint64_t index, absl::string_view) {
    return index >= 400 ? std::optional<std::string>(absl::StrCat("stored details differ ", index))
                        : std::nullopt;
  };
  EXPECT_EQ(Fault(), "tile/entries/001 entry 400: stored details differ 400");
  // What is wrong with the tree goes first: what such entries say means nothing.
  Flip("tile/0/000", 5);
  ExpectFault("tile/0/000 entry 0");
}

TEST_F(FolderVerifierTest, AProofIsMadeFromTheFolderAlone) {
  log_.Grow(1000);
  TileFolder folder = *TileFolder::Open(log_.path());
  crypto::tlog::TileHashReader reader(folder, 1000);
  EXPECT_EQ(*TreeRoot(1000, reader), log_.checkpoint().root);
  EXPECT_THAT(InclusionProof(777, 1000, reader), IsOk());
}

}  // namespace
}  // namespace raakvlak::audit

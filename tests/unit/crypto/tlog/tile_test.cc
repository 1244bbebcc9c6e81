#include "crypto/tlog/tile.h"

#include <map>
#include <random>

#include "absl/strings/match.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/tlog/twin.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using testing::EntryHashes;
using testing::MemoryTree;
using testing::ReadVector;
namespace reason = base::reason;

// The tile files of a tree, made from the subtrees' hashes.
class MemoryTiles final : public TileSource {
 public:
  MemoryTiles(const MemoryTree& tree, uint64_t size) {
    for (const TileId& tile : NewTiles(0, size)) {
      if (tile.level == kEntriesLevel) continue;
      std::vector<Hash> hashes;
      for (int i = 0; i < tile.width; ++i) {
        hashes.push_back(
            tree.hashes().at({tile.level * kTileHeight, tile.index * kTileWidth + static_cast<uint64_t>(i)}));
      }
      files_[Path(tile)] = TileBytes(hashes);
    }
  }
  absl::StatusOr<std::string> ReadTile(const TileId& tile) override {
    ++reads_;
    for (const std::string& path : {Path(tile), TilePath(tile.level, tile.index)}) {
      if (const auto file = files_.find(path); file != files_.end()) return file->second;
    }
    return base::Error(absl::StatusCode::kNotFound, reason::kFileUnreadable, Path(tile));
  }
  std::map<std::string, std::string>& files() { return files_; }
  int reads() const { return reads_; }

 private:
  std::map<std::string, std::string> files_;
  int reads_ = 0;
};

std::vector<std::string> Paths(const std::vector<TileId>& tiles) {
  std::vector<std::string> paths;
  for (const TileId& tile : tiles) paths.push_back(Path(tile));
  return paths;
}

TEST(TileVectorTest, FilesOfTheVectorsAreMadeByteForByte) {
  constexpr std::pair<const char*, const char*> kSums[] = {
      {"tile/entries/000", "2e41f76a98595afb6b3a27a02a74792386a99b155db3579513faf3bf67057752"},
      {"tile/entries/001.p/44", "2c03c7039c4ae3773cff75f105c5757a3a4f12cd64b33e85704be36f9297853b"},
      {"tile/0/000", "8921c57d2f65271c82bf0f686c002793863c80c8d1cbbbf5db6046ff59e8b590"},
      {"tile/0/001.p/44", "7bac48c6f72db216f103763f08f639e038a4097f2763009eb3cf2bb457280832"},
      {"tile/1/000.p/1", "0dbddfec97fdc03a63eca701dce6bc0a6493d5d938070377900a6529cc71a448"},
  };
  const std::vector<Hash> leaves = EntryHashes(300);
  MemoryTiles tiles(MemoryTree(leaves), 300);
  std::map<std::string, std::string> files = tiles.files();
  for (uint64_t i = 0; i < 300; ++i) {
    AppendEntry(files[i < 256 ? "tile/entries/000" : "tile/entries/001.p/44"], absl::StrCat("entry-", i));
  }
  EXPECT_EQ(Paths(NewTiles(0, 300)).size(), std::size(kSums));
  EXPECT_EQ(files.size(), std::size(kSums));
  for (const auto& [path, sum] : kSums) {
    EXPECT_EQ(base::Hex(base::Sha256(files[path])), sum) << path;
    EXPECT_EQ(files[path], ReadVector(path)) << path;
  }
}

TEST(TileVectorTest, EntriesOfTheVectorsAreRead) {
  const std::string bundle = ReadVector("tile/entries/001.p/44");
  const auto entries = ParseEntries(bundle, 44);
  ASSERT_THAT(entries, IsOk());
  for (size_t i = 0; i < 44; ++i) EXPECT_EQ((*entries)[i], absl::StrCat("entry-", 256 + i));
}

TEST(TilePathTest, IndexesAreInGroupsOfThree) {
  EXPECT_EQ(TilePath(0, 0), "tile/0/000");
  EXPECT_EQ(TilePath(0, 999), "tile/0/999");
  EXPECT_EQ(TilePath(0, 1000), "tile/0/x001/000");
  EXPECT_EQ(TilePath(3, 1234067), "tile/3/x001/x234/067");
  EXPECT_EQ(TilePath(63, 5, 255), "tile/63/005.p/255");
  EXPECT_EQ(EntriesPath(1234067, 1), "tile/entries/x001/x234/067.p/1");
  EXPECT_EQ(EntriesPath(kMaxTreeSize), "tile/entries/x009/x223/x372/x036/x854/x775/807");
}

TEST(TilePathTest, WhatIsWrittenIsRead) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 5000; ++i) {
    const TileId tile{static_cast<int>(random() % 65) - 1, (random() & kMaxTreeSize) >> (random() % 63),
                      static_cast<int>(random() % 256) + 1};
    ASSERT_EQ(*ParsePath(Path(tile)), tile) << Path(tile);
  }
}

TEST(TilePathTest, OtherSpellingsAreRefused) {
  for (const char* path : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "tile//000",
                           "/tile/0/000",
                           "tile/0/000/",
                           "tile/00/000",
                           "tile/64/000",
                           "tile/-1/000",
                           "tile/+1/000",
                           "tile/ 1/000",
                           "tile/x/000",
                           "tile/Entries/000",
                           "tile/entries",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/0/x000/000",
                           "tile/0/x001",
                           "tile/0/x001/",
                           "tile/0/x001/x000",
                           "tile/0/001/000",
                           "tile/0/x001/00a",
                           "tile/0/x001/x234/67",
                           "tile/0/000.p",
                           "tile/0/000.p/",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/01",
                           "tile/0/000.p/1/",
                           "tile/0/000.p/-1",
                           "tile/0/000.P/1",
                           "tile/0/000/1",
                           "tile/0/000 ",
                           "tile/0/000\n",
                           "tile/0/../000",
                           "tile/8/0/000",
                           "tile/entries/x009/x223/x372/x036/x854/x775/808",
                           "tile/entries/x018/x446/x744/x073/x709/x551/615",
                           "tile/0/x999/x999/x999/x999/x999/x999/999"}) {
    EXPECT_THAT(ParsePath(path), HasReason(reason::kMalformed)) << path;
  }
  EXPECT_THAT(ParsePath(absl::string_view("tile/0/00\0", 10)), HasReason(reason::kMalformed));
  EXPECT_THAT(ParsePath(std::string(100'000, 'x')), HasReason(reason::kMalformed));
}

TEST(NewTilesTest, SizeOfTheStandardsExampleHasItsTiles) {
  // "273 full L0 + L0 partial 112 + one full L1 + L1 partial 17 + L2 partial 1".
  EXPECT_EQ(FullTiles(0, 70'000), 273u);
  EXPECT_EQ(PartialWidth(0, 70'000), 112);
  EXPECT_EQ(FullTiles(1, 70'000), 1u);
  EXPECT_EQ(PartialWidth(1, 70'000), 17);
  EXPECT_EQ(FullTiles(2, 70'000), 0u);
  EXPECT_EQ(PartialWidth(2, 70'000), 1);
  EXPECT_EQ(NewTiles(0, 70'000).size(), 2 * 274 + 2 + 1u);
  EXPECT_EQ(FullTiles(8, kMaxTreeSize), 0u);
  EXPECT_EQ(PartialWidth(63, kMaxTreeSize), 0);
}

TEST(NewTilesTest, OnlyWhatChangedIsListed) {
  EXPECT_TRUE(NewTiles(0, 0).empty());
  EXPECT_TRUE(NewTiles(70'000, 70'000).empty());
  EXPECT_THAT(Paths(NewTiles(0, 1)), ElementsAre("tile/entries/000.p/1", "tile/0/000.p/1"));
  EXPECT_THAT(Paths(NewTiles(1, 3)), ElementsAre("tile/entries/000.p/3", "tile/0/000.p/3"));
  EXPECT_THAT(Paths(NewTiles(255, 256)), ElementsAre("tile/entries/000", "tile/0/000", "tile/1/000.p/1"));
  // Level 1 stays as it was.
  EXPECT_THAT(Paths(NewTiles(256, 257)), ElementsAre("tile/entries/001.p/1", "tile/0/001.p/1"));
  EXPECT_THAT(Paths(NewTiles(250, 520)),
              ElementsAre("tile/entries/000", "tile/entries/001", "tile/entries/002.p/8", "tile/0/000",
                          "tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2"));
  EXPECT_THAT(Paths(NewTiles(65'535, 65'536)),
              ElementsAre("tile/entries/255", "tile/0/255", "tile/1/000", "tile/2/000.p/1"));
}

TEST(NewTilesTest, StepsMakeWhatOneStepMakes) {
  std::mt19937_64 random(9);
  std::map<std::string, int> stepwise;
  uint64_t size = 0;
  while (size < 200'000) {
    const uint64_t next = size + random() % 3000;
    for (const std::string& path : Paths(NewTiles(size, next))) {
      // Full tiles never change, so none is written twice.
      EXPECT_LE(++stepwise[path], absl::StrContains(path, ".p/") ? 1000 : 1) << path;
    }
    size = next;
  }
  for (const std::string& path : Paths(NewTiles(0, size))) EXPECT_TRUE(stepwise.contains(path)) << path;
}

TEST(TileBytesTest, AnotherWidthIsRefused) {
  const std::vector<Hash> hashes = EntryHashes(44);
  const std::string bytes = TileBytes(hashes);
  EXPECT_EQ(*ParseTile(bytes, 44), hashes);
  EXPECT_THAT(ParseTile(bytes, 43), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseTile(bytes, 45), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseTile(bytes.substr(1), 44), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseTile("", 0), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseTile("", -1), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseTile(std::string(257 * 32, 'x'), 257), HasReason(reason::kMalformed));
}

TEST(TileBytesTest, AFullTilesHashIsItsElementAbove) {
  const std::vector<Hash> hashes = EntryHashes(256);
  EXPECT_EQ(FullTileHash(hashes), testing::RootTwin(hashes));
  EXPECT_EQ(FullTileHash(hashes).view(), ReadVector("tile/1/000.p/1"));
}

TEST(EntriesTest, EveryLengthIsReadBack) {
  std::string bundle;
  std::vector<std::string> entries;
  for (const size_t size : {0, 1, 41, 255, 256, 65535}) {
    entries.push_back(std::string(size, static_cast<char>('a' + size % 26)));
    AppendEntry(bundle, entries.back());
  }
  const auto read = ParseEntries(bundle, static_cast<int>(entries.size()));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(std::vector<std::string>(read->begin(), read->end()), entries);
}

TEST(EntriesTest, TruncatedExtendedOrMiscountedBundlesAreRefused) {
  const std::string bundle = ReadVector("tile/entries/001.p/44");
  ASSERT_THAT(ParseEntries(bundle, 44), IsOk());
  for (size_t size = 0; size < bundle.size(); ++size) {
    ASSERT_THAT(ParseEntries(absl::string_view(bundle).substr(0, size), 44), HasReason(reason::kMalformed))
        << size;
  }
  EXPECT_THAT(ParseEntries(bundle + std::string(1, '\0'), 44), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseEntries(bundle + std::string(2, '\0'), 44), HasReason(reason::kMalformed));
  for (const int width : {-1, 0, 43, 45, 256}) {
    EXPECT_THAT(ParseEntries(bundle, width), HasReason(reason::kMalformed)) << width;
  }
}

TEST(TileHashReaderTest, ProofsFromTilesAreThoseFromTheTree) {
  constexpr uint64_t kSize = 70'000;
  const std::vector<Hash> leaves = EntryHashes(kSize);
  MemoryTree tree(leaves);
  MemoryTiles tiles(tree, kSize);
  TileHashReader reader(tiles, kSize);
  EXPECT_EQ(*TreeRoot(kSize, reader), tree.frontier().Root());
  std::mt19937_64 random(3);
  for (int i = 0; i < 200; ++i) {
    const uint64_t size = 1 + random() % kSize;
    const uint64_t other = random() % size;
    ASSERT_EQ(*InclusionProof(other, size, reader), *InclusionProof(other, size, tree)) << other;
    ASSERT_EQ(*ConsistencyProof(other, size, reader), *ConsistencyProof(other, size, tree)) << other;
  }
}

TEST(TileHashReaderTest, AProofReadsFewTiles) {
  constexpr uint64_t kSize = 70'000;
  MemoryTiles tiles(MemoryTree(EntryHashes(kSize)), kSize);
  TileHashReader reader(tiles, kSize);
  ASSERT_THAT(InclusionProof(12'345, kSize, reader), IsOk());
  EXPECT_LE(tiles.reads(), 6);
}

TEST(TileHashReaderTest, TheFullTileServesForADeletedPartialOne) {
  const std::vector<Hash> leaves = EntryHashes(512);
  MemoryTree tree(leaves);
  MemoryTiles tiles(tree, 512);
  // Tile 0/001 is full by now; 1/000 is not, so its older widths still stand.
  tiles.files()["tile/1/000.p/1"] = tiles.files().at("tile/1/000.p/2").substr(0, kHashSize);
  TileHashReader reader(tiles, 300);
  EXPECT_EQ(*InclusionProof(299, 300, reader), *InclusionProof(299, 300, tree));
}

TEST(TileHashReaderTest, AShortOrMissingTileIsAnError) {
  MemoryTiles tiles(MemoryTree(EntryHashes(300)), 300);
  tiles.files()["tile/0/001.p/44"].pop_back();
  TileHashReader reader(tiles, 300);
  EXPECT_THAT(InclusionProof(299, 300, reader), HasReason(reason::kMalformed));
  tiles.files().erase("tile/0/001.p/44");
  EXPECT_THAT(InclusionProof(299, 300, reader), HasReason(reason::kFileUnreadable));
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

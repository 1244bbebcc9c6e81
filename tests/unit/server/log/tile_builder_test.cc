#include "server/log/tile_builder.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::log {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using crypto::tlog::Hash;
using crypto::tlog::kEntriesLevel;
using crypto::tlog::TileId;

std::string Entry(uint64_t index) { return absl::StrCat("entry-", index); }

// Files by path; a partial tile is cut from a wider one.
class Files final : public crypto::tlog::TileSource {
 public:
  void Put(const std::vector<TileFile>& files) {
    for (const TileFile& file : files) files_[crypto::tlog::Path(file.id)] = file.bytes;
  }
  absl::StatusOr<std::string> ReadTile(const TileId& tile) override {
    const auto found = files_.find(crypto::tlog::Path(tile));
    if (found == files_.end()) return absl::NotFoundError(crypto::tlog::Path(tile));
    return found->second;
  }
  const std::map<std::string, std::string>& all() const { return files_; }

 private:
  std::map<std::string, std::string> files_;
};

// What the tile must hold, by the definition: roots of complete subtrees, or entries.
std::string Naive(const TileId& id) {
  std::string bytes;
  for (uint64_t i = id.index * 256; i < id.index * 256 + static_cast<uint64_t>(id.width); ++i) {
    if (id.level == kEntriesLevel) {
      crypto::tlog::AppendEntry(bytes, Entry(i));
      continue;
    }
    const uint64_t span = uint64_t{1} << (8 * id.level);
    crypto::tlog::Frontier tree;
    for (uint64_t leaf = i * span; leaf < (i + 1) * span; ++leaf) {
      tree.Append(crypto::tlog::LeafHash(Entry(leaf)));
    }
    bytes += std::string(tree.Root().view());
  }
  return bytes;
}

TEST(TileBuilderTest, EverySizeGivesTheTilesOfTheDefinitionInOneStep) {
  for (uint64_t size = 0; size <= 600; ++size) {
    TileBuilder builder;
    std::vector<TileFile> files;
    for (uint64_t i = 0; i < size; ++i) builder.Append(Entry(i), files);
    for (TileFile& file : builder.Partials(0)) files.push_back(std::move(file));
    const std::vector<TileId> wanted = crypto::tlog::NewTiles(0, size);
    ASSERT_EQ(files.size(), wanted.size()) << size;
    for (const TileFile& file : files) {
      EXPECT_NE(std::find(wanted.begin(), wanted.end(), file.id), wanted.end());
      // Full tiles are the same at every size: once is enough.
      if (size == 600 || file.id.width != 256) {
        ASSERT_EQ(file.bytes, Naive(file.id)) << crypto::tlog::Path(file.id);
      }
    }
  }
}

TEST(TileBuilderTest, ResumingAtAnySizeGoesOnAsIfItHadNotStopped) {
  Files files;
  TileBuilder all_along;
  for (uint64_t size = 0; size < 600; ++size) {
    const auto resumed = TileBuilder::Resume(files, size);
    ASSERT_THAT(resumed, IsOk()) << size;
    TileBuilder builder = *resumed;
    std::vector<TileFile> full, full_all_along;
    builder.Append(Entry(size), full);
    all_along.Append(Entry(size), full_all_along);
    files.Put(full);
    files.Put(builder.Partials(size));
    ASSERT_EQ(full.size(), full_all_along.size());
    Files again;
    again.Put(all_along.Partials(0));
    for (const auto& [path, bytes] : again.all()) ASSERT_EQ(files.all().at(path), bytes) << path;
  }
}

TEST(TileBuilderTest, LevelsAboveGrowFromFullTilesOnly) {
  TileBuilder builder;
  std::vector<TileFile> files;
  for (uint64_t i = 0; i < 70'000; ++i) builder.Append(Entry(i), files);
  for (TileFile& file : builder.Partials(0)) files.push_back(std::move(file));
  std::map<std::string, size_t> sizes;
  for (const TileFile& file : files) sizes[crypto::tlog::Path(file.id)] = file.bytes.size();
  // The worked example of tlog-tiles.
  EXPECT_EQ(sizes.size(), 2 * 273 + 2 + 1 + 1 + 1);
  EXPECT_EQ(sizes["tile/0/272"], 8192);
  EXPECT_EQ(sizes["tile/0/273.p/112"], 112 * 32);
  EXPECT_EQ(sizes["tile/1/000"], 8192);
  EXPECT_EQ(sizes["tile/1/001.p/17"], 17 * 32);
  EXPECT_EQ(sizes["tile/2/000.p/1"], 32);
  EXPECT_EQ(files.back().bytes, Naive({2, 0, 1}));
}

TEST(TileBuilderTest, AnUnchangedOpenTileIsNotWrittenAgain) {
  TileBuilder builder;
  std::vector<TileFile> full;
  for (uint64_t i = 0; i < 300; ++i) builder.Append(Entry(i), full);
  EXPECT_EQ(builder.Partials(0).size(), 3);
  builder.Append(Entry(300), full);
  EXPECT_EQ(builder.Partials(300).size(), 2) << "level 1 has the same one hash";
  EXPECT_TRUE(builder.Partials(301).empty());
}

TEST(TileBuilderTest, AMissingOpenTileIsAnError) {
  Files files;
  EXPECT_EQ(TileBuilder::Resume(files, 5).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(TileBuilder::Resume(files, 0), IsOk());
}

}  // namespace
}  // namespace raakvlak::log

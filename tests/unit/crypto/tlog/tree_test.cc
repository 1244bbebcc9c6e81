#include "crypto/tlog/tree.h"

#include <bit>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/batch_tree.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/tlog/twin.h"
#include "tests/unit/crypto/vector_file.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using crypto::testing::ReadVectorFile;
using testing::EntryHashes;
using testing::MemoryTree;
namespace reason = base::reason;

constexpr size_t kSizes = 600;

absl::Span<const Hash> First(const std::vector<Hash>& leaves, size_t size) {
  return absl::MakeConstSpan(leaves).subspan(0, size);
}

Proof ReadProof(const nlohmann::json& lines) {
  Proof proof;
  for (const auto& line : lines) proof.push_back(*Hash::FromBase64(line.get<std::string>()));
  return proof;
}

// A reader whose store fails.
class FailingReader final : public HashReader {
 public:
  absl::StatusOr<Hash> ReadHash(int, uint64_t) override {
    return base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "no disk");
  }
};

TEST(TreeVectorTest, RootsOfTheCertificateTransparencyLeavesAreThePublishedOnes) {
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json");
  Frontier frontier;
  std::vector<std::string> roots;
  for (const auto& leaf : vectors.at("ct_leaves")) {
    frontier.Append(LeafHash(*base::ParseHex(leaf.get<std::string>())));
    roots.push_back(base::Hex(frontier.Root().view()));
  }
  ASSERT_EQ(roots.size(), 8u);
  EXPECT_EQ(roots[7], vectors.at("ct_root_8").get<std::string>());
  for (const auto& root : vectors.at("ct_root_ends")) {
    const std::string& ours = roots[root.at("size").get<size_t>() - 1];
    EXPECT_TRUE(ours.starts_with(root.at("begins").get<std::string>())) << ours;
    EXPECT_TRUE(ours.ends_with(root.at("ends").get<std::string>())) << ours;
  }
}

TEST(TreeVectorTest, RootsAreThoseOfTheVectors) {
  const std::vector<Hash> leaves = EntryHashes(300);
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json").at("roots");
  ASSERT_FALSE(vectors.empty());
  for (const auto& root : vectors) {
    const MemoryTree tree(First(leaves, root.at("size").get<size_t>()));
    EXPECT_EQ(tree.frontier().Root().ToBase64(), root.at("root").get<std::string>());
  }
}

TEST(TreeVectorTest, InclusionProofsAreThoseOfTheVectors) {
  const std::vector<Hash> leaves = EntryHashes(300);
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json").at("inclusion");
  ASSERT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    MemoryTree tree(leaves);
    EXPECT_EQ(*InclusionProof(vector.at("index").get<uint64_t>(), vector.at("size").get<uint64_t>(), tree),
              ReadProof(vector.at("proof")));
  }
}

TEST(TreeVectorTest, ConsistencyProofsAreThoseOfTheVectors) {
  const std::vector<Hash> leaves = EntryHashes(300);
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json").at("consistency");
  ASSERT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    MemoryTree tree(leaves);
    EXPECT_EQ(
        *ConsistencyProof(vector.at("old_size").get<uint64_t>(), vector.at("size").get<uint64_t>(), tree),
        ReadProof(vector.at("proof")));
  }
}

TEST(TreeTwinTest, RootOfEverySizeIsTheTwins) {
  const std::vector<Hash> leaves = EntryHashes(kSizes);
  MemoryTree tree(leaves);
  Frontier frontier;
  for (size_t size = 0; size <= kSizes; ++size) {
    const Hash root = testing::RootTwin(First(leaves, size));
    ASSERT_EQ(frontier.Root(), root) << size;
    ASSERT_EQ(*TreeRoot(size, tree), root) << size;
    ASSERT_EQ(*ReadFrontier(size, tree), frontier) << size;
    ASSERT_EQ(*Frontier::Parse(frontier.Serialise()), frontier) << size;
    if (size < kSizes) frontier.Append(leaves[size]);
  }
}

TEST(TreeTwinTest, EveryInclusionProofIsTheTwins) {
  const std::vector<Hash> leaves = EntryHashes(kSizes);
  MemoryTree tree(leaves);
  // Every size up to two tiles' edge would take minutes with the twin; the edges and a spread do.
  std::vector<size_t> sizes = {127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 599, 600};
  for (size_t size = 1; size <= 40; ++size) sizes.push_back(size);
  for (const size_t size : sizes) {
    for (size_t index = 0; index < size; ++index) {
      ASSERT_EQ(*InclusionProof(index, size, tree), testing::InclusionTwin(index, First(leaves, size)))
          << index << " of " << size;
    }
  }
}

TEST(TreeTwinTest, EveryConsistencyProofIsTheTwins) {
  const std::vector<Hash> leaves = EntryHashes(kSizes);
  MemoryTree tree(leaves);
  std::vector<size_t> sizes = {127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 599, 600};
  for (size_t size = 1; size <= 40; ++size) sizes.push_back(size);
  for (const size_t size : sizes) {
    for (size_t old_size = 1; old_size <= size; ++old_size) {
      ASSERT_EQ(*ConsistencyProof(old_size, size, tree),
                testing::ConsistencyTwin(old_size, First(leaves, size)))
          << old_size << " to " << size;
    }
  }
}

TEST(TreeTest, EverySubtreeIsReportedOnceComplete) {
  constexpr size_t kLeaves = 70;
  const std::vector<Hash> leaves = EntryHashes(kLeaves);
  const MemoryTree tree(leaves);
  size_t expected = 0;
  for (int level = 0; (size_t{1} << level) <= kLeaves; ++level) expected += kLeaves >> level;
  EXPECT_EQ(tree.hashes().size(), expected);
  for (const auto& [place, hash] : tree.hashes()) {
    const auto& [level, index] = place;
    EXPECT_EQ(hash, testing::RootTwin(First(leaves, kLeaves).subspan(index << level, size_t{1} << level)));
  }
}

TEST(TreeTest, AProofReadsAFewHashesOnly) {
  const std::vector<Hash> leaves = EntryHashes(100'000);
  for (const uint64_t index : {0ul, 65'535ul, 65'536ul, 99'999ul}) {
    MemoryTree tree(leaves);
    ASSERT_THAT(InclusionProof(index, leaves.size(), tree), IsOk());
    EXPECT_LE(tree.reads(), 2 * 17) << index;
  }
  for (const uint64_t old_size : {1ul, 65'535ul, 65'536ul, 65'537ul, 99'999ul}) {
    MemoryTree tree(leaves);
    ASSERT_THAT(ConsistencyProof(old_size, leaves.size(), tree), IsOk());
    EXPECT_LE(tree.reads(), 2 * 17) << old_size;
  }
}

TEST(TreeTest, NothingIsProvenBeyondTheTree) {
  MemoryTree tree(EntryHashes(8));
  EXPECT_THAT(InclusionProof(0, 0, tree), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(InclusionProof(8, 8, tree), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(InclusionProof(0, kMaxTreeSize + 1, tree), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ConsistencyProof(8, 7, tree), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ConsistencyProof(0, kMaxTreeSize + 1, tree), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(TreeRoot(kMaxTreeSize + 1, tree), HasReason(reason::kInvalidArgument));
}

TEST(TreeTest, ConsistencyFromNothingAndWithItselfIsEmpty) {
  MemoryTree tree(EntryHashes(8));
  EXPECT_TRUE(ConsistencyProof(0, 7, tree)->empty());
  EXPECT_TRUE(ConsistencyProof(7, 7, tree)->empty());
  EXPECT_TRUE(ConsistencyProof(0, 0, tree)->empty());
  EXPECT_EQ(tree.reads(), 0);
}

TEST(TreeTest, ErrorsOfTheStoreComeThrough) {
  FailingReader reader;
  EXPECT_THAT(TreeRoot(5, reader), HasReason(reason::kStorageFailed));
  EXPECT_THAT(InclusionProof(1, 5, reader), HasReason(reason::kStorageFailed));
  EXPECT_THAT(ConsistencyProof(3, 5, reader), HasReason(reason::kStorageFailed));
  EXPECT_THAT(TreeRoot(0, reader), IsOk());
}

TEST(FrontierTest, SerialisedIsTheSizeAndOneHashForEachBit) {
  MemoryTree tree(EntryHashes(11));
  const std::string bytes = tree.frontier().Serialise();
  ASSERT_EQ(bytes.size(), 8u + 3 * 32);
  EXPECT_EQ(bytes.substr(0, 8), base::BigEndian(11, 8));
  EXPECT_EQ(bytes.substr(8, 32), tree.ReadHash(3, 0)->view());
  EXPECT_EQ(bytes.substr(40, 32), tree.ReadHash(1, 4)->view());
  EXPECT_EQ(bytes.substr(72, 32), tree.ReadHash(0, 10)->view());
  EXPECT_EQ(Frontier().Serialise(), std::string(8, '\0'));
}

TEST(FrontierTest, OtherBytesAreRefused) {
  const std::string bytes = MemoryTree(EntryHashes(11)).frontier().Serialise();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(Frontier::Parse(bytes.substr(0, size)), HasReason(reason::kMalformed)) << size;
  }
  EXPECT_THAT(Frontier::Parse(bytes + "x"), HasReason(reason::kMalformed));
  EXPECT_THAT(Frontier::Parse(bytes + std::string(32, 'x')), HasReason(reason::kMalformed));
  std::string other = bytes;
  other[7] = 15;
  EXPECT_THAT(Frontier::Parse(other), HasReason(reason::kMalformed));
  EXPECT_THAT(Frontier::Parse(base::BigEndian(uint64_t{1} << 63, 8) + std::string(32, 'x')),
              HasReason(reason::kMalformed));
  EXPECT_THAT(Frontier::Parse(std::string(8 + 64 * 32, '\xff')), HasReason(reason::kMalformed));
  EXPECT_THAT(Frontier::Create(2, {}), HasReason(reason::kMalformed));
}

TEST(FrontierTest, TheLargestTreeParsesAndHasARoot) {
  const auto frontier = Frontier::Create(kMaxTreeSize, std::vector<Hash>(63));
  ASSERT_THAT(frontier, IsOk());
  EXPECT_EQ(*Frontier::Parse(frontier->Serialise()), *frontier);
  EXPECT_NE(frontier->Root(), EmptyRoot());
}

TEST(HashTest, OnlyCanonicalHashesParse) {
  const std::string text = LeafHash("a").ToBase64();
  EXPECT_EQ(*Hash::FromBase64(text), LeafHash("a"));
  EXPECT_THAT(Hash::FromBase64(text.substr(0, 43)), HasReason(reason::kMalformed));
  EXPECT_THAT(Hash::FromBase64(text + "\n"), HasReason(reason::kMalformed));
  EXPECT_THAT(Hash::FromBase64(base::Base64(std::string(31, 'x'))), HasReason(reason::kMalformed));
  EXPECT_THAT(Hash::FromBase64(base::Base64(std::string(33, 'x'))), HasReason(reason::kMalformed));
  EXPECT_THAT(Hash::Create(""), HasReason(reason::kMalformed));
}

TEST(HashTest, LeavesAndNodesAreKeptApart) {
  const Hash left = LeafHash("l");
  const Hash right = LeafHash("r");
  EXPECT_NE(NodeHash(left, right), LeafHash(absl::StrCat(left.view(), right.view())));
  EXPECT_NE(NodeHash(left, right), NodeHash(right, left));
  EXPECT_EQ(LeafHash("").view(), base::Sha256(std::string(1, '\0')));
}

TEST(BatchTreeTest, RootAndPathsAreThoseOfTheTwin) {
  const std::vector<Hash> leaves = EntryHashes(65);
  for (size_t size = 0; size <= leaves.size(); ++size) {
    const BatchTree tree(First(leaves, size));
    EXPECT_EQ(tree.size(), size);
    EXPECT_EQ(tree.Root(), testing::RootTwin(First(leaves, size))) << size;
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(tree.PathOf(i), testing::InclusionTwin(i, First(leaves, size))) << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

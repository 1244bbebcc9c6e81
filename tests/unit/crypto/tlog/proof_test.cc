#include "crypto/tlog/proof.h"

#include <vector>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
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

Hash RootOf(const std::vector<Hash>& leaves, size_t size) {
  return testing::RootTwin(absl::MakeConstSpan(leaves).subspan(0, size));
}

// Every way to damage a proof that the transparency-dev test data knows: shorter, longer on either side, a
// hash changed, swapped, doubled.
std::vector<Proof> Damaged(const Proof& proof) {
  std::vector<Proof> damaged;
  for (size_t i = 0; i < proof.size(); ++i) {
    Proof shorter = proof;
    shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(i));
    damaged.push_back(shorter);
    Proof doubled = proof;
    doubled.insert(doubled.begin() + static_cast<ptrdiff_t>(i), proof[i]);
    damaged.push_back(doubled);
    for (const int bit : {0, 7, 100, 255}) {
      Proof flipped = proof;
      flipped[i].bytes[static_cast<size_t>(bit / 8)] ^= static_cast<uint8_t>(1 << (bit % 8));
      damaged.push_back(flipped);
    }
    for (size_t j = i + 1; j < proof.size(); ++j) {
      Proof swapped = proof;
      std::swap(swapped[i], swapped[j]);
      damaged.push_back(swapped);
    }
  }
  for (const Hash& extra : {Hash{}, EmptyRoot(), LeafHash("")}) {
    Proof longer = proof;
    longer.push_back(extra);
    damaged.push_back(longer);
    longer = proof;
    longer.insert(longer.begin(), extra);
    damaged.push_back(longer);
  }
  damaged.push_back(Proof(64));
  return damaged;
}

TEST(InclusionTest, VectorsVerify) {
  const std::vector<Hash> leaves = EntryHashes(300);
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json").at("inclusion");
  ASSERT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    Proof proof;
    for (const auto& line : vector.at("proof")) proof.push_back(*Hash::FromBase64(line.get<std::string>()));
    const auto index = vector.at("index").get<uint64_t>();
    const auto size = vector.at("size").get<uint64_t>();
    EXPECT_THAT(VerifyInclusion(leaves[index], index, size, proof, RootOf(leaves, size)), IsOk());
  }
}

TEST(InclusionTest, EveryEntryOfSmallTreesVerifiesAndNothingElse) {
  const std::vector<Hash> leaves = EntryHashes(34);
  MemoryTree tree(leaves);
  for (uint64_t size = 1; size <= 33; ++size) {
    const Hash root = RootOf(leaves, size);
    for (uint64_t index = 0; index < size; ++index) {
      const Proof proof = *InclusionProof(index, size, tree);
      ASSERT_THAT(VerifyInclusion(leaves[index], index, size, proof, root), IsOk());
      // Another place, another size, another entry, another root.
      for (uint64_t other = 0; other <= size + 1; ++other) {
        if (other == index) continue;
        ASSERT_THAT(VerifyInclusion(leaves[index], other, size, proof, root),
                    HasReason(reason::kProofInvalid))
            << index << " as " << other << " of " << size;
      }
      ASSERT_THAT(VerifyInclusion(leaves[index + 1], index, size, proof, root),
                  HasReason(reason::kProofInvalid));
      ASSERT_THAT(VerifyInclusion(leaves[index], index, size, proof, RootOf(leaves, size + 1)),
                  HasReason(reason::kProofInvalid));
      ASSERT_THAT(VerifyInclusion(leaves[index], index, size, proof, EmptyRoot()),
                  HasReason(reason::kProofInvalid));
    }
  }
}

TEST(InclusionTest, EveryDamagedProofIsRefused) {
  const std::vector<Hash> leaves = EntryHashes(300);
  MemoryTree tree(leaves);
  for (const uint64_t size : {1ul, 2ul, 7ul, 8ul, 255ul, 256ul, 257ul, 300ul}) {
    for (const uint64_t index : {uint64_t{0}, size / 2, size - 1}) {
      for (const Proof& proof : Damaged(*InclusionProof(index, size, tree))) {
        ASSERT_THAT(VerifyInclusion(leaves[index], index, size, proof, RootOf(leaves, size)),
                    HasReason(reason::kProofInvalid))
            << index << " of " << size;
      }
    }
  }
}

TEST(InclusionTest, ANodeIsNoEntry) {
  const std::vector<Hash> leaves = EntryHashes(4);
  // As an entry of a tree of two, the inner node would be proven by its sibling.
  const Hash left = NodeHash(leaves[0], leaves[1]);
  const Hash right = NodeHash(leaves[2], leaves[3]);
  const Proof sibling = {right};
  EXPECT_THAT(VerifyInclusion(left, 0, 4, sibling, RootOf(leaves, 4)), HasReason(reason::kProofInvalid));
}

TEST(InclusionTest, SizesOutsideTheFormatAreRefused) {
  const Hash leaf = LeafHash("a");
  EXPECT_THAT(VerifyInclusion(leaf, 0, 1, {}, leaf), IsOk());
  EXPECT_THAT(VerifyInclusion(leaf, 0, 0, {}, EmptyRoot()), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyInclusion(leaf, 0, 0, {}, leaf), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyInclusion(leaf, 0, kMaxTreeSize + 1, Proof(63), leaf), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyInclusion(leaf, ~uint64_t{0}, ~uint64_t{0}, {}, leaf), HasReason(reason::kProofInvalid));
}

TEST(ConsistencyTest, VectorsVerify) {
  const std::vector<Hash> leaves = EntryHashes(300);
  const nlohmann::json vectors = ReadVectorFile("tlog/proofs.json").at("consistency");
  ASSERT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    Proof proof;
    for (const auto& line : vector.at("proof")) proof.push_back(*Hash::FromBase64(line.get<std::string>()));
    const auto old_size = vector.at("old_size").get<uint64_t>();
    const auto size = vector.at("size").get<uint64_t>();
    EXPECT_THAT(VerifyConsistency(old_size, RootOf(leaves, old_size), size, RootOf(leaves, size), proof),
                IsOk());
  }
}

TEST(ConsistencyTest, EveryPairOfSmallTreesVerifiesAndNoOther) {
  const std::vector<Hash> leaves = EntryHashes(34);
  MemoryTree tree(leaves);
  for (uint64_t size = 0; size <= 33; ++size) {
    const Hash root = RootOf(leaves, size);
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      const Hash old_root = RootOf(leaves, old_size);
      const Proof proof = *ConsistencyProof(old_size, size, tree);
      ASSERT_THAT(VerifyConsistency(old_size, old_root, size, root, proof), IsOk())
          << old_size << " to " << size;
      for (uint64_t other = 0; other <= size + 1; ++other) {
        if (other == old_size) continue;
        // From any size to the empty proof's own, an equal root would be needed.
        ASSERT_THAT(VerifyConsistency(other, old_root, size, root, proof), HasReason(reason::kProofInvalid))
            << other << " for " << old_size << " to " << size;
      }
      ASSERT_THAT(VerifyConsistency(old_size, LeafHash("x"), size, root, proof),
                  HasReason(reason::kProofInvalid));
      if (old_size != 0) {
        ASSERT_THAT(VerifyConsistency(old_size, old_root, size, RootOf(leaves, size + 1), proof),
                    HasReason(reason::kProofInvalid));
      }
    }
  }
}

TEST(ConsistencyTest, EveryDamagedProofIsRefused) {
  const std::vector<Hash> leaves = EntryHashes(300);
  MemoryTree tree(leaves);
  for (const uint64_t size : {1ul, 2ul, 7ul, 8ul, 256ul, 257ul, 300ul}) {
    for (const uint64_t old_size : {uint64_t{0}, uint64_t{1}, size / 2, size - 1, size}) {
      for (const Proof& proof : Damaged(*ConsistencyProof(old_size, size, tree))) {
        ASSERT_THAT(VerifyConsistency(old_size, RootOf(leaves, old_size), size, RootOf(leaves, size), proof),
                    HasReason(reason::kProofInvalid))
            << old_size << " to " << size;
      }
    }
  }
}

TEST(ConsistencyTest, AForkIsRefused) {
  std::vector<Hash> leaves = EntryHashes(20);
  const Hash kept = RootOf(leaves, 13);
  leaves[4] = LeafHash("another");
  MemoryTree fork(leaves);
  EXPECT_THAT(VerifyConsistency(13, kept, 20, RootOf(leaves, 20), *ConsistencyProof(13, 20, fork)),
              HasReason(reason::kProofInvalid));
}

TEST(ConsistencyTest, OneSizeHasOneRoot) {
  const std::vector<Hash> leaves = EntryHashes(8);
  const Hash root = RootOf(leaves, 8);
  EXPECT_THAT(VerifyConsistency(8, root, 8, root, {}), IsOk());
  EXPECT_THAT(VerifyConsistency(8, LeafHash("x"), 8, root, {}), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyConsistency(8, root, 8, root, {root}), HasReason(reason::kProofInvalid));
}

TEST(ConsistencyTest, TheEmptyTreeHasItsOwnRootOnly) {
  const Hash root = RootOf(EntryHashes(8), 8);
  EXPECT_THAT(VerifyConsistency(0, EmptyRoot(), 8, root, {}), IsOk());
  EXPECT_THAT(VerifyConsistency(0, EmptyRoot(), 0, EmptyRoot(), {}), IsOk());
  EXPECT_THAT(VerifyConsistency(0, root, 8, root, {}), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyConsistency(0, Hash{}, 0, Hash{}, {}), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyConsistency(0, EmptyRoot(), 8, root, {root}), HasReason(reason::kProofInvalid));
}

TEST(ConsistencyTest, ATreeNeverShrinks) {
  const std::vector<Hash> leaves = EntryHashes(8);
  MemoryTree tree(leaves);
  EXPECT_THAT(VerifyConsistency(8, RootOf(leaves, 8), 7, RootOf(leaves, 7), *ConsistencyProof(7, 8, tree)),
              HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyConsistency(1, RootOf(leaves, 1), kMaxTreeSize + 1, RootOf(leaves, 2), Proof(63)),
              HasReason(reason::kProofInvalid));
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

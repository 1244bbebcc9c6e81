// The Merkle tree written straight from RFC 9162 section 2.1, slowly: what the fast code is compared with.
// Also leaves and trees for the tests of this folder.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "crypto/tlog/hash.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog::testing {

using Leaves = absl::Span<const Hash>;

// "k be the largest power of two smaller than n".
inline size_t SplitTwin(size_t n) {
  size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

inline Hash RootTwin(Leaves leaves) {
  if (leaves.empty()) return *Hash::Create(base::Sha256(""));
  if (leaves.size() == 1) return leaves[0];
  const size_t k = SplitTwin(leaves.size());
  const std::string node =
      absl::StrCat("\x01", RootTwin(leaves.subspan(0, k)).view(), RootTwin(leaves.subspan(k)).view());
  return *Hash::Create(base::Sha256(node));
}

inline Proof InclusionTwin(size_t m, Leaves leaves) {
  if (leaves.size() == 1) return {};
  const size_t k = SplitTwin(leaves.size());
  Proof path = m < k ? InclusionTwin(m, leaves.subspan(0, k)) : InclusionTwin(m - k, leaves.subspan(k));
  path.push_back(RootTwin(m < k ? leaves.subspan(k) : leaves.subspan(0, k)));
  return path;
}

inline Proof SubproofTwin(size_t m, Leaves leaves, bool known) {
  if (m == leaves.size()) return known ? Proof{} : Proof{RootTwin(leaves)};
  const size_t k = SplitTwin(leaves.size());
  Proof path =
      m <= k ? SubproofTwin(m, leaves.subspan(0, k), known) : SubproofTwin(m - k, leaves.subspan(k), false);
  path.push_back(RootTwin(m <= k ? leaves.subspan(k) : leaves.subspan(0, k)));
  return path;
}

// For 0 < m <= n; RFC 9162 defines no other.
inline Proof ConsistencyTwin(size_t m, Leaves leaves) { return SubproofTwin(m, leaves, true); }

// "entry-0", "entry-1" ...: the entries of tests/vectors/tlog.
inline std::vector<Hash> EntryHashes(size_t count) {
  std::vector<Hash> hashes;
  for (size_t i = 0; i < count; ++i) hashes.push_back(LeafHash(absl::StrCat("entry-", i)));
  return hashes;
}

// A tree in memory: every complete subtree's hash, as a store keeps them. Counts its reads.
class MemoryTree final : public HashReader {
 public:
  explicit MemoryTree(Leaves leaves) {
    for (const Hash& leaf : leaves) {
      frontier_.Append(leaf, [this](int level, uint64_t index, const Hash& hash) {
        RAAKVLAK_CHECK(hashes_.emplace(std::pair(level, index), hash).second, "completed only once");
      });
    }
  }
  absl::StatusOr<Hash> ReadHash(int level, uint64_t index) override {
    ++reads_;
    return hashes_.at({level, index});
  }
  const Frontier& frontier() const { return frontier_; }
  const std::map<std::pair<int, uint64_t>, Hash>& hashes() const { return hashes_; }
  int reads() const { return reads_; }

 private:
  std::map<std::pair<int, uint64_t>, Hash> hashes_;
  Frontier frontier_;
  int reads_ = 0;
};

inline std::string ReadVector(const std::string& name) {
  const auto content = base::ReadFile(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/tests/vectors/tlog/", name));
  RAAKVLAK_CHECK(content.ok(), "the vectors stand in the source");
  return *content;
}

}  // namespace raakvlak::crypto::tlog::testing

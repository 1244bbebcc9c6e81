// BatchTree: the tree of RFC 9162 section 2.1 over a short list that is in memory as a whole; for a growing
// tree see tree.h. Its proofs are verified by VerifyInclusion.
//
// Thread safety: const methods may be called from any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "crypto/tlog/hash.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

class BatchTree {
 public:
  explicit BatchTree(absl::Span<const Hash> leaf_hashes);

  size_t size() const { return levels_.front().size(); }
  // EmptyRoot() of an empty list.
  Hash Root() const;
  // The inclusion proof of leaf `position`, its sibling first. REQUIRES: position < size().
  Proof PathOf(size_t position) const;

 private:
  std::vector<std::vector<Hash>> levels_;  // leaves first; a node without a sibling goes up as it is
};

}  // namespace raakvlak::crypto::tlog

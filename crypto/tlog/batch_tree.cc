#include "crypto/tlog/batch_tree.h"

#include <utility>

#include "base/status.h"

namespace raakvlak::crypto::tlog {

BatchTree::BatchTree(absl::Span<const Hash> leaf_hashes) {
  levels_.emplace_back(leaf_hashes.begin(), leaf_hashes.end());
  while (levels_.back().size() > 1) {
    const std::vector<Hash>& below = levels_.back();
    std::vector<Hash> level;
    level.reserve((below.size() + 1) / 2);
    for (size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(NodeHash(below[i], below[i + 1]));
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

Hash BatchTree::Root() const { return levels_.back().empty() ? EmptyRoot() : levels_.back().front(); }

Proof BatchTree::PathOf(size_t position) const {
  RAAKVLAK_CHECK(position < size(), "the leaf is in the tree");
  Proof path;
  for (const std::vector<Hash>& level : levels_) {
    if (const size_t sibling = position ^ 1; sibling < level.size()) path.push_back(level[sibling]);
    position /= 2;
  }
  return path;
}

}  // namespace raakvlak::crypto::tlog

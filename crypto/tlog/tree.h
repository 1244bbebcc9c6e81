// The Merkle tree of RFC 9162 section 2.1: roots of a growing tree, and proofs from stored hashes.
//
// A *complete subtree* (level, index) covers the leaves [index * 2^level, (index + 1) * 2^level); level 0 is
// the leaf hashes themselves. Its hash never changes once it is complete, so it can be stored.
//
// Thread safety: a Frontier is used by one thread at a time; the functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/hash.h"

namespace raakvlak::crypto::tlog {

// Leaf's sibling first, for inclusion; in the order of RFC 9162 section 2.1.4.1, for consistency.
using Proof = std::vector<Hash>;
// The most hashes that a proof, or a frontier, of a tree of up to kMaxTreeSize entries has.
inline constexpr size_t kMaxProofSize = 63;

// Frontier holds the roots of the complete subtrees that make up a tree, at most 63 hashes: enough to append
// and to give the root without reading anything.
//
// Copyable and movable.
class Frontier {
 public:
  // Called for each complete subtree that an appended leaf completes, level 0 (the leaf itself) first.
  using OnComplete = absl::FunctionRef<void(int level, uint64_t index, const Hash& hash)>;

  // The empty tree.
  Frontier() = default;

  // Append adds a leaf hash in O(log n), amortised O(1). REQUIRES: size() < kMaxTreeSize.
  void Append(const Hash& leaf_hash);
  void Append(const Hash& leaf_hash, OnComplete on_complete);

  uint64_t size() const { return size_; }
  // The root at the current size, in O(log n); EmptyRoot() at size 0.
  Hash Root() const;

  // Serialise writes size(8, big-endian) || the subtrees' hashes, largest first. DO NOT CHANGE.
  std::string Serialise() const;
  // MALFORMED unless it is exactly what Serialise writes. Nothing is verified: compare Root() with a signed
  // checkpoint.
  static absl::StatusOr<Frontier> Parse(absl::string_view bytes);
  // From the subtrees' hashes, largest first. MALFORMED unless there is one for each bit of `size`.
  static absl::StatusOr<Frontier> Create(uint64_t size, std::vector<Hash> subtrees);

  bool operator==(const Frontier&) const = default;

 private:
  uint64_t size_ = 0;
  std::vector<Hash> subtrees_;  // largest first: one for each bit of size_
};

// HashReader reads the stored hashes of complete subtrees.
class HashReader {
 public:
  virtual ~HashReader() = default;
  // Any error of the store. Called only for subtrees that lie wholly within the size asked for.
  virtual absl::StatusOr<Hash> ReadHash(int level, uint64_t index) = 0;
};

// TreeRoot computes the root at `size` from O(log n) stored hashes. Errors of `reader`; INVALID_ARGUMENT when
// size is over kMaxTreeSize.
absl::StatusOr<Hash> TreeRoot(uint64_t size, HashReader& reader);

// ReadFrontier makes the frontier at `size` from O(log n) stored hashes. Errors as TreeRoot.
absl::StatusOr<Frontier> ReadFrontier(uint64_t size, HashReader& reader);

// InclusionProof proves entry `index` in the tree of `size` entries (PATH of RFC 9162 section 2.1.3.1);
// reads O(log n) hashes. INVALID_ARGUMENT unless index < size <= kMaxTreeSize; errors of `reader`.
absl::StatusOr<Proof> InclusionProof(uint64_t index, uint64_t size, HashReader& reader);

// ConsistencyProof proves that the tree of `old_size` is a prefix of that of `size` (PROOF of RFC 9162
// section 2.1.4.1); empty for old_size 0 and old_size == size; reads O(log n) hashes. INVALID_ARGUMENT unless
// old_size <= size <= kMaxTreeSize; errors of `reader`.
absl::StatusOr<Proof> ConsistencyProof(uint64_t old_size, uint64_t size, HashReader& reader);

}  // namespace raakvlak::crypto::tlog

#include "crypto/tlog/tree.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

constexpr size_t kSizeBytes = 8;

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

// Folds the roots of adjacent subtrees, largest first, from the right. REQUIRES: not empty.
Hash FoldRight(const std::vector<Hash>& subtrees) {
  Hash root = subtrees.back();
  for (size_t i = subtrees.size() - 1; i > 0; --i) root = NodeHash(subtrees[i - 1], root);
  return root;
}

// The complete subtrees of the leaves [begin, begin + count), largest first. REQUIRES: begin is a multiple of
// the largest power of two that is <= count.
absl::StatusOr<std::vector<Hash>> ReadSubtrees(uint64_t begin, uint64_t count, HashReader& reader) {
  std::vector<Hash> subtrees;
  while (count > 0) {
    const int level = static_cast<int>(std::bit_width(count)) - 1;
    RAAKVLAK_ASSIGN_OR_RETURN(const Hash hash, reader.ReadHash(level, begin >> level));
    subtrees.push_back(hash);
    begin += uint64_t{1} << level;
    count -= uint64_t{1} << level;
  }
  return subtrees;
}

// MTH(D[begin : end]). REQUIRES: begin < end, begin as for ReadSubtrees.
absl::StatusOr<Hash> RangeRoot(uint64_t begin, uint64_t end, HashReader& reader) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<Hash> subtrees, ReadSubtrees(begin, end - begin, reader));
  return FoldRight(subtrees);
}

// The largest power of two smaller than n. REQUIRES: n > 1.
uint64_t Split(uint64_t n) { return std::bit_floor(n - 1); }

}  // namespace

void Frontier::Append(const Hash& leaf_hash) {
  Append(leaf_hash, [](int, uint64_t, const Hash&) {});
}

void Frontier::Append(const Hash& leaf_hash, OnComplete on_complete) {
  RAAKVLAK_CHECK(size_ < kMaxTreeSize, "a log never holds 2^63 - 1 entries");
  Hash hash = leaf_hash;
  on_complete(0, size_, hash);
  int level = 0;
  for (; ((size_ >> level) & 1) != 0; ++level) {
    hash = NodeHash(subtrees_.back(), hash);
    subtrees_.pop_back();
    on_complete(level + 1, size_ >> (level + 1), hash);
  }
  subtrees_.push_back(hash);
  ++size_;
}

Hash Frontier::Root() const { return subtrees_.empty() ? EmptyRoot() : FoldRight(subtrees_); }

std::string Frontier::Serialise() const {
  std::string out = base::BigEndian(size_, kSizeBytes);
  for (const Hash& hash : subtrees_) absl::StrAppend(&out, hash.view());
  return out;
}

absl::StatusOr<Frontier> Frontier::Parse(absl::string_view bytes) {
  if (bytes.size() < kSizeBytes || bytes.size() > kSizeBytes + kMaxProofSize * kHashSize) {
    return MalformedError("a frontier is a size and at most 63 hashes");
  }
  const uint64_t size = ReadBigEndian(bytes.substr(0, kSizeBytes));
  std::vector<Hash> subtrees;
  for (bytes.remove_prefix(kSizeBytes); !bytes.empty(); bytes.remove_prefix(kHashSize)) {
    RAAKVLAK_ASSIGN_OR_RETURN(subtrees.emplace_back(), Hash::Create(bytes.substr(0, kHashSize)));
  }
  return Create(size, std::move(subtrees));
}

absl::StatusOr<Frontier> Frontier::Create(uint64_t size, std::vector<Hash> subtrees) {
  if (size > kMaxTreeSize || subtrees.size() != static_cast<size_t>(std::popcount(size))) {
    return MalformedError("a frontier holds one hash for each bit of its size");
  }
  Frontier frontier;
  frontier.size_ = size;
  frontier.subtrees_ = std::move(subtrees);
  return frontier;
}

absl::StatusOr<Hash> TreeRoot(uint64_t size, HashReader& reader) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Frontier frontier, ReadFrontier(size, reader));
  return frontier.Root();
}

absl::StatusOr<Frontier> ReadFrontier(uint64_t size, HashReader& reader) {
  if (size > kMaxTreeSize) return Invalid("a tree has fewer than 2^63 entries");
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Hash> subtrees, ReadSubtrees(0, size, reader));
  return Frontier::Create(size, std::move(subtrees));
}

absl::StatusOr<Proof> InclusionProof(uint64_t index, uint64_t size, HashReader& reader) {
  if (index >= size || size > kMaxTreeSize) return Invalid("an entry lies within its tree");
  Proof proof;
  // From the root down, so the leaf's sibling comes last and is put first at the end.
  uint64_t begin = 0;
  uint64_t end = size;
  while (end - begin > 1) {
    const uint64_t middle = begin + Split(end - begin);
    const bool left = index < middle;
    RAAKVLAK_ASSIGN_OR_RETURN(const Hash sibling,
                              left ? RangeRoot(middle, end, reader) : RangeRoot(begin, middle, reader));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

absl::StatusOr<Proof> ConsistencyProof(uint64_t old_size, uint64_t size, HashReader& reader) {
  if (old_size > size || size > kMaxTreeSize) return Invalid("a tree grows");
  Proof proof;
  if (old_size == 0 || old_size == size) return proof;
  // SUBPROOF of RFC 9162 from the root down, put in order at the end.
  uint64_t begin = 0;
  uint64_t end = size;
  while (end != old_size) {
    const uint64_t middle = begin + Split(end - begin);
    const bool left = old_size <= middle;
    RAAKVLAK_ASSIGN_OR_RETURN(const Hash sibling,
                              left ? RangeRoot(middle, end, reader) : RangeRoot(begin, middle, reader));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  // "The subtree ... whose Merkle Tree Hash is known" is left out: the whole old tree, when begin is 0.
  if (begin != 0) {
    RAAKVLAK_ASSIGN_OR_RETURN(const Hash old_part, RangeRoot(begin, end, reader));
    proof.push_back(old_part);
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

}  // namespace raakvlak::crypto::tlog

#include "crypto/tlog/proof.h"

#include <bit>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::tlog {
namespace {

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kProofInvalid, message);
}

}  // namespace

absl::Status VerifyInclusion(const Hash& leaf_hash, uint64_t index, uint64_t size,
                             absl::Span<const Hash> proof, const Hash& root) {
  // "1. Compare leaf_index from the inclusion_proof_v2 structure against tree_size. If leaf_index is greater
  // than or equal to tree_size, then stop the process and fail the proof verification."
  if (index >= size || size > kMaxTreeSize) return Invalid("the entry lies outside the tree");
  // "2. Set fn to leaf_index and sn to tree_size - 1." "3. Set r to hash."
  uint64_t fn = index;
  uint64_t sn = size - 1;
  Hash r = leaf_hash;
  // "4. For each value p in the inclusion_path array:"
  for (const Hash& p : proof) {
    // "a. If sn is 0, then stop the iteration and fail the proof verification."
    if (sn == 0) return Invalid("the inclusion proof is too long");
    // "b. If LSB(fn) is set, or if fn is equal to sn, then: i. Set r to HASH(0x01 || p || r). ii. If LSB(fn)
    // is not set, then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0."
    if ((fn & 1) != 0 || fn == sn) {
      r = NodeHash(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      // "Otherwise: i. Set r to HASH(0x01 || r || p)."
      r = NodeHash(r, p);
    }
    // "c. Finally, right-shift both fn and sn one time."
    fn >>= 1;
    sn >>= 1;
  }
  // "5. Compare sn to 0. Compare r against the root_hash. If sn is equal to 0 and r and the root_hash are
  // equal, then the log has proven the inclusion of hash."
  if (sn != 0) return Invalid("the inclusion proof is too short");
  if (r != root) return Invalid("the inclusion proof does not lead to the root");
  return absl::OkStatus();
}

absl::Status VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                               absl::Span<const Hash> proof) {
  if (old_size > size || size > kMaxTreeSize) return Invalid("the tree shrank");
  if (size == 0 && root != EmptyRoot()) return Invalid("the root of the empty tree is wrong");
  if (old_size == 0 || old_size == size) {
    if (!proof.empty()) return Invalid("the consistency proof is too long");
    if (old_root != (old_size == size ? root : EmptyRoot())) {
      return Invalid("two roots for one size");
    }
    return absl::OkStatus();
  }
  // "1. If consistency_path is an empty array, stop and fail the proof verification."
  if (proof.empty()) return Invalid("the consistency proof is too short");
  // "2. If first is an exact power of 2, then prepend first_hash to the consistency_path array."
  const bool prepend = std::has_single_bit(old_size);
  const Hash& start = prepend ? old_root : proof.front();
  if (!prepend) proof.remove_prefix(1);
  // "3. Set fn to first - 1 and sn to second - 1." "4. If LSB(fn) is set, then right-shift both fn and sn
  // equally until LSB(fn) is not set."
  uint64_t fn = old_size - 1;
  uint64_t sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  // "5. Set both fr and sr to the first value in the consistency_path array."
  Hash fr = start;
  Hash sr = start;
  // "6. For each subsequent value c in the consistency_path array:"
  for (const Hash& c : proof) {
    // "a. If sn is 0, then stop the iteration and fail the proof verification."
    if (sn == 0) return Invalid("the consistency proof is too long");
    // "b. If LSB(fn) is set, or if fn is equal to sn, then: i. Set fr to HASH(0x01 || c || fr). ii. Set sr to
    // HASH(0x01 || c || sr). iii. If LSB(fn) is not set, then right-shift both fn and sn equally until either
    // LSB(fn) is set or fn is 0."
    if ((fn & 1) != 0 || fn == sn) {
      fr = NodeHash(c, fr);
      sr = NodeHash(c, sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      // "Otherwise: i. Set sr to HASH(0x01 || sr || c)."
      sr = NodeHash(sr, c);
    }
    // "c. Finally, right-shift both fn and sn one time."
    fn >>= 1;
    sn >>= 1;
  }
  // "7. After completing iterating through the consistency_path array as described above, verify that the fr
  // calculated is equal to the first_hash supplied, that the sr calculated is equal to the second_hash
  // supplied, and that sn is 0."
  if (sn != 0) return Invalid("the consistency proof is too short");
  if (fr != old_root) return Invalid("the consistency proof does not lead to the old root");
  if (sr != root) return Invalid("the consistency proof does not lead to the new root");
  return absl::OkStatus();
}

}  // namespace raakvlak::crypto::tlog

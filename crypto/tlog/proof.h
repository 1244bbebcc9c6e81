// Verifying proofs of the Merkle tree (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
//
// The caller must hold the root (or both roots) from a signed checkpoint: a proof says nothing about a root
// that nobody signed.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "crypto/tlog/hash.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

// VerifyInclusion: PROOF_INVALID unless `proof` shows that the entry with `leaf_hash` is number `index`
// (from 0) of the tree of `size` entries with `root`.
absl::Status VerifyInclusion(const Hash& leaf_hash, uint64_t index, uint64_t size,
                             absl::Span<const Hash> proof, const Hash& root);

// VerifyConsistency: PROOF_INVALID unless `proof` shows that the tree of `size` entries with `root` begins
// with that of `old_size` entries with `old_root`. The proof is empty, and nothing but the roots is checked,
// when old_size is 0 (old_root must be EmptyRoot()) or equals size (the roots must be equal).
absl::Status VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                               absl::Span<const Hash> proof);

}  // namespace raakvlak::crypto::tlog

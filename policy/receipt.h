// Receipts: checking that the broker logged a partner's signal (docs/format/receipt.md).
//
//   envelope hash --path--> batch_root in the details of an entry "submit" --salt--> leaf --proof-->
//   checkpoint signed by the broker's log and cosigned by the covenant's quorum
//
// The node checks the first half when the broker answers a submit, and the whole when it asks for the proof;
// anyone who has the covenant checks the whole again. It proves that the log holds the hash as one of that
// partner, for that purpose, since that time; NOT what the envelope says, nor that the broker still has it.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "policy/covenant.h"
#include "raakvlak/v1/log.pb.h"
#include "raakvlak/v1/receipt.pb.h"

namespace raakvlak::policy {

inline constexpr uint32_t kReceiptVersion = 1;
inline constexpr uint32_t kMaxReceiptBatch = 256;
// Of a SignalReceipt; what one takes: docs/format/receipt.md.
inline constexpr size_t kMaxReceiptSize = 1 << 16;

// The tree (RFC 9162) that an entry "submit" commits to: its root, and the path of each hash, the leaf's
// sibling first, 32 bytes a hash.
struct SubmitTree {
  std::string root;
  std::vector<std::string> paths;
};
// REQUIRES: hashes of 32 bytes.
SubmitTree MakeSubmitTree(absl::Span<const std::string> hashes);

// CheckLogged checks what the broker answered to a submit of `envelope_hash` by the node of `partner` for
// `purpose`. VERIFICATION_FAILED when it is about another envelope, partner, purpose, action or log, or the
// leaf is not made of the details; PROOF_INVALID when the path does not lead to the entry's batch_root.
// Looks at no signature: whether the entry stands in the log is seen when it is proven.
absl::Status CheckLogged(const v1::LoggedSignal& logged, const Covenant& covenant, absl::string_view partner,
                         absl::string_view purpose, absl::string_view envelope_hash);

// MakeReceipt joins `logged`, which CheckLogged accepted, with the tlog-proof of its entry, and keeps as many
// cosignatures as the covenant asks for. Returns what VerifyReceipt accepts; errors of VerifyReceipt.
absl::StatusOr<std::string> MakeReceipt(const v1::LoggedSignal& logged, absl::string_view tlog_proof,
                                        const Covenant& covenant);

struct VerifiedReceipt {
  std::string envelope_hash;  // 32 bytes
  std::string partner;
  v1::AuditDetails details;  // of the entry: purpose, actor, policy
  std::string log;           // origin
  uint64_t index = 0;
  int64_t time_ms = 0;
  uint64_t checkpoint_size = 0;
  // Who cosigned, and the latest time, seconds since 1970.
  std::vector<std::string> witnesses;
  uint64_t cosigned_time = 0;
};

// VerifyReceipt verifies a whole receipt with the keys and the quorum of `covenant`, which may have expired.
// VERIFICATION_FAILED (also: does not parse, or not in its only spelling) and PROOF_INVALID as CheckLogged,
// SIGNATURE_INVALID, QUORUM_MISSING. The message names what is wrong.
absl::StatusOr<VerifiedReceipt> VerifyReceipt(absl::string_view bytes, const Covenant& covenant);

}  // namespace raakvlak::policy

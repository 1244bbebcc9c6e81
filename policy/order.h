// Orders of staff: verification that broker and hub both do, each for itself (docs/format/order.md).
//
// Checked, in this order: signature by the key that the roster gives the member; body without unknown fields;
// version; covenant id; action; that the member is STAFF for that purpose in the roster; the purpose and its
// legal basis as in the covenant; time within 120 s; for OPEN_MATCH: case reference and reason given and
// within their lengths, match id of 16 and digest of 32 bytes. It does NOT check replay: the process that
// acts remembers order ids.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policy/authority.h"
#include "raakvlak/v1/order.pb.h"

namespace raakvlak::policy {

inline constexpr absl::Duration kOrderWindow = absl::Seconds(120);
inline constexpr size_t kMaxCaseReferenceSize = 64;
inline constexpr size_t kMaxReasonSize = 500;

struct VerifiedOrder {
  v1::OrderBody body;
  // SHA-256 of the signed body, 32 bytes.
  std::string hash;
};

// VerifyOrder: SIGNATURE_INVALID (also for an unknown member: they look the same), MALFORMED, UNKNOWN_FIELD,
// COVENANT_MISMATCH, NOT_ALLOWED, PURPOSE_UNKNOWN, CLOCK_SKEW, ORDER_INVALID.
absl::StatusOr<VerifiedOrder> VerifyOrder(const v1::Order& order, const Snapshot& snapshot, absl::Time now,
                                          v1::OrderAction action);

// ContentsDigest is SHA-256 of the sorted envelope hashes (32 bytes each), concatenated.
std::string ContentsDigest(std::vector<std::string> envelope_hashes);

}  // namespace raakvlak::policy

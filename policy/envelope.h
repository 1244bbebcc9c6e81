// Checks of one envelope or withdrawal that broker and opener both do, each for itself
// (docs/format/envelope.md).
//
// In this order: signature of the partner over the body, body and header strictly parsed, partner,
// what the header copies from the covenant, purpose and right to submit, kind, rules and entitlement, days,
// sizes. Sizes only: this does NOT decode group elements, so it cannot tell whether a token
// is honest. Replay, quota and what the store already knows are the caller's affair.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/authority.h"
#include "raakvlak/v1/envelope.pb.h"

namespace raakvlak::policy {

inline constexpr size_t kMaxBodySize = 32 << 10;
inline constexpr size_t kMaxHeaderSize = 4 << 10;
inline constexpr size_t kMaxWithdrawalSize = 1 << 10;
inline constexpr size_t kSignalIdSize = 16;
inline constexpr size_t kTagSize = 16;
inline constexpr size_t kShareSize = 32;
inline constexpr size_t kCommitmentSize = 32;
inline constexpr size_t kWrappedKeySize = 24 + 32 + 16;
// A payload is this much longer than its content, which is padded to whole blocks: nonce 24, authenticator
// 16, sealed box 48.
inline constexpr size_t kPayloadOverhead = 24 + 16 + 48;
inline constexpr size_t kPaddingBlock = 512;
// How far a signed time may lie ahead of ours.
inline constexpr absl::Duration kClockTolerance = absl::Seconds(120);

struct CheckedEnvelope {
  // OK; SIGNATURE_INVALID, ENVELOPE_INVALID, COVENANT_MISMATCH (region, covenant id, epoch, index, seal key),
  // PURPOSE_UNKNOWN, PURPOSE_NOT_ALLOWED, KIND_NOT_ALLOWED, RULE_UNKNOWN, BSN_NOT_ENTITLED,
  // DATE_OUT_OF_RANGE.
  absl::Status status;
  // SHA-256 of the body, 32 bytes.
  std::string hash;
  // Empty unless the signature verified and they parsed.
  v1::EnvelopeBody body;
  v1::SignalHeader header;
  // When OK: points into the snapshot's covenant; one rule for each token.
  const v1::Purpose* purpose = nullptr;
  std::vector<const v1::LinkageRule*> rules;
};

// CheckEnvelope checks `envelope` as one of `partner`. `today` is in the covenant's time zone.
// REQUIRES: the snapshot's covenant has that partner.
CheckedEnvelope CheckEnvelope(const v1::Envelope& envelope, absl::string_view partner,
                              const Snapshot& snapshot, uint32_t today);

struct CheckedWithdrawal {
  // OK; SIGNATURE_INVALID, ENVELOPE_INVALID, COVENANT_MISMATCH, CLOCK_SKEW (a time over 120 s ahead; an old
  // one is fine, since withdrawals wait in a node's outbox too).
  absl::Status status;
  // SHA-256 of the body, 32 bytes.
  std::string hash;
  // Empty unless the signature verified and it parsed.
  v1::WithdrawalBody body;
};

// CheckWithdrawal. REQUIRES: the snapshot's covenant has that partner.
CheckedWithdrawal CheckWithdrawal(const v1::SignedWithdrawal& withdrawal, absl::string_view partner,
                                  const Snapshot& snapshot, absl::Time now);

}  // namespace raakvlak::policy

// Checks of one envelope or withdrawal that broker and opener both do, each for itself
// (docs/format/envelope.md).
//
// An envelope or withdrawal is judged by the covenant that it names, which is the one in force or one before
// it: it may have waited in a node's outbox, and broker and hub hold signals for years. The partner's key and
// index, the seal key, the retention (or that of the day of submission, of a signal that went over to another
// epoch) and the entitlement are those of the covenant named; rules with their
// versions and k those of the epoch (Snapshot::TermsOf). The covenant in force must still have the partner
// and the purpose, allow that partner to submit (and to report cases) and to use the BSN, and serve the
// epoch.
//
// In this order: signature of the partner over the body, body and header strictly parsed, partner, covenant,
// what is allowed now, what the header copies from the covenant named, kind, rules and entitlement, days,
// sizes. Sizes only: this does NOT decode group elements, so it cannot tell whether a token
// is honest. Replay, quota and what the store already knows are the caller's affair.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <memory>
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
  // OK; SIGNATURE_INVALID, ENVELOPE_INVALID, COVENANT_MISMATCH (region, covenant that is not known or not in
  // force yet, epoch that is not served, index, seal key), NOT_ALLOWED (no partner), PURPOSE_UNKNOWN,
  // PURPOSE_NOT_ALLOWED, KIND_NOT_ALLOWED, RULE_UNKNOWN, BSN_NOT_ENTITLED, DATE_OUT_OF_RANGE.
  absl::Status status;
  // SHA-256 of the body, 32 bytes.
  std::string hash;
  // Empty unless the signature verified and they parsed.
  v1::EnvelopeBody body;
  v1::SignalHeader header;
  // When OK: the covenant that the header names.
  std::shared_ptr<const Covenant> covenant;
  // When OK: the purpose as agreed for the header's epoch, which points into the snapshot's covenants; its
  // id, rules and k are to be used, what is not bound to an epoch is asked of the covenant in force. One rule
  // for each token.
  const v1::Purpose* purpose = nullptr;
  std::vector<const v1::LinkageRule*> rules;
};

// CheckEnvelope checks `envelope` as one of `partner`, who is out or not: it does NOT look at the roster.
CheckedEnvelope CheckEnvelope(const v1::Envelope& envelope, absl::string_view partner,
                              const Snapshot& snapshot, absl::Time now);

struct CheckedWithdrawal {
  // OK; SIGNATURE_INVALID, ENVELOPE_INVALID, COVENANT_MISMATCH, NOT_ALLOWED, CLOCK_SKEW (a time over 120 s
  // ahead; an old one is fine, since withdrawals wait in a node's outbox too).
  absl::Status status;
  // SHA-256 of the body, 32 bytes.
  std::string hash;
  // Empty unless the signature verified and it parsed.
  v1::WithdrawalBody body;
};

CheckedWithdrawal CheckWithdrawal(const v1::SignedWithdrawal& withdrawal, absl::string_view partner,
                                  const Snapshot& snapshot, absl::Time now);

}  // namespace raakvlak::policy

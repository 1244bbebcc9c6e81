// Signed messages: `bytes body, bytes signature` on the wire. The signature covers "raakvlak/v1/" || kind ||
// 0x00 || body, so that a signature of one kind is worth nothing as another. DO NOT CHANGE. Verify before
// parsing; never serialise a body again.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::crypto::note {

// The kinds in use. DO NOT CHANGE.
inline constexpr char kEnvelopeKind[] = "envelope";
inline constexpr char kWithdrawalKind[] = "withdrawal";
inline constexpr char kEvaluateKind[] = "evaluate";
inline constexpr char kEvaluatedKind[] = "evaluated";
inline constexpr char kOrderKind[] = "order";
inline constexpr char kCeremonyKind[] = "ceremony";

// SignMessage returns 64 bytes.
std::string SignMessage(const PrivateKey& key, absl::string_view kind, absl::string_view body);

// VerifyMessage: SIGNATURE_INVALID when it does not verify.
absl::Status VerifyMessage(const PublicKey& key, absl::string_view kind, absl::string_view body,
                           absl::string_view signature);

}  // namespace raakvlak::crypto::note

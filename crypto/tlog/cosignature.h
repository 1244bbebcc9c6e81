// Cosignatures of witnesses (C2SP tlog-cosignature v1.0.1, Ed25519: cosignature/v1): "as of this time, the
// consistent tree head with the largest size that I have seen of this log is this checkpoint."
//
//   key id     SHA-256(name || 0x0A || 0x04 || public key)[:4]
//   key        name+<key id, 8 hex digits>+<base64(0x04 || public key)>
//   message    "cosignature/v1\ntime <seconds since 1970>\n" || text of the checkpoint
//   signature  time(8, big-endian) || Ed25519(message)(64)
//
// DO NOT CHANGE: docs/format/witness.md. The message does not hold the witness's name: one key must never
// serve two witnesses, nor another purpose.
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
#include "crypto/note/note.h"

namespace raakvlak::crypto::tlog {

// A witness's name and public key.
//
// Copyable and movable.
class WitnessKey {
 public:
  // INVALID_ARGUMENT for a name that note::VerifierKey would refuse.
  static absl::StatusOr<WitnessKey> Create(absl::string_view name, const note::PublicKey& key);
  // Parses name+hash+key of type 04. MALFORMED when it is not exactly what Encode writes.
  static absl::StatusOr<WitnessKey> Parse(absl::string_view text);
  std::string Encode() const;
  const std::string& name() const { return name_; }
  const note::PublicKey& key() const { return key_; }
  // 4 bytes.
  const std::string& key_id() const { return key_id_; }

 private:
  WitnessKey(absl::string_view name, const note::PublicKey& key);
  std::string name_;
  note::PublicKey key_;
  std::string key_id_;
};

// Cosign returns the signature line over `checkpoint_text` (without signatures) at `time`, seconds since
// 1970. The caller has verified consistency and persisted the checkpoint. REQUIRES: witness.key() ==
// key.public_key(); ParseCheckpoint accepts the text; time < 2^63.
note::NoteSignature Cosign(absl::string_view checkpoint_text, const WitnessKey& witness,
                           const note::PrivateKey& key, uint64_t time);

// VerifyCosignature returns the time. SIGNATURE_INVALID when the line is not of this witness, or does not
// verify.
absl::StatusOr<uint64_t> VerifyCosignature(absl::string_view checkpoint_text,
                                           const note::NoteSignature& signature, const WitnessKey& witness);

// A witness that cosigned.
struct Cosigned {
  size_t witness;  // its place in the list that was asked for
  uint64_t time;   // seconds since 1970; the newest, if it signed more than once
  bool operator==(const Cosigned&) const = default;
};

// CountCosignatures says which of `witnesses` cosigned, in their order. Lines of unknown (name, key id) are
// passed over. SIGNATURE_INVALID when any line of a known witness is wrong. A key that stands twice in
// `witnesses` counts once: as the first of them that signed. How old a cosignature may be is the caller's
// affair.
absl::StatusOr<std::vector<Cosigned>> CountCosignatures(const note::Note& note,
                                                        absl::Span<const WitnessKey> witnesses);

// FormatCosignatures writes signature lines, as a witness answers them.
std::string FormatCosignatures(absl::Span<const note::NoteSignature> signatures);

// AddCosignatures adds the lines of a witness's answer that are valid cosignatures of `witnesses` to `note`;
// a newer one of the same witness takes an older one's place. Lines of unknown keys are dropped. MALFORMED
// when `lines` does not parse; SIGNATURE_INVALID when a known witness's line is wrong or nothing is of a
// known witness; then `note` is as it was.
absl::Status AddCosignatures(note::Note& note, absl::string_view lines,
                             absl::Span<const WitnessKey> witnesses);

}  // namespace raakvlak::crypto::tlog

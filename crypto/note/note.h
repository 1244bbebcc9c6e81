// Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys (type 0x01): text that people and tools can read,
// with signature lines.
//
//   text (ends with a newline)
//   <empty line>
//   - <name> <base64(key id(4) || signature(64))>        (the dash is U+2014)
//
// Key id = SHA-256(name || 0x0A || 0x01 || public key)[:4]. A verifier key is name+<key id, 8 hex
// digits>+<base64(0x01 || key)>. A signature covers the text with its final newline, not the empty line.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::crypto::note {

inline constexpr size_t kMaxNoteSize = 1 << 20;
inline constexpr size_t kMaxSignatures = 64;

class VerifierKey {
 public:
  // INVALID_ARGUMENT for a name that is empty, is not UTF-8, or holds white space, a control character or
  // '+'.
  static absl::StatusOr<VerifierKey> Create(absl::string_view name, const PublicKey& key);
  // Parses name+hash+key. MALFORMED when it is not exactly what Encode writes.
  static absl::StatusOr<VerifierKey> Parse(absl::string_view text);
  std::string Encode() const;
  const std::string& name() const { return name_; }
  const PublicKey& key() const { return key_; }
  // 4 bytes.
  const std::string& key_id() const { return key_id_; }

 private:
  VerifierKey(std::string name, PublicKey key, std::string key_id)
      : name_(std::move(name)), key_(key), key_id_(std::move(key_id)) {}
  std::string name_;
  PublicKey key_;
  std::string key_id_;
};

struct NoteSignature {
  std::string name;
  std::string key_id;     // 4 bytes
  std::string signature;  // 64 bytes for Ed25519; other types may have other sizes
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  // With its final newline.
  std::string text;
  std::vector<NoteSignature> signatures;
  bool operator==(const Note&) const = default;
};

// Parse splits at the LAST empty line, verifies nothing. MALFORMED for anything that is not exactly a note:
// not UTF-8, control characters other than newline, no signature, over kMaxNoteSize or kMaxSignatures, a line
// that does not parse.
absl::StatusOr<Note> Parse(absl::string_view bytes);

// Format is the inverse: Parse(Format(n)) == n.
std::string Format(const Note& note);

// Sign adds a signature of `key` under `verifier`'s name; the same signer signing again changes nothing, and
// puts right a damaged signature of its own. REQUIRES: verifier.key() == key.public_key() and the text ends
// with a newline.
void Sign(Note& note, const VerifierKey& verifier, const PrivateKey& key);

// Verify returns the names of the verifiers that signed, in the order of `verifiers`, each once. Signatures
// of unknown (name, key id) are passed over; SIGNATURE_INVALID when a known key's signature is wrong (also
// when another line of that key is right), or when none is known.
absl::StatusOr<std::vector<std::string>> Verify(const Note& note, absl::Span<const VerifierKey> verifiers);

// VerifyAll: SIGNATURE_INVALID unless every one of `verifiers` signed; the message names the missing ones. An
// empty list is refused.
absl::Status VerifyAll(const Note& note, absl::Span<const VerifierKey> verifiers);

}  // namespace raakvlak::crypto::note

#include "crypto/note/note.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::note {
namespace {

constexpr char kEd25519Type = 0x01;
constexpr size_t kKeyIdSize = 4;
// U+2014, then a space.
constexpr absl::string_view kSignaturePrefix = "\xE2\x80\x94 ";

absl::Status Malformed(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, message);
}

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kSignatureInvalid, message);
}

// NextRune takes the first character off `text` (RFC 3629: no overlong forms, surrogates, or beyond
// U+10FFFF). -1 when it is not UTF-8.
int32_t NextRune(absl::string_view& text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0x80   ? 1
                      : first < 0xC2 ? 0
                      : first < 0xE0 ? 2
                      : first < 0xF0 ? 3
                      : first < 0xF5 ? 4
                                     : 0;
  if (size == 0 || size > text.size()) return -1;
  int32_t rune = size == 1 ? first : first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return -1;
    rune = (rune << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && rune < 0x800) || (size == 4 && rune < 0x10000);
  if (overlong || (rune >= 0xD800 && rune <= 0xDFFF) || rune > 0x10FFFF) return -1;
  text.remove_prefix(size);
  return rune;
}

// The characters with the Unicode property White_Space above U+0020.
bool IsUnicodeSpace(int32_t rune) {
  return rune == 0x85 || rune == 0xA0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200A) ||
         rune == 0x2028 || rune == 0x2029 || rune == 0x202F || rune == 0x205F || rune == 0x3000;
}

bool IsNoteText(absl::string_view text) {
  while (!text.empty()) {
    const int32_t rune = NextRune(text);
    if (rune < 0x20 && rune != '\n') return false;
  }
  return true;
}

bool IsName(absl::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const int32_t rune = NextRune(name);
    if (rune <= 0x20 || rune == '+' || IsUnicodeSpace(rune)) return false;
  }
  return true;
}

std::string TypedKey(const PublicKey& key) {
  return absl::StrCat(absl::string_view(&kEd25519Type, 1), key.bytes());
}

absl::StatusOr<NoteSignature> ParseSignature(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, kSignaturePrefix)) return Malformed("not a signature line");
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
  if (!IsName(parts.first)) return Malformed("a signature line without a valid name");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string blob, base::ParseBase64(parts.second));
  if (blob.size() <= kKeyIdSize) return Malformed("a signature line without a signature");
  return NoteSignature{std::string(parts.first), blob.substr(0, kKeyIdSize), blob.substr(kKeyIdSize)};
}

// FindSigners says for each verifier whether it signed. SIGNATURE_INVALID when a known key's signature is
// wrong.
absl::StatusOr<std::vector<bool>> FindSigners(const Note& note, absl::Span<const VerifierKey> verifiers) {
  std::vector<bool> signed_by(verifiers.size(), false);
  for (const NoteSignature& signature : note.signatures) {
    bool known = false;
    bool verified = false;
    for (size_t i = 0; i < verifiers.size(); ++i) {
      if (verifiers[i].name() != signature.name || verifiers[i].key_id() != signature.key_id) continue;
      known = true;
      if (!verifiers[i].key().Verify(note.text, signature.signature).ok()) continue;
      verified = true;
      signed_by[i] = true;
    }
    if (known && !verified)
      return Invalid(absl::StrCat("the signature of ", signature.name, " does not verify"));
  }
  return signed_by;
}

}  // namespace

absl::StatusOr<VerifierKey> VerifierKey::Create(absl::string_view name, const PublicKey& key) {
  if (!IsName(name)) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "a key name is UTF-8 without white space and '+'");
  }
  const std::string key_id = base::Sha256(absl::StrCat(name, "\n", TypedKey(key))).substr(0, kKeyIdSize);
  return VerifierKey(std::string(name), key, key_id);
}

absl::StatusOr<VerifierKey> VerifierKey::Parse(absl::string_view text) {
  // Base64 may hold '+', so only the first two divide.
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('+', 2));
  if (parts.size() != 3) return Malformed("a verifier key is name+hash+key");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string typed_key, base::ParseBase64(parts[2]));
  absl::string_view key_bytes = typed_key;
  if (!absl::ConsumePrefix(&key_bytes, absl::string_view(&kEd25519Type, 1))) {
    return Malformed("a verifier key of another type than Ed25519");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const PublicKey key, PublicKey::Create(key_bytes));
  absl::StatusOr<VerifierKey> verifier = Create(parts[0], key);
  if (!verifier.ok() || verifier->Encode() != text)
    return Malformed("a verifier key whose name or hash is wrong");
  return verifier;
}

std::string VerifierKey::Encode() const {
  return absl::StrCat(name_, "+", base::Hex(key_id_), "+", base::Base64(TypedKey(key_)));
}

absl::StatusOr<Note> Parse(absl::string_view bytes) {
  if (bytes.size() > kMaxNoteSize) return Malformed("a note over its size limit");
  if (!IsNoteText(bytes)) return Malformed("a note is UTF-8 without control characters");
  const size_t split = bytes.rfind("\n\n");
  if (split == absl::string_view::npos)
    return Malformed("a note without an empty line before its signatures");
  absl::string_view lines = bytes.substr(split + 2);
  if (!absl::ConsumeSuffix(&lines, "\n")) return Malformed("a note without complete signature lines");
  Note note;
  note.text = std::string(bytes.substr(0, split + 1));
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (note.signatures.size() == kMaxSignatures) return Malformed("a note with too many signatures");
    RAAKVLAK_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignature(line));
    note.signatures.push_back(std::move(signature));
  }
  return note;
}

std::string Format(const Note& note) {
  std::string out = absl::StrCat(note.text, "\n");
  for (const NoteSignature& signature : note.signatures) {
    absl::StrAppend(&out, kSignaturePrefix, signature.name, " ",
                    base::Base64(absl::StrCat(signature.key_id, signature.signature)), "\n");
  }
  return out;
}

void Sign(Note& note, const VerifierKey& verifier, const PrivateKey& key) {
  RAAKVLAK_CHECK(verifier.key() == key.public_key(), "the name belongs to the key");
  RAAKVLAK_CHECK(absl::EndsWith(note.text, "\n"), "a note's text ends with a newline");
  std::string signature = key.Sign(note.text);
  const auto own =
      std::find_if(note.signatures.begin(), note.signatures.end(), [&](const NoteSignature& other) {
        return other.name == verifier.name() && other.key_id == verifier.key_id();
      });
  if (own != note.signatures.end()) {
    own->signature = std::move(signature);
  } else {
    note.signatures.push_back({verifier.name(), verifier.key_id(), std::move(signature)});
  }
}

absl::StatusOr<std::vector<std::string>> Verify(const Note& note, absl::Span<const VerifierKey> verifiers) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<bool> signed_by, FindSigners(note, verifiers));
  std::vector<std::string> names;
  for (size_t i = 0; i < verifiers.size(); ++i) {
    const std::string& name = verifiers[i].name();
    if (signed_by[i] && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (names.empty()) return Invalid("no known key signed the note");
  return names;
}

absl::Status VerifyAll(const Note& note, absl::Span<const VerifierKey> verifiers) {
  if (verifiers.empty()) return Invalid("no signer is asked for");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<bool> signed_by, FindSigners(note, verifiers));
  std::vector<absl::string_view> missing;
  for (size_t i = 0; i < verifiers.size(); ++i) {
    if (!signed_by[i]) missing.push_back(verifiers[i].name());
  }
  if (!missing.empty())
    return Invalid(absl::StrCat("signatures are missing: ", absl::StrJoin(missing, ", ")));
  return absl::OkStatus();
}

}  // namespace raakvlak::crypto::note

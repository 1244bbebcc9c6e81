#include "crypto/tlog/cosignature.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

// DO NOT CHANGE.
constexpr char kCosignatureType = 0x04;
constexpr absl::string_view kMessagePrefix = "cosignature/v1\ntime ";
constexpr size_t kTimeSize = 8;
constexpr size_t kKeyIdSize = 4;

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kSignatureInvalid, message);
}

std::string TypedKey(const note::PublicKey& key) {
  return absl::StrCat(absl::string_view(&kCosignatureType, 1), key.bytes());
}

std::string Message(absl::string_view checkpoint_text, uint64_t time) {
  return absl::StrCat(kMessagePrefix, time, "\n", checkpoint_text);
}

bool IsLineOf(const note::NoteSignature& signature, const WitnessKey& witness) {
  return signature.name == witness.name() && signature.key_id == witness.key_id();
}

}  // namespace

WitnessKey::WitnessKey(absl::string_view name, const note::PublicKey& key)
    : name_(name),
      key_(key),
      key_id_(base::Sha256(absl::StrCat(name, "\n", TypedKey(key))).substr(0, kKeyIdSize)) {}

absl::StatusOr<WitnessKey> WitnessKey::Create(absl::string_view name, const note::PublicKey& key) {
  // The rule for names is that of every signed note.
  RAAKVLAK_RETURN_IF_ERROR(note::VerifierKey::Create(name, key).status());
  return WitnessKey(name, key);
}

absl::StatusOr<WitnessKey> WitnessKey::Parse(absl::string_view text) {
  // Base64 may hold '+', so only the first two divide.
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('+', 2));
  if (parts.size() != 3) return MalformedError("a witness key is name+hash+key");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string typed_key, base::ParseBase64(parts[2]));
  absl::string_view key_bytes = typed_key;
  if (!absl::ConsumePrefix(&key_bytes, absl::string_view(&kCosignatureType, 1))) {
    return MalformedError("a witness key of another type than cosignature/v1");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const note::PublicKey key, note::PublicKey::Create(key_bytes));
  absl::StatusOr<WitnessKey> witness = Create(parts[0], key);
  if (!witness.ok() || witness->Encode() != text) {
    return MalformedError("a witness key whose name or hash is wrong");
  }
  return witness;
}

std::string WitnessKey::Encode() const {
  return absl::StrCat(name_, "+", base::Hex(key_id_), "+", base::Base64(TypedKey(key_)));
}

note::NoteSignature Cosign(absl::string_view checkpoint_text, const WitnessKey& witness,
                           const note::PrivateKey& key, uint64_t time) {
  RAAKVLAK_CHECK(witness.key() == key.public_key(), "the name belongs to the key");
  RAAKVLAK_CHECK(ParseCheckpoint(checkpoint_text).ok(), "a witness cosigns checkpoints only");
  RAAKVLAK_CHECK(time <= kMaxTime, "a time fits 63 bits");
  return {witness.name(), witness.key_id(),
          absl::StrCat(base::BigEndian(time, kTimeSize), key.Sign(Message(checkpoint_text, time)))};
}

absl::StatusOr<uint64_t> VerifyCosignature(absl::string_view checkpoint_text,
                                           const note::NoteSignature& signature, const WitnessKey& witness) {
  if (!IsLineOf(signature, witness)) return Invalid("a cosignature of another witness");
  const absl::string_view bytes = signature.signature;
  if (bytes.size() != kTimeSize + note::kSignatureSize) return Invalid("a cosignature has 72 bytes");
  const uint64_t time = ReadBigEndian(bytes.substr(0, kTimeSize));
  // "It MUST NOT exceed 2^63 - 1".
  if (time > kMaxTime ||
      !witness.key().Verify(Message(checkpoint_text, time), bytes.substr(kTimeSize)).ok()) {
    return Invalid(absl::StrCat("the cosignature of ", witness.name(), " does not verify"));
  }
  return time;
}

absl::StatusOr<std::vector<Cosigned>> CountCosignatures(const note::Note& note,
                                                        absl::Span<const WitnessKey> witnesses) {
  std::vector<Cosigned> cosigned;
  for (size_t i = 0; i < witnesses.size(); ++i) {
    std::optional<uint64_t> newest;
    for (const note::NoteSignature& signature : note.signatures) {
      if (!IsLineOf(signature, witnesses[i])) continue;
      RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t time, VerifyCosignature(note.text, signature, witnesses[i]));
      newest = std::max(newest.value_or(0), time);
    }
    const bool counted = std::any_of(cosigned.begin(), cosigned.end(), [&](const Cosigned& other) {
      return witnesses[other.witness].key() == witnesses[i].key();
    });
    if (newest.has_value() && !counted) cosigned.push_back({i, *newest});
  }
  return cosigned;
}

std::string FormatCosignatures(absl::Span<const note::NoteSignature> signatures) {
  std::string lines = note::Format({"", {signatures.begin(), signatures.end()}});
  // Without the empty line that divides a note's text from its signatures.
  return lines.substr(1);
}

absl::Status AddCosignatures(note::Note& note, absl::string_view lines,
                             absl::Span<const WitnessKey> witnesses) {
  if (lines.size() > kMaxCheckpointSize) return MalformedError("cosignatures over their size limit");
  RAAKVLAK_ASSIGN_OR_RETURN(const note::Note answer, note::Parse(absl::StrCat(note.text, "\n", lines)));
  // Parse splits at the last empty line, so the answer could have brought a text of its own.
  if (answer.text != note.text) return MalformedError("cosignatures with an empty line");
  note::Note merged = note;
  bool added = false;
  for (const note::NoteSignature& signature : answer.signatures) {
    for (const WitnessKey& witness : witnesses) {
      if (!IsLineOf(signature, witness)) continue;
      RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t time, VerifyCosignature(note.text, signature, witness));
      added = true;
      const auto own = std::find_if(merged.signatures.begin(), merged.signatures.end(),
                                    [&](const auto& other) { return IsLineOf(other, witness); });
      if (own == merged.signatures.end()) {
        merged.signatures.push_back(signature);
      } else if (const auto old = VerifyCosignature(note.text, *own, witness); !old.ok() || *old < time) {
        *own = signature;
      }
      break;
    }
  }
  if (!added) return Invalid("no cosignature of a known witness");
  note = std::move(merged);
  return absl::OkStatus();
}

}  // namespace raakvlak::crypto::tlog

#include "policy/keyset/share_backup.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/seal/seal.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::policy {
namespace {

// DO NOT CHANGE.
constexpr char kBackupFirstLine[] = "raakvlak/v1/share-backup\n";

constexpr size_t kMaxBackupSize = 2048;
constexpr size_t kNumBackupLines = 9;

absl::Status NotABackup() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                     "not the backup of a share");
}

absl::Status NotThisShare(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed, message);
}

// All lines before the last.
std::string BackupHeader(const Keyset& keyset, const Holder& holder, PassphraseCost cost,
                         absl::string_view salt) {
  const KeysetText& text = keyset.text();
  return absl::StrCat(
      absl::StrCat(kBackupFirstLine, "region ", text.region, "\npurpose ", text.purpose, "\nclass ",
                   uint32_t{text.identifier_class}, "\nepoch ", text.epoch),
      "\nkeyset ", base::Hex(keyset.id()), "\nholder ", holder.index, " ", holder.partner,
      absl::StrCat("\nargon2id ", cost.operations, " ", cost.memory_kib, " ", base::Base64(salt), "\n"));
}

}  // namespace

absl::StatusOr<std::string> BackUpShare(const Keyset& keyset, absl::string_view partner,
                                        const crypto::group::Scalar& share,
                                        const base::SecretBytes& passphrase, PassphraseCost cost,
                                        base::Random& random) {
  if (passphrase.size() < kMinPassphraseSize || !IsWithinLimits(cost)) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       absl::StrCat("a passphrase has at least ", kMinPassphraseSize,
                                    " bytes, and its cost is within limits"));
  }
  const Holder* holder = keyset.FindHolder(partner);
  if (holder == nullptr) return NotThisShare(absl::StrCat(partner, " holds no share of this keyset"));
  RAAKVLAK_RETURN_IF_ERROR(crypto::threshold::CheckShare(keyset.text().commitments, holder->index, share));
  const std::string salt = random.Bytes(kPassphraseSaltSize);
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes key, StretchPassphrase(passphrase, cost, salt));
  const std::string header = BackupHeader(keyset, *holder, cost, salt);
  const base::SecretBytes plaintext = base::SecretBytes::Take(share.Encode());
  const std::string box =
      crypto::seal::EncryptAtRest(key, plaintext.Reveal(base::RevealSecret{}), header, random);
  return absl::StrCat(header, "share ", base::Base64(box), "\n");
}

absl::StatusOr<BackupScope> ReadBackupScope(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (text.size() > kMaxBackupSize || lines.size() != kNumBackupLines + 1) return NotABackup();
  BackupScope scope;
  uint32_t identifier_class = 0;
  absl::string_view purpose = lines[2];
  absl::string_view class_line = lines[3];
  absl::string_view epoch = lines[4];
  absl::string_view keyset = lines[5];
  if (!absl::ConsumePrefix(&purpose, "purpose ") || !absl::ConsumePrefix(&class_line, "class ") ||
      !absl::ConsumePrefix(&epoch, "epoch ") || !absl::ConsumePrefix(&keyset, "keyset ") ||
      !absl::SimpleAtoi(class_line, &identifier_class) || identifier_class > 255 ||
      !absl::SimpleAtoi(epoch, &scope.epoch)) {
    return NotABackup();
  }
  const auto id = base::ParseHex(keyset);
  if (!id.ok() || id->size() != 32) return NotABackup();
  scope.purpose = std::string(purpose);
  scope.identifier_class = static_cast<uint8_t>(identifier_class);
  scope.keyset_id = *id;
  return scope;
}

absl::StatusOr<crypto::group::Scalar> RestoreShare(absl::string_view text, const Keyset& keyset,
                                                   absl::string_view partner,
                                                   const base::SecretBytes& passphrase) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (text.size() > kMaxBackupSize || lines.size() != kNumBackupLines + 1 || !lines.back().empty()) {
    return NotABackup();
  }
  const std::vector<absl::string_view> argon2 = absl::StrSplit(lines[7], ' ');
  const std::vector<absl::string_view> last = absl::StrSplit(lines[8], ' ');
  PassphraseCost cost;
  if (argon2.size() != 4 || last.size() != 2 || last[0] != "share" ||
      !absl::SimpleAtoi(argon2[1], &cost.operations) || !absl::SimpleAtoi(argon2[2], &cost.memory_kib) ||
      !IsWithinLimits(cost)) {
    return NotABackup();
  }
  const auto salt = base::ParseBase64(argon2[3]);
  const auto box = base::ParseBase64(last[1]);
  if (!salt.ok() || !box.ok() || salt->size() != kPassphraseSaltSize) return NotABackup();
  if (lines[5] != absl::string_view(absl::StrCat("keyset ", base::Hex(keyset.id())))) {
    return base::Error(
        absl::StatusCode::kFailedPrecondition, base::reason::kKeysetUnknown,
        "the backup is of a share of another keyset than the one in force: from before a refresh, "
        "of another epoch, purpose or class");
  }
  const Holder* holder = keyset.FindHolder(partner);
  if (holder == nullptr) return NotThisShare(absl::StrCat(partner, " holds no share of this keyset"));
  const std::string header = BackupHeader(keyset, *holder, cost, *salt);
  if (text != absl::string_view(absl::StrCat(header, lines[8], "\n"))) {
    return NotThisShare("the backup is of another holder, or was changed");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes key, StretchPassphrase(passphrase, cost, *salt));
  const auto plaintext = crypto::seal::DecryptAtRest(key, *box, header);
  if (!plaintext.ok()) return NotThisShare("the passphrase is another one, or the backup was changed");
  const auto share = crypto::group::Scalar::DecodeNonZero(plaintext->Reveal(base::RevealSecret{}));
  if (!share.ok() || !crypto::threshold::CheckShare(keyset.text().commitments, holder->index, *share).ok()) {
    return NotThisShare("the backup holds a share that does not fit the keyset");
  }
  return *share;
}

}  // namespace raakvlak::policy

#include "server/node/vault.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/seal/seal.h"

namespace raakvlak::node {
namespace {

// DO NOT CHANGE: databases depend on these.
constexpr char kEncryptionUse[] = "vault";
constexpr char kDigestUse[] = "vault-digest";
constexpr char kReferenceLabel[] = "client-ref";
constexpr char kRecordLabel[] = "record";
constexpr char kCheckLabel[] = "vault-key-check";

absl::string_view ColumnName(Column column) {
  switch (column) {
    case Column::kReference:
      return "reference";
    case Column::kRecord:
      return "record";
    case Column::kEnvelope:
      return "envelope";
    case Column::kReceipt:
      return "receipt";
    case Column::kCeremonyState:
      return "secret";
    case Column::kCeremonyShare:
      return "share";
  }
  RAAKVLAK_CHECK(false, "every column has a name");
}

absl::string_view TableName(Column column) {
  return column == Column::kCeremonyState || column == Column::kCeremonyShare ? "ceremonies" : "signals";
}

std::string Place(Column column, absl::string_view row_id) {
  return absl::StrCat(base::LengthPrefixed(TableName(column)), base::LengthPrefixed(ColumnName(column)),
                      row_id);
}

}  // namespace

Vault::Vault(const base::SecretBytes& vault_key, base::Random& random)
    : encryption_key_(crypto::seal::DeriveAtRestKey(vault_key, kEncryptionUse)),
      digest_key_(crypto::seal::DeriveAtRestKey(vault_key, kDigestUse)),
      random_(random) {}

absl::Status Vault::CheckDatabase(storage::NodeStore& store) const {
  const std::string check = crypto::seal::HmacAtRest(digest_key_, kCheckLabel, "");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string stored, store.KeyCheck(check));
  if (base::ConstantTimeEquals(check, stored)) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     "the database was made with another vault key");
}

std::string Vault::ReferenceDigest(absl::string_view client_ref) const {
  return crypto::seal::HmacAtRest(digest_key_, kReferenceLabel, client_ref);
}

std::string Vault::RecordDigest(const v1::Record& record) const {
  std::string message;
  for (const std::string* field :
       {&record.client_ref(), &record.purpose(), &record.kind(), &record.category(), &record.bsn(),
        &record.surname(), &record.surname_prefix(), &record.given_names(), &record.birth_date(),
        &record.postcode(), &record.house_number(), &record.house_letter(), &record.house_suffix(),
        &record.contact(), &record.note()}) {
    absl::StrAppend(&message, base::BigEndian(field->size(), 4), *field);
  }
  std::string digest = crypto::seal::HmacAtRest(digest_key_, kRecordLabel, message);
  base::WipeString(message);
  return digest;
}

std::string Vault::Encrypt(Column column, absl::string_view row_id, absl::string_view plaintext) const {
  return crypto::seal::EncryptAtRest(encryption_key_, plaintext, Place(column, row_id), random_);
}

absl::StatusOr<base::SecretBytes> Vault::Decrypt(Column column, absl::string_view row_id,
                                                 absl::string_view ciphertext) const {
  return crypto::seal::DecryptAtRest(encryption_key_, ciphertext, Place(column, row_id));
}

}  // namespace raakvlak::node

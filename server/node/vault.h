// Vault: encryption of what a node keeps, and the only digests of it, all under the vault key, which is in a
// file and never in the database. Without that key nothing in the database confirms a guessed record.
//
// Every value is bound to its table, column and row, so that it cannot be moved to another row. It does
// NOT hide how many signals there are, their purposes, states, days or sizes.
//
// Thread safety: all methods may be called from any thread if the random source may.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "raakvlak/v1/intake.pb.h"
#include "server/storage/node_store.h"

namespace raakvlak::node {

// The encrypted columns: of table signals, and of table ceremonies. DO NOT CHANGE the names in vault.cc: they
// are in every ciphertext.
enum class Column { kReference, kRecord, kEnvelope, kReceipt, kCeremonyState, kCeremonyShare };

class Vault {
 public:
  // `random` outlives the vault. REQUIRES: a key of 32 bytes.
  Vault(const base::SecretBytes& vault_key, base::Random& random);

  // CheckDatabase: VERIFICATION_FAILED when `store` was made with another key; STORAGE_FAILED.
  absl::Status CheckDatabase(storage::NodeStore& store) const;

  // 32 bytes each.
  std::string ReferenceDigest(absl::string_view client_ref) const;
  // Over all fields of the record in the order of their numbers, each with its length.
  std::string RecordDigest(const v1::Record& record) const;

  // `row_id` is the signal id, or the ceremony id.
  std::string Encrypt(Column column, absl::string_view row_id, absl::string_view plaintext) const;
  // VERIFICATION_FAILED when it was not made by Encrypt for the same place.
  absl::StatusOr<base::SecretBytes> Decrypt(Column column, absl::string_view row_id,
                                            absl::string_view ciphertext) const;

 private:
  const base::SecretBytes encryption_key_;
  const base::SecretBytes digest_key_;
  base::Random& random_;
};

}  // namespace raakvlak::node

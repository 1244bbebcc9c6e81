#include "server/node/vault.h"

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "server/storage/memory/node_store.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

class VaultTest : public ::testing::Test {
 protected:
  base::testing::SeededRandom random_{1};
  Vault vault_{base::SecretBytes(std::string(32, 'k')), random_};
  Vault other_{base::SecretBytes(std::string(32, 'o')), random_};
};

TEST_F(VaultTest, WhatIsEncryptedComesBack) {
  const std::string ciphertext = vault_.Encrypt(Column::kRecord, "id", "plain text");
  EXPECT_EQ(ciphertext.find("plain"), std::string::npos);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto plain, vault_.Decrypt(Column::kRecord, "id", ciphertext));
  EXPECT_EQ(plain.Reveal(base::RevealSecret{}), "plain text");
}

TEST_F(VaultTest, TheSameTextTwiceLooksDifferent) {
  EXPECT_NE(vault_.Encrypt(Column::kRecord, "id", "text"), vault_.Encrypt(Column::kRecord, "id", "text"));
}

TEST_F(VaultTest, AValueIsWorthNothingInAnotherPlaceOrUnderAnotherKey) {
  const std::string ciphertext = vault_.Encrypt(Column::kRecord, "id", "text");
  EXPECT_THAT(vault_.Decrypt(Column::kReference, "id", ciphertext), HasReason("VERIFICATION_FAILED"));
  EXPECT_THAT(vault_.Decrypt(Column::kRecord, "di", ciphertext), HasReason("VERIFICATION_FAILED"));
  EXPECT_THAT(other_.Decrypt(Column::kRecord, "id", ciphertext), HasReason("VERIFICATION_FAILED"));
}

TEST_F(VaultTest, DigestsDependOnTheKeyAndOnWhatTheyAreOf) {
  EXPECT_EQ(vault_.ReferenceDigest("ref"), vault_.ReferenceDigest("ref"));
  EXPECT_NE(vault_.ReferenceDigest("ref"), vault_.ReferenceDigest("ref2"));
  EXPECT_NE(vault_.ReferenceDigest("ref"), other_.ReferenceDigest("ref"));
  v1::Record record;
  record.set_surname("ab");
  record.set_given_names("c");
  v1::Record moved;
  moved.set_surname("a");
  moved.set_given_names("bc");
  EXPECT_NE(vault_.RecordDigest(record), vault_.RecordDigest(moved));
  EXPECT_NE(vault_.RecordDigest(record), other_.RecordDigest(record));
}

TEST_F(VaultTest, ADatabaseOfAnotherKeyIsRefused) {
  storage::MemoryNodeStore store;
  EXPECT_THAT(vault_.CheckDatabase(store), IsOk());
  EXPECT_THAT(vault_.CheckDatabase(store), IsOk());
  EXPECT_THAT(other_.CheckDatabase(store), HasReason("VERIFICATION_FAILED"));
}

}  // namespace
}  // namespace raakvlak::node

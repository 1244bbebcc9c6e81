#include "audit/record.h"

#include <gtest/gtest.h>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/leaf.h"

namespace raakvlak::audit {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

class ReadEntryTest : public ::testing::Test {
 protected:
  ReadEntryTest() {
    v1::AuditDetails details;
    details.set_actor("urn:raakvlak:maastricht:staff:anna");
    details.set_action("open");
    entry_.set_log("urn:raakvlak:maastricht:broker:centrum/2026");
    entry_.set_index(12);
    entry_.set_time_ms(1'777'852'800'000);
    entry_.set_salt(std::string(crypto::tlog::kSaltSize, '\x05'));
    entry_.set_details(details.SerializeAsString());
    entry_.set_leaf(crypto::tlog::MakeLeaf(1'777'852'800'000, entry_.salt(), entry_.details()));
  }
  v1::LogEntry entry_;
};

TEST_F(ReadEntryTest, AnEntryThatFitsItsLeafIsRead) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Record record, ReadEntry(entry_));
  EXPECT_EQ(record.details.action(), "open");
  EXPECT_FALSE(record.erased);
  EXPECT_EQ(IdOf(record), "2026/12");
}

TEST_F(ReadEntryTest, AChangedDetailIsFound) {
  v1::AuditDetails other;
  other.ParseFromString(entry_.details());
  other.set_actor("urn:raakvlak:maastricht:staff:bram");
  entry_.set_details(other.SerializeAsString());
  EXPECT_THAT(ReadEntry(entry_), HasReason(base::reason::kVerificationFailed));
}

TEST_F(ReadEntryTest, AChangedTimeIsFound) {
  entry_.set_time_ms(entry_.time_ms() - 1);
  EXPECT_THAT(ReadEntry(entry_), HasReason(base::reason::kVerificationFailed));
}

TEST_F(ReadEntryTest, AChangedSaltIsFound) {
  entry_.set_salt(std::string(crypto::tlog::kSaltSize, '\x06'));
  EXPECT_THAT(ReadEntry(entry_), HasReason(base::reason::kVerificationFailed));
}

TEST_F(ReadEntryTest, AnErasedEntryHasItsPlaceOnly) {
  entry_.clear_salt();
  entry_.clear_details();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Record record, ReadEntry(entry_));
  EXPECT_TRUE(record.erased);
  EXPECT_EQ(record.time_ms, entry_.time_ms());
}

TEST_F(ReadEntryTest, DetailsWithoutTheirSaltAreNotTakenForErased) {
  entry_.clear_salt();
  EXPECT_THAT(ReadEntry(entry_), HasReason(base::reason::kVerificationFailed));
}

TEST_F(ReadEntryTest, AnotherVersionOfLeafIsRefused) {
  std::string leaf = entry_.leaf();
  leaf[0] = '\x02';
  entry_.set_leaf(leaf);
  EXPECT_THAT(ReadEntry(entry_), HasReason(base::reason::kMalformed));
}

}  // namespace
}  // namespace raakvlak::audit

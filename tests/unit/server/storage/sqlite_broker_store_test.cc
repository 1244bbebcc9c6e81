// What only the SQLite store promises: it survives, and what ended is gone from the file.
#include <filesystem>

#include "base/file.h"
#include "base/reason.h"
#include "gmock/gmock.h"
#include "server/storage/sqlite/broker_store.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SqliteBrokerStoreTest : public BrokerStoreTest {
 protected:
  void Reopen() {
    store_.reset();
    store_ = GetParam().open(folder_.path());
  }
};

INSTANTIATE_TEST_SUITE_P(All, SqliteBrokerStoreTest, ::testing::Values(BrokerStoreKinds().back()),
                         NameOfKind);

TEST_P(SqliteBrokerStoreTest, EverythingIsThereAfterReopening) {
  for (const char* word : {"a", "b", "c"}) {
    ASSERT_THAT(Insert(MakeSignal("politie", word, {MakeToken("bsn", "jan", v1::EXACT)})), IsOk());
  }
  PutMatch("m", {1, 2, 3});
  Withdraw("politie", "c");
  ASSERT_THAT(store_->AppendAudit({}), IsOk());
  ASSERT_THAT(store_->Store({base::Sha256("c2"), 2, 7}), IsOk());
  ASSERT_TRUE(Do([](BrokerTransaction& transaction) { return transaction.RememberOrder(Id("order"), 1); }));
  Reopen();
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kLive);
  EXPECT_EQ(Find("politie", "c")->state, SignalState::kWithdrawn);
  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(1, 2));
  EXPECT_EQ(Match("m")->members.size(), 2u);
  EXPECT_THAT(Dirty(), ElementsAre(1, 2, 3));
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  EXPECT_EQ(Audit().size(), 1u);
  EXPECT_EQ(store_->Load()->roster_number, 7u);
  EXPECT_FALSE(Do([](BrokerTransaction& transaction) { return transaction.RememberOrder(Id("order"), 1); }));
  ASSERT_THAT(Insert(MakeSignal("politie", "d", {})), IsOk());
  EXPECT_THAT(Dirty(), ElementsAre(1, 2, 3, 4));
}

TEST_P(SqliteBrokerStoreTest, EndedSignalIsGoneFromTheFile) {
  const StoredToken token = MakeToken("rule-of-secret", "jan", v1::EXACT);
  ASSERT_THAT(Insert(MakeSignal("politie", "secret", {token})), IsOk());
  ASSERT_THAT(Insert(MakeSignal("politie", "kept", {MakeToken("bsn", "piet", v1::EXACT)})), IsOk());
  const std::string path = folder_.path() + "/broker.db";
  store_.reset();
  auto before = base::ReadFile(path);
  ASSERT_THAT(before, IsOk());
  EXPECT_THAT(*before, HasSubstr("body of secret"));
  EXPECT_THAT(*before, HasSubstr(token.tag));

  store_ = GetParam().open(folder_.path());
  Withdraw("politie", "secret");
  store_.reset();
  auto after = base::ReadFile(path);
  ASSERT_THAT(after, IsOk());
  EXPECT_THAT(*after, HasSubstr("body of kept"));
  EXPECT_THAT(*after, Not(HasSubstr("body of secret")));
  EXPECT_THAT(*after, Not(HasSubstr("signature of secret")));
  EXPECT_THAT(*after, Not(HasSubstr(token.tag)));
  EXPECT_THAT(*after, Not(HasSubstr(token.commitments_hash)));
  EXPECT_THAT(*after, Not(HasSubstr(token.rule))) << "a count of none is kept";
}

TEST_P(SqliteBrokerStoreTest, DatabaseOfAnotherProgramIsRefused) {
  const std::string path = folder_.path() + "/other.db";
  ASSERT_THAT(Database::Open(path, "CREATE TABLE other (x)", 1, 1234), IsOk());
  EXPECT_THAT(SqliteBrokerStore::Open(path, testing::TestCodec()), HasReason(base::reason::kSchemaUnknown));
}

}  // namespace
}  // namespace raakvlak::storage

// What every store must do with what the relay of ceremonies keeps.
#include "base/reason.h"
#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {
namespace {

using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BrokerStoreCeremonyTest : public BrokerStoreTest {
 protected:
  static std::string CeremonyId(const std::string& word) { return base::Sha256("ceremony " + word); }
  bool Propose(const std::string& word, int64_t proposed_ms = 1000, const std::string& by = "politie") {
    StoredCeremony ceremony;
    ceremony.id = CeremonyId(word);
    ceremony.parameters = "parameters of " + word;
    ceremony.purpose = "onaantastbaren";
    ceremony.identifier_class = v1::PERSON;
    ceremony.epoch = 2;
    ceremony.kind = "generate";
    ceremony.proposed_by = by;
    ceremony.proposed_ms = proposed_ms;
    ceremony.receivers = 2;
    return Do([&](BrokerTransaction& transaction) { return transaction.ceremonies().Insert(ceremony); });
  }
  bool Append(const std::string& word, const std::string& sender, uint32_t step, const std::string& body) {
    StoredCeremonyMessage message;
    message.sender = sender;
    message.step = step;
    message.body = body;
    message.signature = "signature";
    return Do([&](BrokerTransaction& transaction) {
      return transaction.ceremonies().Append(CeremonyId(word), message);
    });
  }
  bool PutKeyset(const std::string& word, const std::string& partner, const std::string& keyset) {
    return Do([&](BrokerTransaction& transaction) {
      return transaction.ceremonies().PutKeyset(CeremonyId(word), partner, keyset);
    });
  }
  std::optional<StoredCeremony> Ceremony(const std::string& word) {
    return Get([&](BrokerReader& reader) { return reader.ceremonies().Find(CeremonyId(word)); });
  }
  std::vector<std::string> Bodies(const std::string& word, uint64_t after = 0, size_t max_bytes = 1000) {
    std::vector<std::string> bodies;
    for (const StoredCeremonyMessage& message : Get([&](BrokerReader& reader) {
           return reader.ceremonies().Messages(CeremonyId(word), after, max_bytes);
         })) {
      EXPECT_EQ(message.signature, "signature");
      bodies.push_back(message.body);
    }
    return bodies;
  }
  std::vector<uint32_t> Steps(const std::string& word, const std::string& sender) {
    return Get([&](BrokerReader& reader) { return reader.ceremonies().StepsOf(CeremonyId(word), sender); });
  }
  bool HasKeyset(const std::string& word, const std::string& partner) {
    return Get(
        [&](BrokerReader& reader) { return reader.ceremonies().HasKeyset(CeremonyId(word), partner); });
  }
  std::vector<std::string> Keysets(const std::string& word) {
    return Get([&](BrokerReader& reader) { return reader.ceremonies().Keysets(CeremonyId(word)); });
  }
  std::vector<std::string> Complete() {
    return Get([](BrokerReader& reader) { return reader.ceremonies().Complete(); });
  }
  uint64_t Open(const std::string& by, int64_t since_ms = 0) {
    return Get([&](BrokerReader& reader) { return reader.ceremonies().CountOpen(by, since_ms); });
  }
  uint64_t Prune(const CeremonyBounds& bounds, size_t limit = 100) {
    return Do([&](BrokerTransaction& transaction) { return transaction.ceremonies().Prune(bounds, limit); });
  }
};

INSTANTIATE_TEST_SUITE_P(All, BrokerStoreCeremonyTest, ::testing::ValuesIn(BrokerStoreKinds()), NameOfKind);

TEST_P(BrokerStoreCeremonyTest, CeremonyIsReadAsItWasProposedFirst) {
  EXPECT_TRUE(Propose("a"));
  EXPECT_FALSE(Propose("a", 2000, "gemeente"));
  const auto ceremony = Ceremony("a");
  ASSERT_TRUE(ceremony.has_value());
  EXPECT_EQ(ceremony->id, CeremonyId("a"));
  EXPECT_EQ(ceremony->parameters, "parameters of a");
  EXPECT_EQ(ceremony->purpose, "onaantastbaren");
  EXPECT_EQ(ceremony->identifier_class, v1::PERSON);
  EXPECT_EQ(ceremony->epoch, 2u);
  EXPECT_EQ(ceremony->kind, "generate");
  EXPECT_EQ(ceremony->proposed_by, "politie");
  EXPECT_EQ(ceremony->proposed_ms, 1000);
  EXPECT_EQ(ceremony->receivers, 2u);
  EXPECT_EQ(ceremony->last, 0u);
  EXPECT_EQ(ceremony->keysets, 0u);
  EXPECT_FALSE(Ceremony("b").has_value());
}

TEST_P(BrokerStoreCeremonyTest, ListIsInOrderFromATimeOnWithHowFarEachIs) {
  Propose("a", 1000);
  Propose("b", 2000);
  Propose("c", 3000);
  Append("b", "politie", 1, "first");
  Append("b", "gemeente", 1, "second");
  PutKeyset("c", "politie", "keyset");
  const auto listed = Get([](BrokerReader& reader) { return reader.ceremonies().List(2000); });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, CeremonyId("b"));
  EXPECT_EQ(listed[0].last, 2u);
  EXPECT_EQ(listed[0].keysets, 0u);
  EXPECT_THAT(listed[0].parameters, IsEmpty());
  EXPECT_EQ(listed[1].id, CeremonyId("c"));
  EXPECT_EQ(listed[1].last, 0u);
  EXPECT_EQ(listed[1].keysets, 1u);
}

TEST_P(BrokerStoreCeremonyTest, MessagesComeInOrderOfArrivalAfterASequence) {
  Propose("a");
  Propose("b");
  EXPECT_TRUE(Append("a", "politie", 1, "one"));
  EXPECT_TRUE(Append("b", "politie", 1, "elsewhere"));
  EXPECT_TRUE(Append("a", "gemeente", 1, "two"));
  EXPECT_TRUE(Append("a", "politie", 2, "three"));
  EXPECT_THAT(Bodies("a"), ElementsAre("one", "two", "three"));
  EXPECT_THAT(Bodies("a", 1), ElementsAre("two", "three"));
  EXPECT_THAT(Bodies("a", Ceremony("a")->last), IsEmpty());
  EXPECT_THAT(Steps("a", "politie"), ElementsAre(1u, 2u));
  EXPECT_THAT(Steps("a", "jeugdzorg"), IsEmpty());
}

TEST_P(BrokerStoreCeremonyTest, AnswerHoldsAsManyMessagesAsFitButOneAtLeast) {
  Propose("a");
  for (const char* body : {"one", "two", "three"}) Append("a", "politie", 1, body);
  EXPECT_THAT(Bodies("a", 0, 2 * (3 + 9)), ElementsAre("one", "two"));
  EXPECT_THAT(Bodies("a", 0, 2 * (3 + 9) - 1), ElementsAre("one"));
  EXPECT_THAT(Bodies("a", 0, 1), ElementsAre("one"));
}

TEST_P(BrokerStoreCeremonyTest, SameBodyOfASenderIsKeptOnceAndAnotherBesideIt) {
  Propose("a");
  EXPECT_TRUE(Append("a", "politie", 1, "one"));
  EXPECT_FALSE(Append("a", "politie", 1, "one"));
  EXPECT_TRUE(Append("a", "gemeente", 1, "one"));
  EXPECT_TRUE(Append("a", "politie", 1, "another"));
  EXPECT_THAT(Bodies("a"), ElementsAre("one", "one", "another"));
  EXPECT_THAT(Steps("a", "politie"), ElementsAre(1u, 1u));
}

TEST_P(BrokerStoreCeremonyTest, FirstKeysetOfAPartnerStays) {
  Propose("a");
  EXPECT_TRUE(PutKeyset("a", "politie", "of politie"));
  EXPECT_FALSE(PutKeyset("a", "politie", "another"));
  EXPECT_TRUE(PutKeyset("a", "gemeente", "of gemeente"));
  EXPECT_THAT(Keysets("a"), ElementsAre("of gemeente", "of politie"));
  EXPECT_TRUE(HasKeyset("a", "politie"));
  EXPECT_FALSE(HasKeyset("a", "jeugdzorg"));
  EXPECT_FALSE(HasKeyset("none", "politie"));
}

TEST_P(BrokerStoreCeremonyTest, CeremonyIsOpenUntilEachReceiverPostedAKeyset) {
  Propose("a", 1000);
  Propose("b", 2000);
  Propose("c", 2000, "gemeente");
  EXPECT_EQ(Open("politie"), 2u);
  EXPECT_EQ(Open("politie", 1001), 1u);
  EXPECT_THAT(Complete(), IsEmpty());
  PutKeyset("a", "politie", "keyset");
  PutKeyset("b", "politie", "keyset");
  EXPECT_EQ(Open("politie"), 2u);
  PutKeyset("b", "gemeente", "keyset");
  EXPECT_EQ(Open("politie"), 1u);
  PutKeyset("a", "gemeente", "keyset");
  EXPECT_EQ(Open("politie"), 0u);
  EXPECT_EQ(Open("gemeente"), 1u);
  EXPECT_THAT(Complete(), ElementsAre(CeremonyId("b"), CeremonyId("a")));
}

TEST_P(BrokerStoreCeremonyTest, MessagesGoFirstAndACeremonyWithTheLastOfItsKeysets) {
  Propose("a", 1000);
  Propose("b", 2000);
  Propose("c", 1500);
  for (const char* word : {"a", "b"}) {
    Append(word, "politie", 1, "one");
    PutKeyset(word, "politie", "keyset");
  }
  EXPECT_EQ(Prune({.messages_before_ms = 1000, .keysets_before_ms = 1000}), 0u);
  EXPECT_EQ(Prune({.messages_before_ms = 2000, .keysets_before_ms = 1000}), 2u);
  EXPECT_THAT(Bodies("a"), IsEmpty());
  EXPECT_THAT(Keysets("a"), ElementsAre("keyset"));
  EXPECT_FALSE(Ceremony("c").has_value());
  EXPECT_THAT(Bodies("b"), ElementsAre("one"));
  EXPECT_EQ(Prune({.messages_before_ms = 2000, .keysets_before_ms = 2000}), 2u);
  EXPECT_FALSE(Ceremony("a").has_value());
  EXPECT_TRUE(Ceremony("b").has_value());
}

TEST_P(BrokerStoreCeremonyTest, PruningDeletesNoMoreThanItsLimitAtOnce) {
  Propose("a", 1000);
  for (const char* body : {"one", "two", "three"}) Append("a", "politie", 1, body);
  EXPECT_EQ(Prune({.messages_before_ms = 2000, .keysets_before_ms = 2000}, 2), 2u);
  EXPECT_TRUE(Ceremony("a").has_value());
  EXPECT_EQ(Prune({.messages_before_ms = 2000, .keysets_before_ms = 2000}, 2), 2u);
  EXPECT_FALSE(Ceremony("a").has_value());
}

TEST_P(BrokerStoreCeremonyTest, SequenceIsNeverUsedTwice) {
  Propose("a", 1000);
  Append("a", "politie", 1, "one");
  const uint64_t before = Ceremony("a")->last;
  Prune({.messages_before_ms = 2000, .keysets_before_ms = 2000});
  Propose("a", 3000);
  Append("a", "politie", 1, "one");
  EXPECT_GT(Ceremony("a")->last, before);
}

TEST_P(BrokerStoreCeremonyTest, FailedTransactionLeavesNothing) {
  Propose("a");
  EXPECT_FALSE(Write([&](BrokerTransaction& transaction) -> absl::Status {
                 StoredCeremonyMessage message;
                 message.sender = "politie";
                 message.step = 1;
                 message.body = "one";
                 EXPECT_THAT(transaction.ceremonies().Append(CeremonyId("a"), message), IsOk());
                 return absl::InternalError("told to fail");
               }).ok());
  EXPECT_THAT(Bodies("a"), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::storage

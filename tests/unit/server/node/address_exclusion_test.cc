#include "server/node/address_exclusion.h"

#include <filesystem>
#include <set>
#include <string>

#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using testing::NodeWorld;

constexpr char kPartner[] = "woningcorporatie";
// Where NodeWorld::RecordOf lives.
const std::set<std::string> kHome = {"6211XZ 17"};
const std::set<std::string> kElsewhere = {"6299ZZ 1"};

class AddressExclusionTest : public ::testing::Test {
 protected:
  explicit AddressExclusionTest(const std::function<void(v1::Covenant&)>& change = nullptr)
      : world_(change) {}

  v1::PushReceipt Push(const std::string& client_ref) {
    return world_.Push(kPartner, NodeWorld::RecordOf(client_ref, "gezinsaanpak", false));
  }
  v1::SignalStatus State(const std::string& client_ref) { return world_.StateOf(kPartner, client_ref); }
  void RestAndDrain() {
    world_.clock().Advance(absl::Seconds(30));
    world_.Drain(kPartner);
  }
  absl::Status Current() {
    return world_.node(kPartner).exclusion->Current(*world_.Snapshot().covenant).status();
  }
  // As if the node had never had a list.
  void Forget() {
    std::filesystem::remove(world_.excluded_addresses_path());
    world_.Restart(kPartner);
  }
  NodeWorld world_;
};

TEST_F(AddressExclusionTest, AtAnExcludedAddressASignalIsRejectedAndElsewhereNot) {
  world_.WriteExcluded(2, kHome);
  const v1::PushReceipt receipt = Push("ref-1");
  EXPECT_EQ(receipt.result(), v1::REJECTED);
  EXPECT_EQ(receipt.reason(), "ADDRESS_EXCLUDED");
  EXPECT_EQ(receipt.field(), "postcode");
  // All letters and suffixes of the number.
  v1::Record record = NodeWorld::RecordOf("ref-2", "gezinsaanpak", false);
  record.set_house_letter("B");
  EXPECT_EQ(world_.Push(kPartner, record).reason(), "ADDRESS_EXCLUDED");
  record.set_house_number("18");
  EXPECT_EQ(world_.Push(kPartner, record).result(), v1::ACCEPTED);
  world_.Drain(kPartner);
  EXPECT_EQ(State("ref-2").state(), v1::SUBMITTED);
}

TEST_F(AddressExclusionTest, OtherPurposesDoNotLookAtTheList) {
  world_.WriteExcluded(2, kHome);
  EXPECT_EQ(world_.Push("politie", NodeWorld::RecordOf("ref-1")).result(), v1::ACCEPTED);
  world_.Drain("politie");
  EXPECT_EQ(world_.StateOf("politie", "ref-1").state(), v1::SUBMITTED);
}

TEST_F(AddressExclusionTest, ASignalThatWaitedIsRefusedWhenItsAddressIsExcludedMeanwhile) {
  Push("ref-1");
  world_.WriteExcluded(2, kHome);
  world_.Drain(kPartner);
  EXPECT_EQ(State("ref-1").state(), v1::REFUSED);
  EXPECT_EQ(State("ref-1").reason(), "ADDRESS_EXCLUDED");
  EXPECT_TRUE(world_.broker().taken.empty());
}

class StaleListTest : public AddressExclusionTest {
 protected:
  StaleListTest()
      : AddressExclusionTest(
            [](v1::Covenant& covenant) { covenant.set_excluded_addresses_max_age_days(2); }) {}
};

TEST_F(StaleListTest, WithoutAFreshListSignalsWaitVisiblyAndGoWithTheNext) {
  world_.clock().Advance(absl::Hours(48) - absl::Seconds(1));
  ASSERT_THAT(Current(), IsOk());
  world_.clock().Advance(absl::Seconds(1));
  ASSERT_THAT(Current(), HasReason("EXCLUDED_LIST_STALE"));
  const v1::PushReceipt receipt = Push("ref-1");
  EXPECT_EQ(receipt.result(), v1::ACCEPTED);
  EXPECT_EQ(receipt.reason(), "EXCLUDED_LIST_STALE");
  EXPECT_EQ(Push("ref-1").result(), v1::KNOWN);
  EXPECT_EQ(Push("ref-1").reason(), "EXCLUDED_LIST_STALE");
  world_.Drain(kPartner);
  EXPECT_EQ(State("ref-1").state(), v1::QUEUED);
  EXPECT_EQ(State("ref-1").reason(), "EXCLUDED_LIST_STALE");
  EXPECT_TRUE(world_.broker().taken.empty());

  world_.WriteExcluded(2, kElsewhere);
  EXPECT_THAT(Current(), IsOk());
  RestAndDrain();
  EXPECT_EQ(State("ref-1").state(), v1::SUBMITTED);
}

TEST_F(AddressExclusionTest, AMissingListIsNoList) {
  Forget();
  EXPECT_THAT(Current(), HasReason("EXCLUDED_LIST_STALE"));
  Push("ref-1");
  world_.Drain(kPartner);
  EXPECT_EQ(State("ref-1").state(), v1::QUEUED);
}

TEST_F(AddressExclusionTest, AnOlderOrAnotherListIsRefusedAlsoAfterARestart) {
  world_.WriteExcluded(3, kHome);
  ASSERT_THAT(Current(), IsOk());
  for (const bool restart : {false, true}) {
    if (restart) world_.Restart(kPartner);
    for (const uint64_t number : {2u, 3u}) {
      world_.WriteExcluded(number, kElsewhere);
      // What was in force stays; a node that was started anew has none.
      EXPECT_EQ(Current().ok(), !restart) << number;
      EXPECT_NE(Push("ref-" + std::to_string(number)).reason(), "");
    }
  }
  world_.WriteExcluded(4, kElsewhere);
  EXPECT_THAT(Current(), IsOk());
  EXPECT_EQ(Push("ref-9").reason(), "");
}

TEST_F(AddressExclusionTest, AMemoryOfTheHighestNumberThatCannotBeReadStopsEveryList) {
  for (const std::string damage : {"", "4", "four x\n", "4 x y\n"}) {
    ASSERT_THAT(base::WriteFileAtomically(world_.seen_path(kPartner), damage, 0600), IsOk());
    world_.Restart(kPartner);
    world_.WriteExcluded(5, kElsewhere);
    EXPECT_FALSE(Current().ok()) << damage;
  }
}

TEST_F(AddressExclusionTest, AFileThatDoesNotVerifyLeavesWhatWasInForce) {
  world_.WriteExcluded(2, kHome);
  ASSERT_THAT(Current(), IsOk());
  ASSERT_THAT(base::WriteFileAtomically(world_.excluded_addresses_path(), "not a note", 0644), IsOk());
  EXPECT_THAT(Current(), IsOk());
  EXPECT_EQ(Push("ref-1").reason(), "ADDRESS_EXCLUDED");
}

// A purpose about persons in which the address only supports.
class SupportingAddressTest : public AddressExclusionTest {
 protected:
  SupportingAddressTest()
      : AddressExclusionTest([](v1::Covenant& covenant) {
          v1::LinkageRule& rule = *covenant.mutable_purposes(0)->add_rules();
          rule = covenant.purposes(2).rules(0);
          rule.set_quality(v1::SUPPORTING);
        }) {}
  int TokensOf(const std::string& client_ref) {
    const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf(client_ref));
    EXPECT_EQ(receipt.result(), v1::ACCEPTED);
    EXPECT_EQ(receipt.reason(), "");
    world_.Drain("politie");
    return world_.broker().taken.at(receipt.signal_id()).body.tokens_size();
  }
};

TEST_F(SupportingAddressTest, TheOtherRulesGoOnWithoutTheAddress) {
  EXPECT_EQ(TokensOf("ref-1"), 3);
  world_.WriteExcluded(2, kHome);
  EXPECT_EQ(TokensOf("ref-2"), 2) << "excluded";
  std::filesystem::remove(world_.excluded_addresses_path());
  world_.Restart("politie");
  EXPECT_EQ(TokensOf("ref-3"), 2) << "no list";
}

// As if a covenant came into force while the node runs: at its start it would be refused.
class OverTheLimitTest : public AddressExclusionTest {
 protected:
  OverTheLimitTest()
      : AddressExclusionTest([](v1::Covenant& covenant) { covenant.clear_accept_enumeration(); }) {}
};

TEST_F(OverTheLimitTest, UnderACovenantThatLinkageRefusesNothingIsMade) {
  Push("ref-1");
  world_.Drain(kPartner);
  EXPECT_EQ(State("ref-1").state(), v1::QUEUED);
  EXPECT_EQ(State("ref-1").reason(), "COVENANT_INVALID");
  EXPECT_TRUE(world_.broker().taken.empty());
}

}  // namespace
}  // namespace raakvlak::node

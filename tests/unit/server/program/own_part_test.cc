#include "server/program/own_part.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "server/program/broker_channel.h"
#include "tests/support/region.h"

namespace raakvlak::server {
namespace {

using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OwnPartTest : public ::testing::Test {
 protected:
  std::shared_ptr<const policy::Covenant> Next() {
    const auto before = region_.authority().Current()->covenant;
    region_.covenant().set_supersedes(base::Hex(before->id()));
    region_.covenant().set_version(before->text().version() + 1);
    region_.roster().set_number(region_.roster().number() + 1);
    region_.Write();
    const auto now = region_.authority().Current();
    EXPECT_THAT(now, base::testing::IsOk());
    EXPECT_NE(now->covenant->id(), before->id());
    return now->covenant;
  }
  static std::string NewKey(const std::string& name) {
    return base::Base64(TestRegion::LogKeyOf(name).public_key().bytes());
  }

  TestRegion region_;
  const std::shared_ptr<const policy::Covenant> start_ = region_.authority().Current()->covenant;
  const std::string politie_ = TestRegion::Urn("node", "politie");
  const std::string broker_ = region_.covenant().broker().urn();
  const std::string hub_ = region_.covenant().hub().urn();
};

TEST_F(OwnPartTest, CovenantThatChangesOthersChangesNothingHere) {
  v1::Partner& gemeente = *region_.covenant().mutable_partners(1);
  gemeente.set_peer_address("elsewhere:1");
  gemeente.set_witness_key(NewKey("gemeente"));
  region_.covenant().mutable_broker()->set_address("moved:1");
  const auto next = Next();
  for (const std::string& urn : {politie_, broker_, hub_}) {
    EXPECT_THAT(ChangedPart(*start_, *next, urn), IsEmpty()) << urn;
  }
  EXPECT_FALSE(OwnPart(start_, politie_).Look(*next));
}

TEST_F(OwnPartTest, OwnKeysThatChangeAreNamed) {
  v1::Partner& politie = *region_.covenant().mutable_partners(0);
  politie.set_log_key(NewKey("politie"));
  politie.set_witness_key(NewKey("politie's other"));
  region_.covenant().mutable_hub()->set_log_key(NewKey("hub"));
  const auto next = Next();
  EXPECT_THAT(ChangedPart(*start_, *next, politie_), ElementsAre("witness_key", "log_key"));
  EXPECT_THAT(ChangedPart(*start_, *next, hub_), ElementsAre("log_key"));
  EXPECT_THAT(ChangedPart(*start_, *next, broker_), IsEmpty());
}

TEST_F(OwnPartTest, SigningKeyThatTheNodeHasNeedsNoOtherConfiguration) {
  const crypto::note::PublicKey before = region_.KeyOf(politie_).public_key();
  region_.covenant().mutable_partners(0)->set_signing_key(region_.ReplaceKeyOf(politie_));
  region_.covenant().mutable_hub()->set_signing_key(region_.ReplaceKeyOf(hub_));
  const auto next = Next();
  EXPECT_THAT(ChangedPart(*start_, *next, politie_), ElementsAre("signing_key"));
  EXPECT_TRUE(OwnPart(start_, politie_, {before}).Look(*next));
  EXPECT_FALSE(OwnPart(start_, politie_, {before, region_.KeyOf(politie_).public_key()}).Look(*next));
  EXPECT_THAT(ChangedPart(*start_, *next, hub_), IsEmpty()) << "the hub's process has no such key";
}

TEST_F(OwnPartTest, ProcessThatIsInItNoMoreIsTold) {
  EXPECT_THAT(ChangedPart(*start_, *start_, TestRegion::Urn("node", "nobody")), IsEmpty());
  v1::Partner& fifth = *region_.covenant().add_partners();
  fifth = region_.covenant().partners(1);
  fifth.set_id("reclassering");
  region_.GiveKeys(fifth);
  const auto next = Next();
  EXPECT_THAT(ChangedPart(*next, *start_, TestRegion::Urn("node", "reclassering")), ElementsAre("partner"));
}

TEST_F(OwnPartTest, EachCovenantIsToldOnce) {
  region_.covenant().mutable_partners(0)->set_log_key(NewKey("politie"));
  const auto next = Next();
  OwnPart part(start_, politie_);
  EXPECT_FALSE(part.Look(*start_));
  EXPECT_TRUE(part.Look(*next));
  EXPECT_FALSE(part.Look(*next));
}

TEST_F(OwnPartTest, ConfiguredAddressGoesBeforeTheCovenants) {
  v1::NodeConfig config;
  v1::AddressOverride& address = *config.add_peer_addresses();
  address.set_partner("gemeente");
  address.set_address("here:1");
  v1::Partner gemeente, politie;
  gemeente.set_id("gemeente");
  gemeente.set_peer_address("there:1");
  politie.set_id("politie");
  politie.set_peer_address("there:2");
  EXPECT_EQ(AddressOf(gemeente, config.peer_addresses()), "here:1");
  EXPECT_EQ(AddressOf(politie, config.peer_addresses()), "there:2");
}

// The way to the broker, which follows the covenant.
class BrokerChannelTest : public OwnPartTest {
 protected:
  BrokerChannelTest() {
    region_.covenant().mutable_broker()->set_address("first:1");
    Next();
  }
  std::shared_ptr<BrokerChannel> Make(const std::string& configured) {
    auto made = BrokerChannel::Create(
        region_.authority(), configured,
        [this](const std::string& address,
               const std::string& urn) -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
          ++asked_;
          if (away_) return base::Error(absl::StatusCode::kInternal, base::reason::kFileUnreadable, "away");
          ways_.push_back(address + " " + urn);
          return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
        });
    EXPECT_THAT(made, base::testing::IsOk());
    return *made;
  }

  std::vector<std::string> ways_;
  int asked_ = 0;
  bool away_ = false;
};

TEST_F(BrokerChannelTest, BrokerThatMovesIsReachedAtItsNewAddress) {
  const auto broker = Make("");
  const auto before = broker->Now();
  EXPECT_EQ(broker->Now(), before);
  region_.covenant().mutable_broker()->set_address("moved:1");
  Next();
  const auto after = broker->source()();
  EXPECT_NE(after, before);
  EXPECT_EQ(broker->Now(), after);
  EXPECT_THAT(ways_, ElementsAre("first:1 " + broker_, "moved:1 " + broker_));
}

TEST_F(BrokerChannelTest, CovenantThatLeavesTheBrokerWhereItIsChangesNothing) {
  const auto broker = Make("");
  const auto before = broker->Now();
  region_.covenant().mutable_partners(1)->set_peer_address("elsewhere:1");
  Next();
  EXPECT_EQ(broker->Now(), before);
  EXPECT_EQ(asked_, 1);
}

TEST_F(BrokerChannelTest, ConfiguredAddressGoesBeforeThoseOfCovenants) {
  const auto broker = Make("here:1");
  const auto before = broker->Now();
  region_.covenant().mutable_broker()->set_address("moved:1");
  Next();
  EXPECT_EQ(broker->Now(), before);
  EXPECT_THAT(ways_, ElementsAre("here:1 " + broker_));
}

TEST_F(BrokerChannelTest, WayThatCannotBeMadeIsTriedAgain) {
  const auto broker = Make("");
  const auto before = broker->Now();
  region_.covenant().mutable_broker()->set_address("moved:1");
  Next();
  away_ = true;
  EXPECT_EQ(broker->Now(), before);
  EXPECT_EQ(broker->Now(), before);
  EXPECT_EQ(asked_, 3);
  away_ = false;
  EXPECT_NE(broker->Now(), before);
}

TEST_F(BrokerChannelTest, BrokerWithoutAnAddressIsAnErrorAtTheStart) {
  region_.covenant().mutable_broker()->clear_address();
  const auto next = Next();
  const auto never = [](const std::string&, const std::string&) {
    return absl::StatusOr<std::shared_ptr<grpc::Channel>>(nullptr);
  };
  EXPECT_THAT(BrokerChannel::Make(*next, "", never), base::testing::HasReason(base::reason::kConfigInvalid));
  EXPECT_THAT(BrokerChannel::Make(*next, "here:1", never), base::testing::IsOk());
}

}  // namespace
}  // namespace raakvlak::server

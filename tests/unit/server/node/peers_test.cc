#include "server/node/peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "client/testing/fake_key_share_client.h"
#include "server/node/holders.h"
#include "tests/support/region.h"

namespace raakvlak::node {
namespace {

using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PeersTest : public ::testing::Test {
 protected:
  PeersTest() {
    for (v1::Partner& partner : *region_.covenant().mutable_partners()) {
      partner.set_peer_address(partner.id() + ":1");
    }
    region_.Write();
    peers_ = std::make_unique<Peers>(
        "politie", own_share_, region_.authority(),
        [this](const v1::Partner& partner) {
          return overrides_.contains(partner.id()) ? overrides_[partner.id()] : partner.peer_address();
        },
        [this](const std::string& address,
               const std::string& urn) -> absl::StatusOr<std::unique_ptr<client::KeyShareClient>> {
          if (fail_.contains(address)) {
            return base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable, "no certificate");
          }
          connected_.push_back(address + " " + urn.substr(urn.rfind(':') + 1));
          return std::make_unique<client::testing::FakeKeyShareClient>();
        });
  }
  // Signs what was changed as the covenant that follows, and leaves its name in force.
  void NextCovenant() {
    const auto before = region_.authority().Current();
    region_.covenant().set_supersedes(base::Hex(before->covenant->id()));
    region_.covenant().set_version(before->covenant->text().version() + 1);
    region_.roster().set_number(region_.roster().number() + 1);
    region_.Write();
    ASSERT_THAT(region_.authority().Current(), base::testing::IsOk());
    ASSERT_EQ((*region_.authority().Current()).covenant->text().version(), region_.covenant().version());
  }
  std::set<std::string> Names() {
    std::set<std::string> names;
    const auto clients = peers_->Clients();
    for (const auto& [partner, client] : *clients) names.insert(partner);
    return names;
  }
  void AddFifth() {
    v1::Partner& fifth = *region_.covenant().add_partners();
    fifth.set_id("reclassering");
    fifth.set_name("Reclassering");
    // No key holder, so that it may leave without new keys.
    fifth.set_organisation(region_.covenant().partners(1).organisation());
    fifth.set_index(region_.covenant().partners(1).index());
    fifth.set_participant_class(v1::LID1);
    fifth.set_peer_address("reclassering:1");
    region_.GiveKeys(fifth);
  }

  TestRegion region_;
  client::testing::FakeKeyShareClient own_share_;
  std::map<std::string, std::string> overrides_;
  std::set<std::string> fail_;
  std::vector<std::string> connected_;
  std::unique_ptr<Peers> peers_;
};

TEST_F(PeersTest, PartnersOfTheCovenantAreReachedAndOwnShareIsNotOverTheNetwork) {
  EXPECT_THAT(Names(), UnorderedElementsAre("politie", "gemeente", "jeugdzorg", "woningcorporatie"));
  EXPECT_EQ(peers_->Clients()->at("politie").get(), &own_share_);
  EXPECT_THAT(connected_, ElementsAre("gemeente:1 gemeente", "jeugdzorg:1 jeugdzorg",
                                      "woningcorporatie:1 woningcorporatie"));
}

TEST_F(PeersTest, PartnerThatJoinsGetsAClientAndOthersKeepTheirs) {
  const auto before = peers_->Clients();
  connected_.clear();
  AddFifth();
  NextCovenant();
  EXPECT_TRUE(peers_->Clients()->contains("reclassering"));
  EXPECT_THAT(connected_, ElementsAre("reclassering:1 reclassering"));
  EXPECT_EQ(peers_->Clients()->at("gemeente"), before->at("gemeente"));
}

TEST_F(PeersTest, PartnerThatLeftIsDroppedAndItsCallsUnderWayGoOn) {
  AddFifth();
  NextCovenant();
  std::weak_ptr<client::KeyShareClient> left = peers_->Clients()->at("reclassering");
  std::shared_ptr<client::KeyShareClient> under_way = left.lock();
  region_.covenant().mutable_partners()->RemoveLast();
  NextCovenant();
  EXPECT_FALSE(peers_->Clients()->contains("reclassering"));
  EXPECT_FALSE(left.expired());
  under_way = nullptr;
  EXPECT_TRUE(left.expired());
}

TEST_F(PeersTest, ChangedAddressIsFollowedUnlessTheConfigurationSaysOtherwise) {
  overrides_["jeugdzorg"] = "here:2";
  const auto before = peers_->Clients();
  EXPECT_THAT(connected_, ::testing::Contains("here:2 jeugdzorg"));
  connected_.clear();
  region_.covenant().mutable_partners(1)->set_peer_address("gemeente:9");
  region_.covenant().mutable_partners(2)->set_peer_address("jeugdzorg:9");
  NextCovenant();
  const auto after = peers_->Clients();
  EXPECT_THAT(connected_, ElementsAre("gemeente:9 gemeente"));
  EXPECT_NE(after->at("gemeente"), before->at("gemeente"));
  EXPECT_EQ(after->at("jeugdzorg"), before->at("jeugdzorg"));
}

TEST_F(PeersTest, PeerWithoutAWayIsTriedAgain) {
  fail_.insert("gemeente:1");
  EXPECT_FALSE(peers_->Clients()->contains("gemeente"));
  EXPECT_TRUE(peers_->Clients()->contains("jeugdzorg"));
  fail_.clear();
  connected_.clear();
  EXPECT_TRUE(peers_->Clients()->contains("gemeente"));
  EXPECT_THAT(connected_, ElementsAre("gemeente:1 gemeente")) << "the others keep theirs";
  connected_.clear();
  peers_->Clients();
  EXPECT_THAT(connected_, IsEmpty());
}

TEST_F(PeersTest, WithNothingInForceTheLastClientsStay) {
  const auto before = peers_->Clients();
  region_.clock().Advance(absl::Hours(24 * 40));
  ASSERT_FALSE(region_.authority().Current().ok());
  EXPECT_EQ(peers_->Clients(), before);
}

}  // namespace
}  // namespace raakvlak::node

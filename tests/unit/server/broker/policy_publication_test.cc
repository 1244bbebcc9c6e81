#include "server/broker/policy_publication.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "gmock/gmock.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

class PolicyPublicationTest : public ::testing::Test {
 protected:
  // In force before the first test changes anything on disk.
  void SetUp() override { EXPECT_EQ(region_.Snapshot().Name(), "c1/r1"); }

  TestRegion& region() { return region_.region(); }
  static std::string ReadNote(const std::string& path) {
    return *base::ReadFile(path, crypto::note::kMaxNoteSize);
  }
  // The note that `write` leaves in the region's roster file, which then is as before.
  std::string RosterAfter(const std::function<void()>& write) {
    const std::string before = ReadNote(region().roster_path());
    write();
    const std::string note = ReadNote(region().roster_path());
    EXPECT_THAT(base::WriteFileAtomically(region().roster_path(), before, 0644), IsOk());
    return note;
  }
  std::string RosterThatSuspends(const std::string& partner) {
    return RosterAfter([&] { region().Suspend(partner); });
  }
  absl::StatusOr<v1::PublishResponse> Publish(const std::string& note) {
    v1::PublishRequest request;
    request.set_note(note);
    return publication_.Publish(region_.Node("gemeente"), request);
  }
  std::vector<std::string> Fetch(const std::vector<std::string>& known = {}) {
    v1::FetchPolicyRequest request;
    for (const std::string& note : known) request.add_known(base::Sha256(note));
    const auto response = publication_.FetchPolicy(region_.Node("gemeente"), request);
    EXPECT_THAT(response, IsOk());
    if (!response.ok()) return {};
    return {response->notes().begin(), response->notes().end()};
  }
  void ExpectRefused(const absl::Status& status, const char* why, const std::string& rpc) {
    EXPECT_THAT(status, HasReason(why));
    const auto refusals = store_.Audit("refuse");
    ASSERT_FALSE(refusals.empty());
    EXPECT_EQ(refusals.back().result, why);
    EXPECT_THAT(refusals.back().object, ::testing::StartsWith("/raakvlak.v1.Policy/" + rpc));
  }

  testing::BrokerRegion region_;
  testing::FailingStore store_;
  PolicyPublication publication_{store_, region().policy_folder(), region_.clock()};
};

TEST_F(PolicyPublicationTest, PublishedRosterWorksOnTheNextCall) {
  const std::string note = RosterThatSuspends("politie");
  const auto response = Publish(note);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->kind(), "roster");
  EXPECT_EQ(response->note_hash(), base::Sha256(note));
  EXPECT_EQ(region_.Snapshot().Name(), "c1/r2");
  EXPECT_TRUE(region_.Snapshot().IsOut("politie"));
  const auto entries = store_.Audit("policy_publish");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].object, "roster " + base::Hex(base::Sha256(note)));
  EXPECT_EQ(entries[0].actor, TestRegion::Urn("node", "gemeente"));
  EXPECT_EQ(entries[0].policy, "c1/r1");
}

TEST_F(PolicyPublicationTest, OlderRosterIsRefused) {
  const std::string suspends = RosterThatSuspends("politie");
  const std::string newer = RosterThatSuspends("jeugdzorg");
  ASSERT_THAT(Publish(newer), IsOk());
  ASSERT_EQ(region_.Snapshot().Name(), "c1/r3");
  ExpectRefused(Publish(suspends).status(), reason::kRosterOutdated, "Publish");
  EXPECT_EQ(region_.Snapshot().Name(), "c1/r3");
}

TEST_F(PolicyPublicationTest, WhatIsNoGoodNoteIsRefusedAndNotKept) {
  const size_t before = policy::ReadNotes(region().policy_folder())->size();
  ExpectRefused(Publish("no note").status(), reason::kMalformed, "Publish");
  ExpectRefused(Publish(std::string(PolicyPublication::kMaxNote + 1, 'x')).status(), reason::kTooLarge,
                "Publish");
  std::string altered = RosterThatSuspends("politie");
  const size_t at = altered.find("politie");
  ASSERT_NE(at, std::string::npos);
  // Still a partner.
  altered.replace(altered.find("\"politie\""), 9, "\"gemeente\"");
  ExpectRefused(Publish(altered).status(), reason::kSignatureInvalid, "Publish");
  EXPECT_EQ(policy::ReadNotes(region().policy_folder())->size(), before);
  EXPECT_THAT(store_.Audit("policy_publish"), IsEmpty());
}

TEST_F(PolicyPublicationTest, NothingIsInForceWithoutItsEntry) {
  const std::string note = RosterThatSuspends("politie");
  store_.FailWrites(testing::FailingStore::Fail::kBefore);
  EXPECT_THAT(Publish(note), HasReason(reason::kStorageFailed));
  EXPECT_EQ(region_.Snapshot().Name(), "c1/r1");
  store_.FailWrites(testing::FailingStore::Fail::kNever);
  EXPECT_THAT(Publish(note), IsOk());
  EXPECT_EQ(region_.Snapshot().Name(), "c1/r2");
}

TEST_F(PolicyPublicationTest, CovenantComesInForceWithItsRosterAndBothAreHandedOutInOrder) {
  const std::string first = ReadNote(region().covenant_path());
  const std::string first_roster = ReadNote(region().roster_path());
  region().NextCovenant();
  const std::string covenant = crypto::note::Format(region().CovenantNote());
  ASSERT_THAT(Publish(covenant), IsOk());
  EXPECT_EQ(region_.Snapshot().Name(), "c1/r1");
  const std::string roster = RosterAfter([&] {
    region().roster().set_number(2);
    region().Write();
    EXPECT_THAT(base::WriteFileAtomically(region().covenant_path(), first, 0644), IsOk());
  });
  ASSERT_THAT(Publish(roster), IsOk());
  EXPECT_EQ(region_.Snapshot().Name(), "c2/r2");
  EXPECT_THAT(Fetch(), ElementsAre(first, covenant, roster));
  EXPECT_THAT(Fetch({first, roster}), ElementsAre(covenant));
}

TEST_F(PolicyPublicationTest, PartnerThatWithdrawsIsOut) {
  const policy::Snapshot snapshot = region_.Snapshot();
  const std::string urn = TestRegion::Urn("node", "politie");
  crypto::note::Note note;
  note.text = policy::WithdrawalText(snapshot.covenant->id(), "politie");
  crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, region().KeyOf(urn).public_key()),
                     region().KeyOf(urn));
  const auto response = Publish(crypto::note::Format(note));
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->kind(), "withdrawal");
  EXPECT_TRUE(region_.Snapshot().IsOut("politie"));
  EXPECT_EQ(Fetch().back(), crypto::note::Format(note));
}

TEST_F(PolicyPublicationTest, FilesOfTheBrokerAreHandedOutToWhoLostTheirs) {
  EXPECT_THAT(Fetch(), ElementsAre(ReadNote(region().covenant_path()), ReadNote(region().roster_path())));
  EXPECT_THAT(store_.Audit(), IsEmpty());
}

TEST_F(PolicyPublicationTest, RosterThatIsNoLongerInForceIsNotHandedOut) {
  const std::string old = ReadNote(region().roster_path());
  const std::string newer = RosterThatSuspends("jeugdzorg");
  ASSERT_THAT(Publish(newer), IsOk());
  EXPECT_THAT(Fetch(), ElementsAre(ReadNote(region().covenant_path()), newer));
}

TEST_F(PolicyPublicationTest, PublishedAgainIsTheSameAsOnce) {
  const std::string note = RosterThatSuspends("politie");
  ASSERT_THAT(Publish(note), IsOk());
  ASSERT_THAT(Publish(note), IsOk());
  EXPECT_THAT(Fetch({ReadNote(region().covenant_path())}), ElementsAre(note));
  EXPECT_EQ(store_.Audit("policy_publish").size(), 2u);
}

TEST_F(PolicyPublicationTest, TooMuchThatIsKnownIsRefused) {
  v1::FetchPolicyRequest request;
  request.add_known("short");
  ExpectRefused(publication_.FetchPolicy(region_.Node("gemeente"), request).status(),
                reason::kInvalidArgument, "FetchPolicy");
  request.clear_known();
  for (int i = 0; i <= server::PolicyReading::kMaxKnown; ++i)
    request.add_known(base::Sha256(std::to_string(i)));
  ExpectRefused(publication_.FetchPolicy(region_.Node("gemeente"), request).status(), reason::kTooLarge,
                "FetchPolicy");
}

}  // namespace
}  // namespace raakvlak::broker

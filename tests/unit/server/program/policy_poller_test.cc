#include "server/program/policy_poller.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/testing/fake_policy_client.h"
#include "crypto/note/note.h"
#include "gmock/gmock.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::server {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

// A broker that hands out `notes_` in that order, whatever is good about them.
class PolicyPollerTest : public ::testing::Test {
 protected:
  PolicyPollerTest() {
    region_.Write();
    EXPECT_EQ(Policy(), "c1/r1");
    auto client = std::make_unique<client::testing::FakePolicyClient>();
    client->on_fetch = [this](const v1::FetchPolicyRequest& request) { return Answer(request); };
    poller_ = std::make_unique<PolicyPoller>(std::move(client), region_.authority(), region_.policy_folder(),
                                             region_.clock(), *region_.authority().Current());
  }

  absl::StatusOr<v1::FetchPolicyResponse> Answer(const v1::FetchPolicyRequest& request) {
    if (away_) return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away");
    v1::FetchPolicyResponse response;
    for (const std::string& note : notes_) {
      const std::string hash = base::Sha256(note);
      if (std::find(request.known().begin(), request.known().end(), hash) == request.known().end())
        response.add_notes(note);
    }
    sent_ = response.notes_size();
    return response;
  }
  // How many notes were kept; -1 for an error.
  int Run() {
    const auto kept = poller_->RunOnce();
    EXPECT_THAT(kept, IsOk());
    return kept.ok() ? *kept : -1;
  }
  std::string Policy() {
    const auto snapshot = region_.authority().Current();
    return snapshot.ok() ? snapshot->Name() : base::ReasonOf(snapshot.status());
  }
  static std::string ReadNote(const std::string& path) {
    return *base::ReadFile(path, crypto::note::kMaxNoteSize);
  }
  // The roster that `write` leaves in the region's files, which then are as before.
  std::string RosterAfter(const std::function<void()>& write) {
    const std::string covenant = ReadNote(region_.covenant_path());
    const std::string roster = ReadNote(region_.roster_path());
    write();
    std::string note = ReadNote(region_.roster_path());
    EXPECT_THAT(base::WriteFileAtomically(region_.covenant_path(), covenant, 0644), IsOk());
    EXPECT_THAT(base::WriteFileAtomically(region_.roster_path(), roster, 0644), IsOk());
    return note;
  }
  std::string RosterThatSuspends(const std::string& partner) {
    return RosterAfter([&] { region_.Suspend(partner); });
  }

  TestRegion region_;
  std::vector<std::string> notes_;
  bool away_ = false;
  int sent_ = 0;
  std::unique_ptr<PolicyPoller> poller_;
};

TEST_F(PolicyPollerTest, NewRosterIsInForceAndAskedForOnce) {
  notes_ = {RosterThatSuspends("politie")};
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(Policy(), "c1/r2");
  EXPECT_TRUE(region_.authority().Current()->IsOut("politie"));
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(sent_, 0);
}

TEST_F(PolicyPollerTest, CovenantAndItsRosterAreTakenInWhateverOrderTheyCome) {
  region_.NextCovenant();
  const std::string covenant = crypto::note::Format(region_.CovenantNote());
  const std::string roster = RosterAfter([&] {
    region_.roster().set_number(2);
    region_.Write();
  });
  notes_ = {roster, covenant};
  EXPECT_EQ(Run(), 2);
  EXPECT_EQ(Policy(), "c2/r2");
}

TEST_F(PolicyPollerTest, NoteThatIsNotGoodIsNotKeptAndAskedForNoMore) {
  std::string altered = RosterThatSuspends("politie");
  altered.replace(altered.find("\"politie\""), 9, "\"gemeente\"");
  notes_ = {altered, "no note"};
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(sent_, 2);
  EXPECT_EQ(Policy(), "c1/r1");
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(sent_, 0);
}

TEST_F(PolicyPollerTest, NoteThatWasNotGoodIsAskedForAgainWhenAnotherOneWasTaken) {
  const std::string covenant = [&] {
    region_.NextCovenant();
    return crypto::note::Format(region_.CovenantNote());
  }();
  const std::string roster = RosterAfter([&] {
    region_.roster().set_number(2);
    region_.Write();
  });
  notes_ = {roster};
  EXPECT_EQ(Run(), 0);
  notes_ = {roster, covenant};
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(Policy(), "c2/r2");
}

TEST_F(PolicyPollerTest, OlderRosterIsNotTaken) {
  const std::string older = RosterThatSuspends("politie");
  notes_ = {RosterThatSuspends("jeugdzorg")};
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(Policy(), "c1/r3");
  notes_ = {older};
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(Policy(), "c1/r3");
}

TEST_F(PolicyPollerTest, RosterIsTakenAlsoWhenTheLastOneHasExpired) {
  region_.clock().Advance(absl::Hours(24 * 40));
  ASSERT_EQ(Policy(), base::reason::kRosterExpired);
  notes_ = {RosterAfter([&] {
    region_.roster().set_number(2);
    const absl::Time now = region_.clock().Now();
    region_.roster().set_issued(policy::FormatUtc(now));
    region_.roster().set_expires(policy::FormatUtc(now + absl::Hours(24 * 30)));
    region_.Write();
  })};
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(Policy(), "c1/r2");
}

TEST_F(PolicyPollerTest, BrokerThatIsAwayIsAskedAgain) {
  notes_ = {RosterThatSuspends("politie")};
  away_ = true;
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(poller_->RunOnce(), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(poller_->RunOnce(), HasReason(base::reason::kUnavailable));
  away_ = false;
  EXPECT_EQ(Run(), 1);
  const std::string log = ::testing::internal::GetCapturedStderr();
  const auto count = [&](const std::string& event) {
    size_t found = 0;
    for (size_t at = log.find(event); at != std::string::npos; at = log.find(event, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("policy.not_fetched"), 1u);
  EXPECT_EQ(count("policy.fetched_again"), 1u);
  EXPECT_EQ(Policy(), "c1/r2");
}

TEST_F(PolicyPollerTest, FloodOfNotesThatAreNotGoodFillsNeitherMemoryNorTheLog) {
  for (int i = 0; i < 1'100; ++i) notes_.push_back("no note " + std::to_string(i));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(Run(), 0);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1'000);
  notes_ = {RosterThatSuspends("politie")};
  EXPECT_EQ(Run(), 1);
}

}  // namespace
}  // namespace raakvlak::server

// CeremonyDriver when a machine stops: at each write, and around each post.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/node/ceremony_driver.h"
#include "tests/unit/server/node/ceremony_world.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using testing::CeremonyWorld;
using testing::FlakyStore;
using testing::SharedRegion;

// A crash at every write of the store, before and after it, and around every call to the relay, at each node:
// the node is started again from its disk, and all come to one key.
class CeremonyCrashTest : public ::testing::Test {
 protected:
  // Runs a ceremony in which `partner` stops at the write or call with number `at`. Returns false when it
  // never came to that.
  static bool RunWithCrash(const std::string& kind, const std::string& partner, const std::string& where,
                           int at) {
    CeremonyWorld world(SharedRegion());
    const size_t keys_made = kind == "generate" ? 1 : 2;
    crypto::group::Scalar key;
    if (kind != "generate") {
      world.Begin("generate");
      world.Step();
      key = world.KeyInUse();
      world.relay().ceremonies.clear();
    }
    CeremonyWorld::Node& node = world.node(partner);
    bool dead = false;
    int calls = 0;
    if (where == "before write" || where == "after write") {
      node.flaky = std::make_unique<FlakyStore>(
          *node.store, at, where == "before write" ? FlakyStore::When::kBefore : FlakyStore::When::kAfter);
      world.Restart(partner);
    } else {
      auto& hook = where == "before call" ? world.relay().before : world.relay().after;
      hook = [&](const std::string& caller, const std::string& method) -> absl::Status {
        if (caller != partner || (method != "Post" && !dead)) return absl::OkStatus();
        if (dead || ++calls == at) {
          dead = true;
          return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "the machine stopped");
        }
        return absl::OkStatus();
      };
    }
    std::string id;
    bool crashed = false;
    for (int round = 0; round < 40; ++round) {
      if (id.empty()) {
        const auto started = world.Propose("gemeente", kind);
        if (started.ok()) id = started->ceremony_id();
        // The answer may have been lost, and the ceremony be under way all the same.
        for (const v1::CeremonyState& state : world.node("gemeente").driver->List())
          if (state.state() == "running" || state.state() == "signing") id = state.ceremony_id();
      }
      for (const std::string& one : world.partners()) {
        if (!id.empty()) world.Approve(one, id).status().IgnoreError();
        world.node(one).driver->Step();
      }
      if (dead || (node.flaky != nullptr && node.flaky->failed())) {
        crashed = true;
        dead = false;
        calls = at;
        node.flaky = nullptr;
        world.Restart(partner);
      }
    }
    // A proposal that was not stored before the crash stands beside the one that came to its end.
    int done = 0;
    for (const auto& ceremony : world.relay().ceremonies)
      done += world.StateAt("politie", ceremony.id).state() == "done";
    EXPECT_EQ(done, 1) << partner << ", " << where << " " << at;
    for (const auto& ceremony : world.relay().ceremonies) {
      for (const std::string& one : world.partners()) {
        const std::string state = world.StateAt(one, ceremony.id).state();
        EXPECT_EQ(state, world.StateAt("politie", ceremony.id).state()) << one;
        EXPECT_TRUE(state == "done" || state == "refused")
            << one << ": " << state << "; " << partner << ", " << where << " " << at;
      }
    }
    for (const std::string& one : world.partners()) {
      EXPECT_EQ(world.EntriesAt(one, "key_made").size(), keys_made)
          << one << "; " << partner << ", " << where << " " << at;
    }
    const auto key_after = world.KeyInUse();
    EXPECT_TRUE(kind == "generate" || key_after == key);
    EXPECT_EQ(world.KeysetAt("politie")->text().generation, keys_made);
    // Nobody ever said two things.
    std::map<std::pair<std::string, char>, std::string> said;
    for (const auto& message : world.relay().ceremonies.back().messages) {
      const auto [place, is_new] =
          said.emplace(std::pair(message.sender, message.message.body()[0]), message.message.body());
      EXPECT_TRUE(is_new || place->second == message.message.body()) << message.sender;
    }
    return crashed;
  }

  static void Sweep(const std::string& where, const std::string& kind = "generate") {
    for (const char* partner : {"gemeente", "politie"}) {
      int at = 1;
      while (RunWithCrash(kind, partner, where, at)) ++at;
      EXPECT_GT(at, 5) << partner << " " << where << ": too few points of failure were reached";
      EXPECT_FALSE(::testing::Test::HasFailure()) << partner << " " << where;
    }
  }
};

TEST_F(CeremonyCrashTest, BeforeEachWrite) { Sweep("before write"); }
TEST_F(CeremonyCrashTest, AfterEachWrite) { Sweep("after write"); }
TEST_F(CeremonyCrashTest, BeforeEachPost) { Sweep("before call"); }
TEST_F(CeremonyCrashTest, AfterEachPost) { Sweep("after call"); }
TEST_F(CeremonyCrashTest, BeforeEachWriteOfARefresh) { Sweep("before write", "refresh"); }
TEST_F(CeremonyCrashTest, AfterEachWriteOfARefresh) { Sweep("after write", "refresh"); }

TEST(CeremonyRefusalTest, AReasonWhyTheBrokerTurnsANodeAwayIsLoggedOnce) {
  CeremonyWorld world(SharedRegion());
  const char* refused = reason::kNotAllowed;
  world.relay().before = [&](const std::string&, const std::string&) {
    return base::Error(absl::StatusCode::kPermissionDenied, refused, "not in");
  };
  const auto said = [&] {
    ::testing::internal::CaptureStderr();
    world.Step(5);
    const std::string log = ::testing::internal::GetCapturedStderr();
    const std::vector<std::string> parts = absl::StrSplit(log, "node.ceremony_waits");
    return parts.size() - 1;
  };
  EXPECT_EQ(said(), world.partners().size());
  EXPECT_EQ(said(), 0u);
  refused = reason::kPartnerSuspended;
  EXPECT_EQ(said(), world.partners().size());
}

}  // namespace
}  // namespace raakvlak::node

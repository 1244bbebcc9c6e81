#include "cli/audit_commands.h"

#include "gmock/gmock.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::World;

class AuditCommandsTest : public ::testing::Test {
 protected:
  AuditCommandsTest() {
    world_.audit.on_list = [this](const v1::ListEntriesRequest& request) {
      requests_.push_back(request);
      v1::ListEntriesResponse response;
      uint64_t newest = request.page_token().empty() ? kEntries : std::stoull(request.page_token());
      for (uint32_t i = 0; i < std::min<uint32_t>(request.page_size(), 7) && newest > 0; ++i) {
        v1::AuditEntry& entry = *response.add_entries();
        entry.set_index(--newest);
        entry.set_time_ms(1'767'225'600'000);
        entry.set_actor("urn:raakvlak:demo:staff:anna");
        entry.set_role("staff");
        entry.set_action("open");
        entry.set_object("3f9a6c21");
        entry.set_purpose("onaantastbaren");
        entry.set_case_reference("ZVH-1");
        entry.set_reason("overleg\x1b[2J");
        entry.set_result("OK");
        entry.set_count(2);
        entry.set_policy("c1/r1");
      }
      if (newest > 0) response.set_next_page_token(std::to_string(newest));
      return response;
    };
  }

  static constexpr uint64_t kEntries = 25;
  World world_;
  std::vector<v1::ListEntriesRequest> requests_;
};

TEST_F(AuditCommandsTest, TheNewestEntryIsLast) {
  const auto json = world_.RunAs("officer", {"--json", "audit", "list"}).json();
  ASSERT_EQ(json["entries"].size(), kEntries);
  for (size_t i = 0; i < kEntries; ++i) EXPECT_EQ(json["entries"][i]["index"], i);
  EXPECT_TRUE(requests_.front().newest_first());
}

TEST_F(AuditCommandsTest, LimitTakesTheNewest) {
  const auto json = world_.RunAs("officer", {"--json", "audit", "list", "--limit", "9"}).json();
  ASSERT_EQ(json["entries"].size(), 9u);
  EXPECT_EQ(json["entries"][0]["index"], 16);
  EXPECT_EQ(json["entries"][8]["index"], 24);
  EXPECT_EQ(requests_.size(), 2u);
  EXPECT_EQ(requests_[1].page_size(), 2u);
}

TEST_F(AuditCommandsTest, FiltersArePassedOn) {
  const Outcome outcome = world_.RunAs(
      "officer", {"audit", "list", "--actor", "a", "--action", "open", "--purpose", "p", "--case", "c",
                  "--result", "OK", "--since", "2026-01-01", "--until", "2026-01-01T02:00:00+01:00"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kOk);
  const v1::ListEntriesRequest& request = requests_.front();
  EXPECT_EQ(request.actor(), "a");
  EXPECT_EQ(request.action(), "open");
  EXPECT_EQ(request.purpose(), "p");
  EXPECT_EQ(request.case_reference(), "c");
  EXPECT_EQ(request.result(), "OK");
  EXPECT_EQ(request.from_ms(), 1'767'225'600'000);
  EXPECT_EQ(request.until_ms(), 1'767'225'600'000 + 3'600'000);
}

TEST_F(AuditCommandsTest, TheTableShowsWhoDidWhatWhenAndWhySafely) {
  const Outcome outcome = world_.RunAs("officer", {"audit", "list", "--limit", "1"});
  EXPECT_THAT(outcome.out,
              HasSubstr("24     2026-01-01T00:00:00.000Z  urn:raakvlak:demo:staff:anna  open    3f9a6c21  "
                        "onaantastbaren  ZVH-1  2      OK      overleg [2J\n"));
}

TEST_F(AuditCommandsTest, ATimeThatIsNoneIsAUsageErrorAndAsksNobody) {
  for (const char* time : {"yesterday", "2026-13-01", "2026-01-01T00:00:00", "1"}) {
    EXPECT_EQ(world_.RunAs("officer", {"audit", "list", "--since", time}).exit_code, ExitCode::kUsage)
        << time;
  }
  EXPECT_TRUE(requests_.empty());
}

TEST_F(AuditCommandsTest, ARefusalIsDenied) {
  world_.audit.on_list = [](const v1::ListEntriesRequest&) -> absl::StatusOr<v1::ListEntriesResponse> {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed, "no");
  };
  EXPECT_EQ(world_.RunAs("staff", {"audit", "list"}).exit_code, ExitCode::kDenied);
}

}  // namespace
}  // namespace raakvlak::cli

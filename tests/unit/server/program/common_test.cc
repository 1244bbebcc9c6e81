#include "server/program/common.h"

#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/strict_parse.h"
#include "tests/support/pki.h"
#include "tests/support/region.h"

namespace raakvlak::server {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
namespace reason = base::reason;

class CommonTest : public ::testing::Test {
 protected:
  CommonTest() {
    const rpc::TlsFiles files = pki_.Issue(testing::TestRegion::Urn("hub", "veiligheidshuis"));
    common_.set_covenant(region_.covenant_path());
    common_.set_roster(region_.roster_path());
    common_.set_tls_certificate(files.certificate);
    common_.set_tls_key(files.key);
    common_.set_tls_authority(files.authority);
    common_.set_state(folder_.File("state"));
    common_.set_details_key(folder_.File("details"));
    common_.set_signer_socket(folder_.File("signer.sock"));
  }
  testing::TestPki pki_;
  testing::TestRegion region_;
  base::testing::TemporaryFolder folder_;
  v1::Common common_;
};

TEST_F(CommonTest, EachMissingFieldIsNamed) {
  EXPECT_THAT(CheckRequired(common_, {{"listen", "127.0.0.1:0"}}), IsOk());
  const std::pair<const char*, std::function<void(v1::Common&)>> fields[] = {
      {"common.covenant", [](v1::Common& common) { common.clear_covenant(); }},
      {"common.roster", [](v1::Common& common) { common.clear_roster(); }},
      {"common.tls_certificate", [](v1::Common& common) { common.clear_tls_certificate(); }},
      {"common.tls_key", [](v1::Common& common) { common.clear_tls_key(); }},
      {"common.tls_authority", [](v1::Common& common) { common.clear_tls_authority(); }},
      {"common.state", [](v1::Common& common) { common.clear_state(); }},
      {"common.details_key", [](v1::Common& common) { common.clear_details_key(); }},
      {"common.signer_socket", [](v1::Common& common) { common.clear_signer_socket(); }},
  };
  for (const auto& [name, clear] : fields) {
    v1::Common incomplete = common_;
    clear(incomplete);
    const absl::Status status = CheckRequired(incomplete, {});
    EXPECT_THAT(status, HasReason(reason::kConfigInvalid));
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
  const absl::Status status = CheckRequired(common_, {{"listen", "127.0.0.1:0"}, {"keysets", ""}});
  EXPECT_THAT(status, HasReason(reason::kConfigInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("keysets"));
}

TEST_F(CommonTest, GoodFilesGiveWhatWouldBeInForceAndTouchNoState) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const policy::Snapshot snapshot, CheckFiles(common_, region_.clock()));
  EXPECT_EQ(snapshot.Name(), "c1/r1");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(CommonTest, BadFilesAreRefused) {
  v1::Common bad = common_;
  bad.set_covenant(folder_.File("none"));
  EXPECT_THAT(CheckFiles(bad, region_.clock()), HasReason(reason::kFileUnreadable));
  bad = common_;
  bad.set_tls_key(pki_.Issue(testing::TestRegion::Urn("hub", "other")).key);
  EXPECT_THAT(CheckFiles(bad, region_.clock()), HasReason(reason::kConfigInvalid));
  region_.clock().Advance(absl::Hours(24 * 40));
  EXPECT_THAT(CheckFiles(common_, region_.clock()), HasReason(reason::kRosterExpired));
}

TEST_F(CommonTest, ThreadsAreAsAskedWithinBounds) {
  EXPECT_GE(ThreadsOf(common_), 2);
  common_.set_threads(1);
  EXPECT_EQ(ThreadsOf(common_), 1);
  common_.set_threads(4'000'000'000u);
  EXPECT_EQ(ThreadsOf(common_), 1024);
}

// A sample shows every option of its message, Common's too.
template <typename Config>
void CheckSample(const std::string& name) {
  const std::string path = std::string(RAAKVLAK_SOURCE_DIR) + "/deploy/config/" + name;
  Config config;
  ASSERT_THAT(policy::ReadConfigFile(path, config), IsOk());
  const std::string text = *base::ReadFile(path);
  for (const google::protobuf::Descriptor* message : {Config::descriptor(), v1::Common::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      EXPECT_THAT(text, HasSubstr(message->field(i)->name())) << path;
    }
  }
  EXPECT_THAT(CheckRequired(config.common(), {{"listen", config.listen()}}), IsOk());
}

TEST(ConfigSampleTest, SamplesParseAndShowEveryOption) {
  CheckSample<v1::BrokerConfig>("broker.textproto");
  CheckSample<v1::HubConfig>("hub.textproto");
}

}  // namespace
}  // namespace raakvlak::server

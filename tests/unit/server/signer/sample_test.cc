// deploy/config/signer.textproto parses and shows every option.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "policy/strict_parse.h"
#include "raakvlak/v1/config.pb.h"

namespace raakvlak::signer {
namespace {

TEST(SignerSampleTest, ParsesAndShowsEveryOption) {
  const std::string path = RAAKVLAK_SOURCE_DIR "/deploy/config/signer.textproto";
  v1::SignerConfig config;
  ASSERT_THAT(policy::ReadConfigFile(path, config), base::testing::IsOk());
  const std::string text = *base::ReadFile(path);
  const google::protobuf::Descriptor& message = *v1::SignerConfig::descriptor();
  for (int i = 0; i < message.field_count(); ++i) {
    EXPECT_THAT(text, ::testing::HasSubstr("\n" + message.field(i)->name() + ": "));
  }
}

}  // namespace
}  // namespace raakvlak::signer

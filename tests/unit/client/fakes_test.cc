#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/testing/fake_exchange_client.h"
#include "client/testing/fake_key_share_client.h"
#include "client/testing/fake_matches_client.h"
#include "client/testing/fake_policy_client.h"
#include "gtest/gtest.h"

namespace raakvlak::client::testing {
namespace {

using base::testing::HasReason;

constexpr absl::Duration kTimeout = absl::Seconds(1);

TEST(FakeClientsTest, MethodThatIsNotProgrammedIsUnavailable) {
  EXPECT_THAT(FakeExchangeClient().Submit({}, kTimeout), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakeExchangeClient().Withdraw({}, kTimeout), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakeKeyShareClient().Evaluate({}, kTimeout), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakeMatchesClient().List({}, kTimeout, ""), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakeMatchesClient().Open({}, kTimeout, ""), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakePolicyClient().Publish({}, kTimeout), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(FakePolicyClient().FetchPolicy({}, kTimeout), HasReason(base::reason::kUnavailable));
}

TEST(FakeClientsTest, ProgrammedMethodSeesTheRequest) {
  FakeKeyShareClient fake;
  fake.on_evaluate = [](const v1::EvaluateRequest& request) {
    v1::EvaluateResponse response;
    response.set_evaluated(request.elements());
    return response;
  };
  v1::EvaluateRequest request;
  request.set_elements("elements");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, fake.Evaluate(request, kTimeout));
  EXPECT_EQ(response.evaluated(), "elements");
}

}  // namespace
}  // namespace raakvlak::client::testing

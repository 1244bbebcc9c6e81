#include "rpc/status.h"

#include "base/file.h"
#include "tests/unit/rpc/fixture.h"

namespace raakvlak::rpc {
namespace {

// Every code of base/reason.h, read from its text: the first string after each "constexpr char k".
std::vector<std::string> AllReasons() {
  const std::string text = *base::ReadFile(RAAKVLAK_SOURCE_DIR "/base/reason.h");
  std::vector<std::string> reasons;
  for (size_t at = text.find("constexpr char k"); at != std::string::npos;
       at = text.find("constexpr char k", at)) {
    const size_t begin = text.find('"', at) + 1;
    at = text.find('"', begin);
    reasons.push_back(text.substr(begin, at - begin));
  }
  return reasons;
}

class StatusTest : public RpcFixture {
 protected:
  // What a client sees of an error of the core.
  absl::Status RoundTrip(const absl::Status& error) {
    exchange_.core = [error](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
      return error;
    };
    return Submit(channel_).status();
  }
  const std::shared_ptr<grpc::Channel> channel_ = ChannelAs("node", "politie");
};

TEST_F(StatusTest, EveryReasonReachesThePeer) {
  const std::vector<std::string> reasons = AllReasons();
  ASSERT_GE(reasons.size(), 67u);
  for (const std::string& reason : reasons) {
    EXPECT_THAT(RoundTrip(base::Error(absl::StatusCode::kFailedPrecondition, reason, "why")),
                HasReason(reason));
  }
}

TEST_F(StatusTest, EveryCodeAndTheMessageReachThePeer) {
  for (int code = 1; code <= 16; ++code) {
    const auto error =
        base::Error(static_cast<absl::StatusCode>(code), base::reason::kNotFound, "no caf\xC3\xA9\n%");
    const absl::Status seen = RoundTrip(error);
    EXPECT_THAT(seen, HasReason(base::reason::kNotFound));
    EXPECT_EQ(seen.message(), error.message());
    // Our clients do not cancel, so to them a cancelled call is one cut off, unless the server says why.
    EXPECT_EQ(seen.code(), error.code());
  }
}

TEST_F(StatusTest, CryptographicFailuresLookTheSameWhateverTheyWere) {
  const struct {
    const char* reason;
    absl::StatusCode code;
    const char* message;
  } rows[] = {
      {base::reason::kVerificationFailed, absl::StatusCode::kFailedPrecondition, "verification failed"},
      {base::reason::kSignatureInvalid, absl::StatusCode::kPermissionDenied, "signature invalid"},
      {base::reason::kInternal, absl::StatusCode::kInternal, "internal error"},
      {base::reason::kStorageFailed, absl::StatusCode::kUnavailable, "storage failed"},
  };
  for (const auto& row : rows) {
    for (const auto code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kDataLoss}) {
      const absl::Status seen = RoundTrip(base::Error(code, row.reason, "share 3 of politie, secret detail"));
      EXPECT_THAT(seen, HasReason(row.reason));
      EXPECT_EQ(seen.code(), row.code);
      EXPECT_EQ(seen.message(), row.message);
    }
  }
}

TEST_F(StatusTest, ErrorMadeWithoutReasonIsInternalAndTellsNothing) {
  const absl::Status seen = RoundTrip(absl::NotFoundError("row 7 of signals"));
  EXPECT_THAT(seen, HasReason(base::reason::kInternal));
  EXPECT_EQ(seen.message(), "internal error");
}

TEST_F(StatusTest, LongMessageIsCutAndStillArrives) {
  const absl::Status seen = RoundTrip(base::Error(
      absl::StatusCode::kInvalidArgument, base::reason::kCovenantInvalid, std::string(100'000, '\n')));
  EXPECT_THAT(seen, HasReason(base::reason::kCovenantInvalid));
  EXPECT_EQ(seen.message(), std::string(kMaxMessageSize, '\n'));
}

TEST(StatusMappingTest, FailuresThatGrpcMadeItselfGetAReason) {
  const grpc::ClientContext context;
  const struct {
    grpc::StatusCode code;
    const char* reason;
    absl::StatusCode shown;
  } rows[] = {
      {grpc::StatusCode::UNAVAILABLE, base::reason::kUnavailable, absl::StatusCode::kUnavailable},
      {grpc::StatusCode::CANCELLED, base::reason::kUnavailable, absl::StatusCode::kUnavailable},
      {grpc::StatusCode::DEADLINE_EXCEEDED, base::reason::kDeadlineExceeded,
       absl::StatusCode::kDeadlineExceeded},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, base::reason::kTooLarge, absl::StatusCode::kResourceExhausted},
      {grpc::StatusCode::UNIMPLEMENTED, base::reason::kInternal, absl::StatusCode::kUnimplemented},
      {grpc::StatusCode::UNKNOWN, base::reason::kInternal, absl::StatusCode::kUnknown},
  };
  for (const auto& row : rows) {
    const absl::Status status = FromGrpc(grpc::Status(row.code, "message"), context);
    EXPECT_THAT(status, HasReason(row.reason)) << row.code;
    EXPECT_EQ(status.code(), row.shown) << row.code;
  }
  EXPECT_THAT(FromGrpc(grpc::Status::OK, context), IsOk());
}

TEST(StatusMappingTest, OkStaysOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(StatusMappingTest, OnlyConcealedErrorsNeedTheLog) {
  EXPECT_TRUE(IsConcealed(absl::InternalError("x")));
  EXPECT_TRUE(IsConcealed(base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "x")));
  EXPECT_FALSE(IsConcealed(base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound, "x")));
  EXPECT_FALSE(IsConcealed(absl::OkStatus()));
}

}  // namespace
}  // namespace raakvlak::rpc

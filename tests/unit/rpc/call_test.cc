#include "rpc/call.h"

#include <grpcpp/generic/generic_stub.h>

#include <future>

#include "rpc/client_call.h"
#include "tests/unit/rpc/fixture.h"

namespace raakvlak::rpc {
namespace {

class CallTest : public RpcFixture {
 protected:
  // Submits without our client, so that the context is the test's.
  absl::Status SubmitRaw(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                         const v1::SubmitRequest& request = v1::SubmitRequest()) {
    v1::SubmitResponse response;
    const auto stub = v1::Exchange::NewStub(channel);
    return FromGrpc(stub->Submit(&context, request, &response), context);
  }
};

TEST_F(CallTest, PermittedCallReachesTheCoreWithItsCaller) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, Submit(ChannelAs("node", "politie")));
  ASSERT_EQ(response.receipts_size(), 1);
  EXPECT_EQ(response.receipts(0).reason(), TestRegion::Urn("node", "politie"));
  EXPECT_TRUE(refusals_.lines().empty());
}

TEST_F(CallTest, RefusalIsLoggedAndCarriesItsReason) {
  const auto response = Submit(ChannelAs("hub", "veiligheidshuis"));
  EXPECT_THAT(response, HasReason(base::reason::kNotAllowed));
  EXPECT_EQ(response.status().code(), absl::StatusCode::kPermissionDenied);
  const auto lines = refusals_.lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].actor, TestRegion::Urn("hub", "veiligheidshuis"));
  EXPECT_EQ(lines[0].role, "hub");
  EXPECT_EQ(lines[0].method, kSubmit);
  EXPECT_EQ(lines[0].reason, base::reason::kNotAllowed);
}

TEST_F(CallTest, RefusalThatCannotBeLoggedIsStorageFailed) {
  refusals_.failing = true;
  EXPECT_THAT(Submit(ChannelAs("hub", "veiligheidshuis")), HasReason(base::reason::kStorageFailed));
}

TEST_F(CallTest, CertificateWithTwoUriNamesIsUnauthenticated) {
  const auto files =
      pki_.IssueNames({TestRegion::Urn("node", "politie"), TestRegion::Urn("node", "gemeente")});
  EXPECT_THAT(Submit(ChannelAs(files)), HasReason(base::reason::kUnauthenticated));
  const auto lines = refusals_.lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].actor.substr(0, 15), "ipv4:127.0.0.1:");
  EXPECT_EQ(lines[0].role, "");
}

TEST_F(CallTest, CertificateWithoutUriNameIsUnauthenticated) {
  EXPECT_THAT(Submit(ChannelAs(pki_.IssueNames({}))), HasReason(base::reason::kUnauthenticated));
}

TEST_F(CallTest, SuspensionWorksOnAnOpenConnection) {
  const auto channel = ChannelAs("node", "politie");
  ASSERT_THAT(Submit(channel), IsOk());
  region_.Suspend("politie");
  EXPECT_THAT(Submit(channel), HasReason(base::reason::kPartnerSuspended));
}

TEST_F(CallTest, CallWithoutDeadlineIsRefused) {
  grpc::ClientContext context;
  EXPECT_THAT(SubmitRaw(ChannelAs("node", "politie"), context), HasReason(base::reason::kDeadlineRequired));
}

TEST_F(CallTest, DeadlineOfTenMinutesIsTakenAndOneOfElevenRefused) {
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(Submit(channel, absl::Minutes(10)), IsOk());
  EXPECT_THAT(Submit(channel, absl::Minutes(11)), HasReason(base::reason::kDeadlineRequired));
}

TEST_F(CallTest, OversizedMessageIsTooLarge) {
  grpc::ClientContext context;
  SetDeadline(context, kTimeout);
  v1::SubmitRequest request;
  request.add_envelopes()->set_body(std::string(65 << 10, 'x'));
  EXPECT_THAT(SubmitRaw(ChannelAs("node", "politie"), context, request), HasReason(base::reason::kTooLarge));
  // The connection and the server live on.
  EXPECT_THAT(Submit(ChannelAs("node", "politie")), IsOk());
}

TEST_F(CallTest, CompressedMessageIsRefused) {
  exchange_.core = [](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
    ADD_FAILURE() << "a compressed message was taken";
    return absl::OkStatus();
  };
  grpc::ClientContext context;
  SetDeadline(context, kTimeout);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::SubmitRequest request;
  request.add_envelopes()->set_body(std::string(1 << 20, '0'));  // one kilobyte when compressed
  EXPECT_FALSE(SubmitRaw(ChannelAs("node", "politie"), context, request).ok());
}

TEST_F(CallTest, ErrorOfTheCoreArrivesWithoutResponse) {
  exchange_.core = [](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse& response) {
    response.add_receipts()->set_reason("half done");
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kPurposeUnknown, "no such purpose");
  };
  const auto response = Submit(ChannelAs("node", "politie"));
  EXPECT_THAT(response, HasReason(base::reason::kPurposeUnknown));
  EXPECT_EQ(response.status().message(), "no such purpose");
  // The caller was admitted, so it is the core that logs.
  EXPECT_TRUE(refusals_.lines().empty());
}

// Calls any method with any bytes.
absl::Status CallGeneric(std::shared_ptr<grpc::Channel> channel, const std::string& method,
                         const std::string& bytes) {
  grpc::ClientContext context;
  SetDeadline(context, kTimeout);
  grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::GenericStub stub(std::move(channel));
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  return FromGrpc(done.get_future().get(), context);
}

TEST_F(CallTest, MethodThatNoServiceHasIsRefusedAndLogged) {
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(CallGeneric(channel, "/raakvlak.v1.Exchange/Erase", ""), HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(CallGeneric(channel, "/a.B/C", "x"), HasReason(base::reason::kNotAllowed));
  ASSERT_EQ(refusals_.lines().size(), 2u);
  EXPECT_EQ(refusals_.lines()[0].actor, TestRegion::Urn("node", "politie"));
  // Not the caller's words.
  EXPECT_EQ(refusals_.lines()[0].method, "unknown");
  EXPECT_EQ(refusals_.lines()[1].reason, "NOT_ALLOWED");
}

TEST_F(CallTest, RequestThatIsNoMessageIsMalformedAndLogged) {
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(CallGeneric(channel, kSubmit, "\xff\xff\xff"), HasReason(base::reason::kMalformed));
  ASSERT_EQ(refusals_.lines().size(), 1u);
  EXPECT_EQ(refusals_.lines()[0].actor, TestRegion::Urn("node", "politie"));
  EXPECT_EQ(refusals_.lines()[0].role, "node");
  EXPECT_EQ(refusals_.lines()[0].method, kSubmit);
  EXPECT_EQ(refusals_.lines()[0].reason, "MALFORMED");
  EXPECT_THAT(Submit(channel), IsOk());
}

TEST_F(CallTest, MalformedRequestOfAStrangerIsRefusedAsAnyOther) {
  EXPECT_THAT(CallGeneric(ChannelAs("it", "politie"), kSubmit, "\xff\xff\xff"),
              HasReason(base::reason::kNotAllowed));
  ASSERT_EQ(refusals_.lines().size(), 1u);
  EXPECT_EQ(refusals_.lines()[0].reason, "NOT_ALLOWED");
}

TEST_F(CallTest, RefusalOfAMalformedRequestThatCannotBeLoggedIsStorageFailed) {
  refusals_.failing = true;
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(CallGeneric(channel, kSubmit, "\xff\xff\xff"), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(CallGeneric(channel, "/a.B/C", ""), HasReason(base::reason::kStorageFailed));
}

TEST_F(CallTest, DrainedExecutorAnswersOverloadedToWhatGrpcWouldRefuse) {
  executor_.Drain();
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(CallGeneric(channel, kSubmit, "\xff\xff\xff"), HasReason(base::reason::kOverloaded));
  EXPECT_THAT(CallGeneric(channel, "/a.B/C", ""), HasReason(base::reason::kOverloaded));
}

TEST_F(CallTest, SlowCoreEndsInDeadlineExceeded) {
  std::promise<void> release;
  exchange_.core = [&](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
    release.get_future().wait();
    return absl::OkStatus();
  };
  EXPECT_THAT(Submit(ChannelAs("node", "politie"), absl::Milliseconds(300)),
              HasReason(base::reason::kDeadlineExceeded));
  release.set_value();
}

TEST_F(CallTest, DrainedExecutorAnswersOverloaded) {
  executor_.Drain();
  EXPECT_THAT(Submit(ChannelAs("node", "politie")), HasReason(base::reason::kOverloaded));
}

TEST_F(CallTest, UnreachableServerIsUnavailable) {
  const auto channel = ChannelAs("node", "politie");
  server_->Shutdown(absl::ZeroDuration());
  EXPECT_THAT(Submit(channel), HasReason(base::reason::kUnavailable));
}

}  // namespace
}  // namespace raakvlak::rpc

#include "rpc/call.h"

#include <grpcpp/generic/generic_stub.h>

#include <future>

#include "rpc/client_call.h"
#include "tests/unit/rpc/fixture.h"

namespace raakvlak::rpc {
namespace {

class CallTest : public RpcFixture {
 protected:
  using Lines = std::vector<FakeRefusalLog::Line>;

  // Submits a request of exactly that many bytes.
  absl::Status SubmitOfSize(const std::shared_ptr<grpc::Channel>& channel, size_t bytes) {
    v1::SubmitRequest request;
    v1::Envelope& envelope = *request.add_envelopes();
    // Tags and lengths take a few bytes.
    envelope.set_body(std::string(bytes - 16, 'x'));
    envelope.set_signature(std::string(16 - (request.ByteSizeLong() - (bytes - 16)) - 2, 'x'));
    EXPECT_EQ(request.ByteSizeLong(), bytes);
    grpc::ClientContext context;
    SetDeadline(context, kTimeout);
    return SubmitRaw(channel, context, request);
  }
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

TEST_F(CallTest, CoreIsToldTheNetworkThatTheCallCameFrom) {
  exchange_.core = [](const Gate::Pass& pass, const v1::SubmitRequest&, v1::SubmitResponse& response) {
    response.add_receipts()->set_reason(pass.origin);
    return absl::OkStatus();
  };
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, Submit(ChannelAs("node", "politie")));
  EXPECT_EQ(response.receipts(0).reason(), "127.0.0.0/24");
}

TEST_F(CallTest, CoreIsToldTheTraceIdOfTheCallerOrAFreshOne) {
  std::vector<std::string> ids;
  exchange_.core = [&](const Gate::Pass& pass, const v1::SubmitRequest&, v1::SubmitResponse&) {
    ids.push_back(pass.trace_id);
    return absl::OkStatus();
  };
  const auto channel = ChannelAs("node", "politie");
  for (const char* traceparent : {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "rubbish"}) {
    grpc::ClientContext context;
    SetDeadline(context, kTimeout);
    context.AddMetadata("traceparent", traceparent);
    ASSERT_THAT(SubmitRaw(channel, context), IsOk());
  }
  ASSERT_THAT(Submit(channel), IsOk());
  executor_.Drain();  // its threads wrote the ids
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ids[1].size(), 32u);
  EXPECT_EQ(ids[2].size(), 32u);
  EXPECT_NE(ids[1], ids[2]);
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

TEST_F(CallTest, ConditionOfTheProcessRefusesThoseWhomTheGatePermits) {
  condition_.refusing = true;
  const auto response = Submit(ChannelAs("node", "politie"));
  EXPECT_THAT(response, HasReason(base::reason::kLogUnwitnessed));
  ASSERT_EQ(refusals_.lines().size(), 1u);
  EXPECT_EQ(refusals_.lines()[0].reason, base::reason::kLogUnwitnessed);
  EXPECT_THAT(Submit(ChannelAs("hub", "veiligheidshuis")), HasReason(base::reason::kNotAllowed))
      << "others learn nothing of it";
  condition_.refusing = false;
  EXPECT_THAT(Submit(ChannelAs("node", "politie")), IsOk());
}

TEST_F(CallTest, CertificateWithTwoUriNamesIsUnauthenticated) {
  const auto files =
      pki_.IssueNames({TestRegion::Urn("node", "politie"), TestRegion::Urn("node", "gemeente")});
  EXPECT_THAT(Submit(ChannelAs(files)), HasReason(base::reason::kUnauthenticated));
  // A stranger: counted, and without the whole address.
  EXPECT_TRUE(refusals_.lines().empty());
  EXPECT_EQ(refusals_.counted(), (Lines{{"127.0.0.0/24", "", kSubmit, "UNAUTHENTICATED"}}));
}

TEST_F(CallTest, CallersWhomCovenantAndRosterDoNotKnowAreCounted) {
  const std::vector<std::string> strangers = {
      TestRegion::Urn("node", "brandweer"), TestRegion::Urn("staff", "nobody"),
      TestRegion::Urn("hub", "other"), "urn:raakvlak:almere:node:politie"};
  Lines expected;
  for (const std::string& urn : strangers) {
    EXPECT_THAT(Submit(ChannelAs(pki_.Issue(urn))), HasReason(base::reason::kNotAllowed)) << urn;
    expected.push_back({urn, std::string(RoleName(ParseUrn(urn)->role)), kSubmit, "NOT_ALLOWED"});
  }
  EXPECT_EQ(refusals_.counted(), expected);
  EXPECT_TRUE(refusals_.lines().empty());
}

TEST_F(CallTest, EverybodyIsCountedWhileNothingIsInForce) {
  const auto channel = ChannelAs("node", "politie");
  region_.clock().Advance(absl::Hours(24 * 40));
  EXPECT_THAT(Submit(channel), HasReason(base::reason::kRosterExpired));
  EXPECT_EQ(refusals_.counted(),
            (Lines{{TestRegion::Urn("node", "politie"), "node", kSubmit, "ROSTER_EXPIRED"}}));
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

TEST_F(CallTest, MessageUpToTheLimitIsTakenAndOneByteMoreIsTooLargeAndLogged) {
  const auto channel = ChannelAs("node", "politie");
  EXPECT_THAT(SubmitOfSize(channel, kMaxRequestBytesHere), IsOk());
  EXPECT_TRUE(refusals_.lines().empty());
  EXPECT_THAT(SubmitOfSize(channel, kMaxRequestBytesHere + 1), HasReason(base::reason::kTooLarge));
  EXPECT_THAT(SubmitOfSize(channel, 2 * kMaxRequestBytesHere), HasReason(base::reason::kTooLarge));
  const FakeRefusalLog::Line line = {TestRegion::Urn("node", "politie"), "node", kSubmit, "TOO_LARGE"};
  EXPECT_EQ(refusals_.lines(), (Lines{line, line}));
}

TEST_F(CallTest, OversizedMessageReachesNoCore) {
  exchange_.core = [](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
    ADD_FAILURE() << "an oversized message was taken";
    return absl::OkStatus();
  };
  const auto channel = ChannelAs("node", "politie");
  for (const size_t size : {kMaxRequestBytesHere + 1, 2 * kMaxRequestBytesHere, 20 * kMaxRequestBytesHere}) {
    EXPECT_THAT(SubmitOfSize(channel, size), HasReason(base::reason::kTooLarge)) << size;
  }
  // The last is over gRPC's own limit, which leaves no entry.
  EXPECT_EQ(refusals_.lines().size(), 2u);
}

TEST_F(CallTest, OversizedMessageOfOneWhoMayNotCallIsRefusedAsAnyOther) {
  EXPECT_THAT(SubmitOfSize(ChannelAs("it", "politie"), kMaxRequestBytesHere + 1),
              HasReason(base::reason::kNotAllowed));
}

TEST_F(CallTest, OversizedMessageThatCannotBeLoggedIsStorageFailed) {
  refusals_.failing = true;
  EXPECT_THAT(SubmitOfSize(ChannelAs("node", "politie"), kMaxRequestBytesHere + 1),
              HasReason(base::reason::kStorageFailed));
}

TEST_F(CallTest, CompressedMessageIsMalformedAndLogged) {
  exchange_.core = [](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
    ADD_FAILURE() << "a compressed message was taken";
    return absl::OkStatus();
  };
  const auto channel = ChannelAs("node", "politie");
  v1::SubmitRequest request;
  request.add_envelopes()->set_body(std::string(1 << 20, '0'));  // one kilobyte when compressed
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    SetDeadline(context, kTimeout);
    context.set_compression_algorithm(algorithm);
    EXPECT_THAT(SubmitRaw(channel, context, request), HasReason(base::reason::kMalformed)) << algorithm;
  }
  const FakeRefusalLog::Line line = {TestRegion::Urn("node", "politie"), "node", kSubmit, "MALFORMED"};
  EXPECT_EQ(refusals_.lines(), (Lines{line, line}));
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
  const std::string politie = TestRegion::Urn("node", "politie");
  EXPECT_EQ(refusals_.counted(),
            (Lines{{politie, "node", kSubmit, "OVERLOADED"}, {politie, "node", "unknown", "OVERLOADED"}}));
}

TEST_F(CallTest, SlowCoreEndsInDeadlineExceeded) {
  std::promise<void> release;
  // Its own: on a busy machine it may start when this test has ended.
  exchange_.core = [released = release.get_future().share()](const Gate::Pass&, const v1::SubmitRequest&,
                                                             v1::SubmitResponse&) {
    released.wait();
    return absl::OkStatus();
  };
  EXPECT_THAT(Submit(ChannelAs("node", "politie"), absl::Milliseconds(300)),
              HasReason(base::reason::kDeadlineExceeded));
  release.set_value();
}

TEST_F(CallTest, DrainedExecutorAnswersOverloadedAndItIsCounted) {
  executor_.Drain();
  EXPECT_THAT(Submit(ChannelAs("node", "politie")), HasReason(base::reason::kOverloaded));
  EXPECT_EQ(refusals_.counted(),
            (Lines{{TestRegion::Urn("node", "politie"), "node", kSubmit, "OVERLOADED"}}));
  EXPECT_TRUE(refusals_.lines().empty());
}

TEST_F(CallTest, UnreachableServerIsUnavailable) {
  const auto channel = ChannelAs("node", "politie");
  server_->Shutdown(absl::ZeroDuration());
  EXPECT_THAT(Submit(channel), HasReason(base::reason::kUnavailable));
}

}  // namespace
}  // namespace raakvlak::rpc

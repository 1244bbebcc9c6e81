#include "rpc/stream.h"

#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <future>
#include <thread>

#include "rpc/client_call.h"
#include "tests/unit/rpc/fixture.h"

namespace raakvlak::rpc {
namespace {

class StreamTest : public RpcFixture {
 protected:
  std::unique_ptr<client::PushStream> Open(absl::Duration timeout = kTimeout) {
    return client_->Push(timeout);
  }

  using Lines = std::vector<FakeRefusalLog::Line>;

  // Pushes any bytes, each after the answer to the one before; returns how the stream ends.
  absl::Status PushBytes(const std::vector<std::string>& messages, grpc_compression_algorithm algorithm,
                         int& answered) {
    grpc::ClientContext context;
    SetDeadline(context, kTimeout);
    context.set_compression_algorithm(algorithm);
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    const auto next = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    const auto call = stub.PrepareCall(&context, kPush, &queue);
    call->StartCall(nullptr);
    bool open = next();
    for (size_t i = 0; open && i < messages.size(); ++i) {
      grpc::Slice slice(messages[i]);
      call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      open = next();
      grpc::ByteBuffer answer;
      call->Read(&answer, nullptr);
      open = next() && open;
      if (open) ++answered;
    }
    if (open) {
      call->WritesDone(nullptr);
      next();
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    next();
    queue.Shutdown();
    EXPECT_FALSE(next()) << "nothing is left";
    return FromGrpc(status, context);
  }

  const std::string politie_ = TestRegion::Urn("it", "politie");
  const std::shared_ptr<grpc::Channel> channel_ = ChannelAs("it", "politie");
  const std::unique_ptr<client::IntakeClient> client_ = client::MakeIntakeClient(channel_);
};

TEST_F(StreamTest, BatchesAreAnsweredInOrder) {
  const auto stream = Open();
  for (int i = 0; i < 200; ++i) {
    // Three ahead.
    ASSERT_THAT(stream->Send(Batch(std::to_string(i))), IsOk());
    if (i < 3) continue;
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, stream->Receive());
    ASSERT_EQ(response.receipts_size(), 1);
    EXPECT_EQ(response.receipts(0).message(), std::to_string(i - 3));
  }
  EXPECT_THAT(stream->Close(), IsOk());
}

TEST_F(StreamTest, ResponseHoldsNothingOfTheOneBefore) {
  const auto stream = Open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(stream->Send(Batch("a")), IsOk());
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, stream->Receive());
    EXPECT_EQ(response.receipts_size(), 1);
  }
}

TEST_F(StreamTest, EmptyStreamClosesWell) { EXPECT_THAT(Open()->Close(), IsOk()); }

TEST_F(StreamTest, ErrorEndsTheStreamAfterEarlierResponses) {
  intake_.core = [](const Gate::Pass&, const v1::PushRequest& request, v1::PushResponse& response) {
    if (request.records(0).client_ref() == "bad") {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge, "too many records");
    }
    response.add_receipts();
    return absl::OkStatus();
  };
  const auto stream = Open();
  ASSERT_THAT(stream->Send(Batch("good")), IsOk());
  ASSERT_THAT(stream->Send(Batch("bad")), IsOk());
  EXPECT_THAT(stream->Receive(), IsOk());
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kTooLarge));
  EXPECT_THAT(stream->Send(Batch("more")), HasReason(base::reason::kTooLarge));
  EXPECT_THAT(stream->Close(), HasReason(base::reason::kTooLarge));
}

TEST_F(StreamTest, CallerWithoutPermissionIsRefusedAtTheStart) {
  const auto other = client::MakeIntakeClient(ChannelAs("it", "gemeente"));
  const auto stream = other->Push(kTimeout);
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kNotAllowed));
  ASSERT_EQ(refusals_.lines().size(), 1u);
  EXPECT_EQ(refusals_.lines()[0].actor, TestRegion::Urn("it", "gemeente"));
}

TEST_F(StreamTest, SuspensionWorksBetweenTwoBatchesOfOneStream) {
  const auto stream = Open();
  ASSERT_THAT(stream->Send(Batch("1")), IsOk());
  ASSERT_THAT(stream->Receive(), IsOk());
  region_.Suspend("politie");
  ASSERT_THAT(stream->Send(Batch("2")), IsOk());
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kPartnerSuspended));
  EXPECT_EQ(refusals_.lines().size(), 1u);
}

TEST_F(StreamTest, StreamMayLastLongerThanACallButNotTwoDays) {
  EXPECT_THAT(Open(absl::Hours(20))->Close(), IsOk());
  EXPECT_THAT(Open(absl::Hours(48))->Close(), HasReason(base::reason::kDeadlineRequired));
}

TEST_F(StreamTest, StreamWithoutDeadlineIsRefused) {
  grpc::ClientContext context;
  const auto stub = v1::Intake::NewStub(channel_);
  const auto call = stub->Push(&context);
  v1::PushResponse response;
  EXPECT_FALSE(call->Read(&response));
  EXPECT_THAT(FromGrpc(call->Finish(), context), HasReason(base::reason::kDeadlineRequired));
}

TEST_F(StreamTest, OversizedBatchEndsTheStreamWithAnEntry) {
  const auto stream = Open();
  ASSERT_THAT(stream->Send(Batch("good")), IsOk());
  ASSERT_THAT(stream->Receive(), IsOk());
  stream->Send(Batch(std::string(kMaxRequestBytesHere, 'x'))).IgnoreError();
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kTooLarge));
  EXPECT_EQ(refusals_.lines(), (Lines{{politie_, "it", kPush, "TOO_LARGE"}}));
  EXPECT_THAT(Open()->Close(), IsOk());
}

TEST_F(StreamTest, BatchOverGrpcsOwnLimitEndsTheStreamAndNotTheServer) {
  const auto stream = Open();
  stream->Send(Batch(std::string(3 * kMaxRequestBytesHere, 'x'))).IgnoreError();
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kTooLarge));
  EXPECT_THAT(Open()->Close(), IsOk());
}

TEST_F(StreamTest, BatchThatIsNoMessageEndsTheStreamAsMalformedWithAnEntry) {
  std::atomic<int> taken = 0;
  intake_.core = [&](const Gate::Pass&, const v1::PushRequest&, v1::PushResponse& response) {
    ++taken;
    response.add_receipts();
    return absl::OkStatus();
  };
  int answered = 0;
  EXPECT_THAT(PushBytes({Batch("good").SerializeAsString(), "\xff\xff\xff"}, GRPC_COMPRESS_NONE, answered),
              HasReason(base::reason::kMalformed));
  // What came before is answered.
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(refusals_.lines(), (Lines{{politie_, "it", kPush, "MALFORMED"}}));
}

TEST_F(StreamTest, CompressedBatchEndsTheStreamAsMalformedWithAnEntry) {
  intake_.core = [](const Gate::Pass&, const v1::PushRequest&, v1::PushResponse&) {
    ADD_FAILURE() << "a compressed message was taken";
    return absl::OkStatus();
  };
  const std::string batch = Batch(std::string(1 << 20, '0')).SerializeAsString();
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    int answered = 0;
    EXPECT_THAT(PushBytes({batch}, algorithm, answered), HasReason(base::reason::kMalformed)) << algorithm;
    EXPECT_EQ(answered, 0);
  }
  EXPECT_EQ(refusals_.lines().size(), 2u);
}

TEST_F(StreamTest, MalformedBatchThatCannotBeLoggedIsStorageFailed) {
  refusals_.failing = true;
  int answered = 0;
  EXPECT_THAT(PushBytes({"\xff\xff\xff"}, GRPC_COMPRESS_NONE, answered),
              HasReason(base::reason::kStorageFailed));
}

TEST_F(StreamTest, EmptyBatchIsAMessage) {
  int answered = 0;
  EXPECT_THAT(PushBytes({"", ""}, GRPC_COMPRESS_NONE, answered), IsOk());
  EXPECT_EQ(answered, 2);
}

TEST_F(StreamTest, DrainedExecutorAnswersOverloadedAndItIsCounted) {
  executor_.Drain();
  EXPECT_THAT(Open()->Close(), HasReason(base::reason::kOverloaded));
  EXPECT_EQ(refusals_.counted(), (Lines{{politie_, "it", kPush, "OVERLOADED"}}));
}

TEST_F(StreamTest, QueueThatIsFullAtABatchEndsTheStreamAsOverloadedAndItIsCounted) {
  const auto stream = Open();
  ASSERT_THAT(stream->Send(Batch("1")), IsOk());
  ASSERT_THAT(stream->Receive(), IsOk());
  executor_.Drain();
  stream->Send(Batch("2")).IgnoreError();
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kOverloaded));
  EXPECT_EQ(refusals_.counted().size(), 1u);
}

// Counts the cores' copies of a token: each stream's reactor holds one.
TEST_F(StreamTest, CancelledStreamsLeakNothing) {
  const auto token = std::make_shared<int>(0);
  const long before = token.use_count();
  intake_.core = [token](const Gate::Pass&, const v1::PushRequest&, v1::PushResponse& response) {
    response.add_receipts();
    return absl::OkStatus();
  };
  const long one = token.use_count();
  ASSERT_EQ(one, before + 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 100; ++i) {
        const auto stream = Open();  // cancelled at the end of this block, in various states
        if (i % 4 > 0) stream->Send(Batch("1")).IgnoreError();
        if (i % 4 > 1) {
          EXPECT_THAT(stream->Receive(), IsOk()) << t;
        }
        if (i % 4 > 2) stream->Send(Batch("2")).IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  server_->Shutdown(absl::ZeroDuration());
  EXPECT_EQ(token.use_count(), one);
}

TEST_F(StreamTest, StreamsOfAServerThatShutsDownEnd) {
  const auto stream = Open();
  ASSERT_THAT(stream->Send(Batch("1")), IsOk());
  ASSERT_THAT(stream->Receive(), IsOk());
  server_->Shutdown(absl::Milliseconds(50));
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kUnavailable));
}

}  // namespace
}  // namespace raakvlak::rpc

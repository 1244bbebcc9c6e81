// The typed clients against servers of their own: each method reaches its own RPC with its request and
// deadline, and brings back response or reason. TLS and refusals are tested in tests/unit/rpc.
#include <grpcpp/grpcpp.h>

#include <chrono>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/audit_client.h"
#include "client/cases_client.h"
#include "client/exchange_client.h"
#include "client/intake_client.h"
#include "client/key_share_client.h"
#include "client/matches_client.h"
#include "gtest/gtest.h"
#include "raakvlak/v1/audit.grpc.pb.h"
#include "raakvlak/v1/cases.grpc.pb.h"
#include "raakvlak/v1/exchange.grpc.pb.h"
#include "raakvlak/v1/intake.grpc.pb.h"
#include "raakvlak/v1/key_share.grpc.pb.h"
#include "raakvlak/v1/matches.grpc.pb.h"
#include "rpc/status.h"

namespace raakvlak::client {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

constexpr absl::Duration kTimeout = absl::Seconds(30);

// What the servers below do with each call: note its name and the bytes of its request, check that it has the
// deadline that the test gave, and refuse when told so.
class Recorder {
 public:
  grpc::Status Call(grpc::ServerContext* context, const std::string& name,
                    const google::protobuf::Message& request) {
    const auto left = context->deadline() - std::chrono::system_clock::now();
    EXPECT_GT(left, std::chrono::seconds(10)) << name;
    EXPECT_LT(left, std::chrono::seconds(32)) << name;
    called = name;
    const auto trace = context->client_metadata().find("traceparent");
    trace_parent = trace == context->client_metadata().end()
                       ? ""
                       : std::string(trace->second.data(), trace->second.size());
    bytes = request.SerializeAsString();
    if (!refuse) return grpc::Status::OK;
    context->AddTrailingMetadata(rpc::kReasonKey, base::reason::kQuotaExceeded);
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "spent");
  }
  std::string called;
  std::string bytes;
  std::string trace_parent;
  bool refuse = false;
};

class ExchangeServer final : public v1::Exchange::Service {
 public:
  explicit ExchangeServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status Submit(grpc::ServerContext* context, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override {
    response->add_receipts();
    return recorder_.Call(context, "Exchange.Submit", *request);
  }
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::WithdrawSignalsRequest* request,
                        v1::WithdrawSignalsResponse* response) override {
    response->add_receipts();
    return recorder_.Call(context, "Exchange.Withdraw", *request);
  }
  grpc::Status ProveEntry(grpc::ServerContext* context, const v1::ProveEntryRequest* request,
                          v1::ProveEntryResponse* response) override {
    response->set_proof("proof");
    return recorder_.Call(context, "Exchange.ProveEntry", *request);
  }

 private:
  Recorder& recorder_;
};

class KeyShareServer final : public v1::KeyShare::Service {
 public:
  explicit KeyShareServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status Evaluate(grpc::ServerContext* context, const v1::EvaluateRequest* request,
                        v1::EvaluateResponse* response) override {
    response->set_proof("proof");
    return recorder_.Call(context, "KeyShare.Evaluate", *request);
  }

 private:
  Recorder& recorder_;
};

class MatchesServer final : public v1::Matches::Service {
 public:
  explicit MatchesServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status List(grpc::ServerContext* context, const v1::ListMatchesRequest* request,
                    v1::ListMatchesResponse* response) override {
    response->set_next_page_token("next");
    return recorder_.Call(context, "Matches.List", *request);
  }
  grpc::Status Open(grpc::ServerContext* context, const v1::OpenMatchRequest* request,
                    v1::OpenMatchResponse* response) override {
    response->add_envelopes();
    return recorder_.Call(context, "Matches.Open", *request);
  }

 private:
  Recorder& recorder_;
};

class CasesServer final : public v1::Cases::Service {
 public:
  explicit CasesServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status List(grpc::ServerContext* context, const v1::ListMatchesRequest* request,
                    v1::ListMatchesResponse* response) override {
    response->set_next_page_token("next");
    return recorder_.Call(context, "Cases.List", *request);
  }
  grpc::Status Open(grpc::ServerContext* context, const v1::OpenCaseRequest* request,
                    v1::OpenCaseResponse* response) override {
    response->add_signals();
    return recorder_.Call(context, "Cases.Open", *request);
  }

 private:
  Recorder& recorder_;
};

class AuditServer final : public v1::Audit::Service {
 public:
  explicit AuditServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status ListEntries(grpc::ServerContext* context, const v1::ListEntriesRequest* request,
                           v1::ListEntriesResponse* response) override {
    response->add_entries();
    return recorder_.Call(context, "Audit.ListEntries", *request);
  }

 private:
  Recorder& recorder_;
};

// Push answers each batch; at the end it refuses when told so.
class IntakeServer final : public v1::Intake::Service {
 public:
  explicit IntakeServer(Recorder& recorder) : recorder_(recorder) {}
  grpc::Status Push(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::PushResponse, v1::PushRequest>* stream) override {
    v1::PushRequest request;
    while (stream->Read(&request)) {
      v1::PushResponse response;
      for (const v1::Record& record : request.records())
        response.add_receipts()->set_message(record.client_ref());
      if (request.records_size() == 0) return grpc::Status::OK;
      stream->Write(response);
    }
    if (context->IsCancelled()) return grpc::Status::CANCELLED;
    return recorder_.Call(context, "Intake.Push", request);
  }
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::WithdrawRequest* request,
                        v1::WithdrawResponse* response) override {
    response->mutable_status();
    return recorder_.Call(context, "Intake.Withdraw", *request);
  }
  grpc::Status GetState(grpc::ServerContext* context, const v1::GetStateRequest* request,
                        v1::GetStateResponse* response) override {
    response->mutable_status();
    return recorder_.Call(context, "Intake.GetState", *request);
  }
  grpc::Status ListSignals(grpc::ServerContext* context, const v1::ListSignalsRequest* request,
                           v1::ListSignalsResponse* response) override {
    response->add_signals();
    return recorder_.Call(context, "Intake.ListSignals", *request);
  }
  grpc::Status GetReceipt(grpc::ServerContext* context, const v1::GetReceiptRequest* request,
                          v1::GetReceiptResponse* response) override {
    response->set_receipt("receipt");
    return recorder_.Call(context, "Intake.GetReceipt", *request);
  }

 private:
  Recorder& recorder_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    grpc::ServerBuilder builder;
    for (grpc::Service* service :
         std::initializer_list<grpc::Service*>{&exchange_server_, &key_share_server_, &matches_server_,
                                               &cases_server_, &audit_server_, &intake_server_}) {
      builder.RegisterService(service);
    }
    // Not in-process: there a write waits for the other side's read, unlike on any network.
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  }
  ~ClientTest() override { server_->Shutdown(); }

  // Calls once well and once refused. `call` takes and returns what the client's method does.
  template <typename Request, typename Call>
  void Check(const std::string& name, const Request& request, Call call) {
    recorder_.refuse = false;
    const auto response = call(request);
    ASSERT_THAT(response, IsOk()) << name;
    EXPECT_GT(response->ByteSizeLong(), 0u) << name;
    EXPECT_EQ(recorder_.called, name);
    EXPECT_EQ(recorder_.bytes, request.SerializeAsString());
    recorder_.refuse = true;
    const auto refusal = call(request);
    EXPECT_THAT(refusal, HasReason(base::reason::kQuotaExceeded)) << name;
    EXPECT_EQ(refusal.status().message(), "spent");
  }
  static v1::PushRequest Batch(const std::string& client_ref) {
    v1::PushRequest request;
    request.add_records()->set_client_ref(client_ref);
    return request;
  }

  Recorder recorder_;
  ExchangeServer exchange_server_{recorder_};
  KeyShareServer key_share_server_{recorder_};
  MatchesServer matches_server_{recorder_};
  CasesServer cases_server_{recorder_};
  AuditServer audit_server_{recorder_};
  IntakeServer intake_server_{recorder_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(ClientTest, ExchangeMethodsReachTheirRpcs) {
  const auto client = MakeExchangeClient(channel_);
  v1::SubmitRequest submit;
  submit.add_envelopes()->set_body("b");
  Check("Exchange.Submit", submit, [&](const auto& request) { return client->Submit(request, kTimeout); });
  v1::WithdrawSignalsRequest withdraw;
  withdraw.add_withdrawals()->set_body("w");
  Check("Exchange.Withdraw", withdraw,
        [&](const auto& request) { return client->Withdraw(request, kTimeout); });
  v1::ProveEntryRequest prove;
  prove.set_index(7);
  Check("Exchange.ProveEntry", prove,
        [&](const auto& request) { return client->ProveEntry(request, kTimeout); });
}

TEST_F(ClientTest, EachCallGoesWhereItsServerIsNow) {
  std::shared_ptr<grpc::Channel> now =
      grpc::CreateChannel("unix:/nowhere", grpc::InsecureChannelCredentials());
  const auto exchange = MakeExchangeClient([&now] { return now; });
  const auto matches = MakeMatchesClient([&now] { return now; });
  EXPECT_THAT(exchange->Submit(v1::SubmitRequest(), kTimeout), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(matches->List(v1::ListMatchesRequest(), kTimeout, ""), HasReason(base::reason::kUnavailable));
  now = channel_;
  EXPECT_THAT(exchange->Submit(v1::SubmitRequest(), kTimeout), IsOk());
  EXPECT_THAT(matches->List(v1::ListMatchesRequest(), kTimeout, ""), IsOk());
}

TEST_F(ClientTest, KeyShareMethodReachesItsRpc) {
  const auto client = MakeKeyShareClient(channel_);
  v1::EvaluateRequest evaluate;
  evaluate.set_elements("e");
  Check("KeyShare.Evaluate", evaluate,
        [&](const auto& request) { return client->Evaluate(request, kTimeout); });
}

TEST_F(ClientTest, MatchesMethodsReachTheirRpcs) {
  const auto client = MakeMatchesClient(channel_);
  v1::ListMatchesRequest list;
  list.set_page_size(3);
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  Check("Matches.List", list, [&](const auto& request) { return client->List(request, kTimeout, trace); });
  EXPECT_EQ(recorder_.trace_parent.substr(0, 36), "00-" + trace + "-");
  v1::OpenMatchRequest open;
  open.mutable_order()->set_body("o");
  Check("Matches.Open", open, [&](const auto& request) { return client->Open(request, kTimeout, ""); });
  EXPECT_EQ(recorder_.trace_parent, "");
  client->Open(open, kTimeout, trace).IgnoreError();
  EXPECT_EQ(recorder_.trace_parent.substr(0, 36), "00-" + trace + "-");
}

TEST_F(ClientTest, CasesMethodsReachTheirRpcs) {
  const auto client = MakeCasesClient(channel_);
  v1::ListMatchesRequest list;
  list.set_page_size(4);
  Check("Cases.List", list, [&](const auto& request) { return client->List(request, kTimeout); });
  v1::OpenCaseRequest open;
  open.mutable_order()->set_body("o");
  Check("Cases.Open", open, [&](const auto& request) { return client->Open(request, kTimeout); });
}

TEST_F(ClientTest, AuditMethodReachesItsRpc) {
  const auto client = MakeAuditClient(channel_);
  v1::ListEntriesRequest list;
  list.set_actor("a");
  Check("Audit.ListEntries", list,
        [&](const auto& request) { return client->ListEntries(request, kTimeout); });
}

TEST_F(ClientTest, IntakeMethodsReachTheirRpcs) {
  const auto client = MakeIntakeClient(channel_);
  v1::WithdrawRequest withdraw;
  withdraw.set_client_ref("w");
  Check("Intake.Withdraw", withdraw,
        [&](const auto& request) { return client->Withdraw(request, kTimeout); });
  v1::GetStateRequest state;
  state.set_client_ref("s");
  Check("Intake.GetState", state, [&](const auto& request) { return client->GetState(request, kTimeout); });
  v1::ListSignalsRequest list;
  list.set_page_size(5);
  Check("Intake.ListSignals", list,
        [&](const auto& request) { return client->ListSignals(request, kTimeout); });
  v1::GetReceiptRequest receipt;
  receipt.set_client_ref("r");
  Check("Intake.GetReceipt", receipt,
        [&](const auto& request) { return client->GetReceipt(request, kTimeout); });
}

TEST_F(ClientTest, PushStreamBringsReceiptsInOrder) {
  const auto client = MakeIntakeClient(channel_);
  const auto stream = client->Push(kTimeout);
  for (const char* ref : {"1", "2", "3"}) ASSERT_THAT(stream->Send(Batch(ref)), IsOk());
  for (const char* ref : {"1", "2", "3"}) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, stream->Receive());
    EXPECT_EQ(response.receipts(0).message(), ref);
  }
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_EQ(recorder_.called, "Intake.Push");
}

TEST_F(ClientTest, ClosedPushStreamSaysSoAndStaysClosed) {
  const auto client = MakeIntakeClient(channel_);
  const auto stream = client->Push(kTimeout);
  ASSERT_THAT(stream->Send(Batch("unread")), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->Send(Batch("late")), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kUnavailable));
}

TEST_F(ClientTest, RefusedPushStreamGivesItsReasonFromEveryMethod) {
  recorder_.refuse = true;
  const auto client = MakeIntakeClient(channel_);
  const auto stream = client->Push(kTimeout);
  ASSERT_THAT(stream->Send(Batch("1")), IsOk());
  EXPECT_THAT(stream->Close(), HasReason(base::reason::kQuotaExceeded));
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kQuotaExceeded));
  EXPECT_THAT(stream->Send(Batch("2")), HasReason(base::reason::kQuotaExceeded));
}

TEST_F(ClientTest, PushStreamThatTheNodeEndsWithoutErrorIsUnavailableToReceive) {
  const auto client = MakeIntakeClient(channel_);
  const auto stream = client->Push(kTimeout);
  ASSERT_THAT(stream->Send(v1::PushRequest()), IsOk());  // upon which this server ends the call
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(stream->Close(), IsOk());
}

TEST_F(ClientTest, PushStreamPastItsDeadlineIsDeadlineExceeded) {
  const auto client = MakeIntakeClient(channel_);
  const auto stream = client->Push(absl::Milliseconds(50));
  EXPECT_THAT(stream->Receive(), HasReason(base::reason::kDeadlineExceeded));
}

TEST_F(ClientTest, AbandonedPushStreamsAreCutOff) {
  const auto client = MakeIntakeClient(channel_);
  for (int i = 0; i < 50; ++i) {
    const auto stream = client->Push(kTimeout);
    ASSERT_THAT(stream->Send(Batch("1")), IsOk());
  }
}

}  // namespace
}  // namespace raakvlak::client

// RpcFixture: a server with real mutual TLS on a free port, with two services that do what a test says, and
// the region's people.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/exchange_client.h"
#include "client/intake_client.h"
#include "gtest/gtest.h"
#include "raakvlak/v1/exchange.grpc.pb.h"
#include "raakvlak/v1/intake.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/stream.h"
#include "tests/support/pki.h"
#include "tests/support/region.h"

namespace raakvlak::rpc {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestPki;
using raakvlak::testing::TestRegion;

inline constexpr char kSubmit[] = "/raakvlak.v1.Exchange/Submit";
inline constexpr char kPush[] = "/raakvlak.v1.Intake/Push";
inline constexpr size_t kMaxRequestBytesHere = 64 << 10;
inline constexpr absl::Duration kTimeout = absl::Seconds(20);

// Remembers refusals; can be told to fail.
class FakeRefusalLog final : public RefusalLog {
 public:
  struct Line {
    std::string actor, role, method, reason, origin = "127.0.0.0/24";
    bool operator==(const Line&) const = default;
  };
  absl::Status Refused(const Refusal& refusal) override {
    if (failing)
      return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "disk full");
    base::MutexLock lock(mutex_);
    lines_.push_back(LineOf(refusal));
    return absl::OkStatus();
  }
  void Count(const Refusal& refusal) override {
    base::MutexLock lock(mutex_);
    counted_.push_back(LineOf(refusal));
  }
  // Those with an entry of their own.
  std::vector<Line> lines() {
    base::MutexLock lock(mutex_);
    return lines_;
  }
  std::vector<Line> counted() {
    base::MutexLock lock(mutex_);
    return counted_;
  }
  std::atomic<bool> failing = false;

 private:
  static Line LineOf(const Refusal& refusal) {
    return {refusal.actor, refusal.role, refusal.method, base::ReasonOf(refusal.why), refusal.origin};
  }
  base::Mutex mutex_;
  std::vector<Line> lines_ ABSL_GUARDED_BY(mutex_);
  std::vector<Line> counted_ ABSL_GUARDED_BY(mutex_);
};

// Refuses calls when told so.
class FakeCondition final : public Condition {
 public:
  absl::Status Check(absl::string_view method) const override {
    if (!refusing) return absl::OkStatus();
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kLogUnwitnessed, method);
  }
  std::atomic<bool> refusing = false;
};

class TestExchange final : public v1::Exchange::CallbackService {
 public:
  explicit TestExchange(const CallEnvironment& environment) : environment_(environment) {}
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override {
    return Unary(environment_, context, kSubmit, request, response, core);
  }
  // Answers one receipt unless a test sets something else.
  Core<v1::SubmitRequest, v1::SubmitResponse> core = [](const Gate::Pass& pass, const v1::SubmitRequest&,
                                                        v1::SubmitResponse& response) {
    response.add_receipts()->set_reason(pass.caller.urn);
    return absl::OkStatus();
  };

 private:
  const CallEnvironment environment_;
};

class TestIntake final : public v1::Intake::WithRawCallbackMethod_Push<
                             v1::Intake::WithCallbackMethod_Withdraw<v1::Intake::WithCallbackMethod_GetState<
                                 v1::Intake::WithCallbackMethod_ListSignals<v1::Intake::Service>>>> {
 public:
  explicit TestIntake(const CallEnvironment& environment) : environment_(environment) {}
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Push(
      grpc::CallbackServerContext* context) override {
    return ServeStream<v1::PushRequest, v1::PushResponse>(environment_, context, kPush, core);
  }
  // Echoes the client_refs of the records unless a test sets something else.
  Core<v1::PushRequest, v1::PushResponse> core = [](const Gate::Pass&, const v1::PushRequest& request,
                                                    v1::PushResponse& response) {
    for (const v1::Record& record : request.records())
      response.add_receipts()->set_message(record.client_ref());
    return absl::OkStatus();
  };

 private:
  const CallEnvironment environment_;
};

class RpcFixture : public ::testing::Test {
 protected:
  RpcFixture() {
    auto server = Server::Start(MakeOptions(), {&exchange_, &intake_});
    RAAKVLAK_CHECK(server.ok(), "the test server starts");
    server_ = *std::move(server);
  }
  ~RpcFixture() override { server_->Shutdown(absl::ZeroDuration()); }

  Server::Options MakeOptions() {
    return {.listen = "127.0.0.1:0", .tls = server_files_, .environment = &environment_};
  }
  std::shared_ptr<grpc::Channel> ChannelAs(const TlsFiles& files) {
    auto channel = MakeChannel(server_->address(), server_urn_, files);
    RAAKVLAK_CHECK(channel.ok(), "the test files are valid");
    return *channel;
  }
  std::shared_ptr<grpc::Channel> ChannelAs(const std::string& role, const std::string& id) {
    return ChannelAs(pki_.Issue(TestRegion::Urn(role, id)));
  }
  static absl::StatusOr<v1::SubmitResponse> Submit(std::shared_ptr<grpc::Channel> channel,
                                                   absl::Duration timeout = kTimeout) {
    return client::MakeExchangeClient(std::move(channel))->Submit(v1::SubmitRequest(), timeout);
  }
  static v1::PushRequest Batch(const std::string& client_ref) {
    v1::PushRequest request;
    request.add_records()->set_client_ref(client_ref);
    return request;
  }

  TestPki pki_;
  TestRegion region_;
  const std::string server_urn_ = TestRegion::Urn("broker", "centre");
  const TlsFiles server_files_ = pki_.Issue(server_urn_);
  Gate gate_{region_.authority(), {{kSubmit, {Role::kNode}, ""}, {kPush, {Role::kIt}, "politie"}}};
  base::Executor executor_{2, 100};
  FakeRefusalLog refusals_;
  FakeCondition condition_;
  const CallEnvironment environment_{&gate_, &executor_, &refusals_, kMaxRequestBytesHere, &condition_};
  TestExchange exchange_{environment_};
  TestIntake intake_{environment_};
  std::unique_ptr<Server> server_;
};

}  // namespace raakvlak::rpc

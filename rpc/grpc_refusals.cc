#include "rpc/grpc_refusals.h"

#include <string>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

class UnknownCall final : public grpc::ServerGenericBidiReactor {
 public:
  UnknownCall(const CallEnvironment& environment, grpc::GenericCallbackServerContext& context) {
    const auto refuse = [this, &environment, &context] {
      const absl::Status refused = Admit(environment, context, kUnknownMethod, kMaxStreamDeadline).status();
      RAAKVLAK_CHECK(!refused.ok(), "the table has no row for methods that do not exist");
      Finish(rpc::Finish(context, kUnknownMethod, refused));
    };
    if (!environment.executor->Post(refuse)) {
      Finish(rpc::Finish(context, kUnknownMethod, Overloaded(environment, context, kUnknownMethod)));
    }
  }

 private:
  void OnDone() override { delete this; }
};

class UnknownMethods final : public grpc::CallbackGenericService {
 public:
  explicit UnknownMethods(const CallEnvironment& environment) : environment_(environment) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new UnknownCall(environment_, *context);
  }

 private:
  const CallEnvironment environment_;
};

// gRPC answers a request that it cannot read with this, and nothing of ours does.
bool IsUnread(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNIMPLEMENTED && status.error_message().empty();
}

class UnreadRequest final : public grpc::experimental::Interceptor {
 public:
  UnreadRequest(const CallEnvironment& environment, ServerRpcInfo& info)
      : environment_(environment), info_(info) {}

  void Intercept(InterceptorBatchMethods* batch) override {
    if (!batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS) ||
        !IsUnread(batch->GetSendStatus())) {
      batch->Proceed();
      return;
    }
    const auto refuse = [this, batch] {
      Answer(*batch, LogRefusal());
      batch->Proceed();
    };
    if (environment_.executor->Post(refuse)) return;
    Answer(*batch, Overloaded(environment_, *info_.server_context(), info_.method()));
    batch->Proceed();
  }

 private:
  absl::Status LogRefusal() {
    const grpc::ServerContextBase& context = *info_.server_context();
    const absl::StatusOr<Gate::Pass> pass = Admit(environment_, context, info_.method());
    if (!pass.ok()) return pass.status();
    return RefuseRequest(environment_, *pass, info_.method(), MalformedRequest());
  }

  static void Answer(InterceptorBatchMethods& batch, const absl::Status& status) {
    batch.GetSendTrailingMetadata()->emplace(kReasonKey, base::ReasonOf(status));
    batch.ModifySendStatus(ToGrpc(status));
  }

  const CallEnvironment environment_;
  ServerRpcInfo& info_;
};

class MalformedRequests final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit MalformedRequests(const CallEnvironment& environment) : environment_(environment) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new UnreadRequest(environment_, *info);
  }

 private:
  const CallEnvironment environment_;
};

}  // namespace

std::unique_ptr<grpc::CallbackGenericService> MakeUnknownMethods(const CallEnvironment& environment) {
  return std::make_unique<UnknownMethods>(environment);
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeMalformedRequests(
    const CallEnvironment& environment) {
  return std::make_unique<MalformedRequests>(environment);
}

}  // namespace raakvlak::rpc

// BatchStream: a bidirectional stream that answers each request with one response, in order.
//
// The call is admitted (rpc/call.h) when it starts and again for each request, so that a revocation works on
// open streams. Reads a request, runs the core on the executor, writes the response, reads the next: one
// operation at a time, so Finish is called exactly once without any lock, and a stream holds one request and
// one response at most. A client that sends ahead waits in HTTP/2 flow control. The first error ends the
// stream with its status; responses written before it still arrive.
//
// Thread safety: the object is gRPC's; nobody else touches it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rpc/call.h"

namespace raakvlak::rpc {

template <typename Request, typename Response>
class BatchStream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  // Deletes itself when the call is done; made by ServeStream.
  BatchStream(const CallEnvironment& environment, grpc::CallbackServerContext* context,
              absl::string_view method, Core<Request, Response> core)
      : environment_(environment), context_(*context), method_(method), core_(std::move(core)) {
    Post([this] { Begin(); });
  }

 private:
  void Begin() {
    const absl::StatusOr<Gate::Pass> pass = Admit(environment_, context_, method_, kMaxStreamDeadline);
    if (!pass.ok()) return End(pass.status());
    this->StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    // No more requests: the client closed its half, or the call was cut off and nobody sees the status.
    if (!ok) return End(absl::OkStatus());
    Post([this] { Answer(); });
  }

  void Answer() {
    const absl::StatusOr<Gate::Pass> pass = Admit(environment_, context_, method_, kMaxStreamDeadline);
    if (!pass.ok()) return End(pass.status());
    if (context_.IsCancelled()) return End(absl::OkStatus());
    response_.Clear();
    const absl::Status status = core_(*pass, request_, response_);
    if (!status.ok()) return End(status);
    this->StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    request_.Clear();
    this->StartRead(&request_);
  }

  void OnDone() override { delete this; }

  void End(const absl::Status& status) { this->Finish(rpc::Finish(context_, method_, status)); }

  void Post(std::function<void()> work) {
    if (!environment_.executor->Post(std::move(work))) End(Overloaded());
  }

  const CallEnvironment environment_;
  grpc::CallbackServerContext& context_;
  const std::string method_;
  const Core<Request, Response> core_;
  Request request_;
  Response response_;
};

// ServeStream returns the reactor for one call.
template <typename Request, typename Response>
grpc::ServerBidiReactor<Request, Response>* ServeStream(const CallEnvironment& environment,
                                                        grpc::CallbackServerContext* context,
                                                        absl::string_view method,
                                                        Core<Request, Response> core) {
  return new BatchStream<Request, Response>(environment, context, method, std::move(core));
}

}  // namespace raakvlak::rpc

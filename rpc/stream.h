// BatchStream: a bidirectional stream that answers each request with one response, in order.
//
// It takes bytes and parses them itself (so the method is served as WithRawCallbackMethod_): gRPC ends a
// stream on a message that it cannot read as if the client had closed it. Such a message, also a compressed
// one, is MALFORMED here, one over the environment's limit TOO_LARGE, both with their entry.
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
#include <grpcpp/impl/codegen/proto_utils.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/call.h"

namespace raakvlak::rpc {

template <typename Request, typename Response>
class BatchStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
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
    StartRead(&received_);
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
    Request request;
    absl::Status status = Parse(*pass, request);
    Response response;
    if (status.ok()) status = core_(*pass, request, response);
    if (!status.ok()) return End(status);
    bool own_buffer = false;
    if (!grpc::SerializationTraits<Response>::Serialize(response, &sent_, &own_buffer).ok()) {
      return End(base::Error(absl::StatusCode::kInternal, base::reason::kInternal, "cannot serialise"));
    }
    StartWrite(&sent_);
  }

  absl::Status Parse(const Gate::Pass& pass, Request& request) {
    RAAKVLAK_RETURN_IF_ERROR(CheckSize(environment_, pass, method_, received_.Length()));
    const bool parsed = grpc::SerializationTraits<Request>::Deserialize(&received_, &request).ok();
    received_.Clear();
    return parsed ? absl::OkStatus() : RefuseRequest(environment_, pass, method_, MalformedRequest());
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    sent_.Clear();
    StartRead(&received_);
  }

  void OnDone() override { delete this; }

  void End(const absl::Status& status) { Finish(rpc::Finish(context_, method_, status)); }

  void Post(std::function<void()> work) {
    if (!environment_.executor->Post(std::move(work))) End(Overloaded(environment_, context_, method_));
  }

  const CallEnvironment environment_;
  grpc::CallbackServerContext& context_;
  const std::string method_;
  const Core<Request, Response> core_;
  grpc::ByteBuffer received_;
  grpc::ByteBuffer sent_;
};

// ServeStream returns the reactor for one call.
template <typename Request, typename Response>
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ServeStream(const CallEnvironment& environment,
                                                                         grpc::CallbackServerContext* context,
                                                                         absl::string_view method,
                                                                         Core<Request, Response> core) {
  return new BatchStream<Request, Response>(environment, context, method, std::move(core));
}

}  // namespace raakvlak::rpc

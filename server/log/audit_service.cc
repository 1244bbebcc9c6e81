#include "server/log/audit_service.h"

#include "base/status.h"
#include "rpc/stream.h"

namespace raakvlak::log {
namespace {

// Makes the function that rpc:: wants of a method of the core.
template <typename Request, typename Response>
rpc::Core<Request, Response> CoreOf(AuditReading& core,
                                    absl::StatusOr<Response> (AuditReading::*method)(const rpc::Gate::Pass&,
                                                                                     const Request&)) {
  return [&core, method](const rpc::Gate::Pass& pass, const Request& in, Response& out) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(out, (core.*method)(pass, in));
    return absl::OkStatus();
  };
}

}  // namespace

grpc::ServerUnaryReactor* AuditService::ListLogs(grpc::CallbackServerContext* context,
                                                 const v1::ListLogsRequest* request,
                                                 v1::ListLogsResponse* response) {
  return rpc::Unary(environment_, context, kListLogsMethod, request, response,
                    CoreOf(core_, &AuditReading::ListLogs));
}

grpc::ServerUnaryReactor* AuditService::ListEntries(grpc::CallbackServerContext* context,
                                                    const v1::ListEntriesRequest* request,
                                                    v1::ListEntriesResponse* response) {
  return rpc::Unary(environment_, context, kListEntriesMethod, request, response,
                    CoreOf(core_, &AuditReading::ListEntries));
}

grpc::ServerUnaryReactor* AuditService::GetEntry(grpc::CallbackServerContext* context,
                                                 const v1::GetEntryRequest* request,
                                                 v1::GetEntryResponse* response) {
  return rpc::Unary(environment_, context, kGetEntryMethod, request, response,
                    CoreOf(core_, &AuditReading::GetEntry));
}

grpc::ServerUnaryReactor* AuditService::ReadFiles(grpc::CallbackServerContext* context,
                                                  const v1::ReadFilesRequest* request,
                                                  v1::ReadFilesResponse* response) {
  return rpc::Unary(environment_, context, kReadFilesMethod, request, response,
                    CoreOf(core_, &AuditReading::ReadFiles));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AuditService::Watch(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::WatchRequest, v1::WatchResponse>(environment_, context, kWatchMethod,
                                                               CoreOf(core_, &AuditReading::Watch));
}

}  // namespace raakvlak::log

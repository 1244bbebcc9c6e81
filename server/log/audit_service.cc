#include "server/log/audit_service.h"

#include "rpc/stream.h"

namespace raakvlak::log {

grpc::ServerUnaryReactor* AuditService::ListLogs(grpc::CallbackServerContext* context,
                                                 const v1::ListLogsRequest* request,
                                                 v1::ListLogsResponse* response) {
  return rpc::Unary(environment_, context, kListLogsMethod, request, response,
                    rpc::CoreOf(core_, &AuditReading::ListLogs));
}

grpc::ServerUnaryReactor* AuditService::ListEntries(grpc::CallbackServerContext* context,
                                                    const v1::ListEntriesRequest* request,
                                                    v1::ListEntriesResponse* response) {
  return rpc::Unary(environment_, context, kListEntriesMethod, request, response,
                    rpc::CoreOf(core_, &AuditReading::ListEntries));
}

grpc::ServerUnaryReactor* AuditService::GetEntry(grpc::CallbackServerContext* context,
                                                 const v1::GetEntryRequest* request,
                                                 v1::GetEntryResponse* response) {
  return rpc::Unary(environment_, context, kGetEntryMethod, request, response,
                    rpc::CoreOf(core_, &AuditReading::GetEntry));
}

grpc::ServerUnaryReactor* AuditService::ReadFiles(grpc::CallbackServerContext* context,
                                                  const v1::ReadFilesRequest* request,
                                                  v1::ReadFilesResponse* response) {
  return rpc::Unary(environment_, context, kReadFilesMethod, request, response,
                    rpc::CoreOf(core_, &AuditReading::ReadFiles));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AuditService::Watch(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::WatchRequest, v1::WatchResponse>(environment_, context, kWatchMethod,
                                                               rpc::CoreOf(core_, &AuditReading::Watch));
}

}  // namespace raakvlak::log

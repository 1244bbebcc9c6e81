// AuditService: the gRPC side of AuditReading. Thread safety: gRPC's.
#pragma once

#include "raakvlak/v1/audit.grpc.pb.h"
#include "rpc/call.h"
#include "server/log/audit_reading.h"

namespace raakvlak::log {

// v1::Audit::CallbackService, with the bytes of Watch for rpc/stream.h.
using AuditServiceMethods = v1::Audit::WithCallbackMethod_ListLogs<v1::Audit::WithCallbackMethod_ListEntries<
    v1::Audit::WithCallbackMethod_GetEntry<v1::Audit::WithCallbackMethod_ReadFiles<
        v1::Audit::WithRawCallbackMethod_Watch<v1::Audit::Service>>>>>;

class AuditService final : public AuditServiceMethods {
 public:
  // `core` and what `environment` points to outlive this.
  AuditService(const rpc::CallEnvironment& environment, AuditReading& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* ListLogs(grpc::CallbackServerContext* context, const v1::ListLogsRequest* request,
                                     v1::ListLogsResponse* response) override;
  grpc::ServerUnaryReactor* ListEntries(grpc::CallbackServerContext* context,
                                        const v1::ListEntriesRequest* request,
                                        v1::ListEntriesResponse* response) override;
  grpc::ServerUnaryReactor* GetEntry(grpc::CallbackServerContext* context, const v1::GetEntryRequest* request,
                                     v1::GetEntryResponse* response) override;
  grpc::ServerUnaryReactor* ReadFiles(grpc::CallbackServerContext* context,
                                      const v1::ReadFilesRequest* request,
                                      v1::ReadFilesResponse* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(
      grpc::CallbackServerContext* context) override;

 private:
  const rpc::CallEnvironment environment_;
  AuditReading& core_;
};

}  // namespace raakvlak::log

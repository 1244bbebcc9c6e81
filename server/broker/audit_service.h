// AuditService: the gRPC side of broker/audit_reading.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/audit.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/audit_reading.h"

namespace raakvlak::broker {

class AuditService final : public v1::Audit::CallbackService {
 public:
  // What `environment` points to, and `core`, outlive the service.
  AuditService(const rpc::CallEnvironment& environment, AuditReading& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* ListEntries(grpc::CallbackServerContext* context,
                                        const v1::ListEntriesRequest* request,
                                        v1::ListEntriesResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  AuditReading& core_;
};

}  // namespace raakvlak::broker

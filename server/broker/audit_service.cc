#include "server/broker/audit_service.h"

#include "base/status.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* AuditService::ListEntries(grpc::CallbackServerContext* context,
                                                    const v1::ListEntriesRequest* request,
                                                    v1::ListEntriesResponse* response) {
  return rpc::Unary(environment_, context, kListEntriesMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ListEntriesRequest& in,
                           v1::ListEntriesResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.ListEntries(pass, in));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::broker

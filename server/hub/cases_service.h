// The gRPC adapter of Cases, and the table of who may call what at the hub.
#pragma once

#include <vector>

#include "raakvlak/v1/cases.grpc.pb.h"
#include "rpc/call.h"
#include "server/hub/cases.h"

namespace raakvlak::hub {

std::vector<rpc::MethodRule> MethodTable();

class CasesService final : public v1::Cases::CallbackService {
 public:
  CasesService(Cases& cases, rpc::CallEnvironment environment) : cases_(cases), environment_(environment) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const v1::ListMatchesRequest* request,
                                 v1::ListMatchesResponse* response) override;
  grpc::ServerUnaryReactor* Open(grpc::CallbackServerContext* context, const v1::OpenCaseRequest* request,
                                 v1::OpenCaseResponse* response) override;

 private:
  Cases& cases_;
  const rpc::CallEnvironment environment_;
};

}  // namespace raakvlak::hub

#include "server/hub/cases_service.h"

#include <utility>

#include "server/log/audit_reading.h"
#include "server/program/policy_reading.h"

namespace raakvlak::hub {
namespace {

constexpr char kList[] = "/raakvlak.v1.Cases/List";
constexpr char kOpen[] = "/raakvlak.v1.Cases/Open";

}  // namespace

std::vector<rpc::MethodRule> MethodTable() {
  std::vector<rpc::MethodRule> table = {
      {kList, {rpc::Role::kStaff}, ""},
      {kOpen, {rpc::Role::kStaff}, ""},
      {server::kFetchPolicyMethod, {rpc::Role::kStaff, rpc::Role::kOfficer}, ""},
  };
  for (rpc::MethodRule& rule : log::AuditMethods()) table.push_back(std::move(rule));
  return table;
}

grpc::ServerUnaryReactor* CasesService::List(grpc::CallbackServerContext* context,
                                             const v1::ListMatchesRequest* request,
                                             v1::ListMatchesResponse* response) {
  return rpc::Unary<v1::ListMatchesRequest, v1::ListMatchesResponse>(
      environment_, context, kList, request, response,
      [this](const rpc::Gate::Pass& pass, const v1::ListMatchesRequest& in, v1::ListMatchesResponse& out) {
        return cases_.List(pass, in, out);
      });
}

grpc::ServerUnaryReactor* CasesService::Open(grpc::CallbackServerContext* context,
                                             const v1::OpenCaseRequest* request,
                                             v1::OpenCaseResponse* response) {
  return rpc::Unary<v1::OpenCaseRequest, v1::OpenCaseResponse>(
      environment_, context, kOpen, request, response,
      [this](const rpc::Gate::Pass& pass, const v1::OpenCaseRequest& in, v1::OpenCaseResponse& out) {
        return cases_.Open(pass, in, out);
      });
}

}  // namespace raakvlak::hub

#include "server/node/node_keys_service.h"

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "server/node/method_table.h"

namespace raakvlak::node {
namespace {

using rpc::Gate;

}  // namespace

absl::Status NodeKeysService::LogRead(const Gate::Pass& pass, absl::string_view action,
                                      absl::string_view object) const {
  storage::AuditEntry entry = NewEntry(node_, pass, action);
  entry.object = std::string(object);
  return node_.store->Write(
      action, [&](storage::NodeTransaction& transaction) { return transaction.AppendAudit(entry).status(); });
}

grpc::ServerUnaryReactor* NodeKeysService::GetKeyStatus(grpc::CallbackServerContext* context,
                                                        const v1::GetKeyStatusRequest* request,
                                                        v1::GetKeyStatusResponse* response) {
  return rpc::Unary(environment_, context, kGetKeyStatusMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::GetKeyStatusRequest&,
                           v1::GetKeyStatusResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, status_.Get(pass.snapshot));
                      return LogRead(pass, "key_status", "");
                    });
}

grpc::ServerUnaryReactor* NodeKeysService::StartCeremony(grpc::CallbackServerContext* context,
                                                         const v1::StartCeremonyRequest* request,
                                                         v1::StartCeremonyResponse* response) {
  return rpc::Unary(environment_, context, kStartCeremonyMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::StartCeremonyRequest& in,
                           v1::StartCeremonyResponse& out) -> absl::Status {
                      const auto online = [this](const policy::Keyset& keyset) {
                        return status_.Online(keyset);
                      };
                      return rpc::AnswerOrRefuse(environment_, pass, kStartCeremonyMethod,
                                                 driver_.Propose(pass, in, online), *out.mutable_ceremony());
                    });
}

grpc::ServerUnaryReactor* NodeKeysService::ApproveCeremony(grpc::CallbackServerContext* context,
                                                           const v1::CeremonyRequest* request,
                                                           v1::CeremonyResponse* response) {
  return rpc::Unary(environment_, context, kApproveCeremonyMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::CeremonyRequest& in,
                           v1::CeremonyResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kApproveCeremonyMethod,
                                                 driver_.Approve(pass, in.ceremony_id()),
                                                 *out.mutable_ceremony());
                    });
}

grpc::ServerUnaryReactor* NodeKeysService::ShowCeremony(grpc::CallbackServerContext* context,
                                                        const v1::CeremonyRequest* request,
                                                        v1::CeremonyResponse* response) {
  return rpc::Unary(environment_, context, kShowCeremonyMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::CeremonyRequest& in,
                           v1::CeremonyResponse& out) -> absl::Status {
                      RAAKVLAK_RETURN_IF_ERROR(rpc::AnswerOrRefuse(environment_, pass, kShowCeremonyMethod,
                                                                   driver_.Show(in.ceremony_id()),
                                                                   *out.mutable_ceremony()));
                      return LogRead(pass, "ceremony_read", base::Hex(in.ceremony_id()));
                    });
}

grpc::ServerUnaryReactor* NodeKeysService::ListCeremonies(grpc::CallbackServerContext* context,
                                                          const v1::ListNodeCeremoniesRequest* request,
                                                          v1::ListNodeCeremoniesResponse* response) {
  return rpc::Unary(environment_, context, kListCeremoniesMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::ListNodeCeremoniesRequest&,
                           v1::ListNodeCeremoniesResponse& out) -> absl::Status {
                      for (v1::CeremonyState& state : driver_.List())
                        *out.add_ceremonies() = std::move(state);
                      return LogRead(pass, "ceremony_read", "");
                    });
}

grpc::ServerUnaryReactor* NodeKeysService::GiveUpCeremony(grpc::CallbackServerContext* context,
                                                          const v1::CeremonyRequest* request,
                                                          v1::CeremonyResponse* response) {
  return rpc::Unary(environment_, context, kGiveUpCeremonyMethod, request, response,
                    [this](const Gate::Pass& pass, const v1::CeremonyRequest& in,
                           v1::CeremonyResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kGiveUpCeremonyMethod,
                                                 driver_.GiveUp(pass, in.ceremony_id()),
                                                 *out.mutable_ceremony());
                    });
}

}  // namespace raakvlak::node

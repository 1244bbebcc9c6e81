// NodeKeysService: the gRPC side of node/ceremony_driver.h and node/key_status.h. Thread safety: gRPC calls
// it from any thread.
#pragma once

#include "raakvlak/v1/node_keys.grpc.pb.h"
#include "rpc/call.h"
#include "server/node/ceremony_driver.h"
#include "server/node/key_status.h"

namespace raakvlak::node {

class NodeKeysService final : public v1::NodeKeys::CallbackService {
 public:
  // What both environments point to, and the cores, outlive the service.
  NodeKeysService(const rpc::CallEnvironment& environment, const Environment& node, CeremonyDriver& driver,
                  KeyStatus& status)
      : environment_(environment), node_(node), driver_(driver), status_(status) {}

  grpc::ServerUnaryReactor* GetKeyStatus(grpc::CallbackServerContext* context,
                                         const v1::GetKeyStatusRequest* request,
                                         v1::GetKeyStatusResponse* response) override;
  grpc::ServerUnaryReactor* StartCeremony(grpc::CallbackServerContext* context,
                                          const v1::StartCeremonyRequest* request,
                                          v1::StartCeremonyResponse* response) override;
  grpc::ServerUnaryReactor* ApproveCeremony(grpc::CallbackServerContext* context,
                                            const v1::CeremonyRequest* request,
                                            v1::CeremonyResponse* response) override;
  grpc::ServerUnaryReactor* ShowCeremony(grpc::CallbackServerContext* context,
                                         const v1::CeremonyRequest* request,
                                         v1::CeremonyResponse* response) override;
  grpc::ServerUnaryReactor* ListCeremonies(grpc::CallbackServerContext* context,
                                           const v1::ListNodeCeremoniesRequest* request,
                                           v1::ListNodeCeremoniesResponse* response) override;
  grpc::ServerUnaryReactor* GiveUpCeremony(grpc::CallbackServerContext* context,
                                           const v1::CeremonyRequest* request,
                                           v1::CeremonyResponse* response) override;

 private:
  // An entry for what changes nothing; before the answer leaves.
  absl::Status LogRead(const rpc::Gate::Pass& pass, absl::string_view action, absl::string_view object) const;

  const rpc::CallEnvironment environment_;
  const Environment node_;
  CeremonyDriver& driver_;
  KeyStatus& status_;
};

}  // namespace raakvlak::node

// A made node for tests of `raakvlak key`: what an operator sees of it and does to it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/node_keys_client.h"

namespace raakvlak::cli::testing {

// A node with keys and ceremonies, as its operator sees it.
class FakeNodeKeys final : public client::NodeKeysClient {
 public:
  v1::GetKeyStatusResponse status;
  std::vector<v1::CeremonyState> ceremonies;
  // Called before ListCeremonies is answered: the place where time passes.
  std::function<void()> on_list = [] {};
  // Decides about a start; by default a ceremony of that kind that is proposed.
  std::function<absl::StatusOr<v1::CeremonyState>(const v1::StartCeremonyRequest&)> on_start;
  // What ApproveCeremony and GiveUpCeremony answer, after the state was set.
  absl::Status refusal;

  std::vector<v1::StartCeremonyRequest> started;
  std::vector<std::string> approved;
  // Ceremonies that others have stopped.
  std::set<std::string> ended;

  absl::StatusOr<v1::GetKeyStatusResponse> GetKeyStatus(const v1::GetKeyStatusRequest&,
                                                        absl::Duration) override {
    return status;
  }
  absl::StatusOr<v1::StartCeremonyResponse> StartCeremony(const v1::StartCeremonyRequest& request,
                                                          absl::Duration) override {
    started.push_back(request);
    v1::StartCeremonyResponse response;
    if (on_start) {
      RAAKVLAK_ASSIGN_OR_RETURN(*response.mutable_ceremony(), on_start(request));
      return response;
    }
    v1::CeremonyState& ceremony = *response.mutable_ceremony();
    ceremony.set_ceremony_id(base::Sha256(request.SerializeAsString()));
    ceremony.set_kind(request.kind());
    ceremony.set_purpose(request.purpose());
    ceremony.set_identifier_class(request.identifier_class());
    ceremony.set_epoch(1);
    ceremony.set_state("running");
    ceremony.set_step("join");
    ceremony.set_proposed_by("politie");
    ceremonies.push_back(ceremony);
    return response;
  }
  absl::StatusOr<v1::CeremonyResponse> ApproveCeremony(const v1::CeremonyRequest& request,
                                                       absl::Duration) override {
    if (ended.contains(request.ceremony_id())) {
      return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kAlreadyEnded, "ended");
    }
    approved.push_back(request.ceremony_id());
    return Change(request, "running");
  }
  absl::StatusOr<v1::CeremonyResponse> ShowCeremony(const v1::CeremonyRequest& request,
                                                    absl::Duration) override {
    return Change(request, "");
  }
  absl::StatusOr<v1::ListNodeCeremoniesResponse> ListCeremonies(const v1::ListNodeCeremoniesRequest&,
                                                                absl::Duration) override {
    on_list();
    v1::ListNodeCeremoniesResponse response;
    for (const v1::CeremonyState& ceremony : ceremonies) *response.add_ceremonies() = ceremony;
    return response;
  }
  absl::StatusOr<v1::CeremonyResponse> GiveUpCeremony(const v1::CeremonyRequest& request,
                                                      absl::Duration) override {
    return Change(request, "stopped");
  }

 private:
  absl::StatusOr<v1::CeremonyResponse> Change(const v1::CeremonyRequest& request, const std::string& state) {
    RAAKVLAK_RETURN_IF_ERROR(refusal);
    v1::CeremonyResponse response;
    for (v1::CeremonyState& ceremony : ceremonies) {
      if (ceremony.ceremony_id() != request.ceremony_id()) continue;
      if (!state.empty()) ceremony.set_state(state);
      *response.mutable_ceremony() = ceremony;
    }
    return response;
  }
};

// Forwards to the fake, because a command owns its client.
class NodeKeysForward final : public client::NodeKeysClient {
 public:
  explicit NodeKeysForward(FakeNodeKeys& fake) : fake_(fake) {}
  absl::StatusOr<v1::GetKeyStatusResponse> GetKeyStatus(const v1::GetKeyStatusRequest& request,
                                                        absl::Duration timeout) override {
    return fake_.GetKeyStatus(request, timeout);
  }
  absl::StatusOr<v1::StartCeremonyResponse> StartCeremony(const v1::StartCeremonyRequest& request,
                                                          absl::Duration timeout) override {
    return fake_.StartCeremony(request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> ApproveCeremony(const v1::CeremonyRequest& request,
                                                       absl::Duration timeout) override {
    return fake_.ApproveCeremony(request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> ShowCeremony(const v1::CeremonyRequest& request,
                                                    absl::Duration timeout) override {
    return fake_.ShowCeremony(request, timeout);
  }
  absl::StatusOr<v1::ListNodeCeremoniesResponse> ListCeremonies(const v1::ListNodeCeremoniesRequest& request,
                                                                absl::Duration timeout) override {
    return fake_.ListCeremonies(request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> GiveUpCeremony(const v1::CeremonyRequest& request,
                                                      absl::Duration timeout) override {
    return fake_.GiveUpCeremony(request, timeout);
  }

 private:
  FakeNodeKeys& fake_;
};

}  // namespace raakvlak::cli::testing

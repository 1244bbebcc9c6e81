// RemoteServices: the servers of a real region, over mutual TLS. Each server must show the name that the
// covenant gives it.
//
// Before the first use of covenant or roster, the server that this identity calls anyway is asked for newer
// ones (Policy.FetchPolicy): the hub by staff and officers, the own node by a partner's IT and operator. What
// verifies is kept in the region's policy folder. Who gets no answer goes on with what is there.
//
// Nothing is read or connected before it is asked for. Thread safety: one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "cli/region.h"
#include "cli/services.h"
#include "policy/policy_copy.h"

namespace raakvlak::cli {

class RemoteServices final : public Services {
 public:
  // Everything given outlives this.
  RemoteServices(const Region& region, const Identity& identity, const base::Clock& clock)
      : region_(region), identity_(identity), clock_(clock) {}

  absl::StatusOr<std::shared_ptr<const policy::Covenant>> Covenant() override;
  absl::StatusOr<std::shared_ptr<const policy::Roster>> Roster() override;
  absl::StatusOr<std::unique_ptr<client::IntakeClient>> Intake() override;
  absl::StatusOr<std::unique_ptr<client::CasesClient>> Cases() override;
  absl::StatusOr<std::unique_ptr<client::AuditClient>> Audit(const std::string& log) override;
  absl::StatusOr<std::unique_ptr<client::PolicyClient>> Policy() override;
  absl::StatusOr<std::unique_ptr<client::NodeKeysClient>> NodeKeys() override;

 private:
  // What is known of the policy, read and asked for once.
  absl::StatusOr<const policy::PolicyCopy*> Known();
  absl::Status AskForNewer(policy::PolicyCopy& known);
  // Once for each server: its connections are shared.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel(const std::string& address,
                                                         const std::string& server_urn,
                                                         const std::string& what);

  const Region& region_;
  const Identity& identity_;
  const base::Clock& clock_;
  std::optional<policy::PolicyCopy> known_;
  // Why there is nothing newer than what was there.
  absl::Status asked_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;  // by name of the server
};

}  // namespace raakvlak::cli

// RemoteServices: the servers of a real region, over mutual TLS. Each server must show the name that the
// covenant gives it.
//
// Nothing is read or connected before it is asked for. Thread safety: one thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "cli/region.h"
#include "cli/services.h"

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
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel(const std::string& address,
                                                         const std::string& server_urn,
                                                         const std::string& what);

  const Region& region_;
  const Identity& identity_;
  const base::Clock& clock_;
  std::shared_ptr<const policy::Covenant> covenant_;
  std::shared_ptr<const policy::Roster> roster_;
};

}  // namespace raakvlak::cli

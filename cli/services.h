// Services: how commands reach the servers of a region. Tests hand in fakes. Thread safety: one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/audit_client.h"
#include "client/cases_client.h"
#include "client/intake_client.h"
#include "client/node_keys_client.h"
#include "client/policy_client.h"
#include "policy/covenant.h"
#include "policy/roster.h"

namespace raakvlak::cli {

class Services {
 public:
  virtual ~Services() = default;
  // The region's covenant: verified, and valid now. Server names come from it. COVENANT_*, SIGNATURE_INVALID,
  // FILE_UNREADABLE.
  virtual absl::StatusOr<std::shared_ptr<const policy::Covenant>> Covenant() = 0;
  // The roster under that covenant: verified, and valid now. ROSTER_*, SIGNATURE_INVALID, FILE_UNREADABLE.
  virtual absl::StatusOr<std::shared_ptr<const policy::Roster>> Roster() = 0;
  // The partner's own node, the hub, and the logs of a process: "broker", "hub" or a partner id.
  // CONFIG_INVALID when the region file has no address for it.
  virtual absl::StatusOr<std::unique_ptr<client::IntakeClient>> Intake() = 0;
  virtual absl::StatusOr<std::unique_ptr<client::CasesClient>> Cases() = 0;
  virtual absl::StatusOr<std::unique_ptr<client::AuditClient>> Audit(const std::string& log) = 0;
  // The notes that the broker keeps for all.
  virtual absl::StatusOr<std::unique_ptr<client::PolicyClient>> Policy() = 0;
  // The node that an operator looks after. CONFIG_INVALID also when the identity's URN is no operator's.
  virtual absl::StatusOr<std::unique_ptr<client::NodeKeysClient>> NodeKeys() = 0;
};

}  // namespace raakvlak::cli

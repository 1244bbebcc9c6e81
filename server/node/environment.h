// Environment: what the cores of one node share. Everything pointed to outlives the cores and may be used
// from any thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "policy/authority.h"
#include "policy/budget/covenant_budget.h"
#include "rpc/gate.h"
#include "server/node/key_ring.h"
#include "server/node/signing_keys.h"
#include "server/node/vault.h"
#include "server/storage/node_store.h"

namespace raakvlak::node {

class AddressExclusion;

struct Environment {
  // This node's partner id.
  std::string partner;
  SigningKeys signing_keys;
  policy::Authority* authority = nullptr;
  KeyRing* keys = nullptr;
  storage::NodeStore* store = nullptr;
  const Vault* vault = nullptr;
  const base::Clock* clock = nullptr;
  base::Random* random = nullptr;
  policy::LinkageCheck* linkage_check = nullptr;
  AddressExclusion* exclusion = nullptr;

  int64_t NowMs() const { return absl::ToUnixMillis(clock->Now()); }
};

// Where a call came from, for audit entries; empty for what the node asks itself.
struct CallOrigin {
  std::string network;
  std::string trace_id;
};

// NewEntry is an audit entry of `action` at this time, with the policy in force.
inline storage::AuditEntry NewEntry(const Environment& environment, const policy::Snapshot& snapshot,
                                    absl::string_view actor, absl::string_view role,
                                    absl::string_view action) {
  storage::AuditEntry entry;
  entry.time_ms = environment.NowMs();
  entry.actor = std::string(actor);
  entry.role = std::string(role);
  entry.action = std::string(action);
  entry.policy = snapshot.Name();
  return entry;
}

// NewEntry is an audit entry of `action` about a call.
inline storage::AuditEntry NewEntry(const Environment& environment, const rpc::Gate::Pass& pass,
                                    absl::string_view action) {
  storage::AuditEntry entry =
      NewEntry(environment, pass.snapshot, pass.caller.urn, rpc::RoleName(pass.caller.role), action);
  entry.origin = pass.origin;
  entry.trace_id = pass.trace_id;
  return entry;
}

// OwnKey is the key with which the partner signs what `covenant` judges; any, when it is not in it.
inline const crypto::note::PrivateKey& OwnKey(const Environment& environment,
                                              const policy::Covenant& covenant) {
  if (covenant.FindPartner(environment.partner) == nullptr) return environment.signing_keys.First();
  return environment.signing_keys.For(covenant.PartnerKey(environment.partner));
}

// OwnUrn is the node's own name, the actor of what it does by itself.
inline std::string OwnUrn(const Environment& environment, const policy::Snapshot& snapshot) {
  return policy::Urn(snapshot.covenant->region(), "node", environment.partner);
}

}  // namespace raakvlak::node

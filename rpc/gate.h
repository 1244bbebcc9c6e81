// Gate: may this caller make this call? Denies by default: an RPC without a row in the table is refused to
// everyone.
//
// Checked on every call, in this order: identity, covenant and roster in force and valid now, region, that
// the identity is in them (node and it: a partner in force; broker and hub: the covenant's URN; staff,
// officer, operator: a roster member with that role), then the table row. An operator whose id is that of a
// partner is that partner's own, as its IT is, and stands in no roster. Purposes and content of the request
// are the core's affair.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/authority.h"
#include "rpc/identity.h"

namespace raakvlak::rpc {

struct MethodRule {
  // "/raakvlak.v1.Exchange/Submit"
  std::string method;
  std::set<Role> roles;
  // When not empty, the caller's id must be this (a node's Intake serves its own partner's IT only).
  std::string only_id;
};

class Gate {
 public:
  // `authority` outlives the gate. REQUIRES: no method has two rows.
  Gate(policy::Authority& authority, std::vector<MethodRule> table);

  // What a permitted call carries along.
  struct Pass {
    Caller caller;
    policy::Snapshot snapshot;
    // The network that the call came from (NetworkOf), for audit entries. Set by Admit (rpc/call.h).
    std::string origin = {};
    // The trace id of the call (TraceIdOf). Set by Admit as well.
    std::string trace_id = {};
    // When the caller stops waiting. Set by Admit as well.
    absl::Time deadline = absl::InfiniteFuture();
  };
  // `uri_names` are the URI names of the peer's certificate. UNAUTHENTICATED (not exactly one, not a URN of
  // ours), NOT_ALLOWED (wrong region, role or id, unknown member, no row), PARTNER_SUSPENDED,
  // COVENANT_EXPIRED, ROSTER_EXPIRED.
  absl::StatusOr<Pass> Check(const std::vector<std::string>& uri_names, absl::string_view method) const;

  // Whether covenant or roster know this peer now, also when it is suspended or may not make some call.
  // Nobody is known while nothing is in force.
  bool Knows(const std::vector<std::string>& uri_names) const;

  const std::vector<MethodRule>& table() const { return table_; }

 private:
  // All but the table.
  absl::StatusOr<Pass> Identify(const std::vector<std::string>& uri_names) const;

  policy::Authority& authority_;
  const std::vector<MethodRule> table_;
};

}  // namespace raakvlak::rpc

// Identity of a caller or server: exactly one URI name in its certificate, urn:raakvlak:<region>:<role>:<id>.
//
// The common name, DNS names and headers are never looked at. A certificate alone proves no membership:
// covenant and roster are asked on every call (rpc/gate.h). Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::rpc {

enum class Role { kBroker, kNode, kHub, kIt, kStaff, kOfficer, kOperator };

// "broker", "node", "hub", "it", "staff", "officer", "operator".
absl::string_view RoleName(Role role);

struct Caller {
  std::string urn;
  std::string region;
  Role role = Role::kOperator;
  std::string id;
};

// ParseUrn: UNAUTHENTICATED unless it is exactly such a URN with a known role and names of [a-z0-9-], 1 to 64
// characters.
absl::StatusOr<Caller> ParseUrn(absl::string_view urn);

// ParseNames takes the URI names of a certificate. UNAUTHENTICATED unless there is exactly one and ParseUrn
// takes it.
absl::StatusOr<Caller> ParseNames(const std::vector<std::string>& uri_names);

// NetworkOf shortens a peer as gRPC names it ("ipv4:192.0.2.7:4711", "ipv6:%5B2001:db8::1%5D:4711") to what
// the audit log may hold of an address: "192.0.2.0/24", "2001:db8::/48". "unknown address" for anything else.
std::string NetworkOf(absl::string_view peer);

}  // namespace raakvlak::rpc

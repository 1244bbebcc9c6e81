#include "rpc/gate.h"

#include <utility>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

absl::Status NotAllowed(absl::string_view message) {
  return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed, message);
}

absl::Status CheckUrn(const Caller& caller, absl::string_view expected) {
  return caller.urn == expected ? absl::OkStatus()
                                : NotAllowed("the covenant names another one in this role");
}

absl::Status CheckMember(const Caller& caller, const policy::Roster& roster, v1::MemberRole role) {
  const v1::Member* member = roster.FindMember(caller.urn);
  if (member == nullptr || !policy::Roster::HasRole(*member, role)) {
    return NotAllowed("the roster has no such member with this role");
  }
  return absl::OkStatus();
}

absl::Status CheckMembership(const Caller& caller, const policy::Snapshot& snapshot) {
  const policy::Covenant& covenant = *snapshot.covenant;
  switch (caller.role) {
    case Role::kNode:
    case Role::kIt:
      return policy::Authority::CheckPartner(snapshot, caller.id);
    case Role::kBroker:
      return CheckUrn(caller, covenant.text().broker().urn());
    case Role::kHub:
      return CheckUrn(caller, covenant.text().hub().urn());
    case Role::kStaff:
      return CheckMember(caller, *snapshot.roster, v1::STAFF);
    case Role::kOfficer:
      return CheckMember(caller, *snapshot.roster, v1::OFFICER);
    case Role::kOperator:
      // A partner's own, as its IT; no roster can make somebody else that.
      if (covenant.FindPartner(caller.id) != nullptr)
        return policy::Authority::CheckPartner(snapshot, caller.id);
      return CheckMember(caller, *snapshot.roster, v1::OPERATOR);
  }
  return NotAllowed("unknown role");
}

}  // namespace

Gate::Gate(policy::Authority& authority, std::vector<MethodRule> table)
    : authority_(authority), table_(std::move(table)) {
  std::set<std::string> methods;
  for (const MethodRule& rule : table_)
    RAAKVLAK_CHECK(methods.insert(rule.method).second, "one row per method");
}

absl::StatusOr<Gate::Pass> Gate::Identify(const std::vector<std::string>& uri_names) const {
  RAAKVLAK_ASSIGN_OR_RETURN(Caller caller, ParseNames(uri_names));
  RAAKVLAK_ASSIGN_OR_RETURN(policy::Snapshot snapshot, authority_.Current());
  if (caller.region != snapshot.covenant->region()) return NotAllowed("this is another region");
  RAAKVLAK_RETURN_IF_ERROR(CheckMembership(caller, snapshot));
  return Pass{std::move(caller), std::move(snapshot)};
}

bool Gate::Knows(const std::vector<std::string>& uri_names) const {
  const absl::Status status = Identify(uri_names).status();
  return status.ok() || base::ReasonOf(status) == base::reason::kPartnerSuspended;
}

absl::StatusOr<Gate::Pass> Gate::Check(const std::vector<std::string>& uri_names,
                                       absl::string_view method) const {
  RAAKVLAK_ASSIGN_OR_RETURN(Pass pass, Identify(uri_names));
  for (const MethodRule& rule : table_) {
    if (rule.method != method) continue;
    if (rule.roles.count(pass.caller.role) == 0) return NotAllowed("this role may not make this call");
    if (!rule.only_id.empty() && rule.only_id != pass.caller.id)
      return NotAllowed("this call is for another partner");
    return pass;
  }
  return NotAllowed("nobody may make this call");
}

}  // namespace raakvlak::rpc

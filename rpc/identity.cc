#include "rpc/identity.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

constexpr size_t kMaxNameSize = 64;
constexpr std::pair<Role, const char*> kRoles[] = {
    {Role::kBroker, "broker"}, {Role::kNode, "node"},       {Role::kHub, "hub"},           {Role::kIt, "it"},
    {Role::kStaff, "staff"},   {Role::kOfficer, "officer"}, {Role::kOperator, "operator"},
};

absl::Status Unknown(absl::string_view message) {
  return base::Error(absl::StatusCode::kUnauthenticated, base::reason::kUnauthenticated, message);
}

bool IsName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxNameSize) return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

}  // namespace

absl::string_view RoleName(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "";
}

absl::StatusOr<Caller> ParseUrn(absl::string_view urn) {
  const std::vector<absl::string_view> parts = absl::StrSplit(urn, ':');
  if (parts.size() != 5 || parts[0] != "urn" || parts[1] != "raakvlak" || !IsName(parts[2]) ||
      !IsName(parts[4])) {
    return Unknown("the certificate's URI name is not urn:raakvlak:<region>:<role>:<id>");
  }
  for (const auto& [value, name] : kRoles) {
    if (parts[3] == name)
      return Caller{std::string(urn), std::string(parts[2]), value, std::string(parts[4])};
  }
  return Unknown("the certificate's URI name has an unknown role");
}

absl::StatusOr<Caller> ParseNames(const std::vector<std::string>& uri_names) {
  if (uri_names.size() != 1) return Unknown("the certificate must have exactly one URI name");
  return ParseUrn(uri_names[0]);
}

}  // namespace raakvlak::rpc

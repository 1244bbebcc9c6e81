#include "rpc/identity.h"

#include <arpa/inet.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

constexpr size_t kMaxNameSize = 64;
constexpr char kUnknownAddress[] = "unknown address";
constexpr size_t kIpv4NetworkBytes = 3;
constexpr size_t kIpv6NetworkBytes = 6;
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

// Keeps the first `network_bytes` of an address of `family`.
template <typename Address>
std::string Network(int family, const std::string& host, size_t network_bytes) {
  Address address = {};
  if (inet_pton(family, host.c_str(), &address) != 1) return kUnknownAddress;
  std::memset(reinterpret_cast<char*>(&address) + network_bytes, 0, sizeof(address) - network_bytes);
  char text[INET6_ADDRSTRLEN] = {};
  if (inet_ntop(family, &address, text, sizeof(text)) == nullptr) return kUnknownAddress;
  return absl::StrCat(text, "/", 8 * network_bytes);
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

std::string NetworkOf(absl::string_view peer) {
  const size_t port = peer.rfind(':');
  if (port == absl::string_view::npos) return kUnknownAddress;
  absl::string_view host = peer.substr(0, port);
  if (absl::ConsumePrefix(&host, "ipv4:")) {
    return Network<in_addr>(AF_INET, std::string(host), kIpv4NetworkBytes);
  }
  if (absl::ConsumePrefix(&host, "ipv6:")) {
    const std::string plain = absl::StrReplaceAll(host, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
    return Network<in6_addr>(AF_INET6, plain.substr(0, plain.find('%')), kIpv6NetworkBytes);
  }
  return kUnknownAddress;
}

}  // namespace raakvlak::rpc

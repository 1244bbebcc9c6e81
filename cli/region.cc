#include "cli/region.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::cli {
namespace {

using nlohmann::json;

absl::Status Invalid(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                     absl::StrCat("region file: ", what));
}

// Text of a member; empty when there is none.
absl::StatusOr<std::string> Text(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end()) return std::string();
  if (!member->is_string()) return Invalid(absl::StrCat("\"", name, "\" is not a text"));
  return member->get<std::string>();
}

absl::StatusOr<std::string> Path(const json& object, const char* name, const std::string& folder) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text, Text(object, name));
  if (text.empty()) return text;
  return (std::filesystem::path(folder) / text).lexically_normal().string();
}

absl::StatusOr<json> Object(const json& parent, const char* name) {
  const auto member = parent.find(name);
  if (member == parent.end()) return json::object();
  if (!member->is_object()) return Invalid(absl::StrCat("\"", name, "\" is not an object"));
  return *member;
}

absl::Status AddIdentity(const std::string& name, const json& object, const std::string& folder,
                         Region& region) {
  if (!object.is_object()) return Invalid("an identity is not an object");
  Identity identity;
  identity.name = name;
  RAAKVLAK_ASSIGN_OR_RETURN(identity.certificate, Path(object, "cert", folder));
  RAAKVLAK_ASSIGN_OR_RETURN(identity.key, Path(object, "key", folder));
  RAAKVLAK_ASSIGN_OR_RETURN(identity.authority, Path(object, "ca", folder));
  RAAKVLAK_ASSIGN_OR_RETURN(identity.urn, Text(object, "urn"));
  RAAKVLAK_ASSIGN_OR_RETURN(identity.signing_key, Path(object, "signing_key", folder));
  if (identity.certificate.empty() || identity.key.empty() || identity.authority.empty()) {
    return Invalid(absl::StrCat("identity \"", name, "\" needs cert, key and ca"));
  }
  region.identities.emplace(name, std::move(identity));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Region> ParseRegion(absl::string_view text, const std::string& folder) {
  const json file = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!file.is_object()) return Invalid("not a JSON object");
  Region region;
  RAAKVLAK_ASSIGN_OR_RETURN(const json broker, Object(file, "broker"));
  RAAKVLAK_ASSIGN_OR_RETURN(region.broker_address, Text(broker, "address"));
  RAAKVLAK_ASSIGN_OR_RETURN(const json hub, Object(file, "hub"));
  RAAKVLAK_ASSIGN_OR_RETURN(region.hub_address, Text(hub, "address"));
  RAAKVLAK_ASSIGN_OR_RETURN(const json nodes, Object(file, "nodes"));
  for (const auto& [id, node] : nodes.items()) {
    if (!node.is_object()) return Invalid("a node is not an object");
    NodeAddresses addresses;
    RAAKVLAK_ASSIGN_OR_RETURN(addresses.intake, Text(node, "intake"));
    RAAKVLAK_ASSIGN_OR_RETURN(addresses.peer, Text(node, "peer"));
    region.nodes.emplace(id, std::move(addresses));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const json identities, Object(file, "identities"));
  for (const auto& [name, identity] : identities.items()) {
    RAAKVLAK_RETURN_IF_ERROR(AddIdentity(name, identity, folder, region));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(region.covenant_path, Path(file, "covenant", folder));
  RAAKVLAK_ASSIGN_OR_RETURN(region.roster_path, Path(file, "roster", folder));
  RAAKVLAK_ASSIGN_OR_RETURN(region.policy_folder, Path(file, "policy", folder));
  if (region.policy_folder.empty())
    region.policy_folder = (std::filesystem::path(folder) / "policy").string();
  return region;
}

absl::StatusOr<Region> LoadRegion(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  return ParseRegion(text, std::filesystem::path(path).parent_path().string());
}

absl::StatusOr<const Identity*> FindIdentity(const Region& region, const std::string& name) {
  if (const auto found = region.identities.find(name); found != region.identities.end())
    return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, identity] : region.identities) names.push_back(known);
  return Invalid(absl::StrCat("no identity \"", name, "\"; there are: ", absl::StrJoin(names, ", ")));
}

}  // namespace raakvlak::cli

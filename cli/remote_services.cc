#include "cli/remote_services.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/channel.h"
#include "rpc/tls.h"

namespace raakvlak::cli {
namespace {

constexpr absl::Duration kAskTimeout = absl::Seconds(10);
// As policy.proto says.
constexpr int kMaxKnownNotes = 1'000;

absl::Status NotNamed(absl::string_view what) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                     absl::StrCat("the region file names no ", what));
}

// What is there is no good, and asking brought nothing.
absl::Status NothingNewer(const absl::Status& status, const absl::Status& asked) {
  return asked.ok() ? status
                    : base::Annotate(status, absl::StrCat("nothing newer came (", asked.message(), ")"));
}

}  // namespace

absl::StatusOr<const policy::PolicyCopy*> RemoteServices::Known() {
  if (!known_) {
    if (region_.covenant_path.empty()) return NotNamed("covenant");
    RAAKVLAK_ASSIGN_OR_RETURN(auto known, policy::PolicyCopy::Read({.covenant = region_.covenant_path,
                                                                    .roster = region_.roster_path,
                                                                    .folder = region_.policy_folder}));
    asked_ = AskForNewer(known);
    known_.emplace(std::move(known));
  }
  return &*known_;
}

absl::Status RemoteServices::AskForNewer(policy::PolicyCopy& known) {
  // Also one that expired names the servers: what they hand out is verified.
  const auto in_force = known.CovenantAt(clock_.Now());
  const policy::Covenant& covenant = in_force.ok() ? **in_force : *known.chain().all().back();
  const auto is = [&](const char* role, const std::string& id) {
    return identity_.urn == policy::Urn(covenant.region(), role, id);
  };
  const std::string id = identity_.urn.substr(identity_.urn.rfind(':') + 1);
  std::string address, urn;
  if (is("staff", id) || is("officer", id)) {
    address = region_.hub_address;
    urn = covenant.text().hub().urn();
  } else if (const auto node = region_.nodes.find(id);
             node != region_.nodes.end() && (is("it", id) || is("operator", id))) {
    address = node->second.intake;
    urn = policy::Urn(covenant.region(), "node", id);
  }
  if (address.empty()) return NotNamed("server that may be asked for it");
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel, Channel(address, urn, urn));
  v1::FetchPolicyRequest request;
  for (const std::string& hash : known.Hashes()) {
    if (request.known_size() < kMaxKnownNotes) request.add_known(hash);
  }
  const auto response = client::MakePolicyClient(std::move(channel))->FetchPolicy(request, kAskTimeout);
  RAAKVLAK_RETURN_IF_ERROR(response.status());
  return known.Take(std::vector<std::string>(response->notes().begin(), response->notes().end()),
                    clock_.Now());
}

absl::StatusOr<std::shared_ptr<const policy::Covenant>> RemoteServices::Covenant() {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::PolicyCopy* known, Known());
  auto covenant = known->CovenantAt(clock_.Now());
  if (!covenant.ok()) return NothingNewer(covenant.status(), asked_);
  return covenant;
}

absl::StatusOr<std::shared_ptr<const policy::Roster>> RemoteServices::Roster() {
  RAAKVLAK_RETURN_IF_ERROR(Covenant().status());
  if (region_.roster_path.empty()) return NotNamed("roster");
  auto roster = known_->RosterAt(clock_.Now());
  if (!roster.ok()) return NothingNewer(roster.status(), asked_);
  return roster;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> RemoteServices::Channel(const std::string& address,
                                                                       const std::string& server_urn,
                                                                       const std::string& what) {
  if (address.empty()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       absl::StrCat("the region file has no address of ", what));
  }
  std::shared_ptr<grpc::Channel>& channel = channels_[server_urn];
  if (channel == nullptr) {
    RAAKVLAK_ASSIGN_OR_RETURN(
        channel,
        rpc::MakeChannel(address, server_urn, {identity_.certificate, identity_.key, identity_.authority}));
  }
  return channel;
}

absl::StatusOr<std::unique_ptr<client::IntakeClient>> RemoteServices::Intake() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  const auto node = region_.nodes.find(identity_.name);
  const std::string address = node == region_.nodes.end() ? "" : node->second.intake;
  const std::string urn = policy::Urn(covenant->region(), "node", identity_.name);
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel, Channel(address, urn, absl::StrCat("a node of ", identity_.name)));
  return client::MakeIntakeClient(std::move(channel));
}

absl::StatusOr<std::unique_ptr<client::CasesClient>> RemoteServices::Cases() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel,
                            Channel(region_.hub_address, covenant->text().hub().urn(), "the hub"));
  return client::MakeCasesClient(std::move(channel));
}

absl::StatusOr<std::unique_ptr<client::AuditClient>> RemoteServices::Audit(const std::string& log) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  std::string address = region_.broker_address;
  std::string urn = covenant->text().broker().urn();
  if (log == "hub") {
    address = region_.hub_address;
    urn = covenant->text().hub().urn();
  } else if (log != "broker") {
    const auto node = region_.nodes.find(log);
    address = node == region_.nodes.end() ? "" : node->second.intake;
    urn = policy::Urn(covenant->region(), "node", log);
  }
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel, Channel(address, urn, absl::StrCat("the log of ", log)));
  return client::MakeAuditClient(std::move(channel));
}

absl::StatusOr<std::unique_ptr<client::PolicyClient>> RemoteServices::Policy() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel,
                            Channel(region_.broker_address, covenant->text().broker().urn(), "the broker"));
  return client::MakePolicyClient(std::move(channel));
}

absl::StatusOr<std::unique_ptr<client::NodeKeysClient>> RemoteServices::NodeKeys() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  // urn:raakvlak:<region>:operator:<partner>
  const std::string partner = identity_.urn.substr(identity_.urn.rfind(':') + 1);
  if (identity_.urn != policy::Urn(covenant->region(), "operator", partner)) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       absl::StrCat("identity \"", identity_.name, "\" has not the URN of an operator: ",
                                    policy::Urn(covenant->region(), "operator", "PARTNER")));
  }
  const auto node = region_.nodes.find(partner);
  const std::string address = node == region_.nodes.end() ? "" : node->second.intake;
  RAAKVLAK_ASSIGN_OR_RETURN(auto channel, Channel(address, policy::Urn(covenant->region(), "node", partner),
                                                  absl::StrCat("a node of ", partner)));
  return client::MakeNodeKeysClient(std::move(channel));
}

}  // namespace raakvlak::cli

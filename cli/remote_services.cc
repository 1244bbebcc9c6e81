#include "cli/remote_services.h"

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/channel.h"
#include "rpc/tls.h"

namespace raakvlak::cli {
namespace {

absl::StatusOr<std::string> ReadNote(const std::string& path, absl::string_view what) {
  if (path.empty()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       absl::StrCat("the region file names no ", what));
  }
  return base::ReadFile(path);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const policy::Covenant>> RemoteServices::Covenant() {
  if (covenant_ == nullptr) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string note, ReadNote(region_.covenant_path, "covenant"));
    RAAKVLAK_ASSIGN_OR_RETURN(covenant_, policy::Covenant::Verify(note));
  }
  RAAKVLAK_RETURN_IF_ERROR(covenant_->CheckValidAt(clock_.Now()));
  return covenant_;
}

absl::StatusOr<std::shared_ptr<const policy::Roster>> RemoteServices::Roster() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant());
  if (roster_ == nullptr) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string note, ReadNote(region_.roster_path, "roster"));
    RAAKVLAK_ASSIGN_OR_RETURN(roster_, policy::Roster::Verify(note, *covenant));
  }
  RAAKVLAK_RETURN_IF_ERROR(roster_->CheckValidAt(clock_.Now()));
  return roster_;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> RemoteServices::Channel(const std::string& address,
                                                                       const std::string& server_urn,
                                                                       const std::string& what) {
  if (address.empty()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       absl::StrCat("the region file has no address of ", what));
  }
  return rpc::MakeChannel(address, server_urn, {identity_.certificate, identity_.key, identity_.authority});
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

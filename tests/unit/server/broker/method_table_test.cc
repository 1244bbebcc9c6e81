#include "server/broker/method_table.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "raakvlak/v1/audit.pb.h"
#include "raakvlak/v1/ceremony.pb.h"
#include "raakvlak/v1/exchange.pb.h"
#include "raakvlak/v1/matches.pb.h"
#include "raakvlak/v1/policy.pb.h"
#include "raakvlak/v1/witness.pb.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

using ::raakvlak::testing::TestRegion;
using rpc::Role;

// The methods of the broker's services, from their .proto files.
std::set<std::string> MethodsServed() {
  std::set<std::string> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::SubmitRequest::descriptor()->file(), v1::ListMatchesRequest::descriptor()->file(),
        v1::ListEntriesRequest::descriptor()->file(), v1::AddCheckpointRequest::descriptor()->file(),
        v1::ProposeRequest::descriptor()->file(), v1::PublishRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const google::protobuf::ServiceDescriptor& service = *file->service(i);
      for (int j = 0; j < service.method_count(); ++j) {
        methods.insert("/" + service.full_name() + "/" + service.method(j)->name());
      }
    }
  }
  return methods;
}

TEST(MethodTableTest, EveryRpcHasARowAndThereAreNoOthers) {
  std::set<std::string> rows;
  for (const rpc::MethodRule& rule : MethodTable()) rows.insert(rule.method);
  EXPECT_EQ(rows, MethodsServed());
}

TEST(MethodTableTest, EveryRoleOnEveryRpcIsAllowedOrRefusedAsDesigned) {
  // Who may call what, as the .proto files say; not taken from the table.
  const std::map<std::string, std::set<Role>> allowed = {
      {"/raakvlak.v1.Exchange/Submit", {Role::kNode}},
      {"/raakvlak.v1.Exchange/Withdraw", {Role::kNode}},
      {"/raakvlak.v1.Exchange/ProveEntry", {Role::kNode}},
      {"/raakvlak.v1.Exchange/ListAllowances", {Role::kNode}},
      {"/raakvlak.v1.Matches/List", {Role::kHub}},
      {"/raakvlak.v1.Matches/Open", {Role::kHub}},
      {"/raakvlak.v1.Audit/ListLogs", {Role::kOfficer}},
      {"/raakvlak.v1.Audit/ListEntries", {Role::kOfficer}},
      {"/raakvlak.v1.Audit/GetEntry", {Role::kOfficer}},
      {"/raakvlak.v1.Audit/ReadFiles", {Role::kOfficer}},
      {"/raakvlak.v1.Audit/Watch", {Role::kOfficer}},
      {"/raakvlak.v1.Witness/AddCheckpoint", {Role::kNode, Role::kHub}},
      {"/raakvlak.v1.Ceremony/Propose", {Role::kNode}},
      {"/raakvlak.v1.Ceremony/Post", {Role::kNode}},
      {"/raakvlak.v1.Ceremony/Fetch", {Role::kNode}},
      {"/raakvlak.v1.Ceremony/ListCeremonies", {Role::kNode, Role::kHub}},
      {"/raakvlak.v1.Ceremony/Keysets", {Role::kNode, Role::kHub}},
      {"/raakvlak.v1.Policy/Publish", {Role::kNode, Role::kHub, Role::kOperator}},
      {"/raakvlak.v1.Policy/FetchPolicy", {Role::kNode, Role::kHub}},
  };
  const std::map<Role, std::string> people = {
      {Role::kBroker, "centre"}, {Role::kNode, "politie"}, {Role::kHub, "veiligheidshuis"},
      {Role::kIt, "politie"},    {Role::kStaff, "anna"},   {Role::kOfficer, "olga"},
      {Role::kOperator, "piet"},
  };
  testing::BrokerRegion region;
  const rpc::Gate gate(region.region().authority(), MethodTable());
  for (const std::string& method : MethodsServed()) {
    ASSERT_EQ(allowed.count(method), 1u) << method << ": say here who may call it";
    for (const auto& [role, id] : people) {
      SCOPED_TRACE(method + " as " + std::string(rpc::RoleName(role)));
      const auto pass = gate.Check({TestRegion::Urn(std::string(rpc::RoleName(role)), id)}, method);
      if (allowed.at(method).contains(role)) {
        EXPECT_THAT(pass, base::testing::IsOk());
      } else {
        EXPECT_THAT(pass, base::testing::HasReason(base::reason::kNotAllowed));
      }
    }
  }
}

}  // namespace
}  // namespace raakvlak::broker

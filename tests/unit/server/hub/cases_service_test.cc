#include "server/hub/cases_service.h"

#include <map>
#include <set>

#include "gtest/gtest.h"
#include "raakvlak/v1/audit.pb.h"

namespace raakvlak::hub {
namespace {

// Who may call what, as cases.proto, policy.proto and audit.proto say it.
const std::map<std::string, std::set<rpc::Role>> kAllowed = {
    {"/raakvlak.v1.Cases/List", {rpc::Role::kStaff}},
    {"/raakvlak.v1.Cases/Open", {rpc::Role::kStaff}},
    {"/raakvlak.v1.Policy/FetchPolicy", {rpc::Role::kStaff, rpc::Role::kOfficer}},
    {"/raakvlak.v1.Audit/ListLogs", {rpc::Role::kOfficer}},
    {"/raakvlak.v1.Audit/ListEntries", {rpc::Role::kOfficer}},
    {"/raakvlak.v1.Audit/GetEntry", {rpc::Role::kOfficer}},
    {"/raakvlak.v1.Audit/ReadFiles", {rpc::Role::kOfficer}},
    {"/raakvlak.v1.Audit/Watch", {rpc::Role::kOfficer}},
};

TEST(CasesServiceTest, EveryRpcHasOneRowWithTheRolesOfItsProto) {
  std::map<std::string, std::set<rpc::Role>> table;
  for (const rpc::MethodRule& rule : MethodTable()) {
    EXPECT_TRUE(table.emplace(rule.method, rule.roles).second) << rule.method;
    EXPECT_EQ(rule.only_id, "") << rule.method;
  }
  EXPECT_EQ(table, kAllowed);
  size_t methods = 0;
  for (const auto* service : {v1::OpenCaseRequest::descriptor()->file()->FindServiceByName("Cases"),
                              v1::ListEntriesRequest::descriptor()->file()->FindServiceByName("Audit")}) {
    ASSERT_NE(service, nullptr);
    for (int i = 0; i < service->method_count(); ++i, ++methods) {
      EXPECT_TRUE(table.contains("/" + std::string(service->full_name()) + "/" + service->method(i)->name()));
    }
  }
  // And FetchPolicy: Publish is at the broker only.
  EXPECT_EQ(methods + 1, kAllowed.size());
}

}  // namespace
}  // namespace raakvlak::hub

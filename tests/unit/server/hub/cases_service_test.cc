#include "server/hub/cases_service.h"

#include <map>
#include <set>

#include "gtest/gtest.h"

namespace raakvlak::hub {
namespace {

// Who may call what, as cases.proto says it.
const std::map<std::string, std::set<rpc::Role>> kAllowed = {
    {"/raakvlak.v1.Cases/List", {rpc::Role::kStaff}},
    {"/raakvlak.v1.Cases/Open", {rpc::Role::kStaff}},
};

TEST(CasesServiceTest, EveryRpcHasOneRowWithTheRolesOfItsProto) {
  std::map<std::string, std::set<rpc::Role>> table;
  for (const rpc::MethodRule& rule : MethodTable()) {
    EXPECT_TRUE(table.emplace(rule.method, rule.roles).second) << rule.method;
    EXPECT_EQ(rule.only_id, "") << rule.method;
  }
  EXPECT_EQ(table, kAllowed);
  const auto* service = v1::OpenCaseRequest::descriptor()->file()->FindServiceByName("Cases");
  ASSERT_NE(service, nullptr);
  ASSERT_EQ(static_cast<size_t>(service->method_count()), kAllowed.size());
  for (int i = 0; i < service->method_count(); ++i) {
    EXPECT_TRUE(table.contains("/" + std::string(service->full_name()) + "/" + service->method(i)->name()));
  }
}

}  // namespace
}  // namespace raakvlak::hub

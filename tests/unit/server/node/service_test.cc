// The node's two listeners over real mutual TLS: the adapters, their tables, and revocation on an open
// stream.
#include <memory>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "client/intake_client.h"
#include "client/key_share_client.h"
#include "client/policy_client.h"
#include "crypto/oprf/oprf.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/receipt.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "server/node/evaluation.h"
#include "server/node/intake_service.h"
#include "server/node/key_share_service.h"
#include "server/node/method_table.h"
#include "server/node/store_audit.h"
#include "server/program/audit_refusals.h"
#include "server/program/policy_reading_service.h"
#include "server/storage/testing/entries.h"
#include "tests/support/pki.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestPki;
using raakvlak::testing::TestRegion;
using testing::NodeWorld;

constexpr absl::Duration kTimeout = absl::Seconds(20);

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rpc::Server::Options options;
    options.listen = "127.0.0.1:0";
    options.environment = &intake_calls_;
    options.tls = pki_.Issue(TestRegion::Urn("node", "politie"));
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(intake_server_,
                                  rpc::Server::Start(options, {&intake_service_, &policy_service_}));
    options.environment = &peer_calls_;
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(peer_server_, rpc::Server::Start(options, {&key_share_service_}));
  }
  void TearDown() override {
    intake_server_->Shutdown(absl::Seconds(1));
    peer_server_->Shutdown(absl::Seconds(1));
    executor_.Drain();
  }

  std::shared_ptr<grpc::Channel> Connect(const rpc::Server& server, const std::string& role,
                                         const std::string& id) {
    return *rpc::MakeChannel(server.address(), TestRegion::Urn("node", "politie"),
                             pki_.Issue(TestRegion::Urn(role, id)));
  }
  std::unique_ptr<client::IntakeClient> Intake(const std::string& role, const std::string& id) {
    return client::MakeIntakeClient(Connect(*intake_server_, role, id));
  }
  static v1::PushRequest BatchOf(const std::string& client_ref) {
    v1::PushRequest request;
    *request.add_records() = NodeWorld::RecordOf(client_ref);
    return request;
  }
  absl::Status PushOnce(client::IntakeClient& client) {
    const auto stream = client.Push(kTimeout);
    stream->Send(BatchOf("ref")).IgnoreError();
    const auto response = stream->Receive();
    if (!response.ok()) return response.status();
    return stream->Close();
  }

  NodeWorld world_;
  TestPki pki_;
  storage::NodeStore& store_ = *world_.node("politie").environment.store;
  StoreAudit audit_{store_};
  server::AuditRefusals refusals_{audit_, world_.region().authority(), world_.clock()};
  rpc::Gate intake_gate_{world_.region().authority(), IntakeTable("politie")};
  rpc::Gate peer_gate_{world_.region().authority(), PeerTable()};
  base::Executor executor_{2, 64};
  const rpc::CallEnvironment intake_calls_{&intake_gate_, &executor_, &refusals_};
  const rpc::CallEnvironment peer_calls_{&peer_gate_, &executor_, &refusals_};
  IntakeService intake_service_{intake_calls_, *world_.node("politie").intake,
                                *world_.node("politie").receipts};
  server::PolicyReading policy_reading_{world_.region().policy_folder()};
  server::PolicyReadingService policy_service_{intake_calls_, policy_reading_};
  KeyShareService key_share_service_{peer_calls_, *world_.node("politie").key_share};
  std::unique_ptr<rpc::Server> intake_server_;
  std::unique_ptr<rpc::Server> peer_server_;
};

TEST_F(ServiceTest, ThePartnersItPushesAsksWithdrawsAndLists) {
  const auto client = Intake("it", "politie");
  const auto stream = client->Push(kTimeout);
  for (const char* ref : {"ref-1", "ref-2"}) {
    ASSERT_THAT(stream->Send(BatchOf(ref)), IsOk());
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, stream->Receive());
    ASSERT_EQ(response.receipts_size(), 1);
    EXPECT_EQ(response.receipts(0).result(), v1::ACCEPTED);
  }
  EXPECT_THAT(stream->Close(), IsOk());
  v1::WithdrawRequest withdrawal;
  withdrawal.set_client_ref("ref-1");
  withdrawal.set_reason("unjust");
  EXPECT_THAT(client->Withdraw(withdrawal, kTimeout), IsOk());
  v1::GetStateRequest state;
  state.set_client_ref("ref-1");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto status, client->GetState(state, kTimeout));
  EXPECT_EQ(status.status().state(), v1::WITHDRAWN);
  state.set_client_ref("ref-3");
  EXPECT_THAT(client->GetState(state, kTimeout), HasReason("NOT_FOUND"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto list, client->ListSignals({}, kTimeout));
  EXPECT_EQ(list.signals_size(), 2);
}

TEST_F(ServiceTest, AReceiptProvesASubmittedSignalAndIsLoggedOnce) {
  const auto client = Intake("it", "politie");
  ASSERT_THAT(PushOnce(*client), IsOk());
  const auto logged = [&](const char* action) {
    storage::AuditFilter filter;
    filter.action = action;
    return storage::testing::Entries(store_.audit_log(), filter);
  };
  v1::GetReceiptRequest request;
  request.set_client_ref("nobody's");
  EXPECT_THAT(client->GetReceipt(request, kTimeout), HasReason("NOT_FOUND"));
  request.set_client_ref("ref");
  EXPECT_THAT(client->GetReceipt(request, kTimeout), HasReason("NOT_FOUND")) << "not submitted yet";
  world_.Drain("politie");

  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, client->GetReceipt(request, kTimeout));
  const auto& [signal_id, taken] = *world_.broker().taken.begin();
  const auto verified = policy::VerifyReceipt(response.receipt(), *world_.Snapshot().covenant);
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->envelope_hash, taken.hash);
  EXPECT_EQ(verified->partner, "politie");
  ASSERT_EQ(logged("receipt").size(), 1u);
  const storage::AuditEntry entry = logged("receipt")[0];
  EXPECT_EQ(entry.actor, TestRegion::Urn("it", "politie"));
  EXPECT_EQ(entry.purpose, "onaantastbaren");
  EXPECT_EQ(entry.count, 1u);

  // A proof of something else is found out, and no answer.
  world_.broker().change_proof = [](std::string& proof) { proof[proof.find("index ") + 6] ^= 1; };
  EXPECT_THAT(client->GetReceipt(request, kTimeout), HasReason("PROOF_INVALID"));
  EXPECT_EQ(logged("refuse").size(), 3u);
  world_.broker().change_proof = [](std::string& proof) {
    proof.resize(proof.find("\n\xe2\x80\x94 urn:raakvlak:maastricht:node") + 1);
  };
  EXPECT_THAT(client->GetReceipt(request, kTimeout), HasReason("QUORUM_MISSING"));
  EXPECT_EQ(logged("refuse").size(), 4u);
  world_.broker().away = true;
  EXPECT_THAT(client->GetReceipt(request, kTimeout), HasReason("UNAVAILABLE"));
  EXPECT_EQ(logged("receipt").size(), 1u);
  EXPECT_EQ(logged("refuse").size(), 5u);
}

TEST_F(ServiceTest, NobodyElseMayUseTheIntake) {
  const std::pair<const char*, const char*> others[] = {
      {"it", "gemeente"},   {"node", "politie"},        {"node", "gemeente"},
      {"broker", "centre"}, {"hub", "veiligheidshuis"}, {"staff", "anna"},
      {"officer", "olga"},  {"operator", "piet"},       {"it", "nobody"}};
  for (const auto& [role, id] : others) {
    const auto client = Intake(role, id);
    EXPECT_THAT(PushOnce(*client), HasReason("NOT_ALLOWED")) << role << " " << id;
    EXPECT_THAT(client->GetState({}, kTimeout), HasReason("NOT_ALLOWED")) << role << " " << id;
    EXPECT_THAT(client->Withdraw({}, kTimeout), HasReason("NOT_ALLOWED")) << role << " " << id;
    EXPECT_THAT(client->ListSignals({}, kTimeout), HasReason("NOT_ALLOWED")) << role << " " << id;
    EXPECT_THAT(client->GetReceipt({}, kTimeout), HasReason("NOT_ALLOWED")) << role << " " << id;
  }
  storage::AuditFilter refused;
  refused.action = "refuse";
  const auto entries = storage::testing::Entries(store_.audit_log(), refused);
  // All but the last are known.
  EXPECT_EQ(entries.size(), 5 * (std::size(others) - 1));
  for (const storage::AuditEntry& entry : entries) EXPECT_EQ(entry.policy, "c1/r1");
  refusals_.Stop();
  const auto more = storage::testing::Entries(store_.audit_log(), refused);
  ASSERT_EQ(more.size(), entries.size() + 1);
  EXPECT_EQ(more.back().actor, TestRegion::Urn("it", "nobody"));
  EXPECT_EQ(more.back().result, "NOT_ALLOWED");
  EXPECT_EQ(more.back().count, 5u);
  EXPECT_EQ(world_.StateOf("politie", "ref").state(), v1::SIGNAL_STATE_UNSPECIFIED);
}

TEST_F(ServiceTest, ASuspensionEndsAnOpenPushOnItsNextBatch) {
  const auto client = Intake("it", "politie");
  const auto stream = client->Push(kTimeout);
  ASSERT_THAT(stream->Send(BatchOf("ref-1")), IsOk());
  ASSERT_THAT(stream->Receive(), IsOk());
  world_.region().Suspend("politie");
  stream->Send(BatchOf("ref-2")).IgnoreError();
  EXPECT_THAT(stream->Receive(), HasReason("PARTNER_SUSPENDED"));
  EXPECT_EQ(world_.StateOf("politie", "ref-2").state(), v1::SIGNAL_STATE_UNSPECIFIED);
}

TEST_F(ServiceTest, NodesEvaluateAndHubBrokerStaffAndItAreRefused) {
  const auto request_of = [&](const std::string& partner) {
    return MakeEvaluateRequest({world_.KeysetOf("onaantastbaren", v1::PERSON)->id(), partner, "politie",
                                world_.random().Bytes(kRequestIdSize), world_.clock().Now()},
                               crypto::oprf::Blind("input", world_.random())->blinded.Encode(),
                               world_.region().KeyOf(TestRegion::Urn("node", partner)));
  };
  const auto node = client::MakeKeyShareClient(Connect(*peer_server_, "node", "gemeente"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, node->Evaluate(request_of("gemeente"), kTimeout));
  EXPECT_EQ(response.evaluated().size(), 32u);
  // Another node's certificate does not carry gemeente's request.
  const auto other = client::MakeKeyShareClient(Connect(*peer_server_, "node", "jeugdzorg"));
  EXPECT_THAT(other->Evaluate(request_of("gemeente"), kTimeout), HasReason("SIGNATURE_INVALID"));
  const std::pair<const char*, const char*> refused[] = {{"hub", "veiligheidshuis"}, {"broker", "centre"},
                                                         {"it", "gemeente"},         {"staff", "anna"},
                                                         {"officer", "olga"},        {"operator", "piet"}};
  for (const auto& [role, id] : refused) {
    const auto client = client::MakeKeyShareClient(Connect(*peer_server_, role, id));
    EXPECT_THAT(client->Evaluate(request_of("gemeente"), kTimeout), HasReason("NOT_ALLOWED")) << role;
  }
}

TEST_F(ServiceTest, ThePolicyIsHandedToThePartnersOwnItAndOperatorAndPublishedByNobody) {
  const auto policy = [&](const std::string& role, const std::string& id) {
    return client::MakePolicyClient(Connect(*intake_server_, role, id));
  };
  const std::string covenant = *base::ReadFile(world_.region().covenant_path());
  const std::string roster = *base::ReadFile(world_.region().roster_path());
  v1::FetchPolicyRequest request;
  for (const char* role : {"it", "operator"}) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto all, policy(role, "politie")->FetchPolicy({}, kTimeout));
    EXPECT_THAT(all.notes(), ::testing::ElementsAre(covenant, roster));
  }
  request.add_known(base::Sha256(covenant));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto rest, policy("it", "politie")->FetchPolicy(request, kTimeout));
  EXPECT_THAT(rest.notes(), ::testing::ElementsAre(roster));

  const std::pair<const char*, const char*> others[] = {{"it", "gemeente"},
                                                        {"operator", "gemeente"},
                                                        {"operator", "piet"},
                                                        {"node", "gemeente"},
                                                        {"staff", "anna"}};
  for (const auto& [role, id] : others)
    EXPECT_THAT(policy(role, id)->FetchPolicy({}, kTimeout), HasReason("NOT_ALLOWED")) << role << " " << id;
  request.add_known("x");
  EXPECT_THAT(policy("it", "politie")->FetchPolicy(request, kTimeout), HasReason("INVALID_ARGUMENT"));
  EXPECT_THAT(policy("operator", "politie")->Publish({}, kTimeout), HasReason("NOT_ALLOWED"));
  storage::AuditFilter refused;
  refused.action = "refuse";
  const auto entries = storage::testing::Entries(store_.audit_log(), refused);
  ASSERT_EQ(entries.size(), std::size(others) + 2);
  EXPECT_EQ(entries[std::size(others)].object, "/raakvlak.v1.Policy/FetchPolicy");
  EXPECT_EQ(entries[std::size(others)].result, "INVALID_ARGUMENT");
  EXPECT_EQ(entries.back().object, "unknown");
}

TEST_F(ServiceTest, WhatTheIntakeItselfRefusesHasItsEntryToo) {
  const auto client = Intake("it", "politie");
  v1::GetStateRequest state;
  state.set_client_ref("nothing");
  EXPECT_THAT(client->GetState(state, kTimeout), HasReason("NOT_FOUND"));
  v1::WithdrawRequest withdrawal;
  withdrawal.set_client_ref("nothing");
  withdrawal.set_reason("unjust");
  EXPECT_THAT(client->Withdraw(withdrawal, kTimeout), HasReason("NOT_FOUND"));
  withdrawal.set_reason("bored");
  EXPECT_THAT(client->Withdraw(withdrawal, kTimeout), HasReason("INVALID_ARGUMENT"));
  v1::ListSignalsRequest list;
  list.set_page_token("x");
  EXPECT_THAT(client->ListSignals(list, kTimeout), HasReason("INVALID_ARGUMENT"));
  const auto stream = client->Push(kTimeout);
  ASSERT_THAT(stream->Send(v1::PushRequest()), IsOk());
  EXPECT_THAT(stream->Receive(), HasReason("INVALID_ARGUMENT"));
  std::vector<std::string> lines;
  storage::AuditFilter refused;
  refused.action = "refuse";
  for (const storage::AuditEntry& entry : storage::testing::Entries(store_.audit_log(), refused)) {
    EXPECT_EQ(entry.actor, TestRegion::Urn("it", "politie"));
    EXPECT_EQ(entry.origin, "127.0.0.0/24");
    lines.push_back(entry.object + " " + entry.result);
  }
  EXPECT_THAT(lines, ::testing::ElementsAre("/raakvlak.v1.Intake/GetState NOT_FOUND",
                                            "/raakvlak.v1.Intake/Withdraw NOT_FOUND",
                                            "/raakvlak.v1.Intake/Withdraw INVALID_ARGUMENT",
                                            "/raakvlak.v1.Intake/ListSignals INVALID_ARGUMENT",
                                            "/raakvlak.v1.Intake/Push INVALID_ARGUMENT"));
}

TEST_F(ServiceTest, CallsThatAFullQueueTurnsAwayAreInTheLogAsOneEntry) {
  const auto client = Intake("it", "politie");
  executor_.Drain();  // it takes no more work
  EXPECT_THAT(PushOnce(*client), HasReason("OVERLOADED"));
  EXPECT_THAT(client->GetState({}, kTimeout), HasReason("OVERLOADED"));
  EXPECT_THAT(client->ListSignals({}, kTimeout), HasReason("OVERLOADED"));
  refusals_.Stop();
  storage::AuditFilter refused;
  refused.action = "refuse";
  const auto entries = storage::testing::Entries(store_.audit_log(), refused);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, TestRegion::Urn("it", "politie"));
  EXPECT_EQ(entries[0].object, "several");
  EXPECT_EQ(entries[0].result, "OVERLOADED");
  EXPECT_EQ(entries[0].count, 3u);
  EXPECT_EQ(entries[0].policy, "c1/r1");
}

TEST_F(ServiceTest, EachListenerServesItsOwnServiceOnly) {
  const auto wrong = client::MakeKeyShareClient(Connect(*intake_server_, "node", "gemeente"));
  EXPECT_FALSE(wrong->Evaluate({}, kTimeout).ok());
  const auto intake = client::MakeIntakeClient(Connect(*peer_server_, "it", "politie"));
  EXPECT_FALSE(intake->GetState({}, kTimeout).ok());
}

}  // namespace
}  // namespace raakvlak::node

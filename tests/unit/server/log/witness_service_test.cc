// Witnesses as the programs run them: over mutual TLS on loopback, with the keys and logs of a covenant, and
// the HTTP form beside it.
#include "server/log/witness_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/time/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/log_trust.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "server/log/cosigner.h"
#include "server/log/witnessed_calls.h"
#include "server/log/witnessing.h"
#include "tests/support/pki.h"
#include "tests/support/region.h"
#include "tests/unit/server/log/fake_published_files.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
namespace tlog = crypto::tlog;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestPki;
using raakvlak::testing::TestRegion;
using testing::FakeLog;
using ::testing::HasSubstr;

constexpr absl::Duration kTimeout = absl::Seconds(20);
constexpr uint32_t kYear = 2027;

class NoRefusals final : public rpc::RefusalLog {
 public:
  absl::Status Refused(const rpc::Refusal&) override { return absl::OkStatus(); }
  void Count(const rpc::Refusal&) override {}
};

class Entries final : public storage::AuditAppender {
 public:
  decltype(std::declval<storage::AuditAppender&>().AppendAudit({})) AppendAudit(
      const storage::AuditEntry& entry) override {
    base::MutexLock lock(mutex_);
    entries_.push_back(entry);
    return absl::UnavailableError("no log behind it");
  }
  std::vector<storage::AuditEntry> entries() {
    base::MutexLock lock(mutex_);
    return entries_;
  }

 private:
  base::Mutex mutex_;
  std::vector<storage::AuditEntry> entries_ ABSL_GUARDED_BY(mutex_);
};

// A process that is a witness: broker or node.
class WitnessProcess {
 public:
  WitnessProcess(TestRegion& region, TestPki& pki, const std::string& urn, std::set<rpc::Role> callers)
      : urn_(urn), gate_(region.authority(), {{kAddCheckpointMethod, std::move(callers), ""}}) {
    const base::SecretBytes pem = TestRegion::WitnessKeyOf(urn).ToPem();
    common_.set_state(folder_.path());
    common_.set_witness_key(folder_.File("witness.pem"));
    common_.set_listen_witness("127.0.0.1:0");
    RAAKVLAK_CHECK(
        base::WriteFileAtomically(common_.witness_key(), pem.Reveal(base::RevealSecret{}), 0600).ok(),
        "the key is written");
    auto witnessing = Witnessing::Create(common_, urn, region.authority(), entries_, region.clock());
    RAAKVLAK_CHECK(witnessing.ok(), "the key is that of the covenant");
    witnessing_ = *std::move(witnessing);
    service_ = std::make_unique<WitnessService>(environment_, witnessing_->witness());
    auto server = rpc::Server::Start(
        {.listen = "127.0.0.1:0", .tls = pki.Issue(urn), .environment = &environment_}, {service_.get()});
    RAAKVLAK_CHECK(server.ok(), "the server starts");
    server_ = *std::move(server);
  }
  ~WitnessProcess() { Stop(); }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(absl::Seconds(1));
    server_ = nullptr;
    executor_.Drain();
  }

  std::unique_ptr<client::WitnessClient> ClientFor(const rpc::TlsFiles& caller) {
    return client::MakeWitnessClient(*rpc::MakeChannel(server_->address(), urn_, caller));
  }
  std::unique_ptr<client::WitnessClient> HttpClient() {
    return *client::MakeHttpWitnessClient(absl::StrCat("http://127.0.0.1:", witnessing_->http_port()));
  }
  Entries& entries() { return entries_; }
  const v1::Common& common() const { return common_; }

 private:
  const std::string urn_;
  base::testing::TemporaryFolder folder_;
  v1::Common common_;
  Entries entries_;
  NoRefusals refusals_;
  rpc::Gate gate_;
  base::Executor executor_{2, 64};
  const rpc::CallEnvironment environment_{&gate_, &executor_, &refusals_};
  std::unique_ptr<Witnessing> witnessing_;
  std::unique_ptr<WitnessService> service_;
  std::unique_ptr<rpc::Server> server_;
};

class WitnessServiceTest : public ::testing::Test {
 protected:
  WitnessServiceTest() {
    for (const v1::Partner& partner : region_.covenant().partners()) {
      nodes_.push_back(std::make_unique<WitnessProcess>(region_, pki_, TestRegion::Urn("node", partner.id()),
                                                        std::set{rpc::Role::kBroker}));
    }
  }
  FakeLog LogOf(const std::string& urn) {
    return FakeLog(absl::StrCat(urn, "/", kYear), TestRegion::LogKeyOf(urn));
  }
  static int StatusOf(const absl::StatusOr<client::WitnessReply>& reply) {
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? static_cast<int>(reply->status) : 0;
  }
  policy::LogTrust TrustOf(const std::string& urn) {
    return *policy::TrustOf(*region_.authority().Current()->covenant, absl::StrCat(urn, "/", kYear));
  }

  TestRegion region_;
  TestPki pki_;
  const std::string broker_ = region_.covenant().broker().urn();
  const std::string hub_ = region_.covenant().hub().urn();
  const std::string politie_ = TestRegion::Urn("node", "politie");
  const rpc::TlsFiles as_broker_ = pki_.Issue(broker_);
  std::vector<std::unique_ptr<WitnessProcess>> nodes_;
};

TEST_F(WitnessServiceTest, BrokersLogGetsItsQuorumOverMutualTls) {
  const FakeLog log = LogOf(broker_);
  const policy::LogTrust trust = TrustOf(broker_);
  testing::FakePublishedFiles files;
  files.Add(kYear, log, region_.clock().Now());
  std::vector<WitnessLink> links;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    links.push_back({trust.witnesses[i], nodes_[i]->ClientFor(as_broker_), true});
  }
  Cosigner::Options options;
  options.quorum = trust.quorum;
  options.retry = absl::Milliseconds(10);
  options.start_up = absl::ZeroDuration();
  Cosigner cosigner(
      files, [&](uint32_t) { return trust.log; }, std::move(links), options, region_.clock());
  const WitnessedCalls calls([&cosigner] { return cosigner.CheckStanding(); });
  for (const uint64_t size : {1, 2, 7, 30}) {
    files.Publish(kYear, size);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(
        const std::string cosigned,
        cosigner.CosignThrough(kYear, size - 1, region_.clock().Now() + absl::Seconds(30)));
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto opened, tlog::OpenCheckpoint(cosigned, trust.log));
    EXPECT_GE(tlog::CountCosignatures(opened.note, trust.witnesses)->size(), trust.quorum);
  }
  nodes_[0]->Stop();
  files.Publish(kYear, 31);
  EXPECT_THAT(cosigner.CosignThrough(kYear, 30, region_.clock().Now() + absl::Seconds(30)), IsOk())
      << "one of four away";
  nodes_[1]->Stop();
  files.Publish(kYear, 32);
  EXPECT_THAT(cosigner.CosignThrough(kYear, 31, region_.clock().Now() + absl::Seconds(1)),
              HasReason(reason::kQuorumMissing));
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (cosigner.GetStanding().quorum && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_THAT(calls.Check("/raakvlak.v1.Exchange/Submit"), IsOk());
  region_.clock().Advance(absl::Hours(5));
  EXPECT_THAT(calls.Check("/raakvlak.v1.Exchange/Submit"), HasReason(reason::kLogUnwitnessed));
  EXPECT_THAT(calls.Check("/raakvlak.v1.Matches/Open"), HasReason(reason::kLogUnwitnessed));
  EXPECT_THAT(calls.Check("/raakvlak.v1.Audit/ListEntries"), IsOk());
  EXPECT_THAT(calls.Check("/raakvlak.v1.Witness/AddCheckpoint"), IsOk());
  EXPECT_THAT(calls.Check("/raakvlak.v1.Policy/Publish"), IsOk());
}

TEST_F(WitnessServiceTest, NodeServesTheBrokerAlone) {
  const std::string body = LogOf(broker_).Body(0, 3);
  for (const std::string& urn :
       {hub_, politie_, TestRegion::Urn("staff", "anna"), TestRegion::Urn("officer", "olga")}) {
    EXPECT_THAT(nodes_[1]->ClientFor(pki_.Issue(urn))->AddCheckpoint(body, kTimeout),
                HasReason(reason::kNotAllowed))
        << urn;
  }
  EXPECT_EQ(StatusOf(nodes_[1]->ClientFor(as_broker_)->AddCheckpoint(body, kTimeout)), 200);
}

TEST_F(WitnessServiceTest, NodeCosignsTheBrokersLogAloneAndTheBrokerAllOthers) {
  WitnessProcess broker(region_, pki_, broker_, {rpc::Role::kNode, rpc::Role::kHub});
  const auto at_node = nodes_[1]->ClientFor(as_broker_);
  const auto at_broker = broker.ClientFor(pki_.Issue(politie_));
  for (const std::string& urn : {politie_, hub_, TestRegion::Urn("node", "jeugdzorg")}) {
    EXPECT_EQ(StatusOf(at_node->AddCheckpoint(LogOf(urn).Body(0, 3), kTimeout)), 404) << urn;
    EXPECT_EQ(StatusOf(at_broker->AddCheckpoint(LogOf(urn).Body(0, 3), kTimeout)), 200) << urn;
  }
  EXPECT_EQ(StatusOf(at_node->AddCheckpoint(LogOf(broker_).Body(0, 3), kTimeout)), 200);
  EXPECT_EQ(StatusOf(at_broker->AddCheckpoint(LogOf(broker_).Body(0, 3), kTimeout)), 404) << "not its own";
  const FakeLog strange(absl::StrCat(broker_, "/", kYear));
  EXPECT_EQ(StatusOf(at_node->AddCheckpoint(strange.Body(0, 3), kTimeout)), 403) << "another key";
}

TEST_F(WitnessServiceTest, HttpAndGrpcAreOneWitness) {
  const FakeLog log = LogOf(broker_);
  const auto grpc = nodes_[2]->ClientFor(as_broker_);
  const auto http = nodes_[2]->HttpClient();
  EXPECT_EQ(StatusOf(http->AddCheckpoint(log.Body(0, 3), kTimeout)), 200);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto conflict, grpc->AddCheckpoint(log.Body(0, 5), kTimeout));
  EXPECT_EQ(conflict.status, 409u);
  EXPECT_EQ(conflict.body, "3\n");
  EXPECT_EQ(StatusOf(grpc->AddCheckpoint(log.Body(3, 5), kTimeout)), 200);
  EXPECT_EQ(StatusOf(http->AddCheckpoint(log.Body(5, 9), kTimeout)), 200);
}

TEST_F(WitnessServiceTest, RollbackByTheLogsOwnProcessIsEnteredAndOneByOthersNot) {
  const FakeLog log = LogOf(broker_);
  const auto grpc = nodes_[0]->ClientFor(as_broker_);
  ASSERT_EQ(StatusOf(grpc->AddCheckpoint(log.Body(0, 9), kTimeout)), 200);
  EXPECT_EQ(StatusOf(nodes_[0]->HttpClient()->AddCheckpoint(log.Body(0, 4), kTimeout)), 409);
  EXPECT_TRUE(nodes_[0]->entries().entries().empty());
  EXPECT_EQ(StatusOf(grpc->AddCheckpoint(log.Body(0, 4), kTimeout)), 409);
  ASSERT_EQ(nodes_[0]->entries().entries().size(), 1u);
  EXPECT_EQ(nodes_[0]->entries().entries()[0].result, reason::kLogRollback);
}

TEST_F(WitnessServiceTest, SuspendedPartnersLogIsNoLongerTaken) {
  WitnessProcess broker(region_, pki_, broker_, {rpc::Role::kNode, rpc::Role::kHub});
  const auto at_broker = broker.ClientFor(pki_.Issue(politie_));
  EXPECT_EQ(StatusOf(at_broker->AddCheckpoint(LogOf(politie_).Body(0, 3), kTimeout)), 200);
  region_.Suspend("politie");
  EXPECT_THAT(at_broker->AddCheckpoint(LogOf(politie_).Body(3, 5), kTimeout),
              HasReason(reason::kPartnerSuspended));
}

TEST_F(WitnessServiceTest, WithoutACovenantInForceNothingIsCosigned) {
  const auto http = nodes_[0]->HttpClient();
  region_.clock().Advance(absl::Hours(24 * 400));
  EXPECT_EQ(StatusOf(http->AddCheckpoint(LogOf(broker_).Body(0, 3), kTimeout)), 503);
}

TEST_F(WitnessServiceTest, KeyThatIsNotTheCovenantsIsRefused) {
  Entries entries;
  const std::string gemeente = TestRegion::Urn("node", "gemeente");
  EXPECT_THAT(
      Witnessing::Create(nodes_[0]->common(), gemeente, region_.authority(), entries, region_.clock()),
      HasReason(reason::kConfigInvalid))
      << "another node's key";
  v1::Common common = nodes_[0]->common();
  common.clear_witness_key();
  EXPECT_THAT(Witnessing::Create(common, politie_, region_.authority(), entries, region_.clock()),
              HasReason(reason::kConfigInvalid));
  common.set_witness_key("/nowhere");
  EXPECT_THAT(Witnessing::Create(common, politie_, region_.authority(), entries, region_.clock()),
              HasReason(reason::kFileUnreadable));
  common = nodes_[0]->common();
  std::filesystem::permissions(common.witness_key(), std::filesystem::perms(0644));
  EXPECT_THAT(Witnessing::Create(common, politie_, region_.authority(), entries, region_.clock()),
              HasReason(reason::kFileUnsafe));
}

}  // namespace
}  // namespace raakvlak::log

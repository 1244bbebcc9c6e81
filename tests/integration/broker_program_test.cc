// The program raakvlak-broker as shipped: start, every role on every RPC over mutual TLS, a match from submit
// to list, kill -9, orderly end, exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/audit_client.h"
#include "client/exchange_client.h"
#include "client/matches_client.h"
#include "policy/secret_file.h"
#include "policy/strict_parse.h"
#include "policy/text.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/channel.h"
#include "rpc/client_call.h"
#include "tests/support/pki.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestPki;
using raakvlak::testing::TestRegion;
using testing::BrokerRegion;
using testing::kListPurpose;

constexpr absl::Duration kTimeout = absl::Seconds(30);

// A running program whose standard error is read line by line.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments) {
    int ends[2];
    RAAKVLAK_CHECK(pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }
  ~Process() {
    if (pid_ > 0) Stop(SIGKILL);
    close(output_);
  }
  // Reads until `text` was printed or the program ended; returns the line it stands in, or nothing.
  std::string WaitFor(const std::string& text) {
    while (true) {
      const size_t found = printed_.find(text);
      const size_t end = found == std::string::npos ? found : printed_.find('\n', found);
      if (end != std::string::npos) {
        const size_t start = printed_.rfind('\n', found);
        return printed_.substr(start + 1, end - start - 1);
      }
      if (!ReadMore()) return "";
    }
  }
  // Ends it and returns the exit code; 128 + signal when it was killed.
  int Stop(int signal_number) {
    kill(pid_, signal_number);
    return Wait();
  }
  int Wait() {
    while (ReadMore()) continue;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  const std::string& printed() const { return printed_; }

 private:
  bool ReadMore() {
    char buffer[4096];
    const ssize_t count = read(output_, buffer, sizeof(buffer));
    if (count > 0) printed_.append(buffer, static_cast<size_t>(count));
    return count > 0;
  }
  pid_t pid_ = -1;
  int output_ = -1;
  std::string printed_;
};

class BrokerProgramTest : public ::testing::Test {
 protected:
  BrokerProgramTest() : region_(MakeCurrent) {
    region_.clock().Set(absl::Now());
    v1::Roster& roster = region_.region().roster();
    roster.set_issued(policy::FormatUtc(absl::Now() - absl::Hours(24)));
    roster.set_expires(policy::FormatUtc(absl::Now() + absl::Hours(24)));
    region_.region().Write();
    const rpc::TlsFiles tls = pki_.Issue(kBroker);
    WriteConfig(absl::StrCat("common { covenant: \"", region_.region().covenant_path(), "\" roster: \"",
                             region_.region().roster_path(), "\" tls_certificate: \"", tls.certificate,
                             "\" tls_key: \"", tls.key, "\" tls_authority: \"", tls.authority, "\" state: \"",
                             folder_.File("state"), "\" details_key: \"", folder_.File("details"),
                             "\" witness_key: \"", folder_.File("witness.pem"), "\" signer_socket: \"",
                             folder_.File("signer.sock"), "\" }\nlisten: \"127.0.0.1:0\"\n"));
    RAAKVLAK_CHECK(
        policy::WriteSecret32(folder_.File("details"), base::SecretBytes(std::string(32, 'd'))).ok(),
        "the details key is written");
    const base::SecretBytes pem = raakvlak::testing::TestRegion::WitnessKeyOf(kBroker).ToPem();
    RAAKVLAK_CHECK(
        base::WriteFileAtomically(folder_.File("witness.pem"), pem.Reveal(base::RevealSecret{}), 0600).ok(),
        "the witness key is written");
  }

  static void MakeCurrent(v1::Covenant& covenant) {
    covenant.set_valid_from(policy::FormatUtc(absl::Now() - absl::Hours(24)));
    covenant.set_valid_until(policy::FormatUtc(absl::Now() + absl::Hours(24)));
  }
  void WriteConfig(const std::string& text) {
    ASSERT_THAT(base::WriteFileAtomically(folder_.File("broker.textproto"), text, 0600), IsOk());
  }
  std::unique_ptr<Process> Run(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {RAAKVLAK_BINARY_DIR "/server/broker/raakvlak-broker", "--config",
                                          folder_.File("broker.textproto")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>(arguments);
  }
  // Starts it and waits until it listens.
  std::unique_ptr<Process> Start() {
    std::unique_ptr<Process> process = Run();
    const std::string line = process->WaitFor("\"event\":\"listening\"");
    const size_t at = line.find("127.0.0.1:");
    EXPECT_NE(at, std::string::npos) << process->printed();
    if (at != std::string::npos) address_ = line.substr(at, line.find('"', at) - at);
    return process;
  }
  std::shared_ptr<grpc::Channel> ChannelAs(const std::string& role, const std::string& id) {
    const std::string urn = TestRegion::Urn(role, id);
    auto found = files_.find(urn);
    if (found == files_.end()) found = files_.emplace(urn, pki_.Issue(urn)).first;
    return *rpc::MakeChannel(address_, kBroker, found->second);
  }
  // Calls `method` with an empty request.
  absl::Status CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    rpc::SetDeadline(context, kTimeout);
    grpc::Slice empty("");
    grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                   [&done](const grpc::Status& status) { done.set_value(status); });
    return rpc::FromGrpc(done.get_future().get(), context);
  }
  absl::StatusOr<v1::SubmitResponse> Submit(const std::string& partner,
                                            const std::vector<v1::Envelope>& envelopes) {
    v1::SubmitRequest request;
    for (const v1::Envelope& envelope : envelopes) *request.add_envelopes() = envelope;
    return client::MakeExchangeClient(ChannelAs("node", partner))->Submit(request, kTimeout);
  }
  absl::StatusOr<v1::ListMatchesResponse> List() {
    region_.clock().Set(absl::Now());
    v1::ListMatchesRequest request;
    *request.mutable_order() = region_.MakeListOrder(kListPurpose);
    return client::MakeMatchesClient(ChannelAs("hub", "veiligheidshuis"))->List(request, kTimeout, "");
  }
  std::vector<v1::AuditDetails> Audit(const std::string& action) {
    v1::ListEntriesRequest request;
    request.set_action(action);
    request.set_page_size(1000);
    const auto response =
        client::MakeAuditClient(ChannelAs("officer", "olga"))->ListEntries(request, kTimeout);
    EXPECT_THAT(response, IsOk());
    std::vector<v1::AuditDetails> entries;
    if (!response.ok()) return entries;
    for (const v1::LogEntry& entry : response->entries()) {
      EXPECT_TRUE(entries.emplace_back().ParseFromString(entry.details()));
    }
    return entries;
  }
  // Two envelopes on one person.
  std::pair<v1::Envelope, v1::Envelope> Overlapping() {
    const v1::Envelope first = region_.MakeEnvelope("politie", kListPurpose);
    v1::EnvelopeBody tokens;
    EXPECT_TRUE(tokens.ParseFromString(first.body()));
    const v1::Envelope second =
        region_.MakeEnvelope("gemeente", kListPurpose, [&](auto&, v1::EnvelopeBody& body) {
          body.mutable_tokens(1)->set_tag(tokens.tokens(1).tag());
          body.mutable_tokens(1)->set_commitments(tokens.tokens(1).commitments());
        });
    return {first, second};
  }

  static constexpr char kBroker[] = "urn:raakvlak:maastricht:broker:centre";
  BrokerRegion region_;
  TestPki pki_;
  base::testing::TemporaryFolder folder_;
  std::map<std::string, rpc::TlsFiles> files_;
  std::string address_;
};

TEST_F(BrokerProgramTest, EveryRoleOnEveryRpcIsAllowedOrRefusedAndRefusalsAreLogged) {
  const auto process = Start();
  const std::map<std::string, std::string> allowed = {
      {"/raakvlak.v1.Exchange/Submit", "node"},     {"/raakvlak.v1.Exchange/Withdraw", "node"},
      {"/raakvlak.v1.Exchange/ProveEntry", "node"}, {"/raakvlak.v1.Matches/List", "hub"},
      {"/raakvlak.v1.Matches/Open", "hub"},         {"/raakvlak.v1.Audit/ListEntries", "officer"},
      {"/raakvlak.v1.Audit/ListLogs", "officer"},   {"/raakvlak.v1.Audit/GetEntry", "officer"},
      {"/raakvlak.v1.Audit/ReadFiles", "officer"},
  };
  const std::map<std::string, std::string> people = {
      {"broker", "centre"}, {"node", "politie"}, {"hub", "veiligheidshuis"}, {"it", "politie"},
      {"staff", "anna"},    {"officer", "olga"}, {"operator", "piet"},
  };
  // What the core says to an empty request of one who may call.
  const std::set<std::string> answers = {"OK", reason::kInvalidArgument, reason::kSignatureInvalid,
                                         reason::kNotFound};
  std::set<std::pair<std::string, std::string>> refused;
  for (const auto& [role, id] : people) {
    const auto channel = ChannelAs(role, id);
    for (const auto& [method, who] : allowed) {
      const std::string got = base::ReasonOf(CallEmpty(channel, method));
      if (role == who) {
        EXPECT_EQ(answers.count(got), 1u) << method << " as " << role << ": " << got;
      } else {
        EXPECT_EQ(got, reason::kNotAllowed) << method << " as " << role;
        refused.insert({TestRegion::Urn(role, id), method});
      }
    }
  }
  std::set<std::pair<std::string, std::string>> logged;
  for (const v1::AuditDetails& entry : Audit("refuse")) {
    if (entry.result() == reason::kNotAllowed) logged.insert({entry.actor(), entry.object()});
  }
  EXPECT_EQ(logged, refused);
}

TEST_F(BrokerProgramTest, StrangersAreRefused) {
  const auto process = Start();
  TestPki other;
  const auto stranger = *rpc::MakeChannel(address_, kBroker, other.Issue(TestRegion::Urn("node", "politie")));
  EXPECT_THAT(CallEmpty(stranger, "/raakvlak.v1.Exchange/Submit"), HasReason(reason::kUnavailable));
  EXPECT_THAT(CallEmpty(ChannelAs("node", "brandweer"), "/raakvlak.v1.Exchange/Submit"),
              HasReason(reason::kNotAllowed));
  EXPECT_THAT(CallEmpty(*rpc::MakeChannel(address_, kBroker, pki_.Issue("urn:raakvlak:almere:node:politie")),
                        "/raakvlak.v1.Exchange/Submit"),
              HasReason(reason::kNotAllowed));
  EXPECT_THAT(
      CallEmpty(*rpc::MakeChannel(address_, kBroker, pki_.IssueNames({})), "/raakvlak.v1.Exchange/Submit"),
      HasReason(reason::kUnauthenticated));
}

// Neither signer nor witnesses run here: so an opening is logged, and nothing is handed out.
TEST_F(BrokerProgramTest, MatchGoesFromSubmitToListAndIsNotOpenedWithoutWitnesses) {
  const auto process = Start();
  const auto [first, second] = Overlapping();
  ASSERT_THAT(Submit("politie", {first}), IsOk());
  ASSERT_THAT(Submit("gemeente", {second}), IsOk());
  v1::MatchSummary match;
  for (const absl::Time end = absl::Now() + kTimeout; match.match_id().empty() && absl::Now() < end;) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::ListMatchesResponse response, List());
    if (response.matches_size() == 1) match = response.matches(0);
  }
  ASSERT_EQ(match.partners_size(), 2);

  v1::OpenMatchRequest request;
  *request.mutable_order() = region_.MakeOpenOrder(kListPurpose, match.match_id(), match.contents_digest());
  const auto client = client::MakeMatchesClient(ChannelAs("hub", "veiligheidshuis"));
  EXPECT_THAT(client->Open(request, kTimeout, ""), HasReason(reason::kLogUnwitnessed));
  EXPECT_THAT(client->Open(request, kTimeout, ""), HasReason(reason::kReplayed));

  EXPECT_EQ(Audit("submit").size(), 2u);
  EXPECT_EQ(Audit("policy_load").size(), 1u);
  EXPECT_FALSE(Audit("match_run").empty());
  const std::vector<v1::AuditDetails> opens = Audit("open");
  ASSERT_EQ(opens.size(), 1u);
  EXPECT_EQ(opens[0].actor(), TestRegion::Urn("staff", "anna"));
  EXPECT_EQ(opens[0].case_reference(), "ZVH-2026-0012");
  EXPECT_FALSE(Audit("audit_read").empty());
  // The log of the program itself says nothing about whom.
  EXPECT_EQ(process->Stop(SIGTERM), 0);
  EXPECT_EQ(process->printed().find("ZVH-2026-0012"), std::string::npos);
}

TEST_F(BrokerProgramTest, WhatWasAcknowledgedOutlivesKillAndIsNotCountedTwice) {
  auto process = Start();
  std::vector<v1::Envelope> envelopes;
  for (int i = 0; i < 20; ++i) envelopes.push_back(region_.MakeEnvelope("politie", kListPurpose));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse before, Submit("politie", envelopes));
  EXPECT_EQ(process->Stop(SIGKILL), 128 + SIGKILL);
  process = Start();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse after, Submit("politie", envelopes));
  EXPECT_EQ(before.SerializeAsString(), after.SerializeAsString());
  uint64_t counted = 0;
  for (const v1::AuditDetails& entry : Audit("submit")) counted += entry.count();
  EXPECT_EQ(counted, 20u);
}

TEST_F(BrokerProgramTest, SuspensionOnDiskWorksOnTheNextCall) {
  const auto process = Start();
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  ASSERT_THAT(Submit("politie", {envelope}), IsOk());
  region_.region().Suspend("politie");
  EXPECT_THAT(Submit("politie", {envelope}), HasReason(reason::kPartnerSuspended));
  EXPECT_EQ(Audit("policy_load").size(), 2u);
}

TEST_F(BrokerProgramTest, StopsInOrderWhenAsked) {
  for (const int signal_number : {SIGTERM, SIGINT}) {
    const auto process = Start();
    EXPECT_EQ(process->Stop(signal_number), 0) << process->printed();
    EXPECT_NE(process->printed().find("\"event\":\"stopped\""), std::string::npos);
  }
}

TEST_F(BrokerProgramTest, SecondProcessOnTheSameStateIsRefused) {
  const auto process = Start();
  const auto second = Run();
  EXPECT_EQ(second->Wait(), 1);
  EXPECT_NE(second->printed().find(reason::kAlreadyRunning), std::string::npos) << second->printed();
  const auto check = Run({"--check-config"});
  EXPECT_EQ(check->Wait(), 0) << "checking does not touch the state: " << check->printed();
}

TEST_F(BrokerProgramTest, WrongConfigurationIsSaidAndEndsIt) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string good, base::ReadFile(folder_.File("broker.textproto")));
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {absl::StrCat(good, "colour: 3\n"), reason::kConfigInvalid, "3:"},
      {absl::StrReplaceAll(good, {{"listen: \"127.0.0.1:0\"", ""}}), reason::kConfigInvalid, "listen"},
      {absl::StrReplaceAll(good, {{"127.0.0.1:0", "0.0.0.0:0"}}), reason::kConfigInvalid, "0.0.0.0"},
      {absl::StrReplaceAll(good, {{"witness.pem", "details"}}), reason::kMalformed, "details"},
      {absl::StrReplaceAll(good, {{" tls_key:", " listen_witness: \"0.0.0.0:0\" tls_key:"}}),
       reason::kConfigInvalid, "listen_witness"},
      {absl::StrReplaceAll(good, {{"roster.note", "missing.note"}}), reason::kFileUnreadable, "missing.note"},
      {absl::StrReplaceAll(good, {{"roster.note", "covenant.note"}}), reason::kRosterInvalid, ""},
  };
  for (const auto& [text, want, detail] : cases) {
    WriteConfig(text);
    const auto process = Run();
    EXPECT_EQ(process->Wait(), 1) << text;
    EXPECT_NE(process->printed().find(want), std::string::npos) << process->printed();
    EXPECT_NE(process->printed().find(detail), std::string::npos) << process->printed();
  }
}

TEST_F(BrokerProgramTest, OtherFlagsAreAUsageError) {
  EXPECT_EQ(Run({"--nonsense"})->Wait(), 2);
  const auto help = Run({"--help"});
  EXPECT_EQ(help->Wait(), 0);
  EXPECT_NE(help->printed().find("Usage: raakvlak-broker"), std::string::npos);
}

TEST(BrokerSampleConfigTest, SampleParsesAndNamesEveryField) {
  v1::BrokerConfig config;
  ASSERT_THAT(policy::ReadConfigFile(RAAKVLAK_SOURCE_DIR "/deploy/config/broker.textproto", config), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string text,
                                base::ReadFile(RAAKVLAK_SOURCE_DIR "/deploy/config/broker.textproto"));
  for (const google::protobuf::Descriptor* message : {config.descriptor(), config.common().descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      const std::string& field = message->field(i)->name();
      bool named = false;
      for (const char* before : {"\n", "\n  ", "\n# ", "\n  # "}) {
        named = named || text.find(before + field) != std::string::npos;
      }
      EXPECT_TRUE(named) << field << " is not in the sample";
    }
  }
}

}  // namespace
}  // namespace raakvlak::broker

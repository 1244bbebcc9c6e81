#include "server/signer/signer_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log/line_socket.h"
#include "server/log/signer_client.h"
#include "server/log/signer_protocol.h"
#include "tests/unit/server/log/log_world.h"

namespace raakvlak::signer {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using log::IsOkAndHolds;
using log::kUrn;
using log::kYear;
using log::TestKey;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::Duration kTimeout = absl::Seconds(30);

class SignerServerTest : public log::LogWorld {
 protected:
  void SetUp() override {
    ASSERT_THAT(Start(), IsOk());
    ASSERT_THAT(AppendAndPublish(5), IsOk());
    auto signer = Signer::Create(signer_.paths(), TestKey());
    ASSERT_THAT(signer, IsOk());
    real_ = *std::move(signer);
    ASSERT_THAT(Listen({geteuid()}), IsOk());
  }
  std::string socket_path() const { return here_.File("signer.sock"); }
  absl::Status Listen(std::vector<uid_t> users, absl::Duration timeout = kTimeout) {
    server_.reset();
    SignerServerOptions options;
    options.listen = socket_path();
    options.users = std::move(users);
    options.timeout = timeout;
    RAAKVLAK_ASSIGN_OR_RETURN(server_, SignerServer::Start(*real_, std::move(options)));
    return absl::OkStatus();
  }
  crypto::tlog::Checkpoint Checkpoint() { return publisher_->Newest(kYear)->checkpoint; }

  // A connection of somebody who does as it likes.
  int Connect() {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = log::UnixAddress(socket_path());
    EXPECT_EQ(connect(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
    return descriptor;
  }
  std::string Say(const std::string& bytes) {
    const int descriptor = Connect();
    // The server may have answered and closed already.
    send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const auto answer = log::ReceiveLine(descriptor, log::kMaxSignAnswer, kTimeout);
    close(descriptor);
    return answer.ok() ? *answer : base::ReasonOf(answer.status());
  }

  std::unique_ptr<Signer> real_;
  std::unique_ptr<SignerServer> server_;
};

TEST_F(SignerServerTest, AnswersItsProcess) {
  log::SignerClient client(socket_path());
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), IsOkAndHolds(publisher_->Newest(kYear)->note));
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), IsOk()) << "one connection for each request";
}

TEST_F(SignerServerTest, APublisherWorksThroughTheSocket) {
  log::SignerClient client(socket_path());
  auto publisher = log::Publisher::Create(audit_, *folder_, client, clock_, TestKey().public_key());
  ASSERT_THAT(publisher, IsOk());
  audit_.Append(kYear, 700);
  ASSERT_THAT((*publisher)->Publish(log::kNoHurry), IsOk());
  EXPECT_THAT(log::VerifiedSize(logs(), kYear), IsOkAndHolds(705));
}

TEST_F(SignerServerTest, ReasonsOfTheSignerArrive) {
  log::SignerClient client(socket_path());
  crypto::tlog::Checkpoint other = Checkpoint();
  other.size = 4;
  EXPECT_THAT(client.Sign(other, kTimeout), HasReason(reason::kLogRollback));
  other = Checkpoint();
  other.root.bytes[0] ^= 1;
  const auto fork = client.Sign(other, kTimeout);
  EXPECT_THAT(fork, HasReason(reason::kLogFork));
  EXPECT_THAT(std::string(fork.status().message()), StartsWith("signer: another root of urn:raakvlak"));
}

TEST_F(SignerServerTest, OtherUsersAreRefused) {
  ASSERT_THAT(Listen({geteuid() + 1}), IsOk());
  log::SignerClient client(socket_path());
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), HasReason(reason::kNotAllowed));
  ASSERT_THAT(Listen({geteuid() + 1, geteuid()}), IsOk());
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), IsOk());
}

TEST_F(SignerServerTest, OnlyItsUserReachesTheSocketUnlessAnotherIsConfigured) {
  struct stat info = {};
  ASSERT_EQ(stat(socket_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  ASSERT_THAT(Listen({geteuid(), geteuid() + 1}), IsOk());
  ASSERT_EQ(stat(socket_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666);
}

TEST_F(SignerServerTest, WhatIsNoRequestIsRefused) {
  EXPECT_THAT(Say("\n"), StartsWith("error MALFORMED "));
  EXPECT_THAT(Say("sign\n"), StartsWith("error MALFORMED "));
  EXPECT_THAT(Say("adopt\n"), StartsWith("error MALFORMED "));
  EXPECT_THAT(Say(log::FormatSignRequest(Checkpoint()) + "\nsign again\n"), StartsWith("error MALFORMED "));
  EXPECT_THAT(Say(std::string(log::kMaxSignRequest + 1, 'x')), StartsWith("error TOO_LARGE "));
  EXPECT_THAT(Say(log::FormatSignRequest(Checkpoint()) + "\n"), StartsWith("ok "));
}

TEST_F(SignerServerTest, WhoSaysNothingIsCutOffAndBlocksNobody) {
  // Long enough for a client that a busy machine lets wait.
  ASSERT_THAT(Listen({geteuid()}, absl::Milliseconds(500)), IsOk());
  const int silent = Connect();
  log::SignerClient client(socket_path());
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), IsOk());
  EXPECT_THAT(*log::ReceiveLine(silent, log::kMaxSignAnswer, kTimeout),
              StartsWith("error DEADLINE_EXCEEDED "));
  close(silent);
}

TEST_F(SignerServerTest, ASignerThatIsAwayIsUnavailable) {
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(socket_path())) << "an orderly end takes the socket away";
  log::SignerClient client(socket_path());
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), HasReason(reason::kUnavailable));
}

TEST_F(SignerServerTest, ASignerThatHangsIsGivenUp) {
  server_.reset();
  const int hangs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = log::UnixAddress(socket_path());
  ASSERT_EQ(bind(hangs, reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
  ASSERT_EQ(listen(hangs, 1), 0);
  log::SignerClient client(socket_path());
  EXPECT_THAT(client.Sign(Checkpoint(), absl::Milliseconds(10)), HasReason(reason::kDeadlineExceeded));
  close(hangs);
}

TEST_F(SignerServerTest, ASocketThatWasLeftIsReplacedAndAnythingElseStays) {
  server_.reset();
  const int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = log::UnixAddress(socket_path());
  ASSERT_EQ(bind(left, reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
  close(left);
  EXPECT_THAT(Listen({geteuid()}), IsOk());
  server_.reset();
  ASSERT_THAT(base::WriteFileAtomically(socket_path(), "a file", 0600), IsOk());
  EXPECT_THAT(Listen({geteuid()}), HasReason(reason::kConfigInvalid));
  EXPECT_THAT(base::ReadFile(socket_path()), IsOkAndHolds("a file"));
}

TEST_F(SignerServerTest, APathOverTheLimitOfUnixSocketsIsSaidSo) {
  EXPECT_THAT(log::UnixAddress(std::string(107, 'x')), IsOk());
  const auto refused = log::UnixAddress(std::string(108, 'x'));
  EXPECT_THAT(refused, HasReason(reason::kConfigInvalid));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("1 to 107 bytes"));
  EXPECT_THAT(log::UnixAddress(""), HasReason(reason::kConfigInvalid));
  log::SignerClient client(std::string(200, 'x'));
  EXPECT_THAT(client.Sign(Checkpoint(), kTimeout), HasReason(reason::kConfigInvalid));
}

}  // namespace
}  // namespace raakvlak::signer

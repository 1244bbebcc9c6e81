#include "rpc/server.h"

#include <future>
#include <thread>

#include "grpcpp/generic/generic_stub.h"
#include "rpc/client_call.h"
#include "tests/unit/rpc/fixture.h"

namespace raakvlak::rpc {
namespace {

class ServerTest : public RpcFixture {
 protected:
  // The serialised answer of grpc.health.v1.Health/Check to the serialised request; an empty one asks for the
  // server as a whole.
  static absl::StatusOr<std::string> CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                                                 const std::string& asked = "") {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    SetDeadline(context, kTimeout);
    const grpc::Slice message(asked.data(), asked.size());
    grpc::ByteBuffer request(&message, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    const absl::Status status = FromGrpc(done.get_future().get(), context);
    if (!status.ok()) return status;
    std::vector<grpc::Slice> slices;
    if (!response.Dump(&slices).ok()) return absl::InternalError("no bytes");
    std::string bytes;
    for (const grpc::Slice& slice : slices)
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return bytes;
  }
};

TEST_F(ServerTest, HealthIsServedToEveryoneWithACertificate) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string answer, CheckHealth(ChannelAs(pki_.IssueNames({}))));
  EXPECT_EQ(answer, std::string("\x08\x01"));  // status: SERVING
}

TEST_F(ServerTest, HealthOfAPartIsWhatItWasSetTo) {
  const auto channel = ChannelAs(pki_.IssueNames({}));
  const std::string part("\x0a\x03log");
  EXPECT_EQ(CheckHealth(channel, part).status().code(), absl::StatusCode::kNotFound);
  server_->SetHealth("log", false);
  EXPECT_EQ(*CheckHealth(channel, part), "\x08\x02");
  EXPECT_EQ(*CheckHealth(channel), "\x08\x01");
  server_->SetHealth("log", true);
  EXPECT_EQ(*CheckHealth(channel, part), "\x08\x01");
}

TEST_F(ServerTest, ShutdownLetsARunningCallFinish) {
  std::promise<void> started;
  std::promise<void> release;
  exchange_.core = [&](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse& response) {
    started.set_value();
    release.get_future().wait();
    response.add_receipts();
    return absl::OkStatus();
  };
  const auto channel = ChannelAs("node", "politie");
  auto call = std::async(std::launch::async, [&] { return Submit(channel); });
  started.get_future().wait();
  std::thread shutdown([&] { server_->Shutdown(absl::Seconds(20)); });
  // New calls are refused while the old one runs on.
  while (Submit(ChannelAs("hub", "veiligheidshuis"), absl::Seconds(5)).status().code() !=
         absl::StatusCode::kUnavailable) {
    std::this_thread::yield();
  }
  EXPECT_EQ(call.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  release.set_value();
  shutdown.join();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto response, call.get());
  EXPECT_EQ(response.receipts_size(), 1);
}

TEST_F(ServerTest, ShutdownCancelsWhatRunsLongerThanItsGrace) {
  std::promise<void> started;
  std::promise<void> release;
  exchange_.core = [&](const Gate::Pass&, const v1::SubmitRequest&, v1::SubmitResponse&) {
    started.set_value();
    release.get_future().wait();
    return absl::OkStatus();
  };
  const auto channel = ChannelAs("node", "politie");
  auto call = std::async(std::launch::async, [&] { return Submit(channel); });
  started.get_future().wait();
  std::thread shutdown([&] { server_->Shutdown(absl::Milliseconds(20)); });
  EXPECT_THAT(call.get(), HasReason(base::reason::kUnavailable));
  release.set_value();
  shutdown.join();
}

TEST_F(ServerTest, ShutdownTwiceIsTheSameAsOnce) {
  server_->Shutdown(absl::ZeroDuration());
  server_->Shutdown(absl::ZeroDuration());
}

TEST_F(ServerTest, AddressesThatAreNotLoopbackAreInvalid) {
  for (const char* listen :
       {"0.0.0.0:0", "10.0.0.1:0", "128.0.0.1:0", "localhost:0", "[::1]:0", "127.0.0.1", "",
        "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "unix:/tmp/socket"}) {
    Server::Options options = MakeOptions();
    options.listen = listen;
    EXPECT_THAT(Server::Start(options, {&exchange_}), HasReason(base::reason::kConfigInvalid)) << listen;
  }
}

TEST_F(ServerTest, NetworkAddressIsTakenWhenAllowed) {
  Server::Options options = MakeOptions();
  options.listen = "0.0.0.0:0";
  options.reachable_from_network = true;
  EXPECT_THAT(Server::Start(options, {&exchange_}), IsOk());
}

TEST_F(ServerTest, PortInUseIsInvalid) {
  Server::Options options = MakeOptions();
  options.listen = server_->address();
  EXPECT_THAT(Server::Start(options, {&exchange_}), HasReason(base::reason::kConfigInvalid));
}

TEST_F(ServerTest, UnreadableKeyIsToldAsSuch) {
  Server::Options options = MakeOptions();
  options.tls.key = "/nonexistent/key";
  EXPECT_THAT(Server::Start(options, {&exchange_}), HasReason(base::reason::kFileUnreadable));
}

}  // namespace
}  // namespace raakvlak::rpc

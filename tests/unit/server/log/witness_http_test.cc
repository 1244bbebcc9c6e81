#include "server/log/witness_http.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "client/witness_client.h"
#include "tests/unit/server/log/fake_published_files.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using testing::FakeLog;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::Duration kTimeout = absl::Seconds(20);

class WitnessHttpTest : public ::testing::Test {
 protected:
  WitnessHttpTest() : server_(*WitnessHttp::Start("127.0.0.1:0", witness_)) {}
  std::string Url() const { return absl::StrCat("http://127.0.0.1:", server_->port()); }
  client::WitnessReply Add(const std::string& body) {
    const auto client = *client::MakeHttpWitnessClient(Url());
    const auto reply = client->AddCheckpoint(body, kTimeout);
    EXPECT_THAT(reply, IsOk());
    return reply.value_or(client::WitnessReply{});
  }
  httplib::Client Browser() const { return httplib::Client(Url()); }

  const crypto::note::PrivateKey key_ = testing::KeyOf("witness");
  FakeLog log_;
  const std::unique_ptr<storage::WitnessStore> store_ = storage::MakeMemoryWitnessStore();
  base::testing::FakeClock clock_;
  testing::NoContradictions contradictions_;
  Witness witness_{testing::WitnessKeyOf("witness"),
                   key_,
                   [this](absl::string_view origin) -> absl::StatusOr<crypto::note::VerifierKey> {
                     if (log_.origin() == std::string(origin)) return log_.verifier();
                     return absl::NotFoundError("no such log");
                   },
                   *store_,
                   clock_,
                   contradictions_};
  std::unique_ptr<WitnessHttp> server_;
};

TEST_F(WitnessHttpTest, EachStatusTravels) {
  const auto first = Add(log_.Body(0, 5));
  EXPECT_EQ(first.status, 200u);
  EXPECT_THAT(first.body, StartsWith("\xE2\x80\x94 witness "));
  EXPECT_EQ(Add("nonsense").status, 400u);
  const FakeLog other("other/2026");
  EXPECT_EQ(Add(other.Body(0, 5)).status, 404u);
  const auto conflict = Add(log_.Body(3, 9));
  EXPECT_EQ(conflict.status, 409u);
  EXPECT_EQ(conflict.body, "5\n");
  EXPECT_EQ(Add(crypto::tlog::FormatAddCheckpoint({5, {}, log_.Checkpoint(9)})).status, 422u);
  std::string forged = log_.Body(5, 9);
  forged.replace(forged.find("\n9\n"), 3, "\n8\n");
  EXPECT_EQ(Add(forged).status, 403u);
  EXPECT_EQ(Add(log_.Body(5, 9)).status, 200u);
}

TEST_F(WitnessHttpTest, ContentTypesAreThoseOfTheStandard) {
  auto browser = Browser();
  const auto first = browser.Post("/add-checkpoint", log_.Body(0, 5), "text/plain");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->get_header_value("Content-Type"), "text/plain; charset=utf-8");
  const auto conflict = browser.Post("/add-checkpoint", log_.Body(0, 5), "text/plain");
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->status, 409);
  EXPECT_EQ(conflict->get_header_value("Content-Type"), "text/x.tlog.size");
}

TEST_F(WitnessHttpTest, LatestCheckpointIsServedUnderTheHashOfItsOrigin) {
  const std::string path = absl::StrCat("/", base::Hex(base::Sha256(log_.origin())), "/checkpoint");
  auto browser = Browser();
  EXPECT_EQ(browser.Get(path)->status, 404);
  const auto line = Add(log_.Body(0, 5));
  const auto latest = browser.Get(path);
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->status, 200);
  EXPECT_EQ(latest->body, log_.Checkpoint(5) + line.body);
}

TEST_F(WitnessHttpTest, OtherPathsAndMethodsAreNotThere) {
  auto browser = Browser();
  for (const char* path : {"/", "/checkpoint", "/add-checkpoint", "/../etc/passwd", "/00/checkpoint"}) {
    EXPECT_EQ(browser.Get(path)->status, 404) << path;
  }
  EXPECT_EQ(browser.Put("/add-checkpoint", "x", "text/plain")->status, 404);
  EXPECT_EQ(browser.Post("/", "x", "text/plain")->status, 404);
}

TEST_F(WitnessHttpTest, BodyOverTheLimitIsRefused) {
  auto browser = Browser();
  const auto result = browser.Post("/add-checkpoint",
                                   std::string(crypto::tlog::kMaxAddCheckpointSize + 1, 'a'), "text/plain");
  // The connection may be gone before the answer is read.
  if (result) {
    EXPECT_EQ(result->status, 400);
  }
  EXPECT_EQ(Add(log_.Body(0, 5)).status, 200u) << "and it goes on";
}

TEST_F(WitnessHttpTest, ManyConnectionsAtOnceAreAllAnswered) {
  ASSERT_EQ(Add(log_.Body(0, 5)).status, 200u);
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] { answered += Add(log_.Body(0, 9)).status == 409; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 40);
}

TEST_F(WitnessHttpTest, OpenConnectionsDoNotKeepItFromStopping) {
  const int idle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(idle, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  server_ = nullptr;
  close(idle);
}

TEST_F(WitnessHttpTest, OnlyLoopbackAddressesAreTaken) {
  for (const char* wrong : {"0.0.0.0:0", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                            "[::]:0", "localhost:0", "10.0.0.1:80", ""}) {
    EXPECT_THAT(WitnessHttp::Start(wrong, witness_), HasReason(reason::kConfigInvalid)) << wrong;
  }
  EXPECT_THAT(WitnessHttp::Start(absl::StrCat("127.0.0.1:", server_->port()), witness_),
              HasReason(reason::kConfigInvalid))
      << "taken";
}

TEST(HttpWitnessClient, UrlsAreChecked) {
  for (const char* url : {"http://a", "http://a/", "http://a:80/witness", "https://a.example/x/"}) {
    EXPECT_THAT(client::MakeHttpWitnessClient(url), IsOk()) << url;
  }
  for (const char* url : {"", "a", "ftp://a", "http://", "http:///x", "http://a?b", "http://a/#b",
                          "http://u@a", "http://a b"}) {
    EXPECT_THAT(client::MakeHttpWitnessClient(url), HasReason(reason::kConfigInvalid)) << url;
  }
}

// A server that answers each request by its own ways.
class OddServer {
 public:
  OddServer() {
    server_.Post("/w/add-checkpoint", [this](const httplib::Request& request, httplib::Response& response) {
      body = request.body;
      if (body == "long")
        return response.set_content(std::string(client::kMaxWitnessAnswer + 1, 'x'), "text/plain");
      if (body == "moved") return response.set_redirect("/elsewhere");
      if (body == "slow") {
        return response.set_content_provider("text/plain", [](size_t, httplib::DataSink& sink) {
          // A byte at a time: each read is in time, the whole never comes.
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return sink.write("x", 1);
        });
      }
      response.set_content("fine", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~OddServer() {
    server_.stop();
    thread_.join();
  }
  std::string Url() const { return absl::StrCat("http://127.0.0.1:", port_, "/w/"); }
  std::string body;

 private:
  httplib::Server server_;
  int port_;
  std::thread thread_;
};

TEST(HttpWitnessClient, OddServersDoNotHurt) {
  OddServer server;
  const auto client = *client::MakeHttpWitnessClient(server.Url());
  const auto fine = client->AddCheckpoint("a body\n", kTimeout);
  ASSERT_THAT(fine, IsOk());
  EXPECT_EQ(fine->body, "fine");
  EXPECT_EQ(server.body, "a body\n");
  EXPECT_THAT(client->AddCheckpoint("long", kTimeout), HasReason(reason::kTooLarge));
  const auto moved = client->AddCheckpoint("moved", kTimeout);
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved->status, 302u) << "not followed";
  EXPECT_THAT(client->AddCheckpoint("slow", absl::Milliseconds(300)), HasReason(reason::kDeadlineExceeded));
}

TEST(HttpWitnessClient, NobodyThereIsUnavailable) {
  int port;
  {
    OddServer gone;
    port = std::stoi(gone.Url().substr(17));
  }
  const auto client = *client::MakeHttpWitnessClient(absl::StrCat("http://127.0.0.1:", port));
  EXPECT_THAT(client->AddCheckpoint("x", kTimeout), HasReason(reason::kUnavailable));
}

}  // namespace
}  // namespace raakvlak::log

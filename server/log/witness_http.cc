#include "server/log/witness_http.h"

#include <httplib.h>

#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/add_checkpoint.h"

namespace raakvlak::log {
namespace {

constexpr int kThreads = 8;
constexpr size_t kMaxWaiting = 64;
constexpr time_t kPieceSeconds = 5;
constexpr absl::Duration kBodyTime = absl::Seconds(10);
constexpr size_t kMaxRequestsAConnection = 100;
constexpr int kBacklog = 128;

// The library's own pool queues without bound: this one makes the accepting thread wait, so that the kernel
// refuses what is too much.
class BoundedPool final : public httplib::TaskQueue {
 public:
  BoundedPool() {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Run(); });
  }

  void enqueue(std::function<void()> task) override {
    base::MutexLock lock(mutex_);
    while (tasks_.size() >= kMaxWaiting && !stopping_) changed_.Wait(mutex_);
    // When stopping too: the task closes its socket.
    tasks_.push_back(std::move(task));
    changed_.NotifyAll();
  }

  void shutdown() override {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
      changed_.NotifyAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Run() {
    while (true) {
      std::function<void()> task;
      {
        base::MutexLock lock(mutex_);
        while (tasks_.empty() && !stopping_) changed_.Wait(mutex_);
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
        changed_.NotifyAll();
      }
      task();
    }
  }

  base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

void Answer(WitnessAnswer answer, httplib::Response& response) {
  response.status = answer.status;
  response.set_content(std::move(answer.body), answer.content_type);
}

}  // namespace

class WitnessHttp::Listener {
 public:
  explicit Listener(Witness& witness) {
    server_.new_task_queue = [] { return new BoundedPool(); };
    server_.set_read_timeout(kPieceSeconds);
    server_.set_write_timeout(kPieceSeconds);
    server_.set_keep_alive_timeout(kPieceSeconds);
    server_.set_keep_alive_max_count(kMaxRequestsAConnection);
    server_.set_payload_max_length(crypto::tlog::kMaxAddCheckpointSize);
    server_.set_tcp_nodelay(true);
    // The library's own options would let another process listen on the same port.
    server_.set_socket_options([this](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
      socket_ = socket;
    });
    server_.Post("/add-checkpoint", [&witness](const httplib::Request&, httplib::Response& response,
                                               const httplib::ContentReader& read) {
      const absl::Time deadline = absl::Now() + kBodyTime;
      std::string body;
      const bool whole = read([&](const char* data, size_t size) {
        body.append(data, size);
        return body.size() <= crypto::tlog::kMaxAddCheckpointSize && absl::Now() < deadline;
      });
      if (whole) return Answer(witness.AddCheckpoint(body, ""), response);
      Answer({400, kTextType, "the body is too long or came too slowly\n"}, response);
      response.set_header("Connection", "close");
    });
    server_.Get("/([0-9a-f]{64})/checkpoint",
                [&witness](const httplib::Request& request, httplib::Response& response) {
                  Answer(witness.LatestCheckpoint(std::string(request.matches[1])), response);
                });
  }

  ~Listener() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  bool Listen(const std::string& host, int port) {
    port_ = port == 0 ? server_.bind_to_any_port(host) : server_.bind_to_port(host, port) ? port : -1;
    if (port_ <= 0) return false;
    // The library lets 5 wait, and its own client takes a dropped handshake for an open connection.
    if (listen(socket_, kBacklog) != 0) return false;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing before the server runs.
    while (!server_.is_running()) std::this_thread::yield();
    return true;
  }

  int port() const { return port_; }

 private:
  httplib::Server server_;
  socket_t socket_ = -1;
  int port_ = -1;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<WitnessHttp>> WitnessHttp::Start(const std::string& address,
                                                                Witness& witness) {
  const auto invalid = [&](absl::string_view why) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat("listen_witness ", address, ": ", why));
  };
  absl::string_view port_text = address;
  int port = -1;
  if (!absl::ConsumePrefix(&port_text, "127.0.0.1:") || !absl::SimpleAtoi(port_text, &port) || port < 0 ||
      port > 65535) {
    return invalid("is not 127.0.0.1:<port>");
  }
  auto listener = std::make_unique<Listener>(witness);
  if (!listener->Listen("127.0.0.1", port)) return invalid("cannot be bound");
  return std::unique_ptr<WitnessHttp>(new WitnessHttp(std::move(listener)));
}

WitnessHttp::WitnessHttp(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
WitnessHttp::~WitnessHttp() = default;
int WitnessHttp::port() const { return listener_->port(); }

}  // namespace raakvlak::log

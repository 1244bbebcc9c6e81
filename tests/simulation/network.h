// A network and processes that fail, for the simulation: in one thread, decided by dice alone.
//
// A call may be lost, have its effect and lose the answer, come twice, or come later than the caller waits
// for it, after other calls. A process stops at a *point* (before or after a write to its store, before or
// after a call that it makes): a Crash is thrown there, so that nothing behind the point happens, and is
// caught by who called the process.
//
// A node asks key holders in threads. So evaluations hold one lock, which makes them one after the other;
// what becomes of a call hangs on who calls whom and not on the order; and no process stops within an
// evaluation that it asked for itself, but at its next point. All else is for one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/exchange_client.h"
#include "client/key_share_client.h"

namespace raakvlak::simulation {

// SplitMix64.
class Dice {
 public:
  explicit Dice(uint64_t seed = 0) : state_(seed) {}
  void Seed(uint64_t seed) { state_ = seed; }
  uint64_t Next();
  // From 0, below `limit`.
  size_t Below(size_t limit) { return Next() % limit; }
  bool Percent(size_t chance) { return Below(100) < chance; }

 private:
  uint64_t state_;
};

struct Crash {
  std::string process;
};

// Where one process may stop.
class Fuse {
 public:
  explicit Fuse(std::string process) : process_(std::move(process)) {}
  const std::string& process() const { return process_; }
  // The process stops at its point number `points`, from 1; 0: at none.
  void Arm(uint32_t points) { left_ = points; }
  void Point() {
    if (left_ == 0 || (held_ && left_ == 1)) return;
    if (--left_ == 0) throw Crash{process_};
  }
  // While it is held the process does not stop.
  void Hold(bool held) { held_ = held; }

 private:
  const std::string process_;
  uint32_t left_ = 0;
  bool held_ = false;
};

inline absl::Status Away() {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "no answer");
}

// The way from one process to another.
struct Way {
  Fuse& from;
  std::string to;
  // Of calls that lasted too long, whether they arrive later.
  bool may_be_late = false;
  uint64_t salt = 0;
  uint64_t calls = 0;
};

class Network {
 public:
  explicit Network(Dice& dice) : dice_(dice) {}

  // Of 100 calls from now on, how many meet with trouble, and what decides which.
  void SetTrouble(size_t percent, uint64_t salt) { trouble_ = percent, salt_ = salt; }
  void SetUp(const std::string& process, bool up) { up_[process] = up; }
  bool IsUp(const std::string& process) const { return up_.at(process); }
  std::recursive_mutex& lock() { return lock_; }

  // Calls `handler`, which is the other process answering `request`; it may be called again later.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Way& way, const Request& request,
                                const std::function<absl::StatusOr<Response>(const Request&)>& handler) {
    const std::lock_guard<std::recursive_mutex> held(lock_);
    const std::string& to = way.to;
    absl::StatusOr<Response> answer = Away();
    switch (Decide(way)) {
      case Fate::kIsLost:
        break;
      case Fate::kIsLate:
        if (!way.may_be_late) break;
        late_.emplace_back(
            [this, to, request, handler] { static_cast<void>(Deliver(to, request, handler)); });
        break;
      case Fate::kAnswerIsLost:
        static_cast<void>(Deliver(to, request, handler));
        break;
      case Fate::kComesTwice:
        answer = Deliver(to, request, handler);
        static_cast<void>(Deliver(to, request, handler));
        break;
      case Fate::kSecondAnswerCounts:
        static_cast<void>(Deliver(to, request, handler));
        answer = Deliver(to, request, handler);
        break;
      case Fate::kArrives:
        answer = Deliver(to, request, handler);
    }
    return answer;
  }

  // Whether `work` of `process` came to its end: it did not when the process stops in it, or is down.
  bool Run(const std::string& process, const std::function<void()>& work);

  // One of the calls that are late arrives, whichever; false when there is none.
  bool DeliverLate();

 private:
  enum class Fate { kIsLost, kIsLate, kAnswerIsLost, kComesTwice, kSecondAnswerCounts, kArrives };
  Fate Decide(Way& way) const;

  template <typename Request, typename Response>
  absl::StatusOr<Response> Deliver(const std::string& to, const Request& request,
                                   const std::function<absl::StatusOr<Response>(const Request&)>& handler) {
    absl::StatusOr<Response> answer = Away();
    Run(to, [&] { answer = handler(request); });
    return answer;
  }

  Dice& dice_;
  std::recursive_mutex lock_;
  size_t trouble_ = 0;
  uint64_t salt_ = 0;
  std::map<std::string, bool> up_;
  std::deque<std::function<void()>> late_;
};

// A node's way to the broker.
struct ExchangeLink final : client::ExchangeClient {
  template <typename Request, typename Response>
  using Handler = std::function<absl::StatusOr<Response>(const Request&)>;

  ExchangeLink(Network& through, Way along) : network(through), way(std::move(along)) {}
  absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request, absl::Duration) override {
    return Call(request, submit);
  }
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const v1::WithdrawSignalsRequest& request,
                                                       absl::Duration) override {
    return Call(request, withdraw);
  }
  absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const v1::ProveEntryRequest&, absl::Duration) override {
    return Away();
  }
  // Within evaluations.
  absl::StatusOr<v1::ListAllowancesResponse> ListAllowances(const v1::ListAllowancesRequest& request,
                                                            absl::Duration) override {
    Way at_once{way.from, way.to};
    return network.Call(at_once, request, list_allowances);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const Request& request, const Handler<Request, Response>& handler) {
    way.from.Point();
    absl::StatusOr<Response> answer = network.Call(way, request, handler);
    way.from.Point();
    return answer;
  }

  Network& network;
  Way way;
  Handler<v1::SubmitRequest, v1::SubmitResponse> submit;
  Handler<v1::WithdrawSignalsRequest, v1::WithdrawSignalsResponse> withdraw;
  Handler<v1::ListAllowancesRequest, v1::ListAllowancesResponse> list_allowances;
};

// A node's way to the share of another node.
struct KeyShareLink final : client::KeyShareClient {
  KeyShareLink(Network& through, Way along) : network(through), way(std::move(along)) {}
  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request, absl::Duration) override {
    return network.Call(way, request, evaluate);
  }
  absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest&, absl::Duration) override {
    return Away();
  }

  Network& network;
  Way way;
  std::function<absl::StatusOr<v1::EvaluateResponse>(const v1::EvaluateRequest&)> evaluate;
};

// A node's way to its own share.
struct OwnShareLink final : client::KeyShareClient {
  OwnShareLink(Network& through, Fuse& of, client::KeyShareClient& own)
      : network(through), fuse(of), share(own) {}
  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request,
                                                absl::Duration timeout) override {
    const std::lock_guard<std::recursive_mutex> held(network.lock());
    fuse.Hold(true);
    absl::StatusOr<v1::EvaluateResponse> answer = share.Evaluate(request, timeout);
    fuse.Hold(false);
    return answer;
  }
  absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest& request,
                                                absl::Duration timeout) override {
    return share.Describe(request, timeout);
  }

  Network& network;
  Fuse& fuse;
  client::KeyShareClient& share;
};

}  // namespace raakvlak::simulation

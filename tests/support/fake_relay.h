// FakeRelay: the broker's relay of ceremonies (server/broker/ceremony_relay.h, with its real rules) over a
// store in memory, and a CeremonyClient for each partner that a test can make it treat badly.
//
// The functions below are asked under a lock, so they must not call clients of the same relay. Set them
// between calls. Thread safety: clients may be used from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "client/ceremony_client.h"
#include "policy/authority.h"
#include "server/broker/ceremony_relay.h"
#include "server/storage/memory/broker_store.h"

namespace raakvlak::testing {

class FakeRelay {
 public:
  // `snapshot` is asked at each call; `clock` outlives the relay.
  FakeRelay(std::function<policy::Snapshot()> snapshot, const base::Clock& clock);

  // A client that calls as the node of `partner` (`HubClient`: as the hub), through all of the below. The
  // relay outlives it.
  std::unique_ptr<client::CeremonyClient> ClientOf(const std::string& partner);
  std::unique_ptr<client::CeremonyClient> HubClient();

  // What a message says of itself.
  static uint32_t StepOf(const v1::CeremonyMessage& message);
  static uint32_t SenderOf(const v1::CeremonyMessage& message);

  // Away: while it returns an error, calls of that partner and method ("Post") fail with it and have no
  // effect.
  void set_away(std::function<absl::Status(const std::string& partner, const std::string& method)> away);
  // Lost answer: while it returns an error, they have their effect and fail with it.
  void set_lost_answer(
      std::function<absl::Status(const std::string& partner, const std::string& method)> lost);
  // Sees, and may change, what a partner posts before the relay's rules do. Return false to drop all of it
  // and say that it was taken.
  void set_on_post(std::function<bool(const std::string& partner, v1::PostRequest& request)> on_post);
  // Delay: while it returns true the message is kept from `partner`, and comes with a later fetch, before
  // what is newer. How far the ceremony has come is not changed in the list.
  void set_held(std::function<bool(const std::string& partner, const v1::CeremonyMessage& message)> held);
  // Sees, and may change, what a partner fetches: drop, reorder, replay, swap, equivocate.
  void set_on_fetch(std::function<void(const std::string& partner, v1::FetchResponse& response)> on_fetch);

  storage::MemoryBrokerStore& store() { return store_; }

 private:
  class Client;
  std::unique_ptr<client::CeremonyClient> MakeClient(rpc::Role role, const std::string& id);
  absl::Status Before(const std::string& partner, const std::string& method)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return away_ ? away_(partner, method) : absl::OkStatus();
  }
  template <typename Response>
  absl::StatusOr<Response> Answered(const std::string& partner, const std::string& method,
                                    absl::StatusOr<Response> response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Status lost = lost_answer_ ? lost_answer_(partner, method) : absl::OkStatus();
    return lost.ok() ? std::move(response) : lost;
  }
  void HoldBack(const std::string& partner, const std::string& ceremony, v1::FetchResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<policy::Snapshot()> snapshot_;
  storage::MemoryBrokerStore store_;
  broker::CeremonyRelay relay_;
  base::Mutex mutex_;
  std::function<absl::Status(const std::string&, const std::string&)> away_ ABSL_GUARDED_BY(mutex_);
  std::function<absl::Status(const std::string&, const std::string&)> lost_answer_ ABSL_GUARDED_BY(mutex_);
  std::function<bool(const std::string&, v1::PostRequest&)> on_post_ ABSL_GUARDED_BY(mutex_);
  std::function<bool(const std::string&, const v1::CeremonyMessage&)> held_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const std::string&, v1::FetchResponse&)> on_fetch_ ABSL_GUARDED_BY(mutex_);
  // By partner and ceremony.
  std::map<std::pair<std::string, std::string>, std::vector<v1::CeremonyMessage>> kept_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::testing

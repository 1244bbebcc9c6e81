#include "tests/support/fake_relay.h"

#include <utility>

#include "base/status.h"

namespace raakvlak::testing {
namespace {

// step(1) || ceremony id(32) || chain(32) || sender(1)
constexpr size_t kSenderAt = 65;

uint32_t ByteOf(const v1::CeremonyMessage& message, size_t at) {
  return message.body().size() > at ? static_cast<uint8_t>(message.body()[at]) : 0;
}

}  // namespace

class FakeRelay::Client final : public client::CeremonyClient {
 public:
  Client(FakeRelay& relay, rpc::Role role, std::string id) : relay_(relay), role_(role), id_(std::move(id)) {}

  absl::StatusOr<v1::ProposeResponse> Propose(const v1::ProposeRequest& request, absl::Duration) override {
    base::MutexLock lock(relay_.mutex_);
    RAAKVLAK_RETURN_IF_ERROR(relay_.Before(id_, "Propose"));
    return relay_.Answered(id_, "Propose", relay_.relay_.Propose(Pass(), request));
  }
  absl::StatusOr<v1::PostResponse> Post(const v1::PostRequest& request, absl::Duration) override {
    base::MutexLock lock(relay_.mutex_);
    RAAKVLAK_RETURN_IF_ERROR(relay_.Before(id_, "Post"));
    v1::PostRequest changed = request;
    if (relay_.on_post_ && !relay_.on_post_(id_, changed)) return v1::PostResponse();
    return relay_.Answered(id_, "Post", relay_.relay_.Post(Pass(), changed));
  }
  absl::StatusOr<v1::FetchResponse> Fetch(const v1::FetchRequest& request, absl::Duration) override {
    base::MutexLock lock(relay_.mutex_);
    RAAKVLAK_RETURN_IF_ERROR(relay_.Before(id_, "Fetch"));
    RAAKVLAK_ASSIGN_OR_RETURN(v1::FetchResponse response, relay_.relay_.Fetch(Pass(), request));
    relay_.HoldBack(id_, request.ceremony_id(), response);
    if (relay_.on_fetch_) relay_.on_fetch_(id_, response);
    return relay_.Answered<v1::FetchResponse>(id_, "Fetch", std::move(response));
  }
  absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies(const v1::ListCeremoniesRequest&,
                                                            absl::Duration) override {
    base::MutexLock lock(relay_.mutex_);
    RAAKVLAK_RETURN_IF_ERROR(relay_.Before(id_, "ListCeremonies"));
    return relay_.Answered(id_, "ListCeremonies", relay_.relay_.ListCeremonies());
  }
  absl::StatusOr<v1::KeysetsResponse> Keysets(const v1::KeysetsRequest&, absl::Duration) override {
    base::MutexLock lock(relay_.mutex_);
    RAAKVLAK_RETURN_IF_ERROR(relay_.Before(id_, "Keysets"));
    return relay_.Answered(id_, "Keysets", relay_.relay_.Keysets());
  }

 private:
  rpc::Gate::Pass Pass() const {
    policy::Snapshot snapshot = relay_.snapshot_();
    const std::string& region = snapshot.covenant->region();
    const std::string urn = policy::Urn(region, rpc::RoleName(role_), id_);
    return {{urn, region, role_, id_}, std::move(snapshot)};
  }

  FakeRelay& relay_;
  const rpc::Role role_;
  const std::string id_;
};

FakeRelay::FakeRelay(std::function<policy::Snapshot()> snapshot, const base::Clock& clock)
    : snapshot_(std::move(snapshot)), relay_(store_, clock) {}

std::unique_ptr<client::CeremonyClient> FakeRelay::ClientOf(const std::string& partner) {
  return std::make_unique<Client>(*this, rpc::Role::kNode, partner);
}

std::unique_ptr<client::CeremonyClient> FakeRelay::HubClient() {
  return std::make_unique<Client>(*this, rpc::Role::kHub, "veiligheidshuis");
}

uint32_t FakeRelay::StepOf(const v1::CeremonyMessage& message) { return ByteOf(message, 0); }
uint32_t FakeRelay::SenderOf(const v1::CeremonyMessage& message) { return ByteOf(message, kSenderAt); }

void FakeRelay::set_away(std::function<absl::Status(const std::string&, const std::string&)> away) {
  base::MutexLock lock(mutex_);
  away_ = std::move(away);
}

void FakeRelay::set_lost_answer(std::function<absl::Status(const std::string&, const std::string&)> lost) {
  base::MutexLock lock(mutex_);
  lost_answer_ = std::move(lost);
}

void FakeRelay::set_on_post(std::function<bool(const std::string&, v1::PostRequest&)> on_post) {
  base::MutexLock lock(mutex_);
  on_post_ = std::move(on_post);
}

void FakeRelay::set_held(std::function<bool(const std::string&, const v1::CeremonyMessage&)> held) {
  base::MutexLock lock(mutex_);
  held_ = std::move(held);
}

void FakeRelay::set_on_fetch(std::function<void(const std::string&, v1::FetchResponse&)> on_fetch) {
  base::MutexLock lock(mutex_);
  on_fetch_ = std::move(on_fetch);
}

void FakeRelay::HoldBack(const std::string& partner, const std::string& ceremony,
                         v1::FetchResponse& response) {
  std::vector<v1::CeremonyMessage>& kept = kept_[{partner, ceremony}];
  std::vector<v1::CeremonyMessage> all = std::move(kept);
  kept.clear();
  for (v1::CeremonyMessage& message : *response.mutable_messages()) all.push_back(std::move(message));
  response.clear_messages();
  for (v1::CeremonyMessage& message : all) {
    if (held_ && held_(partner, message)) {
      kept.push_back(std::move(message));
    } else {
      *response.add_messages() = std::move(message);
    }
  }
}

}  // namespace raakvlak::testing

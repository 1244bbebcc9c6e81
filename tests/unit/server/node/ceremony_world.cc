#include "tests/unit/server/node/ceremony_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/threshold/combine.h"

namespace raakvlak::node::testing {
namespace {

using raakvlak::testing::TestRegion;

absl::Status RelayAway() {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away");
}

}  // namespace

TestRegion& SharedRegion() {
  static TestRegion* const region = new TestRegion;
  return *region;
}

class FakeRelay::Client final : public client::CeremonyClient {
 public:
  Client(FakeRelay& relay, std::string partner) : relay_(relay), partner_(std::move(partner)) {}

  absl::StatusOr<v1::ProposeResponse> Propose(const v1::ProposeRequest& request, absl::Duration) override {
    return Call<v1::ProposeResponse>("Propose", [&](v1::ProposeResponse& response) {
      const std::string id = base::Sha256(request.parameters());
      response.set_ceremony_id(id);
      if (relay_.Find(id) == nullptr) relay_.ceremonies.push_back({id, request, partner_, {}, {}});
      return absl::OkStatus();
    });
  }
  absl::StatusOr<v1::PostResponse> Post(const v1::PostRequest& request, absl::Duration) override {
    return Call<v1::PostResponse>("Post", [&](v1::PostResponse&) {
      Ceremony* ceremony = relay_.Find(request.ceremony_id());
      if (ceremony == nullptr) return base::Error(absl::StatusCode::kNotFound, "NOT_FOUND", "no ceremony");
      for (const v1::CeremonyMessage& message : request.messages()) {
        const bool is_there = std::any_of(
            ceremony->messages.begin(), ceremony->messages.end(), [&](const Ceremony::Message& known) {
              return known.message.SerializeAsString() == message.SerializeAsString();
            });
        if (!is_there) ceremony->messages.push_back({partner_, message});
      }
      if (!request.keyset().empty()) ceremony->keysets.emplace(partner_, request.keyset());
      return absl::OkStatus();
    });
  }
  absl::StatusOr<v1::FetchResponse> Fetch(const v1::FetchRequest& request, absl::Duration) override {
    return Call<v1::FetchResponse>("Fetch", [&](v1::FetchResponse& response) {
      Ceremony* ceremony = relay_.Find(request.ceremony_id());
      if (ceremony == nullptr) return base::Error(absl::StatusCode::kNotFound, "NOT_FOUND", "no ceremony");
      response.set_parameters(ceremony->proposal.parameters());
      for (size_t i = request.after(); i < ceremony->messages.size(); ++i)
        *response.add_messages() = ceremony->messages[i].message;
      response.set_last(ceremony->messages.size());
      for (const auto& [partner, keyset] : ceremony->keysets) response.add_keysets(keyset);
      if (relay_.change_fetch) relay_.change_fetch(partner_, response);
      return absl::OkStatus();
    });
  }
  absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies(const v1::ListCeremoniesRequest&,
                                                            absl::Duration) override {
    return Call<v1::ListCeremoniesResponse>("ListCeremonies", [&](v1::ListCeremoniesResponse& response) {
      for (const Ceremony& ceremony : relay_.ceremonies) {
        v1::CeremonyInfo& info = *response.add_ceremonies();
        info.set_ceremony_id(ceremony.id);
        info.set_proposed_by(ceremony.proposed_by);
        info.set_last(ceremony.messages.size());
        info.set_keysets(static_cast<uint32_t>(ceremony.keysets.size()));
      }
      return absl::OkStatus();
    });
  }
  absl::StatusOr<v1::KeysetsResponse> Keysets(const v1::KeysetsRequest&, absl::Duration) override {
    return Call<v1::KeysetsResponse>("Keysets", [&](v1::KeysetsResponse& response) {
      for (const Ceremony& ceremony : relay_.ceremonies) {
        const auto parameters = crypto::ceremony::Parameters::Parse(ceremony.proposal.parameters());
        if (!parameters.ok() || ceremony.keysets.size() < parameters->receivers().size()) continue;
        v1::CeremonyKeysets& out = *response.add_ceremonies();
        out.set_ceremony_id(ceremony.id);
        for (const auto& [partner, keyset] : ceremony.keysets) out.add_keysets(keyset);
      }
      return absl::OkStatus();
    });
  }

 private:
  template <typename Response>
  absl::StatusOr<Response> Call(const std::string& method,
                                const std::function<absl::Status(Response&)>& work) {
    if (relay_.away) return RelayAway();
    if (relay_.before) RAAKVLAK_RETURN_IF_ERROR(relay_.before(partner_, method));
    Response response;
    RAAKVLAK_RETURN_IF_ERROR(work(response));
    if (relay_.after) RAAKVLAK_RETURN_IF_ERROR(relay_.after(partner_, method));
    return response;
  }

  FakeRelay& relay_;
  const std::string partner_;
};

FakeRelay::FakeRelay() = default;
FakeRelay::~FakeRelay() = default;

client::CeremonyClient& FakeRelay::ClientOf(const std::string& partner) {
  auto& client = clients_[partner];
  if (client == nullptr) client = std::make_unique<Client>(*this, partner);
  return *client;
}

FakeRelay::Ceremony* FakeRelay::Find(const std::string& id) {
  for (Ceremony& ceremony : ceremonies) {
    if (ceremony.id == id) return &ceremony;
  }
  return nullptr;
}

CeremonyWorld::CeremonyWorld(TestRegion& region) : region_(region) {
  for (const v1::Partner& partner : Snapshot().covenant->text().partners()) Restart(partner.id());
}

std::vector<std::string> CeremonyWorld::partners() const {
  std::vector<std::string> out;
  for (const auto& [partner, node] : nodes_) out.push_back(partner);
  return out;
}

void CeremonyWorld::Restart(const std::string& partner) {
  Node& node = nodes_[partner];
  node.driver.reset();
  if (node.store == nullptr) node.store = std::make_unique<storage::MemoryNodeStore>();
  const base::SecretBytes vault_key(base::Sha256(partner));
  auto keys = KeyRing::Load({folder_.File(partner + ".keysets"), folder_.File(partner + ".shares")}, partner,
                            vault_key.Copy(), *policy::ChainOf(Snapshot()), random_);
  RAAKVLAK_CHECK(keys.ok(), "what a node wrote is valid");
  node.keys = *std::move(keys);
  node.vault = std::make_unique<Vault>(vault_key, random_);
  storage::NodeStore* store = node.store.get();
  if (node.flaky != nullptr) store = node.flaky.get();
  node.environment = {partner,
                      SigningKeys(region_.KeysOf(TestRegion::Urn("node", partner))),
                      &region_.authority(),
                      node.keys.get(),
                      store,
                      node.vault.get(),
                      &region_.clock(),
                      &random_,
                      nullptr,
                      nullptr};
  node.driver = std::make_unique<CeremonyDriver>(node.environment, relay_.ClientOf(partner));
  const absl::Status started = node.driver->Start();
  if (node.flaky == nullptr) RAAKVLAK_CHECK(started.ok(), "a node starts from what it stored");
}

void CeremonyWorld::GoToNextCovenant(const std::function<void(v1::Covenant&)>& change) {
  region_.clock().Advance(absl::Minutes(1));
  region_.NextCovenant();
  if (change) change(region_.covenant());
  region_.roster().set_number(region_.roster().number() + 1);
  region_.Write();
}

void CeremonyWorld::GoToNextEpoch() {
  GoToNextCovenant([this](v1::Covenant&) { region_.RaiseEpoch(kPurpose, absl::ZeroDuration()); });
}

policy::Snapshot CeremonyWorld::Snapshot() {
  auto snapshot = region_.authority().Current();
  RAAKVLAK_CHECK(snapshot.ok(), "covenant and roster are in force");
  return *snapshot;
}

rpc::Gate::Pass CeremonyWorld::OperatorPass(const std::string& partner) {
  rpc::Gate::Pass pass;
  pass.caller = *rpc::ParseUrn(TestRegion::Urn("operator", partner));
  pass.snapshot = Snapshot();
  return pass;
}

absl::StatusOr<v1::CeremonyState> CeremonyWorld::Propose(const std::string& partner, const std::string& kind,
                                                         std::vector<std::string> contributors) {
  v1::StartCeremonyRequest request;
  request.set_kind(kind);
  request.set_purpose(kPurpose);
  request.set_identifier_class(kClass);
  for (const std::string& contributor : contributors) request.add_contributors(contributor);
  return node(partner).driver->Propose(OperatorPass(partner), request, [](const policy::Keyset& keyset) {
    std::set<std::string> online;
    for (const policy::Holder& holder : keyset.holders()) online.insert(holder.partner);
    return online;
  });
}

absl::StatusOr<v1::CeremonyState> CeremonyWorld::Approve(const std::string& partner,
                                                         const std::string& ceremony_id) {
  return node(partner).driver->Approve(OperatorPass(partner), ceremony_id);
}

std::string CeremonyWorld::Begin(const std::string& kind, std::vector<std::string> contributors) {
  const auto started = Propose(partners().front(), kind, std::move(contributors));
  EXPECT_TRUE(started.ok()) << started.status();
  if (!started.ok()) return "";
  for (const std::string& partner : partners()) {
    const auto approved = Approve(partner, started->ceremony_id());
    EXPECT_TRUE(approved.ok()) << partner << ": " << approved.status();
  }
  return started->ceremony_id();
}

void CeremonyWorld::Step(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (const std::string& partner : partners()) node(partner).driver->Step();
  }
}

v1::CeremonyState CeremonyWorld::StateAt(const std::string& partner, const std::string& ceremony_id) {
  const auto state = node(partner).driver->Show(ceremony_id);
  return state.ok() ? *state : v1::CeremonyState();
}

std::shared_ptr<const policy::Keyset> CeremonyWorld::KeysetAt(const std::string& partner, uint32_t epoch) {
  return node(partner).keys->Now()->keysets().Newest(kPurpose, kClass, epoch);
}

crypto::group::Scalar CeremonyWorld::KeyInUse(uint32_t epoch) {
  const auto keyset = KeysetAt(partners().front(), epoch);
  std::vector<uint32_t> indices;
  std::vector<crypto::group::Scalar> shares;
  EXPECT_NE(keyset, nullptr);
  if (keyset == nullptr) return crypto::group::Scalar();
  for (const std::string& partner : partners()) {
    const auto theirs = KeysetAt(partner, epoch);
    EXPECT_TRUE(theirs != nullptr && theirs->id() == keyset->id()) << partner;
  }
  for (const policy::Holder& holder : keyset->holders()) {
    const auto keys = node(holder.partner).keys->Now();
    const crypto::group::Scalar* share = keys->FindShare(keyset->id());
    EXPECT_NE(share, nullptr) << holder.partner;
    if (share == nullptr) continue;
    indices.push_back(holder.index);
    shares.push_back(*share);
  }
  crypto::group::Scalar key;
  EXPECT_GE(indices.size(), keyset->quorum());
  for (size_t skip = 0; indices.size() >= keyset->quorum() && skip + keyset->quorum() <= indices.size();
       ++skip) {
    const std::vector<uint32_t> chosen(indices.begin() + static_cast<long>(skip),
                                       indices.begin() + static_cast<long>(skip + keyset->quorum()));
    const auto lagrange = *crypto::threshold::Lagrange(chosen);
    crypto::group::Scalar sum;
    for (size_t i = 0; i < chosen.size(); ++i) sum = sum + lagrange[i] * shares[skip + i];
    EXPECT_TRUE(crypto::group::Element::MulBase(sum) == keyset->public_key());
    key = sum;
  }
  return key;
}

std::string CeremonyWorld::NoteOf(const std::string& partner, const std::string& keyset_id) {
  return base::ReadFile(folder_.File(partner + ".keysets/" + base::Hex(keyset_id) + ".keyset")).value();
}

std::vector<storage::AuditEntry> CeremonyWorld::EntriesAt(const std::string& partner,
                                                          const std::string& action) {
  storage::AuditFilter filter;
  filter.action = action;
  const auto page = node(partner).store->audit_log().ReadAudit(filter, storage::kFirstEntry, 100);
  std::vector<storage::AuditEntry> out;
  if (page.ok()) {
    for (const storage::StoredEntry& stored : page->entries) out.push_back(stored.entry);
  }
  return out;
}

}  // namespace raakvlak::node::testing

#include "tests/simulation/processes.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "crypto/note/note.h"
#include "server/broker/method_table.h"
#include "server/node/method_table.h"
#include "server/storage/log_codec.h"
#include "server/storage/sqlite/broker_store.h"
#include "server/storage/sqlite/node_store.h"
#include "tests/support/forwarding_node_store.h"
#include "tests/support/receipts.h"
#include "tests/support/region.h"

namespace raakvlak::simulation {
namespace {

using raakvlak::testing::TestRegion;

// Of what must not fail: the files are those that the process wrote itself.
template <typename T>
T Must(absl::StatusOr<T> result, const char* what) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  RAAKVLAK_CHECK(result.ok(), what);
  return *std::move(result);
}

uint64_t SeedOf(const World& world, const std::string& urn) {
  uint64_t seed = world.seed;
  for (const char c : urn) seed = seed * 131 + static_cast<unsigned char>(c);
  return seed;
}

storage::LogCodec CodecOf(const std::string& urn, base::Random& random) {
  return storage::LogCodec(urn, base::SecretBytes(base::Sha256(urn + " details")), random);
}

std::unique_ptr<policy::Authority> AuthorityOf(const Home& home, const base::Clock& clock,
                                               policy::HighWater& high_water) {
  return Must(policy::Authority::Create(home.PolicyFiles(), clock, high_water), "it starts on its policy");
}

}  // namespace

// The store, with a point at which the process may stop on either side of each write.
class BrokerProcess::FusedStore final : public storage::BrokerStore {
 public:
  FusedStore(storage::BrokerStore& store, Fuse& fuse) : store_(store), fuse_(fuse) {}
  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::BrokerTransaction&)> body) override {
    fuse_.Point();
    const absl::Status written = store_.Write(name, body);
    fuse_.Point();
    return written;
  }
  absl::Status Read(absl::string_view name,
                    absl::FunctionRef<absl::Status(storage::BrokerReader&)> body) override {
    return store_.Read(name, body);
  }
  storage::AuditLog& audit_log() override { return store_.audit_log(); }
  absl::StatusOr<policy::Newest> Load() override { return store_.Load(); }
  absl::Status Store(const policy::Newest& newest) override { return store_.Store(newest); }

 private:
  storage::BrokerStore& store_;
  Fuse& fuse_;
};

// Signer and witnesses that always sign.
class BrokerProcess::Prover final : public log::Prover {
 public:
  Prover(storage::BrokerStore& store, const base::Clock& clock, std::string urn)
      : store_(store), clock_(clock), urn_(std::move(urn)) {}
  absl::StatusOr<std::string> Prove(const storage::Logged& logged, absl::Time) override {
    std::map<std::string, crypto::note::PrivateKey> keys;
    std::map<std::string, const crypto::note::PrivateKey*> witnesses;
    for (const char* partner : {"politie", "gemeente", "jeugdzorg", "woningcorporatie"}) {
      const std::string witness = TestRegion::Urn("node", partner);
      witnesses[witness] = &keys.emplace(witness, TestRegion::WitnessKeyOf(witness)).first->second;
    }
    const v1::LogEntry entry =
        storage::LogEntryOf(store_.audit_log().Origin(logged.id.year), logged, storage::LeafOf(logged));
    return raakvlak::testing::ProveLogged(entry, TestRegion::LogKeyOf(urn_), witnesses,
                                          static_cast<uint64_t>(absl::ToUnixSeconds(clock_.Now())));
  }
  absl::Status CheckQuorum(absl::Time) override { return absl::OkStatus(); }

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
  const std::string urn_;
};

BrokerProcess::BrokerProcess(World& world, Home at, std::string name)
    : home(std::move(at)), urn(std::move(name)), fuse(urn), world_(world), random_(SeedOf(world, urn)) {}

BrokerProcess::~BrokerProcess() { Drop(); }

void BrokerProcess::Drop() {
  expiry_.reset();
  epoch_end_.reset();
  matcher_.reset();
  matches.reset();
  prover_.reset();
  allowances.reset();
  exchange.reset();
  gate.reset();
  authority.reset();
  store_.reset();
  file.reset();
}

void BrokerProcess::Boot() {
  Drop();
  file = Must(storage::SqliteBrokerStore::Open(home.Path("broker.db"), CodecOf(urn, random_)),
              "the broker's database opens");
  store_ = std::make_unique<FusedStore>(*file, fuse);
  authority = AuthorityOf(home, world_.clock, *file);
  gate = std::make_unique<rpc::Gate>(*authority, broker::MethodTable());
  exchange = std::make_unique<broker::Exchange>(*store_, world_.clock);
  allowances = std::make_unique<broker::Allowances>(*store_, world_.clock);
  prover_ = std::make_unique<Prover>(*file, world_.clock, urn);
  matches = std::make_unique<broker::Matches>(*store_, *prover_, world_.clock);
  // Small batches, so that what takes many transactions does so here too.
  matcher_ = std::make_unique<broker::Matcher>(*store_, world_.clock, random_, urn, 3);
  epoch_end_ = std::make_unique<broker::EpochEnd>(*store_, world_.clock, *matcher_, urn, 3);
  expiry_ = std::make_unique<broker::Expiry>(*store_, world_.clock, urn, 3);
  matched_day_ = 0;
}

void BrokerProcess::Expire(const policy::Snapshot& snapshot) {
  broker::ExpiryTerms terms;
  terms.today = snapshot.covenant->DayAt(world_.clock.Now());
  terms.closed_match_days = snapshot.covenant->text().log_retention_days();
  terms.policy = snapshot.Name();
  const auto run = expiry_->Run(terms);
  RAAKVLAK_CHECK(run.ok(), "expiry runs");
}

void BrokerProcess::Work(bool expire) {
  const policy::Snapshot snapshot = Must(authority->Current(), "covenant and roster are in force");
  const uint32_t today = snapshot.covenant->DayAt(world_.clock.Now());
  if (expire || today != matched_day_) Expire(snapshot);
  const broker::MatchTerms terms = broker::TermsOf(snapshot);
  Must(matcher_->Run(terms), "matching runs");
  matched_day_ = today;
  Must(epoch_end_->Run(broker::ServedEpochs(snapshot, world_.clock.Now()), &terms, snapshot.Name()),
       "epochs end");
}

class NodeProcess::FusedStore final : public raakvlak::testing::ForwardingNodeStore {
 public:
  FusedStore(storage::NodeStore& store, Fuse& fuse) : ForwardingNodeStore(store), fuse_(fuse) {}
  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::NodeTransaction&)> body) override {
    fuse_.Point();
    const absl::Status written = ForwardingNodeStore::Write(name, body);
    fuse_.Point();
    return written;
  }

 private:
  Fuse& fuse_;
};

NodeProcess::NodeProcess(World& world, Home at, std::string name, const crypto::note::PrivateKey& signing_key,
                         BrokerProcess& broker, Nodes& nodes)
    : home(std::move(at)),
      partner(std::move(name)),
      urn(TestRegion::Urn("node", partner)),
      fuse(urn),
      world_(world),
      random_(SeedOf(world, urn)),
      signing_key_(signing_key),
      broker_(broker),
      nodes_(nodes),
      exchange_(world.network, {fuse, broker.urn, true}) {
  exchange_.submit = [this](const v1::SubmitRequest& request) -> absl::StatusOr<v1::SubmitResponse> {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto pass, broker_.gate->Check({urn}, broker::kSubmitMethod));
    return broker_.exchange->Submit(pass, request);
  };
  exchange_.withdraw =
      [this](const v1::WithdrawSignalsRequest& request) -> absl::StatusOr<v1::WithdrawSignalsResponse> {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto pass, broker_.gate->Check({urn}, broker::kWithdrawMethod));
    return broker_.exchange->Withdraw(pass, request);
  };
  exchange_.list_allowances =
      [this](const v1::ListAllowancesRequest& request) -> absl::StatusOr<v1::ListAllowancesResponse> {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto pass, broker_.gate->Check({urn}, broker::kListAllowancesMethod));
    return broker_.allowances->List(pass, request);
  };
}

NodeProcess::~NodeProcess() { Drop(); }

void NodeProcess::Drop() {
  intake.reset();
  destruction.reset();
  rotator.reset();
  sender.reset();
  outbox_.reset();
  pseudonymiser_.reset();
  holders_.reset();
  peers_.reset();
  own_link_.reset();
  own_share_.reset();
  key_share.reset();
  allowances_.reset();
  intake_gate.reset();
  peer_gate.reset();
  exclusion_.reset();
  keys.reset();
  vault_.reset();
  authority.reset();
  store_.reset();
  file.reset();
}

void NodeProcess::Boot() {
  Drop();
  file = Must(storage::SqliteNodeStore::Open(home.Path("node.db"), CodecOf(urn, random_)),
              "the node's database opens");
  store_ = std::make_unique<FusedStore>(*file, fuse);
  authority = AuthorityOf(home, world_.clock, *file);
  const auto vault_key = [&] { return base::SecretBytes(base::Sha256(urn + " vault")); };
  vault_ = std::make_unique<node::Vault>(vault_key(), random_);
  RAAKVLAK_CHECK(vault_->CheckDatabase(*file).ok(), "the database is of this vault key");
  const policy::Snapshot snapshot = Must(authority->Current(), "covenant and roster are in force");
  keys = Must(node::KeyRing::Load({home.Path("keysets"), home.Path("shares")}, partner, vault_key(),
                                  *policy::ChainOf(snapshot), random_),
              "keysets and shares are valid");
  exclusion_ = std::make_unique<node::AddressExclusion>(world_.excluded_path, home.Path("excluded.seen"),
                                                        world_.clock);
  intake_gate = std::make_unique<rpc::Gate>(*authority, node::IntakeTable(partner));
  peer_gate = std::make_unique<rpc::Gate>(*authority, node::PeerTable());
  environment_ = {
      partner,       &signing_key_, authority.get(),       keys.get(),      store_.get(), vault_.get(),
      &world_.clock, &random_,      &world_.linkage_check, exclusion_.get()};
  Connect();
}

void NodeProcess::Connect() {
  allowances_ = std::make_unique<node::Allowances>(environment_, exchange_);
  key_share = std::make_unique<node::KeyShare>(environment_, *allowances_);
  own_share_ = std::make_unique<node::LocalKeyShare>(environment_, *key_share);
  own_link_ = std::make_unique<OwnShareLink>(world_.network, fuse, *own_share_);
  const auto connect = [this](const std::string& other,
                              const std::string&) -> absl::StatusOr<std::unique_ptr<client::KeyShareClient>> {
    auto link = std::make_unique<KeyShareLink>(world_.network, Way{fuse, TestRegion::Urn("node", other)});
    link->evaluate = [this,
                      other](const v1::EvaluateRequest& request) -> absl::StatusOr<v1::EvaluateResponse> {
      NodeProcess& holder = *nodes_.at(other);
      RAAKVLAK_ASSIGN_OR_RETURN(const auto pass, holder.peer_gate->Check({urn}, node::kEvaluateMethod));
      return holder.key_share->Evaluate(pass.snapshot, pass.caller.id, request);
    };
    return link;
  };
  peers_ = std::make_unique<node::Peers>(
      partner, *own_link_, *authority, [](const v1::Partner& other) { return other.id(); }, connect);
  holders_ = std::make_unique<node::Holders>(
      partner, [this] { return peers_->Clients(); }, world_.clock);
  pseudonymiser_ = std::make_unique<node::Pseudonymiser>(environment_, *holders_);
  outbox_ = std::make_unique<node::Outbox>(*store_, world_.clock);
  // Small units, so that what takes many does so here too.
  sender = std::make_unique<node::Sender>(environment_, *outbox_, *pseudonymiser_, exchange_,
                                          node::SenderOptions{.threads = 0, .unit = 3});
  rotator = std::make_unique<node::Rotator>(environment_, *pseudonymiser_, exchange_,
                                            node::RotatorOptions{.unit = 3});
  destruction = std::make_unique<node::Destruction>(environment_);
  intake = std::make_unique<node::Intake>(environment_, *outbox_);
}

}  // namespace raakvlak::simulation

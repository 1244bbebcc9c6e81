#include "tests/unit/server/node/node_world.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/envelope.h"
#include "policy/note_folder.h"
#include "policy/text.h"
#include "tests/support/keyset.h"
#include "tests/support/receipts.h"

namespace raakvlak::node::testing {
namespace {

const char* const kPartners[] = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};

absl::Status Away() {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away");
}

}  // namespace

client::ExchangeClient& FakeBroker::ClientOf(const std::string& partner) {
  auto& client = clients_[partner];
  if (client == nullptr) {
    client = std::make_unique<client::testing::FakeExchangeClient>();
    client->on_submit = [this, partner](const v1::SubmitRequest& request) {
      return Submit(partner, request);
    };
    client->on_withdraw = [this, partner](const v1::WithdrawSignalsRequest& request) {
      return Withdraw(partner, request);
    };
    client->on_prove_entry = [this](const v1::ProveEntryRequest& request) { return ProveEntry(request); };
    client->on_list_allowances = [this](const v1::ListAllowancesRequest&) { return ListAllowances(); };
  }
  return *client;
}

absl::StatusOr<v1::SubmitResponse> FakeBroker::Submit(const std::string& partner,
                                                      const v1::SubmitRequest& request) {
  if (on_submit) on_submit();
  base::MutexLock lock(mutex_);
  if (away) return Away();
  batches.push_back(request.envelopes_size());
  const policy::Snapshot snapshot = *region_.authority().Current();
  v1::SubmitResponse response;
  std::set<std::string> purposes;
  std::vector<std::string> new_hashes;
  std::set<std::string> new_ids;
  for (const v1::Envelope& envelope : request.envelopes()) {
    const policy::CheckedEnvelope checked =
        policy::CheckEnvelope(envelope, partner, snapshot, region_.clock().Now());
    const std::string id = checked.header.signal_id();
    v1::SubmitReceipt& receipt = *response.add_receipts();
    receipt.set_signal_id(id);
    receipt.set_envelope_hash(checked.hash);
    purposes.insert(checked.header.purpose());
    const std::pair version(id, checked.header.epoch());
    hashes[id].insert(checked.hash);
    version_hashes[version].insert(checked.hash);
    const auto known = versions.find(version);
    if (known != versions.end() && known->second.hash == checked.hash) {
      receipt.set_accepted(true);
    } else if (known != versions.end()) {
      receipt.set_reason(base::reason::kEnvelopeConflict);
    } else if (withdrawn.count(id) != 0) {
      receipt.set_reason(base::reason::kSignalEnded);
    } else if (!checked.status.ok()) {
      refusals.push_back(checked.status.ToString());
      receipt.set_reason(base::ReasonOf(checked.status));
    } else if (!refuse_with.empty()) {
      receipt.set_reason(refuse_with);
    } else {
      versions[version] = taken[id] = {envelope, checked.hash, checked.header, checked.body};
      receipt.set_accepted(true);
      new_ids.insert(id);
      new_hashes.push_back(checked.hash);
    }
  }
  RAAKVLAK_CHECK(purposes.size() == 1, "a batch holds one purpose");
  using raakvlak::testing::TestRegion;
  const auto batch = raakvlak::testing::LogSubmit(TestRegion::Urn("broker", "centre") + "/2026",
                                                  TestRegion::Urn("node", partner), *purposes.begin(),
                                                  new_hashes, batches.size());
  for (size_t i = 0; i < new_hashes.size(); ++i) logged_[new_hashes[i]] = batch.Signal(i);
  taken_batches.push_back(std::move(new_ids));
  for (v1::SubmitReceipt& receipt : *response.mutable_receipts()) {
    if (!receipt.accepted()) continue;
    const v1::LoggedSignal& logged = logged_.at(receipt.envelope_hash());
    *response.add_entries() = logged.entry();
    receipt.set_entry(static_cast<uint32_t>(response.entries_size()));
    receipt.set_position(logged.position());
    receipt.set_batch(logged.batch());
    receipt.set_path(logged.path());
  }
  if (change_answer) change_answer(response);
  if (lose_answers) return Away();
  return response;
}

absl::StatusOr<v1::WithdrawSignalsResponse> FakeBroker::Withdraw(const std::string& partner,
                                                                 const v1::WithdrawSignalsRequest& request) {
  base::MutexLock lock(mutex_);
  if (away) return Away();
  const policy::Snapshot snapshot = *region_.authority().Current();
  v1::WithdrawSignalsResponse response;
  for (const v1::SignedWithdrawal& withdrawal : request.withdrawals()) {
    const policy::CheckedWithdrawal checked =
        policy::CheckWithdrawal(withdrawal, partner, snapshot, region_.clock().Now());
    v1::SubmitReceipt& receipt = *response.add_receipts();
    receipt.set_accepted(checked.status.ok());
    receipt.set_reason(checked.status.ok() ? "" : base::ReasonOf(checked.status));
    if (!checked.status.ok()) refusals.push_back(checked.status.ToString());
    if (checked.status.ok()) {
      taken.erase(checked.body.signal_id());
      std::erase_if(versions,
                    [&](const auto& version) { return version.first.first == checked.body.signal_id(); });
      withdrawn.insert(checked.body.signal_id());
    }
  }
  if (lose_answers) return Away();
  return response;
}

absl::StatusOr<v1::ProveEntryResponse> FakeBroker::ProveEntry(const v1::ProveEntryRequest& request) {
  using raakvlak::testing::TestRegion;
  base::MutexLock lock(mutex_);
  if (away) return Away();
  std::map<std::string, crypto::note::PrivateKey> keys;
  std::map<std::string, const crypto::note::PrivateKey*> witnesses;
  for (const char* partner : kPartners) {
    const std::string urn = TestRegion::Urn("node", partner);
    witnesses[urn] = &keys.emplace(urn, TestRegion::WitnessKeyOf(urn)).first->second;
  }
  for (const auto& [hash, logged] : logged_) {
    if (request.year() != 2026 || logged.entry().index() != request.index()) continue;
    v1::ProveEntryResponse response;
    response.set_proof(raakvlak::testing::ProveLogged(
        logged.entry(), TestRegion::LogKeyOf(TestRegion::Urn("broker", "centre")), witnesses));
    if (change_proof) change_proof(*response.mutable_proof());
    return response;
  }
  return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound, "no such entry");
}

absl::StatusOr<v1::ListAllowancesResponse> FakeBroker::ListAllowances() {
  base::MutexLock lock(mutex_);
  ++allowances_asked;
  if (away) return Away();
  return allowances;
}

void FakeBroker::EndEpoch(const std::string& purpose, uint32_t epoch) {
  base::MutexLock lock(mutex_);
  const auto ended = [&](const auto& version) {
    return version.second.header.purpose() == purpose && version.second.header.epoch() == epoch;
  };
  std::erase_if(versions, ended);
  std::erase_if(taken, ended);
}

NodeWorld::NodeWorld(const std::function<void(v1::Covenant&)>& change) {
  if (change) {
    change(region_.covenant());
    region_.Write();
  }
  keysets_ = std::make_unique<policy::KeysetStore>();
  MakeKeys();
  WriteExcluded(1, {"6299ZZ 1"});
  for (const char* partner : kPartners) {
    stores_[partner] = std::make_unique<storage::MemoryNodeStore>();
    Restart(partner, stores_[partner].get());
  }
}

void NodeWorld::WriteExcluded(uint64_t number, const std::set<std::string>& addresses) {
  const std::string urn = region_.covenant().hub().urn();
  crypto::note::Note note{policy::FormatExcludedAddresses({raakvlak::testing::TestRegion::kName, number,
                                                           region_.clock().Now(), addresses}),
                          {}};
  crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, region_.KeyOf(urn).public_key()),
                     region_.KeyOf(urn));
  RAAKVLAK_CHECK(base::WriteFileAtomically(excluded_addresses_path(), crypto::note::Format(note), 0644).ok(),
                 "tests write their files");
}

TestNode& NodeWorld::Restart(const std::string& partner, storage::NodeStore* store) {
  TestNode& node = nodes_[partner];
  if (store == nullptr) store = node.environment.store;
  node.sender.reset();
  node.rotator.reset();
  node.partner = partner;
  // One for all worlds: their covenants are mostly the same.
  static policy::LinkageCheck* const linkage_check = new policy::LinkageCheck;
  node.exclusion =
      std::make_unique<AddressExclusion>(excluded_addresses_path(), seen_path(partner), region_.clock());
  node.vault = std::make_unique<Vault>(base::SecretBytes(base::Sha256(partner)), random_);
  // The covenant that its keysets name may be in force no more.
  if (node.keys == nullptr) node.keys = LoadKeys(partner);
  node.environment = {partner,
                      SigningKeys(region_.KeysOf(raakvlak::testing::TestRegion::Urn("node", partner))),
                      &region_.authority(),
                      node.keys.get(),
                      store,
                      node.vault.get(),
                      &region_.clock(),
                      &random_,
                      linkage_check,
                      node.exclusion.get()};
  node.allowances = std::make_unique<Allowances>(node.environment, broker_.ClientOf(partner));
  node.key_share = std::make_unique<KeyShare>(node.environment, *node.allowances);
  node.own_share = std::make_unique<LocalKeyShare>(node.environment, *node.key_share);
  PeerClients clients;
  const auto not_owned = [](client::KeyShareClient& client) {
    return std::shared_ptr<client::KeyShareClient>(std::shared_ptr<void>(), &client);
  };
  clients[partner] = not_owned(*node.own_share);
  for (const char* other : kPartners) {
    if (other == partner) continue;
    auto& peer = node.peers[other];
    if (peer == nullptr) {
      peer = std::make_unique<client::testing::FakeKeyShareClient>();
      peer->on_evaluate = [this, other = std::string(other), partner](const v1::EvaluateRequest& request) {
        return nodes_.at(other).key_share->Evaluate(Snapshot(), partner, request);
      };
      peer->on_describe = [this, other = std::string(other), partner](const v1::DescribeRequest&) {
        return nodes_.at(other).key_share->Describe(Snapshot(), partner);
      };
    }
    clients[other] = not_owned(*peer);
  }
  node.holders = std::make_unique<Holders>(
      partner, [shared = std::make_shared<const PeerClients>(std::move(clients))] { return shared; },
      region_.clock());
  node.pseudonymiser = std::make_unique<Pseudonymiser>(node.environment, *node.holders);
  node.outbox = std::make_unique<Outbox>(*store, region_.clock());
  node.sender = std::make_unique<Sender>(node.environment, *node.outbox, *node.pseudonymiser,
                                         broker_.ClientOf(partner));
  node.rotator = std::make_unique<Rotator>(node.environment, *node.pseudonymiser, broker_.ClientOf(partner));
  node.destruction = std::make_unique<Destruction>(node.environment);
  node.intake = std::make_unique<Intake>(node.environment, *node.outbox);
  node.receipts = std::make_unique<Receipts>(node.environment, broker_.ClientOf(partner));
  return node;
}

std::unique_ptr<KeyRing> NodeWorld::LoadKeys(const std::string& partner) {
  auto keys = KeyRing::Load({folder_.path(), folder_.File(partner + ".shares")}, partner,
                            base::SecretBytes(base::Sha256(partner)), *policy::ChainOf(Snapshot()), random_);
  RAAKVLAK_CHECK(keys.ok(), "the keysets and shares are valid");
  return *std::move(keys);
}

policy::Snapshot NodeWorld::Snapshot() {
  auto snapshot = region_.authority().Current();
  RAAKVLAK_CHECK(snapshot.ok(), "covenant and roster are in force");
  return *snapshot;
}

rpc::Gate::Pass NodeWorld::ItPass(const std::string& partner) {
  rpc::Gate::Pass pass;
  pass.caller = *rpc::ParseUrn(raakvlak::testing::TestRegion::Urn("it", partner));
  pass.snapshot = Snapshot();
  return pass;
}

std::shared_ptr<const policy::Keyset> NodeWorld::KeysetOf(const std::string& purpose,
                                                          v1::IdentifierClass identifier_class,
                                                          uint32_t epoch) const {
  return keysets_->Newest(purpose, static_cast<uint8_t>(identifier_class), epoch);
}

void NodeWorld::NextCovenant() {
  region_.NextCovenant();
  region_.roster().set_number(region_.roster().number() + 1);
}

void NodeWorld::RaiseEpoch(const std::string& id, absl::Duration overlap, Keys keys,
                           const std::function<void(v1::Purpose&)>& change) {
  NextCovenant();
  region_.RaiseEpoch(id, overlap);
  for (v1::Purpose& purpose : *region_.covenant().mutable_purposes()) {
    if (change && purpose.id() == id) change(purpose);
  }
  region_.Write();
  if (keys == Keys::kAll) MakeKeys();
}

void NodeWorld::RemovePurpose(const std::string& id) {
  NextCovenant();
  v1::Covenant& covenant = region_.covenant();
  const auto remove = [&](auto& list, const auto& name_of) {
    for (int i = list.size() - 1; i >= 0; --i) {
      if (name_of(list[i]) == id) list.DeleteSubrange(i, 1);
    }
  };
  remove(*covenant.mutable_purposes(), [](const v1::Purpose& purpose) { return purpose.id(); });
  remove(*covenant.mutable_hub()->mutable_seal_keys(), [](const v1::SealKey& key) { return key.purpose(); });
  for (v1::Member& member : *region_.roster().mutable_members()) {
    remove(*member.mutable_purposes(), [](const std::string& purpose) { return purpose; });
  }
  region_.Write();
}

void NodeWorld::AnnouncePurpose(const std::string& id, absl::Duration wait) {
  NextCovenant();
  v1::Covenant& covenant = region_.covenant();
  covenant.set_valid_from(policy::FormatUtc(clock().Now() + wait));
  *covenant.add_purposes() = v1::Purpose(covenant.purposes(0));
  v1::Purpose& purpose = *covenant.mutable_purposes(covenant.purposes_size() - 1);
  purpose.set_id(id);
  *covenant.mutable_hub()->add_seal_keys() = v1::SealKey(covenant.hub().seal_keys(0));
  v1::SealKey& seal_key = *covenant.mutable_hub()->mutable_seal_keys(covenant.hub().seal_keys_size() - 1);
  const std::string key = random_.Bytes(32);
  seal_key.set_purpose(id);
  seal_key.set_epoch(purpose.epoch());
  seal_key.set_id(base::Hex(base::Sha256(key)).substr(0, 16));
  seal_key.set_public_key(base::Base64(key));
  RAAKVLAK_CHECK(policy::AddNote(region_.policy_folder(), crypto::note::Format(region_.CovenantNote())).ok(),
                 "the folder takes notes");
}

void NodeWorld::MakeKeys(const std::set<int>& only, std::shared_ptr<const policy::Covenant> covenant) {
  if (covenant == nullptr) covenant = Snapshot().covenant;
  for (const v1::Purpose& purpose : covenant->text().purposes()) {
    std::set<int> classes;
    for (const v1::LinkageRule& rule : purpose.rules()) classes.insert(rule.identifier_class());
    for (const int identifier_class : classes) {
      const auto known =
          KeysetOf(purpose.id(), static_cast<v1::IdentifierClass>(identifier_class), purpose.epoch());
      if (known == nullptr && (only.empty() || only.count(identifier_class) != 0)) {
        MakeKeyset(*covenant, purpose, identifier_class);
      }
    }
  }
}

void NodeWorld::MakeKeyset(const policy::Covenant& covenant, const v1::Purpose& purpose,
                           int identifier_class) {
  const crypto::group::Scalar key = crypto::group::Scalar::Random(random_);
  const raakvlak::testing::MadeKeyset made = raakvlak::testing::MakeKeyset(
      region_, covenant, *policy::ChainOf(Snapshot()), purpose, identifier_class, key, random_);
  const std::string& id = made.keyset->id();
  keys_.emplace(id, key);
  for (const auto& [partner, share] : made.shares) {
    shares_[partner].emplace(id, share);
    const auto node = nodes_.find(partner);
    if (node != nodes_.end()) {
      RAAKVLAK_CHECK(node->second.keys->Install(made.note, made.keyset, &share).ok(), "the share fits");
      continue;
    }
    const std::string folder = folder_.File(partner + ".shares");
    std::filesystem::create_directories(folder);
    RAAKVLAK_CHECK(policy::WriteShare(folder, *made.keyset, partner, share,
                                      base::SecretBytes(base::Sha256(partner)), random_)
                       .ok(),
                   "the share fits");
  }
  RAAKVLAK_CHECK(
      base::WriteFileAtomically(folder_.File(absl::StrCat(base::Hex(id), ".keyset")), made.note, 0644).ok(),
      "the temporary folder takes files");
  keysets_ = std::make_unique<policy::KeysetStore>(*keysets_->With(made.keyset));
}

v1::Record NodeWorld::RecordOf(const std::string& client_ref, const std::string& purpose, bool with_bsn) {
  v1::Record record;
  record.set_client_ref(client_ref);
  record.set_purpose(purpose);
  record.set_kind("signal");
  record.set_category("overlast");
  if (with_bsn) record.set_bsn("999993847");
  record.set_surname("Vermeulen-Okafor");
  record.set_given_names("Isabella Maria");
  record.set_birth_date("2014-03-05");
  record.set_postcode("6211 XZ");
  record.set_house_number("17");
  record.set_contact("wijkteam, 043-5550199");
  record.set_note("Zorgen van de buren over het gezin.");
  return record;
}

v1::PushReceipt NodeWorld::Push(const std::string& partner, const v1::Record& record) {
  v1::PushRequest request;
  *request.add_records() = record;
  const auto response = node(partner).intake->Push(ItPass(partner), request);
  RAAKVLAK_CHECK(response.ok() && response->receipts_size() == 1, "the batch is answered");
  return response->receipts(0);
}

v1::SignalStatus NodeWorld::StateOf(const std::string& partner, const std::string& client_ref) {
  v1::GetStateRequest request;
  request.set_client_ref(client_ref);
  const auto response = node(partner).intake->GetState(ItPass(partner), request);
  return response.ok() ? response->status() : v1::SignalStatus();
}

void NodeWorld::Rotate(const std::string& partner) {
  while (node(partner).rotator->Step()) {
  }
}

Rotator& NodeWorld::MakeRotator(const std::string& partner, size_t unit) {
  RotatorOptions options;
  options.unit = unit;
  node(partner).rotator = std::make_unique<Rotator>(node(partner).environment, *node(partner).pseudonymiser,
                                                    broker_.ClientOf(partner), options);
  return *node(partner).rotator;
}

void NodeWorld::Drain(const std::string& partner) {
  while (node(partner).sender->Step()) {
  }
}

absl::Status FlakyStore::Write(absl::string_view name,
                               absl::FunctionRef<absl::Status(storage::NodeTransaction&)> body) {
  const absl::Status lost =
      base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "the machine stopped");
  if (failed_) return lost;
  if (++writes_ != fail_at_) return ForwardingNodeStore::Write(name, body);
  failed_ = true;
  if (when_ == When::kAfter) ForwardingNodeStore::Write(name, body).IgnoreError();
  return lost;
}

}  // namespace raakvlak::node::testing

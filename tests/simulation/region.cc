#include "tests/simulation/region.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "crypto/note/note.h"
#include "crypto/note/signed_message.h"
#include "policy/epochs.h"
#include "policy/note_folder.h"
#include "policy/succession.h"
#include "policy/text.h"
#include "server/broker/method_table.h"
#include "server/node/method_table.h"

namespace raakvlak::simulation {
namespace {

namespace fs = std::filesystem;
using testing::TestRegion;

constexpr absl::Duration kDay = absl::Hours(24);
// At most.
constexpr uint32_t kOverlapDays = 7;
constexpr char kHub[] = "hub";
const char* const kDatabaseParts[] = {"", "-wal", "-shm"};

void Require(const absl::Status& status, const char* what) {
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  RAAKVLAK_CHECK(status.ok(), what);
}

template <typename List, typename Is>
bool Remove(List& list, const Is& is) {
  bool removed = false;
  for (int i = list.size() - 1; i >= 0; --i) {
    if (!is(list[i])) continue;
    list.DeleteSubrange(i, 1);
    removed = true;
  }
  return removed;
}

}  // namespace

Region::Region(uint64_t seed, Dice& dice)
    : random_(seed),
      network_(dice),
      world_{region_.clock(), seed, network_, linkage_check_, folder_.File("excluded.note")} {
  v1::Covenant& covenant = region_.covenant();
  for (int i = 0; i < covenant.purposes_size(); ++i) {
    covenant.mutable_purposes(i)->set_retention_days(kRetentionDays[i]);
  }
  v1::LinkageRule& address = *covenant.mutable_purposes(0)->add_rules();
  address = covenant.purposes(2).rules(0);
  address.set_quality(v1::SUPPORTING);
  covenant.mutable_purposes(2)->set_disclosure_threshold(3);
  covenant.set_log_retention_days(kLogDays);
  covenant.set_overlap_days(kOverlapDays);
  first_covenant_ = covenant;
  PutSealKeys();
  Publish();
  refreshed_ = clock().Now();
  WriteExcluded();
  for (const char* partner : kPartners) MakeHome(partner);
  MakeHome(kBroker);
  MakeHome(kHub);
  broker_ = std::make_unique<BrokerProcess>(world_, HomeOf(kBroker), covenant.broker().urn());
  for (const char* partner : kPartners) {
    nodes_[partner] = std::make_unique<NodeProcess>(
        world_, HomeOf(partner), partner, region_.KeyOf(TestRegion::Urn("node", partner)), *broker_, nodes_);
  }
  auto authority = policy::Authority::Create(HomeOf(kHub).PolicyFiles(), clock(), hub_high_water_);
  Require(authority.status(), "the hub starts on its policy");
  hub_authority_ = *std::move(authority);
  Restart(kBroker);
  for (const char* partner : kPartners) Restart(partner);
  MakeKeys();
  DeliverAll();
}

// Clients go before what they point to.
Region::~Region() {
  for (auto& [partner, node] : nodes_) node->Drop();
}

uint32_t Region::Today() { return covenants_.back()->DayAt(clock().Now()); }

void Region::MakeHome(const std::string& process) {
  fs::create_directories(HomeOf(process).folder);
  Require(base::WriteFileAtomically(HomeOf(process).Path("covenant.note"), notes_.at(0), 0644), "it writes");
  Require(base::WriteFileAtomically(HomeOf(process).Path("roster.note"), notes_.at(1), 0644), "it writes");
  delivered_[process] = 2;
}

const v1::Purpose* Region::FindPurpose(const std::string& id) const {
  return covenants_.back()->FindPurpose(id);
}

// Each epoch that is served has its own, with a secret half.
void Region::PutSealKeys() {
  v1::Covenant& covenant = region_.covenant();
  const absl::Time from = *policy::ParseUtc(covenant.valid_from());
  covenant.mutable_hub()->clear_seal_keys();
  for (const v1::Purpose& purpose : covenant.purposes()) {
    for (const uint32_t epoch : policy::EpochsServed(purpose, from)) {
      auto& pair = seal_keys_[{purpose.id(), epoch}];
      if (pair.public_key.empty()) pair = crypto::seal::GenerateSealKeyPair(random_);
      v1::SealKey& key = *covenant.mutable_hub()->add_seal_keys();
      key.set_purpose(purpose.id());
      key.set_epoch(epoch);
      key.set_id(crypto::seal::SealKeyId(pair.public_key));
      key.set_public_key(base::Base64(pair.public_key));
    }
  }
}

void Region::Publish() {
  v1::Roster& roster = region_.roster();
  roster.set_number(roster.number() + 1);
  roster.set_issued(policy::FormatUtc(clock().Now() - absl::Hours(1)));
  roster.set_expires(policy::FormatUtc(clock().Now() + 29 * kDay));
  v1::Member& anna = *roster.mutable_members(0);
  anna.clear_purposes();
  for (const v1::Purpose& purpose : region_.covenant().purposes()) anna.add_purposes(purpose.id());
  Remove(*roster.mutable_suspended_partners(), [&](const std::string& id) {
    const auto& partners = region_.covenant().partners();
    return std::none_of(partners.begin(), partners.end(), [&](const auto& p) { return p.id() == id; });
  });
  region_.Write();
  const auto covenant = region_.SignedCovenant();
  if (covenants_.empty() || covenants_.back()->id() != covenant->id()) {
    if (!covenants_.empty()) {
      Require(policy::CheckSuccessor(*policy::CovenantChain::Create(covenants_), *covenant),
              "the covenant follows the one before");
    }
    covenants_.push_back(covenant);
    notes_.push_back(*base::ReadFile(region_.covenant_path(), crypto::note::kMaxNoteSize));
  }
  notes_.push_back(*base::ReadFile(region_.roster_path(), crypto::note::kMaxNoteSize));
}

bool Region::HasQuorumWithout(const std::string& partner) {
  std::set<std::string> in_force;
  for (const v1::Partner& one : region_.covenant().partners()) in_force.insert(one.id());
  for (const std::string& one : region_.roster().suspended_partners()) in_force.erase(one);
  in_force.erase(partner);
  const uint32_t quorum = region_.covenant().quorum();
  const auto has_quorum = [&](const auto& made) {
    size_t holders = 0;
    for (const policy::Holder& holder : made.second.keyset->holders())
      holders += in_force.count(holder.partner);
    return holders >= quorum;
  };
  return in_force.size() >= quorum && std::all_of(keysets_.begin(), keysets_.end(), [&](const auto& made) {
           const std::vector<uint32_t> served = EpochsServed(std::get<0>(made.first));
           return std::find(served.begin(), served.end(), std::get<2>(made.first)) == served.end() ||
                  has_quorum(made);
         });
}

bool Region::Suspend(const std::string& partner, bool suspended) {
  auto& list = *region_.roster().mutable_suspended_partners();
  const bool is_out = std::find(list.begin(), list.end(), partner) != list.end();
  if (covenants_.back()->FindPartner(partner) == nullptr || is_out == suspended) return false;
  if (suspended && !HasQuorumWithout(partner)) return false;
  if (suspended) {
    *list.Add() = partner;
  } else {
    Remove(list, [&](const std::string& id) { return id == partner; });
  }
  Publish();
  return true;
}

bool Region::RaiseEpoch(const std::string& purpose, uint32_t overlap_days) {
  if (FindPurpose(purpose) == nullptr) return false;
  region_.NextCovenant();
  region_.RaiseEpoch(purpose, overlap_days * kDay);
  PutSealKeys();
  Publish();
  return true;
}

bool Region::RemovePartner(const std::string& partner, uint32_t overlap_days) {
  v1::Covenant& covenant = region_.covenant();
  if (covenants_.back()->FindPartner(partner) == nullptr || !HasQuorumWithout(partner)) return false;
  region_.NextCovenant();
  const auto is_it = [&](const std::string& id) { return id == partner; };
  Remove(*covenant.mutable_partners(), [&](const v1::Partner& other) { return is_it(other.id()); });
  for (v1::Purpose& purpose : *covenant.mutable_purposes()) {
    Remove(*purpose.mutable_submitters(), is_it);
    Remove(*purpose.mutable_case_reporters(), is_it);
    region_.RaiseEpoch(purpose.id(), overlap_days * kDay);
  }
  PutSealKeys();
  Publish();
  return true;
}

bool Region::JoinPartner(const std::string& partner) {
  if (covenants_.back()->FindPartner(partner) != nullptr) return false;
  region_.NextCovenant();
  v1::Covenant& covenant = region_.covenant();
  for (const v1::Partner& first : first_covenant_.partners()) {
    if (first.id() == partner) *covenant.add_partners() = first;
  }
  for (v1::Purpose& purpose : *covenant.mutable_purposes()) {
    for (const v1::Purpose& first : first_covenant_.purposes()) {
      if (first.id() != purpose.id()) continue;
      *purpose.add_submitters() = partner;
      for (const std::string& reporter : first.case_reporters()) {
        if (reporter == partner) *purpose.add_case_reporters() = partner;
      }
    }
  }
  PutSealKeys();
  Publish();
  return true;
}

bool Region::RemovePurpose(const std::string& id) {
  v1::Covenant& covenant = region_.covenant();
  if (covenant.purposes_size() < 2 || FindPurpose(id) == nullptr) return false;
  region_.NextCovenant();
  Remove(*covenant.mutable_purposes(), [&](const v1::Purpose& purpose) { return purpose.id() == id; });
  PutSealKeys();
  Publish();
  return true;
}

bool Region::AddPurpose(const std::string& id) {
  if (FindPurpose(id) != nullptr) return false;
  region_.NextCovenant();
  v1::Covenant& covenant = region_.covenant();
  v1::Purpose& purpose = *covenant.add_purposes();
  uint32_t used = 0;
  for (const auto& earlier : covenants_) {
    const v1::Purpose* was = earlier->FindPurpose(id);
    if (was != nullptr) used = std::max(used, was->epoch());
  }
  for (const v1::Purpose& first : first_covenant_.purposes()) {
    if (first.id() == id) purpose = first;
  }
  purpose.set_epoch(used + 1);
  const auto is_gone = [&](const std::string& partner) {
    return covenants_.back()->FindPartner(partner) == nullptr;
  };
  Remove(*purpose.mutable_submitters(), is_gone);
  Remove(*purpose.mutable_case_reporters(), is_gone);
  PutSealKeys();
  Publish();
  return true;
}

void Region::Refresh() {
  if (clock().Now() - refreshed_ < 7 * kDay) return;
  refreshed_ = clock().Now();
  Publish();
  WriteExcluded();
  DeliverAll();
}

void Region::WriteExcluded() {
  const std::string urn = region_.covenant().hub().urn();
  crypto::note::Note note{
      policy::FormatExcludedAddresses({TestRegion::kName, ++excluded_number_, clock().Now(), {"6299ZZ 1"}}),
      {}};
  crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, region_.KeyOf(urn).public_key()),
                     region_.KeyOf(urn));
  Require(base::WriteFileAtomically(world_.excluded_path, crypto::note::Format(note), 0644), "it writes");
}

void Region::MakeKeys() {
  for (const v1::Purpose& purpose : covenants_.back()->text().purposes()) {
    for (const v1::LinkageRule& rule : purpose.rules()) {
      if (keysets_.contains({purpose.id(), rule.identifier_class(), purpose.epoch()})) continue;
      keysets_.emplace(std::tuple(purpose.id(), rule.identifier_class(), purpose.epoch()),
                       testing::MakeKeyset(
                           region_, *covenants_.back(), *policy::CovenantChain::Create(covenants_), purpose,
                           rule.identifier_class(), crypto::group::Scalar::Random(random_), random_));
    }
  }
}

std::vector<uint32_t> Region::EpochsServed(const std::string& id) const {
  const v1::Purpose* purpose = FindPurpose(id);
  if (purpose == nullptr) return {};
  return policy::EpochsServed(*purpose, world_.clock.Now());
}

uint32_t Region::SealingEpoch(const std::string& id) const {
  const v1::Purpose* purpose = FindPurpose(id);
  for (const uint32_t epoch : EpochsServed(id)) {
    const auto has_key = [&](const v1::LinkageRule& rule) {
      return keysets_.contains({id, rule.identifier_class(), epoch});
    };
    if (std::all_of(purpose->rules().begin(), purpose->rules().end(), has_key)) return epoch;
  }
  return 0;
}

void Region::Deliver(const std::string& process) {
  size_t& delivered = delivered_.at(process);
  for (; delivered < notes_.size(); ++delivered) {
    Require(policy::AddNote(HomeOf(process).Path("policy"), notes_[delivered]), "the folder takes notes");
  }
  const auto found = nodes_.find(process);
  if (found == nodes_.end() || !network_.IsUp(found->second->urn)) return;
  NodeProcess& node = *found->second;
  const auto snapshot = node.authority->Current();
  Require(snapshot.status(), "covenant and roster are in force");
  for (const auto& [key, made] : keysets_) {
    const policy::KeysetText& text = made.keyset->text();
    const v1::Purpose* purpose = snapshot->covenant->FindPurpose(text.purpose);
    if (snapshot->FindCovenant(text.covenant_id) == nullptr || purpose == nullptr ||
        !policy::IsEpochServed(*purpose, text.epoch, clock().Now()) ||
        node.keys->Now()->keysets().Find(made.keyset->id()) != nullptr) {
      continue;
    }
    const auto share = made.shares.find(process);
    Require(node.keys->Install(made.note, made.keyset, share == made.shares.end() ? nullptr : &share->second),
            "the share fits");
  }
}

void Region::DeliverAll() {
  for (const auto& [process, delivered] : delivered_) Deliver(process);
}

Fuse& Region::FuseOf(const std::string& process) {
  return process == kBroker ? broker_->fuse : nodes_.at(process)->fuse;
}

bool Region::Run(const std::string& process, const std::function<void()>& work) {
  return network_.Run(FuseOf(process).process(), work);
}

void Region::Restart(const std::string& process) {
  FuseOf(process).Arm(0);
  if (process == kBroker) {
    broker_->Boot();
  } else {
    nodes_.at(process)->Boot();
  }
  network_.SetUp(FuseOf(process).process(), true);
}

std::string Region::DatabaseOf(const std::string& process) const {
  return HomeOf(process).Path(process == kBroker ? "broker.db" : "node.db");
}

void Region::Drop(const std::string& process) {
  if (process == kBroker) {
    broker_->Drop();
  } else {
    nodes_.at(process)->Drop();
  }
}

void Region::Backup(const std::string& process) {
  Drop(process);
  for (const char* part : kDatabaseParts) {
    const std::string file = DatabaseOf(process) + part;
    fs::remove(file + ".copy");
    if (fs::exists(file)) fs::copy_file(file, file + ".copy");
  }
  Restart(process);
}

bool Region::Restore(const std::string& process) {
  if (!fs::exists(DatabaseOf(process) + ".copy")) return false;
  Drop(process);
  for (const char* part : kDatabaseParts) {
    const std::string file = DatabaseOf(process) + part;
    fs::remove(file);
    if (fs::exists(file + ".copy")) fs::copy_file(file + ".copy", file);
  }
  Restart(process);
  return true;
}

void Region::DropCopies() {
  for (const auto& [process, delivered] : delivered_) {
    for (const char* part : kDatabaseParts) fs::remove(DatabaseOf(process) + part + ".copy");
  }
}

absl::StatusOr<rpc::Gate::Pass> Region::ItPass(const std::string& partner, const char* method) {
  return nodes_.at(partner)->intake_gate->Check({TestRegion::Urn("it", partner)}, method);
}

absl::StatusOr<policy::Snapshot> Region::HubSnapshot() { return hub_authority_->Current(); }

v1::Order Region::SignOrder(v1::OrderBody body, const policy::Snapshot& snapshot) {
  body.set_version(1);
  body.set_order_id(random_.Bytes(16));
  body.set_covenant_id(snapshot.covenant->id());
  body.set_staff(TestRegion::Urn("staff", "anna"));
  body.set_legal_basis(snapshot.covenant->FindPurpose(body.purpose())->legal_basis());
  body.set_time_ms(absl::ToUnixMillis(clock().Now()));
  v1::Order order;
  order.set_body(body.SerializeAsString());
  order.set_signature(
      crypto::note::SignMessage(region_.KeyOf(body.staff()), crypto::note::kOrderKind, order.body()));
  return order;
}

absl::StatusOr<std::vector<v1::MatchSummary>> Region::ListMatches(const std::string& purpose) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, HubSnapshot());
  v1::OrderBody body;
  body.set_action(v1::LIST_MATCHES);
  body.set_purpose(purpose);
  v1::ListMatchesRequest request;
  request.set_page_size(500);
  *request.mutable_order() = SignOrder(body, snapshot);
  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto pass, broker_->gate->Check({region_.covenant().hub().urn()}, broker::kListMatchesMethod));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ListMatchesResponse response, broker_->matches->List(pass, request));
  return std::vector<v1::MatchSummary>(response.matches().begin(), response.matches().end());
}

absl::StatusOr<hub::Opener::Opened> Region::OpenMatch(const v1::MatchSummary& match) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, HubSnapshot());
  v1::OrderBody body;
  body.set_action(v1::OPEN_MATCH);
  body.set_purpose(match.purpose());
  body.set_case_reference("ZVH-2027-001");
  body.set_reason("weekly consultation");
  body.set_match_id(match.match_id());
  body.set_contents_digest(match.contents_digest());
  v1::OpenMatchRequest request;
  *request.mutable_order() = SignOrder(body, snapshot);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto pass,
                            broker_->gate->Check({region_.covenant().hub().urn()}, broker::kOpenMatchMethod));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::OpenMatchResponse response, broker_->matches->Open(pass, request));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::VerifiedOrder order,
                            policy::VerifyOrder(request.order(), snapshot, clock().Now(), v1::OPEN_MATCH));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const hub::OpeningProof proof,
      hub::OpeningProof::Verify(order, response.logged(), response.proof(), snapshot, clock().Now()));
  auto keys = std::make_shared<hub::OpenerKeys>();
  for (const auto& [place, pair] : seal_keys_) {
    const v1::Purpose* purpose = FindPurpose(place.first);
    if (purpose == nullptr || !policy::IsEpochServed(*purpose, place.second, clock().Now())) continue;
    keys->seal_keys.emplace(crypto::seal::SealKeyId(pair.public_key),
                            std::make_shared<const crypto::seal::SealKeyPair>(
                                *crypto::seal::SealKeyPairFromSecret(pair.secret_key.Copy())));
  }
  for (const auto& [key, made] : keysets_) {
    RAAKVLAK_ASSIGN_OR_RETURN(keys->keysets, keys->keysets.With(made.keyset));
  }
  const std::vector<v1::Envelope> envelopes(response.envelopes().begin(), response.envelopes().end());
  return hub::Opener([keys] { return keys; }).Open(proof, envelopes, snapshot, clock().Now());
}

}  // namespace raakvlak::simulation

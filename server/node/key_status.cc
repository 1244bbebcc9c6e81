#include "server/node/key_status.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/status.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::node {
namespace {

// A key that a covenant wants.
struct Wanted {
  const policy::Covenant* covenant;
  const v1::Purpose* purpose;
  v1::IdentifierClass identifier_class;
  uint32_t epoch;
  bool is_next;
};

void AddWanted(const policy::Covenant& covenant, const v1::Purpose& purpose, uint32_t epoch, bool is_next,
               std::vector<Wanted>& out) {
  std::set<v1::IdentifierClass> classes;
  for (const v1::LinkageRule& rule : purpose.rules()) classes.insert(rule.identifier_class());
  for (const v1::IdentifierClass one : classes) out.push_back({&covenant, &purpose, one, epoch, is_next});
}

// `next` may be nullptr.
std::vector<Wanted> WantedBy(const policy::Snapshot& snapshot, const policy::Covenant* next, absl::Time now) {
  std::vector<Wanted> out;
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    for (const uint32_t epoch : policy::EpochsServed(purpose, now))
      AddWanted(*snapshot.covenant, purpose, epoch, false, out);
  }
  if (next == nullptr) return out;
  for (const v1::Purpose& purpose : next->text().purposes()) {
    const bool is_there = std::any_of(out.begin(), out.end(), [&](const Wanted& wanted) {
      return wanted.purpose->id() == purpose.id() && wanted.epoch == purpose.epoch();
    });
    if (!is_there) AddWanted(*next, purpose, purpose.epoch(), true, out);
  }
  return out;
}

const char* StateOf(const Wanted& wanted, bool is_there) {
  if (!is_there) return "missing";
  if (wanted.is_next) return "next";
  return wanted.epoch == wanted.purpose->epoch() ? "in_use" : "previous";
}

bool WantsReshare(const Wanted& wanted, const policy::Keyset& keyset) {
  const auto key_holders = policy::KeyHolders(wanted.covenant->text());
  return keyset.quorum() != wanted.covenant->text().quorum() ||
         keyset.text().holders !=
             std::vector<std::pair<uint32_t, std::string>>(key_holders.begin(), key_holders.end());
}

}  // namespace

absl::StatusOr<v1::GetKeyStatusResponse> KeyStatus::Get(const policy::Snapshot& snapshot) {
  const absl::Time now = environment_.clock->Now();
  const auto next = policy::ChainOf(snapshot)->After(*snapshot.covenant);
  v1::GetKeyStatusResponse out;
  out.set_partner(environment_.partner);
  out.set_policy(snapshot.Name());
  if (next != nullptr) {
    out.set_next_covenant(next->text().version());
    out.set_next_valid_from(next->text().valid_from());
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::SeenKeyset> seen, environment_.store->SeenKeysets());
  const std::shared_ptr<const Keys> keys = environment_.keys->Now();
  const std::vector<Wanted> all_wanted = WantedBy(snapshot, next.get(), now);
  std::vector<std::shared_ptr<const policy::Keyset>> keysets;
  for (const Wanted& wanted : all_wanted) {
    keysets.push_back(keys->keysets().Newest(wanted.purpose->id(),
                                             static_cast<uint8_t>(wanted.identifier_class), wanted.epoch));
  }
  const Answers answers = Ask(keysets);
  for (size_t i = 0; i < all_wanted.size(); ++i) {
    const Wanted& wanted = all_wanted[i];
    const policy::Keyset* keyset = keysets[i].get();
    v1::KeyStatus& key = *out.add_keys();
    key.set_purpose(wanted.purpose->id());
    key.set_identifier_class(wanted.identifier_class);
    key.set_epoch(wanted.epoch);
    key.set_next_covenant(wanted.is_next);
    key.set_state(StateOf(wanted, keyset != nullptr));
    if (!wanted.is_next && wanted.epoch == wanted.purpose->epoch()) {
      key.set_epoch_due(policy::FormatUtc(policy::EpochDue(snapshot, *wanted.purpose)));
      key.set_epoch_over(policy::IsEpochOver(snapshot, *wanted.purpose, now));
    }
    if (keyset == nullptr) continue;
    key.set_keyset_id(keyset->id());
    key.set_generation(keyset->text().generation);
    key.set_quorum(keyset->quorum());
    key.set_own_share(keys->FindShare(keyset->id()) != nullptr);
    key.set_reshare_wanted(WantsReshare(wanted, *keyset));
    for (const storage::SeenKeyset& one : seen) {
      if (one.keyset_id != keyset->id()) continue;
      key.set_made_ms(one.made_ms);
      key.set_refreshed_ms(one.time_ms);
    }
    for (const policy::Holder& holder : keyset->holders()) {
      v1::KeyHolderStatus& status = *key.add_holders();
      status.set_index(holder.index);
      status.set_partner(holder.partner);
      const v1::ServedKeyset* served = Served(answers, holder.partner, keyset->id());
      status.set_online(served != nullptr);
      if (served == nullptr) continue;
      status.set_evaluations_left(served->evaluations_left());
      if (holder.partner == environment_.partner) key.set_evaluations_left(served->evaluations_left());
    }
  }
  if (rotations_) {
    for (v1::RotationStatus& rotation : rotations_(snapshot)) *out.add_rotations() = std::move(rotation);
  }
  return out;
}

std::set<std::string> KeyStatus::Online(const policy::Keyset& keyset) {
  const auto own = environment_.keys->Now()->keysets().Find(keyset.id());
  std::set<std::string> online;
  if (own == nullptr) return online;
  const Answers answers = Ask({own});
  for (const auto& [partner, answer] : answers) {
    if (Served(answers, partner, keyset.id()) != nullptr) online.insert(partner);
  }
  return online;
}

KeyStatus::Answers KeyStatus::Ask(const std::vector<std::shared_ptr<const policy::Keyset>>& keysets) {
  const std::shared_ptr<const PeerClients> all = clients_();
  PeerClients clients;
  for (const auto& keyset : keysets) {
    if (keyset == nullptr) continue;
    for (const policy::Holder& holder : keyset->holders()) {
      const auto client = all->find(holder.partner);
      if (client != all->end()) clients.insert(*client);
    }
  }
  std::vector<std::pair<std::string, absl::StatusOr<v1::DescribeResponse>>> asked;
  for (const auto& [partner, client] : clients) asked.emplace_back(partner, absl::UnknownError("not asked"));
  std::vector<std::thread> threads;
  for (auto& [partner, answer] : asked) {
    threads.emplace_back(
        [this, client = clients.at(partner), &answer = answer] { answer = client->Describe({}, timeout_); });
  }
  for (std::thread& thread : threads) thread.join();
  Answers out;
  for (auto& [partner, answer] : asked) {
    if (answer.ok()) out.emplace(partner, *std::move(answer));
  }
  return out;
}

const v1::ServedKeyset* KeyStatus::Served(const Answers& answers, const std::string& partner,
                                          const std::string& keyset_id) {
  const auto found = answers.find(partner);
  if (found == answers.end()) return nullptr;
  for (const v1::ServedKeyset& keyset : found->second.keysets()) {
    if (keyset.keyset_id() == keyset_id) return &keyset;
  }
  return nullptr;
}

}  // namespace raakvlak::node

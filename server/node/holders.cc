#include "server/node/holders.h"

#include <algorithm>

namespace raakvlak::node {

std::vector<Holders::Candidate> Holders::CandidatesFor(const policy::Keyset& keyset) {
  const std::shared_ptr<const PeerClients> clients = clients_();
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  const bool lacks_answers = DoLacksAnswers(keyset, *clients);
  const auto lasts = [now](absl::Time until, absl::Duration longest) {
    // Further ahead than it was ever set: the clock was set back meanwhile.
    return now < until && until - now <= longest;
  };
  std::vector<Candidate> out;
  std::vector<Candidate> own;
  std::vector<Candidate> good;
  std::vector<Candidate> away;
  for (const policy::Holder& holder : keyset.holders()) {
    const auto client = clients->find(holder.partner);
    const auto distrusted = distrusted_until_.find(holder.partner);
    if (client == clients->end() ||
        (distrusted != distrusted_until_.end() && lasts(distrusted->second, kDistrust))) {
      continue;
    }
    const auto was_away = away_until_.find({keyset.id(), holder.partner});
    if (was_away != away_until_.end() && lacks_answers) {
      out.push_back({&holder, client->second, true});
    } else if (was_away != away_until_.end() && lasts(was_away->second, kAway)) {
      away.push_back({&holder, client->second});
    } else {
      (holder.partner == own_ ? own : good).push_back({&holder, client->second});
    }
  }
  if (!good.empty()) {
    std::rotate(good.begin(), good.begin() + static_cast<long>(turn_++ % good.size()), good.end());
  }
  for (const std::vector<Candidate>* kind : {&own, &good, &away}) {
    out.insert(out.end(), kind->begin(), kind->end());
  }
  return out;
}

bool Holders::LacksAnswers(const policy::Keyset& keyset) const {
  const std::shared_ptr<const PeerClients> clients = clients_();
  base::MutexLock lock(mutex_);
  return DoLacksAnswers(keyset, *clients);
}

bool Holders::DoLacksAnswers(const policy::Keyset& keyset, const PeerClients& clients) const {
  size_t answering = 0;
  for (const policy::Holder& holder : keyset.holders()) {
    if (clients.count(holder.partner) != 0 && away_until_.count({keyset.id(), holder.partner}) == 0) {
      ++answering;
    }
  }
  return answering < keyset.quorum();
}

void Holders::Lied(const policy::Keyset& keyset, const std::string& partner) {
  base::MutexLock lock(mutex_);
  distrusted_until_[partner] = clock_.Now() + kDistrust;
  away_until_[{keyset.id(), partner}] = clock_.Now() + kAway;
}

void Holders::WasAway(const policy::Keyset& keyset, const std::string& partner) {
  base::MutexLock lock(mutex_);
  away_until_[{keyset.id(), partner}] = clock_.Now() + kAway;
}

void Holders::Answered(const policy::Keyset& keyset, const std::string& partner) {
  base::MutexLock lock(mutex_);
  away_until_.erase({keyset.id(), partner});
}

}  // namespace raakvlak::node

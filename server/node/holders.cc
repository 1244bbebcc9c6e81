#include "server/node/holders.h"

#include <algorithm>

namespace raakvlak::node {

std::vector<Holders::Candidate> Holders::CandidatesFor(const policy::Keyset& keyset) {
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  // Further ahead than it was ever set: the clock was set back meanwhile.
  const auto is_until = [now](const std::map<std::string, absl::Time>& until, absl::Duration longest,
                              const std::string& partner) {
    const auto found = until.find(partner);
    return found != until.end() && now < found->second && found->second - now <= longest;
  };
  std::vector<Candidate> own;
  std::vector<Candidate> good;
  std::vector<Candidate> away;
  for (const policy::Holder& holder : keyset.holders()) {
    const auto client = clients_.find(holder.partner);
    if (client == clients_.end() || is_until(distrusted_until_, kDistrust, holder.partner)) continue;
    std::vector<Candidate>& kind = holder.partner == own_                         ? own
                                   : is_until(away_until_, kAway, holder.partner) ? away
                                                                                  : good;
    kind.push_back({&holder, client->second});
  }
  if (!good.empty()) {
    std::rotate(good.begin(), good.begin() + static_cast<long>(turn_++ % good.size()), good.end());
  }
  own.insert(own.end(), good.begin(), good.end());
  own.insert(own.end(), away.begin(), away.end());
  return own;
}

void Holders::Lied(const std::string& partner) {
  base::MutexLock lock(mutex_);
  distrusted_until_[partner] = clock_.Now() + kDistrust;
}

void Holders::WasAway(const std::string& partner) {
  base::MutexLock lock(mutex_);
  away_until_[partner] = clock_.Now() + kAway;
}

void Holders::Answered(const std::string& partner) {
  base::MutexLock lock(mutex_);
  away_until_.erase(partner);
}

}  // namespace raakvlak::node

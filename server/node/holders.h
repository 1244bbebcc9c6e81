// Holders: the key holders as this node finds them: how to reach each, and whom not to ask for now.
//
// A holder that gave a wrong answer (bad proof, bad signature) is left alone for a long while; one that was
// away or refused, for a short one, after those that were not. What a holder last did is kept for each
// keyset, as quotas are. Thread safety: all methods may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "client/key_share_client.h"
#include "policy/keyset/keyset.h"
#include "server/node/peers.h"

namespace raakvlak::node {

inline constexpr absl::Duration kDistrust = absl::Minutes(10);
inline constexpr absl::Duration kAway = absl::Seconds(5);

class Holders {
 public:
  // Peers::Clients: asked anew each time, as partners come and go.
  using FindClients = std::function<std::shared_ptr<const PeerClients>()>;
  // `clock` outlives this.
  Holders(std::string own, FindClients clients, const base::Clock& clock)
      : own_(std::move(own)), clients_(std::move(clients)), clock_(clock) {}

  struct Candidate {
    const policy::Holder* holder;
    std::shared_ptr<client::KeyShareClient> client;
    // Too few holders answered last time, and this is one that did not. Ask these before the others, whose
    // quotas would be spent for nothing as long as these stay away.
    bool before_others = false;
  };
  // CandidatesFor returns whom to ask, in this order: `before_others`; this node itself, which costs no
  // network; those of whom nothing bad is known, starting at another one each time; those that were away.
  // Holders that lied, and those that the covenant in force does not have, are not in it.
  std::vector<Candidate> CandidatesFor(const policy::Keyset& keyset);

  // LacksAnswers says whether so many did not answer when last asked about `keyset` that the others are fewer
  // than its quorum.
  bool LacksAnswers(const policy::Keyset& keyset) const;

  void Lied(const policy::Keyset& keyset, const std::string& partner);
  void WasAway(const policy::Keyset& keyset, const std::string& partner);
  void Answered(const policy::Keyset& keyset, const std::string& partner);

 private:
  using Place = std::pair<std::string, std::string>;  // keyset, partner
  bool DoLacksAnswers(const policy::Keyset& keyset, const PeerClients& clients) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string own_;
  const FindClients clients_;
  const base::Clock& clock_;
  mutable base::Mutex mutex_;
  size_t turn_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, absl::Time> distrusted_until_ ABSL_GUARDED_BY(mutex_);
  // Until when to prefer others. An entry stays until the holder answers.
  std::map<Place, absl::Time> away_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::node

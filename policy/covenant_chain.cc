#include "policy/covenant_chain.h"

#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "policy/authority.h"

namespace raakvlak::policy {

std::shared_ptr<const CovenantChain> CovenantChain::Create(
    std::vector<std::shared_ptr<const Covenant>> covenants) {
  RAAKVLAK_CHECK(!covenants.empty(), "a chain has a covenant");
  for (size_t i = 1; i < covenants.size(); ++i) {
    RAAKVLAK_CHECK(covenants[i]->text().supersedes() == base::Hex(covenants[i - 1]->id()),
                   "each covenant supersedes the one before it");
  }
  std::shared_ptr<CovenantChain> chain(new CovenantChain());
  chain->covenants_ = std::move(covenants);
  return chain;
}

std::shared_ptr<const Covenant> CovenantChain::Find(absl::string_view covenant_id) const {
  for (const auto& covenant : covenants_) {
    if (covenant->id() == covenant_id) return covenant;
  }
  return nullptr;
}

std::shared_ptr<const Covenant> CovenantChain::AtOrBefore(absl::Time now) const {
  for (auto covenant = covenants_.rbegin(); covenant != covenants_.rend(); ++covenant) {
    if ((*covenant)->valid_from() <= now) return *covenant;
  }
  return nullptr;
}

std::shared_ptr<const Covenant> CovenantChain::After(const Covenant& covenant) const {
  for (const auto& other : covenants_) {
    if (other->text().version() > covenant.text().version()) return other;
  }
  return nullptr;
}

std::shared_ptr<const CovenantChain> ChainOf(const Snapshot& snapshot) {
  return snapshot.chain != nullptr ? snapshot.chain : CovenantChain::Create({snapshot.covenant});
}

}  // namespace raakvlak::policy

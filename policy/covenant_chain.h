// CovenantChain: the covenants of one region that a process knows, one after the other
// (docs/format/covenant.md).
//
// What was signed under a superseded covenant (envelopes, keysets) is judged by that covenant's own keys and
// terms, so the process keeps them; and it keeps those that were signed and wait for their date, so that keys
// can be made for them. Immutable; thread safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/covenant.h"

namespace raakvlak::policy {

struct Snapshot;

class CovenantChain {
 public:
  // Create takes verified covenants of one chain, oldest first. REQUIRES: at least one; each but the first
  // supersedes the one before it.
  static std::shared_ptr<const CovenantChain> Create(std::vector<std::shared_ptr<const Covenant>> covenants);

  // By covenant id, 32 bytes; nullptr when it is not known.
  std::shared_ptr<const Covenant> Find(absl::string_view covenant_id) const;
  // The newest whose valid_from has come; nullptr when there is none. It may have expired.
  std::shared_ptr<const Covenant> AtOrBefore(absl::Time now) const;
  // The one that supersedes `covenant`; nullptr when none is known.
  std::shared_ptr<const Covenant> After(const Covenant& covenant) const;
  // Oldest first.
  const std::vector<std::shared_ptr<const Covenant>>& all() const { return covenants_; }

 private:
  CovenantChain() = default;
  std::vector<std::shared_ptr<const Covenant>> covenants_;
};

// ChainOf returns the chain that the snapshot belongs to: of the covenant in force alone, when it has no
// other.
std::shared_ptr<const CovenantChain> ChainOf(const Snapshot& snapshot);

}  // namespace raakvlak::policy

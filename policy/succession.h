// Whether a covenant may follow the ones before it (docs/format/covenant.md, "One covenant after another").
//
// Covenant::Verify has checked the covenant by itself: its rules, and the signatures of its own partners and
// hub. Those keys stand in its own text; what ties it to the region is that the keys of the covenant before
// signed it too. The partners of one organisation need not sign a covenant that removes them and does nothing
// else.
//
// It does NOT know whether the wait until valid_from is long enough to make keys for the new epochs.
//
// Thread safety: pure.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "policy/covenant.h"
#include "policy/covenant_chain.h"

namespace raakvlak::policy {

// CheckSuccessor checks that `successor` may follow the newest of `before`. Of covenants that `before` does
// not hold, because the process came later, nothing is checked.
//   COVENANT_OUTDATED  it does not supersede that one with the next version number
//   COVENANT_INVALID   another region; valid before the one it follows; an index, epoch, rule, k, end of an
//                      epoch or seal key that changes although what hangs on it goes on
//   SIGNATURE_INVALID  a partner, or the hub, of the covenant before did not sign with the key it has there
absl::Status CheckSuccessor(const CovenantChain& before, const Covenant& successor);

// BuildChain returns the covenants of `known` (by id) that lead to `start` and that follow it, each by
// CheckSuccessor; what precedes one that does not follow it is left out. Of two that may follow the same one,
// it takes the one that is valid first. `on_refused` is told which follow by their text but may not.
std::shared_ptr<const CovenantChain> BuildChain(
    const std::map<std::string, std::shared_ptr<const Covenant>>& known,
    const std::shared_ptr<const Covenant>& start,
    absl::FunctionRef<void(const Covenant&, const absl::Status&)> on_refused);

// OnlyRemoves: `after` differs from `before` only in that partners of one organisation are gone, and in what
// follows from that:
// version, supersedes, times, epochs and their ends, seal keys, quorum, a witness quorum lowered to the
// number of partners, and the purposes' lists and quotas without those partners.
bool OnlyRemoves(const v1::Covenant& before, const v1::Covenant& after);

// Ids of the partners of `before` that `after` does not have.
std::set<std::string> Removed(const v1::Covenant& before, const v1::Covenant& after);

}  // namespace raakvlak::policy

// Evidence: how the partners of a match stand to each rule, from the tokens of its signals: why it is one.
//
// Two signals agree in a rule when tag and commitments are equal in one epoch: while epochs overlap a signal
// has a version in each, and tags of two epochs cannot be compared. What disagrees is told only within a
// match that already is one, by rule and partner, and never what the values are. Thread safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "raakvlak/v1/covenant.pb.h"
#include "raakvlak/v1/matches.pb.h"

namespace raakvlak::policy {

// One token of one signal of the match.
struct EvidenceToken {
  std::string partner;
  uint32_t organisation = 0;  // the organisation's index
  std::string rule;
  v1::Quality quality = v1::QUALITY_UNSPECIFIED;
  std::string tag;
  std::string commitments;  // or their hash; empty for SUPPORTING
  uint32_t epoch = 0;
};

// EvidenceOf returns one entry for each rule of which at least two organisations have tokens in one epoch,
// best quality first, then by rule id: what one organisation alone has compares nothing. Each of `partners`
// stands in one of the three lists of an entry: agree when one of its tokens is equal to one of another
// organisation, in whichever epoch; differ when none is, and in some epoch both it and another organisation
// have tokens; absent otherwise. A token under another's tag with other commitments does not agree. Time and
// space grow with `tokens` only.
std::vector<v1::RuleEvidence> EvidenceOf(const std::vector<std::string>& partners,
                                         absl::Span<const EvidenceToken> tokens);

}  // namespace raakvlak::policy

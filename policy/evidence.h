// Evidence: how the partners of a match stand to each rule, from the tokens of its signals: why it is one.
//
// Two signals agree in a rule when tag and commitments are equal. What disagrees is told only within a match
// that already is one, by rule and partner, and never what the values are. Thread safety: pure.
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
};

// EvidenceOf returns one entry for each rule that tokens of at least two organisations have, best quality
// first, then by rule id: a rule that one organisation alone has compares nothing. Each of `partners` stands
// in one of the three lists of an entry: agree when one of its tokens is equal to one of another
// organisation; differ when it has tokens and none is; absent when it has none. A token under another's tag
// with other commitments does not agree. Time and space grow with `tokens` only.
std::vector<v1::RuleEvidence> EvidenceOf(const std::vector<std::string>& partners,
                                         absl::Span<const EvidenceToken> tokens);

}  // namespace raakvlak::policy

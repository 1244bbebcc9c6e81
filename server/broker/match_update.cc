#include "server/broker/match_update.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace raakvlak::broker {
namespace {

using storage::DirtySignal;
using storage::MatchRecord;
using storage::SignalFacts;
using storage::StoredToken;

bool FormsGroups(const StoredToken& token) {
  return token.quality == v1::EXACT || token.quality == v1::STRONG;
}

// A signal can be in one match for each subject kind. By the number of its oldest version, so that all of its
// versions are one.
using Node = std::pair<uint64_t, v1::SubjectKind>;

// Disjoint sets with path halving.
class Sets {
 public:
  Node Find(Node node) {
    parent_.emplace(node, node);
    while (parent_.at(node) != node) {
      Node& parent = parent_.at(node);
      parent = parent_.at(parent);
      node = parent;
    }
    return node;
  }
  void Join(Node a, Node b) {
    const Node root = Find(a);
    parent_[Find(b)] = root;
  }

 private:
  std::map<Node, Node> parent_;
};

}  // namespace

absl::Status MatchUpdate::Run(const std::vector<DirtySignal>& signals, const std::vector<uint64_t>& matches) {
  for (const uint64_t match : matches) RAAKVLAK_RETURN_IF_ERROR(Reach(match));
  for (const DirtySignal& signal : signals) {
    ReachSignal(signal.number);
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<SignalFacts>* facts, Facts(signal.number));
    if (!facts->has_value()) continue;
    // Also those with other commitments, and also when its partner is out: a conflict may have come or gone
    // with it.
    for (const StoredToken& token : (*facts)->tokens) {
      if (!FormsGroups(token)) continue;
      RAAKVLAK_ASSIGN_OR_RETURN(const Tag* tag, TagOf(**facts, token));
      for (const uint64_t beside : tag->signals) ReachSignal(beside);
    }
  }
  RAAKVLAK_RETURN_IF_ERROR(Spread());
  std::vector<Part> parts = MakeParts();
  RAAKVLAK_RETURN_IF_ERROR(Settle(parts));
  for (Part& part : parts) {
    AddSupportingRules(part);
    RAAKVLAK_RETURN_IF_ERROR(Write(part));
  }
  return absl::OkStatus();
}

absl::StatusOr<const std::optional<SignalFacts>*> MatchUpdate::Facts(uint64_t number) {
  const auto known = facts_.find(number);
  if (known != facts_.end()) return &known->second;
  RAAKVLAK_ASSIGN_OR_RETURN(std::optional<SignalFacts> facts, transaction_.FindFacts(number));
  return &facts_.emplace(number, std::move(facts)).first->second;
}

absl::StatusOr<const MatchUpdate::Tag*> MatchUpdate::TagOf(const SignalFacts& facts,
                                                           const StoredToken& token) {
  const TagKey key(facts.purpose, token.rule, facts.epoch, token.tag);
  const auto known = tags_.find(key);
  if (known != tags_.end()) return &known->second;
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::TaggedSignal> tagged,
                            transaction_.SignalsWithTag(facts.purpose, token.rule, facts.epoch, token.tag));
  Tag tag;
  tag.rule = token.rule;
  tag.subject = token.subject;
  tag.quality = token.quality;
  for (const storage::TaggedSignal& signal : tagged) {
    tag.signals.push_back(signal.number);
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<SignalFacts>* other, Facts(signal.number));
    RAAKVLAK_CHECK(other->has_value(), "a token's signal is live");
    if (InForce(**other)) tag.groups[signal.commitments_hash].signals.push_back(signal.number);
  }
  const auto purpose = terms_.purposes.find(facts.purpose);
  for (auto& [commitments, group] : tag.groups) {
    group.qualifies = purpose != terms_.purposes.end() && Qualifies(group, purpose->second, facts.epoch);
  }
  return &tags_.emplace(key, std::move(tag)).first->second;
}

bool MatchUpdate::InForce(const SignalFacts& facts) const {
  return terms_.partners_in_force.count(facts.partner) > 0;
}

bool MatchUpdate::Qualifies(const Group& group, const PurposeTerms& purpose, uint32_t epoch) const {
  std::set<uint32_t> organisations;
  bool has_case = false;
  for (const uint64_t number : group.signals) {
    const SignalFacts& facts = *facts_.at(number);
    organisations.insert(facts.organisation);
    has_case = has_case || facts.counts_as_case;
  }
  const auto sealed = purpose.threshold_of.find(epoch);
  const uint32_t promised = sealed == purpose.threshold_of.end() ? 0 : sealed->second;
  // No covenant has k below 2; a lone organisation never makes a match, whatever comes in here.
  if (organisations.size() < std::max({purpose.threshold, promised, 2U})) return false;
  switch (purpose.mode) {
    case v1::CASE:
      return has_case;
    case v1::LIST:
    case v1::OTHER_LAW:
      return true;
    default:
      return false;
  }
}

void MatchUpdate::ReachSignal(uint64_t number) {
  if (reached_.insert(number).second) waiting_.push_back(number);
}

absl::Status MatchUpdate::Reach(uint64_t match) {
  if (old_matches_.count(match) > 0) return absl::OkStatus();
  RAAKVLAK_ASSIGN_OR_RETURN(std::optional<MatchRecord> record, transaction_.FindMatchByNumber(match));
  if (!record.has_value() || record->state != storage::MatchState::kOpen) return absl::OkStatus();
  for (const storage::MatchMember& member : record->members) ReachSignal(member.number);
  old_matches_.emplace(match, *std::move(record));
  return absl::OkStatus();
}

absl::Status MatchUpdate::Spread() {
  while (!waiting_.empty()) {
    const uint64_t number = waiting_.front();
    waiting_.pop_front();
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint64_t> matches, transaction_.MatchesOf(number));
    for (const uint64_t match : matches) RAAKVLAK_RETURN_IF_ERROR(Reach(match));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<SignalFacts>* facts, Facts(number));
    if (!facts->has_value() || !InForce(**facts)) continue;
    for (const uint64_t version : (*facts)->versions) ReachSignal(version);
    for (const StoredToken& token : (*facts)->tokens) {
      if (!FormsGroups(token)) continue;
      RAAKVLAK_ASSIGN_OR_RETURN(const Tag* tag, TagOf(**facts, token));
      const Group& group = tag->groups.at(token.commitments_hash);
      if (!group.qualifies) continue;
      for (const uint64_t beside : group.signals) ReachSignal(beside);
    }
  }
  return absl::OkStatus();
}

std::vector<MatchUpdate::Part> MatchUpdate::MakeParts() const {
  // A tag may have been read for one of its groups only; that all of a group was reached shows in its first
  // signal.
  const auto counts = [this](const Group& group) {
    return group.qualifies && reached_.count(group.signals.front()) > 0;
  };
  const auto node = [this](uint64_t number, v1::SubjectKind subject) {
    return Node(facts_.at(number)->versions.front(), subject);
  };
  Sets sets;
  for (const auto& [key, tag] : tags_) {
    for (const auto& [commitments, group] : tag.groups) {
      if (!counts(group)) continue;
      for (const uint64_t number : group.signals) {
        sets.Join(node(group.signals.front(), tag.subject), node(number, tag.subject));
      }
    }
  }
  std::map<Node, Part> by_root;
  for (const auto& [key, tag] : tags_) {
    for (const auto& [commitments, group] : tag.groups) {
      if (!counts(group)) continue;
      Part& part = by_root[sets.Find(node(group.signals.front(), tag.subject))];
      part.signals.insert(group.signals.begin(), group.signals.end());
      part.rules.insert(tag.rule);
      part.subject = tag.subject;
      part.quality = std::min(part.quality, tag.quality);
      part.conflict = part.conflict || tag.groups.size() > 1;
    }
  }
  std::vector<Part> parts;
  for (auto& [root, part] : by_root) parts.push_back(std::move(part));
  // New matches are numbered in order of their oldest signal.
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return *a.signals.begin() < *b.signals.begin(); });
  return parts;
}

void MatchUpdate::AddSupportingRules(Part& part) const {
  // By rule, tag and epoch.
  std::map<std::tuple<std::string, std::string, uint32_t>, std::set<uint32_t>> organisations;
  for (const uint64_t number : part.signals) {
    const SignalFacts& facts = *facts_.at(number);
    for (const StoredToken& token : facts.tokens) {
      if (token.quality != v1::SUPPORTING) continue;
      organisations[{token.rule, token.tag, facts.epoch}].insert(facts.organisation);
    }
  }
  for (const auto& [key, agreeing] : organisations) {
    if (agreeing.size() >= 2) part.rules.insert(std::get<0>(key));
  }
}

absl::Status MatchUpdate::Settle(std::vector<Part>& parts) {
  std::map<Node, size_t> part_of;
  for (size_t i = 0; i < parts.size(); ++i) {
    for (const uint64_t number : parts[i].signals) part_of[{number, parts[i].subject}] = i;
  }
  for (const auto& [match_number, match] : old_matches_) {
    // Members are in order of number, so the first that is still in a part is the oldest.
    const auto oldest = std::find_if(match.members.begin(), match.members.end(),
                                     [&, subject = match.subject](const storage::MatchMember& member) {
                                       return part_of.count({member.number, subject}) > 0;
                                     });
    if (oldest == match.members.end()) {
      RAAKVLAK_RETURN_IF_ERROR(transaction_.CloseMatch(match_number, now_ms_));
    } else {
      parts[part_of.at({oldest->number, match.subject})].old_matches.push_back(match_number);
    }
  }
  for (const Part& part : parts) {
    for (size_t i = 1; i < part.old_matches.size(); ++i) {
      RAAKVLAK_RETURN_IF_ERROR(transaction_.MergeMatch(part.old_matches[i], part.old_matches[0], now_ms_));
    }
  }
  return absl::OkStatus();
}

absl::Status MatchUpdate::Write(const Part& part) {
  MatchRecord match;
  match.purpose = facts_.at(*part.signals.begin())->purpose;
  match.subject = part.subject;
  match.quality = part.quality;
  match.rules.assign(part.rules.begin(), part.rules.end());
  match.conflict = part.conflict;
  match.changed_ms = now_ms_;
  for (const uint64_t number : part.signals) match.members.emplace_back().number = number;
  if (part.old_matches.empty()) {
    match.id = random_.Bytes(16);
    return transaction_.PutMatch(match).status();
  }
  const MatchRecord& old = old_matches_.at(part.old_matches.front());
  const bool same_members =
      std::equal(old.members.begin(), old.members.end(), match.members.begin(), match.members.end(),
                 [](const auto& a, const auto& b) { return a.number == b.number; });
  if (same_members && old.quality == match.quality && old.rules == match.rules &&
      old.conflict == match.conflict) {
    return absl::OkStatus();
  }
  match.number = old.number;
  return transaction_.PutMatch(match).status();
}

}  // namespace raakvlak::broker

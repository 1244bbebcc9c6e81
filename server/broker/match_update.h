// MatchUpdate: brings the matches around some dirty signals up to date, in one transaction. The working half
// of Matcher, which documents groups, matches and ids. Used once and thrown away. Thread safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/random.h"
#include "server/broker/matcher.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class MatchUpdate {
 public:
  // All are borrowed for the life of the object.
  MatchUpdate(storage::BrokerTransaction& transaction, const MatchTerms& terms, base::Random& random,
              int64_t now_ms)
      : transaction_(transaction), terms_(terms), random_(random), now_ms_(now_ms) {}

  // STORAGE_FAILED.
  absl::Status Run(const std::vector<storage::DirtySignal>& signals, const std::vector<uint64_t>& matches);

 private:
  // Signals in force with one tag and one commitments hash.
  struct Group {
    std::vector<uint64_t> signals;
    bool qualifies = false;
  };
  // One tag of one (purpose, rule, epoch), with all that stands under it.
  struct Tag {
    std::string rule;
    v1::SubjectKind subject = v1::SUBJECT_KIND_UNSPECIFIED;
    v1::Quality quality = v1::QUALITY_UNSPECIFIED;
    std::vector<uint64_t> signals;        // all live ones
    std::map<std::string, Group> groups;  // by commitments hash
  };
  using TagKey = std::tuple<std::string, std::string, uint32_t, std::string>;  // purpose, rule, epoch, tag
  // A match as it must be, before it has an id.
  struct Part {
    std::set<uint64_t> signals;
    std::set<std::string> rules;
    v1::SubjectKind subject = v1::SUBJECT_KIND_UNSPECIFIED;
    v1::Quality quality = v1::SUPPORTING;
    bool conflict = false;
    std::vector<uint64_t> old_matches;  // whose id could live on here, oldest first
  };

  // Each of these three reads once and remembers.
  absl::StatusOr<const std::optional<storage::SignalFacts>*> Facts(uint64_t number);
  absl::StatusOr<const Tag*> TagOf(const storage::SignalFacts& facts, const storage::StoredToken& token);
  absl::Status Reach(uint64_t match);

  bool InForce(const storage::SignalFacts& facts) const;
  bool Qualifies(const Group& group, const PurposeTerms& purpose, uint32_t epoch) const;
  void ReachSignal(uint64_t number);
  // Follows groups and old matches from what was reached until nothing new comes.
  absl::Status Spread();
  std::vector<Part> MakeParts() const;
  void AddSupportingRules(Part& part) const;
  // Decides which id each part has, and closes what has none.
  absl::Status Settle(std::vector<Part>& parts);
  absl::Status Write(const Part& part);

  storage::BrokerTransaction& transaction_;
  const MatchTerms& terms_;
  base::Random& random_;
  const int64_t now_ms_;
  std::unordered_map<uint64_t, std::optional<storage::SignalFacts>> facts_;
  std::map<TagKey, Tag> tags_;
  std::map<uint64_t, storage::MatchRecord> old_matches_;
  std::unordered_set<uint64_t> reached_;
  std::deque<uint64_t> waiting_;
};

}  // namespace raakvlak::broker

// The oracle: which signals are live and which matches there are, worked out from what was pushed in plain
// text, and compared with what nodes, broker and hub have once everything is delivered and done.
//
// What it takes from the region without working it out itself, within bounds: on which day a signal was
// submitted (between its push and now; it never changes), and in which older epochs it still has a version
// (one that was seen stays as long as the epoch is served). Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raakvlak/v1/intake.pb.h"
#include "tests/simulation/region.h"

namespace raakvlak::simulation {

class Oracle {
 public:
  explicit Oracle(Region& region) : region_(region) {}

  // What was found wrong so far, in words.
  const std::vector<std::string>& problems() const { return problems_; }
  // How many were compared, each time that all was.
  size_t compared_signals() const { return compared_signals_; }
  size_t compared_matches() const { return compared_matches_; }

  // An answer to a push or withdrawal that a partner's IT made.
  enum class Content { kSame, kChanged, kGarbage };
  void Pushed(const std::string& partner, const v1::Record& record, Content content,
              const v1::PushReceipt& receipt);
  void Withdrawn(const std::string& partner, const std::string& ref,
                 const absl::StatusOr<v1::WithdrawResponse>& response);
  // The answer to a push never came.
  void InDoubt(const std::string& partner, const std::string& ref) {
    in_doubt_.emplace(Name(partner, ref), region_.Today());
  }

  bool IsInDoubt(const std::string& partner, const std::string& ref) const {
    return in_doubt_.contains({partner, ref});
  }
  // The answer to a withdrawal never came.
  void WithdrawalInDoubt(const std::string& partner, const std::string& ref) {
    withdrawal_in_doubt_.insert({partner, ref});
  }

  // The standing of a partner, or a purpose, changed: its matches may come and go.
  void Touch(const std::string& partner_or_purpose) { touched_.insert(partner_or_purpose); }
  // The broker, or a node, has forgotten what it learned since a copy was made, and all purposes have new
  // epochs without overlap. Of a node: what its partner's IT must do again.
  void BrokerRestored();
  struct Again {
    std::vector<v1::Record> push;
    std::vector<std::string> withdraw;
  };
  Again NodeRestored(const std::string& partner);

  // Compares everything. REQUIRES: all processes are up, and nothing is under way or due.
  void Compare();
  // That nothing is left of what expired. REQUIRES: all has, and what is kept for a time as well.
  void CompareEnd();

 private:
  // kForgotten: by a node that was restored.
  enum class State { kLive, kWithdrawn, kExpired, kEnded, kForgotten };
  using Name = std::pair<std::string, std::string>;  // partner, signal id
  struct Signal {
    std::string partner;
    std::string id;
    v1::Record record;
    State state = State::kLive;
    uint32_t pushed_day = 0;
    uint32_t submitted_day = 0;  // 0: not seen at the broker yet
    uint32_t expiry_day = 0;
    std::set<uint32_t> versions = {};  // that were seen at the broker when all was compared last
    // Its node was restored since all was compared; or, of one that has ended, ever.
    bool was_restored = false;
  };
  struct Match {
    std::string id;
    uint64_t number = 0;
    std::string purpose;
    uint32_t epoch = 0;  // the sealing epoch then
    std::set<Name> members;
  };
  // A match as it must be.
  struct Expected {
    v1::SubjectKind subject = v1::SUBJECT_KIND_UNSPECIFIED;
    std::set<Name> members = {};
    std::set<std::string> rules = {};
    v1::Quality quality = v1::SUPPORTING;
    auto operator<=>(const Expected&) const = default;
  };

  void Wrong(const Signal& signal, const std::string& what);
  void Wrong(const std::string& what) { problems_.push_back(what); }
  Signal* Last(const std::string& partner, const std::string& ref);
  bool IsInForce(const std::string& partner) const;
  // Whether something that it pushed may be there or not: it cannot ask.
  bool HasDoubts(const std::string& partner) const;
  uint32_t RetentionOf(const Signal& signal) const;
  void CompareNode(const std::string& partner);
  void CompareAtBroker(Signal& signal, storage::BrokerReader& reader);
  void CompareMatches(const std::string& purpose, storage::BrokerReader& reader);
  void CompareIds(storage::BrokerReader& reader);
  void CompareOpened(const std::string& purpose);
  std::set<Expected> ExpectedMatches(const v1::Purpose& purpose) const;

  Region& region_;
  std::vector<std::string> problems_;
  // In order of push.
  std::vector<Signal> signals_;
  std::map<Name, uint32_t> in_doubt_;   // partner and reference: when it was pushed
  std::set<Name> withdrawal_in_doubt_;  // partner, reference
  std::set<std::string> touched_;
  std::vector<Match> matches_;
  std::set<std::string> closed_;
  size_t compared_signals_ = 0;
  size_t compared_matches_ = 0;
};

}  // namespace raakvlak::simulation

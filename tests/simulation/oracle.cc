#include "tests/simulation/oracle.h"

#include <sqlite3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/reason.h"

namespace raakvlak::simulation {
namespace {

namespace reason = base::reason;
using storage::NodeSignalState;

// As the broker keeps them (server/broker/expiry.cc).
constexpr uint32_t kTombstoneDays = 7;

std::string ShortId(const std::string& id) { return base::Hex(id).substr(0, 8); }

// The plain text that a rule compares; empty when the record has none for it.
std::string IdentifierOf(const v1::Record& record, const v1::LinkageRule& rule) {
  switch (rule.identifier_class()) {
    case v1::BSN:
      return record.bsn();
    case v1::PERSON:
      return record.surname().empty() ? "" : absl::StrCat(record.surname(), "/", record.birth_date());
    default:
      return record.postcode().empty() ? "" : absl::StrCat(record.postcode(), "/", record.house_number());
  }
}

}  // namespace

void Oracle::Wrong(const Signal& signal, const std::string& what) {
  Wrong(absl::StrCat(signal.partner, " ", signal.record.client_ref(), " (", signal.record.purpose(), ", ",
                     ShortId(signal.id), "): ", what));
}

Oracle::Signal* Oracle::Last(const std::string& partner, const std::string& ref) {
  const auto found = std::find_if(signals_.rbegin(), signals_.rend(), [&](const Signal& signal) {
    return signal.partner == partner && signal.record.client_ref() == ref;
  });
  return found == signals_.rend() ? nullptr : &*found;
}

bool Oracle::IsInForce(const std::string& partner) const {
  const auto& partners = region_.covenant().partners();
  const auto& suspended = region_.roster().suspended_partners();
  return std::any_of(partners.begin(), partners.end(), [&](const auto& p) { return p.id() == partner; }) &&
         std::find(suspended.begin(), suspended.end(), partner) == suspended.end();
}

bool Oracle::HasDoubts(const std::string& partner) const {
  return std::any_of(in_doubt_.begin(), in_doubt_.end(),
                     [&](const auto& doubt) { return doubt.first.first == partner; });
}

uint32_t Oracle::RetentionOf(const Signal& signal) const {
  for (size_t i = 0; i < std::size(kPurposes); ++i) {
    if (signal.record.purpose() == kPurposes[i]) return kRetentionDays[i];
  }
  return 0;
}

void Oracle::Pushed(const std::string& partner, const v1::Record& record, Content content,
                    const v1::PushReceipt& receipt) {
  const std::string& ref = record.client_ref();
  Signal* known = Last(partner, ref);
  const auto doubt = in_doubt_.find({partner, ref});
  const bool in_doubt = doubt != in_doubt_.end();
  Signal pushed{.partner = partner,
                .id = receipt.signal_id(),
                .record = record,
                .pushed_day = in_doubt ? doubt->second : region_.Today()};
  if (in_doubt) in_doubt_.erase(doubt);
  if (receipt.result() == v1::REJECTED) {
    const std::string& why = receipt.reason();
    const bool may_be_over = known != nullptr && (known->state != State::kLive ||
                                                  region_.Today() >= known->pushed_day + RetentionOf(*known));
    const bool fits =
        content == Content::kGarbage || why == reason::kPurposeUnknown ||
        (why == reason::kClientRefConflict && known != nullptr && content == Content::kChanged) ||
        (why == reason::kClientRefEnded && withdrawal_in_doubt_.contains({partner, ref})) ||
        (why == reason::kClientRefEnded && (may_be_over || touched_.contains(record.purpose())));
    if (!fits) Wrong(pushed, absl::StrCat("rejected with ", why));
    return;
  }
  if (content == Content::kGarbage) return Wrong(pushed, "garbage was taken");
  if (receipt.result() == v1::KNOWN) {
    if (known == nullptr && in_doubt) {
      signals_.push_back(pushed);
    } else if (known == nullptr || known->id != receipt.signal_id() || content != Content::kSame) {
      Wrong(pushed, "known, but never pushed so");
    } else if (known->state == State::kWithdrawn) {
      Wrong(pushed, "known, but withdrawn");
    }
    return;
  }
  if (known != nullptr && known->was_restored && known->state == State::kLive) {
    known->state = State::kForgotten;
  } else if (known != nullptr) {
    return Wrong(pushed, "accepted a second time");
  }
  signals_.push_back(pushed);
}

void Oracle::Withdrawn(const std::string& partner, const std::string& ref,
                       const absl::StatusOr<v1::WithdrawResponse>& response) {
  Signal* signal = Last(partner, ref);
  if (!response.ok()) {
    if (signal != nullptr && !signal->was_restored)
      Wrong(*signal, "cannot be withdrawn: " + response.status().ToString());
    return;
  }
  if (signal == nullptr) return Wrong(absl::StrCat(partner, " ", ref, ": withdrawn, but never pushed"));
  if (signal->state == State::kLive && response->status().state() == v1::WITHDRAWN) {
    signal->state = State::kWithdrawn;
  }
}

void Oracle::BrokerRestored() {
  for (Signal& signal : signals_) signal.versions.clear();
}

Oracle::Again Oracle::NodeRestored(const std::string& partner) {
  Again again;
  for (Signal& signal : signals_) {
    if (signal.partner != partner || signal.state == State::kForgotten) continue;
    signal.was_restored = true;
    signal.versions.clear();
    if (signal.state == State::kWithdrawn) again.withdraw.push_back(signal.record.client_ref());
    if (signal.state != State::kLive) continue;
    again.push.push_back(signal.record);
    // One that was queued then is submitted anew.
    signal.submitted_day = signal.expiry_day = 0;
  }
  return again;
}

void Oracle::Compare() {
  for (const char* partner : kPartners) CompareNode(partner);
  const auto compare = [this](storage::BrokerReader& reader) -> absl::Status {
    std::map<std::string, uint64_t> live;
    for (Signal& signal : signals_) {
      CompareAtBroker(signal, reader);
      const auto status = reader.FindSignal(signal.partner, signal.id);
      if (status.ok() && status->has_value() && (*status)->state == storage::SignalState::kLive) {
        ++live[signal.partner];
      }
    }
    for (const char* partner : kPartners) {
      const auto count = reader.CountSignals(partner);
      if (!count.ok() || (*count != live[partner] && !HasDoubts(partner))) {
        Wrong(absl::StrCat(partner, ": the broker has ", count.value_or(0), " live signals, expected ",
                           live[partner]));
      }
    }
    const auto epochs = reader.Epochs();
    const auto purposes = reader.MatchPurposes();
    if (!epochs.ok() || !purposes.ok()) return absl::InternalError("the store cannot be read");
    for (const storage::PurposeEpoch& at : *epochs) {
      const std::vector<uint32_t> served = region_.EpochsServed(at.purpose);
      if (std::find(served.begin(), served.end(), at.epoch) == served.end()) {
        Wrong(absl::StrCat("the broker still has tags of ", at.purpose, " epoch ", at.epoch));
      }
    }
    CompareIds(reader);
    matches_.clear();
    for (const v1::Purpose& purpose : region_.covenant().purposes()) CompareMatches(purpose.id(), reader);
    for (const std::string& purpose : *purposes) {
      if (region_.EpochsServed(purpose).empty())
        Wrong("matches are left of " + purpose + ", which has ended");
    }
    return absl::OkStatus();
  };
  if (!region_.broker().file->Read("compare", compare).ok()) Wrong("the broker's store cannot be read");
  for (const v1::Purpose& purpose : region_.covenant().purposes()) CompareOpened(purpose.id());
  touched_.clear();
  compared_signals_ += signals_.size();
  compared_matches_ += matches_.size();
}

void Oracle::CompareNode(const std::string& partner) {
  NodeProcess& node = region_.node(partner);
  std::map<std::string, storage::NodeSignal> rows;
  const auto listed = node.file->List(0, 100'000, std::nullopt);
  if (!listed.ok()) return Wrong(partner + ": the node's store cannot be read");
  for (const storage::NodeSignal& row : *listed) rows.emplace(row.signal_id, row);
  const uint32_t today = region_.Today();
  for (Signal& signal : signals_) {
    if (signal.partner != partner || signal.state == State::kForgotten) continue;
    const auto row = rows.find(signal.id);
    const bool is_ended = region_.EpochsServed(signal.record.purpose()).empty();
    if (row == rows.end() && signal.was_restored && (signal.state != State::kLive || is_ended)) {
      signal.state = State::kForgotten;
    }
    // Its partner's IT is not admitted now, and will do again what it did.
    if (signal.was_restored && !IsInForce(partner)) {
      rows.erase(signal.id);
      continue;
    }
    if (signal.state == State::kForgotten) continue;
    if (row == rows.end()) {
      Wrong(signal, "the node has lost it");
      continue;
    }
    const NodeSignalState state = row->second.state;
    const std::string& why = row->second.reason;
    if (signal.state == State::kLive && state == NodeSignalState::kWithdrawn &&
        withdrawal_in_doubt_.contains({partner, signal.record.client_ref()})) {
      signal.state = State::kWithdrawn;
    }
    // What time and policy ended.
    if (signal.state == State::kLive && is_ended) signal.state = State::kEnded;
    const bool is_over = signal.expiry_day != 0
                             ? signal.expiry_day <= today
                             : (state != NodeSignalState::kQueued && state != NodeSignalState::kSubmitted &&
                                signal.pushed_day + RetentionOf(signal) <= today);
    if (signal.state == State::kLive && is_over) signal.state = State::kExpired;
    bool fits = false;
    switch (signal.state) {
      case State::kLive: {
        const uint32_t epoch = region_.SealingEpoch(signal.record.purpose());
        fits = state == NodeSignalState::kSubmitted && row->second.epoch == epoch;
        // It waits for its partner to return, or for keys.
        if (!IsInForce(partner) || epoch == 0) {
          fits = state == NodeSignalState::kSubmitted || state == NodeSignalState::kQueued;
        }
        break;
      }
      case State::kWithdrawn:
        fits = state == NodeSignalState::kWithdrawn || (signal.was_restored && why == reason::kSignalEnded);
        break;
      case State::kExpired:
        fits = state == NodeSignalState::kExpired ||
               (state == NodeSignalState::kRefused && why == reason::kDateOutOfRange);
        break;
      case State::kEnded:
      case State::kForgotten:
        fits = state == NodeSignalState::kExpired ||
               (state == NodeSignalState::kRefused && why == reason::kPurposeUnknown);
    }
    if (signal.state == State::kLive) signal.was_restored = false;
    if (!fits) {
      Wrong(signal, absl::StrCat("is in state ", static_cast<int>(state), " ", why, " at the node, epoch ",
                                 row->second.epoch, ", expected ", static_cast<int>(signal.state)));
    }
    rows.erase(row);
  }
  for (const auto& [id, row] : rows) {
    if (HasDoubts(partner)) continue;
    Wrong(absl::StrCat(partner, ": the node has a signal that was never pushed: ", ShortId(id)));
  }
  for (const auto& keyset : node.keys->Now()->keysets().all()) {
    const policy::KeysetText& text = keyset->text();
    const std::vector<uint32_t> served = region_.EpochsServed(text.purpose);
    if (std::find(served.begin(), served.end(), text.epoch) == served.end()) {
      Wrong(absl::StrCat(partner, ": the node still has keys of ", text.purpose, " epoch ", text.epoch));
    }
  }
}

void Oracle::CompareAtBroker(Signal& signal, storage::BrokerReader& reader) {
  const auto found = reader.FindSignal(signal.partner, signal.id);
  if (!found.ok()) return Wrong(signal, "cannot be read at the broker");
  const std::optional<storage::SignalStatus>& status = *found;
  const bool is_live = status.has_value() && status->state == storage::SignalState::kLive;
  const std::vector<uint32_t> served = region_.EpochsServed(signal.record.purpose());
  std::set<uint32_t> kept;
  for (const uint32_t epoch : served) {
    if (signal.versions.contains(epoch)) kept.insert(epoch);
  }
  const bool was_seen = !signal.versions.empty();
  signal.versions.clear();
  const uint32_t sealing = region_.SealingEpoch(signal.record.purpose());
  const bool in_force = IsInForce(signal.partner);
  if (signal.state == State::kLive) {
    if (in_force && sealing != 0) {
      if (!is_live)
        return Wrong(signal, status.has_value() ? "has ended at the broker" : "is not at the broker");
      if (status->epoch != sealing) {
        Wrong(signal, absl::StrCat("is in epoch ", status->epoch, " at the broker, not ", sealing));
      }
    }
    if (!is_live) return;
    if (signal.submitted_day == 0) {
      signal.submitted_day = status->submitted_day;
      signal.expiry_day = status->expiry_day;
      if (signal.submitted_day < signal.pushed_day || signal.submitted_day > region_.Today() ||
          signal.expiry_day != signal.submitted_day + RetentionOf(signal)) {
        Wrong(signal, "has other days than it was pushed on");
      }
    }
    if (status->submitted_day != signal.submitted_day || status->expiry_day != signal.expiry_day) {
      Wrong(signal, "changed its days");
    }
    for (const uint32_t epoch : served) {
      const auto version = reader.FindVersion(signal.partner, signal.id, epoch);
      if (version.ok() && version->has_value()) signal.versions.insert(epoch);
    }
    if (!std::includes(signal.versions.begin(), signal.versions.end(), kept.begin(), kept.end())) {
      Wrong(signal, "lost a version whose epoch is served");
    }
    return;
  }
  // A partner that is out cannot tell the broker what it withdrew; nothing of it counts meanwhile.
  if (is_live && !(signal.state == State::kWithdrawn && !in_force)) {
    return Wrong(signal, "is live at the broker, and has ended");
  }
  const uint32_t today = region_.Today();
  if (signal.expiry_day == 0) return;
  if (today > signal.expiry_day + kTombstoneDays && signal.state == State::kExpired && status.has_value()) {
    Wrong(signal, "still has a tombstone");
  }
  const bool must_be_there = signal.state == State::kWithdrawn
                                 ? in_force && was_seen
                                 : signal.state == State::kExpired && !kept.empty();
  if (must_be_there && today <= signal.expiry_day + kTombstoneDays && !status.has_value()) {
    Wrong(signal, "has no tombstone");
  }
}

std::set<Oracle::Expected> Oracle::ExpectedMatches(const v1::Purpose& purpose) const {
  // A group is of one rule, epoch and plain text.
  struct Group {
    std::set<size_t> signals;
    std::set<std::string> partners;
    bool has_case = false;
  };
  std::map<std::tuple<int, uint32_t, std::string>, Group> groups;
  for (size_t i = 0; i < signals_.size(); ++i) {
    const Signal& signal = signals_[i];
    if (signal.state != State::kLive || signal.record.purpose() != purpose.id() ||
        !IsInForce(signal.partner)) {
      continue;
    }
    for (int rule = 0; rule < purpose.rules_size(); ++rule) {
      const std::string identifier = IdentifierOf(signal.record, purpose.rules(rule));
      if (identifier.empty()) continue;
      for (const uint32_t epoch : signal.versions) {
        Group& group = groups[{rule, epoch, identifier}];
        group.signals.insert(i);
        group.partners.insert(signal.partner);
        group.has_case = group.has_case || signal.record.kind() == "case_report";
      }
    }
  }
  // Groups that share a signal are one match, by subject kind.
  struct Part {
    Expected match;
    std::set<size_t> signals;
  };
  std::vector<Part> parts;
  for (const auto& [key, group] : groups) {
    const v1::LinkageRule& rule = purpose.rules(std::get<0>(key));
    if (rule.quality() == v1::SUPPORTING || group.partners.size() < purpose.disclosure_threshold() ||
        (purpose.mode() == v1::CASE && !group.has_case)) {
      continue;
    }
    Part joined{{.subject = rule.subject(), .rules = {rule.id()}, .quality = rule.quality()}, group.signals};
    std::erase_if(parts, [&](const Part& part) {
      const bool shares = std::any_of(part.signals.begin(), part.signals.end(),
                                      [&](size_t signal) { return joined.signals.contains(signal); });
      if (!shares || part.match.subject != joined.match.subject) return false;
      joined.signals.insert(part.signals.begin(), part.signals.end());
      joined.match.rules.insert(part.match.rules.begin(), part.match.rules.end());
      joined.match.quality = std::min(joined.match.quality, part.match.quality);
      return true;
    });
    parts.push_back(std::move(joined));
  }
  std::set<Expected> expected;
  for (Part& part : parts) {
    for (const auto& [key, group] : groups) {
      const v1::LinkageRule& rule = purpose.rules(std::get<0>(key));
      std::set<std::string> partners;
      for (const size_t i : group.signals) {
        if (part.signals.contains(i)) partners.insert(signals_[i].partner);
      }
      if (rule.quality() == v1::SUPPORTING && partners.size() >= 2) part.match.rules.insert(rule.id());
    }
    for (const size_t i : part.signals) part.match.members.emplace(signals_[i].partner, signals_[i].id);
    expected.insert(std::move(part.match));
  }
  return expected;
}

void Oracle::CompareMatches(const std::string& purpose_id, storage::BrokerReader& reader) {
  const v1::Purpose* purpose = nullptr;
  for (const v1::Purpose& one : region_.covenant().purposes()) {
    if (one.id() == purpose_id) purpose = &one;
  }
  std::set<Expected> expected = ExpectedMatches(*purpose);
  const auto listed = reader.ListMatches({.purpose = purpose_id, .limit = 100'000});
  if (!listed.ok()) return Wrong("the broker's matches cannot be read");
  for (const storage::MatchRecord& record : *listed) {
    Expected match{.subject = record.subject,
                   .rules = {record.rules.begin(), record.rules.end()},
                   .quality = record.quality};
    for (const storage::MatchMember& member : record.members) {
      match.members.emplace(member.partner, member.signal_id);
    }
    if (expected.erase(match) == 0) {
      Wrong(absl::StrCat(purpose_id, ": match ", ShortId(record.id), " of ", match.members.size(),
                         " signals by ", absl::StrJoin(match.rules, ", "), " should not be so"));
    }
    if (record.conflict) Wrong(absl::StrCat(purpose_id, ": match ", ShortId(record.id), " has a conflict"));
    matches_.push_back(
        {record.id, record.number, purpose_id, region_.SealingEpoch(purpose_id), match.members});
    if (closed_.contains(record.id)) Wrong("match " + ShortId(record.id) + " was closed, and is open again");
  }
  for (const Expected& match : expected) {
    std::string members;
    for (const auto& [partner, id] : match.members) absl::StrAppend(&members, " ", partner, "/", ShortId(id));
    Wrong(absl::StrCat(purpose_id, ": there is no match of", members, " by ",
                       absl::StrJoin(match.rules, ", ")));
  }
}

// Of the matches that were there the last time.
void Oracle::CompareIds(storage::BrokerReader& reader) {
  std::map<Name, const Signal*> live;
  for (const Signal& signal : signals_) {
    if (signal.state == State::kLive) live.emplace(Name(signal.partner, signal.id), &signal);
  }
  std::map<std::string, std::vector<const Match*>> went_into;  // by id of the match now
  std::set<std::string> uncertain;
  for (const Match& match : matches_) {
    const auto found = reader.FindMatch(match.id);
    if (!found.ok()) return Wrong("the broker's matches cannot be read");
    const bool is_open = found->has_value() && (*found)->state == storage::MatchState::kOpen;
    const std::vector<uint32_t> served = region_.EpochsServed(match.purpose);
    const bool is_untouched = !touched_.contains(match.purpose) && match.epoch != 0 &&
                              std::find(served.begin(), served.end(), match.epoch) != served.end() &&
                              std::all_of(match.members.begin(), match.members.end(), [&](const Name& name) {
                                const auto signal = live.find(name);
                                return signal != live.end() && !touched_.contains(name.first);
                              });
    if (!is_open) {
      closed_.insert(match.id);
      if (is_untouched) Wrong("match " + ShortId(match.id) + " is closed, and all of its signals are live");
      continue;
    }
    went_into[(*found)->id].push_back(&match);
    if (!is_untouched) {
      uncertain.insert((*found)->id);
      continue;
    }
    std::set<Name> members;
    for (const storage::MatchMember& member : (*found)->members) {
      members.emplace(member.partner, member.signal_id);
    }
    if (!std::includes(members.begin(), members.end(), match.members.begin(), match.members.end())) {
      Wrong("match " + ShortId(match.id) + " lost signals that are live");
    }
  }
  for (const auto& [id, before] : went_into) {
    const auto oldest = std::min_element(
        before.begin(), before.end(), [](const Match* a, const Match* b) { return a->number < b->number; });
    if (!uncertain.contains(id) && (*oldest)->id != id) {
      Wrong("match " + ShortId((*oldest)->id) + " did not change, and has another id: " + ShortId(id));
    }
  }
}

void Oracle::CompareOpened(const std::string& purpose) {
  const auto listed = region_.ListMatches(purpose);
  if (!listed.ok()) return Wrong("the hub cannot list: " + listed.status().ToString());
  size_t open = 0;
  for (const Match& match : matches_) open += match.purpose == purpose ? 1 : 0;
  if (listed->size() != open) Wrong(absl::StrCat(purpose, ": the hub sees ", listed->size(), " of ", open));
  for (const v1::MatchSummary& summary : *listed) {
    const std::string name = absl::StrCat(purpose, ": match ", ShortId(summary.match_id()));
    const auto opened = region_.OpenMatch(summary);
    if (!opened.ok()) {
      Wrong(name + " does not open: " + opened.status().ToString());
      continue;
    }
    if (!opened->faults.empty()) Wrong(absl::StrCat(name, " has a fault: ", opened->faults[0].reason()));
    std::set<Name> seen;
    for (const v1::OpenedSignal& one : opened->signals) {
      seen.emplace(one.partner(), one.signal_id());
      const Signal* signal = Last(one.partner(), one.client_ref());
      if (signal == nullptr || signal->id != one.signal_id() || signal->record.note() != one.note() ||
          signal->record.category() != one.category() || signal->record.contact() != one.contact()) {
        Wrong(absl::StrCat(name, ": ", one.partner(), " ", one.client_ref(), " is not what was pushed"));
      }
    }
    const auto match = std::find_if(matches_.begin(), matches_.end(),
                                    [&](const Match& one) { return one.id == summary.match_id(); });
    if (match == matches_.end() || match->members != seen) {
      Wrong(absl::StrCat(name, " opens to ", seen.size(), " signals"));
    }
  }
}

void Oracle::CompareEnd() {
  const auto count = [this](const std::string& process, const std::string& rows) {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    int64_t result = -1;
    if (sqlite3_open_v2(region_.DatabaseOf(process).c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) ==
            SQLITE_OK &&
        sqlite3_prepare_v2(database, ("SELECT COUNT(*) FROM " + rows).c_str(), -1, &statement, nullptr) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      result = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    if (result != 0) Wrong(absl::StrCat(process, ": ", result, " rows are left at the end: ", rows));
  };
  for (const char* rows : {"signals", "batches", "envelopes", "tokens", "token_counts", "tombstones",
                           "matches", "match_members", "dirty_signals", "dirty_matches"}) {
    count("broker", rows);
  }
  for (const char* partner : kPartners) {
    count(partner, "signals WHERE state < 3 OR record <> x'' OR record_digest <> x'' OR envelope <> x''");
    if (IsInForce(partner)) count(partner, "withdrawals");
  }
}

}  // namespace raakvlak::simulation

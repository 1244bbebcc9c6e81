#include "audit/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace raakvlak::audit {
namespace {

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
// Somebody who never did a thing, or whose colleagues never did, is not compared with zero.
constexpr double kLeastMean = 0.5;
constexpr int kLeastToCompare = 2;

enum class Kind { kList, kOpen, kAuditRead, kRefusal, kOther };

struct KindName {
  Kind kind;
  const char* action;
  uint64_t Counts::*member;
};

constexpr KindName kKinds[] = {{Kind::kList, "list", &Counts::lists},
                               {Kind::kOpen, "open", &Counts::opens},
                               {Kind::kAuditRead, "audit_read", &Counts::audit_reads},
                               {Kind::kRefusal, "refuse", &Counts::refusals}};

// A process writes "refuse", or the action itself with a result that is not OK.
Kind KindOf(const v1::AuditDetails& details) {
  const bool refused =
      details.action() == "refuse" || (!details.result().empty() && details.result() != "OK");
  for (const KindName& known : kKinds) {
    if (details.action() == known.action) return refused ? Kind::kRefusal : known.kind;
  }
  return Kind::kOther;
}

// One entry may stand for many refusals.
uint64_t Weight(Kind kind, const v1::AuditDetails& details) {
  return kind == Kind::kRefusal ? std::max<uint64_t>(1, details.count()) : 1;
}

void Add(Counts& counts, Kind kind, uint64_t weight) {
  for (const KindName& known : kKinds) {
    if (kind == known.kind) counts.*known.member += weight;
  }
}

uint64_t Sum(const Counts& counts) {
  return counts.lists + counts.opens + counts.audit_reads + counts.refusals;
}

bool IsPerson(const v1::AuditDetails& details) {
  return details.role() == "staff" || details.role() == "officer" || details.role() == "operator";
}

using Person = std::pair<std::string, std::string>;  // actor, role

// What one person did in each period: [0] is the period of the report, [k] the k-th before it.
using History = std::map<Person, std::map<int, Counts>>;

template <typename Row, typename Name>
void SortRows(std::vector<Row>& rows, Name name) {
  std::sort(rows.begin(), rows.end(), [&](const Row& left, const Row& right) {
    return std::tuple(Sum(right.counts), name(left)) < std::tuple(Sum(left.counts), name(right));
  });
}

class Counter {
 public:
  Counter(absl::Span<const Record> records, const ReportOptions& options)
      : records_(records), length_ms_(options.until_ms - options.from_ms) {
    report_.options = options;
  }

  Report Run() {
    MakeDays();
    for (const Record& record : records_) Take(record);
    MakeRows();
    FindUnusual();
    FindWithoutFollowUp();
    return std::move(report_);
  }

 private:
  bool InPeriod(const Record& record) const {
    return record.time_ms >= report_.options.from_ms && record.time_ms < report_.options.until_ms;
  }
  absl::CivilDay DayOf(int64_t time_ms) const {
    return absl::ToCivilDay(absl::FromUnixMillis(time_ms), report_.options.zone);
  }

  void MakeDays() {
    const absl::CivilDay last = DayOf(report_.options.until_ms - 1);
    for (absl::CivilDay day = DayOf(report_.options.from_ms); day <= last; ++day) {
      report_.days.push_back({day, Counts()});
    }
  }

  void Take(const Record& record) {
    if (InPeriod(record)) {
      ++report_.entries;
      if (record.erased) ++report_.erased;
    }
    if (record.erased) return;
    const Kind kind = KindOf(record.details);
    if (kind == Kind::kOther) return;
    TakeHistory(record, kind);
    if (InPeriod(record)) TakePeriod(record, kind);
  }

  void TakeHistory(const Record& record, Kind kind) {
    if (record.time_ms >= report_.options.until_ms || !IsPerson(record.details)) return;
    const int64_t before = report_.options.from_ms - record.time_ms;
    const int64_t period = before <= 0 ? 0 : (before - 1) / length_ms_ + 1;
    if (period > kEarlierPeriods) return;
    Add(history_[{record.details.actor(), record.details.role()}][static_cast<int>(period)], kind,
        Weight(kind, record.details));
  }

  void TakePeriod(const Record& record, Kind kind) {
    const v1::AuditDetails& details = record.details;
    const uint64_t weight = Weight(kind, details);
    Add(report_.total, kind, weight);
    const int64_t day = DayOf(record.time_ms) - report_.days.front().day;
    Add(report_.days[static_cast<size_t>(day)].counts, kind, weight);
    Add(persons_[{details.actor(), details.role()}], kind, weight);
    if (kind == Kind::kRefusal) refusals_[{details.actor(), details.object(), details.result()}] += weight;
    if (!details.purpose().empty()) {
      Add(purposes_[details.purpose()].counts, kind, weight);
      purposes_[details.purpose()].persons.insert(details.actor());
    }
    if (!details.case_reference().empty()) TakeCase(record, kind, weight);
  }

  void TakeCase(const Record& record, Kind kind, uint64_t weight) {
    Group& group = cases_[{record.details.case_reference(), record.details.purpose()}];
    if (group.persons.empty()) group.first_ms = record.time_ms;
    group.first_ms = std::min(group.first_ms, record.time_ms);
    group.last_ms = std::max(group.last_ms, record.time_ms);
    group.persons.insert(record.details.actor());
    Add(group.counts, kind, weight);
  }

  void MakeRows() {
    for (const auto& [purpose, group] : purposes_) {
      report_.purposes.push_back({purpose, group.counts, group.persons.size()});
    }
    SortRows(report_.purposes, [](const PurposeRow& row) { return row.purpose; });
    for (const auto& [person, counts] : persons_) {
      report_.persons.push_back({person.first, person.second, counts});
    }
    SortRows(report_.persons, [](const PersonRow& row) { return row.actor; });
    for (const auto& [name, group] : cases_) {
      report_.cases.push_back(
          {name.first, name.second, group.counts, group.persons.size(), group.first_ms, group.last_ms});
    }
    SortRows(report_.cases, [](const CaseRow& row) { return row.case_reference + row.purpose; });
    for (const auto& [name, count] : refusals_) {
      report_.refusals.push_back({std::get<0>(name), std::get<1>(name), std::get<2>(name), count});
    }
    std::sort(report_.refusals.begin(), report_.refusals.end(),
              [](const RefusalRow& left, const RefusalRow& right) {
                return std::tie(right.count, left.actor, left.object, left.code) <
                       std::tie(left.count, right.actor, right.object, right.code);
              });
  }

  // Periods before the log began are not periods in which nothing was done.
  int PeriodsBefore() const {
    if (records_.empty()) return 0;
    const int64_t reach = report_.options.from_ms - records_.front().time_ms;
    return reach <= 0 ? 0 : static_cast<int>(std::min<int64_t>(kEarlierPeriods, reach / length_ms_));
  }

  void FindUnusual() {
    const int periods = PeriodsBefore();
    for (const auto& [person, by_period] : history_) {
      const auto now = by_period.find(0);
      if (now == by_period.end()) continue;
      for (const KindName& known : kKinds) {
        const uint64_t count = now->second.*known.member;
        if (count < kUnusualAtLeast) continue;
        UnusualRow row;
        row.actor = person.first;
        row.role = person.second;
        row.action = known.action;
        row.count = count;
        CompareWithPast(by_period, known.member, periods, row);
        CompareWithPeers(person, known.member, row);
        if (row.against_own || row.against_peers) report_.unusual.push_back(std::move(row));
      }
    }
    std::stable_sort(
        report_.unusual.begin(), report_.unusual.end(),
        [](const UnusualRow& left, const UnusualRow& right) { return left.count > right.count; });
  }

  static void CompareWithPast(const std::map<int, Counts>& by_period, uint64_t Counts::*member, int periods,
                              UnusualRow& out_row) {
    out_row.periods = periods;
    if (periods < kLeastToCompare) return;
    uint64_t sum = 0;
    for (const auto& [period, counts] : by_period) {
      if (period == 0 || period > periods) continue;
      sum += counts.*member;
      out_row.own_highest = std::max(out_row.own_highest, counts.*member);
    }
    out_row.own_mean = static_cast<double>(sum) / periods;
    out_row.against_own =
        PoissonTail(out_row.count, std::max(kLeastMean, out_row.own_mean)) < kUnusualProbability;
  }

  void CompareWithPeers(const Person& person, uint64_t Counts::*member, UnusualRow& out_row) const {
    std::vector<uint64_t> others;
    for (const auto& [other, by_period] : history_) {
      if (other.second != person.second || other.first == person.first) continue;
      const auto now = by_period.find(0);
      others.push_back(now == by_period.end() ? 0 : now->second.*member);
    }
    out_row.peers = static_cast<int>(others.size());
    if (out_row.peers < kLeastToCompare) return;
    std::sort(others.begin(), others.end());
    const size_t middle = others.size() / 2;
    out_row.peer_median = others.size() % 2 == 1
                              ? static_cast<double>(others[middle])
                              : static_cast<double>(others[middle - 1] + others[middle]) / 2;
    out_row.against_peers =
        PoissonTail(out_row.count, std::max(kLeastMean, out_row.peer_median)) < kUnusualProbability;
  }

  static bool FollowsUp(const Record& opening, const Record& later) {
    if (later.erased || !IsPerson(later.details) || KindOf(later.details) == Kind::kRefusal) return false;
    const v1::AuditDetails& first = opening.details;
    const v1::AuditDetails& next = later.details;
    return (!first.object().empty() && next.object() == first.object()) ||
           (!first.case_reference().empty() && next.case_reference() == first.case_reference());
  }

  void FindWithoutFollowUp() {
    const int64_t term_ms = report_.options.follow_up_days * kDayMs;
    for (size_t i = 0; i < records_.size(); ++i) {
      const Record& opening = records_[i];
      if (opening.erased || !InPeriod(opening) || KindOf(opening.details) != Kind::kOpen) continue;
      // The term may still run.
      if (opening.time_ms + term_ms > records_.back().time_ms) continue;
      bool followed = false;
      for (size_t j = i + 1; j < records_.size() && !followed; ++j) {
        if (records_[j].time_ms > opening.time_ms + term_ms) break;
        followed = FollowsUp(opening, records_[j]);
      }
      if (followed) continue;
      report_.without_follow_up.push_back({opening.log, opening.index, opening.time_ms,
                                           opening.details.actor(), opening.details.purpose(),
                                           opening.details.case_reference(), opening.details.object()});
    }
  }

  struct Group {
    Counts counts;
    std::set<std::string> persons;
    int64_t first_ms = 0;
    int64_t last_ms = 0;
  };

  const absl::Span<const Record> records_;
  const int64_t length_ms_;
  Report report_;
  History history_;
  std::map<std::string, Group> purposes_;
  std::map<Person, Counts> persons_;
  std::map<std::pair<std::string, std::string>, Group> cases_;
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> refusals_;
};

}  // namespace

Report MakeReport(absl::Span<const Record> records, const ReportOptions& options) {
  RAAKVLAK_CHECK(options.from_ms < options.until_ms, "a period has a length");
  return Counter(records, options).Run();
}

double PoissonTail(uint64_t count, double mean) {
  // 1 - P(X < count), with each term from the one before in logarithms, so that no power overflows.
  double below = 0;
  double log_term = -mean;
  for (uint64_t i = 0; i < count; ++i) {
    below += std::exp(log_term);
    log_term += std::log(mean) - std::log(static_cast<double>(i + 1));
  }
  return std::max(0.0, 1.0 - below);
}

std::string Explain(const UnusualRow& row) {
  std::string text = absl::StrCat(row.count, " times ", row.action, " in this period");
  if (row.against_own) {
    absl::StrAppendFormat(&text, "; in the %d periods before it was %.1f on average and %d at most",
                          row.periods, row.own_mean, row.own_highest);
  }
  if (row.against_peers) {
    absl::StrAppendFormat(&text, "; the middle one of %d colleagues came to %.1f", row.peers,
                          row.peer_median);
  }
  return text;
}

}  // namespace raakvlak::audit

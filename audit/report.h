// Report: what happened in a period, for a privacy officer: accesses per purpose, person and case, refusals,
// openings that nobody followed up, and numbers that are unusual for a person.
//
// A number is unusual when it is at least kUnusualAtLeast and would come up by chance less than once in a
// thousand times (Poisson), measured against the person's own earlier periods of the same length, or against
// what the middle one of the colleagues in the same role did in this period. It is a reason to ask, and no
// proof of anything. The report does NOT see what was never logged, and counts only the log it is given.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "audit/record.h"

namespace raakvlak::audit {

inline constexpr uint64_t kUnusualAtLeast = 5;
inline constexpr double kUnusualProbability = 0.001;
// Earlier periods that a person is compared with.
inline constexpr int kEarlierPeriods = 12;

struct ReportOptions {
  // Milliseconds since 1970; `until_ms` is not in it.
  int64_t from_ms = 0;
  int64_t until_ms = 0;
  // An opening counts as followed up when, within so many days, somebody acts on the same match or case
  // again.
  int follow_up_days = 14;
  // Whose calendar days the days of the report are.
  absl::TimeZone zone = absl::UTCTimeZone();
};

// What was done: matches listed and opened, the log read, calls refused.
struct Counts {
  uint64_t lists = 0;
  uint64_t opens = 0;
  uint64_t audit_reads = 0;
  uint64_t refusals = 0;
  bool operator==(const Counts&) const = default;
};

struct PurposeRow {
  std::string purpose;
  Counts counts;
  uint64_t persons = 0;
};

struct PersonRow {
  std::string actor;
  std::string role;
  Counts counts;
};

struct CaseRow {
  std::string case_reference;
  std::string purpose;
  Counts counts;
  uint64_t persons = 0;
  int64_t first_ms = 0;
  int64_t last_ms = 0;
};

struct RefusalRow {
  std::string actor;
  std::string object;
  std::string code;
  uint64_t count = 0;
};

struct OpeningRow {
  std::string log;
  uint64_t index = 0;
  int64_t time_ms = 0;
  std::string actor;
  std::string purpose;
  std::string case_reference;
  std::string match;
};

struct UnusualRow {
  std::string actor;
  std::string role;
  // "list", "open", "audit_read", "refuse"
  std::string action;
  uint64_t count = 0;
  // Against the own past: how many earlier periods there were, their mean and highest.
  int periods = 0;
  double own_mean = 0;
  uint64_t own_highest = 0;
  bool against_own = false;
  // Against colleagues in the same role: how many there were, and what the middle one did.
  int peers = 0;
  double peer_median = 0;
  bool against_peers = false;
};

struct DayRow {
  absl::CivilDay day;
  Counts counts;
};

struct Report {
  ReportOptions options;
  uint64_t entries = 0;
  // Entries of the period whose details are gone at the end of their term; they are in no row.
  uint64_t erased = 0;
  Counts total;
  std::vector<PurposeRow> purposes;
  std::vector<PersonRow> persons;
  std::vector<CaseRow> cases;
  std::vector<RefusalRow> refusals;
  std::vector<OpeningRow> without_follow_up;
  std::vector<UnusualRow> unusual;
  // Every day of the period, also empty ones.
  std::vector<DayRow> days;
};

// MakeReport counts the records of the period; those before it are the past that persons are compared with,
// and those after it may follow up an opening. `records` are of one log, in its order. Rows are sorted by
// number, highest first, then by name. REQUIRES: from_ms < until_ms.
Report MakeReport(absl::Span<const Record> records, const ReportOptions& options);

// PoissonTail returns P(X >= count) for a Poisson variable of this mean. REQUIRES: mean > 0.
double PoissonTail(uint64_t count, double mean);

// Explain says in a sentence why the row is there, in English.
std::string Explain(const UnusualRow& row);

}  // namespace raakvlak::audit

#include "linkage/collision_shares.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "linkage/collision_model.h"

namespace raakvlak::linkage {
namespace {

constexpr char kNobody[] = "\xE4\xB8\xAD\xE4\xB8\xAD";
constexpr absl::CivilDay kToday(model::kYear, 1, 1);

// Whether another date, or an unusual one, makes another field.
bool IsOfTheDate(const DerivedField& field) {
  const std::string usual = field.derive(NormalisedOf(AnyRecord()));
  for (const char* date : {"1961-12-04", "2010-05-06", "1970-01-01", "1970-07-01"}) {
    Record record = AnyRecord();
    record.birth_date = date;
    if (field.derive(NormalisedOf(record)) != usual) return true;
  }
  return false;
}

}  // namespace

Identifiers::Identifiers(const RuleDefinition& rule, Made fields) : rule_(rule) {
  if (fields == Made::kOfAll) return;
  rule_.fields.clear();
  for (const DerivedField* field : rule.fields) {
    if (IsOfTheDate(*field) == (fields == Made::kOfTheDate)) rule_.fields.push_back(field);
  }
}

int Identifiers::Of(const Normalised& record) {
  if (rule_.fields.empty()) return 0;
  const std::vector<std::string> fields = FieldsOf(rule_, record);
  if (fields.empty()) return kNone;
  std::string joined;
  for (const std::string& field : fields) absl::StrAppend(&joined, field, "\n");
  return known_.emplace(std::move(joined), static_cast<int>(known_.size())).first->second;
}

void Add(Shares& shares, int value, double share) {
  if (value != Identifiers::kNone && share > 0) shares.emplace_back(value, share);
}

Shares Gathered(Shares shares) {
  std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Shares sums;
  for (const auto& [value, share] : shares) {
    if (!sums.empty() && sums.back().first == value) {
      sums.back().second += share;
    } else {
      sums.emplace_back(value, share);
    }
  }
  return sums;
}

Shares Joint(const Shares& first, const Shares& second) {
  Shares joint;
  for (auto a = first.begin(), b = second.begin(); a != first.end() && b != second.end();) {
    if (a->first < b->first) {
      ++a;
    } else if (b->first < a->first) {
      ++b;
    } else {
      joint.emplace_back(a->first, a->second * b->second);
      ++a, ++b;
    }
  }
  return joint;
}

double Agreement(const Shares& first, const Shares& second) { return SumOf(Joint(first, second)); }

double SumOf(const Shares& shares) {
  double sum = 0;
  for (const auto& [value, share] : shares) sum += share;
  return sum;
}

Normalised NormalisedOf(const Record& record) {
  auto normalised = Normalise(record, kToday, Recipe::kTwo);
  RAAKVLAK_CHECK(normalised.ok(), "the shipped tables hold names");
  return *std::move(normalised);
}

Record AnyRecord() {
  Record record;
  record.bsn = "999993653";
  record.surname = kNobody;
  record.given_names = kNobody;
  record.birth_date = "1970-03-15";
  record.postcode = "6211AB";
  record.house_number = "12";
  return record;
}

}  // namespace raakvlak::linkage

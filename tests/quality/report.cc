#include "tests/quality/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace raakvlak::quality {
namespace {

using nlohmann::ordered_json;

// Parts with fewer true pairs say nothing about a gap.
constexpr uint64_t kFewPairs = 100;

ordered_json ToJson(const Figures& figures) {
  return {{"precision", figures.precision()},
          {"recall", figures.recall()},
          {"f1", figures.f1()},
          {"true_pairs", figures.truth},
          {"found_pairs", figures.found},
          {"false_pairs", figures.found - figures.right}};
}

ordered_json ToJson(const Result& result) {
  ordered_json out = {
      {"precision", result.all.precision()}, {"recall", result.all.recall()}, {"f1", result.all.f1()}};
  out["rules"] = ordered_json::array();
  for (const RuleFigures& rule : result.rules) {
    out["rules"].push_back({{"id", rule.id},
                            {"records", rule.records},
                            {"pairs", rule.alone.found},
                            {"false_pairs", rule.alone.found - rule.alone.right},
                            {"precision", rule.alone.precision()},
                            {"recall", rule.alone.recall()}});
  }
  return out;
}

std::string Row(const std::string& name, const Figures& f) {
  return absl::StrFormat("%-34s %10d %10d %8d   %.5f   %.4f   %.4f\n", name, f.truth, f.found,
                         f.found - f.right, f.precision(), f.recall(), f.f1());
}

std::string Head(const std::string& name) {
  return absl::StrFormat("%-34s %10s %10s %8s %9s %8s %8s\n", name, "true", "found", "false", "precision",
                         "recall", "F1");
}

std::string Table(const std::string& name, const Result& result) {
  std::string out = Head(name) + Row("all rules", result.all);
  for (const RuleFigures& rule : result.rules) out += Row("  " + rule.id + " alone", rule.alone);
  return out + "\n";
}

}  // namespace

double Subgroups::RecallGap() const {
  double best = 0;
  double worst = 1;
  for (const auto& [name, figures] : parts) {
    if (figures.truth < kFewPairs) continue;
    best = std::max(best, figures.recall());
    worst = std::min(worst, figures.recall());
  }
  return std::max(0.0, best - worst);
}

Result Judge(const std::vector<Item>& items, const std::vector<linkage::DefaultRule>& rules,
             const std::vector<size_t>& use, Pairs pairs) {
  Result out;
  out.all = Count(items, Link(items, use, pairs), pairs);
  for (const size_t rule : use) {
    RuleFigures figures{rules[rule].rule.id, 0, Count(items, Link(items, {rule}, pairs), pairs)};
    for (const Item& item : items) figures.records += item.tags[rule].has_value() ? 1 : 0;
    out.rules.push_back(std::move(figures));
  }
  return out;
}

std::string Tables(const Report& report) {
  std::string out = report.title + "\n\n";
  out += Table("without the number", report.without_id) + Table("with the number", report.with_id);
  if (report.subgroups.empty()) return out;
  out +=
      Head("with the number, both sides without it") + Row("all rules", report.no_id_on_either_side) + "\n";
  for (const Subgroups& groups : report.subgroups) {
    out += Head("with the number, by " + groups.by);
    for (const auto& [name, figures] : groups.parts) {
      out += Row("  " + name + (figures.truth < kFewPairs ? " (few)" : ""), figures);
    }
    out += absl::StrFormat("  gap in recall %.4f\n\n", groups.RecallGap());
  }
  return out;
}

std::string Json(const Report& report) {
  ordered_json out = {{"without_id", ToJson(report.without_id)}, {"with_id", ToJson(report.with_id)}};
  ordered_json& all = out["subgroups"]["all"]["parts"];
  all["without_id"] = ToJson(report.without_id.all);
  all["with_id"] = ToJson(report.with_id.all);
  if (!report.subgroups.empty()) all["no_id_on_either_side"] = ToJson(report.no_id_on_either_side);
  for (const Subgroups& groups : report.subgroups) {
    ordered_json& one = out["subgroups"][groups.by];
    for (const auto& [name, figures] : groups.parts) one["parts"][name] = ToJson(figures);
    one["recall_gap"] = groups.RecallGap();
  }
  return out.dump(2) + "\n";
}

}  // namespace raakvlak::quality

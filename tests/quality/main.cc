// The quality bench: how well linkage recognises people, on files in FEBRL's form or on a made Dutch region.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "linkage/default_rules.h"
#include "tests/quality/febrl.h"
#include "tests/quality/linker.h"
#include "tests/quality/population.h"
#include "tests/quality/report.h"
#include "tests/quality/signals.h"
#include "tests/quality/write.h"

namespace raakvlak::quality {
namespace {

// Ages are of this day, so that the same seed gives the same region next year.
constexpr absl::CivilDay kToday(2026, 1, 1);

struct Options {
  std::vector<std::string> files;
  size_t people = 200'000;
  uint64_t seed = 1;
  std::string level = "middle";
  std::string write;
  std::string fields;
  std::vector<std::string> rules;
  bool print_rules = false;
  bool json = false;
};

std::vector<size_t> Without(const std::vector<linkage::DefaultRule>& rules, bool bsn) {
  std::vector<size_t> use;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (bsn || rules[i].rule.identifier_class != linkage::IdentifierClass::kBsn) use.push_back(i);
  }
  return use;
}

// Supporting rules form no groups.
absl::StatusOr<std::vector<linkage::DefaultRule>> RulesOf(const Options& options) {
  std::vector<linkage::DefaultRule> rules;
  for (const linkage::DefaultRule& rule : linkage::DefaultPersonRules()) {
    const bool replaced =
        !options.rules.empty() && rule.rule.identifier_class != linkage::IdentifierClass::kBsn;
    if (rule.quality != linkage::Quality::kSupporting && !replaced) rules.push_back(rule);
  }
  for (const std::string& text : options.rules) {
    const std::vector<std::string> fields = absl::StrSplit(text, '+');
    auto rule = linkage::DefineRule(text, linkage::kRecipeVersion, linkage::IdentifierClass::kPerson,
                                    linkage::Subject::kPerson, fields);
    if (!rule.ok()) return rule.status();
    rules.push_back({*std::move(rule), linkage::Quality::kStrong});
  }
  return rules;
}

// Every derived field of every record, for looking for rules: tab between columns, person and source first.
class FieldDump {
 public:
  explicit FieldDump(const std::string& path) {
    if (path.empty()) return;
    out_.open(path, std::ios::binary);
    out_ << "person\tsource";
    for (const linkage::DerivedField& field : linkage::DerivedFields()) out_ << "\t" << field.name;
    out_ << "\n";
  }
  void Add(uint32_t person, uint32_t source, const linkage::Normalised& record) {
    if (!out_.is_open()) return;
    out_ << person << "\t" << source;
    for (const linkage::DerivedField& field : linkage::DerivedFields()) out_ << "\t" << field.derive(record);
    out_ << "\n";
  }

 private:
  std::ofstream out_;
};

absl::StatusOr<Report> JudgeFiles(const Options& options, const std::vector<linkage::DefaultRule>& rules) {
  std::vector<Item> items;
  FieldDump dump(options.fields);
  for (uint32_t source = 0; source < options.files.size(); ++source) {
    std::ifstream file(options.files[source], std::ios::binary);
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", options.files[source]));
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto rows = ParseFebrl(text);
    if (!rows.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(options.files[source], ": ", rows.status().message()));
    }
    for (const FebrlRow& row : *rows) {
      items.push_back(MakeItem(row.person, source, row.fields, rules));
      dump.Add(row.person, source, row.fields);
    }
  }
  const Pairs pairs = options.files.size() == 1 ? Pairs::kAll : Pairs::kAcrossSources;
  Report report;
  report.title = absl::StrCat(items.size(), " records in FEBRL's form, ",
                              pairs == Pairs::kAll ? "one file: duplicates" : "two files: links");
  report.without_id = Judge(items, rules, Without(rules, false), pairs);
  report.with_id = Judge(items, rules, Without(rules, true), pairs);
  return report;
}

Report JudgeRegion(const Options& options, const Population& population, const std::vector<Signal>& signals,
                   const std::vector<linkage::DefaultRule>& rules) {
  std::vector<Item> items;
  FieldDump dump(options.fields);
  for (const Signal& signal : signals) {
    // A record that is refused links to nobody: its pairs are missed.
    const auto fields = linkage::Normalise(signal.record, population.today, linkage::Recipe::kTwo);
    items.push_back(
        MakeItem(signal.person, signal.partner, fields.ok() ? *fields : linkage::Normalised(), rules));
  }
  for (const Signal& signal : signals) {
    const auto fields = linkage::Normalise(signal.record, population.today, linkage::Recipe::kTwo);
    if (fields.ok()) dump.Add(signal.person, signal.partner, *fields);
  }
  Report report;
  report.title = absl::StrCat("made region: ", population.people.size(), " people, ", signals.size(),
                              " signals, errors ", options.level, ", seed ", options.seed);
  report.without_id = Judge(items, rules, Without(rules, false), Pairs::kAcrossSources);
  report.with_id = Judge(items, rules, Without(rules, true), Pairs::kAcrossSources);
  const std::vector<uint32_t> sets = Link(items, Without(rules, true), Pairs::kAcrossSources);
  report.no_id_on_either_side =
      Count(items, sets, Pairs::kAcrossSources, [&](size_t i) { return signals[i].record.bsn.empty(); });
  const auto cut = [&](const std::string& by, const auto& group_of) {
    std::map<std::string, std::vector<bool>> members;
    for (size_t i = 0; i < items.size(); ++i) {
      std::vector<bool>& in = members[group_of(population.people[items[i].person])];
      in.resize(items.size());
      in[i] = true;
    }
    Subgroups groups{by, {}};
    for (const auto& [name, in] : members) {
      groups.parts.emplace_back(name,
                                Count(items, sets, Pairs::kAcrossSources, [&](size_t i) { return in[i]; }));
    }
    report.subgroups.push_back(std::move(groups));
  };
  cut("name origin", [](const Person& person) { return person.origin; });
  cut("age", [&](const Person& person) { return std::string(AgeBand(person.born, population.today)); });
  cut("sex", [](const Person& person) { return std::string(1, person.sex); });
  cut("moved", [](const Person& person) { return std::string(person.moved() ? "moved" : "stayed"); });
  return report;
}

// As it stands in a covenant's text.
std::string CovenantLine(const linkage::DefaultRule& rule) {
  const char* const kClass[] = {"", "BSN", "PERSON", "ADDRESS"};
  const char* const kQuality[] = {"", "EXACT", "STRONG", "SUPPORTING"};
  std::string out =
      absl::StrCat("rules { id: \"", rule.rule.id,
                   "\" identifier_class: ", kClass[static_cast<size_t>(rule.rule.identifier_class)],
                   " quality: ", kQuality[static_cast<size_t>(rule.quality)], " version: ", rule.rule.version,
                   " subject: PERSON_SUBJECT");
  for (const linkage::DerivedField* field : rule.rule.fields)
    absl::StrAppend(&out, " fields: \"", field->name, "\"");
  return out + " }";
}

int Run(const Options& options) {
  const auto rules = RulesOf(options);
  if (!rules.ok()) {
    std::cerr << rules.status().message() << "\n";
    return 2;
  }
  if (options.print_rules) {
    for (const auto& rule : *rules) std::cout << CovenantLine(rule) << "\n";
    return 0;
  }
  absl::StatusOr<Report> report;
  if (!options.files.empty()) {
    report = JudgeFiles(options, *rules);
  } else {
    const Level level = options.level == "low"      ? Level::kLow
                        : options.level == "middle" ? Level::kMiddle
                                                    : Level::kHigh;
    const Population population = MakePopulation(options.people, options.seed, kToday);
    const std::vector<Signal> signals = MakeSignals(population, level, options.seed);
    if (!options.write.empty() && !WriteSignals(options.write, signals)) {
      std::cerr << "cannot write " << options.write << "\n";
      return 1;
    }
    report = JudgeRegion(options, population, signals, *rules);
    if (!options.write.empty() && !WriteMatches(options.write, population, signals, *rules)) return 1;
  }
  if (!report.ok()) {
    std::cerr << report.status().message() << "\n";
    return 1;
  }
  std::cout << (options.json ? Json(*report) : Tables(*report));
  return 0;
}

}  // namespace
}  // namespace raakvlak::quality

int main(int argc, char** argv) {
  raakvlak::quality::Options options;
  CLI::App app(
      "Judges linkage: one FEBRL file = duplicates in it, two = links between them, none = a made region");
  app.add_option("files", options.files, "one or two files in FEBRL's CSV form")->expected(0, 2);
  app.add_option("--people", options.people, "people of the made region")->check(CLI::Range(1, 5'000'000));
  app.add_option("--seed", options.seed, "the same seed, the same region");
  app.add_option("--level", options.level, "of errors")->check(CLI::IsMember({"low", "middle", "high"}));
  app.add_option("--write", options.write,
                 "also write the partners' CSV files and the matches to this folder");
  app.add_option("--fields", options.fields, "also write all derived fields of each record to this file");
  app.add_option("--rule", options.rules,
                 "instead of the default rules: FIELD+FIELD+... (repeat; bsn stays)");
  app.add_flag("--print-rules", options.print_rules, "only print the rules as a covenant has them");
  app.add_flag("--json", options.json, "only JSON on standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return raakvlak::quality::Run(options);
}

#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement.h"
#include "cli/agreement_io.h"
#include "cli/budget_output.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "cli/row_reader.h"
#include "linkage/default_rules.h"
#include "linkage/normalise.h"
#include "linkage/rules.h"
#include "policy/budget/covenant_budget.h"
#include "policy/covenant.h"

namespace raakvlak::cli {
namespace {

struct ExplainOptions {
  linkage::Record record;
  std::string file;
  uint64_t line = 0;
  std::string covenant;
  std::string purpose;
};

// The rules to try, and the day that bounds birth dates.
struct Frame {
  std::vector<linkage::QualifiedRule> rules;
  absl::CivilDay today;
};

absl::StatusOr<Frame> FrameOf(const ExplainOptions& options, absl::Time now) {
  Frame frame{linkage::DefaultPersonRules(), absl::ToCivilDay(now, absl::UTCTimeZone())};
  if (options.covenant.empty()) {
    const auto& household = linkage::DefaultHouseholdRules();
    frame.rules.insert(frame.rules.end(), household.begin(), household.end());
    return frame;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Covenant covenant, policy::ParseCovenantText(note.text));
  absl::TimeZone zone;
  if (absl::LoadTimeZone(covenant.time_zone(), &zone)) frame.today = absl::ToCivilDay(now, zone);
  for (const v1::Purpose& purpose : covenant.purposes()) {
    if (purpose.id() != options.purpose) continue;
    RAAKVLAK_ASSIGN_OR_RETURN(frame.rules, policy::RulesOf(purpose));
    return frame;
  }
  std::vector<std::string> ids;
  for (const v1::Purpose& purpose : covenant.purposes()) ids.push_back(purpose.id());
  return UsageError(absl::StrCat("--purpose is one of ", absl::StrJoin(ids, ", ")));
}

absl::StatusOr<linkage::Record> RecordAt(const std::string& file, uint64_t line) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kFileUnreadable,
                       absl::StrCat(file, " cannot be read"));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const auto reader, MakeRowReader(in, FormatOf(file)));
  Row row;
  while (reader->Next(row)) {
    if (row.line != line) continue;
    if (!row.reason.empty()) {
      return base::Error(absl::StatusCode::kInvalidArgument, row.reason,
                         absl::StrCat(file, ":", line, ": ", row.column));
    }
    linkage::Record record;
    record.bsn = row.record.bsn();
    record.surname = row.record.surname();
    record.surname_prefix = row.record.surname_prefix();
    record.given_names = row.record.given_names();
    record.birth_date = row.record.birth_date();
    record.postcode = row.record.postcode();
    record.house_number = row.record.house_number();
    record.house_letter = row.record.house_letter();
    record.house_suffix = row.record.house_suffix();
    return record;
  }
  return UsageError(absl::StrCat("no row of ", file, " starts at line ", line));
}

absl::string_view QualityName(linkage::Quality quality) {
  switch (quality) {
    case linkage::Quality::kExact:
      return "EXACT";
    case linkage::Quality::kStrong:
      return "STRONG";
    case linkage::Quality::kSupporting:
      return "SUPPORTING";
  }
  return "";
}

// Names and values, in the order of the format page.
nlohmann::ordered_json NormalisedJson(const linkage::Normalised& fields, linkage::Recipe recipe) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  const auto add = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  add("bsn", fields.bsn);
  if (recipe == linkage::Recipe::kOne) {
    add("surname", fields.surname);
    add("initial", fields.initial);
    add("birth_date", fields.birth_date);
  } else {
    const linkage::Record canonical = linkage::CanonicalRecord(fields, recipe);
    add("surname", absl::StrJoin(fields.surname_parts, " + "));
    add("surname_prefix", fields.surname_prefix);
    add("given_names", absl::StrJoin(fields.given_names, " "));
    add("birth_date", canonical.birth_date);
  }
  add("postcode", fields.postcode);
  add("house_number", fields.house_number);
  add("house_letter", fields.house_letter);
  add("house_suffix", fields.house_suffix);
  return json;
}

nlohmann::ordered_json RuleJson(const linkage::QualifiedRule& qualified, const linkage::Normalised& fields) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  nlohmann::ordered_json missing = nlohmann::ordered_json::array();
  for (const linkage::DerivedField* field : qualified.rule.fields) {
    const std::string name(field->name);
    const std::string value = field->derive(fields);
    if (value.empty()) {
      missing.push_back(name);
    } else {
      values[name] = value;
    }
  }
  const bool fires = missing.empty();
  return {{"id", qualified.rule.id},
          {"quality", std::string(QualityName(qualified.quality))},
          {"class", v1::IdentifierClass_Name(static_cast<int>(qualified.rule.identifier_class))},
          {"subject", qualified.rule.subject == linkage::Subject::kPerson ? "person" : "household"},
          {"fires", fires},
          {"fields", values},
          {"missing", missing}};
}

absl::StatusOr<ExitCode> Explain(const ExplainOptions& options, Context& context) {
  if (options.covenant.empty() != options.purpose.empty()) {
    return UsageError("--covenant and --purpose go together");
  }
  if (options.file.empty() != (options.line == 0)) return UsageError("--file and --line go together");
  linkage::Record record = options.record;
  if (!options.file.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(record, RecordAt(options.file, options.line));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const Frame frame, FrameOf(options, context.clock.Now()));
  const linkage::Recipe recipe = linkage::RecipeOf(frame.rules);
  RAAKVLAK_ASSIGN_OR_RETURN(const linkage::Normalised fields,
                            linkage::Normalise(record, frame.today, recipe));
  const nlohmann::ordered_json normalised = NormalisedJson(fields, recipe);
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (const linkage::QualifiedRule& rule : frame.rules) rules.push_back(RuleJson(rule, fields));
  if (context.json) {
    PrintJson(context.out,
              {{"recipe", static_cast<uint32_t>(recipe)}, {"normalised", normalised}, {"rules", rules}});
    return ExitCode::kOk;
  }
  Table given({"FIELD", "NORMALISED"});
  for (const auto& [name, value] : normalised.items()) given.Add({name, value.get<std::string>()});
  given.Print(context.out);
  context.out << "\n";
  Table table({"RULE", "QUALITY", "FIRES", "FIELDS"});
  for (const auto& rule : rules) {
    std::vector<std::string> cells;
    for (const auto& [name, value] : rule["fields"].items()) {
      cells.push_back(absl::StrCat(name, "=", value.get<std::string>()));
    }
    for (const auto& name : rule["missing"])
      cells.push_back(absl::StrCat(name.get<std::string>(), " missing"));
    table.Add(
        {rule["id"], rule["quality"], rule["fires"].get<bool>() ? "yes" : "no", absl::StrJoin(cells, ", ")});
  }
  table.Print(context.out);
  return ExitCode::kOk;
}

struct BudgetOptions {
  std::string covenant;
  uint64_t population = 0;
};

// Also for a covenant whose rules are over the budget: this is what one finds that out with.
absl::StatusOr<ExitCode> Budget(const BudgetOptions& options, Context& context) {
  if (options.covenant.empty() && options.population == 0) {
    return UsageError("linkage budget needs --population N or --covenant FILE");
  }
  std::vector<policy::RuleBudget> budget;
  uint64_t population = options.population;
  if (options.covenant.empty()) {
    budget = policy::BudgetOf("(persons)", linkage::DefaultPersonRules(), population);
    const auto households = policy::BudgetOf("(households)", linkage::DefaultHouseholdRules(), population);
    budget.insert(budget.end(), households.begin(), households.end());
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.covenant));
    RAAKVLAK_ASSIGN_OR_RETURN(v1::Covenant covenant, policy::ParseCovenantText(note.text));
    if (population != 0) covenant.set_population(static_cast<uint32_t>(population));
    population = covenant.population();
    if (population == 0) return UsageError("the covenant has no population: give --population N");
    RAAKVLAK_ASSIGN_OR_RETURN(budget, policy::BudgetOf(covenant));
  }
  if (context.json) {
    PrintJson(
        context.out,
        {{"population", population}, {"budget", linkage::kCollisionBudget}, {"rules", BudgetJson(budget)}});
    return ExitCode::kOk;
  }
  PrintBudget(context.out, budget, population);
  return ExitCode::kOk;
}

}  // namespace

void AddLinkageCommands(Commands& commands) {
  CLI::App& group = commands.Group("linkage", "How records are compared");
  auto options = std::make_shared<ExplainOptions>();
  CLI::App& explain =
      commands.Add(group, "explain",
                   "Show what normalisation makes of a record and which linkage rules it fires. Works on "
                   "this machine alone. "
                   "Prints personal data, on standard output only; other users of the machine may see "
                   "options, so take real "
                   "records from a file",
                   "raakvlak linkage explain --file signals.csv --line 2 --covenant covenant.note --purpose "
                   "onaantastbaren\n"
                   "raakvlak --json linkage explain --surname 'Berg, van den' --given-names Muhammad "
                   "--birth-date 2010-05-00",
                   Needs::kNothing, [options](Context& context) { return Explain(*options, context); });
  explain.add_option("--file", options->file, "File of signals (docs/format/signals_file.md)");
  explain.add_option("--line", options->line, "Line of the file where the row starts");
  explain.add_option("--covenant", options->covenant,
                     "Covenant, signed or not, whose rules are tried; without it, the default rules");
  explain.add_option("--purpose", options->purpose, "Purpose of that covenant");
  linkage::Record& record = options->record;
  explain.add_option("--bsn", record.bsn, "Citizen service number");
  explain.add_option("--surname", record.surname, "Surname as written");
  explain.add_option("--surname-prefix", record.surname_prefix, "Tussenvoegsel");
  explain.add_option("--given-names", record.given_names, "Given names or initials");
  explain.add_option("--birth-date", record.birth_date, "YYYY-MM-DD; 00 for what is not known");
  explain.add_option("--postcode", record.postcode, "Postcode");
  explain.add_option("--house-number", record.house_number, "House number");
  explain.add_option("--house-letter", record.house_letter, "House letter");
  explain.add_option("--house-suffix", record.house_suffix, "House number suffix");

  auto budget_options = std::make_shared<BudgetOptions>();
  CLI::App& budget = commands.Add(
      group, "budget",
      "Show how many other people each rule is expected to take for the person of a record. A rule over the "
      "budget may only support",
      "raakvlak linkage budget --population 300000\n"
      "raakvlak --json linkage budget --covenant covenant.note",
      Needs::kNothing, [budget_options](Context& context) { return Budget(*budget_options, context); });
  budget.add_option("--covenant", budget_options->covenant,
                    "Covenant, signed or not, whose rules are judged; without it, the default rules");
  budget
      .add_option("--population", budget_options->population,
                  "Inhabitants of the region; default the covenant's")
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000'000}));
}

}  // namespace raakvlak::cli

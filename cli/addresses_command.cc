#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement_io.h"
#include "cli/csv_reader.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "linkage/normalise.h"
#include "policy/excluded_addresses.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

struct AddressesNewOptions {
  std::string covenant;
  std::string from;
  std::string out;
  uint64_t number = 1;
};

struct AddressesSignOptions {
  SignOptions sign;
  std::string covenant;
};

struct AddressesShowOptions {
  std::string file;
  std::string covenant;
};

struct BadRow {
  uint64_t line;
  std::string column;
  std::string reason;
};

// Columns by their place in the header; none other may stand there.
absl::StatusOr<std::vector<std::string linkage::Record::*>> ReadHeader(const CsvRow& row) {
  const std::map<std::string, std::string linkage::Record::*> known = {
      {linkage::kPostcode, &linkage::Record::postcode},
      {linkage::kHouseNumber, &linkage::Record::house_number},
      {linkage::kHouseLetter, &linkage::Record::house_letter},
      {linkage::kHouseSuffix, &linkage::Record::house_suffix}};
  std::vector<std::string linkage::Record::*> columns;
  for (const std::string& name : row.fields) {
    const auto at = known.find(name);
    if (at == known.end()) {
      return UsageError("the header is postcode,house_number and, if wanted, house_letter,house_suffix");
    }
    columns.push_back(at->second);
  }
  for (const auto column : {&linkage::Record::postcode, &linkage::Record::house_number}) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      return UsageError("the header lacks postcode or house_number");
  }
  return columns;
}

// Every row is looked at, so that all bad ones can be told at once.
absl::StatusOr<std::set<std::string>> ReadAddresses(const std::string& file, absl::CivilDay today,
                                                    std::vector<BadRow>& out_bad) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kFileUnreadable,
                       absl::StrCat(file, " cannot be read"));
  }
  CsvReader reader(in);
  CsvRow row;
  if (!reader.Next(row) || !row.error.empty()) return UsageError(absl::StrCat(file, " has no header"));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto columns, ReadHeader(row));
  std::set<std::string> addresses;
  while (reader.Next(row)) {
    if (!row.error.empty() || row.fields.size() != columns.size()) {
      out_bad.push_back({row.line, "", row.error.empty() ? base::reason::kRowMalformed : row.error});
      continue;
    }
    linkage::Record record;
    for (size_t i = 0; i < columns.size(); ++i) record.*columns[i] = row.fields[i];
    const auto fields = linkage::Normalise(record, today, linkage::Recipe::kTwo);
    if (!fields.ok()) {
      out_bad.push_back({row.line, linkage::FieldOf(fields.status()), base::ReasonOf(fields.status())});
    } else if (fields->postcode.empty() || fields->house_number.empty()) {
      out_bad.push_back({row.line, fields->postcode.empty() ? linkage::kPostcode : linkage::kHouseNumber,
                         base::reason::kFieldMissing});
    } else {
      addresses.insert(absl::StrCat(fields->postcode, " ", fields->house_number));
    }
  }
  return addresses;
}

// One address left out joins strangers: with a bad row there is no list.
absl::StatusOr<ExitCode> New(const AddressesNewOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
  const absl::Time now = context.clock.Now();
  std::vector<BadRow> bad;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto addresses,
                            ReadAddresses(options.from, covenant->CivilDayAt(now), bad));
  if (!bad.empty()) {
    if (context.json) {
      nlohmann::ordered_json rows = nlohmann::ordered_json::array();
      for (const BadRow& row : bad)
        rows.push_back(
            {{"file", options.from}, {"line", row.line}, {"column", row.column}, {"reason", row.reason}});
      PrintJson(context.out, {{"rejected", rows}});
    }
    for (const BadRow& row : bad) {
      context.err << Printable(options.from) << ":" << row.line << ": "
                  << (row.column.empty() ? "" : row.column + ": ") << row.reason << "\n";
    }
    context.err << "no list was made: " << bad.size() << " bad rows\n";
    return ExitCode::kError;
  }
  // To the second, as it is written.
  const absl::Time issued = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  const std::string text =
      policy::FormatExcludedAddresses({covenant->region(), options.number, issued, addresses});
  RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, text, context));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Sign(const AddressesSignOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.sign.in));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto list, policy::ParseExcludedAddresses(note.text));
  if (list.region != covenant->region()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kExcludedListInvalid,
                       "the list of excluded addresses is of another region");
  }
  return SignAgreement(options.sign, note, {covenant->HubVerifier()}, context);
}

absl::StatusOr<ExitCode> Show(const AddressesShowOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.file));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto list, policy::ParseExcludedAddresses(note.text));
  const bool verified = !options.covenant.empty();
  if (verified) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
    RAAKVLAK_ASSIGN_OR_RETURN(const auto checked,
                              policy::ExcludedAddresses::Verify(crypto::note::Format(note), *covenant));
    RAAKVLAK_RETURN_IF_ERROR(checked->CheckFresh(*covenant, context.clock.Now()));
  }
  const std::string issued = policy::FormatUtc(list.issued);
  if (context.json) {
    PrintJson(context.out, {{"verified", verified},
                            {"region", list.region},
                            {"number", list.number},
                            {"issued", issued},
                            {"addresses", list.addresses}});
    return ExitCode::kOk;
  }
  context.out << "excluded addresses " << list.number
              << (verified ? ", verified" : ", not verified: give --covenant FILE") << "\n";
  PrintLine(context.out, "region", list.region);
  PrintLine(context.out, "issued", issued);
  for (const std::string& address : list.addresses) context.out << "  " << Printable(address) << "\n";
  return ExitCode::kOk;
}

}  // namespace

void AddAddressesCommands(Commands& commands) {
  CLI::App& group =
      commands.Group("addresses", "Where addresses are not matched: institutions, shelters, student houses");

  auto new_options = std::make_shared<AddressesNewOptions>();
  CLI::App& make = commands.Add(
      group, "new",
      "Check a CSV file of addresses and write the list, dated now, unsigned. A house number stands for all "
      "its letters and suffixes",
      "raakvlak addresses new --covenant covenant.note --from institutions.csv --number 12 --out "
      "addresses.note",
      Needs::kNothing, [new_options](Context& context) { return New(*new_options, context); });
  make.add_option("--covenant", new_options->covenant, "Signed covenant of the region")->required();
  make.add_option("--from", new_options->from,
                  "CSV with the header postcode,house_number[,house_letter,house_suffix]")
      ->required();
  make.add_option("--number", new_options->number, "One more than the last list's")
      ->required()
      ->check(CLI::PositiveNumber);
  make.add_option("--out", new_options->out, "New file to write; default standard output");

  auto sign_options = std::make_shared<AddressesSignOptions>();
  CLI::App& sign = commands.Add(
      group, "sign", "Sign a list as the hub",
      "raakvlak addresses sign --covenant covenant.note --in addresses.note --key hub.pem "
      "--name urn:raakvlak:maastricht:hub:veiligheidshuis",
      Needs::kNothing, [sign_options](Context& context) { return Sign(*sign_options, context); });
  sign.add_option("--covenant", sign_options->covenant, "Signed covenant of the region")->required();
  sign.add_option("--in", sign_options->sign.in, "List")->required();
  sign.add_option("--out", sign_options->sign.out, "New file to write; default the same file");
  sign.add_option("--key", sign_options->sign.key, "Ed25519 private key, PEM, mode 0600")->required();
  sign.add_option("--name", sign_options->sign.name, "URN of the hub")->required();

  auto show_options = std::make_shared<AddressesShowOptions>();
  CLI::App& show = commands.Add(
      group, "show", "Show a list; with --covenant, verify first that it is signed and not too old",
      "raakvlak addresses show --covenant covenant.note addresses.note", Needs::kNothing,
      [show_options](Context& context) { return Show(*show_options, context); });
  show.add_option("FILE", show_options->file, "List")->required();
  show.add_option("--covenant", show_options->covenant, "Signed covenant of the region");
}

}  // namespace raakvlak::cli

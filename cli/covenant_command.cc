#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement_io.h"
#include "cli/budget_output.h"
#include "cli/covenant_changes.h"
#include "cli/covenant_successor.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "cli/policy_publish.h"
#include "policy/budget/covenant_budget.h"
#include "policy/keyset/key_files.h"
#include "policy/note_folder.h"
#include "policy/succession.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

constexpr char kBasicRules[] = "basic";
constexpr char kDefaultRules[] = "default";

struct FileOptions {
  std::string from;
  std::string previous;
  // PURPOSE=PUBLIC_KEY.
  std::vector<std::string> seal_keys;
  SuccessorTerms terms;
  std::string rules;
  std::string out;
};

absl::StatusOr<ExitCode> NewSuccessor(FileOptions options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto previous, ReadCovenant(options.previous));
  if (options.terms.valid_from.empty()) options.terms.valid_from = policy::FormatUtc(context.clock.Now());
  for (const std::string& pair : options.seal_keys) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) return UsageError("--seal-key takes PURPOSE=PUBLIC_KEY");
    options.terms.seal_keys[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text, SuccessorText(*previous, options.terms));
  RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, text, context));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> New(const FileOptions& options, Context& context) {
  if (!options.previous.empty() && options.from.empty()) return NewSuccessor(options, context);
  if (!options.previous.empty()) return UsageError("give --from or --previous, not both");
  if (!options.terms.next_epochs.empty() || !options.seal_keys.empty() || !options.terms.valid_from.empty())
    return UsageError("--next-epoch, --seal-key and --valid-from go with --previous");
  if (options.from.empty()) {
    const std::string sample = options.rules == kBasicRules ? std::string(kCovenantSample) : CovenantSample();
    RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, sample, context));
    return ExitCode::kOk;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string input,
                            base::ReadFile(options.from, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text, NewCovenant(input));
  RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, text, context));
  return ExitCode::kOk;
}

struct CovenantSignOptions {
  SignOptions sign;
  std::string previous;
};

struct CovenantVerifyOptions {
  std::string file;
  std::string previous;
};

struct CovenantWithdrawOptions {
  std::string covenant;
  std::string partner;
  std::string key;
  std::string out;
  bool publish = false;
};

absl::StatusOr<ExitCode> Sign(const CovenantSignOptions& all_options, Context& context) {
  const SignOptions& options = all_options.sign;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.in));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Covenant covenant, policy::ParseCovenantText(note.text));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckCovenant(covenant));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLinkage(covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(auto verifiers, policy::SignersOf(covenant));
  if (!all_options.previous.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto previous, ReadCovenant(all_options.previous));
    RAAKVLAK_ASSIGN_OR_RETURN(const auto before, policy::SignersOf(previous->text()));
    for (const auto& verifier : before) {
      const bool same = std::any_of(verifiers.begin(), verifiers.end(), [&](const auto& other) {
        return other.name() == verifier.name() && other.key() == verifier.key();
      });
      if (!same) verifiers.push_back(verifier);
    }
  }
  return SignAgreement(options, note, verifiers, context);
}

absl::StatusOr<ExitCode> Verify(const CovenantVerifyOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                            base::ReadFile(options.file, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, VerifyCovenant(bytes));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLinkage(covenant->text()));
  std::vector<std::string> changes;
  if (options.previous.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(covenant->CheckValidAt(context.clock.Now()));
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto previous, ReadCovenant(options.previous));
    RAAKVLAK_RETURN_IF_ERROR(policy::CheckSuccessor(*policy::CovenantChain::Create({previous}), *covenant));
    changes = CovenantChanges(previous->text(), covenant->text());
  }
  const std::vector<std::string> warnings = policy::CollusionWarnings(covenant->text());
  const std::vector<std::string> notes = policy::QuotaNotes(covenant->text());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto budget, policy::BudgetOf(covenant->text()));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto enumerations, policy::EnumerationsOf(covenant->text()));
  const std::vector<std::string> consents = policy::LinkageNotes(budget, enumerations);
  if (context.json) {
    PrintJson(context.out, {{"id", base::Hex(covenant->id())},
                            {"region", covenant->region()},
                            {"version", covenant->text().version()},
                            {"valid_until", covenant->text().valid_until()},
                            {"warnings", warnings},
                            {"quota_notes", notes},
                            {"budget", BudgetJson(budget)},
                            {"changes", changes},
                            {"consents", consents}});
    return ExitCode::kOk;
  }
  context.out << "covenant " << base::Hex(covenant->id()) << "\n";
  PrintLine(context.out, "region", covenant->region());
  PrintLine(context.out, "version", absl::StrCat(covenant->text().version()));
  PrintLine(context.out, "valid until", covenant->text().valid_until());
  PrintLine(context.out, "signatures", "all partners and the hub");
  for (const std::string& warning : warnings) context.out << "warning: " << Printable(warning) << "\n";
  for (const std::string& note : notes) context.out << "quota: " << Printable(note) << "\n";
  for (const std::string& consent : consents) context.out << "consent: " << Printable(consent) << "\n";
  for (const std::string& change : changes) context.out << "change: " << Printable(change) << "\n";
  context.out << "\n";
  PrintBudget(context.out, budget, covenant->text().population());
  return ExitCode::kOk;
}

void PrintPartners(const v1::Covenant& covenant, std::ostream& out) {
  Table table({"PARTNER", "NAME", "ORGANISATION", "CLASS", "BSN", "INDEX", "KEY SHARE"});
  const auto holders = policy::KeyHolders(covenant);
  for (const v1::Partner& partner : covenant.partners()) {
    const auto holder = holders.find(partner.index());
    table.Add({partner.id(), partner.name(), partner.organisation(),
               v1::ParticipantClass_Name(partner.participant_class()), partner.bsn_entitled() ? "yes" : "no",
               absl::StrCat(partner.index()), holder->second == partner.id() ? "yes" : "no"});
  }
  table.Print(out);
}

void PrintPurposes(const v1::Covenant& covenant, std::ostream& out) {
  Table table(
      {"PURPOSE", "MODE", "K", "LEGAL BASIS", "RULES", "SUBMITTERS", "CASE REPORTERS", "DAYS", "AGES"});
  for (const v1::Purpose& purpose : covenant.purposes()) {
    std::vector<std::string> rules;
    for (const v1::LinkageRule& rule : purpose.rules()) {
      const std::string fields =
          rule.fields().empty() ? "" : absl::StrCat(" (", absl::StrJoin(rule.fields(), " "), ")");
      rules.push_back(absl::StrCat(rule.id(), " ", v1::Quality_Name(rule.quality()), fields));
    }
    const std::string below = purpose.age_below() == 0 ? "" : absl::StrCat(" to ", purpose.age_below() - 1);
    const bool bound = purpose.age_from() != 0 || purpose.age_below() != 0;
    table.Add({purpose.id(), v1::Mode_Name(purpose.mode()), absl::StrCat(purpose.disclosure_threshold()),
               purpose.legal_basis(), absl::StrJoin(rules, ", "), absl::StrJoin(purpose.submitters(), ", "),
               absl::StrJoin(purpose.case_reporters(), ", "), absl::StrCat(purpose.retention_days()),
               bound ? absl::StrCat("from ", purpose.age_from(), below) : "all"});
  }
  table.Print(out);
}

// Shows also what is not signed yet: that is what a signer reads before signing.
absl::StatusOr<ExitCode> Show(const std::string& file, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(file));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Covenant covenant, policy::ParseCovenantText(note.text));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto verifiers, policy::SignersOf(covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const Signers signers, SignersOf(note, verifiers));
  const std::string id = base::Hex(base::Sha256(note.text));
  if (context.json) {
    PrintJson(context.out,
              {{"id", id}, {"signatures", SignersJson(signers)}, {"covenant", MessageJson(covenant)}});
    return ExitCode::kOk;
  }
  context.out << "covenant " << id << "\n";
  PrintLine(context.out, "region",
            absl::StrCat(covenant.region(), ", ", covenant.population(), " inhabitants"));
  PrintLine(context.out, "version", absl::StrCat(covenant.version()));
  if (!covenant.supersedes().empty()) PrintLine(context.out, "supersedes", covenant.supersedes());
  PrintLine(context.out, "valid", absl::StrCat(covenant.valid_from(), " until ", covenant.valid_until()));
  PrintLine(context.out, "broker",
            absl::StrCat(covenant.broker().organisation(), " ", covenant.broker().address()));
  PrintLine(context.out, "hub", absl::StrCat(covenant.hub().name(), " ", covenant.hub().organisation()));
  PrintLine(context.out, "quorum",
            absl::StrCat(covenant.quorum(), " of ", policy::KeyHolders(covenant).size(), " key holders"));
  PrintLine(context.out, "witnesses",
            absl::StrCat("the broker's log needs ", policy::WitnessQuorum(covenant), " of ",
                         covenant.partners_size(), " partners"));
  context.out << "\n";
  PrintPartners(covenant, context.out);
  context.out << "\n";
  PrintPurposes(covenant, context.out);
  context.out << "\n";
  // A covenant that is refused is shown too; what its rules would come to is then said without.
  if (covenant.population() > 0) {
    const auto budget = policy::BudgetOf(covenant);
    if (budget.ok()) PrintBudget(context.out, *budget, covenant.population());
    context.out << "\n";
  }
  PrintSigners(context.out, signers);
  return ExitCode::kOk;
}

// The broker says of no signature which one is missing: then that is looked at here.
absl::StatusOr<ExitCode> Apply(const std::string& file, Context& context) {
  auto published = PublishFile(file, context);
  if (base::ReasonOf(published.status()) != base::reason::kSignatureInvalid) return published;
  RAAKVLAK_RETURN_IF_ERROR(ReadCovenant(file).status());
  return published;
}

absl::StatusOr<ExitCode> Withdraw(const CovenantWithdrawOptions& options, Context& context) {
  if (!options.publish && options.out.empty()) return UsageError("give --out FILE, --publish, or both");
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
  if (covenant->FindPartner(options.partner) == nullptr)
    return UsageError(absl::StrCat("the covenant has no partner ", options.partner));
  if (options.publish && context.services == nullptr) return UsageError("--publish needs --region");
  RAAKVLAK_ASSIGN_OR_RETURN(const auto key, policy::ReadSigningKey(options.key));
  crypto::note::Note note{policy::WithdrawalText(covenant->id(), options.partner), {}};
  const auto& verifier = covenant->PartnerVerifier(options.partner);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string signed_note, SignFile(note, {verifier}, verifier.name(), key));
  if (!options.out.empty()) RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, signed_note, context));
  return options.publish ? PublishNote(signed_note, context) : ExitCode::kOk;
}

}  // namespace

void AddCovenantCommands(Commands& commands) {
  CLI::App& group = commands.Group("covenant", "The agreement between the partners of a region");

  auto new_options = std::make_shared<FileOptions>();
  CLI::App& make = commands.Add(
      group, "new", "Check a covenant's text and write it in its normal form, unsigned",
      "raakvlak covenant new > covenant.textproto    # a commented sample to fill in\n"
      "raakvlak covenant new --rules basic > covenant.textproto\n"
      "raakvlak covenant new --from covenant.textproto --out covenant.note\n"
      "raakvlak covenant new --previous covenant.note --valid-from 2027-01-01T00:00:00Z > next.textproto\n"
      "raakvlak covenant new --previous covenant.note --next-epoch risicojeugd --seal-key "
      "risicojeugd=PUBLIC_KEY --valid-from 2027-01-01T00:00:00Z --out next.note",
      Needs::kNothing, [new_options](Context& context) { return New(*new_options, context); });
  make.add_option("--from", new_options->from, "Text to check; without it, print a commented sample");
  make.add_option("--previous", new_options->previous,
                  "Signed covenant to follow: its text with the next version and what it supersedes");
  make.add_option("--next-epoch", new_options->terms.next_epochs,
                  "With --previous: a purpose that gets new keys; may be given more than once");
  make.add_option("--seal-key", new_options->seal_keys,
                  "PURPOSE=PUBLIC_KEY, for each --next-epoch: what `key new --kind seal` printed at the hub");
  make.add_option("--valid-from", new_options->terms.valid_from, "With --previous; default now");
  make.add_option("--valid-until", new_options->terms.valid_until,
                  "With --previous; default as in the previous one");
  make.add_option("--rules", new_options->rules,
                  "Linkage rules of the sample: default (the measured set), or basic (BSN, and surname with "
                  "initial and date of birth)")
      ->check(CLI::IsMember({kDefaultRules, kBasicRules}));
  make.add_option("--out", new_options->out, "New file to write; default standard output");

  auto sign_options = std::make_shared<CovenantSignOptions>();
  CLI::App& sign = commands.Add(group, "sign", "Add one signature. All partners and the hub must sign",
                                "raakvlak covenant sign --in covenant.note --key politie.pem --name "
                                "urn:raakvlak:maastricht:node:politie",
                                Needs::kNothing,
                                [sign_options](Context& context) { return Sign(*sign_options, context); });
  sign.add_option("--previous", sign_options->previous,
                  "Covenant that this one follows: its partners sign too, with the keys they have there");
  sign.add_option("--in", sign_options->sign.in, "Covenant, signed by others or not yet")->required();
  sign.add_option("--out", sign_options->sign.out, "New file to write; default the same file");
  sign.add_option("--key", sign_options->sign.key, "Ed25519 private key, PEM, mode 0600")->required();
  sign.add_option("--name", sign_options->sign.name, "URN of the signer")->required();

  auto verify_options = std::make_shared<CovenantVerifyOptions>();
  CLI::App& verify = commands.Add(
      group, "verify",
      "Check signatures, rules and validity; say what falls when parties collude, and what the quotas allow",
      "raakvlak covenant verify covenant.note\n"
      "raakvlak covenant verify --previous covenant.note next.note",
      Needs::kNothing, [verify_options](Context& context) { return Verify(*verify_options, context); },
      "approval by a second person (four_eyes), mode OTHER_LAW; this version refuses "
      "purposes that need them");
  verify.add_option("FILE", verify_options->file, "Signed covenant")->required();
  verify.add_option("--previous", verify_options->previous,
                    "Covenant that it follows: check that it may, and say what changes; validity is not "
                    "checked, its time may still come");

  auto apply_file = std::make_shared<std::string>();
  CLI::App& apply = commands.Add(
      group, "apply", "Hand a signed covenant to the broker, which hands it to every node and the hub",
      "raakvlak --region region.json --as operator-politie covenant apply next.note", Needs::kRegion,
      [apply_file](Context& context) { return Apply(*apply_file, context); });
  apply.add_option("FILE", *apply_file, "Covenant that follows the newest, signed by all")->required();

  auto withdraw_options = std::make_shared<CovenantWithdrawOptions>();
  CLI::App& withdraw = commands.Add(
      group, "withdraw",
      "Withdraw a partner's signature: with the broker's next call it is out, as if suspended",
      "raakvlak --region region.json --as operator-politie covenant withdraw --covenant covenant.note "
      "--partner politie --key politie.pem --publish\n"
      "raakvlak covenant withdraw --covenant covenant.note --partner politie --key politie.pem --out "
      "withdrawal.note",
      Needs::kRegionIfGiven,
      [withdraw_options](Context& context) { return Withdraw(*withdraw_options, context); });
  withdraw.add_option("--covenant", withdraw_options->covenant, "Covenant that the partner signed")
      ->required();
  withdraw.add_option("--partner", withdraw_options->partner, "Its id")->required();
  withdraw.add_option("--key", withdraw_options->key, "The partner's signing key, PEM, mode 0600")
      ->required();
  withdraw.add_option("--out", withdraw_options->out, "New file for the signed withdrawal");
  withdraw.add_flag("--publish", withdraw_options->publish, "Hand it to the broker");

  auto show_file = std::make_shared<std::string>();
  CLI::App& show =
      commands.Add(group, "show", "Show what a covenant says, and who has signed it",
                   "raakvlak covenant show covenant.note\nraakvlak --json covenant show covenant.note",
                   Needs::kNothing, [show_file](Context& context) { return Show(*show_file, context); });
  show.add_option("FILE", *show_file, "Covenant, signed or not")->required();
}

}  // namespace raakvlak::cli

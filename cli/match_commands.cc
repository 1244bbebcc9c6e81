#include "cli/match_commands.h"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/evidence_text.h"
#include "cli/matches.h"
#include "cli/output.h"
#include "crypto/tlog/leaf.h"
#include "policy/log_trust.h"
#include "policy/order.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShownIdSize = 12;
constexpr size_t kMinIdSize = 4;

std::string SubjectName(v1::SubjectKind subject) {
  return subject == v1::HOUSEHOLD_SUBJECT ? "household"
         : subject == v1::PERSON_SUBJECT  ? "person"
                                          : "unknown";
}
std::string StateName(v1::MatchState state) {
  return state == v1::CLOSED ? "closed" : state == v1::OPEN ? "open" : "unknown";
}
std::string KindName(v1::SignalKind kind) {
  return kind == v1::CASE_REPORT ? "case_report" : kind == v1::SIGNAL ? "signal" : "unknown";
}
std::string QualityName(v1::Quality quality) { return v1::Quality_Name(quality); }

std::vector<std::string> Strings(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return {values.begin(), values.end()};
}

// The purpose is of the covenant, by which orders for it were made.
Json EvidenceJson(const v1::MatchSummary& match, const policy::Covenant& covenant) {
  const v1::Purpose* purpose = covenant.FindPurpose(match.purpose());
  Json list = Json::array();
  for (const v1::RuleEvidence& evidence : match.evidence()) {
    list.push_back({{"rule", evidence.rule()},
                    {"quality", QualityName(evidence.quality())},
                    {"agree", Strings(evidence.agree())},
                    {"differ", Strings(evidence.differ())},
                    {"absent", Strings(evidence.absent())},
                    {"text", EvidenceSentence(evidence, purpose == nullptr ? v1::Purpose() : *purpose)}});
  }
  return list;
}

void PrintEvidence(const v1::MatchSummary& match, const policy::Covenant& covenant, std::ostream& out) {
  for (const Json& evidence : EvidenceJson(match, covenant)) {
    out << "  " << Printable(evidence["text"].get<std::string>()) << "\n";
  }
}

Json MatchJson(const v1::MatchSummary& match, const policy::Covenant& covenant) {
  Json merged = Json::array();
  for (const std::string& id : match.merged_ids()) merged.push_back(base::Hex(id));
  return {{"id", base::Hex(match.match_id())},
          {"purpose", match.purpose()},
          {"subject", SubjectName(match.subject())},
          {"quality", QualityName(match.quality())},
          {"rules", Strings(match.rules())},
          {"partners", Strings(match.partners())},
          {"signals", match.signals()},
          {"first_day", DayText(match.first_day())},
          {"last_day", DayText(match.last_day())},
          {"state", StateName(match.state())},
          {"conflict", match.conflict()},
          {"merged_ids", merged},
          {"evidence", EvidenceJson(match, covenant)}};
}

struct ListOptions {
  std::string purpose;
  bool all = false;
};

absl::StatusOr<ExitCode> ListMatches(const ListOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Matches matches, Matches::Create(context));
  std::vector<std::string> purposes = {options.purpose};
  if (options.purpose.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(purposes, matches.Purposes());
  }
  Json list = Json::array();
  Table table(
      {"ID", "PURPOSE", "SUBJECT", "QUALITY", "RULES", "PARTNERS", "SIGNALS", "FIRST", "LAST", "STATE"});
  std::ostringstream why;
  for (const std::string& purpose : purposes) {
    RAAKVLAK_RETURN_IF_ERROR(matches.List(purpose, options.all, [&](const v1::MatchSummary& match) {
      if (context.json) {
        list.push_back(MatchJson(match, matches.covenant()));
        return;
      }
      table.Add({base::Hex(match.match_id()).substr(0, kShownIdSize), match.purpose(),
                 SubjectName(match.subject()), QualityName(match.quality()),
                 absl::StrJoin(match.rules(), ","), absl::StrJoin(match.partners(), ","),
                 absl::StrCat(match.signals()), DayText(match.first_day()), DayText(match.last_day()),
                 StateName(match.state()) + (match.conflict() ? " CONFLICT" : "")});
      if (match.evidence().empty()) return;
      why << "\n" << base::Hex(match.match_id()).substr(0, kShownIdSize) << "\n";
      PrintEvidence(match, matches.covenant(), why);
    }));
  }
  if (context.json) {
    PrintJson(context.out, {{"matches", list}});
  } else {
    table.Print(context.out);
    context.out << why.str();
  }
  return ExitCode::kOk;
}

struct OpenOptions {
  std::string id;
  std::string purpose;
  std::string case_reference;
  std::string reason;
  std::string proof_file;
};

// By whoever may read it.
constexpr unsigned kOpeningProofMode = 0600;

Json LoggedJson(const v1::LogEntry& logged) {
  return {{"log", logged.log()},
          {"index", logged.index()},
          {"time", TimeText(logged.time_ms())},
          {"leaf", base::Hex(logged.leaf())},
          {"salt", base::Hex(logged.salt())},
          {"details", base::Base64(logged.details())}};
}

Json OpenedJson(const v1::OpenCaseResponse& opened, const policy::Covenant& covenant) {
  Json signals = Json::array();
  for (const v1::OpenedSignal& signal : opened.signals()) {
    signals.push_back({{"partner", signal.partner()},
                       {"client_ref", signal.client_ref()},
                       {"kind", KindName(signal.kind())},
                       {"category", signal.category()},
                       {"contact", signal.contact()},
                       {"note", signal.note()},
                       {"day", DayText(signal.submitted_day())},
                       {"rules", Strings(signal.rules())}});
  }
  Json faults = Json::array();
  for (const v1::Fault& fault : opened.faults()) {
    faults.push_back({{"partner", fault.partner()}, {"reason", fault.reason()}});
  }
  return {{"match", MatchJson(opened.match(), covenant)},
          {"logged", LoggedJson(opened.logged())},
          {"signals", signals},
          {"faults", faults}};
}

void PrintOpened(const v1::OpenCaseResponse& opened, const OpenOptions& options,
                 const policy::Covenant& covenant, std::ostream& out) {
  const v1::MatchSummary& match = opened.match();
  out << "match     " << base::Hex(match.match_id()) << "\n";
  out << "purpose   " << Printable(match.purpose()) << "\n";
  out << "case      " << Printable(options.case_reference) << "\n";
  out << "logged    " << Printable(opened.logged().log()) << ", entry " << opened.logged().index() << "\n";
  out << "quality   " << QualityName(match.quality()) << " (" << Printable(absl::StrJoin(match.rules(), ", "))
      << ")\n";
  out << "partners  " << Printable(absl::StrJoin(match.partners(), ", ")) << "\n";
  if (!match.evidence().empty()) out << "why\n";
  PrintEvidence(match, covenant, out);
  if (match.conflict()) out << "CONFLICT  two commitments stood under one tag: look into it before acting\n";
  for (const v1::OpenedSignal& signal : opened.signals()) {
    out << "\n" << Printable(signal.partner()) << "  " << Printable(signal.client_ref()) << "\n";
    out << "  kind      " << KindName(signal.kind()) << "\n";
    out << "  category  " << Printable(signal.category()) << "\n";
    out << "  day       " << DayText(signal.submitted_day()) << "\n";
    out << "  rules     " << Printable(absl::StrJoin(signal.rules(), ", ")) << "\n";
    out << "  contact   " << Printable(signal.contact()) << "\n";
    out << "  note      " << Printable(signal.note()) << "\n";
  }
  for (const v1::Fault& fault : opened.faults()) {
    out << "\nnot opened: a signal of " << Printable(fault.partner()) << ": " << Printable(fault.reason())
        << "\n";
  }
}

// Only what proves the entry: a file that does not is worse than none.
absl::Status WriteProof(const std::string& path, const v1::OpenCaseResponse& opened,
                        const policy::Covenant& covenant) {
  const v1::LogEntry& logged = opened.logged();
  RAAKVLAK_RETURN_IF_ERROR(crypto::tlog::VerifyLeaf(logged.leaf(), logged.salt(), logged.details()));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLogProof(logged, opened.proof(), covenant).status());
  return base::WriteFileAtomically(path, opened.proof(), kOpeningProofMode);
}

absl::StatusOr<ExitCode> OpenMatch(const OpenOptions& options, Context& context) {
  // An odd number of digits is fine: it is the beginning of an id.
  const bool hexadecimal = options.id.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!hexadecimal || options.id.size() < kMinIdSize || options.id.size() > 32) {
    return UsageError(
        absl::StrCat("ID is ", kMinIdSize, " to 32 hexadecimal digits, the beginning of a match's id"));
  }
  if (options.case_reference.empty() || options.case_reference.size() > policy::kMaxCaseReferenceSize) {
    return UsageError(absl::StrCat("--case takes 1 to ", policy::kMaxCaseReferenceSize, " bytes"));
  }
  if (options.reason.empty() || options.reason.size() > policy::kMaxReasonSize) {
    return UsageError(absl::StrCat("--reason takes 1 to ", policy::kMaxReasonSize, " bytes"));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(Matches matches, Matches::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::MatchSummary match, matches.Find(options.id, options.purpose));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::OpenCaseResponse opened,
                            matches.Open(match, options.case_reference, options.reason));
  if (!options.proof_file.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(WriteProof(options.proof_file, opened, matches.covenant()));
  }
  if (context.json) {
    PrintJson(context.out, OpenedJson(opened, matches.covenant()));
  } else {
    PrintOpened(opened, options, matches.covenant(), context.out);
  }
  if (opened.signals().empty()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                       "no signal of this match could be opened");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddMatchCommands(Commands& commands) {
  CLI::App& group = commands.Group("match", "List and open matches, as staff of the hub");

  auto list = std::make_shared<ListOptions>();
  CLI::App& list_command = commands.Add(
      group, "list",
      "List matches of your purposes: who overlaps, by which rules and why, since when; no content",
      "raakvlak --region region.json --as staff match list\n"
      "raakvlak --region region.json --as staff --json match list --purpose onaantastbaren --all",
      Needs::kRegion, [list](Context& context) { return ListMatches(*list, context); });
  list_command.add_option("--purpose", list->purpose,
                          "Only this purpose; by default all that the roster gives you");
  list_command.add_flag("--all", list->all, "Closed matches too");

  auto open = std::make_shared<OpenOptions>();
  CLI::App& open_command = commands.Add(
      group, "open", "Open one match; what you do is logged with the case and the reason",
      "raakvlak --region region.json --as staff match open 3f9a6c21 --case ZVH-2026-0042 --reason \"triage "
      "overleg 12 mei\"",
      Needs::kRegion, [open](Context& context) { return OpenMatch(*open, context); },
      "approval by a second person where the purpose wants one; the hub opens no signal that is in no recent "
      "inventory of\n"
      "its partner.");
  open_command.add_option("ID", open->id, "Id of the match, or its beginning")->required()->type_name("");
  open_command.add_option("--case", open->case_reference, "Reference of the case this is for")->required();
  open_command.add_option("--reason", open->reason, "Why you open it; goes into the log")->required();
  open_command.add_option("--purpose", open->purpose, "Look only among the matches of this purpose");
  open_command.add_option(
      "--proof", open->proof_file,
      "Write the proof that this opening stands in the broker's log (C2SP tlog-proof) here");
}

}  // namespace raakvlak::cli

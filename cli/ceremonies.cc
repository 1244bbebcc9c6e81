#include "cli/ceremonies.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/output.h"

namespace raakvlak::cli {
namespace {

constexpr size_t kShownCeremonyIdSize = 12;
constexpr size_t kMinCeremonyIdSize = 4;

bool HasEnded(const v1::CeremonyState& ceremony) {
  return ceremony.state() == "done" || ceremony.state() == "stopped" || ceremony.state() == "refused";
}

bool HasFailed(const v1::CeremonyState& ceremony) { return HasEnded(ceremony) && ceremony.state() != "done"; }

std::string ShortId(const v1::CeremonyState& ceremony) {
  return base::Hex(ceremony.ceremony_id()).substr(0, kShownCeremonyIdSize);
}

std::string KeyName(const v1::CeremonyState& ceremony) {
  return absl::StrCat(ceremony.purpose(), " ", ClassName(ceremony.identifier_class()), " epoch ",
                      ceremony.epoch());
}

std::string Stopped(const v1::CeremonyState& ceremony) {
  return absl::StrCat(ceremony.culprit().empty() ? "nobody named" : ceremony.culprit(), ", step ",
                      ceremony.step(), ", check ", ceremony.check(), ", told by ", ceremony.reporter(),
                      ceremony.proven() ? ", proven" : ", not proven");
}

// One line: where it is, and whom it waits for.
std::string Progress(const v1::CeremonyState& ceremony) {
  std::string line = ceremony.state();
  if (ceremony.state() == "stopped") return absl::StrCat(line, ": ", Stopped(ceremony));
  if (!ceremony.step().empty()) absl::StrAppend(&line, ", ", ceremony.step());
  if (!ceremony.missing().empty())
    absl::StrAppend(&line, ", waits for ", absl::StrJoin(ceremony.missing(), ", "));
  if (!ceremony.why().empty()) absl::StrAppend(&line, ": ", ceremony.why());
  return line;
}

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

void AddWaitOptions(CLI::App& command, WaitOptions& options) {
  command.add_flag("--wait", options.wait, "Follow until all are done, and tell each step");
  command.add_option("--seconds", options.seconds, "With --wait: at most this long")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  command.add_option("--every-ms", options.every_ms, "With --wait: how often to ask")
      ->check(CLI::Range(1, 60000))
      ->capture_default_str();
}

void AddClassOption(CLI::App& command, std::string& name) {
  command.add_option("--class", name, "BSN, PERSON or ADDRESS")
      ->check(CLI::IsMember({"BSN", "PERSON", "ADDRESS"}));
}

std::string ClassName(v1::IdentifierClass identifier_class) {
  return v1::IdentifierClass_Name(identifier_class);
}

v1::IdentifierClass ClassOf(const std::string& name) {
  v1::IdentifierClass identifier_class = {};
  RAAKVLAK_CHECK(v1::IdentifierClass_Parse(name, &identifier_class),
                 "the option takes names of classes only");
  return identifier_class;
}

absl::StatusOr<Ceremonies> Ceremonies::Create(Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(auto node, context.services->NodeKeys());
  return Ceremonies(context, std::move(node));
}

absl::StatusOr<v1::GetKeyStatusResponse> Ceremonies::Status() {
  auto response = node_->GetKeyStatus({}, kNodeKeysTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return response;
}

absl::StatusOr<v1::CeremonyState> Ceremonies::Start(const v1::StartCeremonyRequest& request) {
  const auto response = node_->StartCeremony(request, kNodeKeysTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return response->ceremony();
}

absl::StatusOr<v1::CeremonyState> Ceremonies::Approve(const std::string& ceremony_id) {
  v1::CeremonyRequest request;
  request.set_ceremony_id(ceremony_id);
  const auto response = node_->ApproveCeremony(request, kNodeKeysTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return response->ceremony();
}

absl::StatusOr<v1::CeremonyState> Ceremonies::GiveUp(const std::string& ceremony_id) {
  v1::CeremonyRequest request;
  request.set_ceremony_id(ceremony_id);
  const auto response = node_->GiveUpCeremony(request, kNodeKeysTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return response->ceremony();
}

absl::StatusOr<std::vector<v1::CeremonyState>> Ceremonies::List() {
  const auto response = node_->ListCeremonies({}, kNodeKeysTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return std::vector<v1::CeremonyState>(response->ceremonies().begin(), response->ceremonies().end());
}

absl::StatusOr<v1::CeremonyState> Ceremonies::Find(const std::string& id) {
  const std::string prefix = absl::AsciiStrToLower(id);
  if (prefix.size() < kMinCeremonyIdSize ||
      prefix.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return UsageError(
        absl::StrCat("a ceremony id has at least ", kMinCeremonyIdSize, " hexadecimal digits: ", id));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<v1::CeremonyState> all, List());
  const v1::CeremonyState* found = nullptr;
  for (const v1::CeremonyState& ceremony : all) {
    if (!absl::StartsWith(base::Hex(ceremony.ceremony_id()), prefix)) continue;
    if (found != nullptr) return UsageError(absl::StrCat("several ceremonies start with ", id));
    found = &ceremony;
  }
  if (found == nullptr) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                       absl::StrCat("no ceremony starts with ", id));
  }
  return *found;
}

absl::Status Ceremonies::Follow(std::vector<v1::CeremonyState>& ceremonies, const WaitOptions& options) {
  const absl::Time end = context_.clock.Now() + absl::Seconds(options.seconds);
  std::map<std::string, std::string> told;
  while (true) {
    for (v1::CeremonyState& ceremony : ceremonies) {
      const std::string line = Progress(ceremony);
      std::string& last = told[ceremony.ceremony_id()];
      if (line == last) continue;
      last = line;
      if (!context_.json || context_.progress) {
        context_.err << ShortId(ceremony) << "  " << Printable(absl::StrCat(KeyName(ceremony), ": ", line))
                     << "\n";
      }
    }
    if (std::all_of(ceremonies.begin(), ceremonies.end(), HasEnded)) return absl::OkStatus();
    if (context_.clock.Now() >= end) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(options.every_ms));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<v1::CeremonyState> all, List());
    for (v1::CeremonyState& ceremony : ceremonies) {
      const auto now = std::find_if(all.begin(), all.end(), [&](const v1::CeremonyState& other) {
        return other.ceremony_id() == ceremony.ceremony_id();
      });
      if (now != all.end()) ceremony = *now;
    }
  }
}

absl::StatusOr<ExitCode> Ceremonies::Finish(std::vector<v1::CeremonyState> ceremonies,
                                            const WaitOptions& options) {
  if (options.wait) RAAKVLAK_RETURN_IF_ERROR(Follow(ceremonies, options));
  if (context_.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const v1::CeremonyState& ceremony : ceremonies) list.push_back(CeremonyJson(ceremony));
    PrintJson(context_.out, {{"ceremonies", list}});
  } else {
    PrintCeremonies(ceremonies, context_.out);
  }
  if (std::any_of(ceremonies.begin(), ceremonies.end(), HasFailed)) return ExitCode::kError;
  if (options.wait && !std::all_of(ceremonies.begin(), ceremonies.end(), HasEnded)) {
    return base::Error(absl::StatusCode::kDeadlineExceeded, base::reason::kDeadlineExceeded,
                       absl::StrCat("not all ceremonies are done after ", options.seconds,
                                    " seconds; they go on by themselves: see `raakvlak key ceremony list`"));
  }
  return ExitCode::kOk;
}

nlohmann::ordered_json CeremonyJson(const v1::CeremonyState& ceremony) {
  nlohmann::ordered_json json = {{"id", base::Hex(ceremony.ceremony_id())},
                                 {"kind", ceremony.kind()},
                                 {"purpose", ceremony.purpose()},
                                 {"class", ClassName(ceremony.identifier_class())},
                                 {"epoch", ceremony.epoch()},
                                 {"attempt", ceremony.attempt()},
                                 {"quorum", ceremony.quorum()},
                                 {"members", Texts(ceremony.members())},
                                 {"proposed_by", ceremony.proposed_by()},
                                 {"state", ceremony.state()},
                                 {"step", ceremony.step()},
                                 {"missing", Texts(ceremony.missing())},
                                 {"code", ceremony.code()},
                                 {"keyset", base::Hex(ceremony.keyset_id())},
                                 {"why", ceremony.why()}};
  json["stopped"] = nullptr;
  if (ceremony.state() == "stopped") {
    json["stopped"] = {{"culprit", ceremony.culprit()},
                       {"step", ceremony.step()},
                       {"check", ceremony.check()},
                       {"reporter", ceremony.reporter()},
                       {"proven", ceremony.proven()}};
  }
  return json;
}

void PrintCeremonies(const std::vector<v1::CeremonyState>& ceremonies, std::ostream& out) {
  Table table({"CEREMONY", "KIND", "PURPOSE", "CLASS", "EPOCH", "FROM", "CODE", "STATE"});
  for (const v1::CeremonyState& ceremony : ceremonies) {
    table.Add({ShortId(ceremony), ceremony.kind(), ceremony.purpose(), ClassName(ceremony.identifier_class()),
               absl::StrCat(ceremony.epoch()), ceremony.proposed_by(), ceremony.code(), Progress(ceremony)});
  }
  table.Print(out);
}

void PrintCeremony(const v1::CeremonyState& ceremony, std::ostream& out) {
  const auto line = [&out](absl::string_view title, absl::string_view value) {
    if (!value.empty()) out << "  " << title << ": " << Printable(value) << "\n";
  };
  out << "ceremony " << base::Hex(ceremony.ceremony_id()) << "\n";
  line("key", KeyName(ceremony));
  line("kind", absl::StrCat(ceremony.kind(), ", attempt ", ceremony.attempt(), ", proposed by ",
                            ceremony.proposed_by()));
  line("quorum", absl::StrCat(ceremony.quorum()));
  line("members", absl::StrJoin(ceremony.members(), ", "));
  line("state", ceremony.state());
  line("step", ceremony.step());
  line("waits for", absl::StrJoin(ceremony.missing(), ", "));
  line("code", ceremony.code());
  line("keyset", base::Hex(ceremony.keyset_id()));
  if (ceremony.state() == "stopped") line("stopped by", Stopped(ceremony));
  line("why", ceremony.why());
}

}  // namespace raakvlak::cli

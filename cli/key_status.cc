#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status.h"
#include "cli/ceremonies.h"
#include "cli/key_commands.h"
#include "cli/output.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

// The largest unit that fits, whole.
std::string AgeText(absl::Time now, int64_t made_ms) {
  if (made_ms == 0) return "-";
  const absl::Duration age = std::max(now - absl::FromUnixMillis(made_ms), absl::ZeroDuration());
  if (age >= absl::Hours(24)) return absl::StrCat(absl::ToInt64Hours(age) / 24, " d");
  if (age >= absl::Hours(1)) return absl::StrCat(absl::ToInt64Hours(age), " h");
  if (age >= absl::Minutes(1)) return absl::StrCat(absl::ToInt64Minutes(age), " min");
  return absl::StrCat(absl::ToInt64Seconds(age), " s");
}

// The day of a time as covenants have it.
std::string DayOf(const std::string& time) { return time.empty() ? "-" : time.substr(0, time.find('T')); }

Json KeyJson(const v1::KeyStatus& key) {
  Json holders = Json::array();
  for (const v1::KeyHolderStatus& holder : key.holders()) {
    holders.push_back({{"index", holder.index()},
                       {"partner", holder.partner()},
                       {"online", holder.online()},
                       {"evaluations_left", holder.evaluations_left()}});
  }
  return {{"purpose", key.purpose()},
          {"class", ClassName(key.identifier_class())},
          {"epoch", key.epoch()},
          {"state", key.state()},
          {"keyset", base::Hex(key.keyset_id())},
          {"generation", key.generation()},
          {"quorum", key.quorum()},
          {"holders", holders},
          {"own_share", key.own_share()},
          {"made", TimeText(key.made_ms())},
          {"refreshed", TimeText(key.refreshed_ms())},
          {"evaluations_left", key.evaluations_left()},
          {"reshare_wanted", key.reshare_wanted()},
          {"next_covenant", key.next_covenant()},
          {"epoch_due", key.epoch_due().empty() ? Json() : Json(key.epoch_due())},
          {"epoch_over", key.epoch_over()}};
}

Json StatusJson(const v1::GetKeyStatusResponse& status) {
  Json keys = Json::array();
  for (const v1::KeyStatus& key : status.keys()) keys.push_back(KeyJson(key));
  Json rotations = Json::array();
  for (const v1::RotationStatus& rotation : status.rotations()) {
    rotations.push_back({{"purpose", rotation.purpose()},
                         {"epoch", rotation.epoch()},
                         {"rotated", rotation.rotated()},
                         {"live", rotation.live()},
                         {"until", rotation.until()}});
  }
  Json next = nullptr;
  if (status.next_covenant() != 0)
    next = {{"version", status.next_covenant()}, {"valid_from", status.next_valid_from()}};
  return {{"partner", status.partner()},
          {"policy", status.policy()},
          {"next_covenant", next},
          {"keys", keys},
          {"rotations", rotations}};
}

// Made beforehand: nobody answers for it before its covenant is in force.
bool WaitsForItsCovenant(const v1::KeyStatus& key) { return key.state() == "next"; }

bool IsHolder(const v1::KeyStatus& key, const std::string& partner) {
  return std::any_of(key.holders().begin(), key.holders().end(),
                     [&](const v1::KeyHolderStatus& holder) { return holder.partner() == partner; });
}

// What an operator should see at once, besides figures.
std::string Remarks(const v1::KeyStatus& key, const std::string& partner) {
  std::vector<std::string> remarks;
  std::vector<std::string> away;
  for (const v1::KeyHolderStatus& holder : key.holders()) {
    if (!holder.online()) away.push_back(holder.partner());
  }
  if (key.keyset_id().empty()) {
    if (key.next_covenant()) remarks.push_back("wanted by the next covenant");
  } else if (WaitsForItsCovenant(key)) {
    if (IsHolder(key, partner) && !key.own_share()) remarks.push_back("no share here");
  } else {
    if (!away.empty()) remarks.push_back(absl::StrCat("away: ", absl::StrJoin(away, ", ")));
    if (key.holders_size() - static_cast<int>(away.size()) < static_cast<int>(key.quorum()))
      remarks.push_back("below its quorum");
    if (!key.own_share()) remarks.push_back("no share here");
    if (key.reshare_wanted()) remarks.push_back("to be reshared");
  }
  if (key.epoch_over()) remarks.push_back("its epoch is over");
  return absl::StrJoin(remarks, "; ");
}

void PrintStatus(const v1::GetKeyStatusResponse& status, absl::Time now, std::ostream& out) {
  out << Printable(absl::StrCat(
             status.partner(), ", policy ", status.policy(), ", ",
             status.next_covenant() == 0
                 ? "no covenant waits for its date"
                 : absl::StrCat("covenant ", status.next_covenant(), " from ", status.next_valid_from())))
      << "\n\n";
  Table table({"PURPOSE", "CLASS", "EPOCH", "NEXT DUE", "STATE", "QUORUM", "ONLINE", "GENERATION", "AGE",
               "REFRESHED", "LEFT TODAY", ""});
  for (const v1::KeyStatus& key : status.keys()) {
    const bool missing = key.keyset_id().empty();
    const auto online = std::count_if(key.holders().begin(), key.holders().end(),
                                      [](const v1::KeyHolderStatus& holder) { return holder.online(); });
    const bool idle = missing || WaitsForItsCovenant(key);
    const auto cell = [missing](std::string text) { return missing ? std::string("-") : text; };
    table.Add({key.purpose(), ClassName(key.identifier_class()), absl::StrCat(key.epoch()),
               DayOf(key.epoch_due()), key.state(),
               cell(absl::StrCat(key.quorum(), " of ", key.holders_size())),
               idle ? "-" : absl::StrCat(online), cell(absl::StrCat(key.generation())),
               cell(AgeText(now, key.made_ms())), cell(AgeText(now, key.refreshed_ms())),
               idle ? "-" : absl::StrCat(key.evaluations_left()), Remarks(key, status.partner())});
  }
  table.Print(out);
  if (status.rotations().empty()) return;
  out << "\n";
  Table rotations({"NEW EPOCH OF", "EPOCH", "GONE OVER", "OF", "OLD EPOCH UNTIL"});
  for (const v1::RotationStatus& rotation : status.rotations()) {
    rotations.Add({rotation.purpose(), absl::StrCat(rotation.epoch()), absl::StrCat(rotation.rotated()),
                   absl::StrCat(rotation.live()), rotation.until()});
  }
  rotations.Print(out);
}

absl::StatusOr<ExitCode> ShowStatus(Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::GetKeyStatusResponse status, node.Status());
  if (context.json) {
    PrintJson(context.out, StatusJson(status));
  } else {
    PrintStatus(status, context.clock.Now(), context.out);
  }
  return ExitCode::kOk;
}

}  // namespace

void AddKeyStatusCommand(Commands& commands, CLI::App& group) {
  commands.Add(
      group, "status",
      "Show every key as your node sees it: epoch and when the next one is due, quorum, holders online, age, "
      "evaluations that are left today at your own share, and how far the going over to a new epoch is",
      "raakvlak --region region.json --as operator-politie key status\n"
      "raakvlak --region region.json --as operator-politie --json key status    # each holder too",
      Needs::kRegion, [](Context& context) { return ShowStatus(context); });
}

}  // namespace raakvlak::cli

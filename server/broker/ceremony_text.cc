#include "server/broker/ceremony_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::broker {
namespace {

constexpr char kFirstLine[] = "raakvlak/v1/ceremony";
constexpr uint32_t kMaxMembers = 32;

absl::Status InvalidText(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::StatusOr<CeremonyMember> ParseMember(absl::string_view line) {
  // index, partner, role, key
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  CeremonyMember member;
  if (words.size() != 4 || !absl::SimpleAtoi(words[0], &member.index) || member.index == 0 ||
      member.index > kMaxMembers) {
    return InvalidText("a member of the ceremony does not parse");
  }
  member.partner = words[1];
  if (words[2] != "both" && words[2] != "contributor" && words[2] != "receiver")
    return InvalidText("a member's role is unknown");
  member.receives = words[2] != "contributor";
  return member;
}

}  // namespace

absl::StatusOr<CeremonyText> CeremonyText::Parse(absl::string_view parameters) {
  std::map<std::string, std::string> values;
  CeremonyText text;
  std::set<uint32_t> indices;
  std::set<std::string> partners;
  const std::vector<absl::string_view> lines = absl::StrSplit(parameters, '\n');
  if (lines.empty() || lines[0] != kFirstLine) return InvalidText("these are no parameters of a ceremony");
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> line = absl::StrSplit(lines[i], absl::MaxSplits(' ', 1));
    if (line.first == "member") {
      RAAKVLAK_ASSIGN_OR_RETURN(CeremonyMember member, ParseMember(line.second));
      if (!indices.insert(member.index).second || !partners.insert(member.partner).second)
        return InvalidText("two members have one index or partner");
      text.members.push_back(std::move(member));
    } else if (line.first != "old" && !line.first.empty() && !values.insert(line).second) {
      return InvalidText("the parameters say something twice");
    }
  }
  if (text.members.empty()) return InvalidText("a ceremony has members");
  text.kind = values["kind"];
  if (text.kind != "generate" && text.kind != "refresh" && text.kind != "reshare")
    return InvalidText("the kind of ceremony is unknown");
  text.region = values["region"];
  text.purpose = values["purpose"];
  uint32_t identifier_class = 0;
  if (!absl::SimpleAtoi(values["class"], &identifier_class) ||
      identifier_class > static_cast<uint32_t>(v1::IdentifierClass_MAX) || identifier_class == 0) {
    return InvalidText("the class is unknown");
  }
  text.identifier_class = static_cast<v1::IdentifierClass>(identifier_class);
  if (!absl::SimpleAtoi(values["epoch"], &text.epoch) || text.epoch == 0)
    return InvalidText("the epoch does not parse");
  const auto covenant_id = base::ParseHex(values["covenant"]);
  if (!covenant_id.ok() || covenant_id->size() != 32) return InvalidText("the covenant's id does not parse");
  text.covenant_id = *covenant_id;
  return text;
}

const CeremonyMember* CeremonyText::FindMember(absl::string_view partner) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const CeremonyMember& member) { return member.partner == partner; });
  return found == members.end() ? nullptr : &*found;
}

}  // namespace raakvlak::broker

#include "crypto/ceremony/evidence.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/reader.h"
#include "crypto/ceremony/share_box.h"

namespace raakvlak::crypto::ceremony {

absl::string_view CheckName(Check check) {
  static constexpr std::array<const char*, kMaxCheck + 1> kNames = {
      "none",       "form",       "receiving key", "reveal",           "commitments",
      "possession", "copied",     "old key",       "encryption",       "share",
      "group key",  "other view", "equivocation",  "false accusation", "missing"};
  return kNames.at(static_cast<size_t>(check));
}

absl::string_view StepName(Step step) {
  static constexpr std::array<const char*, kNumSteps + 2> kNames = {
      "none", "join", "commit", "reveal", "shares", "certificate", "abort"};
  return kNames.at(static_cast<size_t>(step));
}

bool IsProvable(Check check) { return check != Check::kView && check != Check::kMissing; }

std::string FormatAccusation(const Accusation& accusation) {
  const auto& [finding, evidence] = accusation;
  RAAKVLAK_CHECK(evidence.messages.size() <= 255, "a log has at most four messages a member, and one");
  std::string out = absl::StrCat(
      base::BigEndian(finding.culprit, 1), base::BigEndian(static_cast<uint8_t>(finding.step), 1),
      base::BigEndian(static_cast<uint8_t>(finding.check), 1), base::BigEndian(evidence.messages.size(), 1));
  for (const SignedMessage& message : evidence.messages) AppendMessage(message, out);
  absl::StrAppend(&out, base::BigEndian(evidence.disclosure.has_value() ? 1 : 0, 1));
  if (evidence.disclosure.has_value()) {
    absl::StrAppend(&out, base::BigEndian(evidence.disclosure->receiver, 1),
                    base::BigEndian(evidence.disclosure->contributor, 1), evidence.disclosure->secret);
  }
  return out;
}

absl::StatusOr<Accusation> ParseAccusation(absl::string_view bytes) {
  Reader reader(bytes);
  Accusation out;
  out.finding.culprit = static_cast<uint32_t>(reader.Number(1));
  const uint64_t step = reader.Number(1);
  const uint64_t check = reader.Number(1);
  const uint64_t count = reader.Number(1);
  for (uint64_t i = 0; i < count && reader.ok(); ++i) out.evidence.messages.push_back(reader.Message());
  const uint64_t disclosed = reader.Number(1);
  if (disclosed == 1) {
    Disclosure disclosure{static_cast<uint32_t>(reader.Number(1)), static_cast<uint32_t>(reader.Number(1)),
                          reader.Bytes(kBoxKeySize)};
    out.evidence.disclosure = std::move(disclosure);
  }
  if (!reader.AtEnd() || disclosed > 1 || step < 1 || step > static_cast<uint8_t>(Step::kAbort) ||
      check < 1 || check > kMaxCheck) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       "not an accusation of a ceremony");
  }
  out.finding.step = static_cast<Step>(step);
  out.finding.check = static_cast<Check>(check);
  return out;
}

}  // namespace raakvlak::crypto::ceremony

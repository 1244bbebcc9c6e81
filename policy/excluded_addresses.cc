#include "policy/excluded_addresses.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

// DO NOT CHANGE: docs/format/excluded_addresses.md.
constexpr char kHeader[] = "raakvlak/v1/excluded-addresses";
constexpr size_t kPostcodeSize = 6;
constexpr size_t kMaxNumberSize = 5;
// A clock that runs a little ahead must not switch address rules off.
constexpr absl::Duration kAhead = absl::Hours(24);

absl::Status Invalid(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kExcludedListInvalid,
                     absl::StrCat("list of excluded addresses: ", what));
}

bool IsAddressLine(absl::string_view address) {
  const std::vector<absl::string_view> parts = absl::StrSplit(address, ' ');
  if (parts.size() != 2 || parts[0].size() != kPostcodeSize) return false;
  for (size_t i = 0; i < kPostcodeSize; ++i) {
    if (i < 4 ? !absl::ascii_isdigit(static_cast<unsigned char>(parts[0][i]))
              : !absl::ascii_isupper(static_cast<unsigned char>(parts[0][i])))
      return false;
  }
  const absl::string_view number = parts[1];
  return parts[0][0] != '0' && !number.empty() && number.size() <= kMaxNumberSize && number[0] != '0' &&
         std::all_of(number.begin(), number.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string FormatExcludedAddresses(const ExcludedAddressesText& text) {
  std::string out = absl::StrCat(kHeader, "\nregion ", text.region, "\nnumber ", text.number, "\nissued ",
                                 FormatUtc(text.issued), "\n");
  for (const std::string& address : text.addresses) absl::StrAppend(&out, "address ", address, "\n");
  return out;
}

absl::StatusOr<ExcludedAddressesText> ParseExcludedAddresses(absl::string_view text) {
  constexpr size_t kHead = 4;
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.size() <= kHead || lines[0] != kHeader) {
    return Invalid(absl::StrCat("does not start with ", kHeader, ", region, number, issued"));
  }
  ExcludedAddressesText parsed;
  const auto value = [&](size_t line, absl::string_view name) {
    return absl::ConsumePrefix(&lines[line], absl::StrCat(name, " ")) ? lines[line] : absl::string_view();
  };
  parsed.region = std::string(value(1, "region"));
  if (!IsName(parsed.region)) return Invalid("line 2: region");
  if (!absl::SimpleAtoi(value(2, "number"), &parsed.number) || parsed.number == 0) {
    return Invalid("line 3: number");
  }
  const auto issued = ParseUtc(value(3, "issued"));
  if (!issued.has_value()) return Invalid("line 4: issued is not like 2026-01-01T00:00:00Z");
  parsed.issued = *issued;
  for (size_t line = kHead; line + 1 < lines.size(); ++line) {
    const absl::string_view address = value(line, "address");
    if (!IsAddressLine(address)) {
      return Invalid(absl::StrCat("line ", line + 1, ": not like \"address 1234AB 12\""));
    }
    parsed.addresses.emplace(address);
  }
  // Order, doubles, leading zeros, the last newline: whatever is not as it is written is refused.
  if (FormatExcludedAddresses(parsed) != std::string(text)) {
    return Invalid("is not in its normal form: addresses ascending, each once");
  }
  return parsed;
}

absl::StatusOr<std::shared_ptr<const ExcludedAddresses>> ExcludedAddresses::Verify(
    absl::string_view note_bytes, const Covenant& covenant) {
  const auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return Invalid(absl::StrCat("no signed note: ", note.status().message()));
  RAAKVLAK_RETURN_IF_ERROR(
      base::Annotate(crypto::note::VerifyAll(*note, absl::MakeConstSpan(&covenant.HubVerifier(), 1)),
                     "list of excluded addresses"));
  RAAKVLAK_ASSIGN_OR_RETURN(ExcludedAddressesText text, ParseExcludedAddresses(note->text));
  if (text.region != covenant.region()) return Invalid("is of another region");
  std::shared_ptr<ExcludedAddresses> list(new ExcludedAddresses());
  list->id_ = base::Sha256(note->text);
  list->text_ = std::move(text);
  return list;
}

absl::Status ExcludedAddresses::CheckFresh(const Covenant& covenant, absl::Time now) const {
  const uint32_t days = covenant.text().excluded_addresses_max_age_days() == 0
                            ? kExcludedAddressesMaxAgeDays
                            : covenant.text().excluded_addresses_max_age_days();
  if (text_.issued <= now + kAhead && now - text_.issued < absl::Hours(24) * static_cast<int64_t>(days)) {
    return absl::OkStatus();
  }
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kExcludedListStale,
                     absl::StrCat("the list of excluded addresses was issued ", FormatUtc(text_.issued),
                                  " and is good for ", days, " days: address rules are off"));
}

bool ExcludedAddresses::Contains(absl::string_view postcode, absl::string_view house_number) const {
  if (postcode.empty() || house_number.empty()) return false;
  return text_.addresses.contains(absl::StrCat(postcode, " ", house_number));
}

bool HasAddressRules(const Covenant& covenant) {
  for (const v1::Purpose& purpose : covenant.text().purposes()) {
    for (const v1::LinkageRule& rule : purpose.rules()) {
      if (rule.identifier_class() == v1::ADDRESS) return true;
    }
  }
  return false;
}

}  // namespace raakvlak::policy

// ExcludedAddresses: the places at which addresses are not matched, because people live there who have
// nothing to do with one another: institutions, shelters, student houses (docs/format/excluded_addresses.md).
//
//   raakvlak/v1/excluded-addresses
//   region <region>
//   number <n>
//   issued <2026-01-01T00:00:00Z>
//   address <postcode> <house number>      one line each, ascending, each once
//
// A signed note of the hub. An address is a postcode and a house number with all its letters and suffixes: a
// shelter often has many, and leaving one out by mistake joins strangers. Immutable; thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/covenant.h"

namespace raakvlak::policy {

// Days that a list is good for when the covenant does not say.
inline constexpr uint32_t kExcludedAddressesMaxAgeDays = 31;

struct ExcludedAddressesText {
  std::string region;
  uint64_t number = 0;  // from 1; each list has a higher one
  absl::Time issued;    // whole seconds
  // "1234AB 12": canonical postcode and house number of docs/format/normalisation.md.
  std::set<std::string> addresses;
};

// FormatExcludedAddresses and its inverse. EXCLUDED_LIST_INVALID with the line for anything else than what
// the first writes.
std::string FormatExcludedAddresses(const ExcludedAddressesText& text);
absl::StatusOr<ExcludedAddressesText> ParseExcludedAddresses(absl::string_view text);

class ExcludedAddresses {
 public:
  // Verify: EXCLUDED_LIST_INVALID (format, another region), SIGNATURE_INVALID unless the covenant's hub
  // signed.
  static absl::StatusOr<std::shared_ptr<const ExcludedAddresses>> Verify(absl::string_view note_bytes,
                                                                         const Covenant& covenant);

  // SHA-256 of the note's text, 32 bytes.
  const std::string& id() const { return id_; }
  const ExcludedAddressesText& text() const { return text_; }

  // CheckFresh: EXCLUDED_LIST_STALE when issued later than a day from now, or longer ago than the covenant
  // allows.
  absl::Status CheckFresh(const Covenant& covenant, absl::Time now) const;

  // Both canonical; nothing is excluded when one is empty.
  bool Contains(absl::string_view postcode, absl::string_view house_number) const;

 private:
  ExcludedAddresses() = default;
  std::string id_;
  ExcludedAddressesText text_;
};

// HasAddressRules: some purpose has a rule of class ADDRESS, so that a list is needed.
bool HasAddressRules(const Covenant& covenant);

}  // namespace raakvlak::policy

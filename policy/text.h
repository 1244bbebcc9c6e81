// Reading of signed policy texts: protobuf text format, and the small formats of their fields. For
// covenant.cc and roster.cc.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

namespace raakvlak::policy {

// ParseText reads protobuf text format into `message`. Returns what is wrong with its line and column, or
// nothing. Unknown fields, repeated single fields, and strings that are not UTF-8, hold control characters or
// exceed 1,024 bytes are wrong.
std::optional<std::string> ParseText(absl::string_view text, google::protobuf::Message& message);

// PrintText is the normal form that ParseText reads: one field a line, UTF-8 as it is.
std::string PrintText(const google::protobuf::Message& message);

// IsName: 1 to 32 lower-case letters, digits and hyphens, the first no hyphen.
bool IsName(absl::string_view text);

// ParseUtc reads "2026-01-01T00:00:00Z" and nothing else.
std::optional<absl::Time> ParseUtc(absl::string_view text);
std::string FormatUtc(absl::Time time);

// Grouped writes 90909090 as people read it: "90,909,090".
std::string Grouped(uint64_t value);

// IsKey: 32 bytes in base64.
bool IsKey(absl::string_view text);

// IsBlank: nothing but white space.
bool IsBlank(absl::string_view text);

// IsOrganisation: "OIN:<20 digits>" or "KVK:<8 digits>".
bool IsOrganisation(absl::string_view text);

// IsAddress: "host:port".
bool IsAddress(absl::string_view text);

// IsCategory: 1 to 64 lower-case letters, digits, hyphens and underscores.
bool IsCategory(absl::string_view text);

// IsCovenantId: 32 bytes in lower-case hexadecimal.
bool IsCovenantId(absl::string_view text);

// IsTimeZone: "UTC" or an area/place of the IANA database on this machine. Not what absl takes besides:
// files, fixed offsets, and the machine's own zone.
bool IsTimeZone(absl::string_view text);

}  // namespace raakvlak::policy

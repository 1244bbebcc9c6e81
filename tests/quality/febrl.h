// FEBRL's CSV form: a header, then one record a line: rec_id, given_name, surname, street_number, address_1,
// address_2, suburb, postcode, state, date_of_birth (YYYYMMDD), soc_sec_id. Columns by name, in any order,
// others are not read.
//
// The number in rec_id ("rec-1496-org") says who it is: the same number, the same person. CRLF, blanks beside
// commas, a byte order mark and a missing last newline are accepted. Quoting is not part of the form.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "linkage/normalise.h"

namespace raakvlak::quality {

struct FebrlRow {
  uint32_t person = 0;
  linkage::Normalised fields;
};

// ParseFebrl normalises names and dates as a node does; soc_sec_id stands for the BSN (no 11-test), postcode
// and number are taken as given. A date that is none is left out. INVALID_ARGUMENT with the line when it is
// not this form.
absl::StatusOr<std::vector<FebrlRow>> ParseFebrl(absl::string_view text);

}  // namespace raakvlak::quality

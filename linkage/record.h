// Record: what a partner knows about a subject, as text, and errors that name the field they are about.
//
// A Record is personal data. It is wiped when it goes; it is never logged, and no error of this folder holds
// a value of it. Thread safety: as a struct of strings.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace raakvlak::linkage {

// Names of fields as in the CSV header and raakvlak.v1.Record.
inline constexpr char kBsn[] = "bsn";
inline constexpr char kSurname[] = "surname";
inline constexpr char kSurnamePrefix[] = "surname_prefix";
inline constexpr char kGivenNames[] = "given_names";
inline constexpr char kBirthDate[] = "birth_date";
inline constexpr char kPostcode[] = "postcode";
inline constexpr char kHouseNumber[] = "house_number";
inline constexpr char kHouseLetter[] = "house_letter";
inline constexpr char kHouseSuffix[] = "house_suffix";

struct Record {
  std::string bsn;
  std::string surname;
  std::string surname_prefix;
  std::string given_names;
  std::string birth_date;  // YYYY-MM-DD; recipe 2 also incomplete
  std::string postcode;
  std::string house_number;
  std::string house_letter;
  std::string house_suffix;

  Record() = default;
  Record(const Record&) = default;
  Record(Record&&) = default;
  Record& operator=(const Record&) = default;
  Record& operator=(Record&&) = default;
  ~Record() {
    for (std::string* field : {&bsn, &surname, &surname_prefix, &given_names, &birth_date, &postcode,
                               &house_number, &house_letter, &house_suffix}) {
      base::WipeString(*field);
    }
  }
};

// FieldError makes an INVALID_ARGUMENT status with `reason` that also carries the name of the field.
absl::Status FieldError(absl::string_view reason, absl::string_view field, absl::string_view message);

// FieldOf returns that name; empty when the status carries none.
std::string FieldOf(const absl::Status& status);

}  // namespace raakvlak::linkage

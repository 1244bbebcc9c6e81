// Why a match is one, in sentences for the people at the table (Dutch), from the evidence of its summary:
//
//   Sterk: achternaam, voorletter en geboortedatum komen overeen bij gemeente en politie; jeugdzorg had deze
//   gegevens maar wijkt af; woningcorporatie had ze niet.
//
// They name fields, partners and strength, never a value. Thread safety: all functions are pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "raakvlak/v1/covenant.pb.h"
#include "raakvlak/v1/matches.pb.h"

namespace raakvlak::cli {

// FieldWord returns what people call the derived field; empty for a field that only bounds who a rule is for,
// and for an unknown one.
absl::string_view FieldWord(absl::string_view derived_field);

// EvidenceSentence returns the sentence for one rule. A rule that `purpose` does not have, or not in a form
// that this version knows, is called by its id.
std::string EvidenceSentence(const v1::RuleEvidence& evidence, const v1::Purpose& purpose);

}  // namespace raakvlak::cli

// Validation of a record against the covenant: at intake, and again when its envelope is made, because
// covenant and day may have moved on by then.
//
// Errors name their field (linkage::FieldOf) and hold nothing of the record. Thread safety: all functions are
// pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "linkage/normalise.h"
#include "policy/covenant.h"
#include "raakvlak/v1/intake.pb.h"

namespace raakvlak::node {

// Bytes, as intake.proto says.
inline constexpr size_t kMaxClientRefSize = 128;
inline constexpr size_t kMaxContactSize = 256;
inline constexpr size_t kMaxNoteSize = 2000;

// An identifier that a record yields: a rule of the purpose and its canonical fields.
struct Identifier {
  const v1::LinkageRule* rule;
  std::vector<std::string> fields;

  Identifier(const v1::LinkageRule* of, std::vector<std::string> from) : rule(of), fields(std::move(from)) {}
  Identifier(Identifier&&) = default;
  Identifier& operator=(Identifier&&) = default;
  ~Identifier();  // wipes
};

struct ValidRecord {
  // Points into the covenant; the rules of `identifiers` are those of the terms.
  const v1::Purpose* purpose = nullptr;
  v1::SignalKind kind = v1::SIGNAL_KIND_UNSPECIFIED;
  linkage::Normalised fields;
  // Of `fields`, as IdentifiersOf; at least one.
  std::vector<Identifier> identifiers;
};

// ValidateReference checks client_ref alone: FIELD_MISSING, FIELD_TOO_LONG.
absl::Status ValidateReference(const v1::Record& record);

// ValidateRecord checks `record` as one of `partner` (a partner of the covenant) at `now`. FIELD_MISSING,
// FIELD_TOO_LONG, PURPOSE_UNKNOWN, PURPOSE_NOT_ALLOWED, KIND_INVALID, KIND_NOT_ALLOWED, CATEGORY_UNKNOWN,
// BSN_NOT_ENTITLED, BSN_OUTSIDE_TEST_RANGE, AGE_NOT_ALLOWED, AGE_UNKNOWN, NO_RULE_APPLIES, and those of
// linkage::Normalise. `terms` is the purpose as it was agreed for another epoch, whose rules are then used;
// nullptr: the covenant's.
absl::StatusOr<ValidRecord> ValidateRecord(const v1::Record& record, const policy::Covenant& covenant,
                                           const v1::Partner& partner, absl::Time now,
                                           const v1::Purpose* terms = nullptr);

// DeriveRecord returns the same of a record that was valid on `day`, by the rules of `terms`, without asking
// again whether the covenant or today's date allow it. PURPOSE_UNKNOWN, FIELD_TOO_LONG, NO_RULE_APPLIES, and
// those of linkage::Normalise.
absl::StatusOr<ValidRecord> DeriveRecord(const v1::Record& record, const policy::Covenant& covenant,
                                         const v1::Partner& partner, absl::CivilDay day,
                                         const v1::Purpose& terms);

// IdentifiersOf returns those of `purpose` that are complete, in the covenant's order; of class BSN only when
// the partner is entitled to it. Rules that policy::CheckLinkage refuses yield none.
std::vector<Identifier> IdentifiersOf(const linkage::Normalised& fields, const v1::Purpose& purpose,
                                      const v1::Partner& partner);

}  // namespace raakvlak::node

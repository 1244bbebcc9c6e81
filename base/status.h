// Errors of Raakvlak: absl::Status carrying a stable reason code.
//
// Every error that can leave a function of ours is an absl::Status with a reason (base/reason.h). The reason
// is what programs, tests and users rely on; the message is for people and may change. A message never holds
// record data: no identifier, name, note or key (it may name a field, a file, a line, a partner, a purpose).
//
// Thread safety: all functions may be called from any thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::base {

// Error makes a status with `reason` (a constant of base/reason.h) and `message`. REQUIRES: code is not kOk.
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message);

// ReasonOf returns the reason of `status`; "OK" for an ok status, "INTERNAL" for an error made without a
// reason.
std::string ReasonOf(const absl::Status& status);

// Annotate returns `status` with `context: ` before its message; code and reason stay. An ok status stays ok.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* reason);

}  // namespace raakvlak::base

// Aborts with file, line and reason when a condition that our own code guarantees does not hold. Never for
// input.
#define RAAKVLAK_CHECK(condition, reason)                                                    \
  do {                                                                                       \
    if (!(condition)) ::raakvlak::base::CheckFailed(__FILE__, __LINE__, #condition, reason); \
  } while (false)

#define RAAKVLAK_RETURN_IF_ERROR(expression)                                                                 \
  do {                                                                                                       \
    if (absl::Status status_macro_value = (expression); !status_macro_value.ok()) return status_macro_value; \
  } while (false)

#define RAAKVLAK_STATUS_CONCAT_INNER(a, b) a##b
#define RAAKVLAK_STATUS_CONCAT(a, b) RAAKVLAK_STATUS_CONCAT_INNER(a, b)
// RAAKVLAK_ASSIGN_OR_RETURN(auto value, Function()); returns the error, or moves the value into the
// declaration.
#define RAAKVLAK_ASSIGN_OR_RETURN(declaration, expression) \
  RAAKVLAK_ASSIGN_OR_RETURN_INNER(RAAKVLAK_STATUS_CONCAT(status_or_value_, __LINE__), declaration, expression)
#define RAAKVLAK_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                            \
  if (!temporary.ok()) return temporary.status();                           \
  declaration = *std::move(temporary)

// Answer: what the fakes of this folder do with a programmed function.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::client::testing {

template <typename Request, typename Response>
absl::StatusOr<Response> Answer(const std::function<absl::StatusOr<Response>(const Request&)>& programmed,
                                const Request& request) {
  if (programmed) return programmed(request);
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "the fake is away");
}

}  // namespace raakvlak::client::testing

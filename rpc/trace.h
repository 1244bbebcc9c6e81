// Trace ids of calls, as in the header "traceparent" of W3C Trace Context (level 1): what ties the entries
// that one action leaves in several logs together. A caller chooses it freely: it proves nothing.
//
// Thread safety: the functions may be called from any thread if the random source may.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "base/random.h"

namespace raakvlak::rpc {

// The name of the header.
inline constexpr char kTraceParentKey[] = "traceparent";

// TraceIdOf returns the trace id of "00-<32 hex>-<16 hex>-<2 hex>" as 32 lower-case hexadecimal digits, and a
// fresh random one when `traceparent` is not exactly that, or its trace or parent id is zero.
std::string TraceIdOf(absl::string_view traceparent, base::Random& random);

// TraceParent is the inverse: the header for a call made on behalf of one with this trace id, with a fresh
// parent id; empty for what TraceIdOf would not return.
std::string TraceParent(absl::string_view trace_id, base::Random& random);

}  // namespace raakvlak::rpc

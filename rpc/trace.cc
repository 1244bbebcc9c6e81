#include "rpc/trace.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"

namespace raakvlak::rpc {
namespace {

constexpr size_t kTraceIdSize = 16;
constexpr size_t kParentIdSize = 8;
constexpr size_t kTraceParentSize = 55;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Of an id: also not zero.
bool IsId(absl::string_view text) {
  return IsLowerHex(text) && std::any_of(text.begin(), text.end(), [](char c) { return c != '0'; });
}

}  // namespace

std::string TraceIdOf(absl::string_view traceparent, base::Random& random) {
  if (traceparent.size() == kTraceParentSize && traceparent.substr(0, 3) == "00-" && traceparent[35] == '-' &&
      traceparent[52] == '-' && IsId(traceparent.substr(3, 32)) && IsId(traceparent.substr(36, 16)) &&
      IsLowerHex(traceparent.substr(53))) {
    return std::string(traceparent.substr(3, 32));
  }
  return base::Hex(random.Bytes(kTraceIdSize));
}

std::string TraceParent(absl::string_view trace_id, base::Random& random) {
  if (trace_id.size() != 2 * kTraceIdSize || !IsId(trace_id)) return "";
  std::string parent_id = random.Bytes(kParentIdSize);
  parent_id.back() |= 1;  // never zero
  return absl::StrCat("00-", trace_id, "-", base::Hex(parent_id), "-00");
}

}  // namespace raakvlak::rpc

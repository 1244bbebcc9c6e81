// Contexts and inputs: the byte strings that bind a token to one region, purpose, class, epoch and rule
// (docs/format/token.md). DO NOT CHANGE: every stored tag depends on them.
//
//   ctx   = lp(region) || lp(purpose) || class(1) || epoch(4) || lp(rule) || rule version(2)
//   input = lp("raakvlak/v1/input") || ctx || count(1) || lp(field)*
//   ctx'  = ctx || k(1) || SHA-256(PK)
//
// lp(x) = I2OSP(len, 2) || x; integers are big-endian. Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/secret.h"
#include "crypto/group/element.h"

namespace raakvlak::crypto::disclosure {

inline constexpr size_t kMaxFieldSize = 1024;

struct Context {
  std::string region;
  std::string purpose;
  uint8_t identifier_class = 0;  // 1 BSN, 2 PERSON, 3 ADDRESS
  uint32_t epoch = 0;
  std::string rule;
  uint16_t rule_version = 0;
};

// EncodeContext returns ctx.
std::string EncodeContext(const Context& context);

// EncodeExtendedContext returns ctx'. `public_key` is PK, the keyset's group key. REQUIRES: 2 <= k <= 32.
std::string EncodeExtendedContext(const Context& context, uint32_t disclosure_threshold,
                                  const group::Element& public_key);

// EncodeInput returns input. INVALID_ARGUMENT when there is no field, more than 255, an empty one, or one
// over kMaxFieldSize.
absl::StatusOr<base::SecretBytes> EncodeInput(const Context& context, absl::Span<const std::string> fields);

}  // namespace raakvlak::crypto::disclosure

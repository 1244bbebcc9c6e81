#include "crypto/disclosure/context.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/share.h"

namespace raakvlak::crypto::disclosure {
namespace {

constexpr absl::string_view kInputLabel = "raakvlak/v1/input";

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

}  // namespace

std::string EncodeContext(const Context& context) {
  return absl::StrCat(base::LengthPrefixed(context.region), base::LengthPrefixed(context.purpose),
                      base::BigEndian(context.identifier_class, 1), base::BigEndian(context.epoch, 4),
                      base::LengthPrefixed(context.rule), base::BigEndian(context.rule_version, 2));
}

std::string EncodeExtendedContext(const Context& context, uint32_t disclosure_threshold,
                                  const group::Element& public_key) {
  RAAKVLAK_CHECK(CheckThreshold(disclosure_threshold).ok(), "the covenant's threshold was checked");
  return absl::StrCat(EncodeContext(context), base::BigEndian(disclosure_threshold, 1),
                      base::Sha256(public_key.bytes()));
}

absl::StatusOr<base::SecretBytes> EncodeInput(const Context& context, absl::Span<const std::string> fields) {
  if (fields.empty() || fields.size() > 255) return InvalidArgument("an input has 1 to 255 fields");
  const std::string start = absl::StrCat(base::LengthPrefixed(kInputLabel), EncodeContext(context),
                                         base::BigEndian(fields.size(), 1));
  size_t size = start.size();
  for (const std::string& field : fields) {
    if (field.empty()) return InvalidArgument("a field of an input is empty");
    if (field.size() > kMaxFieldSize) return InvalidArgument("a field of an input is too long");
    size += 2 + field.size();
  }
  std::string input;
  input.reserve(size);  // so that no copy of a field is left behind unwiped
  input += start;
  for (const std::string& field : fields) absl::StrAppend(&input, base::BigEndian(field.size(), 2), field);
  return base::SecretBytes::Take(std::move(input));
}

}  // namespace raakvlak::crypto::disclosure

#include "policy/text.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"

namespace raakvlak::policy {
namespace {

namespace pb = google::protobuf;

constexpr size_t kMaxStringSize = 1024;
constexpr char kUtcFormat[] = "%Y-%m-%dT%H:%M:%SZ";

// Keeps the first error; the default collector would print to standard error.
class FirstError final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (!error_) error_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::optional<std::string>& error() const { return error_; }

 private:
  std::optional<std::string> error_;
};

// The length of the UTF-8 sequence at the start of `text`, 0 when it is none (RFC 3629: no overlong forms,
// surrogates, or values above U+10FFFF).
size_t Utf8Length(absl::string_view text) {
  const uint8_t* bytes = base::AsBytes(text);
  const uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = bytes[1];
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

bool IsPlain(absl::string_view text) {
  if (text.size() > kMaxStringSize) return false;
  while (!text.empty()) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(text[0]))) return false;
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// The name of the first string field that is not plain. Escapes of the text format could carry any byte.
std::optional<std::string> FirstUnplainField(const pb::Message& message) {
  const pb::Reflection* reflection = message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING) {
        const std::string value = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                       : reflection->GetString(message, field);
        if (!IsPlain(value)) return field->full_name();
      } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
        auto found =
            FirstUnplainField(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                                   : reflection->GetMessage(message, field));
        if (found) return found;
      }
    }
  }
  return std::nullopt;
}

bool AllOf(absl::string_view text, bool (*predicate)(unsigned char)) {
  for (const char c : text) {
    if (!predicate(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> ParseText(absl::string_view text, pb::Message& message) {
  FirstError errors;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&stream, &message)) return errors.error().value_or("it does not parse");
  if (auto field = FirstUnplainField(message)) {
    return absl::StrCat(*field, " is not UTF-8, holds a control character, or is over ", kMaxStringSize,
                        " bytes");
  }
  return std::nullopt;
}

std::string PrintText(const pb::Message& message) {
  pb::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 32 && text[0] != '-' && AllOf(text, [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

std::optional<absl::Time> ParseUtc(absl::string_view text) {
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(kUtcFormat, text, &time, &ignored)) return std::nullopt;
  // ParseTime forgives white space, signs, "infinite-future" and years of any length; the signed text does
  // not.
  if (text.size() != 20 || FormatUtc(time) != text) return std::nullopt;
  return time;
}

std::string FormatUtc(absl::Time time) { return absl::FormatTime(kUtcFormat, time, absl::UTCTimeZone()); }

std::string Grouped(uint64_t value) {
  std::string digits = absl::StrCat(value);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

bool IsKey(absl::string_view text) {
  const auto bytes = base::ParseBase64(text);
  return bytes.ok() && bytes->size() == 32;
}

bool IsBlank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

bool IsOrganisation(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "OIN:")) return text.size() == 20 && AllOf(text, absl::ascii_isdigit);
  if (absl::ConsumePrefix(&text, "KVK:")) return text.size() == 8 && AllOf(text, absl::ascii_isdigit);
  return false;
}

bool IsAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !AllOf(text.substr(colon + 1), absl::ascii_isdigit)) return false;
  return colon > 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) && port >= 1 && port <= 65'535 &&
         text.find(' ') == absl::string_view::npos;
}

bool IsCategory(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && AllOf(text, [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-';
  });
}

bool IsCovenantId(absl::string_view text) {
  const auto bytes = base::ParseHex(text);
  return bytes.ok() && bytes->size() == 32 && base::Hex(*bytes) == text;
}

bool IsTimeZone(absl::string_view text) {
  if (text != "UTC" && !absl::StrContains(text, '/')) return false;
  if (absl::StartsWith(text, "/") || absl::StrContains(text, "..") || absl::StrContains(text, ':') ||
      absl::StartsWith(text, "Fixed/")) {
    return false;
  }
  absl::TimeZone ignored;
  return absl::LoadTimeZone(text, &ignored);
}

}  // namespace raakvlak::policy

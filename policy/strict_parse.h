// Strict reading of protobuf messages: a field that this version does not know is an error, at any depth.
//
// For bodies of signed messages (wire format) and for configuration files (text format). An unknown enum
// value is no unknown field: callers check enums themselves. Thread safety: all functions are pure.
#pragma once

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/unknown_field_set.h>

#include <climits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {

// HasUnknownFields looks into sub-messages too.
inline bool HasUnknownFields(const google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (HasUnknownFields(reflection.GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (HasUnknownFields(reflection.GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

// ParseStrictly reads `bytes` into `out_message`. TOO_LARGE over `max_size` bytes, MALFORMED, UNKNOWN_FIELD.
inline absl::Status ParseStrictly(absl::string_view bytes, size_t max_size,
                                  google::protobuf::Message& out_message) {
  if (bytes.size() > max_size) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       absl::StrCat(out_message.GetTypeName(), " is over ", max_size, " bytes"));
  }
  if (bytes.size() > INT_MAX || !out_message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       absl::StrCat(out_message.GetTypeName(), " does not parse"));
  }
  if (HasUnknownFields(out_message)) {
    return base::Error(
        absl::StatusCode::kInvalidArgument, base::reason::kUnknownField,
        absl::StrCat(out_message.GetTypeName(), " has a field that this version does not know"));
  }
  return absl::OkStatus();
}

// ReadConfigFile reads protobuf text format. FILE_UNREADABLE; CONFIG_INVALID with file, line and column.
inline absl::Status ReadConfigFile(const std::string& path, google::protobuf::Message& out_message) {
  class FirstError final : public google::protobuf::io::ErrorCollector {
   public:
    void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
      if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
    }
    std::string text;
  };
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string content, base::ReadFile(path));
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(content, &out_message)) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat(path, ":", error.text));
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::policy

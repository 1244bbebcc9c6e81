#include "cli/agreement_io.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/output.h"
#include "policy/keyset/key_files.h"

namespace raakvlak::cli {

absl::StatusOr<crypto::note::Note> ReadAgreement(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string file, base::ReadFile(path));
  auto note = ParseFile(file);
  if (!note.ok()) return base::Annotate(note.status(), path);
  return note;
}

absl::StatusOr<std::shared_ptr<const policy::Covenant>> ReadCovenant(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(path, crypto::note::kMaxNoteSize));
  auto covenant = VerifyCovenant(bytes);
  if (!covenant.ok()) return base::Annotate(covenant.status(), path);
  return covenant;
}

absl::StatusOr<std::shared_ptr<const policy::Covenant>> VerifyCovenant(absl::string_view bytes) {
  auto covenant = policy::Covenant::Verify(bytes);
  if (covenant.ok() || crypto::note::Parse(bytes).ok() || !policy::ParseCovenantText(bytes).ok()) {
    return covenant;
  }
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kSignatureInvalid,
                     "nobody has signed the covenant yet: all partners and the hub do, with `raakvlak "
                     "covenant sign`");
}

absl::Status WriteOutput(const std::string& path, absl::string_view text, Context& context) {
  if (!path.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(path));
    RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(path, text, 0644));
  }
  if (context.json) {
    PrintJson(context.out, path.empty() ? nlohmann::ordered_json{{"text", std::string(text)}}
                                        : nlohmann::ordered_json{{"file", path}});
  } else if (path.empty()) {
    context.out << text;
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> SignAgreement(const SignOptions& options, const crypto::note::Note& note,
                                       const std::vector<crypto::note::VerifierKey>& verifiers,
                                       Context& context) {
  const std::string path = options.out.empty() ? options.in : options.out;
  if (path != options.in) RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(path));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto key, policy::ReadSigningKey(options.key));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string file, SignFile(note, verifiers, options.name, key));
  RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(path, file, 0644));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto signed_note, ParseFile(file));
  RAAKVLAK_ASSIGN_OR_RETURN(const Signers signers, SignersOf(signed_note, verifiers));
  if (context.json) {
    PrintJson(context.out, SignersJson(signers));
  } else {
    PrintSigners(context.out, signers);
  }
  return ExitCode::kOk;
}

nlohmann::ordered_json MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  RAAKVLAK_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok(),
                 "a message without Any has a JSON form");
  return nlohmann::ordered_json::parse(json);
}

nlohmann::ordered_json SignersJson(const Signers& signers) {
  return {{"signed_by", signers.signed_by}, {"missing", signers.missing}};
}

void PrintLine(std::ostream& out, absl::string_view title, absl::string_view value) {
  out << "  " << title << ": " << Printable(value) << "\n";
}

void PrintSigners(std::ostream& out, const Signers& signers) {
  out << "signed by " << signers.signed_by.size() << " of "
      << signers.signed_by.size() + signers.missing.size() << "\n";
  for (const std::string& name : signers.missing) out << "  missing: " << Printable(name) << "\n";
}

}  // namespace raakvlak::cli

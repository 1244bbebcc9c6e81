// Reading, signing and printing of agreement files, common to the commands on covenants and rosters.
#pragma once

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/agreement.h"
#include "cli/command.h"
#include "google/protobuf/message.h"

namespace raakvlak::cli {

struct SignOptions {
  std::string in;
  std::string out;
  std::string key;
  std::string name;
};

absl::StatusOr<crypto::note::Note> ReadAgreement(const std::string& path);

// VerifyCovenant is policy::Covenant::Verify, which says of a text without any signature what is to be done.
absl::StatusOr<std::shared_ptr<const policy::Covenant>> VerifyCovenant(absl::string_view bytes);

// ReadCovenant verifies what it reads.
absl::StatusOr<std::shared_ptr<const policy::Covenant>> ReadCovenant(const std::string& path);

// WriteOutput writes `text` to a new file, or to `out` when no path is given. As JSON, `out` gets {"file"} or
// {"text"}. INVALID_ARGUMENT when the file is there already: others may have signed it.
absl::Status WriteOutput(const std::string& path, absl::string_view text, Context& context);

// SignAgreement adds a signature, writes the file (the one that was read, or a new one) and says who is still
// to sign. INVALID_ARGUMENT when the new one is there already.
absl::StatusOr<ExitCode> SignAgreement(const SignOptions& options, const crypto::note::Note& note,
                                       const std::vector<crypto::note::VerifierKey>& verifiers,
                                       Context& context);

// MessageJson is the message as its canonical JSON, with the names of the .proto.
nlohmann::ordered_json MessageJson(const google::protobuf::Message& message);
nlohmann::ordered_json SignersJson(const Signers& signers);

// Prints "  <title>: <value>" made safe for a terminal.
void PrintLine(std::ostream& out, absl::string_view title, absl::string_view value);
void PrintSigners(std::ostream& out, const Signers& signers);

}  // namespace raakvlak::cli

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/key_commands.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "crypto/note/note.h"
#include "crypto/seal/seal.h"
#include "policy/keyset/key_files.h"

namespace raakvlak::cli {
namespace {

struct NewOptions {
  std::string kind;
  std::string out;
  std::string name;
};

void PrintFields(Context& context, const nlohmann::ordered_json& fields) {
  if (context.json) return PrintJson(context.out, fields);
  for (const auto& [title, value] : fields.items()) {
    context.out << title << ": " << Printable(value.get<std::string>()) << "\n";
  }
}

absl::StatusOr<ExitCode> NewSigningKey(const NewOptions& options, Context& context) {
  if (options.name.empty()) return UsageError("key new --kind signing needs --name URN");
  RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(options.out));
  const auto key = crypto::note::PrivateKey::Generate(context.random);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto verifier,
                            crypto::note::VerifierKey::Create(options.name, key.public_key()));
  RAAKVLAK_RETURN_IF_ERROR(policy::WriteSigningKey(options.out, key));
  PrintFields(context, {{"signing_key", verifier.Encode()}});
  return ExitCode::kOk;
}

// The covenant holds these without a name.
absl::StatusOr<ExitCode> NewLogKey(const NewOptions& options, Context& context) {
  RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(options.out));
  const auto key = crypto::note::PrivateKey::Generate(context.random);
  RAAKVLAK_RETURN_IF_ERROR(policy::WriteSigningKey(options.out, key));
  PrintFields(context, {{"public_key", base::Base64(key.public_key().bytes())}});
  return ExitCode::kOk;
}

// Keys at rest, "vault" and "details", never leave their process: there is no public part.
absl::StatusOr<ExitCode> NewKeyAtRest(const NewOptions& options, Context& context) {
  RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(options.out));
  RAAKVLAK_RETURN_IF_ERROR(policy::WriteVaultKey(
      options.out, base::SecretBytes::Generate(context.random, crypto::seal::kKeySize)));
  PrintFields(context, {{absl::StrCat(options.kind, "_key"), options.out}});
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> NewSealKey(const NewOptions& options, Context& context) {
  const auto pair = crypto::seal::GenerateSealKeyPair(context.random);
  RAAKVLAK_RETURN_IF_ERROR(policy::WriteSealKey(options.out, pair));
  PrintFields(context, {{"id", crypto::seal::SealKeyId(pair.public_key)},
                        {"public_key", base::Base64(pair.public_key)}});
  return ExitCode::kOk;
}

// A lost key of a partner takes its signals with it: no key is ever written over.
absl::StatusOr<ExitCode> New(const NewOptions& options, Context& context) {
  if (options.kind == "signing") return NewSigningKey(options, context);
  if (options.kind == "log" || options.kind == "witness") return NewLogKey(options, context);
  if (options.kind == "vault" || options.kind == "details") return NewKeyAtRest(options, context);
  return NewSealKey(options, context);
}

}  // namespace

void AddKeyCommands(Commands& commands) {
  CLI::App& group = commands.Group("key", "Keys of partners and hub");

  auto new_options = std::make_shared<NewOptions>();
  CLI::App& make = commands.Add(
      group, "new", "Make a key file (mode 0600) and print its public part for the covenant or roster",
      "raakvlak key new --kind signing --name urn:raakvlak:maastricht:node:politie --out politie.pem\n"
      "raakvlak key new --kind log --out politie-log.pem\n"
      "raakvlak key new --kind witness --out politie-witness.pem\n"
      "raakvlak key new --kind vault --out vault.key\n"
      "raakvlak key new --kind details --out details.key\n"
      "raakvlak key new --kind seal --out seal-keys/    # writes seal-keys/<id>.seal",
      Needs::kNothing, [new_options](Context& context) { return New(*new_options, context); });
  make.add_option("--kind", new_options->kind,
                  "signing, log, witness (Ed25519), vault (a node's key at rest), details (key at rest of a "
                  "process's log) or seal (hub, X25519)")
      ->required()
      ->check(CLI::IsMember({"signing", "log", "witness", "vault", "details", "seal"}));
  make.add_option("--out", new_options->out, "File to write; for seal keys an existing folder")->required();
  make.add_option("--name", new_options->name,
                  "URN that a signing key signs for; needed for --kind signing only");

  AddKeyStatusCommand(commands, group);
  AddKeyCeremonyCommands(commands, group);
  AddKeyBackupCommands(commands, group);
}

}  // namespace raakvlak::cli

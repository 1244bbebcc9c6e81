#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/key_commands.h"
#include "cli/key_split.h"
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

struct SplitOptions {
  std::string covenant;
  std::string out;
  std::vector<std::string> signing_keys;
  std::vector<std::string> vault_keys;
  bool skip_existing = false;
};

// A lost key of a partner takes its signals with it: no key is ever written over.
absl::Status CheckAbsent(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return absl::OkStatus();
  return base::Error(absl::StatusCode::kAlreadyExists, base::reason::kInvalidArgument,
                     absl::StrCat(path, " is there already and is not replaced"));
}

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

absl::StatusOr<ExitCode> New(const NewOptions& options, Context& context) {
  if (options.kind == "signing") return NewSigningKey(options, context);
  if (options.kind == "log" || options.kind == "witness") return NewLogKey(options, context);
  if (options.kind == "vault" || options.kind == "details") return NewKeyAtRest(options, context);
  return NewSealKey(options, context);
}

absl::StatusOr<std::map<std::string, std::string>> ParsePairs(absl::string_view option,
                                                              const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> paths;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size()) {
      return UsageError(absl::StrCat(option, " takes PARTNER=FILE, not ", pair));
    }
    if (!paths.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return UsageError(absl::StrCat(option, " ", pair.substr(0, equals), " is given twice"));
    }
  }
  return paths;
}

absl::StatusOr<ExitCode> Split(const SplitOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto signing_files, ParsePairs("--signing-key", options.signing_keys));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto vault_files, ParsePairs("--vault-key", options.vault_keys));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                            base::ReadFile(options.covenant, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, policy::Covenant::Verify(bytes));
  RAAKVLAK_RETURN_IF_ERROR(covenant->CheckValidAt(context.clock.Now()));
  SplitKeys keys;
  for (const auto& [partner, file] : signing_files) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto key, policy::ReadSigningKey(file));
    keys.signing.emplace(partner, std::move(key));
  }
  for (const auto& [partner, file] : vault_files) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto key, policy::ReadVaultKey(file));
    keys.vault.emplace(partner, std::move(key));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto results,
      SplitAll(*covenant, keys, options.out, options.skip_existing ? IfPresent::kSkip : IfPresent::kRefuse,
               context.random));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  Table table({"PURPOSE", "CLASS", "EPOCH", "KEYSET", ""});
  for (const SplitResult& result : results) {
    const std::string name =
        v1::IdentifierClass_Name(static_cast<v1::IdentifierClass>(result.identifier_class));
    json.push_back({{"purpose", result.purpose},
                    {"class", name},
                    {"epoch", result.epoch},
                    {"keyset", base::Hex(result.keyset_id)},
                    {"made", result.made}});
    table.Add({result.purpose, name, absl::StrCat(result.epoch), base::Hex(result.keyset_id),
               result.made ? "made" : "was there"});
  }
  if (context.json) {
    PrintJson(context.out, json);
  } else {
    table.Print(context.out);
  }
  return ExitCode::kOk;
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
  make.add_option("--name", new_options->name, "URN that the signing key signs for");

  AddKeyStatusCommand(commands, group);
  AddKeyCeremonyCommands(commands, group);
  AddKeyBackupCommands(commands, group);

  auto split_options = std::make_shared<SplitOptions>();
  CLI::App& split = commands.Add(
      group, "split",
      "Make the region's evaluation keys and share them out. OFFLINE: this one machine sees all keys while "
      "it runs. Use one "
      "without network, watched by several partners, and wipe it after. Every key holder's signing and vault "
      "key is needed.",
      "raakvlak key split --covenant covenant.note --out keys --signing-key politie=politie.pem --vault-key "
      "politie=politie.vault ...    # and so on for every key holder",
      Needs::kNothing, [split_options](Context& context) { return Split(*split_options, context); },
      "the nodes make keys together and nobody ever sees one; that replaces this command");
  split.add_option("--covenant", split_options->covenant, "Signed covenant")->required();
  split
      .add_option("--out", split_options->out,
                  "Folder: keysets/ goes to all nodes and the hub, shares/<partner>/ to that partner only")
      ->required();
  split.add_option("--signing-key", split_options->signing_keys, "PARTNER=PEM, once for every key holder")
      ->required();
  split.add_option("--vault-key", split_options->vault_keys, "PARTNER=FILE, once for every key holder")
      ->required();
  split.add_flag("--skip-existing", split_options->skip_existing,
                 "Make only the keysets that are not there; without it, one that is there is an error");
}

}  // namespace raakvlak::cli

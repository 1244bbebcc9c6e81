#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/ceremonies.h"
#include "cli/key_commands.h"
#include "cli/output.h"
#include "policy/keyset/key_files.h"
#include "policy/keyset/keyset.h"
#include "policy/keyset/share_backup.h"
#include "policy/policy_copy.h"
#include "policy/secret_file.h"
#include "policy/strict_parse.h"
#include "raakvlak/v1/config.pb.h"

namespace raakvlak::cli {
namespace {

struct BackupOptions {
  std::string config;
  std::string purpose;
  std::string class_name;
  uint32_t epoch = 0;
  std::string passphrase;
  std::string out;
};

struct RestoreOptions {
  std::string config;
  std::string in;
  std::string passphrase;
};

// What a node reads at its start, read beside it.
struct NodeFiles {
  v1::NodeConfig config;
  std::string urn;
  policy::KeysetStore keysets;
};

constexpr char kNoBackup[] =
    ". Without one: when this node still has its share, `raakvlak key refresh` makes all shares anew; when "
    "it "
    "has none, the others give it one by `raakvlak key ceremony start --kind reshare`, with themselves as "
    "--contributors";

absl::Status KeysetUnknown(absl::string_view message) {
  return base::Error(absl::StatusCode::kNotFound, base::reason::kKeysetUnknown, message);
}

absl::StatusOr<NodeFiles> ReadNodeFiles(const std::string& path) {
  NodeFiles files;
  RAAKVLAK_RETURN_IF_ERROR(policy::ReadConfigFile(path, files.config));
  if (files.config.partner().empty() || files.config.keysets().empty() || files.config.shares().empty() ||
      files.config.vault_key().empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat(path, " is not the configuration of a node"));
  }
  // The covenants that the node knows: the configured one, and those that came to its policy folder since.
  const v1::Common& common = files.config.common();
  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto known,
      policy::PolicyCopy::Read(
          {.covenant = common.covenant(), .roster = "", .folder = common.state() + "/policy"}));
  files.urn = policy::Urn(known.chain().all().front()->region(), "node", files.config.partner());
  RAAKVLAK_ASSIGN_OR_RETURN(files.keysets, policy::KeysetStore::Load(files.config.keysets(), known.chain()));
  return files;
}

void PrintShare(const policy::Keyset& keyset, const std::string& verb, const std::string& file,
                Context& context) {
  const policy::KeysetText& text = keyset.text();
  const std::string name = ClassName(static_cast<v1::IdentifierClass>(text.identifier_class));
  if (context.json) {
    PrintJson(context.out, {{"purpose", text.purpose},
                            {"class", name},
                            {"epoch", text.epoch},
                            {"generation", text.generation},
                            {"keyset", base::Hex(keyset.id())},
                            {"file", file}});
    return;
  }
  context.out << Printable(absl::StrCat(verb, ": share of ", text.purpose, " ", name, ", epoch ", text.epoch,
                                        ", generation ", text.generation, ": ", file))
              << "\n";
}

absl::StatusOr<ExitCode> BackUp(const BackupOptions& options, Context& context) {
  RAAKVLAK_RETURN_IF_ERROR(CheckAbsent(options.out));
  RAAKVLAK_ASSIGN_OR_RETURN(const NodeFiles files, ReadNodeFiles(options.config));
  const auto identifier_class = static_cast<uint8_t>(ClassOf(options.class_name));
  std::shared_ptr<const policy::Keyset> keyset;
  for (const auto& candidate : files.keysets.all()) {
    const policy::KeysetText& text = candidate->text();
    if (text.purpose != options.purpose || text.identifier_class != identifier_class) continue;
    if (options.epoch != 0 && text.epoch != options.epoch) continue;
    if (keyset == nullptr || text.epoch > keyset->text().epoch)
      keyset = files.keysets.Newest(text.purpose, text.identifier_class, text.epoch);
  }
  if (keyset == nullptr) {
    return KeysetUnknown(absl::StrCat("there is no keyset of ", options.purpose, " ", options.class_name,
                                      options.epoch == 0 ? "" : absl::StrCat(" of epoch ", options.epoch),
                                      " in ", files.config.keysets()));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes vault_key,
                            policy::ReadVaultKey(files.config.vault_key(), files.urn));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const crypto::group::Scalar share,
      policy::ReadShare(files.config.shares(), *keyset, files.config.partner(), vault_key));
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes passphrase, policy::ReadPassphrase(options.passphrase));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text,
                            policy::BackUpShare(*keyset, files.config.partner(), share, passphrase,
                                                policy::PassphraseCost(), context.random));
  RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(options.out, text, 0600));
  PrintShare(*keyset, "backed up", options.out, context);
  return ExitCode::kOk;
}

// The keyset that a backup is of, when its share is still of use.
absl::StatusOr<std::shared_ptr<const policy::Keyset>> KeysetOfBackup(const policy::BackupScope& scope,
                                                                     const NodeFiles& files) {
  const auto newest = files.keysets.Newest(scope.purpose, scope.identifier_class, scope.epoch);
  const auto own = files.keysets.Find(scope.keyset_id);
  if (own == nullptr) {
    return KeysetUnknown(absl::StrCat(
        "the backup is of a keyset that is not in ", files.config.keysets(),
        newest == nullptr
            ? ": put the keysets back first, from another node or by starting this one, which "
              "takes them from the broker"
            : absl::StrCat(", where another one of that key is: take the newest backup", kNoBackup)));
  }
  if (own != newest) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kKeysetOutdated,
                       absl::StrCat("the backup is from before a refresh or reshare: it is of generation ",
                                    own->text().generation, ", in force is ", newest->text().generation,
                                    ", with which it is worth nothing. Take a newer backup", kNoBackup));
  }
  return newest;
}

absl::StatusOr<ExitCode> Restore(const RestoreOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const NodeFiles files, ReadNodeFiles(options.config));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(options.in));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::BackupScope scope, policy::ReadBackupScope(text));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto keyset, KeysetOfBackup(scope, files));
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes vault_key,
                            policy::ReadVaultKey(files.config.vault_key(), files.urn));
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes passphrase, policy::ReadPassphrase(options.passphrase));
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::group::Scalar share,
                            policy::RestoreShare(text, *keyset, files.config.partner(), passphrase));
  RAAKVLAK_RETURN_IF_ERROR(policy::WriteShare(files.config.shares(), *keyset, files.config.partner(), share,
                                              vault_key, context.random));
  PrintShare(*keyset, "restored", absl::StrCat(files.config.shares(), "/", base::Hex(keyset->id()), ".share"),
             context);
  return ExitCode::kOk;
}

constexpr char kPassphraseHelp[] =
    "File (mode 0600), credential:<name> or fd:<n> with the passphrase, at least 12 bytes; a newline at its "
    "end is not part of it";

}  // namespace

void AddKeyBackupCommands(Commands& commands, CLI::App& group) {
  auto backup = std::make_shared<BackupOptions>();
  CLI::App& backup_command = commands.Add(
      group, "backup",
      "Write this node's share of one key to a file, under a passphrase of its own. Works on the node's "
      "files, beside the running node. A share from before a refresh is of no use: back up after each",
      "raakvlak key backup --config node.textproto --purpose risicojeugd --class BSN --passphrase-file "
      "share.pass --out risicojeugd-bsn.backup\n"
      "raakvlak key backup --config node.textproto --purpose risicojeugd --class BSN --epoch 2 "
      "--passphrase-file fd:3 --out risicojeugd-bsn-2.backup 3< <(systemd-ask-password)",
      Needs::kNothing, [backup](Context& context) { return BackUp(*backup, context); });
  backup_command.add_option("--config", backup->config, "The node's configuration")->required();
  backup_command.add_option("--purpose", backup->purpose, "Purpose of the key")->required();
  AddClassOption(backup_command, backup->class_name);
  backup_command.get_option("--class")->required();
  backup_command.add_option("--epoch", backup->epoch, "Default the newest that is there");
  backup_command.add_option("--passphrase-file", backup->passphrase, kPassphraseHelp)->required();
  backup_command.add_option("--out", backup->out, "File to write (mode 0600)")->required();

  auto restore = std::make_shared<RestoreOptions>();
  CLI::App& restore_command = commands.Add(
      group, "restore",
      "Put a share back from its backup, into the node's files; then restart the node. A share from before a "
      "refresh or reshare is refused",
      "raakvlak key restore --config node.textproto --passphrase-file share.pass --in risicojeugd-bsn.backup",
      Needs::kNothing, [restore](Context& context) { return Restore(*restore, context); });
  restore_command.add_option("--config", restore->config, "The node's configuration")->required();
  restore_command.add_option("--in", restore->in, "The backup")->required();
  restore_command.add_option("--passphrase-file", restore->passphrase, kPassphraseHelp)->required();
}

}  // namespace raakvlak::cli

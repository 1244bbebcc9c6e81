// raakvlak-signer: signs the checkpoints of one process's logs.
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/ed25519.h"
#include "raakvlak/v1/config.pb.h"
#include "server/log/line_socket.h"
#include "server/program/program.h"
#include "server/signer/signer.h"
#include "server/signer/signer_server.h"

namespace raakvlak::signer {
namespace {

constexpr char kName[] = "raakvlak-signer";
constexpr char kSummary[] =
    "Signs the checkpoints of one process's logs with a key that the process does not have. It reads the\n"
    "entries itself, remembers what it signed, and refuses to sign a log that lost or changed any of them.";

absl::Status CheckRequired(const v1::SignerConfig& config) {
  const std::vector<std::pair<absl::string_view, absl::string_view>> required = {
      {"urn", config.urn()},     {"logs", config.logs()},     {"signing_key", config.signing_key()},
      {"state", config.state()}, {"listen", config.listen()},
  };
  for (const auto& [name, value] : required) {
    if (!value.empty()) continue;
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat(name, " is missing"));
  }
  return log::UnixAddress(config.listen()).status();
}

absl::StatusOr<crypto::note::PrivateKey> ReadKey(const v1::SignerConfig& config) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes pem,
                            base::ReadSecretFile(config.signing_key(), crypto::note::kMaxPemSize));
  auto key = crypto::note::PrivateKey::FromPem(pem);
  if (!key.ok()) return base::Annotate(key.status(), config.signing_key());
  return key;
}

SignerPaths PathsOf(const v1::SignerConfig& config) { return {config.urn(), config.logs(), config.state()}; }

absl::Status Serve(const v1::SignerConfig& config) {
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::note::PrivateKey key, ReadKey(config));
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(config.state()));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<Signer> signer,
                            Signer::Create(PathsOf(config), std::move(key)));
  SignerServerOptions options;
  options.listen = config.listen();
  options.users = {geteuid()};
  if (config.client_uid() != 0) options.users.push_back(config.client_uid());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<SignerServer> server,
                            SignerServer::Start(*signer, std::move(options)));
  base::Log(base::LogLevel::kInfo, "listening", {{"address", config.listen()}, {"urn", config.urn()}});
  base::WaitForStop();
  base::Log(base::LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

absl::Status AdoptLogs(const v1::SignerConfig& config) {
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::PrivateKey key, ReadKey(config));
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(config.state()));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<crypto::tlog::Checkpoint> adopted,
                            Adopt(PathsOf(config), key.public_key()));
  for (const crypto::tlog::Checkpoint& checkpoint : adopted) {
    base::Log(base::LogLevel::kWarning, "signer.adopted",
              {{"log", checkpoint.origin},
               {"size", absl::StrCat(checkpoint.size)},
               {"root", checkpoint.root.ToBase64()}});
  }
  if (adopted.empty()) base::Log(base::LogLevel::kInfo, "signer.nothing_to_adopt");
  return absl::OkStatus();
}

absl::Status Run(const v1::SignerConfig& config, server::RunMode mode, bool adopt) {
  RAAKVLAK_RETURN_IF_ERROR(CheckRequired(config));
  if (mode == server::RunMode::kServe) return adopt ? AdoptLogs(config) : Serve(config);
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::note::PrivateKey key, ReadKey(config));
  return Signer::Create(PathsOf(config), std::move(key)).status();
}

}  // namespace
}  // namespace raakvlak::signer

int main(int argc, char** argv) {
  namespace signer = raakvlak::signer;
  raakvlak::v1::SignerConfig config;
  bool adopt = false;
  raakvlak::server::Program program{signer::kName, signer::kSummary};
  program.reads = "configuration, key, state and checkpoints";
  program.note = "Its state must not come from a backup: docs/operating.md.";
  program.flags = {{"--adopt", "take the state from the signed logs as they are, then stop", &adopt}};
  return raakvlak::server::RunProgram(argc, argv, program, config, [&](raakvlak::server::RunMode mode) {
    return signer::Run(config, mode, adopt);
  });
}

#include "server/program/common.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/secret_file.h"

namespace raakvlak::server {
namespace {

constexpr uint32_t kMaxThreads = 1024;

class NothingSeen final : public policy::HighWater {
 public:
  absl::StatusOr<policy::Newest> Load() override { return policy::Newest(); }
  absl::Status Store(const policy::Newest&) override { return absl::OkStatus(); }
};

}  // namespace

absl::Status CheckRequired(const v1::Common& common, const std::vector<Field>& own) {
  std::vector<Field> required = {
      {"common.covenant", common.covenant()},
      {"common.roster", common.roster()},
      {"common.tls_certificate", common.tls_certificate()},
      {"common.tls_key", common.tls_key()},
      {"common.tls_authority", common.tls_authority()},
      {"common.state", common.state()},
      {"common.details_key", common.details_key()},
      {"common.signer_socket", common.signer_socket()},
  };
  required.insert(required.end(), own.begin(), own.end());
  for (const auto& [name, value] : required) {
    if (!value.empty()) continue;
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat(name, " is missing"));
  }
  return absl::OkStatus();
}

policy::PolicyFiles PolicyFilesOf(const v1::Common& common) {
  return {common.covenant(), common.roster(), common.state() + "/policy"};
}

absl::StatusOr<policy::Snapshot> CheckFiles(const v1::Common& common, const base::Clock& clock) {
  NothingSeen nothing;
  policy::PolicyFiles files = PolicyFilesOf(common);
  files.read_only = true;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto authority,
                            policy::Authority::Create(std::move(files), clock, nothing));
  RAAKVLAK_RETURN_IF_ERROR(rpc::MakeServerCredentials(TlsFilesOf(common)).status());
  return authority->Current();
}

absl::StatusOr<storage::LogCodec> MakeLogCodec(const v1::Common& common, absl::string_view urn,
                                               base::Random& random) {
  RAAKVLAK_ASSIGN_OR_RETURN(base::SecretBytes key, policy::ReadSecret32(common.details_key()));
  return storage::LogCodec(std::string(urn), std::move(key), random);
}

rpc::TlsFiles TlsFilesOf(const v1::Common& common) {
  return {common.tls_certificate(), common.tls_key(), common.tls_authority()};
}

int ThreadsOf(const v1::Common& common) {
  if (common.threads() != 0) return static_cast<int>(std::min(common.threads(), kMaxThreads));
  return static_cast<int>(std::max(2u, 2 * std::thread::hardware_concurrency()));
}

}  // namespace raakvlak::server

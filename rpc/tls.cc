#include "rpc/tls.h"

#include <grpc/support/log.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

using grpc::experimental::CertificateVerifier;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// A suite that needs a pre-shared key, which no peer of TLS 1.2 has here. TLS 1.3 has its own list and is not
// affected.
constexpr char kNoTls12Suite[] = "PSK-AES256-GCM-SHA384";

template <auto Function>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    Function(pointer);
  }
};
using BioPointer = std::unique_ptr<BIO, Free<BIO_free>>;
using CertificatePointer = std::unique_ptr<X509, Free<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

BioPointer MemoryBio(absl::string_view bytes) {
  return BioPointer(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

absl::Status FilesInvalid(absl::string_view message) {
  ERR_clear_error();
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid, message);
}

CertificatePointer FirstCertificate(absl::string_view pem) {
  return CertificatePointer(PEM_read_bio_X509(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
}

// gRPC would find out only at each handshake, and say nothing of use.
absl::Status CheckPair(const TlsFiles& files, absl::string_view certificate_pem, absl::string_view key_pem) {
  const CertificatePointer certificate = FirstCertificate(certificate_pem);
  if (certificate == nullptr)
    return FilesInvalid(absl::StrCat(files.certificate, " holds no PEM certificate"));
  char no_password[] = "";
  const KeyPointer key(PEM_read_bio_PrivateKey(MemoryBio(key_pem).get(), nullptr, nullptr, no_password));
  if (key == nullptr) return FilesInvalid(absl::StrCat(files.key, " holds no PEM private key"));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return FilesInvalid(absl::StrCat(files.key, " is not the key of ", files.certificate));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<StaticDataCertificateProvider>> MakeProvider(const TlsFiles& files) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string authority, base::ReadFile(files.authority));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string certificate, base::ReadFile(files.certificate));
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes key, base::ReadSecretFile(files.key));
  const absl::string_view key_pem = key.Reveal(base::RevealSecret{});
  RAAKVLAK_RETURN_IF_ERROR(CheckPair(files, certificate, key_pem));
  if (FirstCertificate(authority) == nullptr) {
    return FilesInvalid(absl::StrCat(files.authority, " holds no PEM certificate"));
  }
  std::vector<grpc::experimental::IdentityKeyCertPair> pairs = {{std::string(key_pem), certificate}};
  auto provider = std::make_shared<StaticDataCertificateProvider>(authority, pairs);
  base::WipeString(pairs[0].private_key);
  return provider;
}

class UrnVerifier final : public ExternalCertificateVerifier {
 public:
  explicit UrnVerifier(std::string urn) : urn_(std::move(urn)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const std::vector<grpc::string_ref> names = request->uri_names();
    const bool same = names.size() == 1 && absl::string_view(names[0].data(), names[0].size()) == urn_;
    *sync_status =
        same ? grpc::Status::OK
             : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "the server is not the one expected");
    return true;
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string urn_;
};

void LogGrpc(gpr_log_func_args* line) {
  const absl::string_view file(line->file);
  base::Log(
      line->severity == GPR_LOG_SEVERITY_ERROR ? base::LogLevel::kWarning : base::LogLevel::kInfo, "grpc",
      {{"at", absl::StrCat(file.substr(file.rfind('/') + 1), ":", line->line)}, {"message", line->message}});
}

}  // namespace

void PrepareProcess() {
  setenv("GRPC_SSL_CIPHER_SUITES", kNoTls12Suite, 1);
  gpr_set_log_function(LogGrpc);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsFiles& files) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto provider, MakeProvider(files));
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const TlsFiles& files, absl::string_view server_urn) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto provider, MakeProvider(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<UrnVerifier>(std::string(server_urn)));
  // Else gRPC compares host names for each call; the URN is what counts.
  options.set_check_call_host(false);
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace raakvlak::rpc

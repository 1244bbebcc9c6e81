#include "tests/support/pki.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace raakvlak::testing {
namespace {

constexpr long kAnHour = 3600;
constexpr long kADay = 24 * kAnHour;

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  RAAKVLAK_CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1,
                 "the extension is valid");
  X509_EXTENSION_free(extension);
}

// A certificate that lacks its extensions and signature.
X509* Begin(EVP_PKEY* key, X509* issuer, int serial, const std::string& common_name) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kAnHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kADay);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer == nullptr ? certificate : issuer));
  return certificate;
}

void End(X509* certificate, EVP_PKEY* issuer_key) {
  RAAKVLAK_CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "the certificate can be signed");
}

void WriteCertificate(const std::string& path, X509* certificate) {
  FILE* file = fopen(path.c_str(), "w");
  RAAKVLAK_CHECK(file != nullptr && PEM_write_X509(file, certificate) == 1 && fclose(file) == 0,
                 "the file is written");
}

void WriteKey(const std::string& path, EVP_PKEY* key) {
  FILE* file = fopen(path.c_str(), "w");
  RAAKVLAK_CHECK(file != nullptr && chmod(path.c_str(), 0600) == 0 &&
                     PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
                     fclose(file) == 0,
                 "the file is written");
}

}  // namespace

TestPki::TestPki() {
  rpc::PrepareProcess();
  key_.reset(EVP_EC_gen("P-256"));
  certificate_.reset(Begin(key_.get(), nullptr, 1, "Test authority"));
  Extend(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign");
  Extend(certificate_.get(), certificate_.get(), NID_subject_key_identifier, "hash");
  End(certificate_.get(), key_.get());
  WriteCertificate(folder_.File("authority.pem"), certificate_.get());
}

TestPki::~TestPki() = default;

rpc::TlsFiles TestPki::IssueNames(const std::vector<std::string>& uri_names) {
  const std::string name = absl::StrCat(++issued_);
  const rpc::TlsFiles files = {folder_.File(name + ".pem"), folder_.File(name + ".key"),
                               folder_.File("authority.pem")};
  const std::unique_ptr<EVP_PKEY, KeyFree> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, CertificateFree> leaf(
      Begin(key.get(), certificate_.get(), issued_ + 1, "test " + name));
  std::string names = "DNS:localhost,IP:127.0.0.1";
  for (const std::string& uri : uri_names) absl::StrAppend(&names, ",URI:", uri);
  Extend(leaf.get(), certificate_.get(), NID_subject_alt_name, names);
  Extend(leaf.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
  Extend(leaf.get(), certificate_.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  End(leaf.get(), key_.get());
  WriteCertificate(files.certificate, leaf.get());
  WriteKey(files.key, key.get());
  return files;
}

}  // namespace raakvlak::testing

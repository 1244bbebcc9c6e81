// TestPki: a throwaway certificate authority, for tests that speak real mutual TLS. P-256, valid for a day,
// files in a temporary folder that goes with the object. WARNING: its keys are for tests only.
//
// Thread safety: not safe; make certificates first, then start threads.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "rpc/tls.h"

namespace raakvlak::testing {

class TestPki {
 public:
  // Also calls rpc::PrepareProcess, which must come before the first credentials of the process.
  TestPki();
  ~TestPki();

  // A certificate and key for `urn`, with DNS name localhost and IP address 127.0.0.1, and the authority's
  // certificate. Each call makes a new key.
  rpc::TlsFiles Issue(const std::string& urn) { return IssueNames({urn}); }
  // The same with any number of URI names.
  rpc::TlsFiles IssueNames(const std::vector<std::string>& uri_names);

  const std::string& folder() const { return folder_.path(); }

 private:
  struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  base::testing::TemporaryFolder folder_;
  std::unique_ptr<EVP_PKEY, KeyFree> key_;
  std::unique_ptr<X509, CertificateFree> certificate_;
  int issued_ = 0;
};

}  // namespace raakvlak::testing

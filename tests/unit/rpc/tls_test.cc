#include "rpc/tls.h"

#include <grpc/grpc_security.h>
#include <sys/stat.h>

#include "base/file.h"
#include "rpc/client_call.h"
#include "tests/unit/rpc/fixture.h"
#include "tests/unit/rpc/raw_tls.h"

namespace raakvlak::rpc {
namespace {

class TlsTest : public RpcFixture {
 protected:
  static std::string Read(const std::string& path) { return *base::ReadFile(path); }
  // A stock client: gRPC's own credentials, as another program would use.
  std::shared_ptr<grpc::Channel> StockChannel(const TlsFiles* files,
                                              grpc::ChannelArguments arguments = grpc::ChannelArguments()) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Read(server_files_.authority);
    if (files != nullptr) {
      options.pem_cert_chain = Read(files->certificate);
      options.pem_private_key = Read(files->key);
    }
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(options), arguments);
  }

  const TlsFiles node_files_ = pki_.Issue(TestRegion::Urn("node", "politie"));
};

TEST_F(TlsTest, StockClientWithCertificateConnects) {
  EXPECT_THAT(Submit(StockChannel(&node_files_)), IsOk());
}

TEST_F(TlsTest, ClientWithoutCertificateIsRefused) {
  EXPECT_THAT(Submit(StockChannel(nullptr)), HasReason(base::reason::kUnavailable));
}

TEST_F(TlsTest, ClientOfAnotherAuthorityIsRefused) {
  TestPki other;
  const TlsFiles files = other.Issue(TestRegion::Urn("node", "politie"));
  EXPECT_THAT(Submit(StockChannel(&files)), HasReason(base::reason::kUnavailable));
  EXPECT_TRUE(refusals_.lines().empty());
}

TEST_F(TlsTest, PlaintextClientIsRefused) {
  EXPECT_THAT(Submit(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials())),
              HasReason(base::reason::kUnavailable));
}

TEST_F(TlsTest, Tls13WithCertificateIsTakenAndTls12Refused) {
  const RawResult new_version = ConnectRaw(server_->port(), TLS1_3_VERSION, TLS1_3_VERSION, &node_files_);
  EXPECT_TRUE(new_version.handshake);
  EXPECT_EQ(new_version.version, "TLSv1.3");
  const RawResult old_version = ConnectRaw(server_->port(), TLS1_VERSION, TLS1_2_VERSION, &node_files_);
  EXPECT_TRUE(old_version.connected);
  EXPECT_FALSE(old_version.handshake);
}

TEST_F(TlsTest, Tls13WithoutCertificateIsRefused) {
  EXPECT_FALSE(ConnectRaw(server_->port(), TLS1_3_VERSION, TLS1_3_VERSION, nullptr).handshake);
}

TEST_F(TlsTest, ResumedSessionIsRefused) {
  grpc_ssl_session_cache* cache = grpc_ssl_session_cache_create_lru(16);
  grpc_arg argument = grpc_ssl_session_cache_create_channel_arg(cache);
  grpc::ChannelArguments arguments;
  arguments.SetPointerWithVtable(argument.key, argument.value.pointer.p, argument.value.pointer.vtable);
  // The first connection leaves a ticket in the cache, which the second one uses.
  EXPECT_THAT(Submit(StockChannel(&node_files_, arguments)), IsOk());
  EXPECT_THAT(Submit(StockChannel(&node_files_, arguments)), HasReason(base::reason::kUnauthenticated));
  grpc_ssl_session_cache_destroy(cache);
}

TEST_F(TlsTest, OurChannelConnectsToTheServerItExpectsOnly) {
  const auto submit_to = [&](const std::string& urn) {
    return Submit(*MakeChannel(server_->address(), urn, node_files_));
  };
  EXPECT_THAT(submit_to(server_urn_), IsOk());
  EXPECT_THAT(submit_to(TestRegion::Urn("broker", "other")), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(submit_to(TestRegion::Urn("hub", "centre")), HasReason(base::reason::kUnavailable));
  EXPECT_THAT(submit_to(""), HasReason(base::reason::kUnavailable));
}

TEST_F(TlsTest, OurChannelRefusesAServerWithTwoUriNames) {
  Server::Options options = MakeOptions();
  options.tls = pki_.IssueNames({server_urn_, TestRegion::Urn("hub", "veiligheidshuis")});
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto server, Server::Start(options, {&exchange_}));
  EXPECT_THAT(Submit(*MakeChannel(server->address(), server_urn_, node_files_)),
              HasReason(base::reason::kUnavailable));
}

TEST_F(TlsTest, OurChannelRefusesAServerOfAnotherAuthority) {
  TestPki other;
  EXPECT_THAT(
      Submit(*MakeChannel(server_->address(), server_urn_, other.Issue(TestRegion::Urn("node", "politie")))),
      HasReason(base::reason::kUnavailable));
}

TEST_F(TlsTest, SelfTestPassesOnOurServer) { EXPECT_THAT(SelfTest("127.0.0.1", server_->port()), IsOk()); }

TEST_F(TlsTest, SelfTestFindsAServerThatTakesTls12) {
  const RawServer both(server_files_, TLS1_2_VERSION, TLS1_3_VERSION);
  EXPECT_THAT(SelfTest("127.0.0.1", both.port()), HasReason(base::reason::kInternal));
}

TEST_F(TlsTest, SelfTestFindsAServerWithoutTls13) {
  const RawServer old(server_files_, TLS1_2_VERSION, TLS1_2_VERSION);
  EXPECT_THAT(SelfTest("127.0.0.1", old.port()), HasReason(base::reason::kInternal));
}

TEST_F(TlsTest, SelfTestTakesARawServerOfTls13) {
  const RawServer fresh(server_files_, TLS1_3_VERSION, TLS1_3_VERSION);
  EXPECT_THAT(SelfTest("127.0.0.1", fresh.port()), IsOk());
}

TEST_F(TlsTest, SelfTestOfAClosedPortIsUnavailable) {
  const int port = server_->port();
  server_->Shutdown(absl::ZeroDuration());
  EXPECT_THAT(SelfTest("127.0.0.1", port), HasReason(base::reason::kUnavailable));
}

class TlsFilesTest : public ::testing::Test {
 protected:
  // Both kinds of credentials must fail alike.
  static void ExpectBoth(const TlsFiles& files, const char* reason) {
    EXPECT_THAT(MakeServerCredentials(files), HasReason(reason));
    EXPECT_THAT(MakeChannelCredentials(files, "urn:raakvlak:r:node:a"), HasReason(reason));
  }
  std::string Garbage(unsigned mode) {
    const std::string path = pki_.folder() + "/garbage";
    EXPECT_THAT(base::WriteFileAtomically(path, "not PEM", mode), IsOk());
    return path;
  }
  TestPki pki_;
  TlsFiles files_ = pki_.Issue("urn:raakvlak:r:node:a");
};

TEST_F(TlsFilesTest, GoodFilesMakeCredentials) {
  EXPECT_THAT(MakeServerCredentials(files_), IsOk());
  EXPECT_THAT(MakeChannelCredentials(files_, "urn:raakvlak:r:node:a"), IsOk());
}

TEST_F(TlsFilesTest, MissingFilesAreUnreadable) {
  for (std::string TlsFiles::*member : {&TlsFiles::certificate, &TlsFiles::key, &TlsFiles::authority}) {
    TlsFiles files = files_;
    files.*member = "/nonexistent/file";
    ExpectBoth(files, base::reason::kFileUnreadable);
  }
}

TEST_F(TlsFilesTest, KeyOpenToOthersIsUnsafe) {
  ASSERT_EQ(chmod(files_.key.c_str(), 0644), 0);
  ExpectBoth(files_, base::reason::kFileUnsafe);
}

TEST_F(TlsFilesTest, KeyOfAnotherCertificateIsInvalid) {
  files_.key = pki_.Issue("urn:raakvlak:r:node:b").key;
  ExpectBoth(files_, base::reason::kConfigInvalid);
}

TEST_F(TlsFilesTest, FilesThatAreNotPemAreInvalid) {
  for (std::string TlsFiles::*member : {&TlsFiles::certificate, &TlsFiles::key, &TlsFiles::authority}) {
    TlsFiles files = files_;
    files.*member = Garbage(0600);
    ExpectBoth(files, base::reason::kConfigInvalid);
  }
}

}  // namespace
}  // namespace raakvlak::rpc

#include "rpc/server.h"

#include <arpa/inet.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/grpc_refusals.h"

namespace raakvlak::rpc {
namespace {

absl::Status ConfigInvalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid, message);
}

// The host of `options.listen`.
absl::StatusOr<std::string> ParseListen(const Server::Options& options) {
  const std::vector<std::string> parts = absl::StrSplit(options.listen, ':');
  in_addr address = {};
  int port = 0;
  if (parts.size() != 2 || inet_pton(AF_INET, parts[0].c_str(), &address) != 1 ||
      !absl::SimpleAtoi(parts[1], &port) || port < 0 || port > 65535) {
    return ConfigInvalid(absl::StrCat("'", options.listen, "' is not an IPv4 address and a port"));
  }
  const bool loopback = (ntohl(address.s_addr) >> 24) == 127;
  if (!loopback && !options.reachable_from_network) {
    return ConfigInvalid(absl::StrCat("'", options.listen, "' is not a loopback address"));
  }
  return parts[0];
}

void SetLimits(const Server::Options& options, grpc::ServerBuilder& builder) {
  // What is over our limit but not twice that, we can refuse ourselves, with a reason and an entry.
  builder.SetMaxReceiveMessageSize(static_cast<int>(2 * options.environment->max_request_bytes));
  builder.SetMaxSendMessageSize(options.max_send_bytes);
  constexpr std::pair<const char*, int> kArguments[] = {
      // The algorithms stay on: a call with one that is off is turned away before we see it.
      {GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, 100},
      {GRPC_ARG_MAX_METADATA_SIZE, 8 << 10},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000},
      {GRPC_ARG_KEEPALIVE_TIME_MS, 60'000},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, 5 * 60'000},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, 15 * 60'000},
      // Two servers on one port would share its calls unnoticed.
      {GRPC_ARG_ALLOW_REUSEPORT, 0},
  };
  for (const auto& [name, value] : kArguments) builder.AddChannelArgument(name, value);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options,
                                                      const std::vector<grpc::Service*>& services) {
  RAAKVLAK_CHECK(options.environment != nullptr, "refusals go to the audit log");
  RAAKVLAK_ASSIGN_OR_RETURN(std::string host, ParseListen(options));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto credentials, MakeServerCredentials(options.tls));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  int port = 0;
  builder.AddListeningPort(options.listen, credentials, &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::CallbackGenericService> unknown_methods = MakeUnknownMethods(*options.environment);
  builder.RegisterCallbackGenericService(unknown_methods.get());
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(MakeMalformedRequests(*options.environment));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  std::unique_ptr<grpc::Server> built = builder.BuildAndStart();
  if (built == nullptr || port == 0) return ConfigInvalid(absl::StrCat("cannot listen on ", options.listen));
  std::unique_ptr<Server> server(
      new Server(std::move(unknown_methods), std::move(built), std::move(host), port));
  RAAKVLAK_RETURN_IF_ERROR(SelfTest(server->host_ == "0.0.0.0" ? "127.0.0.1" : server->host_, port));
  return server;
}

Server::Server(std::unique_ptr<grpc::CallbackGenericService> unknown_methods,
               std::unique_ptr<grpc::Server> server, std::string host, int port)
    : unknown_methods_(std::move(unknown_methods)),
      server_(std::move(server)),
      host_(std::move(host)),
      port_(port) {}

Server::~Server() { Shutdown(absl::ZeroDuration()); }

std::string Server::address() const { return absl::StrCat(host_, ":", port_); }

void Server::SetHealth(const std::string& name, bool serving) {
  if (grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService(); health != nullptr) {
    health->SetServingStatus(name, serving);
  }
}

void Server::Shutdown(absl::Duration grace) {
  if (std::exchange(shut_down_, true)) return;
  if (grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService(); health != nullptr) {
    health->SetServingStatus(false);
  }
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

}  // namespace raakvlak::rpc

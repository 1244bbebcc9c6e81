// Ceremonies: an operator, the keys of its partner's node, and the ceremonies that make them. What the
// commands under `raakvlak key` have in common.
//
// Thread safety: one thread.
#pragma once

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/command.h"
#include "client/node_keys_client.h"
#include "raakvlak/v1/node_keys.pb.h"

namespace raakvlak::cli {

inline constexpr absl::Duration kNodeKeysTimeout = absl::Seconds(30);

// How a command waits for the end of ceremonies.
struct WaitOptions {
  bool wait = false;
  int seconds = 600;
  int every_ms = 500;
};
void AddWaitOptions(CLI::App& command, WaitOptions& options);

// A class as options and tables write it: BSN, PERSON, ADDRESS.
void AddClassOption(CLI::App& command, std::string& name);
std::string ClassName(v1::IdentifierClass identifier_class);
// REQUIRES: a name that AddClassOption takes.
v1::IdentifierClass ClassOf(const std::string& name);

class Ceremonies {
 public:
  // Errors of Services. `context` outlives this.
  static absl::StatusOr<Ceremonies> Create(Context& context);

  // All return what the node refuses, as FromPeer.
  absl::StatusOr<v1::GetKeyStatusResponse> Status();
  absl::StatusOr<v1::CeremonyState> Start(const v1::StartCeremonyRequest& request);
  absl::StatusOr<v1::CeremonyState> Approve(const std::string& ceremony_id);
  absl::StatusOr<v1::CeremonyState> GiveUp(const std::string& ceremony_id);
  absl::StatusOr<std::vector<v1::CeremonyState>> List();

  // Find returns the ceremony whose id starts with `id` (hexadecimal, at least four digits). NOT_FOUND; a
  // usage error when it is none or several fit.
  absl::StatusOr<v1::CeremonyState> Find(const std::string& id);

  // Finish prints the ceremonies, after it waited for their end when that is asked for: each step is told on
  // `err` as it comes. kOk when none of them was stopped, refused or, after waiting, is not done.
  absl::StatusOr<ExitCode> Finish(std::vector<v1::CeremonyState> ceremonies, const WaitOptions& options);

 private:
  Ceremonies(Context& context, std::unique_ptr<client::NodeKeysClient> node)
      : context_(context), node_(std::move(node)) {}

  absl::Status Follow(std::vector<v1::CeremonyState>& ceremonies, const WaitOptions& options);

  Context& context_;
  std::unique_ptr<client::NodeKeysClient> node_;
};

nlohmann::ordered_json CeremonyJson(const v1::CeremonyState& ceremony);
// A table of ceremonies, and all that is known about one.
void PrintCeremonies(const std::vector<v1::CeremonyState>& ceremonies, std::ostream& out);
void PrintCeremony(const v1::CeremonyState& ceremony, std::ostream& out);

}  // namespace raakvlak::cli

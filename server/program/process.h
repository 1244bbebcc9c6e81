// Process: what the broker, a node and the hub have in common, in the order in which it begins and ends.
//
// A main goes: ReadStart; its database; Create; its own parts; Witness; its services and Listen;
// StartRetention; its own threads; RunUntilStop. Then it stops its own threads, shuts its servers down and
// drains its executors, and calls Stop.
//
// Thread safety: for the main's thread; what the accessors return says so itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "crypto/note/ed25519.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/call.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/log/audit_reading.h"
#include "server/log/process_log.h"
#include "server/log/witnessed_log.h"
#include "server/program/audit_refusals.h"
#include "server/program/policy_log.h"
#include "server/program/program.h"
#include "server/program/retention.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"

namespace raakvlak::server {

// Of an executor.
inline constexpr size_t kMaxQueuedCalls = 1024;
// What calls under way have to finish when a server shuts down.
inline constexpr absl::Duration kGrace = absl::Seconds(10);

// Which process this is.
struct Self {
  const v1::Common& common;
  // As in audit entries: "broker", "node" or "hub".
  std::string role;
  // Its URN, as a covenant has it.
  std::function<std::string(const policy::Covenant&)> urn;
};

// What --check-config reads of a covenant's part that is the same for all. Errors of MakeLogCodec,
// log::MakeOutsideLinks and log::ProcessLog::OptionsFor.
absl::Status CheckLog(const Self& self, const policy::Covenant& covenant);

// What is read before the database is opened.
struct Start {
  policy::Snapshot files;
  std::string urn;
  storage::LogCodec codec;
};

// ReadStart locks the state folder and reads. Errors of base::LockFolder, CheckFiles and MakeLogCodec.
// `random` outlives the codec.
absl::StatusOr<Start> ReadStart(const Self& self, const base::Clock& clock, base::Random& random);

// What the process keeps in its database.
struct Kept {
  storage::AuditLog& log;
  storage::AuditAppender& audit;  // durable when it returns
  policy::HighWater& newest;
};

class Process {
 public:
  // Create opens the published log, before anything is appended: a restored database is to be noticed as it
  // is. Then it takes what is in force. Errors of log::ProcessLog::Create and policy::Authority::Create.
  // What `self` and `kept` name and `clock` outlive this.
  static absl::StatusOr<std::unique_ptr<Process>> Create(const Self& self, const Start& start,
                                                         const Kept& kept, const base::Clock& clock);
  policy::Authority& authority() { return *authority_; }
  // At the start.
  const policy::Snapshot& in_force() const { return in_force_; }
  const std::string& urn() const { return urn_; }

  // Witness has the log cosigned from now on. What `make_client` uses outlives this. Errors of
  // log::WitnessedLog::Create.
  absl::Status Witness(log::WitnessedLog::MakeClient make_client);
  // REQUIRES, this and what follows: Witness succeeded.
  log::WitnessedLog& witnessed() { return *witnessed_; }
  log::AuditReading& audit_reading() { return *audit_reading_; }
  // For services whose calls pass `gate` and run on `executor`. Both outlive these.
  rpc::CallEnvironment CallsThrough(const rpc::Gate& gate, base::Executor& executor);
  // Errors of rpc::Server::Start. `calls` outlives the server.
  absl::StatusOr<std::unique_ptr<rpc::Server>> Listen(const std::string& address,
                                                      const rpc::CallEnvironment& calls,
                                                      const std::vector<grpc::Service*>& services);

  // `erase_more` erases what else has the term of the details.
  void StartRetention(Retention::EraseMore erase_more = nullptr);

  // RunUntilStop returns when the process is asked to stop. Each second, from the start on, it tells the
  // health of `servers`, looks whether the covenant in force needs another configuration (OwnPart; a node has
  // `signing_keys`), and calls `look` with what is in force.
  void RunUntilStop(const std::vector<rpc::Server*>& servers,
                    const std::function<void(const policy::Snapshot&)>& look = nullptr,
                    std::vector<crypto::note::PublicKey> signing_keys = {});

  // Stop ends the threads, writes what was counted and publishes what was logged. Call when no call can come
  // any more. The destructor ends the threads too.
  void Stop();

 private:
  Process(const Self& self, const Start& start, const Kept& kept, const base::Clock& clock)
      : self_(self),
        kept_(kept),
        clock_(clock),
        policy_log_(kept.newest, kept.audit, clock, start.urn, self.role) {}

  const Self self_;
  const Kept kept_;
  const base::Clock& clock_;
  // Each ends before what it uses.
  std::unique_ptr<log::ProcessLog> log_;
  PolicyLog policy_log_;
  std::unique_ptr<policy::Authority> authority_;
  policy::Snapshot in_force_;
  std::string urn_;
  std::optional<AuditRefusals> refusals_;
  std::unique_ptr<log::WitnessedLog> witnessed_;
  std::optional<log::AuditReading> audit_reading_;
  std::optional<Retention> retention_;
};

// RunServer is the main of a server: RunProgram with `run`, which reads its configuration.
template <typename Config>
int RunServer(int argc, char** argv, const Program& program,
              absl::Status (*run)(const Config& config, RunMode mode)) {
  rpc::PrepareProcess();
  Config config;
  return RunProgram(argc, argv, program, config, [&](RunMode mode) { return run(config, mode); });
}

}  // namespace raakvlak::server

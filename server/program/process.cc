#include "server/program/process.h"

#include "base/file.h"
#include "base/log.h"
#include "base/periodic_job.h"
#include "base/process.h"
#include "base/status.h"
#include "server/program/common.h"
#include "server/program/own_part.h"

namespace raakvlak::server {

absl::Status CheckLog(const Self& self, const policy::Covenant& covenant) {
  const std::string urn = self.urn(covenant);
  base::SystemRandom random;
  RAAKVLAK_RETURN_IF_ERROR(MakeLogCodec(self.common, urn, random).status());
  RAAKVLAK_RETURN_IF_ERROR(log::MakeOutsideLinks(self.common).status());
  return log::ProcessLog::OptionsFor(self.common, covenant, urn).status();
}

absl::StatusOr<Start> ReadStart(const Self& self, const base::Clock& clock, base::Random& random) {
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(self.common.state()));
  RAAKVLAK_ASSIGN_OR_RETURN(policy::Snapshot files, CheckFiles(self.common, clock));
  std::string urn = self.urn(*files.covenant);
  RAAKVLAK_ASSIGN_OR_RETURN(storage::LogCodec codec, MakeLogCodec(self.common, urn, random));
  return Start{std::move(files), std::move(urn), std::move(codec)};
}

absl::StatusOr<std::unique_ptr<Process>> Process::Create(const Self& self, const Start& start,
                                                         const Kept& kept, const base::Clock& clock) {
  std::unique_ptr<Process> process(new Process(self, start, kept, clock));
  RAAKVLAK_ASSIGN_OR_RETURN(log::ProcessLog::Options options,
                            log::ProcessLog::OptionsFor(self.common, *start.files.covenant, start.urn));
  RAAKVLAK_ASSIGN_OR_RETURN(process->log_, log::ProcessLog::Create(kept.log, clock, std::move(options)));
  RAAKVLAK_ASSIGN_OR_RETURN(process->authority_, policy::Authority::Create(PolicyFilesOf(self.common), clock,
                                                                           process->policy_log_));
  RAAKVLAK_ASSIGN_OR_RETURN(process->in_force_, process->authority_->Current());
  process->urn_ = self.urn(*process->in_force_.covenant);
  process->refusals_.emplace(kept.audit, *process->authority_, clock);
  return process;
}

absl::Status Process::Witness(log::WitnessedLog::MakeClient make_client) {
  RAAKVLAK_ASSIGN_OR_RETURN(
      witnessed_,
      log::WitnessedLog::Create(*log_, *authority_, urn_, std::move(make_client), self_.common, clock_));
  audit_reading_.emplace(kept_.log, kept_.audit, *witnessed_, log_->folder(), clock_);
  return absl::OkStatus();
}

rpc::CallEnvironment Process::CallsThrough(const rpc::Gate& gate, base::Executor& executor) {
  rpc::CallEnvironment calls{&gate, &executor, &*refusals_};
  calls.condition = &witnessed_->condition();
  return calls;
}

absl::StatusOr<std::unique_ptr<rpc::Server>> Process::Listen(const std::string& address,
                                                             const rpc::CallEnvironment& calls,
                                                             const std::vector<grpc::Service*>& services) {
  rpc::Server::Options options;
  options.listen = address;
  options.tls = TlsFilesOf(self_.common);
  options.environment = &calls;
  return rpc::Server::Start(options, services);
}

void Process::StartRetention(Retention::EraseMore erase_more) {
  retention_.emplace(kept_.log, *authority_, clock_, in_force_, urn_, self_.role, std::move(erase_more));
  retention_->Start();
}

void Process::RunUntilStop(const std::vector<rpc::Server*>& servers,
                           const std::function<void(const policy::Snapshot&)>& look,
                           std::vector<crypto::note::PublicKey> signing_keys) {
  OwnPart own_part(in_force_.covenant, urn_, std::move(signing_keys));
  base::PeriodicJob each_second([] { return absl::Seconds(1); },
                                [&] {
                                  const bool in_order = witnessed_->IsInOrder();
                                  for (rpc::Server* server : servers)
                                    server->SetHealth(log::kHealthName, in_order);
                                  const absl::StatusOr<policy::Snapshot> now = authority_->Current();
                                  if (!now.ok()) return;
                                  own_part.Look(*now->covenant);
                                  if (look) look(*now);
                                });
  base::WaitForStop();
}

void Process::Stop() {
  refusals_->Stop();
  if (retention_) retention_->Stop();
  witnessed_->Stop();
  log_->Stop();
  base::Log(base::LogLevel::kInfo, "stopped");
}

}  // namespace raakvlak::server

// WitnessedLog: a process's published log together with its witnesses, wired for its main: cosigned by
// itself, proofs for receipts and openings, and the condition on calls when the witnesses stay away.
//
// Witnesses, their keys and addresses and the quorum follow the covenant in force, which is looked at before
// and after every proof, and each second. A proof that was under way when another covenant came in force is
// made anew, so what is handed out has the quorum of the covenant in force at that moment. Cosignatures made
// before stay what they were: checkpoint.cosigned is kept as long as the new quorum finds enough in it.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/periodic_job.h"
#include "client/witness_client.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "server/log/cosigner.h"
#include "server/log/folder_published_files.h"
#include "server/log/process_log.h"
#include "server/log/prover.h"
#include "server/log/witnessed_calls.h"

namespace raakvlak::log {

// The service of grpc.health.v1 that stands for the log of the process.
inline constexpr char kHealthName[] = "raakvlak.log";

// MakeOutsideLinks makes links to the configured outside witnesses. CONFIG_INVALID.
absl::StatusOr<std::vector<WitnessLink>> MakeOutsideLinks(const v1::Common& common);

class WitnessedLog final : public Prover {
 public:
  // A client of the witness with this URN, as `covenant` has it; null for one without an address. Called from
  // any thread, once for each witness and covenant.
  using MakeClient = std::function<absl::StatusOr<std::unique_ptr<client::WitnessClient>>(
      const policy::Covenant& covenant, const std::string& witness)>;

  // `urn` is of the process whose log `log` is. Outside witnesses are those of `common`. The references
  // outlive this. NOT_FOUND when the covenant knows no such process; CONFIG_INVALID; errors of `make_client`.
  static absl::StatusOr<std::unique_ptr<WitnessedLog>> Create(ProcessLog& log, policy::Authority& authority,
                                                              std::string urn, MakeClient make_client,
                                                              v1::Common common, const base::Clock& clock);
  ~WitnessedLog() override { Stop(); }

  // Also QUORUM_MISSING.
  absl::StatusOr<std::string> Prove(const storage::Logged& logged, absl::Time deadline) override;

  // Whether the newest entries came into a signed checkpoint, and the last round of the witnesses had its
  // quorum: what grpc.health.v1 says under kHealthName.
  bool IsInOrder() const { return log_.LastPublish().ok() && GetStanding().quorum; }
  absl::Status CheckQuorum(absl::Time deadline) override;

  Cosigner::Standing GetStanding() const { return Present()->GetStanding(); }
  const rpc::Condition& condition() const { return condition_; }
  // Ends the threads. May be called twice.
  void Stop();

 private:
  WitnessedLog(ProcessLog& log, policy::Authority& authority, std::string urn, MakeClient make_client,
               v1::Common common, const base::Clock& clock)
      : log_(log),
        authority_(authority),
        urn_(std::move(urn)),
        make_client_(std::move(make_client)),
        common_(std::move(common)),
        clock_(clock),
        files_(log.folder()) {}

  absl::StatusOr<std::vector<WitnessLink>> MakeLinks(const policy::Covenant& covenant,
                                                     std::vector<crypto::tlog::WitnessKey> keys) const;
  // Has the witnesses be those of the covenant in force, and returns them. Waits for calls of those before.
  std::shared_ptr<Cosigner> Follow() ABSL_LOCKS_EXCLUDED(following_);
  absl::Status ChangeTo(const policy::Covenant& covenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(following_);
  std::shared_ptr<Cosigner> Present() const {
    base::MutexLock lock(mutex_);
    return cosigner_;
  }

  ProcessLog& log_;
  policy::Authority& authority_;
  const std::string urn_;
  const MakeClient make_client_;
  const v1::Common common_;
  const base::Clock& clock_;
  FolderPublishedFiles files_;
  const WitnessedCalls condition_{[this] { return Present()->CheckStanding(); }};
  base::Mutex following_;
  std::string covenant_id_ ABSL_GUARDED_BY(following_);
  bool stopped_ ABSL_GUARDED_BY(following_) = false;
  mutable base::Mutex mutex_;
  std::shared_ptr<Cosigner> cosigner_ ABSL_GUARDED_BY(mutex_);
  // Ends before what it uses.
  std::unique_ptr<base::PeriodicJob> job_;
};

}  // namespace raakvlak::log

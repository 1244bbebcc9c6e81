// WitnessedLog: a process's published log together with its witnesses, wired for its main: cosigned by
// itself, proofs for receipts and openings, and the condition on calls when the witnesses stay away.
//
// Witnesses, their keys and the quorum are those of the covenant at the start; after a covenant that changes
// them the process is restarted.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "client/witness_client.h"
#include "policy/covenant.h"
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
  // `urn` is of the process whose log `log` is; `witnesses` are the clients of the witnesses that the
  // covenant names for it, in the order of policy::TrustOf; null for one without an address. Outside
  // witnesses are those of `common`. `log` and `clock` outlive this. NOT_FOUND when the covenant knows no
  // such process; CONFIG_INVALID.
  static absl::StatusOr<std::unique_ptr<WitnessedLog>> Create(
      ProcessLog& log, std::shared_ptr<const policy::Covenant> covenant, const std::string& urn,
      std::vector<std::unique_ptr<client::WitnessClient>> witnesses, const v1::Common& common,
      const base::Clock& clock);

  // Also QUORUM_MISSING.
  absl::StatusOr<std::string> Prove(const storage::Logged& logged, absl::Time deadline) override;

  // Whether the newest entries came into a signed checkpoint, and the last round of the witnesses had its
  // quorum: what grpc.health.v1 says under kHealthName.
  bool IsInOrder() const { return log_.LastPublish().ok() && cosigner_->GetStanding().quorum; }
  absl::Status CheckQuorum(absl::Time deadline) override { return cosigner_->CheckQuorum(deadline); }

  Cosigner& cosigner() { return *cosigner_; }
  const rpc::Condition& condition() const { return *condition_; }
  // Ends the threads. May be called twice.
  void Stop() { cosigner_->Stop(); }

 private:
  explicit WitnessedLog(ProcessLog& log) : log_(log), files_(log.folder()) {}

  ProcessLog& log_;
  FolderPublishedFiles files_;
  std::unique_ptr<Cosigner> cosigner_;
  std::unique_ptr<WitnessedCalls> condition_;
};

}  // namespace raakvlak::log

#include "server/log/witnessed_log.h"

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/proof_file.h"
#include "policy/log_trust.h"
#include "server/log/folder_hash_reader.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;

constexpr absl::Duration kFollowInterval = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::vector<WitnessLink>> MakeOutsideLinks(const v1::Common& common) {
  std::vector<WitnessLink> links;
  for (const v1::OutsideWitness& outside : common.outside_witnesses()) {
    auto key = tlog::WitnessKey::Parse(outside.verifier_key());
    if (!key.ok()) {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                         absl::StrCat("outside_witnesses: ", outside.verifier_key(),
                                      " is no verifier key of a witness (type 04)"));
    }
    RAAKVLAK_ASSIGN_OR_RETURN(auto client, client::MakeHttpWitnessClient(outside.url()));
    links.push_back({*std::move(key), std::move(client), false});
  }
  return links;
}

absl::StatusOr<std::unique_ptr<WitnessedLog>> WitnessedLog::Create(ProcessLog& log,
                                                                   policy::Authority& authority,
                                                                   std::string urn, MakeClient make_client,
                                                                   v1::Common common,
                                                                   const base::Clock& clock) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, authority.Current());
  std::unique_ptr<WitnessedLog> witnessed(
      new WitnessedLog(log, authority, std::move(urn), std::move(make_client), std::move(common), clock));
  {
    base::MutexLock following(witnessed->following_);
    RAAKVLAK_RETURN_IF_ERROR(witnessed->ChangeTo(*snapshot.covenant));
  }
  witnessed->job_ = std::make_unique<base::PeriodicJob>([] { return kFollowInterval; },
                                                        [log = witnessed.get()] { log->Follow(); });
  return witnessed;
}

absl::StatusOr<std::vector<WitnessLink>> WitnessedLog::MakeLinks(const policy::Covenant& covenant,
                                                                 std::vector<tlog::WitnessKey> keys) const {
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<WitnessLink> links, MakeOutsideLinks(common_));
  for (tlog::WitnessKey& key : keys) {
    RAAKVLAK_ASSIGN_OR_RETURN(std::unique_ptr<client::WitnessClient> client,
                              make_client_(covenant, key.name()));
    if (client == nullptr) {
      base::Log(base::LogLevel::kWarning, "log.witness_without_address", {{"witness", key.name()}});
      continue;
    }
    links.push_back({std::move(key), std::move(client), true});
  }
  return links;
}

absl::Status WitnessedLog::ChangeTo(const policy::Covenant& covenant) {
  // Once for each covenant, whatever comes of it.
  covenant_id_ = covenant.id();
  // The year changes nothing in who witnesses.
  RAAKVLAK_ASSIGN_OR_RETURN(policy::LogTrust trust, policy::TrustOf(covenant, absl::StrCat(urn_, "/2000")));
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<WitnessLink> links, MakeLinks(covenant, std::move(trust.witnesses)));
  Cosigner::Options options;
  options.quorum = trust.quorum;
  options.since = covenant.valid_from();
  if (common_.quorum_grace_seconds() != 0) options.grace = absl::Seconds(common_.quorum_grace_seconds());
  // Before the next one begins: both would write the same file.
  if (const std::shared_ptr<Cosigner> before = Present(); before != nullptr) before->Stop();
  auto cosigner = std::make_shared<Cosigner>(
      files_,
      [key = trust.log.key(), urn = urn_](uint32_t year) {
        return note::VerifierKey::Create(absl::StrCat(urn, "/", year), key);
      },
      std::move(links), options, clock_);
  base::MutexLock lock(mutex_);
  cosigner_ = std::move(cosigner);
  return absl::OkStatus();
}

std::shared_ptr<Cosigner> WitnessedLog::Follow() {
  base::MutexLock following(following_);
  const absl::StatusOr<policy::Snapshot> snapshot = authority_.Current();
  if (snapshot.ok() && !stopped_ && snapshot->covenant->id() != covenant_id_) {
    const absl::Status changed = ChangeTo(*snapshot->covenant);
    if (changed.ok()) {
      base::Log(base::LogLevel::kInfo, "log.witnesses_changed", {{"policy", snapshot->Name()}});
    } else {
      base::LogStatus(base::LogLevel::kError, "log.witnesses_not_changed", changed,
                      {{"policy", snapshot->Name()}});
    }
  }
  return Present();
}

void WitnessedLog::Stop() {
  if (job_ != nullptr) job_->Stop();
  {
    base::MutexLock following(following_);
    stopped_ = true;
  }
  if (const std::shared_ptr<Cosigner> cosigner = Present(); cosigner != nullptr) cosigner->Stop();
}

absl::Status WitnessedLog::CheckQuorum(absl::Time deadline) {
  while (true) {
    const std::shared_ptr<Cosigner> cosigner = Follow();
    const absl::Status checked = cosigner->CheckQuorum(deadline);
    if (checked.ok() || Follow() == cosigner || clock_.Now() >= deadline) return checked;
  }
}

absl::StatusOr<std::string> WitnessedLog::Prove(const storage::Logged& logged, absl::Time deadline) {
  const auto [year, index] = logged.id;
  RAAKVLAK_RETURN_IF_ERROR(log_.publisher().PublishThrough(logged.id, deadline));
  while (true) {
    const std::shared_ptr<Cosigner> cosigner = Follow();
    absl::StatusOr<std::string> cosigned = cosigner->CosignThrough(year, index, deadline);
    // Another covenant came in force meanwhile: this is not what the caller will be asked for.
    if (Follow() != cosigner && clock_.Now() < deadline) continue;
    RAAKVLAK_RETURN_IF_ERROR(cosigned.status());
    RAAKVLAK_ASSIGN_OR_RETURN(const note::Note parsed, note::Parse(*cosigned));
    RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Checkpoint checkpoint, tlog::ParseCheckpoint(parsed.text));
    RAAKVLAK_ASSIGN_OR_RETURN(tlog::Proof proof, InclusionProof(absl::StrCat(log_.folder().path(), "/", year),
                                                                index, checkpoint.size));
    return tlog::FormatProofFile({std::nullopt, index, std::move(proof), *std::move(cosigned)});
  }
}

}  // namespace raakvlak::log

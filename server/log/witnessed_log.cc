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

absl::StatusOr<std::unique_ptr<WitnessedLog>> WitnessedLog::Create(
    ProcessLog& log, std::shared_ptr<const policy::Covenant> covenant, const std::string& urn,
    std::vector<std::unique_ptr<client::WitnessClient>> witnesses, const v1::Common& common,
    const base::Clock& clock) {
  // The year changes nothing in who witnesses.
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::LogTrust trust,
                            policy::TrustOf(*covenant, absl::StrCat(urn, "/2000")));
  RAAKVLAK_CHECK(witnesses.size() == trust.witnesses.size(), "one client for each witness");
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<WitnessLink> links, MakeOutsideLinks(common));
  for (size_t i = 0; i < witnesses.size(); ++i) {
    if (witnesses[i] == nullptr) {
      base::Log(base::LogLevel::kWarning, "log.witness_without_address",
                {{"witness", trust.witnesses[i].name()}});
      continue;
    }
    links.push_back({trust.witnesses[i], std::move(witnesses[i]), true});
  }
  Cosigner::Options options;
  options.quorum = trust.quorum;
  if (common.quorum_grace_seconds() != 0) options.grace = absl::Seconds(common.quorum_grace_seconds());
  std::unique_ptr<WitnessedLog> witnessed(new WitnessedLog(log));
  witnessed->cosigner_ = std::make_unique<Cosigner>(
      witnessed->files_,
      [covenant, urn](uint32_t year) { return covenant->LogVerifier(absl::StrCat(urn, "/", year)); },
      std::move(links), options, clock);
  witnessed->condition_ = std::make_unique<WitnessedCalls>(*witnessed->cosigner_);
  return witnessed;
}

absl::StatusOr<std::string> WitnessedLog::Prove(const storage::Logged& logged, absl::Time deadline) {
  const auto [year, index] = logged.id;
  RAAKVLAK_RETURN_IF_ERROR(log_.publisher().PublishThrough(logged.id, deadline));
  RAAKVLAK_ASSIGN_OR_RETURN(std::string cosigned, cosigner_->CosignThrough(year, index, deadline));
  RAAKVLAK_ASSIGN_OR_RETURN(const note::Note parsed, note::Parse(cosigned));
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Checkpoint checkpoint, tlog::ParseCheckpoint(parsed.text));
  RAAKVLAK_ASSIGN_OR_RETURN(tlog::Proof proof, InclusionProof(absl::StrCat(log_.folder().path(), "/", year),
                                                              index, checkpoint.size));
  return tlog::FormatProofFile({std::nullopt, index, std::move(proof), std::move(cosigned)});
}

}  // namespace raakvlak::log

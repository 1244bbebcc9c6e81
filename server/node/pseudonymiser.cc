#include "server/node/pseudonymiser.h"

#include <algorithm>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/context.h"
#include "crypto/note/signed_message.h"
#include "crypto/oprf/oprf.h"
#include "crypto/threshold/combine.h"
#include "server/node/evaluation.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;

bool IsLie(const absl::Status& status) {
  const std::string why = base::ReasonOf(status);
  return why == reason::kVerificationFailed;
}

absl::Status Wrong(absl::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, reason::kVerificationFailed, what);
}

}  // namespace

// One identifier on its way.
struct Pseudonymiser::Job {
  base::SecretBytes input;
  Pseudonym* pseudonym;
};

// What goes under one keyset.
struct Pseudonymiser::Lot {
  std::shared_ptr<const policy::Keyset> keyset;
  std::vector<Job> jobs;
};

// One batch of elements as every holder is asked about it.
struct Pseudonymiser::Question {
  const policy::Snapshot& snapshot;
  const policy::Keyset& keyset;
  const crypto::oprf::ElementList& blinded;
};

absl::StatusOr<std::vector<std::vector<Pseudonym>>> Pseudonymiser::Evaluate(
    const policy::Snapshot& snapshot, const v1::Purpose& purpose,
    absl::Span<const std::vector<Identifier>> identifiers) {
  std::vector<std::vector<Pseudonym>> out(identifiers.size());
  const std::shared_ptr<const Keys> keys = environment_.keys->Now();
  // By class.
  std::map<uint8_t, Lot> lots;
  for (size_t i = 0; i < identifiers.size(); ++i) {
    out[i].resize(identifiers[i].size());
    for (size_t j = 0; j < identifiers[i].size(); ++j) {
      const Identifier& identifier = identifiers[i][j];
      const auto identifier_class = static_cast<uint8_t>(identifier.rule->identifier_class());
      const std::shared_ptr<const policy::Keyset> keyset =
          keys->keysets().Newest(purpose.id(), identifier_class, purpose.epoch());
      if (keyset == nullptr) {
        return base::Error(absl::StatusCode::kFailedPrecondition, reason::kKeysetUnknown,
                           absl::StrCat("no keyset for purpose ", purpose.id(), " class ", identifier_class));
      }
      crypto::disclosure::Context context;
      context.region = snapshot.covenant->region();
      context.purpose = purpose.id();
      context.identifier_class = identifier_class;
      context.epoch = purpose.epoch();
      context.rule = identifier.rule->id();
      context.rule_version = static_cast<uint16_t>(identifier.rule->version());
      RAAKVLAK_ASSIGN_OR_RETURN(base::SecretBytes input,
                                crypto::disclosure::EncodeInput(context, identifier.fields));
      out[i][j].rule = identifier.rule;
      out[i][j].extended_context = crypto::disclosure::EncodeExtendedContext(
          context, purpose.disclosure_threshold(), keyset->public_key());
      Lot& lot = lots[identifier_class];
      lot.keyset = keyset;
      lot.jobs.push_back({std::move(input), &out[i][j]});
    }
  }
  // Where holders were lacking comes first: as long as they are, the other evaluations are for nothing.
  std::vector<Lot*> order;
  for (auto& [identifier_class, lot] : lots) order.push_back(&lot);
  std::stable_partition(order.begin(), order.end(),
                        [this](const Lot* lot) { return holders_.LacksAnswers(*lot->keyset); });
  for (Lot* lot : order) {
    absl::Span<Job> rest = absl::MakeSpan(lot->jobs);
    while (!rest.empty()) {
      const absl::Span<Job> batch = rest.subspan(0, kMaxElements);
      RAAKVLAK_RETURN_IF_ERROR(EvaluateBatch(snapshot, *lot->keyset, batch));
      rest.remove_prefix(batch.size());
    }
  }
  return out;
}

absl::Status Pseudonymiser::EvaluateBatch(const policy::Snapshot& snapshot, const policy::Keyset& keyset,
                                          absl::Span<Job> jobs) {
  std::vector<crypto::group::Scalar> blinds;
  std::vector<crypto::group::PublicPoint> points;
  blinds.reserve(jobs.size());
  points.reserve(jobs.size());
  for (const Job& job : jobs) {
    RAAKVLAK_ASSIGN_OR_RETURN(
        const crypto::oprf::Blinded blinded,
        crypto::oprf::Blind(job.input.Reveal(base::RevealSecret{}), *environment_.random));
    blinds.push_back(blinded.blind);
    points.push_back(blinded.blinded);
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::oprf::ElementList blinded,
                            crypto::oprf::ElementList::FromPoints(std::move(points)));

  // Asks as many holders at once as answers are missing, until there are t or there cannot be.
  const Question question = {snapshot, keyset, blinded};
  const std::vector<Holders::Candidate> candidates = holders_.CandidatesFor(keyset);
  std::vector<std::pair<uint32_t, crypto::oprf::ElementList>> answers;
  absl::Status refusal =
      base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "key holders are away");
  size_t next = 0;
  while (answers.size() < keyset.quorum()) {
    const size_t missing = keyset.quorum() - answers.size();
    if (candidates.size() - next < missing) break;
    size_t count = 1;
    while (count < missing && candidates[next + count].before_others == candidates[next].before_others)
      ++count;
    std::vector<absl::StatusOr<crypto::oprf::ElementList>> round(count, absl::UnknownError("not asked"));
    std::vector<std::thread> threads;
    for (size_t i = 1; i < count; ++i) {
      threads.emplace_back([&, i] { round[i] = AskAndJudge(question, candidates[next + i]); });
    }
    round[0] = AskAndJudge(question, candidates[next]);
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < count; ++i) {
      if (round[i].ok()) {
        answers.emplace_back(candidates[next + i].holder->index, *std::move(round[i]));
      } else if (!IsLie(round[i].status()) && base::ReasonOf(round[i].status()) != reason::kUnavailable) {
        refusal = round[i].status();
      }
    }
    next += count;
  }
  if (answers.size() < keyset.quorum()) {
    return base::Annotate(refusal,
                          absl::StrCat(answers.size(), " of ", keyset.quorum(), " key holders answered"));
  }

  std::vector<crypto::threshold::Partial> partials;
  for (const auto& [index, evaluated] : answers) partials.push_back({index, &evaluated});
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<crypto::group::Element> unblinded,
                            crypto::threshold::Combine(keyset.quorum(), partials, blinds));
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].pseudonym->output =
        crypto::oprf::Finalize(jobs[i].input.Reveal(base::RevealSecret{}), unblinded[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::oprf::ElementList> Pseudonymiser::AskAndJudge(const Question& question,
                                                                     const Holders::Candidate& candidate) {
  const std::string& partner = candidate.holder->partner;
  absl::StatusOr<crypto::oprf::ElementList> answer = Ask(question, candidate);
  if (answer.ok()) {
    holders_.Answered(question.keyset, partner);
  } else if (IsLie(answer.status())) {
    holders_.Lied(question.keyset, partner);
    Blame(question.snapshot, question.keyset, partner, answer.status());
  } else {
    holders_.WasAway(question.keyset, partner);
    base::LogStatus(base::LogLevel::kWarning, "node.holder_did_not_answer", answer.status(),
                    {{"holder", partner}});
  }
  return answer;
}

absl::StatusOr<crypto::oprf::ElementList> Pseudonymiser::Ask(const Question& question,
                                                             const Holders::Candidate& candidate) {
  const policy::Holder& holder = *candidate.holder;
  // A suspended holder may not be asked, and the keyset may name one that the covenant has no more.
  if (!policy::Authority::CheckPartner(question.snapshot, holder.partner).ok()) {
    return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable,
                       "the holder is no partner in force");
  }
  const v1::EvaluateRequest request =
      MakeEvaluateRequest({question.keyset.id(), environment_.partner, holder.partner,
                           environment_.random->Bytes(kRequestIdSize), environment_.clock->Now()},
                          question.blinded.packed(), OwnKey(environment_, *question.snapshot.covenant));
  absl::StatusOr<v1::EvaluateResponse> response = candidate.client->Evaluate(request, holder_timeout_);
  if (!response.ok()) {
    // A refusal with this reason is about our elements, which are right: it is the holder's word, not proof
    // of a lie.
    if (!IsLie(response.status())) return response.status();
    return base::Error(absl::StatusCode::kInternal, reason::kInternal, "the holder refused valid elements");
  }
  const absl::Status signature = crypto::note::VerifyMessage(
      question.snapshot.covenant->PartnerKey(holder.partner), crypto::note::kEvaluatedKind,
      EvaluatedDigest(request, *response), response->signature());
  if (!signature.ok()) return Wrong("the answer's signature is wrong");
  absl::StatusOr<crypto::oprf::ElementList> evaluated =
      crypto::oprf::ElementList::DecodeAll(std::move(*response->mutable_evaluated()));
  if (!evaluated.ok()) return Wrong("the signed answer has an element that is no valid point");
  if (!crypto::oprf::VerifyProof(holder.public_share, question.blinded, *evaluated, response->proof()).ok()) {
    return Wrong("the signed answer's proof is wrong");
  }
  return evaluated;
}

void Pseudonymiser::Blame(const policy::Snapshot& snapshot, const policy::Keyset& keyset,
                          const std::string& partner, const absl::Status& why) {
  base::LogStatus(base::LogLevel::kError, "node.bad_share", why, {{"holder", partner}});
  storage::AuditEntry entry =
      NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", "bad_share");
  entry.object = partner;
  entry.purpose = keyset.text().purpose;
  entry.reason = std::string(why.message());
  entry.result = base::ReasonOf(why);
  const absl::Status written = environment_.store->Write(
      "bad_share",
      [&](storage::NodeTransaction& transaction) { return transaction.AppendAudit(entry).status(); });
  if (!written.ok()) base::LogStatus(base::LogLevel::kError, "node.audit_failed", written);
}

}  // namespace raakvlak::node

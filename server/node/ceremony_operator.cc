// CeremonyDriver: what the operator asks for.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/code.h"
#include "crypto/note/note.h"
#include "server/node/ceremony_driver.h"
#include "server/node/ceremony_known.h"

namespace raakvlak::node {
namespace {

namespace ceremony = crypto::ceremony;
namespace reason = base::reason;
using storage::NodeCeremony;
using storage::NodeCeremonyState;

const char* NameOf(ceremony::Kind kind) {
  switch (kind) {
    case ceremony::Kind::kGenerate:
      return "generate";
    case ceremony::Kind::kRefresh:
      return "refresh";
    case ceremony::Kind::kReshare:
      return "reshare";
  }
  return "";
}

std::optional<ceremony::Kind> KindOf(absl::string_view name) {
  for (const auto kind : {ceremony::Kind::kGenerate, ceremony::Kind::kRefresh, ceremony::Kind::kReshare}) {
    if (name == NameOf(kind)) return kind;
  }
  return std::nullopt;
}

absl::Status DoesNotFit(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch, message);
}

absl::Status NoSuchCeremony() {
  return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such ceremony is known here");
}

absl::Status HasEnded(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason::kAlreadyEnded, message);
}

}  // namespace

absl::StatusOr<v1::CeremonyState> CeremonyDriver::Propose(const rpc::Gate::Pass& pass,
                                                          const v1::StartCeremonyRequest& request,
                                                          const Online& online) {
  const std::optional<ceremony::Kind> kind = KindOf(request.kind());
  if (!kind.has_value() || !v1::IdentifierClass_IsValid(request.identifier_class()) ||
      request.identifier_class() == v1::IDENTIFIER_CLASS_UNSPECIFIED) {
    return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                       "kind is generate, refresh or reshare, and identifier_class BSN, PERSON or ADDRESS");
  }
  std::shared_ptr<const policy::Covenant> covenant = pass.snapshot.covenant;
  if (request.next_covenant()) covenant = policy::ChainOf(pass.snapshot)->After(*pass.snapshot.covenant);
  if (covenant == nullptr) return DoesNotFit("no covenant waits for its date");
  const v1::Purpose* purpose = covenant->FindPurpose(request.purpose());
  if (purpose == nullptr) return DoesNotFit("the covenant does not have this purpose");
  policy::CeremonyScope scope{
      *kind, request.purpose(), static_cast<uint8_t>(request.identifier_class()), 1, {}};
  const auto newest =
      environment_.keys->Now()->keysets().Newest(purpose->id(), scope.identifier_class, purpose->epoch());
  if (*kind == ceremony::Kind::kGenerate) {
    if (newest != nullptr) return DoesNotFit("the key is there already");
  } else if (newest == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kKeysetUnknown,
                       "there is no key to refresh or reshare");
  } else if (*kind == ceremony::Kind::kReshare) {
    RAAKVLAK_ASSIGN_OR_RETURN(scope.contributors, ContributorsOf(*covenant, *newest, request, online));
  }

  base::MutexLock lock(mutex_);
  RAAKVLAK_RETURN_IF_ERROR(Poll());
  // The first number that is free, not the one after the highest: a member could take the highest there is.
  std::set<uint32_t> attempts;
  for (const auto& known : known_) {
    const ceremony::ParametersText& text = known->parameters.text();
    if (text.purpose == scope.purpose && text.identifier_class == scope.identifier_class &&
        text.epoch == purpose->epoch()) {
      attempts.insert(text.attempt);
    }
  }
  while (attempts.contains(scope.attempt)) ++scope.attempt;
  const policy::Keyset* old_keyset = *kind == ceremony::Kind::kGenerate ? nullptr : newest.get();
  RAAKVLAK_ASSIGN_OR_RETURN(const ceremony::Parameters parameters,
                            policy::CeremonyFor(*covenant, scope, old_keyset));
  if (const Known* other = OtherUnderWay(parameters); other != nullptr) {
    return DoesNotFit(absl::StrCat("ceremony ", base::Hex(other->id()), " of this key is under way"));
  }
  v1::ProposeRequest proposal;
  proposal.set_parameters(parameters.bytes());
  proposal.set_purpose(request.purpose());
  proposal.set_identifier_class(request.identifier_class());
  proposal.set_epoch(parameters.text().epoch);
  proposal.set_kind(request.kind());
  RAAKVLAK_RETURN_IF_ERROR(client_.Propose(proposal, options_.timeout).status());
  RAAKVLAK_RETURN_IF_ERROR(Poll());
  Known* known = Find(parameters.id());
  if (known == nullptr) {
    return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable,
                       "the broker took the proposal and does not list it");
  }
  return DoApprove(pass, *known, "ceremony_start");
}

absl::StatusOr<std::vector<uint32_t>> CeremonyDriver::ContributorsOf(const policy::Covenant& covenant,
                                                                     const policy::Keyset& old_keyset,
                                                                     const v1::StartCeremonyRequest& request,
                                                                     const Online& online) {
  std::set<std::string> names(request.contributors().begin(), request.contributors().end());
  const bool named = !names.empty();
  if (!named) names = online(old_keyset);
  std::vector<uint32_t> indices;
  const auto key_holders = policy::KeyHolders(covenant.text());
  const auto add = [&](const policy::Holder& holder) {
    const auto still = key_holders.find(holder.index);
    if (still != key_holders.end() && still->second == holder.partner) indices.push_back(holder.index);
  };
  for (const policy::Holder& holder : old_keyset.holders()) {
    if (names.contains(holder.partner) && holder.partner == environment_.partner) add(holder);
  }
  for (const policy::Holder& holder : old_keyset.holders()) {
    if (names.contains(holder.partner) && holder.partner != environment_.partner) add(holder);
  }
  if (!named && indices.size() > old_keyset.quorum()) indices.resize(old_keyset.quorum());
  if (indices.size() != old_keyset.quorum() || (named && names.size() != indices.size())) {
    return base::Error(absl::StatusCode::kFailedPrecondition,
                       named ? reason::kInvalidArgument : reason::kUnavailable,
                       absl::StrCat("a reshare of this key takes exactly ", old_keyset.quorum(),
                                    " contributors that hold a share of it and hold keys still"));
  }
  std::sort(indices.begin(), indices.end());
  return indices;
}

absl::StatusOr<v1::CeremonyState> CeremonyDriver::Approve(const rpc::Gate::Pass& pass,
                                                          const std::string& ceremony_id) {
  base::MutexLock lock(mutex_);
  if (Find(ceremony_id) == nullptr) RAAKVLAK_RETURN_IF_ERROR(Poll());
  Known* known = Find(ceremony_id);
  if (known == nullptr) return NoSuchCeremony();
  return DoApprove(pass, *known, "ceremony_approve");
}

absl::StatusOr<v1::CeremonyState> CeremonyDriver::DoApprove(const rpc::Gate::Pass& pass, Known& known,
                                                            absl::string_view action) {
  if (known.row.has_value()) {
    if (known.row->state == NodeCeremonyState::kStopped) return HasEnded("it was stopped");
    if (known.row->state == NodeCeremonyState::kDone) return HasEnded("it is done");
    // Again is the same as once, and leaves an entry as that does.
    storage::AuditEntry entry = NewEntry(environment_, pass, action);
    entry.object = base::Hex(known.id());
    entry.purpose = known.parameters.text().purpose;
    RAAKVLAK_RETURN_IF_ERROR(Save(known, *known.row, {entry}));
    return StateOf(known);
  }
  const ceremony::Member* self = known.parameters.Find(known.index);
  if (self == nullptr) return DoesNotFit("this node is no member of it");
  RAAKVLAK_RETURN_IF_ERROR(CheckFits(pass.snapshot, known.parameters));
  if (const Known* other = OtherUnderWay(known.parameters); other != nullptr) {
    return DoesNotFit(absl::StrCat("ceremony ", base::Hex(other->id()), " of this key is under way"));
  }
  std::vector<ceremony::SignedMessage> messages;
  known.fetched = 0;
  RAAKVLAK_RETURN_IF_ERROR(Fetch(known, messages));
  known.fetched = 0;
  for (const ceremony::SignedMessage& message : messages) {
    const auto content = ceremony::Open(known.parameters, message);
    if (!content.ok()) continue;
    // It would draw a new seed and say something else than before, which is evidence against it.
    if (content->sender == known.index)
      return HasEnded("this node took part before and lost what it knew: start another");
    if (content->step == ceremony::Step::kAbort) return HasEnded("a member has stopped it");
  }
  std::optional<crypto::group::Scalar> old_share;
  if (known.parameters.kind() != ceremony::Kind::kGenerate && self->contributes()) {
    const auto keys = environment_.keys->Now();
    const crypto::group::Scalar* share = keys->FindShare(known.parameters.text().old_keyset_id);
    if (share == nullptr) {
      return base::Error(absl::StatusCode::kFailedPrecondition, reason::kKeysetUnknown,
                         "this node holds no share of the key, and is to contribute one");
    }
    old_share = *share;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(ceremony::Participant participant,
                            ceremony::Participant::Create(known.parameters, known.index, KeyFor(known),
                                                          old_share, *environment_.random));
  NodeCeremony row;
  row.ceremony_id = known.id();
  row.parameters = known.parameters.bytes();
  row.proposed_by = known.proposed_by;
  row.approved_ms = row.changed_ms = environment_.NowMs();
  row.secret = environment_.vault->Encrypt(Column::kCeremonyState, known.id(),
                                           participant.Export().Reveal(base::RevealSecret{}));
  storage::AuditEntry entry = NewEntry(environment_, pass, action);
  entry.object = base::Hex(known.id());
  entry.purpose = known.parameters.text().purpose;
  RAAKVLAK_RETURN_IF_ERROR(Save(known, std::move(row), {entry}));
  known.participant = std::make_unique<ceremony::Participant>(std::move(participant));
  known.num_posted = 0;
  known.early.clear();
  return StateOf(known);
}

absl::StatusOr<v1::CeremonyState> CeremonyDriver::GiveUp(const rpc::Gate::Pass& pass,
                                                         const std::string& ceremony_id) {
  base::MutexLock lock(mutex_);
  if (Find(ceremony_id) == nullptr) RAAKVLAK_RETURN_IF_ERROR(Poll());
  Known* known = Find(ceremony_id);
  if (known == nullptr) return NoSuchCeremony();
  if (known->row.has_value() && known->row->state != NodeCeremonyState::kRunning) {
    return HasEnded(known->is_in(NodeCeremonyState::kSigning)
                        ? "this node has signed the keyset; only a member that has not can stop it"
                        : "it has ended");
  }
  if (known->index == 0) return DoesNotFit("this node is no member of it");
  storage::AuditEntry entry = NewEntry(environment_, pass, "ceremony_give_up");
  entry.object = base::Hex(known->id());
  entry.purpose = known->parameters.text().purpose;
  if (known->row.has_value()) {
    if (known->participant == nullptr) RAAKVLAK_RETURN_IF_ERROR(Resume(*known));
    const std::string why = absl::StrCat("the operator gave up; ", WhoIsMissing(*known->participant));
    known->participant->GiveUp();
    if (!known->participant->blame().has_value()) return HasEnded("it came to its end just now");
    const ceremony::Blame blame = *known->participant->blame();
    RAAKVLAK_RETURN_IF_ERROR(Stop(pass.snapshot, *known, why, &blame, &entry));
    return StateOf(*known);
  }
  // Not joined yet: says so to the others, and never joins.
  NodeCeremony row;
  row.ceremony_id = known->id();
  row.parameters = known->parameters.bytes();
  row.proposed_by = known->proposed_by;
  row.state = NodeCeremonyState::kStopped;
  row.approved_ms = row.changed_ms = environment_.NowMs();
  row.why = "the operator gave up";
  row.reporter = known->index;
  const ceremony::SignedMessage abort = OwnAbort(*known, ceremony::Step::kJoin);
  row.evidence = abort.body.substr(ceremony::kHeaderSize);
  v1::PostRequest unsent;
  unsent.set_ceremony_id(known->id());
  unsent.add_messages()->set_body(abort.body);
  unsent.mutable_messages(0)->set_signature(abort.signature);
  row.unsent = unsent.SerializeAsString();
  storage::AuditEntry stopped = OwnEntry(pass.snapshot, "ceremony_stopped", known->parameters);
  stopped.reason = row.why;
  RAAKVLAK_RETURN_IF_ERROR(Save(*known, std::move(row), {entry, stopped}));
  Post(*known);
  return StateOf(*known);
}

absl::StatusOr<v1::CeremonyState> CeremonyDriver::Show(const std::string& ceremony_id) {
  base::MutexLock lock(mutex_);
  const Known* known = Find(ceremony_id);
  if (known == nullptr) return NoSuchCeremony();
  return StateOf(*known);
}

std::vector<v1::CeremonyState> CeremonyDriver::List() {
  base::MutexLock lock(mutex_);
  std::vector<v1::CeremonyState> out;
  for (const auto& known : known_) out.push_back(StateOf(*known));
  return out;
}

v1::CeremonyState CeremonyDriver::StateOf(const Known& known) {
  const ceremony::ParametersText& text = known.parameters.text();
  v1::CeremonyState out;
  out.set_ceremony_id(known.id());
  out.set_kind(NameOf(text.kind));
  out.set_purpose(text.purpose);
  out.set_identifier_class(static_cast<v1::IdentifierClass>(text.identifier_class));
  out.set_epoch(text.epoch);
  out.set_attempt(text.attempt);
  out.set_quorum(text.quorum);
  for (const ceremony::Member& member : text.members) out.add_members(member.partner);
  out.set_proposed_by(known.proposed_by);
  const auto name = [&](uint32_t index) -> std::string {
    const ceremony::Member* member = known.parameters.Find(index);
    return member == nullptr ? "" : member->partner;
  };
  if (!known.row.has_value()) {
    const auto snapshot = environment_.authority->Current();
    const absl::Status fits = known.index == 0 ? DoesNotFit("this node is no member of it")
                              : snapshot.ok()  ? CheckFits(*snapshot, known.parameters)
                                               : snapshot.status();
    out.set_state(fits.ok() ? "proposed" : "refused");
    out.set_why(std::string(fits.message()));
    return out;
  }
  const NodeCeremony& row = *known.row;
  out.set_why(row.why);
  if (!row.transcript_hash.empty()) out.set_code(ceremony::TranscriptCode(row.transcript_hash));
  switch (row.state) {
    case NodeCeremonyState::kRunning:
      out.set_state("running");
      if (known.participant == nullptr) break;
      out.set_step(std::string(ceremony::StepName(known.participant->step())));
      for (const uint32_t index : known.participant->Missing()) out.add_missing(name(index));
      break;
    case NodeCeremonyState::kSigning:
      out.set_state("signing");
      for (const std::string& partner : known.unsigned_holders) out.add_missing(partner);
      break;
    case NodeCeremonyState::kDone: {
      out.set_state("done");
      const auto note = crypto::note::Parse(row.keyset);
      if (note.ok()) out.set_keyset_id(base::Sha256(note->text));
      break;
    }
    case NodeCeremonyState::kStopped: {
      out.set_state("stopped");
      const auto accusation = ceremony::ParseAccusation(row.evidence);
      if (!accusation.ok()) break;
      out.set_culprit(name(accusation->finding.culprit));
      out.set_step(std::string(ceremony::StepName(accusation->finding.step)));
      out.set_check(std::string(ceremony::CheckName(accusation->finding.check)));
      out.set_reporter(name(row.reporter));
      out.set_proven(ceremony::IsProvable(accusation->finding.check));
      break;
    }
  }
  return out;
}

}  // namespace raakvlak::node

#include "server/node/ceremony_driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/epochs.h"
#include "server/node/ceremony_known.h"

namespace raakvlak::node {
namespace {

namespace ceremony = crypto::ceremony;
namespace reason = base::reason;
// Of one ceremony: 32 members send at most 16 messages each.
constexpr size_t kMaxFetched = 512;
constexpr absl::Duration kAfterRefusal = absl::Minutes(1);
// A broker may have kept back what it said it had.
constexpr absl::Duration kLookAgain = absl::Minutes(1);

using storage::NodeCeremony;
using storage::NodeCeremonyState;

v1::PostRequest RequestOf(const std::string& ceremony_id,
                          absl::Span<const ceremony::SignedMessage> messages) {
  v1::PostRequest request;
  request.set_ceremony_id(ceremony_id);
  for (const ceremony::SignedMessage& message : messages) {
    v1::CeremonyMessage& out = *request.add_messages();
    out.set_body(message.body);
    out.set_signature(message.signature);
  }
  return request;
}

bool IsAbort(const ceremony::Parameters& parameters, const ceremony::SignedMessage& message) {
  const auto content = ceremony::Open(parameters, message);
  return content.ok() && content->step == ceremony::Step::kAbort;
}

// Whether one of the notes is this keyset with a signature of the member's that is good.
bool HasSigned(const ceremony::Parameters& parameters, const ceremony::Member& member,
               const std::string& keyset, const std::vector<std::string>& notes) {
  const auto verifier = crypto::note::VerifierKey::Create(
      policy::Urn(parameters.text().region, "node", member.partner), member.signing_key);
  return std::any_of(notes.begin(), notes.end(), [&](const std::string& bytes) {
    const auto note = crypto::note::Parse(bytes);
    return note.ok() && verifier.ok() && note->text == keyset &&
           crypto::note::VerifyAll(*note, {*verifier}).ok();
  });
}

}  // namespace

CeremonyDriver::CeremonyDriver(const Environment& environment, client::CeremonyClient& client,
                               Options options)
    : environment_(environment), client_(client), options_(options) {}
CeremonyDriver::~CeremonyDriver() = default;

absl::Status CeremonyDriver::Start() {
  base::MutexLock lock(mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<NodeCeremony> rows, environment_.store->Ceremonies());
  for (const NodeCeremony& row : rows) {
    auto parameters = ceremony::Parameters::Parse(row.parameters);
    if (!parameters.ok()) {
      return base::Error(absl::StatusCode::kDataLoss, reason::kStorageFailed,
                         "a stored ceremony has parameters that do not parse");
    }
    auto known = std::make_unique<Known>(*std::move(parameters));
    known->proposed_by = row.proposed_by;
    known->row = row;
    for (const ceremony::Member& member : known->parameters.members()) {
      if (member.partner == environment_.partner) known->index = member.index;
    }
    known_.push_back(std::move(known));
  }

  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::SeenKeyset> seen, environment_.store->SeenKeysets());
  const absl::StatusOr<policy::Snapshot> snapshot = environment_.authority->Current();
  for (const auto& keyset : environment_.keys->Now()->keysets().all()) {
    const policy::KeysetText& text = keyset->text();
    // Destruction takes those of an epoch that ended, and finds only what is not disregarded.
    if (snapshot.ok() &&
        !policy::IsEpochWanted(*snapshot, text.purpose, text.epoch, environment_.clock->Now()))
      continue;
    const auto same = std::find_if(seen.begin(), seen.end(), [&](const storage::SeenKeyset& other) {
      return other.purpose == text.purpose && other.identifier_class == text.identifier_class &&
             other.epoch == text.epoch;
    });
    const auto newest =
        environment_.keys->Now()->keysets().Newest(text.purpose, text.identifier_class, text.epoch);
    if (same != seen.end() && newest != nullptr &&
        (newest->text().generation < same->generation ||
         (newest->text().generation == same->generation && newest->id() != same->keyset_id))) {
      base::Log(base::LogLevel::kError, "node.keyset_outdated",
                {{"keyset", base::Hex(keyset->id())},
                 {"purpose", text.purpose},
                 {"reason", reason::kKeysetOutdated}});
      environment_.keys->Disregard(keyset->id());
    }
  }
  return environment_.store->Write("see_keysets", [&](storage::NodeTransaction& transaction) {
    for (const auto& keyset : environment_.keys->Now()->keysets().all()) {
      const policy::KeysetText& text = keyset->text();
      const absl::StatusOr<bool> taken =
          transaction.SeeKeyset({text.purpose, text.identifier_class, text.epoch, text.generation,
                                 keyset->id(), environment_.NowMs(), 0});
      if (!taken.ok()) return taken.status();
    }
    return absl::OkStatus();
  });
}

absl::Duration CeremonyDriver::Step() {
  base::MutexLock lock(mutex_);
  const absl::StatusOr<policy::Snapshot> snapshot = environment_.authority->Current();
  if (!snapshot.ok()) return kIdle;
  const auto log_failure = [](const absl::Status& status) {
    if (!status.ok()) base::LogStatus(base::LogLevel::kWarning, "node.ceremony_waits", status);
  };
  log_failure(ForgetEnded(*snapshot));
  const absl::Status polled = Poll();
  // Once for each new reason, not each second: a partner that has left is refused for good.
  const std::string poll_reason = base::ReasonOf(polled);
  if (poll_reason != reason::kUnavailable && poll_reason != poll_reason_) log_failure(polled);
  poll_reason_ = poll_reason;
  bool busy = false;
  for (const auto& known : known_) {
    if (!known->row.has_value()) continue;
    log_failure(Drive(*snapshot, *known));
    busy |= known->is_in(NodeCeremonyState::kRunning) || known->is_in(NodeCeremonyState::kSigning);
  }
  if (polled.ok()) log_failure(TakeKeysets(*snapshot));
  return busy && polled.ok() ? kBusy : kIdle;
}

absl::Status CeremonyDriver::Poll() {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ListCeremoniesResponse list,
                            client_.ListCeremonies({}, options_.timeout));
  absl::Status first_error;
  for (const v1::CeremonyInfo& info : list.ceremonies()) first_error.Update(Learn(info));
  return first_error;
}

absl::Status CeremonyDriver::Learn(const v1::CeremonyInfo& info) {
  const std::string& id = info.ceremony_id();
  if (unreadable_.contains(id)) return absl::OkStatus();
  Known* known = Find(id);
  if (known == nullptr) {
    v1::FetchRequest request;
    request.set_ceremony_id(id);
    RAAKVLAK_ASSIGN_OR_RETURN(const v1::FetchResponse response, client_.Fetch(request, options_.timeout));
    auto parameters = ceremony::Parameters::Parse(response.parameters());
    if (!parameters.ok() || parameters->id() != id) {
      base::Log(base::LogLevel::kWarning, "node.ceremony_unreadable", {{"ceremony", base::Hex(id)}});
      unreadable_.insert(id);
      return absl::OkStatus();
    }
    known = known_.emplace_back(std::make_unique<Known>(*std::move(parameters))).get();
    for (const ceremony::Member& member : known->parameters.members()) {
      if (member.partner == environment_.partner) known->index = member.index;
    }
  }
  if (!known->row.has_value()) known->proposed_by = info.proposed_by();
  known->proposed_ms = info.proposed_ms();
  known->last = info.last();
  known->num_keysets = info.keysets();
  return absl::OkStatus();
}

absl::Status CeremonyDriver::Fetch(Known& known, std::vector<ceremony::SignedMessage>& messages) {
  for (bool more = true; more && messages.size() < kMaxFetched;) {
    v1::FetchRequest request;
    request.set_ceremony_id(known.id());
    request.set_after(known.fetched);
    RAAKVLAK_ASSIGN_OR_RETURN(const v1::FetchResponse response, client_.Fetch(request, options_.timeout));
    for (const v1::CeremonyMessage& message : response.messages())
      messages.push_back({message.body(), message.signature()});
    known.notes.assign(response.keysets().begin(), response.keysets().end());
    // One that says "more" and gives nothing would be asked for ever.
    more = response.more() && response.last() > known.fetched;
    known.fetched = std::max(known.fetched, response.last());
  }
  return absl::OkStatus();
}

bool CeremonyDriver::Post(Known& known) {
  if (environment_.clock->Now() < known.post_again_at) return false;
  v1::PostRequest request;
  if (known.participant != nullptr) {
    const auto& sent = known.participant->Sent();
    if (known.num_posted == sent.size()) return true;
    request = RequestOf(known.id(), absl::MakeSpan(sent).subspan(known.num_posted));
  } else {
    if (known.unsent_posted || !known.row.has_value() || known.row->unsent.empty()) return true;
    // By then everyone has given up, or has come to the keyset.
    if (!known.is_in(NodeCeremonyState::kSigning) && IsLate(known)) return true;
    if (!request.ParseFromString(known.row->unsent)) return true;
  }
  const auto response = client_.Post(request, options_.timeout);
  if (!response.ok()) {
    if (base::ReasonOf(response.status()) != reason::kUnavailable) {
      // A refusal leaves an entry at the broker each time.
      known.post_again_at = environment_.clock->Now() + kAfterRefusal;
      base::LogStatus(base::LogLevel::kWarning, "node.ceremony_post_failed", response.status());
    }
    // What the broker has no more, or has ended for this node, it will never take.
    if (response.status().code() != absl::StatusCode::kNotFound &&
        base::ReasonOf(response.status()) != reason::kAlreadyEnded) {
      return false;
    }
  }
  if (known.participant != nullptr) {
    known.num_posted = known.participant->Sent().size();
  } else {
    known.unsent_posted = true;
  }
  return response.ok();
}

bool CeremonyDriver::IsLate(const Known& known) const {
  return environment_.NowMs() - known.row->approved_ms >= absl::ToInt64Milliseconds(options_.deadline);
}

absl::Status CeremonyDriver::Drive(const policy::Snapshot& snapshot, Known& known) {
  switch (known.row->state) {
    case NodeCeremonyState::kRunning:
      return Run(snapshot, known);
    case NodeCeremonyState::kSigning:
      return Complete(snapshot, known);
    case NodeCeremonyState::kStopped:
      return WatchStopped(snapshot, known);
    case NodeCeremonyState::kDone:
      Post(known);
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status CeremonyDriver::Resume(Known& known) {
  RAAKVLAK_ASSIGN_OR_RETURN(
      const base::SecretBytes state,
      environment_.vault->Decrypt(Column::kCeremonyState, known.id(), known.row->secret));
  std::optional<crypto::group::Scalar> old_share;
  const ceremony::Member* self = known.parameters.Find(known.index);
  if (known.parameters.kind() != ceremony::Kind::kGenerate && self != nullptr && self->contributes()) {
    const auto keys = environment_.keys->Now();
    const crypto::group::Scalar* share = keys->FindShare(known.parameters.text().old_keyset_id);
    if (share != nullptr) old_share = *share;
  }
  RAAKVLAK_ASSIGN_OR_RETURN(ceremony::Participant participant,
                            ceremony::Participant::Import(state, KeyFor(known), old_share));
  known.participant = std::make_unique<ceremony::Participant>(std::move(participant));
  known.fetched = 0;
  known.num_posted = 0;
  known.early.clear();
  return absl::OkStatus();
}

// Returns whether anything changed that must be stored.
bool CeremonyDriver::Receive(Known& known, std::vector<ceremony::SignedMessage> messages) {
  for (ceremony::SignedMessage& message : messages) {
    if (std::find(known.early.begin(), known.early.end(), message) == known.early.end())
      known.early.push_back(std::move(message));
  }
  bool changed = false;
  for (bool progress = true; progress;) {
    progress = false;
    std::vector<ceremony::SignedMessage> still_early;
    for (const ceremony::SignedMessage& message : known.early) {
      const size_t before = known.participant->Export().size();
      const auto sent = known.participant->Receive(message);
      if (!sent.ok() && sent.status().code() == absl::StatusCode::kUnavailable) {
        still_early.push_back(message);
      } else if (!sent.ok()) {
        base::LogStatus(base::LogLevel::kWarning, "node.ceremony_message_refused", sent.status());
      } else if (known.participant->Export().size() != before) {
        progress = changed = true;
      }
    }
    known.early = std::move(still_early);
    if (known.early.empty()) break;
  }
  return changed;
}

absl::Status CeremonyDriver::Run(const policy::Snapshot& snapshot, Known& known) {
  if (known.participant == nullptr) {
    const absl::Status resumed = Resume(known);
    if (!resumed.ok()) return Stop(snapshot, known, std::string(resumed.message()), nullptr);
  }
  ceremony::Participant& participant = *known.participant;
  std::vector<ceremony::SignedMessage> messages;
  const absl::Status fetched = known.last > known.fetched ? Fetch(known, messages) : absl::OkStatus();
  const bool changed = Receive(known, std::move(messages));
  std::string why;
  if (!participant.blame().has_value() && !participant.outcome().has_value()) {
    const absl::Status fits = CheckFits(snapshot, known.parameters);
    if (!fits.ok()) {
      why = std::string(fits.message());
    } else if (IsLate(known)) {
      why = absl::StrCat("the deadline has passed; ", WhoIsMissing(participant));
    }
    if (!why.empty()) participant.GiveUp();
  }
  if (participant.blame().has_value()) {
    const ceremony::Blame blame = *participant.blame();
    return Stop(snapshot, known, why, &blame);
  }
  if (participant.outcome().has_value()) return SignKeyset(snapshot, known);
  if (changed) {
    NodeCeremony next = *known.row;
    next.secret = environment_.vault->Encrypt(Column::kCeremonyState, known.id(),
                                              participant.Export().Reveal(base::RevealSecret{}));
    RAAKVLAK_RETURN_IF_ERROR(Save(known, std::move(next), {}));
  }
  Post(known);
  return base::ReasonOf(fetched) == reason::kUnavailable ? absl::OkStatus() : fetched;
}

absl::Status CeremonyDriver::SignKeyset(const policy::Snapshot& snapshot, Known& known) {
  const ceremony::Outcome& outcome = *known.participant->outcome();
  // Between approval and outcome another one may have been quicker, through others.
  absl::Status fits = CheckFits(snapshot, known.parameters);
  if (fits.ok() && OtherUnderWay(known.parameters) != nullptr) {
    fits = base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch,
                       "another ceremony of this key is further");
  }
  NodeCeremony next = *known.row;
  next.changed_ms = environment_.NowMs();
  next.secret.clear();
  next.transcript_hash = outcome.transcript_hash;
  v1::PostRequest unsent = RequestOf(known.id(), known.participant->Sent());
  if (!fits.ok()) {
    // The others have our certificate, and would wait for a signature that never comes.
    const ceremony::SignedMessage abort = OwnAbort(known, ceremony::Step::kCertificate);
    *unsent.mutable_messages() = RequestOf(known.id(), {abort}).messages();
    next.state = NodeCeremonyState::kStopped;
    next.why = std::string(fits.message());
    next.evidence = abort.body.substr(ceremony::kHeaderSize);
    next.reporter = known.index;
    next.unsent = unsent.SerializeAsString();
    storage::AuditEntry entry = OwnEntry(snapshot, "ceremony_stopped", known.parameters);
    entry.reason = next.why;
    RAAKVLAK_RETURN_IF_ERROR(Save(known, std::move(next), {entry}));
    known.participant.reset();
    return absl::OkStatus();
  }
  const auto keys = environment_.keys->Now();
  const auto old_keyset = keys->keysets().Find(known.parameters.text().old_keyset_id);
  if (known.parameters.kind() != ceremony::Kind::kGenerate && old_keyset == nullptr) {
    return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "the keys changed just now");
  }
  crypto::note::Note note{
      policy::FormatKeysetText(policy::KeysetOf(known.parameters, outcome, old_keyset.get())), {}};
  if (outcome.share.has_value()) {
    const crypto::note::PrivateKey& key = KeyFor(known);
    const auto verifier = crypto::note::VerifierKey::Create(OwnUrn(environment_, snapshot), key.public_key());
    RAAKVLAK_CHECK(verifier.ok(), "a partner's URN is a name");
    crypto::note::Sign(note, *verifier, key);
    unsent.set_keyset(crypto::note::Format(note));
    next.keyset = unsent.keyset();
    const base::SecretBytes share = base::SecretBytes::Take(outcome.share->Encode());
    next.share =
        environment_.vault->Encrypt(Column::kCeremonyShare, known.id(), share.Reveal(base::RevealSecret{}));
  }
  next.state = NodeCeremonyState::kSigning;
  next.unsent = unsent.SerializeAsString();
  RAAKVLAK_RETURN_IF_ERROR(Save(known, std::move(next), {}));
  known.participant.reset();
  known.unsent_posted = false;
  return Complete(snapshot, known);
}

absl::Status CeremonyDriver::Complete(const policy::Snapshot& snapshot, Known& known) {
  if (!Post(known)) return absl::OkStatus();
  const std::pair<uint64_t, uint32_t> there = {known.last, known.num_keysets};
  const absl::Time now = environment_.clock->Now();
  if (known.looked_at == there && now < known.look_again_at) return absl::OkStatus();
  std::vector<ceremony::SignedMessage> messages;
  known.fetched = 0;
  const absl::Status fetched = Fetch(known, messages);
  if (!fetched.ok()) return base::ReasonOf(fetched) == reason::kUnavailable ? absl::OkStatus() : fetched;
  const auto own = crypto::note::Parse(known.row->keyset);
  known.unsigned_holders.clear();
  for (const ceremony::Member& member : known.parameters.members()) {
    if (member.receives() && own.ok() && !HasSigned(known.parameters, member, own->text, known.notes))
      known.unsigned_holders.insert(member.partner);
  }
  // A relay that was restored may have lost it.
  if (known.unsigned_holders.contains(environment_.partner)) known.unsent_posted = false;
  for (const policy::CompleteKeyset& complete :
       policy::CompleteKeysets({known.notes}, *policy::ChainOf(snapshot))) {
    if (own.ok() && complete.keyset->id() == base::Sha256(own->text)) return TakeKeyset(snapshot, complete);
  }
  for (const ceremony::SignedMessage& message : messages) {
    if (!IsAbort(known.parameters, message)) continue;
    // Its sender says that it will not sign. Should it have signed all the same, the keyset is taken when it
    // is complete; the share is kept for that.
    const auto content = ceremony::Open(known.parameters, message);
    const ceremony::Blame blame = {ceremony::Judge(known.parameters, *content), content->sender, {}};
    return Stop(snapshot, known, "a member stopped after the key was made", &blame);
  }
  known.looked_at = there;
  known.look_again_at = now + kLookAgain;
  return absl::OkStatus();
}

absl::Status CeremonyDriver::WatchStopped(const policy::Snapshot& snapshot, Known& known) {
  if (!Post(known) || known.participant == nullptr) return absl::OkStatus();
  // What is a member's word so far may be proven by what others send.
  const ceremony::Blame before = *known.participant->blame();
  if (ceremony::IsProvable(before.finding.check) || IsLate(known)) {
    known.participant.reset();
    known.unsent_posted = true;
    return absl::OkStatus();
  }
  std::vector<ceremony::SignedMessage> messages;
  if (known.last <= known.fetched || !Fetch(known, messages).ok()) return absl::OkStatus();
  Receive(known, std::move(messages));
  const ceremony::Blame after = *known.participant->blame();
  if (after.finding == before.finding || !ceremony::IsProvable(after.finding.check)) return absl::OkStatus();
  return Stop(snapshot, known, known.row->why, &after);
}

absl::Status CeremonyDriver::Stop(const policy::Snapshot& snapshot, Known& known, const std::string& why,
                                  const ceremony::Blame* blame, const storage::AuditEntry* operator_entry) {
  NodeCeremony next = *known.row;
  next.state = NodeCeremonyState::kStopped;
  next.changed_ms = environment_.NowMs();
  next.secret.clear();
  next.why = why;
  if (known.participant != nullptr) {
    next.unsent = RequestOf(known.id(), known.participant->Sent()).SerializeAsString();
  } else if (blame == nullptr) {
    // What it said before is lost to it, and the others would wait.
    const ceremony::SignedMessage abort = OwnAbort(known, ceremony::Step::kJoin);
    next.unsent = RequestOf(known.id(), {abort}).SerializeAsString();
    next.evidence = abort.body.substr(ceremony::kHeaderSize);
    next.reporter = known.index;
  }
  storage::AuditEntry entry = OwnEntry(snapshot, "ceremony_stopped", known.parameters);
  entry.reason = why;
  if (blame != nullptr) {
    next.evidence = ceremony::FormatAccusation({blame->finding, blame->evidence});
    next.reporter = blame->reporter;
    const auto name = [&](uint32_t index) -> std::string {
      const ceremony::Member* member = known.parameters.Find(index);
      return member == nullptr ? "nobody in particular" : member->partner;
    };
    entry.reason = absl::StrCat(name(blame->finding.culprit), ", step ",
                                std::string(ceremony::StepName(blame->finding.step)), ", ",
                                std::string(ceremony::CheckName(blame->finding.check)), "; told by ",
                                name(blame->reporter), why.empty() ? "" : "; ", why);
  }
  base::Log(base::LogLevel::kWarning, "node.ceremony_stopped",
            {{"ceremony", base::Hex(known.id())}, {"why", entry.reason}});
  std::vector<storage::AuditEntry> entries = {entry};
  if (operator_entry != nullptr) entries.insert(entries.begin(), *operator_entry);
  RAAKVLAK_RETURN_IF_ERROR(Save(known, std::move(next), entries));
  known.unsent_posted = false;
  Post(known);
  return absl::OkStatus();
}

const crypto::note::PrivateKey& CeremonyDriver::KeyFor(const Known& known) const {
  const ceremony::Member* self = known.parameters.Find(known.index);
  RAAKVLAK_CHECK(self != nullptr, "only a member signs in a ceremony");
  return environment_.signing_keys.For(self->signing_key);
}

ceremony::SignedMessage CeremonyDriver::OwnAbort(const Known& known, ceremony::Step step) const {
  const ceremony::Finding finding = {known.index, step, ceremony::Check::kMissing};
  const ceremony::Content content = {ceremony::Step::kAbort, known.id(), known.index,
                                     ceremony::FormatAccusation({finding, {}})};
  return ceremony::SignContent(known.parameters, content, KeyFor(known));
}

absl::Status CeremonyDriver::Save(Known& known, NodeCeremony next,
                                  const std::vector<storage::AuditEntry>& entries) {
  const absl::Status written =
      environment_.store->Write("ceremony", [&](storage::NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(const bool put, transaction.PutCeremony(next));
        if (!put) {
          return base::Error(absl::StatusCode::kInternal, reason::kStorageFailed,
                             "the stored ceremony is further than this one");
        }
        for (const storage::AuditEntry& entry : entries)
          RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
        return absl::OkStatus();
      });
  if (!written.ok()) {
    // What was worked out and not stored is worked out again.
    known.participant.reset();
    known.fetched = 0;
    return written;
  }
  known.row = std::move(next);
  return absl::OkStatus();
}

const CeremonyDriver::Known* CeremonyDriver::OtherUnderWay(const ceremony::Parameters& parameters) {
  const ceremony::ParametersText& text = parameters.text();
  for (const auto& known : known_) {
    const ceremony::ParametersText& other = known->parameters.text();
    if (known->id() == parameters.id() || other.purpose != text.purpose ||
        other.identifier_class != text.identifier_class || other.epoch != text.epoch) {
      continue;
    }
    if (known->is_in(NodeCeremonyState::kRunning) || known->is_in(NodeCeremonyState::kSigning))
      return known.get();
  }
  return nullptr;
}

CeremonyDriver::Known* CeremonyDriver::Find(const std::string& ceremony_id) {
  for (const auto& known : known_) {
    if (known->id() == ceremony_id) return known.get();
  }
  return nullptr;
}

storage::AuditEntry CeremonyDriver::OwnEntry(const policy::Snapshot& snapshot, absl::string_view action,
                                             const ceremony::Parameters& parameters) const {
  storage::AuditEntry entry =
      NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", action);
  entry.object = base::Hex(parameters.id());
  entry.purpose = parameters.text().purpose;
  return entry;
}

}  // namespace raakvlak::node

#include "server/broker/ceremony_relay.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "server/broker/audit_entry.h"
#include "server/broker/ceremony_text.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;

constexpr size_t kIdSize = 32;
// step(1) || ceremony id(32) || chain(32) || sender index(1)
constexpr size_t kHeaderSize = 1 + kIdSize + 32 + 1;
constexpr uint32_t kAbort = 6;
constexpr absl::string_view kSteps[] = {"", "join", "commit", "reveal", "shares", "certificate", "abort"};

absl::Status InvalidRequest(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message);
}

absl::Status TooMuch(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason::kTooLarge, message);
}

absl::Status NoSuchCeremony() {
  return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "there is no such ceremony");
}

// The covenant in force or the next one, which keys are made for beforehand.
bool IsPurposeKnown(const policy::Snapshot& snapshot, absl::string_view purpose) {
  if (snapshot.covenant->FindPurpose(purpose) != nullptr) return true;
  const auto next = policy::ChainOf(snapshot)->After(*snapshot.covenant);
  return next != nullptr && next->FindPurpose(purpose) != nullptr;
}

absl::StatusOr<CeremonyText> CheckProposal(const rpc::Gate::Pass& pass, const v1::ProposeRequest& request) {
  if (request.parameters().size() > CeremonyRelay::kMaxParameters)
    return TooMuch(absl::StrCat("parameters have at most ", CeremonyRelay::kMaxParameters, " bytes"));
  RAAKVLAK_ASSIGN_OR_RETURN(CeremonyText text, CeremonyText::Parse(request.parameters()));
  if (text.purpose != request.purpose() || text.identifier_class != request.identifier_class() ||
      text.epoch != request.epoch() || text.kind != request.kind()) {
    return InvalidRequest("the request says something else than the parameters");
  }
  if (text.region != pass.snapshot.covenant->region()) return InvalidRequest("this is another region");
  if (!IsPurposeKnown(pass.snapshot, text.purpose)) {
    return base::Error(absl::StatusCode::kInvalidArgument, reason::kPurposeUnknown,
                       "the covenant has no such purpose");
  }
  const auto covenant = pass.snapshot.FindCovenant(text.covenant_id);
  if (covenant == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch,
                       "the parameters name a covenant that is not known here");
  }
  // Keys are made for the covenant in force, or for one that waits.
  if (covenant->text().version() < pass.snapshot.covenant->text().version()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kCovenantMismatch,
                       "the parameters name a covenant that was superseded");
  }
  // Or one partner would bring ceremonies to an end that nobody else has a part in, as many as it likes.
  std::map<uint32_t, std::string> receivers;
  for (const CeremonyMember& member : text.members) {
    if (member.receives) receivers.emplace(member.index, member.partner);
  }
  if (text.members.size() != receivers.size() || receivers != policy::KeyHolders(covenant->text()))
    return InvalidRequest("the members are not the key holders of the covenant that is named");
  if (text.FindMember(pass.caller.id) == nullptr) return InvalidRequest("who proposes is a member");
  return text;
}

// CheckMessage returns the step of a message that `member` may post.
absl::StatusOr<uint32_t> CheckMessage(const v1::CeremonyMessage& message, absl::string_view ceremony_id,
                                      const CeremonyMember& member, const crypto::note::PublicKey& key) {
  const std::string& body = message.body();
  if (body.size() > CeremonyRelay::kMaxBody)
    return TooMuch(absl::StrCat("a message has at most ", CeremonyRelay::kMaxBody, " bytes"));
  if (body.size() < kHeaderSize) return InvalidRequest("this is no message of a ceremony");
  const uint32_t step = static_cast<uint8_t>(body[0]);
  if (step == 0 || step >= std::size(kSteps)) return InvalidRequest("a ceremony has no such step");
  if (absl::string_view(body).substr(1, kIdSize) != ceremony_id)
    return InvalidRequest("the message is of another ceremony");
  if (static_cast<uint8_t>(body[kHeaderSize - 1]) != member.index)
    return InvalidRequest("the message names another sender");
  RAAKVLAK_RETURN_IF_ERROR(
      crypto::note::VerifyMessage(key, crypto::note::kCeremonyKind, body, message.signature()));
  return step;
}

// A post that may be stored.
struct CheckedPost {
  std::string id;
  CeremonyMember sender;
  std::vector<uint32_t> steps;  // of its messages
};

// Fills what of `out_entry` is known, also when it refuses.
absl::StatusOr<CheckedPost> CheckPost(const rpc::Gate::Pass& pass, const v1::PostRequest& request,
                                      storage::BrokerReader& reader, storage::AuditEntry& out_entry) {
  if (request.messages_size() > CeremonyRelay::kMaxMessages)
    return TooMuch(absl::StrCat("one call posts at most ", CeremonyRelay::kMaxMessages, " messages"));
  if (request.keyset().size() > CeremonyRelay::kMaxKeyset)
    return TooMuch(absl::StrCat("a keyset has at most ", CeremonyRelay::kMaxKeyset, " bytes"));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::StoredCeremony> ceremony,
                            reader.ceremonies().Find(request.ceremony_id()));
  if (!ceremony) return NoSuchCeremony();
  out_entry.object = base::Hex(ceremony->id);
  out_entry.purpose = ceremony->purpose;
  RAAKVLAK_ASSIGN_OR_RETURN(const CeremonyText text, CeremonyText::Parse(ceremony->parameters));
  const CeremonyMember* sender = text.FindMember(pass.caller.id);
  if (sender == nullptr) return InvalidRequest("who posts is a member of the ceremony");
  const auto covenant = pass.snapshot.FindCovenant(text.covenant_id);
  // Who proposed it saw to it that all members are partners in that covenant.
  if (covenant == nullptr) return NoSuchCeremony();
  CheckedPost post{ceremony->id, *sender, {}};
  for (const v1::CeremonyMessage& message : request.messages()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const uint32_t step,
                              CheckMessage(message, post.id, *sender, covenant->PartnerKey(pass.caller.id)));
    post.steps.push_back(step);
  }
  return post;
}

absl::Status StorePost(storage::BrokerTransaction& transaction, const CheckedPost& post,
                       const v1::PostRequest& request, const storage::AuditEntry& entry) {
  storage::CeremonyTable& table = transaction.ceremonies();
  const auto log = [&](absl::string_view what) {
    storage::AuditEntry posted = entry;
    absl::StrAppend(&posted.object, " ", what);
    return transaction.AppendAudit(posted).status();
  };
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::StoredCeremony> ceremony, table.Find(post.id));
  if (!ceremony) return NoSuchCeremony();
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<uint32_t> steps, table.StepsOf(post.id, post.sender.partner));
  RAAKVLAK_ASSIGN_OR_RETURN(const bool has_keyset, table.HasKeyset(post.id, post.sender.partner));
  for (int i = 0; i < request.messages_size(); ++i) {
    const uint32_t step = post.steps[static_cast<size_t>(i)];
    storage::StoredCeremonyMessage row;
    row.sender = post.sender.partner;
    row.step = step;
    row.body = request.messages(i).body();
    row.signature = request.messages(i).signature();
    RAAKVLAK_ASSIGN_OR_RETURN(const bool is_new, table.Append(post.id, row));
    if (!is_new) continue;
    if (steps.size() >= static_cast<size_t>(CeremonyRelay::kMaxMessages)) {
      return base::Error(
          absl::StatusCode::kResourceExhausted, reason::kQuotaExceeded,
          absl::StrCat("one sender has at most ", CeremonyRelay::kMaxMessages, " messages in a ceremony"));
    }
    const bool first = std::find(steps.begin(), steps.end(), step) == steps.end();
    steps.push_back(step);
    if (first) RAAKVLAK_RETURN_IF_ERROR(log(kSteps[step]));
  }
  // A member that stops frees the others to sign another keyset of this generation. Were its signature on
  // this one still to come, some would use the one and some the other.
  const bool stops = std::find(steps.begin(), steps.end(), kAbort) != steps.end();
  if (stops && (has_keyset || !request.keyset().empty())) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kAlreadyEnded,
                       "a member stops a ceremony or posts its keyset, not both");
  }
  if (request.keyset().empty()) return absl::OkStatus();
  RAAKVLAK_ASSIGN_OR_RETURN(const bool is_new,
                            table.PutKeyset(post.id, post.sender.partner, request.keyset()));
  return is_new ? log("keyset") : absl::OkStatus();
}

v1::CeremonyInfo InfoOf(const storage::StoredCeremony& ceremony) {
  v1::CeremonyInfo info;
  info.set_ceremony_id(ceremony.id);
  info.set_purpose(ceremony.purpose);
  info.set_identifier_class(ceremony.identifier_class);
  info.set_epoch(ceremony.epoch);
  info.set_kind(ceremony.kind);
  info.set_proposed_by(ceremony.proposed_by);
  info.set_proposed_ms(ceremony.proposed_ms);
  info.set_last(ceremony.last);
  info.set_keysets(ceremony.keysets);
  return info;
}

}  // namespace

absl::StatusOr<v1::ProposeResponse> CeremonyRelay::Propose(const rpc::Gate::Pass& pass,
                                                           const v1::ProposeRequest& request) {
  const absl::Time now = clock_.Now();
  const std::string id = base::Sha256(request.parameters());
  storage::AuditEntry entry = EntryOf(pass, now, "ceremony_propose", base::Hex(id));
  const absl::StatusOr<CeremonyText> text = CheckProposal(pass, request);
  if (!text.ok()) return RefuseDurably(store_, entry, kProposeMethod, text.status());
  entry.purpose = text->purpose;
  const absl::Status stored =
      store_.Write("ceremony_propose", [&](storage::BrokerTransaction& transaction) -> absl::Status {
        storage::CeremonyTable& table = transaction.ceremonies();
        storage::StoredCeremony ceremony;
        ceremony.id = id;
        ceremony.parameters = request.parameters();
        ceremony.purpose = text->purpose;
        ceremony.identifier_class = text->identifier_class;
        ceremony.epoch = text->epoch;
        ceremony.kind = text->kind;
        ceremony.proposed_by = pass.caller.id;
        ceremony.proposed_ms = absl::ToUnixMillis(now);
        ceremony.receivers = static_cast<uint32_t>(text->members.size());
        RAAKVLAK_ASSIGN_OR_RETURN(const bool is_new, table.Insert(ceremony));
        if (!is_new) return transaction.AppendAudit(entry).status();
        RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t open,
                                  table.CountOpen(pass.caller.id, absl::ToUnixMillis(now - kOpenFor)));
        if (open > kMaxOpen) {
          return base::Error(absl::StatusCode::kResourceExhausted, reason::kQuotaExceeded,
                             absl::StrCat("one partner has at most ", kMaxOpen, " open ceremonies"));
        }
        return transaction.AppendAudit(entry).status();
      });
  if (!stored.ok() && EndsTransaction(stored)) return stored;
  if (!stored.ok()) return RefuseDurably(store_, entry, kProposeMethod, stored);
  v1::ProposeResponse response;
  response.set_ceremony_id(id);
  return response;
}

absl::StatusOr<v1::PostResponse> CeremonyRelay::Post(const rpc::Gate::Pass& pass,
                                                     const v1::PostRequest& request) {
  storage::AuditEntry entry = EntryOf(pass, clock_.Now(), "ceremony_post", "");
  absl::StatusOr<CheckedPost> post;
  absl::Status status = store_.Read("ceremony_check", [&](storage::BrokerReader& reader) -> absl::Status {
    post = CheckPost(pass, request, reader, entry);
    return post.status();
  });
  if (status.ok()) {
    status = store_.Write("ceremony_post", [&](storage::BrokerTransaction& transaction) -> absl::Status {
      return StorePost(transaction, *post, request, entry);
    });
  }
  if (!status.ok() && EndsTransaction(status)) return status;
  if (!status.ok()) return RefuseDurably(store_, entry, kPostMethod, status);
  return v1::PostResponse();
}

absl::StatusOr<v1::FetchResponse> CeremonyRelay::Fetch(const rpc::Gate::Pass& pass,
                                                       const v1::FetchRequest& request) {
  v1::FetchResponse response;
  const absl::Status read = store_.Read("ceremony_fetch", [&](storage::BrokerReader& reader) -> absl::Status {
    storage::CeremonyReader& table = reader.ceremonies();
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::StoredCeremony> ceremony,
                              table.Find(request.ceremony_id()));
    if (!ceremony) return NoSuchCeremony();
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::StoredCeremonyMessage> messages,
                              table.Messages(ceremony->id, request.after(), kMaxFetchBytes));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> keysets, table.Keysets(ceremony->id));
    response.set_parameters(ceremony->parameters);
    response.set_last(request.after());
    for (const storage::StoredCeremonyMessage& message : messages) {
      v1::CeremonyMessage& out = *response.add_messages();
      out.set_body(message.body);
      out.set_signature(message.signature);
      response.set_last(message.sequence);
    }
    response.set_more(response.last() < ceremony->last);
    for (const std::string& keyset : keysets) response.add_keysets(keyset);
    return absl::OkStatus();
  });
  if (!read.ok() && !EndsTransaction(read))
    return RefuseDurably(store_, EntryOf(pass, clock_.Now(), "", ""), kFetchMethod, read);
  RAAKVLAK_RETURN_IF_ERROR(read);
  return response;
}

absl::StatusOr<v1::ListCeremoniesResponse> CeremonyRelay::ListCeremonies() {
  v1::ListCeremoniesResponse response;
  RAAKVLAK_RETURN_IF_ERROR(store_.Read("ceremony_list", [&](storage::BrokerReader& reader) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::StoredCeremony> listed,
                              reader.ceremonies().List(absl::ToUnixMillis(clock_.Now() - kListedFor)));
    for (const storage::StoredCeremony& ceremony : listed) *response.add_ceremonies() = InfoOf(ceremony);
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::KeysetsResponse> CeremonyRelay::Keysets() {
  v1::KeysetsResponse response;
  RAAKVLAK_RETURN_IF_ERROR(
      store_.Read("ceremony_keysets", [&](storage::BrokerReader& reader) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> ids, reader.ceremonies().Complete());
        size_t bytes = 0;
        for (const std::string& id : ids) {
          RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> keysets, reader.ceremonies().Keysets(id));
          for (const std::string& keyset : keysets) bytes += keyset.size();
          if (bytes > kMaxKeysetsBytes) return absl::OkStatus();
          v1::CeremonyKeysets& ceremony = *response.add_ceremonies();
          ceremony.set_ceremony_id(id);
          for (const std::string& keyset : keysets) ceremony.add_keysets(keyset);
        }
        return absl::OkStatus();
      }));
  return response;
}

}  // namespace raakvlak::broker

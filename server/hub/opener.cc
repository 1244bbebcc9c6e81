#include "server/hub/opener.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "policy/envelope.h"
#include "policy/strict_parse.h"

namespace raakvlak::hub {
namespace {

namespace reason = base::reason;
namespace disclosure = crypto::disclosure;
namespace seal = crypto::seal;

constexpr size_t kMaxContentBytes = seal::kMaxContentSize;

v1::Fault MakeFault(const v1::SignalHeader& header, absl::string_view why) {
  v1::Fault fault;
  fault.set_partner(header.partner());
  fault.set_signal_id(header.signal_id());
  fault.set_reason(std::string(why));
  return fault;
}

// One token of one envelope that passed its checks.
struct Member {
  size_t envelope;
  int token;
};

// Tokens that agree in rule, tag and commitments.
struct Group {
  const v1::LinkageRule* rule = nullptr;
  std::string tag;
  std::string commitments;
  std::vector<Member> members;
  crypto::group::Scalar secret;
};

// Everything about one opening, so that its steps read in order.
class Opening {
 public:
  Opening(const std::map<std::string, seal::SealKeyPair>& seal_keys, const policy::KeysetStore& keysets,
          const policy::Snapshot& snapshot, const v1::Purpose& purpose, absl::Time now)
      : seal_keys_(seal_keys),
        keysets_(keysets),
        snapshot_(snapshot),
        purpose_(purpose),
        today_(snapshot.covenant->DayAt(now)) {}

  void CheckEnvelopes(absl::Span<const v1::Envelope> envelopes) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const v1::Envelope& envelope : envelopes) {
      // The partner is read from unverified bytes only to know whose key must have signed them.
      v1::EnvelopeBody body;
      v1::SignalHeader header;
      if (!policy::ParseStrictly(envelope.body(), policy::kMaxBodySize, body).ok() ||
          !policy::ParseStrictly(body.header(), policy::kMaxHeaderSize, header).ok() ||
          snapshot_.covenant->FindPartner(header.partner()) == nullptr) {
        faults_.push_back(MakeFault(v1::SignalHeader(), reason::kEnvelopeInvalid));
        continue;
      }
      policy::CheckedEnvelope checked = policy::CheckEnvelope(envelope, header.partner(), snapshot_, today_);
      absl::Status status = checked.status;
      if (status.ok()) status = policy::Authority::CheckPartner(snapshot_, header.partner());
      if (status.ok() && header.purpose() != purpose_.id()) {
        status = base::Error(absl::StatusCode::kInvalidArgument, reason::kEnvelopeInvalid, "another purpose");
      }
      if (status.ok() && !seen.emplace(header.partner(), header.signal_id()).second) {
        status =
            base::Error(absl::StatusCode::kInvalidArgument, reason::kReplayed, "the signal stands twice");
      }
      if (status.ok()) {
        envelopes_.push_back(std::move(checked));
      } else {
        faults_.push_back(MakeFault(header, base::ReasonOf(status)));
      }
    }
  }

  absl::Status FormGroups() {
    std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
    for (size_t i = 0; i < envelopes_.size(); ++i) {
      for (int j = 0; j < envelopes_[i].body.tokens_size(); ++j) {
        const v1::Token& token = envelopes_[i].body.tokens(j);
        if (token.share().empty()) continue;
        const v1::LinkageRule* rule = envelopes_[i].rules[static_cast<size_t>(j)];
        Group& group = groups[{rule->id(), token.tag(), token.commitments()}];
        group.rule = rule;
        group.tag = token.tag();
        group.commitments = token.commitments();
        group.members.push_back({i, j});
      }
    }
    for (auto& [key, group] : groups) {
      RAAKVLAK_RETURN_IF_ERROR(KeepIfItMayBeOpened(std::move(group)));
    }
    return absl::OkStatus();
  }

  // A broker could put two subjects into one match. Only groups that share a signal are one subject; the
  // largest part is opened.
  void KeepOneSubject() {
    std::vector<size_t> part(groups_.size());
    std::iota(part.begin(), part.end(), size_t{0});
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t a = 0; a < groups_.size(); ++a) {
        for (size_t b = a + 1; b < groups_.size(); ++b) {
          if (part[a] != part[b] && groups_[a].rule->subject() == groups_[b].rule->subject() &&
              ShareAnEnvelope(groups_[a], groups_[b])) {
            const size_t from = std::max(part[a], part[b]);
            std::replace(part.begin(), part.end(), from, std::min(part[a], part[b]));
            changed = true;
          }
        }
      }
    }
    std::map<size_t, std::set<size_t>> envelopes_of;
    for (size_t i = 0; i < groups_.size(); ++i) {
      for (const Member& member : groups_[i].members) envelopes_of[part[i]].insert(member.envelope);
    }
    size_t largest = 0;
    for (const auto& [id, members] : envelopes_of) {
      if (members.size() > envelopes_of[largest].size()) largest = id;
    }
    std::vector<Group> kept;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (part[i] == largest) kept.push_back(std::move(groups_[i]));
    }
    groups_ = std::move(kept);
  }

  absl::Status OpenEnvelopes() {
    std::map<size_t, std::vector<std::string>> rules_of;
    std::map<size_t, v1::SignalContent> content_of;
    for (const Group& group : groups_) {
      RAAKVLAK_ASSIGN_OR_RETURN(const std::string context, ExtendedContext(*group.rule));
      const base::SecretBytes wrap_key = disclosure::WrapKey(group.secret, context, group.tag);
      for (const Member& member : group.members) {
        rules_of[member.envelope].push_back(group.rule->id());
        if (content_of.contains(member.envelope)) continue;
        absl::StatusOr<v1::SignalContent> content = OpenOne(member, wrap_key, context);
        if (content.ok()) content_of.emplace(member.envelope, *std::move(content));
      }
    }
    std::set<uint32_t> organisations;
    for (size_t i = 0; i < envelopes_.size(); ++i) {
      const auto content = content_of.find(i);
      if (content == content_of.end()) {
        // In no group that may be opened, or sealed to something else than it says.
        const char* why = rules_of.contains(i) ? reason::kVerificationFailed : reason::kThresholdNotMet;
        if (!faulty_.contains(i)) faults_.push_back(MakeFault(envelopes_[i].header, why));
        continue;
      }
      organisations.insert(envelopes_[i].header.index());
      signals_.push_back(MakeSignal(envelopes_[i].header, content->second, rules_of[i]));
    }
    return organisations.size() >= purpose_.disclosure_threshold() ? absl::OkStatus() : NothingToOpen();
  }

  absl::Status NothingToOpen() const {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kThresholdNotMet,
                       absl::StrCat("no ", purpose_.disclosure_threshold(),
                                    " organisations agree on one subject in a way that may be opened"));
  }

  bool empty() const { return groups_.empty(); }

  Opener::Opened Take() {
    std::sort(signals_.begin(), signals_.end(), [](const v1::OpenedSignal& a, const v1::OpenedSignal& b) {
      return std::tie(a.partner(), a.client_ref(), a.signal_id()) <
             std::tie(b.partner(), b.client_ref(), b.signal_id());
    });
    return {std::move(signals_), std::move(faults_)};
  }

 private:
  absl::StatusOr<std::string> ExtendedContext(const v1::LinkageRule& rule) const {
    const auto keyset = keysets_.Current(purpose_.id(), static_cast<uint8_t>(rule.identifier_class()));
    if (keyset == nullptr) {
      return base::Error(
          absl::StatusCode::kFailedPrecondition, reason::kKeysetUnknown,
          absl::StrCat("no keyset for purpose ", purpose_.id(), ", class ", rule.identifier_class()));
    }
    const disclosure::Context context = {snapshot_.covenant->region(),
                                         purpose_.id(),
                                         static_cast<uint8_t>(rule.identifier_class()),
                                         purpose_.epoch(),
                                         rule.id(),
                                         static_cast<uint16_t>(rule.version())};
    return disclosure::EncodeExtendedContext(context, purpose_.disclosure_threshold(), keyset->public_key());
  }

  absl::Status KeepIfItMayBeOpened(Group group) {
    std::vector<disclosure::IndexedShare> shares;
    for (const Member& member : group.members) {
      shares.push_back({envelopes_[member.envelope].header.index(),
                        envelopes_[member.envelope].body.tokens(member.token).share()});
    }
    std::vector<size_t> faulty;
    const absl::StatusOr<disclosure::Recovered> recovered =
        disclosure::Recover(shares, group.commitments, purpose_.disclosure_threshold(), &faulty);
    for (const size_t position : faulty) {
      const size_t envelope = group.members[position].envelope;
      if (faulty_.insert(envelope).second) {
        faults_.push_back(MakeFault(envelopes_[envelope].header, reason::kVerificationFailed));
      }
    }
    if (!recovered.ok()) return absl::OkStatus();
    for (auto position = faulty.rbegin(); position != faulty.rend(); ++position) {
      group.members.erase(group.members.begin() + static_cast<std::ptrdiff_t>(*position));
    }
    if (purpose_.mode() == v1::CASE && !HoldsCaseReport(group)) return absl::OkStatus();
    group.secret = recovered->secret;
    groups_.push_back(std::move(group));
    return absl::OkStatus();
  }

  // CheckEnvelope refused a case report of a partner that may not report cases.
  bool HoldsCaseReport(const Group& group) const {
    return std::any_of(group.members.begin(), group.members.end(), [&](const Member& member) {
      return envelopes_[member.envelope].header.kind() == v1::CASE_REPORT;
    });
  }

  static bool ShareAnEnvelope(const Group& a, const Group& b) {
    return std::any_of(a.members.begin(), a.members.end(), [&](const Member& left) {
      return std::any_of(b.members.begin(), b.members.end(),
                         [&](const Member& right) { return left.envelope == right.envelope; });
    });
  }

  absl::StatusOr<v1::SignalContent> OpenOne(const Member& member, const base::SecretBytes& wrap_key,
                                            absl::string_view context) const {
    const policy::CheckedEnvelope& envelope = envelopes_[member.envelope];
    const v1::Token& token = envelope.body.tokens(member.token);
    const std::string additional =
        absl::StrCat(envelope.body.header(), context, token.tag(), token.share(), token.commitments());
    RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content_key,
                              seal::UnwrapContentKey(wrap_key, token.wrapped_key(), additional));
    if (!base::ConstantTimeEquals(seal::ContentKeyCommitment(content_key),
                                  envelope.header.content_key_commitment())) {
      return base::Error(absl::StatusCode::kInvalidArgument, reason::kVerificationFailed,
                         "another content key");
    }
    const auto seal_key = seal_keys_.find(envelope.header.seal_key_id());
    if (seal_key == seal_keys_.end()) {
      return base::Error(absl::StatusCode::kFailedPrecondition, reason::kVerificationFailed,
                         "no such seal key here");
    }
    RAAKVLAK_ASSIGN_OR_RETURN(
        const base::SecretBytes content,
        seal::OpenContent(envelope.body.header(), envelope.body.payload(), content_key, seal_key->second));
    v1::SignalContent parsed;
    RAAKVLAK_RETURN_IF_ERROR(
        policy::ParseStrictly(content.Reveal(base::RevealSecret{}), kMaxContentBytes, parsed));
    return parsed;
  }

  static v1::OpenedSignal MakeSignal(const v1::SignalHeader& header, const v1::SignalContent& content,
                                     std::vector<std::string> rules) {
    v1::OpenedSignal signal;
    signal.set_partner(header.partner());
    signal.set_signal_id(header.signal_id());
    signal.set_kind(header.kind());
    signal.set_client_ref(content.client_ref());
    signal.set_category(content.category());
    signal.set_contact(content.contact());
    signal.set_note(content.note());
    signal.set_submitted_day(header.submitted_day());
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    for (std::string& rule : rules) signal.add_rules(std::move(rule));
    return signal;
  }

  const std::map<std::string, seal::SealKeyPair>& seal_keys_;
  const policy::KeysetStore& keysets_;
  const policy::Snapshot& snapshot_;
  const v1::Purpose& purpose_;
  const uint32_t today_;
  std::vector<policy::CheckedEnvelope> envelopes_;
  std::vector<Group> groups_;
  std::set<size_t> faulty_;
  std::vector<v1::OpenedSignal> signals_;
  std::vector<v1::Fault> faults_;
};

}  // namespace

Opener::Opener(std::map<std::string, seal::SealKeyPair> seal_keys, policy::KeysetStore keysets)
    : seal_keys_(std::move(seal_keys)), keysets_(std::move(keysets)) {}

absl::StatusOr<Opener::Opened> Opener::Open(const policy::VerifiedOrder& order,
                                            absl::Span<const v1::Envelope> envelopes,
                                            const policy::Snapshot& snapshot, absl::Time now) const {
  const v1::Purpose* purpose = snapshot.covenant->FindPurpose(order.body.purpose());
  if (purpose == nullptr) {
    return base::Error(absl::StatusCode::kNotFound, reason::kPurposeUnknown, "no such purpose");
  }
  std::vector<std::string> hashes;
  for (const v1::Envelope& envelope : envelopes) hashes.push_back(base::Sha256(envelope.body()));
  if (policy::ContentsDigest(std::move(hashes)) != order.body.contents_digest()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kMatchChanged,
                       "the match is no longer what the order was signed for; list it again");
  }
  Opening opening(seal_keys_, keysets_, snapshot, *purpose, now);
  opening.CheckEnvelopes(envelopes);
  RAAKVLAK_RETURN_IF_ERROR(opening.FormGroups());
  if (opening.empty()) return opening.NothingToOpen();
  opening.KeepOneSubject();
  RAAKVLAK_RETURN_IF_ERROR(opening.OpenEnvelopes());
  return opening.Take();
}

}  // namespace raakvlak::hub

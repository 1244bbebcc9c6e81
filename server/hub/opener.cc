#include "server/hub/opener.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "policy/envelope.h"
#include "policy/evidence.h"
#include "policy/strict_parse.h"

namespace raakvlak::hub {
namespace {

namespace reason = base::reason;
namespace disclosure = crypto::disclosure;
namespace seal = crypto::seal;

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

// Which signal an envelope is a version of: partner and signal id.
using SignalKey = std::pair<std::string, std::string>;

// Tokens of one epoch that agree in rule, tag and commitments.
struct Group {
  const v1::LinkageRule* rule = nullptr;
  // As it was agreed for the epoch.
  const v1::Purpose* terms = nullptr;
  uint32_t epoch = 0;
  std::string tag;
  std::string commitments;
  std::vector<Member> members;
};

// Everything about one opening, so that its steps read in order.
class Opening {
 public:
  Opening(const OpenerKeys& keys, const policy::Snapshot& snapshot, const v1::Purpose& purpose,
          absl::Time now)
      : keys_(keys), snapshot_(snapshot), purpose_(purpose), now_(now) {}

  void CheckEnvelopes(absl::Span<const v1::Envelope> envelopes) {
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
      policy::CheckedEnvelope checked = policy::CheckEnvelope(envelope, header.partner(), snapshot_, now_);
      const absl::Status status = checked.status.ok() ? CheckPlace(header) : checked.status;
      if (!status.ok()) {
        faults_.push_back(MakeFault(header, base::ReasonOf(status)));
      } else if (!keys_.seal_keys.contains(header.seal_key_id())) {
        Lacks(KeyOf(header), absl::StrCat("seal key ", header.seal_key_id()), header.epoch());
      } else {
        envelopes_.push_back(std::move(checked));
      }
    }
  }

  absl::Status OpenGroups() {
    std::map<std::tuple<uint32_t, std::string, std::string, std::string>, Group> groups;
    for (size_t i = 0; i < envelopes_.size(); ++i) {
      for (int j = 0; j < envelopes_[i].body.tokens_size(); ++j) {
        const v1::Token& token = envelopes_[i].body.tokens(j);
        if (token.wrapped_key().empty()) continue;
        const v1::LinkageRule* rule = envelopes_[i].rules[static_cast<size_t>(j)];
        const uint32_t epoch = envelopes_[i].header.epoch();
        Group& group = groups[{epoch, rule->id(), token.tag(), token.commitments()}];
        group.rule = rule;
        group.terms = envelopes_[i].purpose;
        group.epoch = epoch;
        group.tag = token.tag();
        group.commitments = token.commitments();
        group.members.push_back({i, j});
      }
    }
    for (auto& [key, group] : groups) RAAKVLAK_RETURN_IF_ERROR(OpenGroup(std::move(group)));
    return absl::OkStatus();
  }

  // A broker could put two subjects into one match. Only groups that share a signal, in whatever versions,
  // are one subject; the part with most signals is kept.
  void KeepOneSubject() {
    std::vector<size_t> parent(groups_.size());
    std::iota(parent.begin(), parent.end(), size_t{0});
    const auto part_of = [&parent](size_t group) {
      while (parent[group] != group) group = parent[group];
      return group;
    };
    std::map<std::pair<SignalKey, v1::SubjectKind>, size_t> group_of;
    for (size_t i = 0; i < groups_.size(); ++i) {
      for (const Member& member : groups_[i].members) {
        const auto seen = group_of.emplace(std::pair(KeyOf(member), groups_[i].rule->subject()), i).first;
        // In braces: without, minmax returns references to what is gone.
        const auto [low, high] = std::minmax({part_of(seen->second), part_of(i)});
        parent[high] = low;
      }
    }
    std::map<size_t, std::set<SignalKey>> signals_of;
    for (size_t i = 0; i < groups_.size(); ++i) {
      for (const Member& member : groups_[i].members) signals_of[part_of(i)].insert(KeyOf(member));
    }
    const auto largest = std::max_element(
        signals_of.begin(), signals_of.end(),
        [](const auto& left, const auto& right) { return left.second.size() < right.second.size(); });
    std::vector<Group> kept;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (part_of(i) == largest->first) kept.push_back(std::move(groups_[i]));
    }
    groups_ = std::move(kept);
  }

  absl::StatusOr<Opener::Opened> Take() {
    if (groups_.empty()) return lacking_.empty() ? NothingToOpen() : why_lacking_;
    KeepOneSubject();
    std::map<size_t, std::set<std::string>> rules_of;
    for (const Group& group : groups_) {
      for (const Member& member : group.members) rules_of[member.envelope].insert(group.rule->id());
    }
    // By signal: the newest version that opened, and the rules by which any did.
    std::map<SignalKey, std::pair<size_t, std::set<std::string>>> shown;
    for (const auto& [i, rules] : rules_of) {
      auto& [newest, all_rules] =
          shown.emplace(KeyOf(envelopes_[i].header), std::pair(i, rules)).first->second;
      if (envelopes_[newest].header.epoch() < envelopes_[i].header.epoch()) newest = i;
      all_rules.insert(rules.begin(), rules.end());
    }
    for (const SignalKey& signal : lacking_) {
      if (!shown.contains(signal)) return why_lacking_;
    }
    Opener::Opened opened;
    for (const auto& [signal, version] : shown) {
      const auto& [i, rules] = version;
      opened.signals.push_back(MakeSignal(envelopes_[i].header, contents_.at(i), rules));
    }
    std::set<SignalKey> missed;
    for (size_t i = 0; i < envelopes_.size(); ++i) {
      const SignalKey signal = KeyOf(envelopes_[i].header);
      if (shown.contains(signal) || blamed_.contains(i) || !missed.insert(signal).second) continue;
      faults_.push_back(MakeFault(envelopes_[i].header, reason::kThresholdNotMet));
    }
    std::sort(opened.signals.begin(), opened.signals.end(),
              [](const v1::OpenedSignal& a, const v1::OpenedSignal& b) {
                return std::tie(a.partner(), a.client_ref(), a.signal_id()) <
                       std::tie(b.partner(), b.client_ref(), b.signal_id());
              });
    opened.evidence = Evidence(rules_of);
    opened.faults = std::move(faults_);
    return opened;
  }

 private:
  // What CheckEnvelope does not know: the roster, the order's purpose, the other envelopes.
  absl::Status CheckPlace(const v1::SignalHeader& header) {
    RAAKVLAK_RETURN_IF_ERROR(policy::Authority::CheckPartner(snapshot_, header.partner()));
    if (header.purpose() != purpose_.id()) {
      return base::Error(absl::StatusCode::kInvalidArgument, reason::kEnvelopeInvalid, "another purpose");
    }
    if (!seen_.emplace(KeyOf(header), header.epoch()).second) {
      return base::Error(absl::StatusCode::kInvalidArgument, reason::kReplayed,
                         "the signal stands twice under one epoch");
    }
    return absl::OkStatus();
  }

  // Keeps the group with those members that open, when they alone may be opened. A member that does not open
  // counts as absent: it can neither complete a threshold nor join two groups.
  absl::Status OpenGroup(Group group) {
    std::vector<disclosure::IndexedShare> shares;
    for (const Member& member : group.members) {
      shares.push_back({envelopes_[member.envelope].header.index(),
                        envelopes_[member.envelope].body.tokens(member.token).share()});
    }
    std::vector<size_t> faulty;
    const absl::StatusOr<disclosure::Recovered> recovered =
        disclosure::Recover(shares, group.commitments, group.terms->disclosure_threshold(), &faulty);
    if (!recovered.ok() && base::ReasonOf(recovered.status()) != reason::kThresholdNotMet) {
      // The commitments are wrong, and every member signed them.
      for (const Member& member : group.members) Blame(member);
      return absl::OkStatus();
    }
    for (auto position = faulty.rbegin(); position != faulty.rend(); ++position) {
      const auto member = group.members.begin() + static_cast<std::ptrdiff_t>(*position);
      Blame(*member);
      group.members.erase(member);
    }
    if (!recovered.ok() || !MayBeOpened(group)) return absl::OkStatus();
    const auto keyset = keys_.keysets.Newest(
        purpose_.id(), static_cast<uint8_t>(group.rule->identifier_class()), group.epoch);
    if (keyset == nullptr) {
      for (const Member& member : group.members) {
        Lacks(KeyOf(member),
              absl::StrCat("keyset of class ", v1::IdentifierClass_Name(group.rule->identifier_class())),
              group.epoch);
      }
      return absl::OkStatus();
    }
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string context, ExtendedContext(group, *keyset));
    const base::SecretBytes wrap_key = disclosure::WrapKey(recovered->secret, context, group.tag);
    std::vector<Member> opened;
    for (const Member& member : group.members) {
      if (OpenMember(member, wrap_key, context).ok()) {
        opened.push_back(member);
      } else {
        Blame(member);
      }
    }
    group.members = std::move(opened);
    if (MayBeOpened(group)) groups_.push_back(std::move(group));
    return absl::OkStatus();
  }

  static SignalKey KeyOf(const v1::SignalHeader& header) { return {header.partner(), header.signal_id()}; }
  SignalKey KeyOf(const Member& member) const { return KeyOf(envelopes_[member.envelope].header); }

  void Lacks(const SignalKey& signal, absl::string_view what, uint32_t epoch) {
    lacking_.insert(signal);
    why_lacking_ = base::Error(
        absl::StatusCode::kFailedPrecondition, reason::kKeysetUnknown,
        absl::StrCat("this hub lacks the ", what, " of purpose ", purpose_.id(), ", epoch ", epoch));
  }

  void Blame(const Member& member) {
    if (!blamed_.insert(member.envelope).second) return;
    faults_.push_back(MakeFault(envelopes_[member.envelope].header, reason::kVerificationFailed));
  }

  // Organisations count, not signals. CheckEnvelope refused a case report of a partner that may not report
  // cases.
  bool MayBeOpened(const Group& group) const {
    std::set<uint32_t> organisations;
    bool case_report = false;
    for (const Member& member : group.members) {
      const v1::SignalHeader& header = envelopes_[member.envelope].header;
      organisations.insert(header.index());
      case_report = case_report || header.kind() == v1::CASE_REPORT;
    }
    return organisations.size() >= group.terms->disclosure_threshold() &&
           (purpose_.mode() == v1::LIST || case_report);
  }

  // Of a keyset only the public key is used, which is the same in every generation of an epoch (KeyStore).
  absl::StatusOr<std::string> ExtendedContext(const Group& group, const policy::Keyset& keyset) const {
    const disclosure::Context context = {snapshot_.covenant->region(),
                                         purpose_.id(),
                                         keyset.text().identifier_class,
                                         group.epoch,
                                         group.rule->id(),
                                         static_cast<uint16_t>(group.rule->version())};
    return disclosure::EncodeExtendedContext(context, group.terms->disclosure_threshold(),
                                             keyset.public_key());
  }

  // Every wrapped key of an envelope is checked; its payload is opened once.
  absl::Status OpenMember(const Member& member, const base::SecretBytes& wrap_key,
                          absl::string_view context) {
    const policy::CheckedEnvelope& envelope = envelopes_[member.envelope];
    const v1::Token& token = envelope.body.tokens(member.token);
    const std::string additional =
        absl::StrCat(envelope.body.header(), context, token.tag(), token.share(), token.commitments());
    RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content_key,
                              seal::UnwrapContentKey(wrap_key, token.wrapped_key(), additional));
    if (!base::ConstantTimeEquals(seal::ContentKeyCommitment(content_key),
                                  envelope.header.content_key_commitment())) {
      return base::Error(absl::StatusCode::kFailedPrecondition, reason::kVerificationFailed,
                         "another content key");
    }
    if (contents_.contains(member.envelope)) return absl::OkStatus();
    RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content,
                              seal::OpenContent(envelope.body.header(), envelope.body.payload(), content_key,
                                                *keys_.seal_keys.at(envelope.header.seal_key_id())));
    v1::SignalContent parsed;
    RAAKVLAK_RETURN_IF_ERROR(
        policy::ParseStrictly(content.Reveal(base::RevealSecret{}), seal::kMaxContentSize, parsed));
    contents_.emplace(member.envelope, std::move(parsed));
    return absl::OkStatus();
  }

  // Names whose fault it is: the answer that would is not given.
  absl::Status NothingToOpen() const {
    std::set<std::string> causes;
    for (const v1::Fault& fault : faults_) {
      causes.insert(
          absl::StrCat(fault.partner().empty() ? "an unknown sender" : fault.partner(), " ", fault.reason()));
    }
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kThresholdNotMet,
                       absl::StrCat("no ", purpose_.disclosure_threshold(),
                                    " organisations agree on one subject in a way that may be opened",
                                    causes.empty() ? "" : "; faults: ", absl::StrJoin(causes, ", ")));
  }

  // Of the signals in `rules_of`, by envelope, which names the rules that opened it. A rule of the other kind
  // of subject says nothing here, and one by which a blamed signal did not open nothing for it.
  std::vector<v1::RuleEvidence> Evidence(const std::map<size_t, std::set<std::string>>& rules_of) const {
    const v1::SubjectKind subject = groups_.front().rule->subject();
    std::vector<std::string> partners;
    std::vector<policy::EvidenceToken> tokens;
    for (const auto& [i, opened_by] : rules_of) {
      const policy::CheckedEnvelope& envelope = envelopes_[i];
      partners.push_back(envelope.header.partner());
      for (int j = 0; j < envelope.body.tokens_size(); ++j) {
        const v1::LinkageRule& rule = *envelope.rules[static_cast<size_t>(j)];
        const v1::Token& token = envelope.body.tokens(j);
        const bool of_subject = rule.subject() == subject || rule.quality() == v1::SUPPORTING;
        if (!of_subject || (blamed_.contains(i) && !opened_by.contains(rule.id()))) continue;
        tokens.push_back({envelope.header.partner(), envelope.header.index(), rule.id(), rule.quality(),
                          token.tag(), token.commitments(), envelope.header.epoch()});
      }
    }
    return policy::EvidenceOf(partners, tokens);
  }

  static v1::OpenedSignal MakeSignal(const v1::SignalHeader& header, const v1::SignalContent& content,
                                     const std::set<std::string>& rules) {
    v1::OpenedSignal signal;
    signal.set_partner(header.partner());
    signal.set_signal_id(header.signal_id());
    signal.set_kind(header.kind());
    signal.set_client_ref(content.client_ref());
    signal.set_category(content.category());
    signal.set_contact(content.contact());
    signal.set_note(content.note());
    signal.set_submitted_day(header.submitted_day());
    signal.mutable_rules()->Assign(rules.begin(), rules.end());
    return signal;
  }

  const OpenerKeys& keys_;
  const policy::Snapshot& snapshot_;
  // As the covenant in force has it.
  const v1::Purpose& purpose_;
  const absl::Time now_;
  std::set<std::pair<SignalKey, uint32_t>> seen_;
  // Signals of which a version was not tried for want of a key.
  std::set<SignalKey> lacking_;
  absl::Status why_lacking_;
  std::vector<policy::CheckedEnvelope> envelopes_;
  std::vector<Group> groups_;
  std::map<size_t, v1::SignalContent> contents_;
  std::set<size_t> blamed_;
  std::vector<v1::Fault> faults_;
};

}  // namespace

absl::StatusOr<Opener::Opened> Opener::Open(const OpeningProof& proof,
                                            absl::Span<const v1::Envelope> envelopes,
                                            const policy::Snapshot& snapshot, absl::Time now) const {
  const policy::VerifiedOrder& order = proof.order();
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
  const std::shared_ptr<const OpenerKeys> keys = keys_();
  Opening opening(*keys, snapshot, *purpose, now);
  opening.CheckEnvelopes(envelopes);
  RAAKVLAK_RETURN_IF_ERROR(opening.OpenGroups());
  return opening.Take();
}

}  // namespace raakvlak::hub

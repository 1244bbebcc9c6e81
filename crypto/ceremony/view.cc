#include "crypto/ceremony/view.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/possession.h"
#include "crypto/ceremony/share_box.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto::ceremony {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;

constexpr size_t kDigestSize = 32;
constexpr size_t kRevealPrefix = kNonceSize + kPossessionSize;

size_t Number(Step step) { return static_cast<size_t>(step); }

absl::Status NotShown() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                     "the evidence does not show what it is said to");
}

// sum index^m * points[m].
PublicPoint Evaluate(absl::Span<const PublicPoint> points, uint32_t index) {
  PublicPoint sum;
  for (size_t m = points.size(); m-- > 0;) sum = sum.MulSmall(index) + points[m];
  return sum;
}

}  // namespace

View::View(Parameters parameters) : parameters_(std::move(parameters)), chains_({parameters_.id()}) {}

absl::StatusOr<View::Added> View::Add(const SignedMessage& message) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Content content, Open(parameters_, message));
  return Add(message, content);
}

absl::StatusOr<View::Added> View::Add(const SignedMessage& message, const Content& content) {
  if (content.step == Step::kAbort) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "an abort is no part of the log");
  }
  if (!Sends(*parameters_.Find(content.sender), content.step)) {
    return Added{false, Finding{content.sender, content.step, Check::kForm}};
  }
  if (const SignedMessage* known = Find(content.step, content.sender); known != nullptr) {
    if (known->body == message.body) return Added{};
    return Added{false, Finding{content.sender, content.step, Check::kEquivocation}};
  }
  if (content.step > step_) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                       "a message of a later step of the ceremony");
  }
  if (content.chain != chains_.back()) {
    return Added{false, Finding{content.sender, content.step, Check::kView}};
  }
  if (const auto finding = CheckContent(content); finding.has_value()) return Added{false, finding};
  messages_[Number(step_) - 1][content.sender] = message;
  return Added{true, Advance()};
}

std::optional<Finding> View::CheckContent(const Content& content) {
  const Member& member = *parameters_.Find(content.sender);
  const auto fails = [&](Check check) { return Finding{content.sender, content.step, check}; };
  const size_t size = content.bytes.size();
  switch (content.step) {
    case Step::kJoin:
      if (const auto check = CheckJoin(member, content.bytes); check.has_value()) return fails(*check);
      return std::nullopt;
    case Step::kCommit:
      if (size != kDigestSize) return fails(Check::kForm);
      return std::nullopt;
    case Step::kReveal:
      return CheckReveal(content);
    case Step::kShares:
      if (size != kBoxKeySize + kEncryptedShareSize * parameters_.receivers().size()) {
        return fails(Check::kForm);
      }
      return std::nullopt;
    case Step::kCertificate:
      if (size != 0) return fails(Check::kForm);
      return std::nullopt;
    case Step::kAbort:
      break;
  }
  return fails(Check::kForm);
}

std::optional<Check> View::CheckJoin(const Member& member, absl::string_view content) const {
  const size_t num_keys = member.receives() ? parameters_.contributors().size() : 0;
  if (content.size() != kNonceSize + num_keys * kBoxKeySize) return Check::kForm;
  for (size_t i = 0; i < num_keys; ++i) {
    if (!IsBoxKey(content.substr(kNonceSize + i * kBoxKeySize, kBoxKeySize))) return Check::kReceivingKey;
  }
  return std::nullopt;
}

std::optional<Finding> View::CheckReveal(const Content& content) {
  const auto fails = [&](Check check) { return Finding{content.sender, Step::kReveal, check}; };
  const absl::string_view bytes = content.bytes;
  const std::string& session_id = Chain(Step::kCommit);
  if (CommitDigest(session_id, content.sender, bytes) != ContentOf(Step::kCommit, content.sender)) {
    return fails(Check::kReveal);
  }
  // "commitment vector length == t exactly": a longer one would raise the quorum unseen.
  if (bytes.size() != kRevealPrefix + group::kElementSize * parameters_.num_commitments()) {
    return fails(Check::kCommitments);
  }
  const absl::string_view packed = bytes.substr(kRevealPrefix);
  std::vector<PublicPoint> points;
  // The constant of a refresh is zero because nobody can say otherwise.
  if (parameters_.kind() == Kind::kRefresh) points.emplace_back();
  for (size_t m = 0; m < parameters_.num_commitments(); ++m) {
    const auto point = PublicPoint::Decode(packed.substr(group::kElementSize * m, group::kElementSize));
    if (!point.ok()) return fails(Check::kCommitments);
    points.push_back(*point);
  }
  if (!VerifyPossession(bytes.substr(kNonceSize, kPossessionSize), session_id, content.sender, packed).ok()) {
    return fails(Check::kPossession);
  }
  if (parameters_.kind() == Kind::kReshare) {
    const auto old_share = threshold::PublicShare(parameters_.text().old_commitments, content.sender);
    if (!old_share.ok() || old_share->bytes() != packed.substr(0, group::kElementSize)) {
      return fails(Check::kOldKey);
    }
  }
  for (const auto& [other, theirs] : messages_[Number(Step::kReveal) - 1]) {
    if (ContentOf(Step::kReveal, other).substr(kRevealPrefix, group::kElementSize) ==
        packed.substr(0, group::kElementSize)) {
      return Finding{std::max(other, content.sender), Step::kReveal, Check::kCopied};
    }
  }
  revealed_[content.sender] = std::move(points);
  return std::nullopt;
}

bool View::CombineCommitments() {
  const auto& contributors = parameters_.contributors();
  std::vector<Scalar> factors(contributors.size(), Scalar::FromUint64(1));
  if (parameters_.kind() == Kind::kReshare) {
    auto lagrange = threshold::Lagrange(contributors);
    RAAKVLAK_CHECK(lagrange.ok(), "the indices were checked");
    factors = *std::move(lagrange);
  }
  std::vector<PublicPoint> sums(parameters_.quorum());
  for (size_t i = 0; i < contributors.size(); ++i) {
    const auto& points = revealed_.at(contributors[i]);
    for (size_t m = 0; m < sums.size(); ++m) {
      sums[m] = sums[m] + (parameters_.kind() == Kind::kReshare ? points[m].Mul(factors[i]) : points[m]);
    }
  }
  const auto& old_commitments = parameters_.text().old_commitments;
  if (parameters_.kind() == Kind::kRefresh) {
    for (size_t m = 0; m < sums.size(); ++m) {
      sums[m] = sums[m] + PublicPoint::FromElement(old_commitments[m]);
    }
  }
  for (const PublicPoint& sum : sums) {
    const auto element = sum.ToElement();
    if (!element.ok()) return false;
    commitments_.push_back(*element);
  }
  for (const uint32_t receiver : parameters_.receivers()) {
    if (!threshold::PublicShare(commitments_, receiver).ok()) return false;
  }
  RAAKVLAK_CHECK(old_commitments.empty() || commitments_.front() == old_commitments.front(),
                 "shares of nothing, and Lagrange's sum of the old shares, leave the public key as it was");
  return true;
}

std::optional<Finding> View::Advance() {
  while (!complete_ && Missing().empty()) {
    if (step_ == Step::kReveal && !CombineCommitments()) return Finding{0, Step::kReveal, Check::kGroupKey};
    if (step_ == Step::kCertificate) {
      complete_ = true;
      break;
    }
    chains_.push_back(ChainAfter(step_, chains_.back(), messages_[Number(step_) - 1]));
    step_ = static_cast<Step>(Number(step_) + 1);
  }
  return std::nullopt;
}

std::vector<uint32_t> View::Missing() const {
  std::vector<uint32_t> out;
  for (const Member& member : parameters_.members()) {
    if (Sends(member, step_) && Find(step_, member.index) == nullptr) out.push_back(member.index);
  }
  return out;
}

const SignedMessage* View::Find(Step step, uint32_t sender) const {
  const auto& sent = messages_.at(Number(step) - 1);
  const auto found = sent.find(sender);
  return found == sent.end() ? nullptr : &found->second;
}

absl::string_view View::ContentOf(Step step, uint32_t sender) const {
  const SignedMessage* message = Find(step, sender);
  RAAKVLAK_CHECK(message != nullptr, "who asks for content knows that it came");
  return absl::string_view(message->body).substr(kHeaderSize);
}

const std::string& View::Chain(Step step) const { return chains_.at(Number(step) - 1); }

std::vector<SignedMessage> View::Log() const {
  std::vector<SignedMessage> out;
  for (const auto& sent : messages_) {
    for (const auto& [sender, message] : sent) out.push_back(message);
  }
  return out;
}

View::OpenedShare View::OpenShare(uint32_t contributor, uint32_t receiver,
                                  const base::SecretBytes& receiving_secret) const {
  const absl::string_view content = ContentOf(Step::kShares, contributor);
  const auto& receivers = parameters_.receivers();
  const auto place = std::find(receivers.begin(), receivers.end(), receiver) - receivers.begin();
  RAAKVLAK_CHECK(static_cast<size_t>(place) < receivers.size(), "only receivers open shares");
  const auto share = DecryptShare(
      receiving_secret, content.substr(0, kBoxKeySize),
      content.substr(kBoxKeySize + kEncryptedShareSize * static_cast<size_t>(place), kEncryptedShareSize),
      ShareContext(Chain(Step::kShares), contributor, receiver));
  if (!share.ok()) return {Check::kEncryption, Scalar()};
  // "s_ij*G == sum i^m C_j[m]".
  const auto expected = Evaluate(revealed_.at(contributor), receiver).ToElement();
  if (!expected.ok() || !base::ConstantTimeEquals(Element::MulBase(*share).bytes(), expected->bytes())) {
    return {Check::kShare, Scalar()};
  }
  return {std::nullopt, *share};
}

namespace {

bool ShowsEquivocation(const Parameters& parameters, const Accusation& accusation) {
  const auto& messages = accusation.evidence.messages;
  if (messages.size() != 2 || messages[0].body == messages[1].body) return false;
  for (const SignedMessage& message : messages) {
    const auto content = Open(parameters, message);
    if (!content.ok() || content->step == Step::kAbort || content->step != accusation.finding.step ||
        content->sender != accusation.finding.culprit) {
      return false;
    }
  }
  return true;
}

bool ShowsFalseAccusation(const Parameters& parameters, const Accusation& accusation) {
  const auto& messages = accusation.evidence.messages;
  if (messages.size() != 1) return false;
  const auto content = Open(parameters, messages[0]);
  return content.ok() && content->step == Step::kAbort && Judge(parameters, *content) == accusation.finding;
}

bool ShowsBadShare(const View& view, const Accusation& accusation) {
  if (!accusation.evidence.disclosure.has_value()) return false;
  const auto& [receiver, contributor, secret] = *accusation.evidence.disclosure;
  const auto& contributors = view.parameters().contributors();
  const auto& receivers = view.parameters().receivers();
  const auto place = std::find(contributors.begin(), contributors.end(), contributor);
  if (place == contributors.end() ||
      std::find(receivers.begin(), receivers.end(), receiver) == receivers.end() ||
      view.Find(Step::kShares, contributor) == nullptr) {
    return false;
  }
  // The key disclosed is the one that was made for this contributor, so what it opens is what was sent.
  const base::SecretBytes receiving_secret{absl::string_view(secret)};
  const absl::string_view public_key =
      view.ContentOf(Step::kJoin, receiver)
          .substr(kNonceSize + kBoxKeySize * static_cast<size_t>(place - contributors.begin()), kBoxKeySize);
  if (absl::string_view(BoxPublicKey(receiving_secret)) != public_key) return false;
  const auto opened = view.OpenShare(contributor, receiver, receiving_secret);
  return opened.failed.has_value() &&
         accusation.finding == Finding{contributor, Step::kShares, *opened.failed};
}

}  // namespace

absl::Status VerifyEvidence(const Parameters& parameters, const Accusation& accusation) {
  const auto& [finding, evidence] = accusation;
  if (!IsProvable(finding.check)) return NotShown();
  if (finding.step == Step::kAbort) {
    return ShowsFalseAccusation(parameters, accusation) ? absl::OkStatus() : NotShown();
  }
  if (finding.check == Check::kEquivocation) {
    return ShowsEquivocation(parameters, accusation) ? absl::OkStatus() : NotShown();
  }
  View view(parameters);
  for (const SignedMessage& message : evidence.messages) {
    const auto added = view.Add(message);
    if (!added.ok()) return NotShown();
    // The first thing that is wrong is what it is about.
    if (added->finding.has_value()) return *added->finding == finding ? absl::OkStatus() : NotShown();
  }
  return ShowsBadShare(view, accusation) ? absl::OkStatus() : NotShown();
}

Finding Judge(const Parameters& parameters, const Content& content) {
  const auto accusation = ParseAccusation(content.bytes);
  if (!accusation.ok() ||
      (accusation->finding.culprit != 0 && parameters.Find(accusation->finding.culprit) == nullptr)) {
    return {content.sender, Step::kAbort, Check::kForm};
  }
  // Aborts do not accuse of aborts: everyone judges those by itself.
  const bool is_about_abort = accusation->finding.step == Step::kAbort;
  if (!is_about_abort &&
      (!IsProvable(accusation->finding.check) || VerifyEvidence(parameters, *accusation).ok())) {
    return accusation->finding;
  }
  return {content.sender, Step::kAbort, Check::kFalseAccusation};
}

}  // namespace raakvlak::crypto::ceremony

#include "crypto/ceremony/participant.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/ceremony/derived_random.h"
#include "crypto/ceremony/polynomial.h"
#include "crypto/ceremony/possession.h"
#include "crypto/ceremony/reader.h"
#include "crypto/ceremony/share_box.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto::ceremony {
namespace {

using base::SecretBytes;
using group::Element;
using group::Scalar;

// DO NOT CHANGE.
constexpr char kStateLabel[] = "raakvlak/v1/ceremony/state";

constexpr size_t kSeedSize = 32;

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                     absl::StrCat("ceremony: ", message));
}

}  // namespace

Participant::Participant(Parameters parameters, const Member& self, const note::PrivateKey& key,
                         std::optional<Scalar> old_share, SecretBytes seed)
    : view_(std::move(parameters)), self_(self), key_(&key), old_share_(old_share), seed_(std::move(seed)) {}

absl::StatusOr<Participant> Participant::Create(Parameters parameters, uint32_t index,
                                                const note::PrivateKey& key, std::optional<Scalar> old_share,
                                                base::Random& random) {
  return CreateFromSeed(std::move(parameters), index, key, old_share,
                        SecretBytes::Generate(random, kSeedSize));
}

absl::StatusOr<Participant> Participant::CreateFromSeed(Parameters parameters, uint32_t index,
                                                        const note::PrivateKey& key,
                                                        std::optional<Scalar> old_share, SecretBytes seed) {
  const Member* found = parameters.Find(index);
  if (found == nullptr) return InvalidArgument("no member has this index");
  const Member self = *found;
  if (!(self.signing_key == key.public_key())) return InvalidArgument("the signing key is another member's");
  const bool needs_share = parameters.kind() != Kind::kGenerate && self.contributes();
  if (needs_share != old_share.has_value()) return InvalidArgument("an old share is missing, or of no use");
  if (needs_share) {
    RAAKVLAK_RETURN_IF_ERROR(threshold::CheckShare(parameters.text().old_commitments, index, *old_share));
  }
  Participant out(std::move(parameters), self, key, old_share, std::move(seed));
  out.Advance();
  return out;
}

std::vector<SignedMessage> Participant::Advance() {
  std::vector<SignedMessage> out;
  while (!blame_.has_value() && !view_.complete()) {
    const Step step = view_.step();
    if (!Sends(self_, step) || view_.Find(step, self_.index) != nullptr) break;
    const Content content{step, view_.Chain(step), self_.index, MakeContent(step)};
    const SignedMessage message = SignContent(parameters(), content, *key_);
    sent_.push_back(message);
    out.push_back(message);
    const auto added = view_.Add(message, content);
    RAAKVLAK_CHECK(added.ok(), "a member sends when it is its turn");
    std::vector<SignedMessage> more;
    if (added->finding.has_value()) {
      more = Accuse(*added->finding, LogAnd(message));
    } else if (step == Step::kShares && self_.receives()) {
      more = TakeShare(self_.index);
    }
    out.insert(out.end(), more.begin(), more.end());
  }
  if (!blame_.has_value() && view_.complete() && !outcome_.has_value()) {
    Outcome outcome;
    if (self_.receives()) outcome.share = CombineShares();
    outcome.commitments = view_.commitments();
    outcome.transcript_hash = view_.Chain(Step::kCertificate);
    for (const uint32_t receiver : parameters().receivers()) {
      outcome.certificate.push_back(*view_.Find(Step::kCertificate, receiver));
    }
    outcome_ = std::move(outcome);
  }
  return out;
}

std::string Participant::MakeContent(Step step) const {
  switch (step) {
    case Step::kJoin:
      return MakeJoin();
    case Step::kCommit:
      return CommitDigest(view_.Chain(Step::kCommit), self_.index, MakeReveal());
    case Step::kReveal:
      return MakeReveal();
    case Step::kShares:
      return MakeShares();
    case Step::kCertificate:
      // Nobody certifies what it could not use itself.
      (void)CombineShares();
      return "";
    case Step::kAbort:
      break;
  }
  RAAKVLAK_CHECK(false, "an abort is made by Accuse");
}

std::string Participant::MakeJoin() const {
  std::string out = DerivedRandom(seed_, "nonce", parameters().id()).Bytes(kNonceSize);
  if (!self_.receives()) return out;
  for (size_t i = 0; i < parameters().contributors().size(); ++i) out += BoxPublicKey(ReceivingSecret(i));
  return out;
}

SecretBytes Participant::ReceivingSecret(size_t contributor_place) const {
  DerivedRandom random(seed_, absl::StrCat("receiving key ", parameters().contributors()[contributor_place]),
                       parameters().id());
  return SecretBytes::Generate(random, kBoxKeySize);
}

std::vector<Scalar> Participant::Polynomial() const {
  DerivedRandom random(seed_, "polynomial", view_.Chain(Step::kCommit));
  std::vector<Scalar> out(parameters().quorum());
  for (Scalar& coefficient : out) coefficient = Scalar::Random(random);
  if (parameters().kind() == Kind::kRefresh) out[0] = Scalar();
  if (parameters().kind() == Kind::kReshare) out[0] = *old_share_;
  return out;
}

std::string Participant::MakeReveal() const {
  const std::string& session_id = view_.Chain(Step::kCommit);
  const std::vector<Scalar> polynomial = Polynomial();
  const size_t first = polynomial.size() - parameters().num_commitments();
  std::string commitments;
  for (size_t m = first; m < polynomial.size(); ++m) {
    absl::StrAppend(&commitments, Element::MulBase(polynomial[m]).bytes());
  }
  DerivedRandom random(seed_, "reveal", session_id);
  const std::string opening = random.Bytes(kNonceSize);
  const std::string proof = ProvePossession(polynomial[first], session_id, self_.index, commitments, random);
  return absl::StrCat(opening, proof, commitments);
}

std::string Participant::MakeShares() const {
  const std::string& chain = view_.Chain(Step::kShares);
  const std::vector<Scalar> polynomial = Polynomial();
  const auto& contributors = parameters().contributors();
  const size_t place = static_cast<size_t>(std::find(contributors.begin(), contributors.end(), self_.index) -
                                           contributors.begin());
  DerivedRandom random(seed_, "shares", chain);
  const SecretBytes ephemeral = SecretBytes::Generate(random, kBoxKeySize);
  std::string out = BoxPublicKey(ephemeral);
  for (const uint32_t receiver : parameters().receivers()) {
    const absl::string_view receiving_key =
        view_.ContentOf(Step::kJoin, receiver).substr(kNonceSize + kBoxKeySize * place, kBoxKeySize);
    out += EncryptShare(ephemeral, receiving_key, EvaluateAt(polynomial, receiver),
                        ShareContext(chain, self_.index, receiver), random);
  }
  return out;
}

Scalar Participant::CombineShares() const {
  const auto& contributors = parameters().contributors();
  Scalar sum;
  if (parameters().kind() == Kind::kReshare) {
    const auto lagrange = threshold::Lagrange(contributors);
    RAAKVLAK_CHECK(lagrange.ok(), "the indices were checked");
    for (size_t i = 0; i < contributors.size(); ++i) sum = sum + (*lagrange)[i] * shares_.at(contributors[i]);
  } else {
    for (const uint32_t contributor : contributors) sum = sum + shares_.at(contributor);
    if (parameters().kind() == Kind::kRefresh) sum = sum + *old_share_;
  }
  RAAKVLAK_CHECK(threshold::CheckShare(view_.commitments(), self_.index, sum).ok(),
                 "parts that fit their commitments add up to what fits the sum of the commitments");
  return sum;
}

absl::StatusOr<std::vector<SignedMessage>> Participant::Receive(const SignedMessage& message) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Content content, Open(parameters(), message));
  if (outcome_.has_value()) return std::vector<SignedMessage>();
  if (content.step == Step::kAbort) return HandleAbort(message, content);
  if (blame_.has_value()) return std::vector<SignedMessage>();
  RAAKVLAK_ASSIGN_OR_RETURN(const View::Added added, view_.Add(message, content));
  if (!added.is_new && !added.finding.has_value()) return std::vector<SignedMessage>();
  received_.push_back(message);
  if (added.finding.has_value()) {
    Evidence evidence = added.finding->check == Check::kEquivocation
                            ? Evidence{{*view_.Find(content.step, content.sender), message}, std::nullopt}
                            : LogAnd(message);
    return Accuse(*added.finding, std::move(evidence));
  }
  std::vector<SignedMessage> out;
  if (content.step == Step::kShares && self_.receives()) out = TakeShare(content.sender);
  const std::vector<SignedMessage> more = Advance();
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::vector<SignedMessage> Participant::TakeShare(uint32_t contributor) {
  const auto& contributors = parameters().contributors();
  const size_t place = static_cast<size_t>(std::find(contributors.begin(), contributors.end(), contributor) -
                                           contributors.begin());
  const SecretBytes secret = ReceivingSecret(place);
  const View::OpenedShare opened = view_.OpenShare(contributor, self_.index, secret);
  if (!opened.failed.has_value()) {
    shares_[contributor] = opened.share;
    return {};
  }
  Disclosure disclosure{self_.index, contributor, std::string(secret.Reveal(base::RevealSecret{}))};
  return Accuse({contributor, Step::kShares, *opened.failed}, {view_.Log(), std::move(disclosure)});
}

std::vector<SignedMessage> Participant::HandleAbort(const SignedMessage& message, const Content& content) {
  if (content.sender == self_.index || (blame_.has_value() && IsProvable(blame_->finding.check))) return {};
  const Finding finding = Judge(parameters(), content);
  if (finding.step == Step::kAbort) {
    // Everyone can see that from the abort itself; nothing is gained by passing it on.
    received_.push_back(message);
    blame_ = Blame{finding, self_.index, {{message}, std::nullopt}};
    return {};
  }
  auto accusation = ParseAccusation(content.bytes);
  RAAKVLAK_CHECK(accusation.ok(), "Judge has read it");
  if (IsProvable(finding.check)) {
    received_.push_back(message);
    blame_ = Blame{finding, content.sender, std::move(accusation->evidence)};
    return {};
  }
  for (const SignedMessage& theirs : accusation->evidence.messages) {
    const auto opened = Open(parameters(), theirs);
    if (!opened.ok() || opened->step == Step::kAbort) continue;
    const SignedMessage* ours = view_.Find(opened->step, opened->sender);
    if (ours != nullptr && ours->body != theirs.body) {
      received_.push_back(message);
      return Accuse({opened->sender, opened->step, Check::kEquivocation}, {{*ours, theirs}, std::nullopt});
    }
  }
  if (!blame_.has_value()) {
    received_.push_back(message);
    blame_ = Blame{finding, content.sender, std::move(accusation->evidence)};
  }
  return {};
}

std::vector<SignedMessage> Participant::GiveUp() {
  if (blame_.has_value() || outcome_.has_value()) return {};
  gave_up_ = true;
  return Accuse({Missing().front(), step(), Check::kMissing}, {});
}

std::vector<SignedMessage> Participant::Accuse(const Finding& finding, Evidence evidence) {
  const Content content{Step::kAbort, parameters().id(), self_.index, FormatAccusation({finding, evidence})};
  blame_ = Blame{finding, self_.index, std::move(evidence)};
  sent_.push_back(SignContent(parameters(), content, *key_));
  return {sent_.back()};
}

Evidence Participant::LogAnd(const SignedMessage& message) const {
  Evidence out{view_.Log(), std::nullopt};
  if (std::find(out.messages.begin(), out.messages.end(), message) == out.messages.end()) {
    out.messages.push_back(message);
  }
  return out;
}

SecretBytes Participant::Export() const {
  const std::string head = absl::StrCat(base::LengthPrefixed(kStateLabel), base::BigEndian(self_.index, 1),
                                        base::BigEndian(gave_up_ ? 1 : 0, 1));
  std::string tail =
      absl::StrCat(base::LengthPrefixed(parameters().bytes()), base::BigEndian(received_.size(), 2));
  for (const SignedMessage& message : received_) AppendMessage(message, tail);
  // Put together at once: a string that grows leaves what it held behind.
  return SecretBytes::Take(absl::StrCat(head, seed_.Reveal(base::RevealSecret{}), tail));
}

absl::StatusOr<Participant> Participant::Import(const SecretBytes& state, const note::PrivateKey& key,
                                                std::optional<Scalar> old_share) {
  Reader reader(state.Reveal(base::RevealSecret{}));
  const std::string label = reader.Bytes(base::LengthPrefixed(kStateLabel).size());
  const auto index = static_cast<uint32_t>(reader.Number(1));
  const uint64_t gave_up = reader.Number(1);
  SecretBytes seed = SecretBytes::Take(reader.Bytes(kSeedSize));
  const std::string text = reader.Bytes(reader.Number(2));
  std::vector<SignedMessage> received;
  for (uint64_t left = reader.Number(2); left > 0 && reader.ok(); --left)
    received.push_back(reader.Message());
  if (!reader.AtEnd() || label != base::LengthPrefixed(kStateLabel) || gave_up > 1) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       "not the state of a ceremony");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(Parameters parameters, Parameters::Parse(text));
  RAAKVLAK_ASSIGN_OR_RETURN(Participant out,
                            CreateFromSeed(std::move(parameters), index, key, old_share, std::move(seed)));
  for (const SignedMessage& message : received) RAAKVLAK_RETURN_IF_ERROR(out.Receive(message).status());
  if (gave_up == 1) (void)out.GiveUp();
  return out;
}

}  // namespace raakvlak::crypto::ceremony

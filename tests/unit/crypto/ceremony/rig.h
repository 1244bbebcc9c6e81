// Members of a ceremony at one table: honest ones (Participant), liars that follow a script, and a relay
// between them that may do as it likes.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/ceremony/participant.h"
#include "crypto/ceremony/possession.h"
#include "crypto/ceremony/share_box.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto::ceremony::testing {

using group::Element;
using group::Scalar;

inline note::PrivateKey KeyOf(uint32_t index) {
  base::testing::SeededRandom random(9000 + index);
  return note::PrivateKey::Generate(random);
}

inline Member MemberAt(uint32_t index, Role role = Role::kBoth) {
  return {index, "partner-" + std::to_string(index), role, KeyOf(index).public_key()};
}

inline ParametersText NewKey(const std::vector<uint32_t>& indices, uint32_t quorum) {
  ParametersText text;
  text.region = "maastricht";
  text.purpose = "risicojeugd";
  text.identifier_class = 1;
  text.epoch = 1;
  text.covenant_id = std::string(32, 'c');
  text.quorum = quorum;
  for (const uint32_t index : indices) text.members.push_back(MemberAt(index));
  return text;
}

inline std::vector<uint32_t> FirstIndices(uint32_t n) {
  std::vector<uint32_t> out;
  for (uint32_t i = 1; i <= n; ++i) out.push_back(i);
  return out;
}

// A key and who holds which part of it.
struct Held {
  std::vector<Element> commitments;
  std::map<uint32_t, Scalar> shares;
};

inline ParametersText Again(const Held& held, Kind kind, ParametersText text) {
  text.kind = kind;
  text.old_keyset_id = std::string(32, 'k');
  text.old_commitments = held.commitments;
  return text;
}

// Reconstruct is what no program of ours does.
inline Scalar Reconstruct(const std::map<uint32_t, Scalar>& shares) {
  std::vector<uint32_t> indices;
  for (const auto& [index, share] : shares) indices.push_back(index);
  const std::vector<Scalar> factors = threshold::Lagrange(indices).value();
  Scalar key;
  size_t i = 0;
  for (const auto& [index, share] : shares) key = key + factors[i++] * share;
  return key;
}

class Actor {
 public:
  virtual ~Actor() = default;
  virtual std::vector<SignedMessage> Begin() = 0;
  virtual absl::StatusOr<std::vector<SignedMessage>> Take(const SignedMessage& message) = 0;
};

// Follows the rules; with `crashes`, forgets everything but its exported state after each message.
class Honest final : public Actor {
 public:
  Honest(const Parameters& parameters, uint32_t index, std::optional<Scalar> old_share, bool crashes = false)
      : key_(KeyOf(index)), old_share_(old_share), crashes_(crashes), random_(100 + index) {
    participant.emplace(Participant::Create(parameters, index, key_, old_share, random_).value());
  }
  std::vector<SignedMessage> Begin() override { return participant->Sent(); }
  absl::StatusOr<std::vector<SignedMessage>> Take(const SignedMessage& message) override {
    auto out = participant->Receive(message);
    if (!crashes_ || !out.ok()) return out;
    const base::SecretBytes state = participant->Export();
    const size_t known = participant->Sent().size() - out->size();
    participant.emplace(Participant::Import(state, key_, old_share_).value());
    // What it was about to send when it was killed, it sends now.
    return std::vector<SignedMessage>(participant->Sent().begin() + static_cast<long>(known),
                                      participant->Sent().end());
  }

  std::optional<Participant> participant;

 private:
  const note::PrivateKey key_;
  const std::optional<Scalar> old_share_;
  const bool crashes_;
  base::testing::SeededRandom random_;
};

// Has a polynomial of its own choice and, at each step, a hand in what it says.
class Liar final : public Actor {
 public:
  Liar(const Parameters& parameters, uint32_t index, std::vector<Scalar> chosen)
      : polynomial(std::move(chosen)),
        view(parameters),
        index_(index),
        key_(KeyOf(index)),
        random_(500 + index) {
    for (size_t i = 0; i < parameters.contributors().size(); ++i) {
      receiving.push_back(base::SecretBytes::Generate(random_, kBoxKeySize));
    }
  }

  // How many of the polynomial's first coefficients are not committed to (refresh: 1).
  size_t hidden = 0;
  std::vector<Scalar> polynomial;
  // Before it is committed to, and as it is sent.
  std::function<void(std::string& reveal)> on_reveal = [](std::string&) {};
  // Any message, before it is signed.
  std::function<void(Content& content)> on_send = [](Content&) {};
  // What this receiver is to get for a share.
  std::function<std::string(uint32_t receiver, const base::SecretBytes& ephemeral,
                            absl::string_view receiving_key)>
      on_share;
  std::vector<base::SecretBytes> receiving;
  View view;

  SignedMessage Sign(const Content& content) const { return SignContent(view.parameters(), content, key_); }
  std::vector<SignedMessage> Begin() override { return Advance(); }
  absl::StatusOr<std::vector<SignedMessage>> Take(const SignedMessage& message) override {
    const auto added = view.Add(message);
    if (!added.ok() && added.status().code() == absl::StatusCode::kUnavailable) return added.status();
    return Advance();
  }

  std::string Reveal() {
    std::string commitments;
    for (size_t m = hidden; m < polynomial.size(); ++m)
      commitments += Element::MulBase(polynomial[m]).Encode();
    base::testing::SeededRandom random(77);
    const std::string opening = random.Bytes(kNonceSize);
    std::string reveal =
        opening +
        ProvePossession(polynomial[hidden], view.Chain(Step::kCommit), index_, commitments, random) +
        commitments;
    on_reveal(reveal);
    return reveal;
  }
  Scalar At(uint32_t index) const {
    Scalar value;
    for (size_t m = polynomial.size(); m-- > 0;) value = value * Scalar::FromUint64(index) + polynomial[m];
    return value;
  }

 private:
  std::vector<SignedMessage> Advance() {
    std::vector<SignedMessage> out;
    while (!stuck_ && !view.complete() && Sends(*view.parameters().Find(index_), view.step()) &&
           view.Find(view.step(), index_) == nullptr) {
      Content content{view.step(), view.Chain(view.step()), index_, Make(view.step())};
      on_send(content);
      out.push_back(Sign(content));
      stuck_ = !view.Add(out.back()).ok() || view.Find(content.step, index_) == nullptr;
    }
    return out;
  }
  std::string Make(Step step) {
    if (step == Step::kJoin) {
      std::string out(kNonceSize, 'n');
      if (!view.parameters().Find(index_)->receives()) return out;
      for (const auto& secret : receiving) out += BoxPublicKey(secret);
      return out;
    }
    if (step == Step::kCommit) return CommitDigest(view.Chain(Step::kCommit), index_, Reveal());
    if (step == Step::kReveal) return Reveal();
    if (step != Step::kShares) return "";
    const auto& contributors = view.parameters().contributors();
    const size_t place = static_cast<size_t>(std::find(contributors.begin(), contributors.end(), index_) -
                                             contributors.begin());
    const base::SecretBytes ephemeral = base::SecretBytes::Generate(random_, kBoxKeySize);
    std::string out = BoxPublicKey(ephemeral);
    for (const uint32_t receiver : view.parameters().receivers()) {
      const std::string receiving_key(
          view.ContentOf(Step::kJoin, receiver).substr(kNonceSize + kBoxKeySize * place, kBoxKeySize));
      std::string box = on_share ? on_share(receiver, ephemeral, receiving_key) : "";
      if (box.empty()) {
        box = EncryptShare(ephemeral, receiving_key, At(receiver),
                           ShareContext(view.Chain(Step::kShares), index_, receiver), random_);
      }
      out += box;
    }
    return out;
  }

  const uint32_t index_;
  const note::PrivateKey key_;
  base::testing::SeededRandom random_;
  bool stuck_ = false;
};

class Rig {
 public:
  explicit Rig(ParametersText text, const Held* held = nullptr, bool crashes = false)
      : parameters(Parameters::Create(std::move(text)).value()) {
    for (const Member& member : parameters.members()) {
      std::optional<Scalar> old_share;
      if (parameters.kind() != Kind::kGenerate && member.contributes())
        old_share = held->shares.at(member.index);
      actors[member.index] = std::make_unique<Honest>(parameters, member.index, old_share, crashes);
    }
  }

  // Puts a liar in the place of a member. Its polynomial is random, with the constant that the kind wants.
  Liar& Corrupt(uint32_t index, const Held* held = nullptr) {
    base::testing::SeededRandom random(300 + index);
    std::vector<Scalar> polynomial(parameters.quorum());
    for (Scalar& coefficient : polynomial) coefficient = Scalar::Random(random);
    if (parameters.kind() == Kind::kRefresh) polynomial[0] = Scalar();
    if (parameters.kind() == Kind::kReshare && held->shares.contains(index))
      polynomial[0] = held->shares.at(index);
    auto liar = std::make_unique<Liar>(parameters, index, std::move(polynomial));
    liar->hidden = parameters.kind() == Kind::kRefresh ? 1 : 0;
    Liar& out = *liar;
    actors[index] = std::move(liar);
    return out;
  }

  // What the relay hands to `to` in place of a message.
  std::function<std::vector<SignedMessage>(const SignedMessage& message, uint32_t to)> relay =
      [](const SignedMessage& message, uint32_t) { return std::vector<SignedMessage>{message}; };
  // Not 0: hands messages over in a random order, and some twice.
  uint64_t shuffle = 0;
  // Errors of Receive other than UNAVAILABLE, by reason.
  std::map<std::string, int> refused;

  // Hands messages over until nothing more happens.
  void Run() {
    std::mt19937_64 engine(shuffle);
    std::map<uint32_t, std::deque<SignedMessage>> inbox;
    const auto send = [&](const std::vector<SignedMessage>& messages, uint32_t from) {
      for (const SignedMessage& message : messages) {
        for (auto& [to, box] : inbox) {
          if (to == from) continue;
          for (const SignedMessage& handed : relay(message, to)) {
            box.push_back(handed);
            if (shuffle != 0 && engine() % 3 == 0) box.push_back(handed);
          }
        }
      }
    };
    for (const auto& [index, actor] : actors) inbox[index];
    for (const auto& [index, actor] : actors) send(actor->Begin(), index);
    bool progress = true;
    while (progress) {
      progress = false;
      for (const auto& [index, actor] : actors) {
        std::deque<SignedMessage> now;
        now.swap(inbox[index]);
        if (shuffle != 0) std::shuffle(now.begin(), now.end(), engine);
        for (const SignedMessage& message : now) {
          const auto out = actor->Take(message);
          if (!out.ok() && out.status().code() == absl::StatusCode::kUnavailable) {
            inbox[index].push_back(message);
            continue;
          }
          progress = true;
          if (out.ok()) {
            send(*out, index);
          } else {
            ++refused[base::ReasonOf(out.status())];
          }
        }
      }
    }
  }

  // nullptr for a liar.
  Participant* At(uint32_t index) {
    auto* honest = dynamic_cast<Honest*>(actors.at(index).get());
    return honest == nullptr ? nullptr : &*honest->participant;
  }
  std::vector<Participant*> HonestOnes() {
    std::vector<Participant*> out;
    for (const auto& [index, actor] : actors) {
      if (At(index) != nullptr) out.push_back(At(index));
    }
    return out;
  }

  // Runs, and expects that all agree. Returns what came out.
  Held Make() {
    Run();
    Held held;
    for (Participant* one : HonestOnes()) {
      EXPECT_TRUE(one->outcome().has_value()) << "index " << one->index();
      if (!one->outcome().has_value()) continue;
      EXPECT_EQ(one->outcome()->transcript_hash, HonestOnes().front()->outcome()->transcript_hash);
      held.commitments = one->outcome()->commitments;
      EXPECT_TRUE(held.commitments == HonestOnes().front()->outcome()->commitments);
      EXPECT_EQ(one->outcome()->share.has_value(), parameters.Find(one->index())->receives());
      if (one->outcome()->share.has_value()) held.shares[one->index()] = *one->outcome()->share;
    }
    return held;
  }

  const Parameters parameters;
  std::map<uint32_t, std::unique_ptr<Actor>> actors;
};

}  // namespace raakvlak::crypto::ceremony::testing

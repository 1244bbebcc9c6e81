// A relay, and member 3, do as the input says: messages come late, twice, changed, or otherwise than they
// were sent and signed by 3 all the same. Members 1 and 2 never crash, never have two different keys, never
// have a key and a culprit, and are never named with proof; and whoever is interrupted is where it was.
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "crypto/ceremony/participant.h"
#include "crypto/threshold/sharing.h"

namespace {

namespace ceremony = raakvlak::crypto::ceremony;
using ceremony::Participant;
using ceremony::SignedMessage;
using raakvlak::base::testing::SeededRandom;
using raakvlak::crypto::note::PrivateKey;

constexpr uint32_t kLiar = 3;
constexpr size_t kMaxActs = 48;
// So that lies about lies come to an end.
constexpr size_t kMaxMessages = 60;

const PrivateKey& KeyOf(uint32_t index) {
  static const auto* keys = [] {
    auto* out = new std::map<uint32_t, PrivateKey>();
    for (uint32_t i = 1; i <= 3; ++i) {
      SeededRandom random(i);
      out->emplace(i, PrivateKey::Generate(random));
    }
    return out;
  }();
  return keys->at(index);
}

const ceremony::Parameters& TheParameters() {
  static const auto* parameters = [] {
    ceremony::ParametersText text;
    text.region = "maastricht";
    text.purpose = "risicojeugd";
    text.identifier_class = 1;
    text.epoch = 1;
    text.covenant_id = std::string(32, 'c');
    text.quorum = 2;
    for (uint32_t i = 1; i <= 3; ++i) {
      text.members.push_back(
          {i, "partner-" + std::to_string(i), ceremony::Role::kBoth, KeyOf(i).public_key()});
    }
    return new ceremony::Parameters(ceremony::Parameters::Create(std::move(text)).value());
  }();
  return *parameters;
}

class Acts {
 public:
  explicit Acts(absl::string_view input) : rest_(input) {}
  bool AtEnd() const { return rest_.empty(); }
  uint8_t Next() {
    if (rest_.empty()) return 0;
    const auto out = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return out;
  }

 private:
  absl::string_view rest_;
};

class Table {
 public:
  Table() {
    for (uint32_t i = 1; i <= 3; ++i) {
      SeededRandom random(10 + i);
      members_.emplace(i, Participant::Create(TheParameters(), i, KeyOf(i), std::nullopt, random).value());
      for (const SignedMessage& message : members_.at(i).Sent()) said_.push_back(message);
    }
  }

  void Do(Acts& acts) {
    const uint8_t act = acts.Next();
    const uint32_t to = 1 + acts.Next() % 3;
    SignedMessage message = said_[acts.Next() % said_.size()];
    switch (act % 4) {
      case 0:
        break;
      case 1:
        if (!message.body.empty()) message.body[Place(acts, message.body.size())] ^= 1 << (act >> 5);
        break;
      case 2:
        message = Lie(message, acts);
        break;
      default:
        Interrupt(to);
    }
    Give(to, message);
  }

  // From here on the relay passes everything on.
  void Finish() {
    for (bool progress = true; progress;) {
      progress = false;
      const size_t before = said_.size();
      for (uint32_t to = 1; to <= 3; ++to) {
        for (size_t i = given_[to]; i < said_.size(); ++i) {
          if (Give(to, said_[i])) {
            if (i == given_[to]) ++given_[to];
            progress |= said_.size() != before;
          }
        }
      }
    }
  }

  void Check() const {
    const Participant& one = members_.at(1);
    const Participant& two = members_.at(2);
    for (const Participant* each : {&one, &two}) {
      RAAKVLAK_CHECK(!each->outcome().has_value() || !each->blame().has_value(), "a key or a culprit");
      if (each->outcome().has_value()) {
        RAAKVLAK_CHECK(raakvlak::crypto::threshold::CheckShare(each->outcome()->commitments, each->index(),
                                                               *each->outcome()->share)
                           .ok(),
                       "a share fits its commitments");
      }
      if (!each->blame().has_value()) continue;
      const ceremony::Accusation accusation{each->blame()->finding, each->blame()->evidence};
      const bool proven = ceremony::VerifyEvidence(TheParameters(), accusation).ok();
      RAAKVLAK_CHECK(!proven || accusation.finding.culprit == kLiar, "nobody proves what was not done");
      RAAKVLAK_CHECK(proven == ceremony::IsProvable(accusation.finding.check),
                     "what can be proven is proven");
    }
    if (!one.outcome().has_value() || !two.outcome().has_value()) return;
    RAAKVLAK_CHECK(one.outcome()->transcript_hash == two.outcome()->transcript_hash, "one transcript");
    RAAKVLAK_CHECK(one.outcome()->commitments == two.outcome()->commitments, "one key");
  }

 private:
  static size_t Place(Acts& acts, size_t size) {
    const size_t high = acts.Next();
    return (high << 8 | acts.Next()) % size;
  }

  // Another version of what 3 said, or what 3 says in the words of another; signed by 3.
  SignedMessage Lie(const SignedMessage& message, Acts& acts) {
    auto content = ceremony::Open(TheParameters(), message);
    if (!content.ok()) return message;
    content->sender = kLiar;
    const uint8_t how = acts.Next();
    if (!content->bytes.empty() && how % 4 != 0) content->bytes[Place(acts, content->bytes.size())] ^= 1;
    if (how % 4 == 1) content->bytes += "x";
    if (how % 4 == 2) content->chain[acts.Next() % 32] ^= 1;
    if (how % 4 == 3) content->step = static_cast<ceremony::Step>(1 + acts.Next() % 6);
    SignedMessage lie = ceremony::SignContent(TheParameters(), *content, KeyOf(kLiar));
    if (said_.size() < kMaxMessages) said_.push_back(lie);
    return lie;
  }

  void Interrupt(uint32_t index) {
    Participant& member = members_.at(index);
    auto again = Participant::Import(member.Export(), KeyOf(index), std::nullopt);
    RAAKVLAK_CHECK(again.ok() && again->Sent() == member.Sent() && again->step() == member.step() &&
                       again->blame().has_value() == member.blame().has_value() &&
                       again->outcome().has_value() == member.outcome().has_value(),
                   "a member that was interrupted is where it was");
    member = *std::move(again);
  }

  // False when it is to be given again.
  bool Give(uint32_t to, const SignedMessage& message) {
    const auto out = members_.at(to).Receive(message);
    if (!out.ok()) return out.status().code() != absl::StatusCode::kUnavailable;
    for (const SignedMessage& answer : *out) {
      if (said_.size() < kMaxMessages) said_.push_back(answer);
    }
    return true;
  }

  std::map<uint32_t, Participant> members_;
  std::deque<SignedMessage> said_;
  // By receiver: how many of said_ it has taken in Finish.
  std::map<uint32_t, size_t> given_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Acts acts(absl::string_view(reinterpret_cast<const char*>(data), size));
  Table table;
  for (size_t i = 0; i < kMaxActs && !acts.AtEnd(); ++i) table.Do(acts);
  table.Check();
  table.Finish();
  table.Check();
  return 0;
}

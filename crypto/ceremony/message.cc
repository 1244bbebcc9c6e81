#include "crypto/ceremony/message.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"

namespace raakvlak::crypto::ceremony {
namespace {

// DO NOT CHANGE.
constexpr char kChainLabel[] = "raakvlak/v1/ceremony/chain";
constexpr char kCommitLabel[] = "raakvlak/v1/ceremony/commit";

constexpr size_t kHashSize = 32;

}  // namespace

SignedMessage SignContent(const Parameters& parameters, const Content& content, const note::PrivateKey& key) {
  RAAKVLAK_CHECK(content.chain.size() == kHashSize, "a chain is a hash");
  SignedMessage out;
  out.body = absl::StrCat(base::BigEndian(static_cast<uint8_t>(content.step), 1), parameters.id(),
                          content.chain, base::BigEndian(content.sender, 1), content.bytes);
  out.signature = note::SignMessage(key, note::kCeremonyKind, out.body);
  return out;
}

absl::StatusOr<Content> Open(const Parameters& parameters, const SignedMessage& message) {
  const absl::string_view body = message.body;
  // Or evidence of one would be too large for an abort.
  const bool is_abort = !body.empty() && body[0] == static_cast<char>(Step::kAbort);
  if (body.size() > (is_abort ? kMaxBodySize : kMaxStepBodySize)) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       "a ceremony message is too large");
  }
  const auto malformed = [] {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       "not a message of a ceremony");
  };
  if (body.size() < kHeaderSize) return malformed();
  const uint8_t step = base::AsBytes(body)[0];
  const Member* sender = parameters.Find(base::AsBytes(body)[kHeaderSize - 1]);
  if (step < static_cast<uint8_t>(Step::kJoin) || step > static_cast<uint8_t>(Step::kAbort))
    return malformed();
  if (body.substr(1, kHashSize) != absl::string_view(parameters.id())) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "a message of another ceremony");
  }
  if (sender == nullptr) return malformed();
  RAAKVLAK_RETURN_IF_ERROR(
      note::VerifyMessage(sender->signing_key, note::kCeremonyKind, body, message.signature));
  return Content{static_cast<Step>(step), std::string(body.substr(1 + kHashSize, kHashSize)), sender->index,
                 std::string(body.substr(kHeaderSize))};
}

bool Sends(const Member& member, Step step) {
  switch (step) {
    case Step::kJoin:
    case Step::kAbort:
      return true;
    case Step::kCommit:
    case Step::kReveal:
    case Step::kShares:
      return member.contributes();
    case Step::kCertificate:
      return member.receives();
  }
  return false;
}

std::string ChainAfter(Step step, absl::string_view chain,
                       const std::map<uint32_t, SignedMessage>& messages) {
  std::string bytes =
      absl::StrCat(base::LengthPrefixed(kChainLabel), base::BigEndian(static_cast<uint8_t>(step), 1), chain);
  for (const auto& [sender, message] : messages) {
    absl::StrAppend(&bytes, base::BigEndian(sender, 1), base::Sha256(message.body));
  }
  return base::Sha256(bytes);
}

std::string CommitDigest(absl::string_view session_id, uint32_t sender, absl::string_view reveal) {
  return base::Sha256(
      absl::StrCat(base::LengthPrefixed(kCommitLabel), session_id, base::BigEndian(sender, 1), reveal));
}

}  // namespace raakvlak::crypto::ceremony

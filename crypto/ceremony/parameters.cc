#include "crypto/ceremony/parameters.h"

#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/line_reader.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto::ceremony {
namespace {

// DO NOT CHANGE.
constexpr char kFirstLine[] = "raakvlak/v1/ceremony";
constexpr char kSuite[] = "ristretto255-SHA512";
constexpr std::array<const char*, 3> kKinds = {"generate", "refresh", "reshare"};
constexpr std::array<const char*, 3> kRoles = {"both", "contributor", "receiver"};

// 32 members and 32 commitments take less than 6 kB.
constexpr size_t kMaxTextSize = 16'384;
constexpr size_t kMaxNameSize = 32;

absl::Status Malformed(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                     absl::StrCat("ceremony: ", message));
}

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                     absl::StrCat("ceremony: ", message));
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameSize && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// The place in `words` of the value of the next line.
absl::StatusOr<uint8_t> OneOf(base::LineReader& reader, absl::string_view word,
                              absl::Span<const char* const> words) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string value, reader.Value(word));
  const auto found = std::find(words.begin(), words.end(), value);
  if (found == words.end()) return Malformed(absl::StrCat("line \"", word, "\" has an unknown value"));
  return static_cast<uint8_t>(found - words.begin());
}

absl::StatusOr<Member> ParseMember(const std::vector<std::string>& words) {
  uint32_t index = 0;
  const auto role = std::find(kRoles.begin(), kRoles.end(), words[2]);
  const auto key_bytes = base::ParseBase64(words[3]);
  if (!absl::SimpleAtoi(words[0], &index) || role == kRoles.end() || !key_bytes.ok()) {
    return Malformed("a member line is malformed");
  }
  const auto key = note::PublicKey::Create(*key_bytes);
  if (!key.ok()) return Malformed("a member's signing key is none");
  return Member{index, words[1], static_cast<Role>(role - kRoles.begin()), *key};
}

absl::Status CheckMembers(const ParametersText& text) {
  std::set<std::string> partners;
  std::set<std::string> keys;
  uint32_t previous = 0;
  for (const Member& member : text.members) {
    if (member.index <= previous || member.index > threshold::kMaxIndex) {
      return Invalid("the members' indices are not ascending and 1 to 32");
    }
    previous = member.index;
    if (!IsName(member.partner) || !partners.insert(member.partner).second) {
      return Invalid("a partner is named twice, or not as partners are named");
    }
    if (!keys.insert(std::string(member.signing_key.bytes())).second) {
      return Invalid("two members have one signing key");
    }
    if (text.kind != Kind::kReshare && member.role != Role::kBoth) {
      return Invalid("in this kind of ceremony every member contributes and receives");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOldKey(const ParametersText& text, absl::Span<const uint32_t> contributors) {
  const size_t old_quorum = text.old_commitments.size();
  if (text.kind == Kind::kGenerate) {
    if (old_quorum != 0 || !text.old_keyset_id.empty()) return Invalid("a new key has no old keyset");
    return absl::OkStatus();
  }
  if (text.old_keyset_id.size() != 32 || old_quorum < 2 || old_quorum > threshold::kMaxIndex) {
    return Invalid("the old keyset is missing, or has no 2 to 32 commitments");
  }
  if (text.kind == Kind::kRefresh && old_quorum != text.quorum) return Invalid("a refresh keeps the quorum");
  if (text.kind == Kind::kReshare && contributors.size() != old_quorum) {
    return Invalid("the contributors of a reshare are as many as the old quorum");
  }
  for (const uint32_t index : contributors) {
    if (!threshold::PublicShare(text.old_commitments, index).ok()) {
      return Invalid("an old public share is the identity");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatParameters(const ParametersText& text) {
  std::string out =
      absl::StrCat(kFirstLine, "\nsuite ", kSuite, "\nkind ", kKinds.at(static_cast<size_t>(text.kind)),
                   "\nregion ", text.region, "\npurpose ", text.purpose, "\nclass ",
                   uint32_t{text.identifier_class}, "\nepoch ", text.epoch, "\nattempt ", text.attempt);
  absl::StrAppend(&out, "\ncovenant ", base::Hex(text.covenant_id), "\nquorum ", text.quorum, "\n");
  for (const Member& member : text.members) {
    absl::StrAppend(&out, "member ", member.index, " ", member.partner, " ",
                    kRoles.at(static_cast<size_t>(member.role)), " ",
                    base::Base64(member.signing_key.bytes()), "\n");
  }
  if (text.kind != Kind::kGenerate) absl::StrAppend(&out, "keyset ", base::Hex(text.old_keyset_id), "\n");
  for (size_t j = 0; j < text.old_commitments.size(); ++j) {
    absl::StrAppend(&out, "old ", j, " ", base::Base64(text.old_commitments[j].bytes()), "\n");
  }
  return out;
}

absl::StatusOr<Parameters> Parameters::Create(ParametersText text) {
  if (!IsName(text.region) || !IsName(text.purpose)) return Invalid("no region or purpose is named so");
  if (text.identifier_class < 1 || text.identifier_class > 3) return Invalid("its class is not 1, 2 or 3");
  if (text.epoch == 0 || text.attempt == 0) return Invalid("epochs and attempts count from 1");
  if (text.covenant_id.size() != 32) return Invalid("the covenant's id is not 32 bytes");
  RAAKVLAK_RETURN_IF_ERROR(CheckMembers(text));
  Parameters out;
  for (const Member& member : text.members) {
    if (member.contributes()) out.contributors_.push_back(member.index);
    if (member.receives()) out.receivers_.push_back(member.index);
  }
  RAAKVLAK_RETURN_IF_ERROR(base::Annotate(threshold::CheckIndices(text.quorum, out.receivers_), "ceremony"));
  RAAKVLAK_RETURN_IF_ERROR(CheckOldKey(text, out.contributors_));
  out.bytes_ = FormatParameters(text);
  out.id_ = base::Sha256(out.bytes_);
  out.text_ = std::move(text);
  return out;
}

absl::StatusOr<Parameters> Parameters::Parse(absl::string_view bytes) {
  if (bytes.size() > kMaxTextSize) return Malformed("it is too large");
  base::LineReader reader(bytes, Malformed);
  if (!reader.Next(kFirstLine, 0).has_value()) return Malformed("it does not start as one of version 1");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string suite, reader.Value("suite"));
  if (suite != kSuite) return Malformed("its suite is unknown");
  ParametersText text;
  RAAKVLAK_ASSIGN_OR_RETURN(const uint8_t kind, OneOf(reader, "kind", kKinds));
  text.kind = static_cast<Kind>(kind);
  RAAKVLAK_ASSIGN_OR_RETURN(text.region, reader.Value("region"));
  RAAKVLAK_ASSIGN_OR_RETURN(text.purpose, reader.Value("purpose"));
  RAAKVLAK_ASSIGN_OR_RETURN(const uint32_t identifier_class, reader.Number("class"));
  text.identifier_class = static_cast<uint8_t>(identifier_class);
  RAAKVLAK_ASSIGN_OR_RETURN(text.epoch, reader.Number("epoch"));
  RAAKVLAK_ASSIGN_OR_RETURN(text.attempt, reader.Number("attempt"));
  RAAKVLAK_ASSIGN_OR_RETURN(text.covenant_id, reader.Digest("covenant"));
  RAAKVLAK_ASSIGN_OR_RETURN(text.quorum, reader.Number("quorum"));
  for (auto words = reader.Next("member", 4); words.has_value(); words = reader.Next("member", 4)) {
    RAAKVLAK_ASSIGN_OR_RETURN(Member member, ParseMember(*words));
    text.members.push_back(std::move(member));
  }
  if (text.kind != Kind::kGenerate) {
    RAAKVLAK_ASSIGN_OR_RETURN(text.old_keyset_id, reader.Digest("keyset"));
  }
  for (auto words = reader.Next("old", 2); words.has_value(); words = reader.Next("old", 2)) {
    const auto element_bytes = base::ParseBase64((*words)[1]);
    const auto element = group::Element::Decode(element_bytes.ok() ? *element_bytes : "");
    if (!element.ok()) return Malformed("an old commitment is no group element, or the identity");
    text.old_commitments.push_back(*element);
  }
  // One text a ceremony: anything that the reading above forgave, or did not reach, is refused here.
  if (FormatParameters(text) != bytes) return Malformed("it is not in its normal form");
  return Create(std::move(text));
}

const Member* Parameters::Find(uint32_t index) const {
  for (const Member& member : text_.members) {
    if (member.index == index) return &member;
  }
  return nullptr;
}

}  // namespace raakvlak::crypto::ceremony

// CeremonyText: what the relay needs of a ceremony's parameters (docs/format/ceremony.md): what it is about,
// and who may say what. It is NOT the check of the parameters: members make that, with the covenant and the
// keysets. Immutable; thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::broker {

struct CeremonyMember {
  uint32_t index = 0;
  std::string partner;
  bool receives = false;
};

struct CeremonyText {
  // INVALID_ARGUMENT unless region, purpose, class, epoch, kind and covenant each have one line, and each of
  // 1 to 32 members one with an index and a partner of its own.
  static absl::StatusOr<CeremonyText> Parse(absl::string_view parameters);

  std::string kind;  // "generate", "refresh" or "reshare"
  std::string region;
  std::string purpose;
  v1::IdentifierClass identifier_class = v1::IDENTIFIER_CLASS_UNSPECIFIED;
  uint32_t epoch = 0;
  std::string covenant_id;  // 32 bytes
  std::vector<CeremonyMember> members;

  // nullptr when it is none.
  const CeremonyMember* FindMember(absl::string_view partner) const;
};

}  // namespace raakvlak::broker

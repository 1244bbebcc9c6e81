// Agreement: what `raakvlak covenant` and `raakvlak roster` do to files, without the files: text in, text
// out.
//
// A file holds either an unsigned text (protobuf text format) or a signed note of it. Errors are those of
// policy/covenant.h, policy/budget/covenant_budget.h and policy/roster.h.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "policy/covenant.h"
#include "raakvlak/v1/roster.pb.h"

namespace raakvlak::cli {

// Commented texts to start from.
extern const char kCovenantSample[];
extern const char kRosterSample[];

// CovenantSample returns kCovenantSample with the default rules (linkage/default_rules.h) in place of its
// own.
std::string CovenantSample();

// ParseFile splits a file into text and signatures; none for an unsigned text. MALFORMED when it is too
// large.
absl::StatusOr<crypto::note::Note> ParseFile(absl::string_view file);

// NewCovenant returns the normal form of a text that breaks no rule.
absl::StatusOr<std::string> NewCovenant(absl::string_view text);

// NewRoster does the same for a roster under `covenant`, with this number, issued at `now` for `validity`.
absl::StatusOr<std::string> NewRoster(absl::string_view text, const policy::Covenant& covenant,
                                      uint64_t number, absl::Time now, absl::Duration validity);

// Who has signed a file, and who is still to.
struct Signers {
  std::vector<std::string> signed_by;
  std::vector<std::string> missing;
};

// SignersOf checks the signatures that are there. SIGNATURE_INVALID when one of them is wrong.
absl::StatusOr<Signers> SignersOf(const crypto::note::Note& note,
                                  const std::vector<crypto::note::VerifierKey>& verifiers);

// SignFile adds the signature of `name` and returns the file; the text stays byte for byte. INVALID_ARGUMENT
// when `name` is none of `verifiers` or `key` is not the key they give it.
absl::StatusOr<std::string> SignFile(const crypto::note::Note& note,
                                     const std::vector<crypto::note::VerifierKey>& verifiers,
                                     absl::string_view name, const crypto::note::PrivateKey& key);

}  // namespace raakvlak::cli

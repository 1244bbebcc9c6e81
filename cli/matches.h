// Matches of one member of staff: makes and signs the orders that the hub asks for. Thread safety: one
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "client/cases_client.h"
#include "crypto/note/ed25519.h"
#include "policy/covenant.h"
#include "policy/roster.h"
#include "raakvlak/v1/cases.pb.h"
#include "raakvlak/v1/order.pb.h"

namespace raakvlak::cli {

class Matches {
 public:
  // FILE_UNREADABLE, FILE_UNSAFE or MALFORMED for the signing key; CONFIG_INVALID when the identity has none;
  // errors of Services. `context` outlives this.
  static absl::StatusOr<Matches> Create(Context& context);

  // Purposes that the roster gives this member. NOT_ALLOWED when it is not in the roster, or has none.
  absl::StatusOr<std::vector<std::string>> Purposes() const;

  // List pages through the matches of one purpose. PURPOSE_UNKNOWN, and what the hub refuses.
  absl::Status List(const std::string& purpose, bool include_closed,
                    const std::function<void(const v1::MatchSummary&)>& each);

  // Find returns the match whose id starts with `id` (hexadecimal), also one that went up in another; only in
  // `purpose` when that is not empty. NOT_FOUND; a usage error when several fit.
  absl::StatusOr<v1::MatchSummary> Find(const std::string& id, const std::string& purpose);

  // Open opens it. What the hub refuses: MATCH_CHANGED, MATCH_CLOSED, NOT_ALLOWED, VERIFICATION_FAILED ...
  absl::StatusOr<v1::OpenCaseResponse> Open(const v1::MatchSummary& match, const std::string& case_reference,
                                            const std::string& reason);

  const policy::Covenant& covenant() const { return *covenant_; }

 private:
  Matches(Context& context, std::unique_ptr<client::CasesClient> cases, crypto::note::PrivateKey key,
          std::shared_ptr<const policy::Covenant> covenant, std::shared_ptr<const policy::Roster> roster)
      : context_(context),
        cases_(std::move(cases)),
        key_(std::move(key)),
        covenant_(std::move(covenant)),
        roster_(std::move(roster)) {}

  // PURPOSE_UNKNOWN.
  absl::StatusOr<v1::OrderBody> NewOrder(v1::OrderAction action, const std::string& purpose);
  v1::Order Sign(const v1::OrderBody& body) const;

  Context& context_;
  std::unique_ptr<client::CasesClient> cases_;
  crypto::note::PrivateKey key_;
  std::shared_ptr<const policy::Covenant> covenant_;
  std::shared_ptr<const policy::Roster> roster_;
};

}  // namespace raakvlak::cli

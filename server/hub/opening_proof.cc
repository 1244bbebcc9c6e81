#include "server/hub/opening_proof.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/leaf.h"
#include "policy/log_trust.h"
#include "policy/strict_parse.h"

namespace raakvlak::hub {
namespace {

namespace tlog = crypto::tlog;

constexpr size_t kMaxDetailsSize = 1 << 16;

absl::Status NotProven(absl::string_view why) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     absl::StrCat("the opening is not proven to stand in the broker's log: ", why));
}

// The window in which broker and witnesses acted on the order, by their own clocks.
struct Window {
  absl::Time first;
  absl::Time last;
  bool Holds(absl::Time time) const { return first <= time && time <= last; }
};

absl::Status CheckLeaf(const v1::LogEntry& logged) {
  if (logged.time_ms() < 0) return NotProven("the entry's time is before 1970");
  if (logged.salt().size() != tlog::kSaltSize) return NotProven("the salt has another size");
  const std::string leaf =
      tlog::MakeLeaf(static_cast<uint64_t>(logged.time_ms()), logged.salt(), logged.details());
  if (leaf != logged.leaf()) return NotProven("the leaf commits to something else than the details");
  return absl::OkStatus();
}

absl::Status CheckProof(const v1::LogEntry& logged, absl::string_view proof, const policy::Covenant& covenant,
                        const Window& window) {
  const absl::Time time = absl::FromUnixMillis(logged.time_ms());
  if (!window.Holds(time)) return NotProven("the entry is not from the time of the order");
  // A log of another year would be the broker's too, and nobody would look into it.
  const std::string origin =
      absl::StrCat(covenant.text().broker().urn(), "/", absl::FormatTime("%E4Y", time, absl::UTCTimeZone()));
  if (logged.log() != origin) return NotProven("the entry is in another log than the broker's of its year");
  const auto proven = policy::CheckLogProof(logged, proof, covenant);
  if (!proven.ok()) return NotProven(proven.status().message());
  const std::vector<tlog::Cosigned>& cosigned = proven->proof.cosigned;
  const auto in_time = std::count_if(cosigned.begin(), cosigned.end(), [&](const tlog::Cosigned& line) {
    return window.Holds(absl::FromUnixSeconds(static_cast<int64_t>(line.time)));
  });
  if (static_cast<size_t>(in_time) < proven->trust.quorum) {
    return NotProven("too few of the cosignatures are from the time of the order");
  }
  return absl::OkStatus();
}

absl::Status CheckDetails(const std::string& bytes, const policy::VerifiedOrder& order) {
  v1::AuditDetails details;
  const absl::Status parsed = policy::ParseStrictly(bytes, kMaxDetailsSize, details);
  if (!parsed.ok()) return NotProven(parsed.message());
  const v1::OrderBody& body = order.body;
  struct Field {
    const char* name;
    const std::string& logged;
    const std::string& ordered;
  };
  const std::string open = "open";
  const std::string ok = "OK";
  const std::string match = base::Hex(body.match_id());
  const Field fields[] = {{"action", details.action(), open},
                          {"result", details.result(), ok},
                          {"order", details.order_hash(), order.hash},
                          {"object", details.object(), match},
                          {"actor", details.actor(), body.staff()},
                          {"purpose", details.purpose(), body.purpose()},
                          {"legal basis", details.legal_basis(), body.legal_basis()},
                          {"case reference", details.case_reference(), body.case_reference()},
                          {"reason", details.reason(), body.reason()}};
  for (const Field& field : fields) {
    if (field.logged != field.ordered) {
      return NotProven(absl::StrCat("the entry has another ", field.name, " than the order"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OpeningProof> OpeningProof::Verify(const policy::VerifiedOrder& order,
                                                  const v1::LogEntry& logged, absl::string_view proof,
                                                  const policy::Snapshot& snapshot, absl::Time now) {
  const Window window = {absl::FromUnixMillis(order.body.time_ms()) - policy::kOrderWindow,
                         now + policy::kOrderWindow};
  RAAKVLAK_RETURN_IF_ERROR(CheckLeaf(logged));
  absl::Status proven = CheckProof(logged, proof, *snapshot.covenant, window);
  const auto of_entry = policy::ChainOf(snapshot)->AtOrBefore(absl::FromUnixMillis(logged.time_ms()));
  if (!proven.ok() && of_entry != nullptr && CheckProof(logged, proof, *of_entry, window).ok()) {
    proven = absl::OkStatus();
  }
  RAAKVLAK_RETURN_IF_ERROR(proven);
  RAAKVLAK_RETURN_IF_ERROR(CheckDetails(logged.details(), order));
  OpeningProof verified;
  verified.order_ = order;
  v1::KeptOpening& kept = verified.kept_;
  kept.set_order_hash(order.hash);
  kept.set_match_id(order.body.match_id());
  kept.set_purpose(order.body.purpose());
  kept.set_case_reference(order.body.case_reference());
  kept.set_staff(order.body.staff());
  *kept.mutable_logged() = logged;
  kept.set_proof(std::string(proof));
  return verified;
}

}  // namespace raakvlak::hub

// BrokerRegion: what tests of the broker's cores need of a region: callers as the gate admits them, and
// well-formed envelopes, withdrawals and orders that a test then breaks in one place.
//
// TestRegion with: a SUPPORTING rule "address" in onaantastbaren, k = 3 in gezinsaanpak, retention 90, 30 and
// 60 days, jeugdzorg no submitter of gezinsaanpak, quota 1,000 (tests lower it), and a member bram who is
// staff of gezinsaanpak only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "raakvlak/v1/envelope.pb.h"
#include "raakvlak/v1/order.pb.h"
#include "rpc/gate.h"
#include "server/storage/memory/broker_store.h"
#include "tests/support/region.h"

namespace raakvlak::broker::testing {

inline constexpr char kListPurpose[] = "onaantastbaren";
inline constexpr char kCasePurpose[] = "risicojeugd";
inline constexpr char kHouseholdPurpose[] = "gezinsaanpak";

class BrokerRegion {
 public:
  // `change` sees the covenant before it is signed.
  explicit BrokerRegion(const std::function<void(v1::Covenant&)>& change = nullptr);

  base::testing::FakeClock& clock() { return region_.clock(); }
  raakvlak::testing::TestRegion& region() { return region_; }
  policy::Snapshot Snapshot() { return *region_.authority().Current(); }
  uint32_t Today() { return Snapshot().covenant->DayAt(clock().Now()); }

  // The caller, as the gate admits it now. Does NOT ask the gate.
  rpc::Gate::Pass Node(const std::string& partner) { return PassOf(rpc::Role::kNode, partner); }
  rpc::Gate::Pass Hub() { return PassOf(rpc::Role::kHub, "veiligheidshuis"); }
  rpc::Gate::Pass Officer() { return PassOf(rpc::Role::kOfficer, "olga"); }

  // Sees header and body before they are serialised; a header put into the body by hand stays.
  using EnvelopeChange = std::function<void(v1::SignalHeader&, v1::EnvelopeBody&)>;
  // An envelope that the broker takes, with a fresh signal id and tags.
  v1::Envelope MakeEnvelope(const std::string& partner, const std::string& purpose,
                            const EnvelopeChange& change = nullptr);
  v1::Envelope SignEnvelope(const std::string& partner, const std::string& body);
  static v1::SignalHeader HeaderOf(const v1::Envelope& envelope);

  v1::SignedWithdrawal MakeWithdrawal(const std::string& partner, const std::string& signal_id,
                                      const std::function<void(v1::WithdrawalBody&)>& change = nullptr);
  v1::SignedWithdrawal SignWithdrawal(const std::string& partner, const std::string& body);

  // An order of `member` ("staff:anna") that the broker takes; to open, of `match` with contents `digest`.
  v1::Order MakeListOrder(const std::string& purpose,
                          const std::function<void(v1::OrderBody&)>& change = nullptr,
                          const std::string& member = "staff:anna");
  v1::Order MakeOpenOrder(const std::string& purpose, const std::string& match, const std::string& digest,
                          const std::function<void(v1::OrderBody&)>& change = nullptr,
                          const std::string& member = "staff:anna");

  std::string RandomBytes(size_t size) { return random_.Bytes(size); }

 private:
  static std::string UrnOf(const std::string& member);
  rpc::Gate::Pass PassOf(rpc::Role role, const std::string& id);
  v1::Order SignOrder(v1::OrderBody body, const std::function<void(v1::OrderBody&)>& change,
                      const std::string& member);

  raakvlak::testing::TestRegion region_;
  base::testing::SeededRandom random_{7};
};

// A store whose writes fail when told to. kBefore: nothing is written. kAfter: written, but the caller is
// told that it failed.
class FailingStore final : public storage::BrokerStore {
 public:
  enum class Fail { kNever, kBefore, kAfter };

  void FailWrites(Fail fail) { fail_ = fail; }
  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::BrokerTransaction&)> body) override;
  absl::Status Read(absl::string_view name,
                    absl::FunctionRef<absl::Status(storage::BrokerReader&)> body) override {
    return store_.Read(name, body);
  }
  storage::AuditLog& audit_log() override { return store_.audit_log(); }
  absl::StatusOr<policy::Newest> Load() override { return store_.Load(); }
  absl::Status Store(const policy::Newest& newest) override { return store_.Store(newest); }

  // What stands in the store.
  uint64_t LiveSignals();
  std::vector<storage::AuditEntry> Audit(const std::string& action = "");

 private:
  storage::MemoryBrokerStore store_;
  Fail fail_ = Fail::kNever;
};

}  // namespace raakvlak::broker::testing

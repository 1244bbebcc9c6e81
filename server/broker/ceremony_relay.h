// CeremonyRelay: carries the messages of ceremonies between nodes (proto/raakvlak/v1/ceremony.proto,
// docs/format/ceremony.md: how messages travel).
//
// It reads of a message only which step of which ceremony it is, and checks that its sender is the caller and
// signed it, so that nobody takes another's place or uses up another's room. What a message says it does not
// judge: two different ones of one step and sender are both kept and handed out, because members need them to
// prove an equivocation. Nothing here can read a share or change what members agree on; what a relay can do
// at worst is to stop a ceremony.
//
// The gate has admitted the caller as node of a partner in force (Keysets: or as the hub). Refusals leave an
// entry. Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "raakvlak/v1/ceremony.pb.h"
#include "rpc/gate.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class CeremonyRelay {
 public:
  static constexpr size_t kMaxParameters = 16'384;
  static constexpr size_t kMaxBody = 262'144;
  static constexpr size_t kMaxKeyset = 65'536;
  static constexpr int kMaxMessages = 16;  // of one call, and of one sender in one ceremony
  static constexpr uint64_t kMaxOpen = 32;
  static constexpr absl::Duration kOpenFor = absl::Hours(24);
  static constexpr absl::Duration kListedFor = absl::Hours(24 * 90);
  // Of the messages in one answer, and of the keysets in one.
  static constexpr size_t kMaxFetchBytes = 4 << 20;
  static constexpr size_t kMaxKeysetsBytes = 12 << 20;

  // Both outlive the relay.
  CeremonyRelay(storage::BrokerStore& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // Errors of all: as the .proto says, and STORAGE_FAILED.
  absl::StatusOr<v1::ProposeResponse> Propose(const rpc::Gate::Pass& pass, const v1::ProposeRequest& request);
  absl::StatusOr<v1::PostResponse> Post(const rpc::Gate::Pass& pass, const v1::PostRequest& request);
  absl::StatusOr<v1::FetchResponse> Fetch(const rpc::Gate::Pass& pass, const v1::FetchRequest& request);
  absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies();
  absl::StatusOr<v1::KeysetsResponse> Keysets();

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::broker

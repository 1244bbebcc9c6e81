// KeyShare: evaluates blinded elements under this node's shares, for partners in force (proto
// key_share.proto).
//
// A certificate alone makes nobody a partner: each request is signed with the partner's covenant key. An
// answer leaves only after its audit entry, its count against the day's quota and its request id are durable,
// all in one transaction; the request id makes a replay fail, also after a restart. The holder learns neither
// the identifier nor the token of what it evaluates.
//
// It serves the epochs that the covenant in force serves (policy/epochs.h), and only those, under each keyset
// of which it has its share. When the day's quota is used up, what was granted for a new epoch is spent
// (server/node/allowances.h); the entry of that batch then has the reason "allowance".
//
// Refusals are audited too, each with its reason. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/key_share_client.h"
#include "crypto/oprf/proof.h"
#include "raakvlak/v1/key_share.pb.h"
#include "rpc/gate.h"
#include "server/node/allowances.h"
#include "server/node/environment.h"

namespace raakvlak::node {

class KeyShare {
 public:
  // `allowances` outlives this.
  KeyShare(const Environment& environment, Allowances& allowances)
      : environment_(environment), allowances_(allowances) {}

  // Evaluate answers a request of the node of `partner`. INVALID_ARGUMENT, TOO_LARGE, NOT_ALLOWED,
  // PARTNER_SUSPENDED, SIGNATURE_INVALID (also elements other than those signed), MALFORMED, UNKNOWN_FIELD,
  // CLOCK_SKEW, REPLAYED, KEYSET_UNKNOWN, PURPOSE_NOT_ALLOWED, BSN_NOT_ENTITLED, QUOTA_EXCEEDED,
  // VERIFICATION_FAILED (an element that is no valid point), STORAGE_FAILED.
  absl::StatusOr<v1::EvaluateResponse> Evaluate(const policy::Snapshot& snapshot, const std::string& partner,
                                                const v1::EvaluateRequest& request,
                                                const CallOrigin& origin = {});

  // Describe says which keysets of epochs in use this node serves, and what `partner` has left of its quota
  // today under each; 0 under those that it may not use. STORAGE_FAILED.
  absl::StatusOr<v1::DescribeResponse> Describe(const policy::Snapshot& snapshot, const std::string& partner,
                                                const CallOrigin& origin = {});

 private:
  struct Admitted {
    v1::EvaluateBody body;
    // Holds the share for the length of the call, also when the keys change meanwhile.
    std::shared_ptr<const Keys> keys;
    std::shared_ptr<const policy::Keyset> keyset;
    crypto::oprf::ElementList elements;
  };
  absl::StatusOr<Admitted> Admit(const policy::Snapshot& snapshot, const std::string& partner,
                                 const v1::EvaluateRequest& request, absl::Time now) const;
  absl::Status Count(const policy::Snapshot& snapshot, const Admitted& admitted, absl::Time now,
                     const CallOrigin& origin);
  absl::Status DoCount(const policy::Snapshot& snapshot, const Admitted& admitted, absl::Time now,
                       const CallOrigin& origin, bool may_spend_allowance);
  absl::Status Refuse(const policy::Snapshot& snapshot, const std::string& partner, size_t elements,
                      const absl::Status& why, const CallOrigin& origin);

  const Environment environment_;
  Allowances& allowances_;
};

// LocalKeyShare is the way to this node's own share: the same checks, quota and audit as for everyone else.
class LocalKeyShare final : public client::KeyShareClient {
 public:
  LocalKeyShare(const Environment& environment, KeyShare& key_share)
      : environment_(environment), key_share_(key_share) {}
  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request,
                                                absl::Duration timeout) override;
  absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest& request,
                                                absl::Duration timeout) override;

 private:
  const Environment environment_;
  KeyShare& key_share_;
};

}  // namespace raakvlak::node

// Receipts: what the broker answered to the submits of this node, checked when it came, and made into proofs
// for the partner's own IT (docs/format/receipt.md, proto intake.proto GetReceipt).
//
// What is kept says which partner, purpose and entry a signal belongs to, and no identity; it is encrypted in
// the signal's row all the same, and stays until the row goes. Thread safety: all methods may be called from
// any thread.
#pragma once

#include "absl/status/statusor.h"
#include "client/exchange_client.h"
#include "raakvlak/v1/intake.pb.h"
#include "raakvlak/v1/receipt.pb.h"
#include "rpc/gate.h"
#include "server/node/environment.h"

namespace raakvlak::node {

// CheckReceipt returns what is kept of an accepted receipt. VERIFICATION_FAILED and PROOF_INVALID of
// policy::CheckLogged; VERIFICATION_FAILED when the answer has no such entry.
absl::StatusOr<v1::LoggedSignal> CheckReceipt(const v1::SubmitReceipt& receipt,
                                              const v1::SubmitResponse& response,
                                              const policy::Covenant& covenant, absl::string_view partner,
                                              absl::string_view purpose, absl::string_view envelope_hash);

// Says in the log that the broker answered with a receipt that proves nothing: "node.receipt_wrong".
void AlarmWrongReceipt(const absl::Status& why, absl::string_view signal_id);

class Receipts {
 public:
  // `exchange` outlives this.
  Receipts(const Environment& environment, client::ExchangeClient& exchange)
      : environment_(environment), exchange_(exchange) {}

  // GetReceipt asks the broker for the proof and verifies the whole with the covenant in force. NOT_FOUND
  // when there is no such signal or it was not submitted yet; the broker's refusals; errors of
  // policy::MakeReceipt; STORAGE_FAILED; INTERNAL when what is kept cannot be read. An answer is an entry of
  // action "receipt".
  absl::StatusOr<v1::GetReceiptResponse> GetReceipt(const rpc::Gate::Pass& pass,
                                                    const v1::GetReceiptRequest& request);

 private:
  absl::StatusOr<v1::LoggedSignal> Read(const storage::NodeSignal& signal) const;

  const Environment environment_;
  client::ExchangeClient& exchange_;
};

}  // namespace raakvlak::node

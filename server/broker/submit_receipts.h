// SubmitReceipts: where the envelopes of one submit were logged (docs/format/receipt.md): those that are new
// in the entry of this submit, the others in the entry of then. Lives inside one transaction, and fills the
// answer afterwards.
//
// Thread safety: none of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "raakvlak/v1/exchange.pb.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class SubmitReceipts {
 public:
  // The receipt with number `receipt` (from 0) of the answer is about a signal that was just inserted, or
  // about the one with number `number`, which was known. In the order of insertion.
  void AddNew(int receipt, const std::string& envelope_hash, uint32_t expiry_day);
  void AddKnown(int receipt, uint64_t number) { known_.emplace_back(receipt, number); }

  // What the entry commits to; called once all were added.
  std::string Root();
  // Stores what repetitions will be answered from, and fills the receipts. Errors of the store.
  absl::Status Store(storage::BrokerTransaction& transaction, const storage::Logged& logged,
                     v1::SubmitResponse& out_response);
  // Adds the entries that the receipts name; after the transaction, which must not read the log.
  // STORAGE_FAILED, VERIFICATION_FAILED.
  absl::Status AddEntries(storage::AuditLog& log, v1::SubmitResponse& out_response) const;

 private:
  struct New {
    int receipt;
    std::string hash;
  };
  // Which of the response's entries, from 1.
  uint32_t NumberOf(storage::EntryId entry);

  std::vector<New> new_;
  std::vector<std::pair<int, uint64_t>> known_;  // receipt, number
  uint32_t latest_expiry_day_ = 0;
  std::vector<std::string> paths_;
  storage::Logged logged_;
  std::vector<storage::EntryId> entries_;
};

}  // namespace raakvlak::broker

#include "server/node/receipts.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/receipt.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;

// More than the broker takes to have its log cosigned.
constexpr absl::Duration kProveTimeout = absl::Seconds(15);

// Of an origin that CheckLogged accepted: it ends in four digits.
uint32_t YearOf(const std::string& log) {
  uint32_t year = 0;
  RAAKVLAK_CHECK(absl::SimpleAtoi(log.substr(log.rfind('/') + 1), &year), "an origin ends in a year");
  return year;
}

}  // namespace

absl::StatusOr<v1::LoggedSignal> CheckReceipt(const v1::SubmitReceipt& receipt,
                                              const v1::SubmitResponse& response,
                                              const policy::Covenant& covenant, absl::string_view partner,
                                              absl::string_view purpose, absl::string_view envelope_hash) {
  if (receipt.entry() == 0 || receipt.entry() > static_cast<uint32_t>(response.entries_size())) {
    return base::Error(absl::StatusCode::kDataLoss, reason::kVerificationFailed,
                       "the receipt names no entry of the log");
  }
  v1::LoggedSignal logged;
  logged.set_envelope_hash(receipt.envelope_hash());
  *logged.mutable_entry() = response.entries(static_cast<int>(receipt.entry()) - 1);
  logged.set_position(receipt.position());
  logged.set_batch(receipt.batch());
  logged.set_path(receipt.path());
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLogged(logged, covenant, partner, purpose, envelope_hash));
  logged.mutable_entry()->clear_leaf();  // it is made of the rest
  return logged;
}

void AlarmWrongReceipt(const absl::Status& why, absl::string_view signal_id) {
  base::LogStatus(base::LogLevel::kError, "node.receipt_wrong", why, {{"signal_id", base::Hex(signal_id)}});
}

absl::StatusOr<v1::LoggedSignal> Receipts::Read(const storage::NodeSignal& signal) const {
  const absl::StatusOr<base::SecretBytes> bytes =
      environment_.vault->Decrypt(Column::kReceipt, signal.signal_id, signal.receipt);
  v1::LoggedSignal logged;
  if (!bytes.ok() || !logged.ParseFromString(std::string(bytes->Reveal(base::RevealSecret{})))) {
    return base::Error(absl::StatusCode::kDataLoss, reason::kInternal, "a stored receipt cannot be read");
  }
  return logged;
}

absl::StatusOr<v1::GetReceiptResponse> Receipts::GetReceipt(const rpc::Gate::Pass& pass,
                                                            const v1::GetReceiptRequest& request) {
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::optional<storage::NodeSignal> signal,
      environment_.store->FindByReference(environment_.vault->ReferenceDigest(request.client_ref())));
  if (!signal.has_value() || signal->receipt.empty()) {
    return base::Error(
        absl::StatusCode::kNotFound, reason::kNotFound,
        signal.has_value() ? "this signal was not submitted yet" : "no signal has this client_ref");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::LoggedSignal logged, Read(*signal));
  v1::ProveEntryRequest prove;
  prove.set_year(YearOf(logged.entry().log()));
  prove.set_index(logged.entry().index());
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ProveEntryResponse proven, exchange_.ProveEntry(prove, kProveTimeout));
  absl::StatusOr<std::string> receipt = policy::MakeReceipt(logged, proven.proof(), *pass.snapshot.covenant);
  if (!receipt.ok()) {
    AlarmWrongReceipt(receipt.status(), signal->signal_id);
    return receipt.status();
  }
  storage::AuditEntry entry = NewEntry(environment_, pass, "receipt");
  entry.purpose = signal->purpose;
  entry.count = 1;
  const absl::Status written = environment_.store->Write(
      "receipt",
      [&](storage::NodeTransaction& transaction) { return transaction.AppendAudit(entry).status(); });
  if (!written.ok()) return written;
  v1::GetReceiptResponse response;
  response.set_receipt(*std::move(receipt));
  return response;
}

}  // namespace raakvlak::node

#include "cli/push.h"

#include "base/reason.h"
#include "base/status.h"
#include "cli/exit_code.h"

namespace raakvlak::cli {

absl::Status Pusher::PushRows(const std::string& file, RowReader& rows) {
  batch_.file = file;
  Row row;
  while (rows.Next(row)) {
    ++counts_.read;
    batch_.entries.push_back({row.line, row.reason, row.column});
    if (row.reason.empty()) {
      ++batch_.records;
      batch_.bytes += row.record.ByteSizeLong();
      *request_.add_records() = std::move(row.record);
    }
    if (batch_.entries.size() == kPushBatchRows || batch_.bytes >= kPushBatchBytes) {
      RAAKVLAK_RETURN_IF_ERROR(SendBatch());
      batch_.file = file;
    }
  }
  return batch_.entries.empty() ? absl::OkStatus() : SendBatch();
}

absl::Status Pusher::Finish() {
  RAAKVLAK_RETURN_IF_ERROR(CloseStream());
  // Batches of which no row was sent.
  while (!under_way_.empty()) RAAKVLAK_RETURN_IF_ERROR(ReceiveBatch());
  return absl::OkStatus();
}

absl::Status Pusher::SendBatch() {
  while (under_way_.size() >= kPushWindow) RAAKVLAK_RETURN_IF_ERROR(ReceiveBatch());
  if (batch_.records > 0) {
    if (stream_ != nullptr && clock_.Now() - opened_ >= kPushStreamAge)
      RAAKVLAK_RETURN_IF_ERROR(CloseStream());
    if (stream_ == nullptr) {
      stream_ = intake_.Push(kPushStreamTimeout);
      opened_ = clock_.Now();
    }
    RAAKVLAK_RETURN_IF_ERROR(FromPeer(stream_->Send(request_)));
  }
  under_way_.push_back(std::move(batch_));
  batch_ = Batch();
  request_.Clear();
  return absl::OkStatus();
}

absl::Status Pusher::CloseStream() {
  if (stream_ == nullptr) return absl::OkStatus();
  while (!under_way_.empty()) RAAKVLAK_RETURN_IF_ERROR(ReceiveBatch());
  const absl::Status outcome = FromPeer(stream_->Close());
  stream_ = nullptr;
  return outcome;
}

absl::Status Pusher::ReceiveBatch() {
  const Batch batch = std::move(under_way_.front());
  under_way_.pop_front();
  v1::PushResponse response;
  if (batch.records > 0) {
    absl::StatusOr<v1::PushResponse> received = stream_->Receive();
    if (!received.ok()) return FromPeer(received.status());
    response = *std::move(received);
    if (static_cast<size_t>(response.receipts_size()) != batch.records) {
      return base::Error(absl::StatusCode::kInternal, base::reason::kInternal,
                         "the node did not answer every row");
    }
  }
  int next = 0;
  for (const Entry& entry : batch.entries) {
    if (!entry.reason.empty()) {
      Reject(batch, entry, entry.reason, entry.column);
      continue;
    }
    const v1::PushReceipt& receipt = response.receipts(next++);
    if (receipt.result() != v1::REJECTED && receipt.reason() == base::reason::kExcludedListStale)
      ++counts_.waiting;
    switch (receipt.result()) {
      case v1::ACCEPTED:
        ++counts_.accepted;
        break;
      case v1::KNOWN:
        ++counts_.known;
        break;
      case v1::REJECTED:
        Reject(batch, entry, receipt.reason(), receipt.field());
        break;
      default:
        return base::Error(absl::StatusCode::kInternal, base::reason::kInternal,
                           "the node gave an unknown answer");
    }
  }
  sink_.Progress(batch.file, counts_);
  return absl::OkStatus();
}

void Pusher::Reject(const Batch& batch, const Entry& entry, const std::string& reason,
                    const std::string& column) {
  ++counts_.rejected;
  sink_.Rejected({batch.file, entry.line, column, reason});
}

}  // namespace raakvlak::cli

#include "server/broker/submit_receipts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/reason.h"
#include "base/status.h"
#include "policy/receipt.h"
#include "server/storage/log_codec.h"

namespace raakvlak::broker {
namespace {

struct Tree {
  storage::StoredBatch batch;
  std::vector<std::string> paths;
};

void Fill(uint32_t entry, size_t position, size_t batch, const std::string& path,
          v1::SubmitReceipt& out_receipt) {
  out_receipt.set_entry(entry);
  out_receipt.set_position(static_cast<uint32_t>(position));
  out_receipt.set_batch(static_cast<uint32_t>(batch));
  out_receipt.set_path(path);
}

absl::Status Missing() {
  return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed,
                     "a signal stands in no batch, or its entry in no log");
}

}  // namespace

void SubmitReceipts::AddNew(int receipt, const std::string& envelope_hash, uint32_t expiry_day) {
  new_.push_back({receipt, envelope_hash});
  latest_expiry_day_ = std::max(latest_expiry_day_, expiry_day);
}

std::string SubmitReceipts::Root() {
  std::vector<std::string> hashes;
  for (const New& added : new_) hashes.push_back(added.hash);
  policy::SubmitTree tree = policy::MakeSubmitTree(hashes);
  paths_ = std::move(tree.paths);
  return std::move(tree.root);
}

uint32_t SubmitReceipts::NumberOf(storage::EntryId entry) {
  auto found = std::find(entries_.begin(), entries_.end(), entry);
  if (found == entries_.end()) found = entries_.insert(found, entry);
  return static_cast<uint32_t>(found - entries_.begin()) + 1;
}

absl::Status SubmitReceipts::Store(storage::BrokerTransaction& transaction, const storage::Logged& logged,
                                   v1::SubmitResponse& out_response) {
  logged_ = logged;
  std::vector<std::string> hashes;
  for (size_t i = 0; i < new_.size(); ++i) {
    hashes.push_back(new_[i].hash);
    Fill(NumberOf(logged.id), i, new_.size(), paths_[i], *out_response.mutable_receipts(new_[i].receipt));
  }
  if (!hashes.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(transaction.PutBatch(logged.id, hashes, latest_expiry_day_));
  }
  std::map<uint64_t, Tree> trees;  // by first number
  for (const auto& [receipt, number] : known_) {
    auto tree = trees.upper_bound(number);
    if (tree != trees.begin()) --tree;
    if (tree == trees.end() || number < tree->first ||
        number - tree->first >= tree->second.batch.hashes.size()) {
      RAAKVLAK_ASSIGN_OR_RETURN(std::optional<storage::StoredBatch> batch, transaction.FindBatch(number));
      if (!batch.has_value()) return Missing();
      std::vector<std::string> paths = policy::MakeSubmitTree(batch->hashes).paths;
      const uint64_t first = batch->first_number;
      tree = trees.insert_or_assign(first, Tree{*std::move(batch), std::move(paths)}).first;
    }
    const size_t position = number - tree->first;
    Fill(NumberOf(tree->second.batch.entry), position, tree->second.paths.size(),
         tree->second.paths[position], *out_response.mutable_receipts(receipt));
  }
  return absl::OkStatus();
}

absl::Status SubmitReceipts::AddEntries(storage::AuditLog& log, v1::SubmitResponse& out_response) const {
  for (const storage::EntryId& id : entries_) {
    storage::Logged logged = logged_;
    std::string leaf;
    if (id == logged.id) {
      leaf = storage::LeafOf(logged);
    } else {
      absl::StatusOr<std::optional<storage::StoredEntry>> stored = log.Find(id);
      if (stored.ok() && !stored->has_value()) return Missing();
      logged = storage::Logged();
      logged.id = id;
      if (stored.ok()) {
        logged = {id, (*stored)->time_ms, std::move((*stored)->salt), std::move((*stored)->details)};
        leaf = std::move((*stored)->leaf);
      } else if (base::ReasonOf(stored.status()) != base::reason::kVerificationFailed) {
        return stored.status();
      }  // else it is damaged: its receipts prove nothing, the others are as good as before
    }
    *out_response.add_entries() =
        storage::LogEntryOf(log.Origin(id.year), std::move(logged), std::move(leaf));
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::broker

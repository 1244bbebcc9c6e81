// MadeLog: a broker's log as the commands see it, for tests: entries, files, proofs, signed and cosigned.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/ed25519.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/proof_file.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tree.h"
#include "raakvlak/v1/audit.pb.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli::testing {

class MadeLog {
 public:
  static constexpr int64_t kFirstMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
  static constexpr int64_t kStepMs = 60'000;

  MadeLog() : origin_("urn:raakvlak:demo:broker:b/2026") {}

  v1::AuditDetails Details(const std::string& actor, const std::string& action) {
    v1::AuditDetails details;
    details.set_actor(actor);
    details.set_role("staff");
    details.set_action(action);
    details.set_object("3f9a6c21");
    details.set_purpose("onaantastbaren");
    details.set_case_reference("ZVH-1");
    details.set_reason("overleg\x1b[2J");
    details.set_result("OK");
    details.set_count(2);
    details.set_policy("c1/r1");
    return details;
  }
  void Add(const v1::AuditDetails& details) {
    v1::LogEntry entry;
    entry.set_log(origin_);
    entry.set_index(entries_.size());
    entry.set_time_ms(kFirstMs + static_cast<int64_t>(entries_.size()) * kStepMs);
    entry.set_salt(base::Sha256(absl::StrCat("salt ", entries_.size())));
    entry.set_details(details.SerializeAsString());
    entry.set_leaf(
        crypto::tlog::MakeLeaf(static_cast<uint64_t>(entry.time_ms()), entry.salt(), entry.details()));
    entries_.push_back(entry);
  }
  void AddMany(int count) {
    for (int i = 0; i < count; ++i) Add(Details("urn:raakvlak:demo:staff:anna", "open"));
  }

  // Makes the files; the checkpoint is cosigned by so many of the partners' witnesses.
  void Publish(const World& world, size_t cosignatures) {
    crypto::tlog::Frontier frontier;
    hashes_.clear();
    for (const v1::LogEntry& entry : entries_) {
      frontier.Append(crypto::tlog::LeafHash(entry.leaf()),
                      [&](int level, uint64_t, const crypto::tlog::Hash& hash) {
                        if (hashes_.size() <= static_cast<size_t>(level)) hashes_.emplace_back();
                        hashes_[static_cast<size_t>(level)].push_back(hash);
                      });
    }
    const crypto::tlog::Checkpoint checkpoint{origin_, frontier.size(), frontier.Root()};
    const auto verifier = *crypto::note::VerifierKey::Create(origin_, world.broker_log_key().public_key());
    crypto::note::Note note = SignCheckpoint(checkpoint, verifier, world.broker_log_key());
    for (const auto& [urn, key] : world.witness_keys()) {
      if (cosignatures-- == 0) break;
      const auto witness = *crypto::tlog::WitnessKey::Create(urn, key.public_key());
      note.signatures.push_back(crypto::tlog::Cosign(note.text, witness, key, 1'767'230'000));
    }
    files_.clear();
    files_["log.vkey"] = verifier.Encode() + "\n";
    files_["checkpoint"] = crypto::note::Format(note);
    files_["checkpoint.cosigned"] = files_["checkpoint"];
    for (const crypto::tlog::TileId& tile : crypto::tlog::NewTiles(0, entries_.size())) {
      files_[crypto::tlog::Path(tile)] = TileOf(tile);
    }
  }

  std::string ProofOf(uint64_t index) {
    class Reader final : public crypto::tlog::HashReader {
     public:
      explicit Reader(const std::vector<std::vector<crypto::tlog::Hash>>& hashes) : hashes_(hashes) {}
      absl::StatusOr<crypto::tlog::Hash> ReadHash(int level, uint64_t at) override {
        return hashes_[static_cast<size_t>(level)][at];
      }

     private:
      const std::vector<std::vector<crypto::tlog::Hash>>& hashes_;
    };
    Reader reader(hashes_);
    crypto::tlog::ProofFile file;
    file.index = index;
    file.proof = *crypto::tlog::InclusionProof(index, entries_.size(), reader);
    file.checkpoint = files_["checkpoint"];
    return crypto::tlog::FormatProofFile(file);
  }

  // Makes `audit` serve this log.
  void Serve(FakeAudit& audit) {
    audit.on_logs = [this](const v1::ListLogsRequest&) {
      v1::ListLogsResponse response;
      v1::LogInfo& info = *response.add_logs();
      info.set_log(origin_);
      info.set_year(2026);
      info.set_size(entries_.size());
      return response;
    };
    audit.on_list = [this](const v1::ListEntriesRequest& request) { return List(request); };
    audit.on_get = [this](const v1::GetEntryRequest& request) -> absl::StatusOr<v1::GetEntryResponse> {
      if (request.year() != 2026 || request.index() >= entries_.size()) return NotFound();
      v1::GetEntryResponse response;
      *response.mutable_entry() = entries_[request.index()];
      response.set_proof(ProofOf(request.index()));
      return response;
    };
    audit.on_read = [this](const v1::ReadFilesRequest& request) -> absl::StatusOr<v1::ReadFilesResponse> {
      v1::ReadFilesResponse response;
      for (const std::string& name : request.names()) {
        const auto file = files_.find(name);
        if (file == files_.end()) return NotFound();
        response.add_files(file->second);
        ++reads_[name];
      }
      return response;
    };
  }

  std::vector<v1::LogEntry>& entries() { return entries_; }
  std::map<std::string, std::string>& files() { return files_; }
  std::vector<v1::ListEntriesRequest>& requests() { return requests_; }
  int reads(const std::string& name) { return reads_[name]; }

 private:
  static absl::Status NotFound() {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound, "not there");
  }

  // In pages of at most 7, with the next index as token.
  v1::ListEntriesResponse List(const v1::ListEntriesRequest& request) {
    requests_.push_back(request);
    v1::ListEntriesResponse response;
    const uint32_t page = std::min<uint32_t>(request.page_size(), 7);
    const bool back = request.newest_first();
    uint64_t next =
        request.page_token().empty() ? (back ? entries_.size() : 0) : std::stoull(request.page_token());
    for (uint32_t i = 0; i < page && (back ? next > 0 : next < entries_.size()); ++i) {
      *response.add_entries() = entries_[back ? --next : next++];
    }
    if (back ? next > 0 : next < entries_.size()) response.set_next_page_token(std::to_string(next));
    return response;
  }

  std::string TileOf(const crypto::tlog::TileId& tile) const {
    const size_t first = tile.index * crypto::tlog::kTileWidth;
    std::string bytes;
    for (size_t i = first; i < first + static_cast<size_t>(tile.width); ++i) {
      if (tile.level == crypto::tlog::kEntriesLevel) {
        crypto::tlog::AppendEntry(bytes, entries_[i].leaf());
      } else {
        absl::StrAppend(&bytes,
                        hashes_[static_cast<size_t>(tile.level * crypto::tlog::kTileHeight)][i].view());
      }
    }
    return bytes;
  }

  const std::string origin_;
  std::vector<v1::LogEntry> entries_;
  std::vector<std::vector<crypto::tlog::Hash>> hashes_;
  std::map<std::string, std::string> files_;
  std::map<std::string, int> reads_;
  std::vector<v1::ListEntriesRequest> requests_;
};

}  // namespace raakvlak::cli::testing

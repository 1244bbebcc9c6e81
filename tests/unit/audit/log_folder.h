// A log's folder on disk, written for tests.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/testing/fakes.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tree.h"
#include "tests/unit/crypto/tlog/signer.h"

namespace raakvlak::audit::testing {

// Writes files of a log that grows; entries are leaves of 41 bytes with repeatable salts.
class LogFolder {
 public:
  explicit LogFolder(std::string path) : path_(std::move(path)) {
    Write("log.vkey", log_.verifier.Encode() + "\n");
  }

  // Appends entries up to `size` and writes the tiles that are new, and a checkpoint cosigned by the witness.
  void Grow(uint64_t size) {
    const uint64_t old_size = entries_.size();
    while (entries_.size() < size) Append(Entry(entries_.size()));
    WriteTiles(old_size);
    WriteCheckpoint();
  }
  static std::string Entry(uint64_t i) {
    return crypto::tlog::MakeLeaf(1'700'000'000'000 + i, base::Sha256(absl::StrCat("salt ", i)),
                                  absl::StrCat("details ", i));
  }
  void Append(std::string entry) {
    frontier_.Append(crypto::tlog::LeafHash(entry), [&](int level, uint64_t, const crypto::tlog::Hash& hash) {
      if (hashes_.size() == static_cast<size_t>(level)) hashes_.emplace_back();
      hashes_[static_cast<size_t>(level)].push_back(hash);
    });
    entries_.push_back(std::move(entry));
  }
  void WriteTiles(uint64_t old_size) {
    for (const crypto::tlog::TileId& tile : crypto::tlog::NewTiles(old_size, entries_.size())) {
      const size_t first = tile.index * crypto::tlog::kTileWidth;
      std::string bytes;
      for (size_t i = first; i < first + static_cast<size_t>(tile.width); ++i) {
        if (tile.level == crypto::tlog::kEntriesLevel) {
          crypto::tlog::AppendEntry(bytes, entries_[i]);
        } else {
          absl::StrAppend(&bytes,
                          hashes_[static_cast<size_t>(tile.level * crypto::tlog::kTileHeight)][i].view());
        }
      }
      Write(Path(tile), bytes);
    }
  }
  void WriteCheckpoint() { Write("checkpoint", CheckpointBytes()); }
  std::string CheckpointBytes() const {
    crypto::note::Note note = SignCheckpoint(checkpoint(), log_.verifier, log_.key);
    note.signatures.push_back(
        Cosign(note.text, witness_.witness, witness_.key, crypto::tlog::testing::kVectorTime));
    return crypto::note::Format(note);
  }
  crypto::tlog::Checkpoint checkpoint() const {
    return {log_.verifier.name(), frontier_.size(), frontier_.Root()};
  }

  void Write(const std::string& name, absl::string_view bytes) {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    // Not atomically: thousands of fsyncs would make a slow test.
    FILE* out = std::fopen(file.c_str(), "wb");
    RAAKVLAK_CHECK(out != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size() &&
                       std::fclose(out) == 0,
                   "a test's file can be written");
  }
  std::string Read(const std::string& name) const { return *base::ReadFile(absl::StrCat(path_, "/", name)); }
  void Remove(const std::string& name) { std::filesystem::remove(std::filesystem::path(path_) / name); }
  void Change(const std::string& name, const std::function<void(std::string&)>& change) {
    std::string bytes = Read(name);
    change(bytes);
    Write(name, bytes);
  }
  // The names of all files, in order.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string().substr(path_.size() + 1));
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  const std::string& path() const { return path_; }
  const crypto::note::VerifierKey& log() const { return log_.verifier; }
  const crypto::note::PrivateKey& key() const { return log_.key; }
  const crypto::tlog::WitnessKey& witness() const { return witness_.witness; }
  std::vector<std::string>& entries() { return entries_; }

 private:
  std::string path_;
  crypto::tlog::testing::LogSigner log_;
  crypto::tlog::testing::WitnessSigner witness_;
  std::vector<std::string> entries_;
  crypto::tlog::Frontier frontier_;
  std::vector<std::vector<crypto::tlog::Hash>> hashes_;  // by level of complete subtree
};

}  // namespace raakvlak::audit::testing

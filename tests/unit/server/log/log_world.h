// A log in a temporary folder with its database, publisher and signer, and a reader that checks the whole
// folder from nothing but the files and the key.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/proof.h"
#include "server/log/folder_hash_reader.h"
#include "server/log/log_folder.h"
#include "server/log/publisher.h"
#include "server/log/testing/fakes.h"
#include "server/signer/signer.h"

namespace raakvlak::log {

inline constexpr char kUrn[] = "urn:raakvlak:maastricht:broker:centrum";
inline constexpr uint32_t kYear = 2026;
inline constexpr absl::Time kNoHurry = absl::InfiniteFuture();

// Files in memory: waiting for a disk shows nothing here, and there are thousands of fsync.
inline const bool kInMemory = access("/dev/shm", W_OK) == 0 && setenv("TMPDIR", "/dev/shm", 1) == 0;

inline crypto::note::PrivateKey TestKey(char fill = 'k') {
  auto key = crypto::note::PrivateKey::FromSeed(base::SecretBytes(std::string(32, fill)));
  RAAKVLAK_CHECK(key.ok(), "any 32 bytes are a seed");
  return *std::move(key);
}

MATCHER_P(IsOkAndHolds, expected, "is ok and holds what is expected") {
  if (!arg.ok()) {
    *result_listener << "whose status is " << arg.status().ToString();
    return false;
  }
  using Value = std::decay_t<decltype(*arg)>;
  return *arg == Value(expected);
}

// The real signer, in this process; made anew by Restart.
class DirectSigner final : public CheckpointSigner {
 public:
  DirectSigner(std::string logs, std::string state) : paths_{kUrn, std::move(logs), std::move(state)} {}
  absl::Status Restart() {
    signer_.reset();
    std::filesystem::create_directories(paths_.state);
    RAAKVLAK_ASSIGN_OR_RETURN(signer_, signer::Signer::Create(paths_, TestKey()));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Sign(const crypto::tlog::Checkpoint& checkpoint, absl::Duration) override {
    RAAKVLAK_CHECK(signer_ != nullptr, "the signer was started");
    return signer_->Sign(checkpoint);
  }
  const signer::SignerPaths& paths() const { return paths_; }

 private:
  const signer::SignerPaths paths_;
  std::unique_ptr<signer::Signer> signer_;
};

class LogWorld : public ::testing::Test {
 protected:
  std::string logs() const { return here_.File("log"); }
  std::string year() const { return absl::StrCat(logs(), "/", kYear); }
  std::string state() const { return here_.File("signer"); }

  // The process and its signer start, as after a crash.
  absl::Status Start(LogFolder::HookForTest hook = nullptr) {
    publisher_.reset();
    folder_.reset();
    RAAKVLAK_RETURN_IF_ERROR(signer_.Restart());
    RAAKVLAK_ASSIGN_OR_RETURN(folder_, LogFolder::Open(logs(), std::move(hook)));
    RAAKVLAK_ASSIGN_OR_RETURN(publisher_,
                              Publisher::Create(audit_, *folder_, signer_, clock_, TestKey().public_key()));
    return absl::OkStatus();
  }
  absl::Status Publish() { return publisher_->Publish(kNoHurry); }
  absl::Status AppendAndPublish(uint64_t count, uint32_t in_year = kYear) {
    audit_.Append(in_year, count);
    return Publish();
  }

  // Copies a folder as a backup would, or puts it back.
  static void Copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    if (std::filesystem::exists(from)) {
      std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    }
  }
  static void FlipBit(const std::string& path, size_t position, int bit = 0) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.good()) << path;
    file.seekg(static_cast<std::streamoff>(position));
    const char byte = static_cast<char>(file.get() ^ (1 << bit));
    file.seekp(static_cast<std::streamoff>(position));
    file.put(byte);
  }

  base::testing::TemporaryFolder here_;
  base::testing::FakeClock clock_;
  testing::FakeAuditLog audit_{kUrn};
  DirectSigner signer_{logs(), state()};
  std::unique_ptr<LogFolder> folder_;
  std::unique_ptr<Publisher> publisher_;
};

// The verified size of the log in `folder`: 0 without a checkpoint. Every tile that a log of this size has is
// there and is what the entries give, computed by the naive rule of tlog-tiles.
inline absl::StatusOr<uint64_t> VerifiedSize(const std::string& folder, const std::string& origin) {
  const auto bytes = base::ReadFile(absl::StrCat(folder, "/checkpoint"));
  if (absl::IsNotFound(bytes.status())) return 0;
  if (!bytes.ok()) return bytes.status();
  RAAKVLAK_ASSIGN_OR_RETURN(const auto verifier,
                            crypto::note::VerifierKey::Create(origin, TestKey().public_key()));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto opened, crypto::tlog::OpenCheckpoint(*bytes, verifier));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string line, base::ReadFile(absl::StrCat(folder, "/log.vkey")));
  if (line != absl::StrCat(verifier.Encode(), "\n")) return absl::DataLossError("log.vkey");
  const uint64_t size = opened.checkpoint.size;
  FolderTiles tiles(folder);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> entries, ReadEntries(tiles, 0, size));
  crypto::tlog::Frontier tree;
  std::vector<crypto::tlog::Hash> level;
  for (const std::string& entry : entries) {
    level.push_back(crypto::tlog::LeafHash(entry));
    tree.Append(level.back());
  }
  if (tree.Root() != opened.checkpoint.root) return absl::DataLossError("the entries do not give the root");
  for (int number = 0; !level.empty(); ++number) {
    std::vector<crypto::tlog::Hash> above;
    for (size_t first = 0; first < level.size(); first += crypto::tlog::kTileWidth) {
      const size_t width = std::min<size_t>(crypto::tlog::kTileWidth, level.size() - first);
      const auto hashes = absl::MakeConstSpan(level).subspan(first, width);
      const crypto::tlog::TileId id{number, first / crypto::tlog::kTileWidth, static_cast<int>(width)};
      RAAKVLAK_ASSIGN_OR_RETURN(const std::string tile, tiles.ReadTile(id));
      if (tile != crypto::tlog::TileBytes(hashes)) return absl::DataLossError(crypto::tlog::Path(id));
      if (width == crypto::tlog::kTileWidth) above.push_back(crypto::tlog::FullTileHash(hashes));
    }
    level = std::move(above);
  }
  return size;
}

inline absl::StatusOr<uint64_t> VerifiedSize(const std::string& logs, uint32_t year) {
  return VerifiedSize(absl::StrCat(logs, "/", year), absl::StrCat(kUrn, "/", year));
}

// All files below `folder`, relative.
inline std::set<std::string> FilesBelow(const std::string& folder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.insert(std::filesystem::relative(entry.path(), folder).string());
  }
  return files;
}

}  // namespace raakvlak::log

// FolderPublishedFiles: PublishedFiles over the folder of a process's logs (server/log/log_folder.h).
// Thread safety: all methods may be called from any thread.
#pragma once

#include "server/log/log_folder.h"
#include "server/log/published_files.h"

namespace raakvlak::log {

class FolderPublishedFiles final : public PublishedFiles {
 public:
  // `folder` outlives this.
  explicit FolderPublishedFiles(LogFolder& folder) : folder_(folder) {}

  absl::StatusOr<std::vector<uint32_t>> Years() override;
  absl::StatusOr<std::optional<std::string>> ReadCheckpoint(uint32_t year) override;
  absl::StatusOr<std::optional<std::string>> ReadCosigned(uint32_t year) override;
  absl::StatusOr<crypto::tlog::Proof> ConsistencyProof(uint32_t year, uint64_t old_size,
                                                       uint64_t size) override;
  absl::StatusOr<absl::Time> EntryTime(uint32_t year, uint64_t index) override;
  absl::Status WriteCosigned(uint32_t year, const std::string& note) override;

 private:
  absl::StatusOr<std::optional<std::string>> Read(uint32_t year, absl::string_view file);

  LogFolder& folder_;
};

}  // namespace raakvlak::log

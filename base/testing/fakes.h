// Fakes of clock and randomness, and a temporary folder. For tests only.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <random>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"

namespace raakvlak::base::testing {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'800'000'000)) : now_(now) {}
  absl::Time Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(mutex_);
    now_ += by;
  }
  void Set(absl::Time now) {
    MutexLock lock(mutex_);
    now_ = now;
  }

 private:
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

// Repeatable bytes from a seed. WARNING: everything made with it is predictable.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void Fill(void* buffer, size_t size) override {
    MutexLock lock(mutex_);
    auto* bytes = static_cast<uint8_t*>(buffer);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(engine_());
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_);
};

// Hands out given byte strings in order, for published vectors. Aborts when asked for another length or for
// more.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::deque<std::string> answers) : answers_(std::move(answers)) {}
  void Fill(void* buffer, size_t size) override {
    RAAKVLAK_CHECK(!answers_.empty() && answers_.front().size() == size, "the script has this answer");
    std::memcpy(buffer, answers_.front().data(), size);
    answers_.pop_front();
  }

 private:
  std::deque<std::string> answers_;
};

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "raakvlak-test-XXXXXX").string();
    RAAKVLAK_CHECK(mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace raakvlak::base::testing

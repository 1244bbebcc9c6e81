// Clock: the time, handed in so that tests decide it. Thread safety: implementations may be called from any
// thread.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace raakvlak::base {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace raakvlak::base

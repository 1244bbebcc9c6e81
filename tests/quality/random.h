// Random: the same numbers for the same seed on every machine (the library's distributions promise that not).
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "base/status.h"

namespace raakvlak::quality {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // Below returns 0 .. limit - 1. REQUIRES: limit > 0.
  uint64_t Below(uint64_t limit) {
    RAAKVLAK_CHECK(limit > 0, "there is something to choose from");
    return engine_() % limit;
  }
  int Between(int first, int last) {
    return first + static_cast<int>(Below(static_cast<uint64_t>(last - first + 1)));
  }
  // Unit returns a number in [0, 1).
  double Unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Unit() < probability; }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

// Weighted draws by index, in the proportion of the weights.
class Weighted {
 public:
  void Add(double weight) { sums_.push_back((sums_.empty() ? 0 : sums_.back()) + weight); }
  size_t Draw(Random& random) const {
    const double at = random.Unit() * sums_.back();
    size_t low = 0;
    for (size_t high = sums_.size() - 1; low < high;) {
      const size_t middle = (low + high) / 2;
      if (at < sums_[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
  bool empty() const { return sums_.empty(); }

 private:
  std::vector<double> sums_;
};

}  // namespace raakvlak::quality

// Random: cryptographically secure random bytes, handed in so that vector tests can inject figures.
// Thread safety: SystemRandom may be used from any thread.
#pragma once

#include <cstddef>
#include <string>

namespace raakvlak::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* buffer, size_t size) = 0;
  std::string Bytes(size_t size) {
    std::string out(size, '\0');
    Fill(out.data(), size);
    return out;
  }
};

// The operating system's generator, by way of libsodium.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  void Fill(void* buffer, size_t size) override;
};

}  // namespace raakvlak::base

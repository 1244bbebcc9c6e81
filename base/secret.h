// SecretBytes: bytes that must not be seen: keys, seeds, plaintext records.
//
// The memory is wiped when the object goes or is moved from; it is never printed, compared with == or copied
// by accident. Reading takes RevealSecret, a name that reviews and tools/check count. It does NOT promise
// locked memory or constant-time use, and it cannot wipe copies that a caller makes from what it read.
//
// Thread safety: as a std::string.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "base/random.h"

namespace raakvlak::base {

// The token that must be named to read a secret.
struct RevealSecret {};

class SecretBytes {
 public:
  SecretBytes() = default;
  // Copies `bytes`; the caller wipes its own copy (WipeString).
  explicit SecretBytes(absl::string_view bytes);
  // Takes `bytes` over and wipes what it leaves behind.
  static SecretBytes Take(std::string bytes);
  // Random returns `size` fresh random bytes.
  static SecretBytes Generate(Random& random, size_t size);

  // Movable; copies are asked for by name.
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();
  SecretBytes Copy() const { return SecretBytes(absl::string_view(bytes_)); }

  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  absl::string_view Reveal(RevealSecret) const { return bytes_; }

 private:
  void Wipe();
  std::string bytes_;
};

// A secret does not stream: logs and test messages cannot show it.
std::ostream& operator<<(std::ostream& stream, const SecretBytes&) = delete;

// WipeString overwrites `bytes` and empties it.
void WipeString(std::string& bytes);

}  // namespace raakvlak::base

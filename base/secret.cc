#include "base/secret.h"

#include <sodium.h>

#include <utility>

namespace raakvlak::base {

void WipeString(std::string& bytes) {
  // A moved-from short string still holds its bytes in place: wipe the whole capacity.
  bytes.resize(bytes.capacity());
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

SecretBytes::SecretBytes(absl::string_view bytes) : bytes_(bytes) {}

SecretBytes SecretBytes::Take(std::string bytes) {
  SecretBytes secret{absl::string_view(bytes)};
  WipeString(bytes);
  return secret;
}

SecretBytes SecretBytes::Generate(Random& random, size_t size) {
  SecretBytes secret;
  secret.bytes_ = random.Bytes(size);
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.Wipe(); }

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    other.Wipe();
  }
  return *this;
}

SecretBytes::~SecretBytes() { Wipe(); }

void SecretBytes::Wipe() { WipeString(bytes_); }

}  // namespace raakvlak::base

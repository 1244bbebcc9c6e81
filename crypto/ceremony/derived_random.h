// Random bytes that follow from a seed: what a member draws during a ceremony. A member that was interrupted
// draws the same bytes again, and so signs the same messages again.
//
//   block i = HMAC-SHA-512(seed, lp("raakvlak/v1/ceremony/random") || lp(use) || chain(32) || i(8))
//
// The chain is that of the step: under another chain everything drawn is unrelated. Who has the seed has all
// of it. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"

namespace raakvlak::crypto::ceremony {

class DerivedRandom final : public base::Random {
 public:
  // The seed, of 32 bytes, must outlive the object.
  DerivedRandom(const base::SecretBytes& seed, absl::string_view use, absl::string_view chain);
  ~DerivedRandom() override;
  void Fill(void* buffer, size_t size) override;

 private:
  const base::SecretBytes& seed_;
  const std::string context_;
  uint64_t counter_ = 0;
  // What is left of the last block.
  std::string rest_;
};

}  // namespace raakvlak::crypto::ceremony

// expand_message_xmd with SHA-512 and 64 bytes of output: RFC 9380 section 5.3.1, as RFC 9497 section 4.1
// uses it.
//
// The block of zeros that every message begins with is hashed once per DST, and a message may be added in
// parts: a batch hashes thousands of messages with a common beginning. Constant time in the message, not in
// its length.
//
// Thread safety: a const Expander may be used from any thread; a Message from one at a time.
#pragma once

#include <sodium.h>

#include <string>

#include "absl/strings/string_view.h"

namespace raakvlak::crypto::oprf {

class Expander {
 public:
  // A message under way. Copying it forks it: both go on from the same beginning.
  class Message {
   public:
    Message& Add(absl::string_view bytes);
    // The 64 uniform bytes. Afterwards the object may only be destroyed or assigned to.
    std::string Finish();

   private:
    friend class Expander;
    explicit Message(const Expander& expander) : expander_(&expander), state_(expander.start_) {}
    const Expander* expander_;
    crypto_hash_sha512_state state_;
  };

  // REQUIRES: dst has 1 to 255 bytes.
  explicit Expander(absl::string_view dst);
  // The message must not outlive the expander.
  Message Start() const { return Message(*this); }

 private:
  // DST || I2OSP(len(DST), 1).
  std::string dst_prime_;
  crypto_hash_sha512_state start_;
};

// The one of HashToScalar: DST = "HashToScalar-" || contextString.
const Expander& ScalarExpander();

}  // namespace raakvlak::crypto::oprf

// Reads the fixed layouts of this folder. After anything that is not there, ok() is false and all else is
// empty. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/ceremony/message.h"

namespace raakvlak::crypto::ceremony {

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }

  std::string Bytes(size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return "";
    }
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  // Big-endian.
  uint64_t Number(size_t size) {
    uint64_t value = 0;
    for (const char byte : Bytes(size)) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  // length(4) || body || signature(64).
  SignedMessage Message() {
    SignedMessage out;
    out.body = Bytes(Number(4));
    out.signature = Bytes(note::kSignatureSize);
    return out;
  }

 private:
  absl::string_view rest_;
  bool ok_ = true;
};

inline void AppendMessage(const SignedMessage& message, std::string& out) {
  absl::StrAppend(&out, base::BigEndian(message.body.size(), 4), message.body, message.signature);
}

}  // namespace raakvlak::crypto::ceremony

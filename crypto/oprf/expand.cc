#include "crypto/oprf/expand.h"

#include <array>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/oprf/suite.h"

namespace raakvlak::crypto::oprf {
namespace {

constexpr size_t kBlockSize = 128;

void Update(crypto_hash_sha512_state& state, absl::string_view bytes) {
  crypto_hash_sha512_update(&state, base::AsBytes(bytes), bytes.size());
}

}  // namespace

Expander::Expander(absl::string_view dst) : dst_prime_(dst) {
  RAAKVLAK_CHECK(!dst.empty() && dst.size() <= 255, "a DST has 1 to 255 bytes");
  dst_prime_.push_back(static_cast<char>(dst.size()));
  crypto_hash_sha512_init(&start_);
  // "Z_pad = I2OSP(0, s_in_bytes)"
  Update(start_, std::string(kBlockSize, '\0'));
}

Expander::Message& Expander::Message::Add(absl::string_view bytes) {
  Update(state_, bytes);
  return *this;
}

std::string Expander::Message::Finish() {
  std::array<uint8_t, crypto_hash_sha512_BYTES> b_0;
  // "msg_prime = Z_pad || msg || l_i_b_str || I2OSP(0, 1) || DST_prime", l_i_b_str = I2OSP(64, 2).
  Update(state_, absl::string_view("\x00\x40\x00", 3));
  Update(state_, expander_->dst_prime_);
  crypto_hash_sha512_final(&state_, b_0.data());
  // "b_1 = H(b_0 || I2OSP(1, 1) || DST_prime)": 64 bytes are one block of output.
  std::string out(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  Update(state, base::AsView(b_0));
  Update(state, absl::string_view("\x01", 1));
  Update(state, expander_->dst_prime_);
  crypto_hash_sha512_final(&state, base::AsMutableBytes(out));
  sodium_memzero(b_0.data(), b_0.size());
  return out;
}

const Expander& ScalarExpander() {
  static const Expander expander("HashToScalar-" + std::string(kContextString, kContextStringSize));
  return expander;
}

}  // namespace raakvlak::crypto::oprf

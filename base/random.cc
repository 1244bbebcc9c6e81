#include "base/random.h"

#include <sodium.h>

#include "base/status.h"

namespace raakvlak::base {

SystemRandom::SystemRandom() { RAAKVLAK_CHECK(sodium_init() >= 0, "libsodium starts"); }

void SystemRandom::Fill(void* buffer, size_t size) { randombytes_buf(buffer, size); }

}  // namespace raakvlak::base

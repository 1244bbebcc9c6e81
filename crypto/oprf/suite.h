// Constants of RFC 9497, mode 0x01 (VOPRF), suite ristretto255-SHA512. DO NOT CHANGE: they are the
// standard's.
#pragma once

#include <cstddef>

namespace raakvlak::crypto::oprf {

// contextString = "OPRFV1-" || I2OSP(mode, 1) || "-" || identifier (section 3.1). The mode is one raw byte.
inline constexpr char kContextString[] = "OPRFV1-\x01-ristretto255-SHA512";
inline constexpr size_t kContextStringSize = sizeof(kContextString) - 1;

inline constexpr size_t kOutputSize = 64;
inline constexpr size_t kProofSize = 64;
// Input is shorter than 2^16 - 1 bytes (section 3.3); Raakvlak takes at most 1,024 a field.
inline constexpr size_t kMaxInputSize = 65534;
// Ours: the standard allows 65,536 elements a batch.
inline constexpr size_t kMaxBatch = 2048;

}  // namespace raakvlak::crypto::oprf

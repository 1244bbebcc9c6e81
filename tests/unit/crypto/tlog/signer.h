// The log and the witness of tests/vectors/tlog, with their private keys (made from known seeds).
#pragma once

#include <string>

#include "base/secret.h"
#include "crypto/note/note.h"
#include "crypto/tlog/cosignature.h"

namespace raakvlak::crypto::tlog::testing {

// Seed: 32 bytes counting up from `first`.
inline note::PrivateKey KeyFromSeed(int first) {
  std::string seed;
  for (int i = 0; i < 32; ++i) seed.push_back(static_cast<char>(first + i));
  return *note::PrivateKey::FromSeed(base::SecretBytes(seed));
}

struct LogSigner {
  note::PrivateKey key = KeyFromSeed(0);
  note::VerifierKey verifier = *note::VerifierKey::Create("broker.example/audit", key.public_key());
};

struct WitnessSigner {
  explicit WitnessSigner(const std::string& name = "witness.example/w1", int first = 0x20)
      : key(KeyFromSeed(first)), witness(*WitnessKey::Create(name, key.public_key())) {}
  note::PrivateKey key;
  WitnessKey witness;
};

inline constexpr uint64_t kVectorTime = 1700000000;

}  // namespace raakvlak::crypto::tlog::testing

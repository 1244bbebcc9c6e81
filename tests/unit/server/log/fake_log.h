// A log in memory with its key, for the tests of witnesses. Trees and proofs are the slow ones of
// tests/unit/crypto/tlog/twin.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/fakes.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "crypto/tlog/add_checkpoint.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/hash.h"
#include "tests/unit/crypto/tlog/twin.h"

namespace raakvlak::log::testing {

inline crypto::note::PrivateKey KeyOf(const std::string& name) {
  return *crypto::note::PrivateKey::FromSeed(base::SecretBytes(base::Sha256(name)));
}

inline crypto::tlog::WitnessKey WitnessKeyOf(const std::string& name) {
  return *crypto::tlog::WitnessKey::Create(name, KeyOf(name).public_key());
}

class FakeLog {
 public:
  static constexpr size_t kEntries = 40;

  explicit FakeLog(const std::string& origin = "urn:raakvlak:maastricht:broker:centrum/2026")
      : FakeLog(origin, KeyOf(origin)) {}
  FakeLog(std::string origin, crypto::note::PrivateKey key)
      : origin_(std::move(origin)),
        key_(std::move(key)),
        verifier_(*crypto::note::VerifierKey::Create(origin_, key_.public_key())),
        hashes_(crypto::tlog::testing::EntryHashes(kEntries)) {}

  // From entry `index` on, another history.
  void ForkAt(size_t index) {
    for (size_t i = index; i < hashes_.size(); ++i)
      hashes_[i] = crypto::tlog::LeafHash(absl::StrCat("other-", i));
  }

  const std::string& origin() const { return origin_; }
  // The URN of the process whose log it is.
  std::string urn() const { return origin_.substr(0, origin_.rfind('/')); }
  const crypto::note::VerifierKey& verifier() const { return verifier_; }

  crypto::tlog::Hash Root(size_t size) const { return crypto::tlog::testing::RootTwin(Leaves(size)); }
  crypto::tlog::OpenedCheckpoint Opened(size_t size) const {
    const crypto::tlog::Checkpoint checkpoint{origin_, size, Root(size)};
    return {checkpoint, crypto::tlog::SignCheckpoint(checkpoint, verifier_, key_)};
  }
  std::string Checkpoint(size_t size) const { return crypto::note::Format(Opened(size).note); }
  crypto::tlog::Proof Proof(size_t old_size, size_t size) const {
    if (old_size == 0 || old_size >= size) return {};
    return crypto::tlog::testing::ConsistencyTwin(old_size, Leaves(size));
  }
  std::string Body(size_t old_size, size_t size) const {
    return crypto::tlog::FormatAddCheckpoint({old_size, Proof(old_size, size), Checkpoint(size)});
  }
  // A signed note of any text.
  std::string Signed(const std::string& text) const {
    crypto::note::Note note{text, {}};
    crypto::note::Sign(note, verifier_, key_);
    return crypto::note::Format(note);
  }

 private:
  crypto::tlog::testing::Leaves Leaves(size_t size) const {
    return crypto::tlog::testing::Leaves(hashes_).subspan(0, size);
  }

  const std::string origin_;
  const crypto::note::PrivateKey key_;
  const crypto::note::VerifierKey verifier_;
  std::vector<crypto::tlog::Hash> hashes_;
};

}  // namespace raakvlak::log::testing

// Receipts of submits for tests: an entry, as the broker logs it, and a proof that it stands in a log of 2^20
// entries, signed and cosigned with the keys given. The tree is made up: siblings of the proof are random,
// and the root is what they lead to.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/proof_file.h"
#include "policy/receipt.h"
#include "raakvlak/v1/log.pb.h"

namespace raakvlak::testing {

struct LoggedBatch {
  v1::LogEntry entry;
  std::vector<std::string> hashes;
  std::vector<std::string> paths;

  v1::LoggedSignal Signal(size_t position) const {
    v1::LoggedSignal logged;
    logged.set_envelope_hash(hashes.at(position));
    *logged.mutable_entry() = entry;
    logged.set_position(static_cast<uint32_t>(position));
    logged.set_batch(static_cast<uint32_t>(hashes.size()));
    logged.set_path(paths.at(position));
    return logged;
  }
};

// `actor` is the URN of a partner's node, `origin` that of the log; `change` sees the details before they are
// logged.
inline LoggedBatch LogSubmit(const std::string& origin, const std::string& actor, const std::string& purpose,
                             std::vector<std::string> hashes, uint64_t index = 654'321,
                             const std::function<void(v1::AuditDetails&)>& change = nullptr) {
  LoggedBatch batch;
  policy::SubmitTree tree = policy::MakeSubmitTree(hashes);
  batch.paths = std::move(tree.paths);
  v1::AuditDetails details;
  details.set_actor(actor);
  details.set_role("node");
  details.set_action("submit");
  details.set_purpose(purpose);
  details.set_result("OK");
  details.set_count(hashes.size());
  details.set_policy("c12/r345");
  details.set_origin("203.0.113.0/24");
  details.set_trace_id(std::string(16, 't'));
  details.set_batch_root(tree.root);
  if (change) change(details);
  batch.hashes = std::move(hashes);
  batch.entry.set_log(origin);
  batch.entry.set_index(index);
  batch.entry.set_time_ms(1'780'000'000'000);
  batch.entry.set_salt(base::Sha256(absl::StrCat("salt", index)));
  batch.entry.set_details(details.SerializeAsString());
  batch.entry.set_leaf(crypto::tlog::MakeLeaf(static_cast<uint64_t>(batch.entry.time_ms()),
                                              batch.entry.salt(), batch.entry.details()));
  return batch;
}

// A tlog-proof of the entry, with a cosignature of each of `witnesses`, by name.
inline std::string ProveLogged(const v1::LogEntry& entry, const crypto::note::PrivateKey& log_key,
                               const std::map<std::string, const crypto::note::PrivateKey*>& witnesses,
                               uint64_t cosigned_seconds = 1'780'000'001) {
  namespace tlog = crypto::tlog;
  constexpr int kLevels = 20;
  tlog::Hash root = tlog::LeafHash(entry.leaf());
  tlog::Proof proof;
  for (int level = 0; level < kLevels; ++level) {
    proof.push_back(*tlog::Hash::Create(base::Sha256(absl::StrCat("sibling ", level))));
    const bool is_right = (entry.index() >> level & 1) != 0;
    root = is_right ? tlog::NodeHash(proof.back(), root) : tlog::NodeHash(root, proof.back());
  }
  const tlog::Checkpoint checkpoint{entry.log(), uint64_t{1} << kLevels, root};
  const auto verifier = crypto::note::VerifierKey::Create(entry.log(), log_key.public_key());
  RAAKVLAK_CHECK(verifier.ok(), "an origin is a name");
  crypto::note::Note note = tlog::SignCheckpoint(checkpoint, *verifier, log_key);
  for (const auto& [name, key] : witnesses) {
    const auto witness = tlog::WitnessKey::Create(name, key->public_key());
    RAAKVLAK_CHECK(witness.ok(), "a URN is a name");
    note.signatures.push_back(tlog::Cosign(note.text, *witness, *key, cosigned_seconds));
  }
  return tlog::FormatProofFile({std::nullopt, entry.index(), proof, crypto::note::Format(note)});
}

}  // namespace raakvlak::testing

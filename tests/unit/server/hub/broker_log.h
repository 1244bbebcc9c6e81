// What an honest broker answers about an opening: its entry in a log of nine, proven under a checkpoint that
// the partners' witnesses of a TestRegion cosigned. A test bends one part before it is made.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/proof_file.h"
#include "crypto/tlog/tree.h"
#include "policy/covenant.h"
#include "policy/order.h"
#include "raakvlak/v1/log.pb.h"
#include "tests/support/region.h"

namespace raakvlak::hub {

struct LoggedAndProof {
  v1::LogEntry logged;
  std::string proof;
};

struct BrokerLog {
  struct Tree final : public crypto::tlog::HashReader {
    absl::StatusOr<crypto::tlog::Hash> ReadHash(int level, uint64_t at) override {
      return hashes.at({level, at});
    }
    std::map<std::pair<int, uint64_t>, crypto::tlog::Hash> hashes;
  };
  struct Witness {
    std::string name;
    std::string key_of;  // whose witness key signs
    int64_t seconds = 0;
  };

  // Of an opening on `order` at `now`; the first three partners cosigned.
  BrokerLog(const policy::Covenant& covenant, const policy::VerifiedOrder& order, absl::Time now)
      : process(covenant.text().broker().urn()),
        log(absl::StrCat(process, "/", absl::FormatTime("%E4Y", now, absl::UTCTimeZone()))),
        time_ms(absl::ToUnixMillis(now)) {
    const v1::OrderBody& body = order.body;
    details.set_actor(body.staff());
    details.set_role("staff");
    details.set_action("open");
    details.set_object(base::Hex(body.match_id()));
    details.set_purpose(body.purpose());
    details.set_legal_basis(body.legal_basis());
    details.set_case_reference(body.case_reference());
    details.set_reason(body.reason());
    details.set_result("OK");
    details.set_count(2);
    details.set_order_hash(order.hash);
    for (int i = 0; i < 3; ++i) {
      const std::string urn = policy::Urn(covenant.region(), "node", covenant.text().partners(i).id());
      witnesses.push_back({urn, urn, absl::ToUnixSeconds(now)});
    }
  }

  LoggedAndProof Make() const {
    LoggedAndProof made;
    made.logged.set_log(log);
    made.logged.set_index(index);
    made.logged.set_time_ms(time_ms);
    made.logged.set_salt(std::string(crypto::tlog::kSaltSize, 's'));
    made.logged.set_details(details.SerializeAsString());
    made.logged.set_leaf(
        crypto::tlog::MakeLeaf(static_cast<uint64_t>(time_ms), made.logged.salt(), made.logged.details()));
    constexpr uint64_t kSize = 9;
    Tree tree;
    crypto::tlog::Frontier frontier;
    for (uint64_t i = 0; i < kSize; ++i) {
      const std::string entry = i == index ? made.logged.leaf() : absl::StrCat("entry-", i);
      frontier.Append(crypto::tlog::LeafHash(entry), [&](int level, uint64_t at, const auto& hash) {
        tree.hashes.emplace(std::pair(level, at), hash);
      });
    }
    const crypto::note::PrivateKey key = testing::TestRegion::LogKeyOf(process);
    const crypto::tlog::Checkpoint checkpoint{log, kSize, frontier.Root()};
    crypto::note::Note note = crypto::tlog::SignCheckpoint(
        checkpoint, *crypto::note::VerifierKey::Create(log, key.public_key()), key);
    for (const Witness& witness : witnesses) {
      const crypto::note::PrivateKey witness_key = testing::TestRegion::WitnessKeyOf(witness.key_of);
      note.signatures.push_back(crypto::tlog::Cosign(
          note.text, *crypto::tlog::WitnessKey::Create(witness.name, witness_key.public_key()), witness_key,
          static_cast<uint64_t>(witness.seconds)));
    }
    made.proof = crypto::tlog::FormatProofFile(
        {std::nullopt, index, *crypto::tlog::InclusionProof(index, kSize, tree), crypto::note::Format(note)});
    return made;
  }

  std::string process;  // whose log key signs
  std::string log;
  uint64_t index = 5;
  int64_t time_ms;
  v1::AuditDetails details;
  std::vector<Witness> witnesses;
};

}  // namespace raakvlak::hub

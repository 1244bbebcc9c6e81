// NodeWorld: the four nodes of TestRegion in one process, with real key shares (t = 3 of 4) and a fake
// broker, for tests. Nodes reach each other by fakes that call the other's real KeyShare; a test replaces
// `peers` of a node to make a holder lie or stay away.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "client/testing/fake_exchange_client.h"
#include "client/testing/fake_key_share_client.h"
#include "crypto/group/scalar.h"
#include "policy/keyset/keyset.h"
#include "server/node/address_exclusion.h"
#include "server/node/allowances.h"
#include "server/node/destruction.h"
#include "server/node/holders.h"
#include "server/node/intake.h"
#include "server/node/key_share.h"
#include "server/node/outbox.h"
#include "server/node/pseudonymiser.h"
#include "server/node/receipts.h"
#include "server/node/rotator.h"
#include "server/node/sender.h"
#include "server/node/vault.h"
#include "server/storage/memory/node_store.h"
#include "tests/support/forwarding_node_store.h"
#include "tests/support/region.h"

namespace raakvlak::node::testing {

// FakeBroker takes envelopes as the broker does, checks each as the broker does, and remembers them by signal
// id.
class FakeBroker {
 public:
  explicit FakeBroker(raakvlak::testing::TestRegion& region) : region_(region) {}

  client::ExchangeClient& ClientOf(const std::string& partner);

  // Says nothing when true: UNAVAILABLE.
  bool away = false;
  // Takes the envelopes, and then the answer is lost.
  bool lose_answers = false;
  // When set: the reason that envelopes are not accepted for.
  std::string refuse_with;
  // Called at the start of each Submit.
  std::function<void()> on_submit;
  // See the answer to a submit, and a tlog-proof, before it leaves.
  std::function<void(v1::SubmitResponse&)> change_answer;
  std::function<void(std::string&)> change_proof;

  struct Taken {
    v1::Envelope envelope;
    std::string hash;
    v1::SignalHeader header;
    v1::EnvelopeBody body;
  };
  // By signal id: the version of the newest epoch.
  std::map<std::string, Taken> taken;
  // By signal id and epoch.
  std::map<std::pair<std::string, uint32_t>, Taken> versions;
  // Deletes all versions of an epoch, as the broker does when it ends.
  void EndEpoch(const std::string& purpose, uint32_t epoch);
  // What ListAllowances answers, and how often it was asked.
  v1::ListAllowancesResponse allowances;
  int allowances_asked = 0;
  std::set<std::string> withdrawn;
  // Sizes of the batches that came, accepted or not.
  std::vector<int> batches;
  // Why an envelope was not accepted by the checks themselves; must stay empty in an honest test.
  std::vector<std::string> refusals;
  // Different hashes that ever came under one signal id, and under one signal id and epoch.
  std::map<std::string, std::set<std::string>> hashes;
  std::map<std::pair<std::string, uint32_t>, std::set<std::string>> version_hashes;
  // Signal ids in the order in which new versions were taken, batch by batch.
  std::vector<std::set<std::string>> taken_batches;

 private:
  absl::StatusOr<v1::SubmitResponse> Submit(const std::string& partner, const v1::SubmitRequest& request);
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const std::string& partner,
                                                       const v1::WithdrawSignalsRequest& request);
  absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const v1::ProveEntryRequest& request);
  absl::StatusOr<v1::ListAllowancesResponse> ListAllowances();

  raakvlak::testing::TestRegion& region_;
  // By envelope hash: what was logged when it was taken.
  std::map<std::string, v1::LoggedSignal> logged_;
  base::Mutex mutex_;
  std::map<std::string, std::unique_ptr<client::testing::FakeExchangeClient>> clients_;
};

struct TestNode {
  std::string partner;
  std::unique_ptr<Vault> vault;
  std::unique_ptr<AddressExclusion> exclusion;
  std::unique_ptr<KeyRing> keys;
  Environment environment;
  std::unique_ptr<Allowances> allowances;
  std::unique_ptr<KeyShare> key_share;
  std::unique_ptr<LocalKeyShare> own_share;
  std::map<std::string, std::unique_ptr<client::testing::FakeKeyShareClient>> peers;
  std::unique_ptr<Holders> holders;
  std::unique_ptr<Pseudonymiser> pseudonymiser;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<Sender> sender;
  std::unique_ptr<Rotator> rotator;
  std::unique_ptr<Destruction> destruction;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Receipts> receipts;
};

class NodeWorld {
 public:
  // `change` may alter the covenant before it is signed.
  explicit NodeWorld(const std::function<void(v1::Covenant&)>& change = nullptr);

  raakvlak::testing::TestRegion& region() { return region_; }
  base::testing::FakeClock& clock() { return region_.clock(); }
  FakeBroker& broker() { return broker_; }
  TestNode& node(const std::string& partner) { return nodes_.at(partner); }
  // Makes the cores of a node anew over `store` (by default what it had): a restart. Nothing but the store
  // survives.
  TestNode& Restart(const std::string& partner, storage::NodeStore* store = nullptr);
  policy::Snapshot Snapshot();
  // The pass of the partner's own IT at its node.
  rpc::Gate::Pass ItPass(const std::string& partner);
  const policy::KeysetStore& keysets() const { return *keysets_; }
  std::shared_ptr<const policy::Keyset> KeysetOf(const std::string& purpose,
                                                 v1::IdentifierClass identifier_class,
                                                 uint32_t epoch = 1) const;
  // A new covenant, in force from now on, raises the epoch of a purpose and serves the one before for
  // `overlap` (whole days); all nodes get the new keys, or MakeKeys gives them later.
  enum class Keys { kAll, kNone };
  void RaiseEpoch(const std::string& purpose, absl::Duration overlap, Keys keys = Keys::kAll,
                  const std::function<void(v1::Purpose&)>& change = nullptr);
  // A new covenant, in force from now on, lacks a purpose.
  void RemovePurpose(const std::string& purpose);
  // A new covenant that comes into force after `wait` has one purpose more.
  void AnnouncePurpose(const std::string& purpose, absl::Duration wait);
  // Makes the keys that the covenant (nullptr: the one in force) wants and that are missing, of these classes
  // or of all.
  void MakeKeys(const std::set<int>& classes = {},
                std::shared_ptr<const policy::Covenant> covenant = nullptr);
  // The whole key, which nobody has outside of tests.
  const crypto::group::Scalar& KeyOf(const std::string& keyset_id) const { return keys_.at(keyset_id); }
  const std::map<std::string, crypto::group::Scalar>& SharesOf(const std::string& partner) const {
    return shares_.at(partner);
  }
  base::Random& random() { return random_; }
  // Signs and writes a list of excluded addresses, issued now; the world begins with number 1.
  void WriteExcluded(uint64_t number, const std::set<std::string>& addresses);
  std::string excluded_addresses_path() const { return folder_.File("excluded.note"); }
  std::string seen_path(const std::string& partner) const { return folder_.File(partner + ".seen"); }

  // A valid record; BSN only for those who may.
  static v1::Record RecordOf(const std::string& client_ref, const std::string& purpose = "onaantastbaren",
                             bool with_bsn = true);
  // Pushes one record and returns its receipt.
  v1::PushReceipt Push(const std::string& partner, const v1::Record& record);
  v1::SignalStatus StateOf(const std::string& partner, const std::string& client_ref);
  // Lets the sender of a node work until nothing is due.
  void Drain(const std::string& partner);
  // Lets the rotator of a node work until nothing is due.
  void Rotate(const std::string& partner);
  // Makes the rotator of a node anew with units of this size.
  Rotator& MakeRotator(const std::string& partner, size_t unit);

 private:
  void NextCovenant();
  void MakeKeyset(const policy::Covenant& covenant, const v1::Purpose& purpose, int identifier_class);
  std::unique_ptr<KeyRing> LoadKeys(const std::string& partner);

  raakvlak::testing::TestRegion region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{7};
  FakeBroker broker_{region_};
  std::unique_ptr<policy::KeysetStore> keysets_;
  std::map<std::string, crypto::group::Scalar> keys_;
  std::map<std::string, std::map<std::string, crypto::group::Scalar>> shares_;
  std::map<std::string, std::unique_ptr<storage::MemoryNodeStore>> stores_;
  std::map<std::string, TestNode> nodes_;
};

// FlakyStore passes everything on, but the write with number `fail_at` (from 1) fails: before it is done, or
// after, as when the machine stops right after COMMIT. From then on every write fails, until the process is
// "started again" with another store.
class FlakyStore final : public raakvlak::testing::ForwardingNodeStore {
 public:
  enum class When { kBefore, kAfter };
  FlakyStore(storage::NodeStore& store, int fail_at, When when)
      : ForwardingNodeStore(store), fail_at_(fail_at), when_(when) {}
  bool failed() const { return failed_; }
  int writes() const { return writes_; }

  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::NodeTransaction&)> body) override;

 private:
  const int fail_at_;
  const When when_;
  int writes_ = 0;
  bool failed_ = false;
};

}  // namespace raakvlak::node::testing

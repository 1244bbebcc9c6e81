#include "policy/receipt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "tests/support/receipts.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::LoggedBatch;
using raakvlak::testing::LogSubmit;
using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;

constexpr char kPurpose[] = "onaantastbaren";

class ReceiptTest : public ::testing::Test {
 protected:
  ReceiptTest() {
    region_.Write();
    covenant_ = region_.authority().Current()->covenant;
    for (const char* partner : {"politie", "gemeente", "jeugdzorg", "woningcorporatie"}) {
      const std::string urn = TestRegion::Urn("node", partner);
      keys_.emplace(urn, TestRegion::WitnessKeyOf(urn));
    }
  }
  static std::string Hash(size_t number) { return base::Sha256(absl::StrCat("envelope ", number)); }
  // A batch of `count`; `change` sees the details of its entry.
  LoggedBatch Batch(size_t count, const std::function<void(v1::AuditDetails&)>& change = nullptr) {
    std::vector<std::string> hashes;
    for (size_t i = 0; i < count; ++i) hashes.push_back(Hash(i));
    return LogSubmit(log_, actor_, kPurpose, hashes, 654'321, change);
  }
  std::string Prove(const v1::LogEntry& entry, size_t witnesses = 4) {
    std::map<std::string, const crypto::note::PrivateKey*> signers;
    for (const auto& [urn, key] : keys_) {
      if (signers.size() < witnesses) signers.emplace(urn, &key);
    }
    return raakvlak::testing::ProveLogged(entry, log_key_, signers);
  }
  absl::Status Check(const v1::LoggedSignal& logged) {
    return CheckLogged(logged, *covenant_, "politie", kPurpose, Hash(2));
  }
  absl::StatusOr<std::string> Make(const v1::LoggedSignal& logged, size_t witnesses = 4) {
    return MakeReceipt(logged, Prove(logged.entry(), witnesses), *covenant_);
  }
  static std::string Change(const std::string& bytes, const std::function<void(v1::SignalReceipt&)>& change) {
    v1::SignalReceipt receipt;
    EXPECT_TRUE(receipt.ParseFromString(bytes));
    change(receipt);
    return receipt.SerializeAsString();
  }

  TestRegion region_;
  std::shared_ptr<const Covenant> covenant_;
  std::map<std::string, crypto::note::PrivateKey> keys_;
  std::string log_ = TestRegion::Urn("broker", "centre") + "/2026";
  const std::string actor_ = TestRegion::Urn("node", "politie");
  const crypto::note::PrivateKey log_key_ = TestRegion::LogKeyOf(TestRegion::Urn("broker", "centre"));
};

TEST_F(ReceiptTest, EverySignalOfABatchIsLedToItsEntry) {
  for (const size_t count : {1, 2, 3, 7, 255, 256}) {
    const LoggedBatch batch = Batch(count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_THAT(CheckLogged(batch.Signal(i), *covenant_, "politie", kPurpose, Hash(i)), IsOk())
          << i << " of " << count;
    }
  }
}

TEST_F(ReceiptTest, WhatTheBrokerDidNotLogSoIsRefused) {
  const v1::LoggedSignal good = Batch(5).Signal(2);
  ASSERT_THAT(Check(good), IsOk());
  using L = v1::LoggedSignal&;
  using D = v1::AuditDetails&;
  struct Case {
    const char* what;
    const char* want;
    std::function<void(L)> change;
    std::function<void(D)> details;
  };
  const char* wrong = reason::kVerificationFailed;
  const char* unproven = reason::kProofInvalid;
  const Case cases[] = {
      {"another envelope", wrong, [](L logged) { logged.set_envelope_hash(Hash(1)); }, nullptr},
      {"log of a node", wrong,
       [](L logged) { logged.mutable_entry()->set_log(TestRegion::Urn("node", "politie") + "/2026"); },
       nullptr},
      {"no log", wrong, [](L logged) { logged.mutable_entry()->clear_log(); }, nullptr},
      {"erased", wrong, [](L logged) { logged.mutable_entry()->clear_salt(); }, nullptr},
      {"time before 1970", wrong, [](L logged) { logged.mutable_entry()->set_time_ms(-1); }, nullptr},
      {"details that do not parse", wrong, [](L logged) { logged.mutable_entry()->set_details("\xff"); },
       nullptr},
      {"another action", wrong, nullptr, [](D details) { details.set_action("withdraw"); }},
      {"refused", wrong, nullptr, [](D details) { details.set_result("QUOTA_EXCEEDED"); }},
      {"another purpose", wrong, nullptr, [](D details) { details.set_purpose("risicojeugd"); }},
      {"another partner", wrong, nullptr,
       [](D details) { details.set_actor(TestRegion::Urn("node", "gemeente")); }},
      {"another role", wrong, nullptr,
       [](D details) { details.set_actor(TestRegion::Urn("it", "politie")); }},
      {"another count", wrong, nullptr, [](D details) { details.set_count(6); }},
      {"another batch size", wrong, [](L logged) { logged.set_batch(6); }, nullptr},
      {"another salt", wrong, [](L logged) { logged.mutable_entry()->set_salt(std::string(32, 's')); },
       nullptr},
      {"another leaf", wrong, [](L logged) { logged.mutable_entry()->mutable_leaf()->back() ^= 1; }, nullptr},
      {"no root", unproven, nullptr, [](D details) { details.clear_batch_root(); }},
      {"another root", unproven, nullptr, [](D details) { details.set_batch_root(Hash(0)); }},
      {"another position", unproven, [](L logged) { logged.set_position(3); }, nullptr},
      {"behind the end", unproven, [](L logged) { logged.set_position(5); }, nullptr},
      {"a hash too many", unproven, [](L logged) { *logged.mutable_path() += Hash(0); }, nullptr},
      {"a hash too few", unproven, [](L logged) { logged.mutable_path()->resize(64); }, nullptr},
      {"half a hash", wrong, [](L logged) { logged.mutable_path()->resize(65); }, nullptr},
      {"a flipped bit", unproven, [](L logged) { logged.mutable_path()->front() ^= 1; }, nullptr},
  };
  for (const Case& each : cases) {
    v1::LoggedSignal logged = Batch(5, each.details).Signal(2);
    if (each.change) each.change(logged);
    EXPECT_THAT(Check(logged), HasReason(each.want)) << each.what;
  }
  v1::LoggedSignal large =
      LogSubmit(log_, actor_, kPurpose, std::vector<std::string>(257, Hash(2))).Signal(2);
  EXPECT_THAT(Check(large), HasReason(wrong)) << "257";
}

TEST_F(ReceiptTest, TheWholeSaysWhatWasProven) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string bytes, Make(Batch(5).Signal(2)));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifiedReceipt verified, VerifyReceipt(bytes, *covenant_));
  EXPECT_EQ(verified.envelope_hash, Hash(2));
  EXPECT_EQ(verified.partner, "politie");
  EXPECT_EQ(verified.details.purpose(), kPurpose);
  EXPECT_EQ(verified.log, log_);
  EXPECT_EQ(verified.index, 654'321u);
  EXPECT_EQ(verified.time_ms, 1'780'000'000'000);
  EXPECT_EQ(verified.checkpoint_size, uint64_t{1} << 20);
  EXPECT_EQ(verified.cosigned_time, 1'780'000'001u);
  EXPECT_EQ(verified.witnesses.size(), 3u) << "as many as the covenant asks for, of four";
}

// 2^20 entries, a batch of 256, a region of four partners.
TEST_F(ReceiptTest, AReceiptTakesNoMoreThanTwoKibibytes) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string bytes, Make(Batch(256).Signal(2)));
  RecordProperty("bytes", static_cast<int>(bytes.size()));
  EXPECT_LE(bytes.size(), 2048u);
  EXPECT_GT(bytes.size(), 1500u) << "it holds 28 hashes, four signatures and the details";
}

TEST_F(ReceiptTest, AReceiptThatProvesNothingIsRefusedAndSaysWhy) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string good, Make(Batch(5).Signal(2)));
  using R = v1::SignalReceipt&;
  const std::tuple<const char*, const char*, std::function<void(R)>, const char*> cases[] = {
      {"no version", reason::kVerificationFailed, [](R r) { r.clear_version(); }, "version"},
      {"a later version", reason::kVerificationFailed, [](R r) { r.set_version(2); }, "version"},
      {"a log beside the checkpoint's", reason::kVerificationFailed,
       [](R r) { r.mutable_logged()->mutable_entry()->set_log("x"); }, "spelling"},
      {"a leaf beside its parts", reason::kVerificationFailed,
       [](R r) { r.mutable_logged()->mutable_entry()->set_leaf("x"); }, "spelling"},
      {"another envelope", reason::kProofInvalid, [](R r) { r.mutable_logged()->set_envelope_hash(Hash(1)); },
       "from the envelope"},
      {"another entry", reason::kProofInvalid,
       [](R r) { r.mutable_logged()->mutable_entry()->set_index(654'320); }, "root"},
      {"another time", reason::kProofInvalid,
       [](R r) { r.mutable_logged()->mutable_entry()->set_time_ms(1); }, "root"},
      {"another salt", reason::kProofInvalid,
       [](R r) { r.mutable_logged()->mutable_entry()->set_salt(Hash(0)); }, "root"},
      {"a sibling changed", reason::kProofInvalid, [](R r) { r.mutable_proof()->back() ^= 1; }, "root"},
      {"a sibling gone", reason::kProofInvalid, [](R r) { r.mutable_proof()->resize(19 * 32); }, "short"},
      {"half a sibling", reason::kVerificationFailed, [](R r) { r.mutable_proof()->resize(19 * 32 + 1); },
       "hashes"},
      {"no checkpoint", reason::kVerificationFailed, [](R r) { r.clear_checkpoint(); }, "checkpoint"},
      {"a checkpoint of no size", reason::kVerificationFailed,
       [](R r) { r.mutable_checkpoint()->replace(r.checkpoint().find("\n1048576"), 8, "\nxxxxxxx"); },
       "checkpoint"},
      {"another size", reason::kSignatureInvalid,
       [](R r) { r.mutable_checkpoint()->replace(r.checkpoint().find("\n1048576"), 8, "\n1048577"); }, ""},
      {"a witness less", reason::kQuorumMissing,
       [](R r) { r.mutable_checkpoint()->resize(r.checkpoint().rfind("\n", r.checkpoint().size() - 2) + 1); },
       "2 witnesses"},
  };
  for (const auto& [what, want, change, says] : cases) {
    const auto verified = VerifyReceipt(Change(good, change), *covenant_);
    EXPECT_THAT(verified, HasReason(want)) << what;
    EXPECT_THAT(std::string(verified.status().message()), ::testing::HasSubstr(says)) << what;
  }
  EXPECT_THAT(VerifyReceipt("", *covenant_), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(VerifyReceipt("not a receipt", *covenant_), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(VerifyReceipt(good + std::string("\x08\x01", 2), *covenant_),
              HasReason(reason::kVerificationFailed))
      << "the version twice";
  EXPECT_THAT(VerifyReceipt(good + std::string("\xa0\x06\x01", 3), *covenant_),
              HasReason(reason::kVerificationFailed))
      << "an unknown field";
}

TEST_F(ReceiptTest, EveryFlippedBitIsFound) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string good, Make(Batch(5).Signal(2)));
  for (size_t position = 0; position < good.size(); ++position) {
    std::string flipped = good;
    flipped[position] = static_cast<char>(flipped[position] ^ (1 << (position % 8)));
    EXPECT_FALSE(VerifyReceipt(flipped, *covenant_).ok()) << position;
  }
}

TEST_F(ReceiptTest, OnlyTheBrokersLogAndThePartnersOfTheCovenantCount) {
  // All that a node can make alone: a log of its own, which the broker witnesses.
  v1::LoggedSignal own =
      LogSubmit(TestRegion::Urn("node", "politie") + "/2026", actor_, kPurpose, {Hash(0)}).Signal(0);
  const crypto::note::PrivateKey node_key = TestRegion::LogKeyOf(actor_);
  const std::string broker = TestRegion::Urn("broker", "centre");
  const crypto::note::PrivateKey broker_key = TestRegion::WitnessKeyOf(broker);
  const std::string proof = raakvlak::testing::ProveLogged(own.entry(), node_key, {{broker, &broker_key}});
  EXPECT_THAT(MakeReceipt(own, proof, *covenant_), HasReason(reason::kVerificationFailed));
  const v1::LoggedSignal stranger =
      LogSubmit(log_, TestRegion::Urn("node", "stranger"), kPurpose, {Hash(0)}).Signal(0);
  EXPECT_THAT(Make(stranger), HasReason(reason::kVerificationFailed));
}

TEST_F(ReceiptTest, AProofOfAnotherEntryOrOfTooFewWitnessesMakesNoReceipt) {
  const v1::LoggedSignal logged = Batch(5).Signal(2);
  EXPECT_THAT(Make(logged, 3), IsOk());
  EXPECT_THAT(Make(logged, 2), HasReason(reason::kQuorumMissing));
  EXPECT_THAT(MakeReceipt(logged, "c2sp.org/tlog-proof@v1\n", *covenant_),
              HasReason(reason::kVerificationFailed));
  v1::LogEntry other = logged.entry();
  other.set_index(1);
  EXPECT_THAT(MakeReceipt(logged, Prove(other), *covenant_), HasReason(reason::kProofInvalid));
  std::string renamed = Prove(logged.entry());
  renamed.replace(renamed.find("654321"), 6, "654320");
  EXPECT_THAT(MakeReceipt(logged, renamed, *covenant_), HasReason(reason::kProofInvalid));
  // The same entry in the log of another year is another entry.
  other = logged.entry();
  other.set_log(TestRegion::Urn("broker", "centre") + "/2027");
  EXPECT_THAT(MakeReceipt(logged, Prove(other), *covenant_), HasReason(reason::kSignatureInvalid));
}

}  // namespace
}  // namespace raakvlak::policy

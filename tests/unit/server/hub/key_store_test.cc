#include "server/hub/key_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "client/testing/fake_ceremony_client.h"
#include "policy/keyset/key_files.h"
#include "server/storage/hub_store.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace reason = base::reason;

constexpr absl::Duration kOverlap = absl::Hours(24 * 14);

class EntriesOnly final : public storage::AuditAppender {
 public:
  absl::StatusOr<storage::Logged> AppendAudit(const storage::AuditEntry& entry) override {
    if (fail) return base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "disk full");
    entries.push_back(entry.action + " " + entry.purpose + " " + entry.reason);
    return storage::Logged();
  }
  bool fail = false;
  std::vector<std::string> entries;
};

class KeyStoreTest : public HubTest {
 protected:
  KeyStoreTest() {
    for (const auto& [id, pair] : seal_keys_) WriteSealKey(id);
    broker_.on_list = [this](const v1::ListCeremoniesRequest&) {
      v1::ListCeremoniesResponse list;
      for (const v1::CeremonyKeysets& ceremony : posted_.ceremonies()) {
        list.add_ceremonies()->set_keysets(static_cast<uint32_t>(ceremony.keysets_size()));
      }
      return list;
    };
    broker_.on_keysets = [this](const v1::KeysetsRequest&) {
      ++asked_;
      return posted_;
    };
  }
  void WriteSealKey(const std::string& id) {
    ASSERT_THAT(policy::WriteSealKey(seal_folder_.path(), seal_keys_.at(id)), IsOk());
  }
  std::unique_ptr<KeyStore> Start(const std::string& keysets = "") {
    auto store = KeyStore::Open(
        {seal_folder_.path(), keysets.empty() ? keyset_folder_.path() : keysets},
        [this] { return FindPolicy(); }, audit_, region_.clock());
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  absl::StatusOr<policy::Snapshot> FindPolicy() {
    RAAKVLAK_RETURN_IF_ERROR(region_.authority().Current().status());
    return snapshot();
  }
  std::string SealKey(const std::string& purpose, uint32_t epoch) {
    return covenants_.back()->FindSealKey(purpose, epoch)->id();
  }
  bool HasFile(const std::string& id) { return std::filesystem::exists(seal_folder_.File(id + ".seal")); }
  // What holders posted one by one, when `note` has the signatures of all.
  void Post(const std::string& note) {
    const auto parsed = *crypto::note::Parse(note);
    v1::CeremonyKeysets& ceremony = *posted_.add_ceremonies();
    for (const auto& signature : parsed.signatures) {
      ceremony.add_keysets(crypto::note::Format({parsed.text, {signature}}));
    }
  }

  base::testing::TemporaryFolder seal_folder_;
  base::testing::TemporaryFolder empty_;
  EntriesOnly audit_;
  client::testing::FakeCeremonyClient broker_;
  v1::KeysetsResponse posted_;
  int asked_ = 0;
};

TEST_F(KeyStoreTest, StartsWithoutAnyKeysetAndTakesThemFromTheBroker) {
  const auto store = Start(empty_.File("keysets"));
  EXPECT_EQ(store->Now()->keysets.size(), 0u);
  const auto before = store->Now();
  Post(MakeKeyset(PurposeOf(kList), 1, 1, "", keys_.at({kList, 1})));
  ASSERT_THAT(store->Poll(broker_, absl::Seconds(1)), IsOk());
  ASSERT_NE(store->Now()->keysets.Newest(kList, 1, 1), nullptr);
  EXPECT_EQ(before->keysets.size(), 0u) << "a call works with what it got";
  EXPECT_THAT(store->Poll(broker_, absl::Seconds(1)), IsOk());
  EXPECT_EQ(asked_, 1) << "nothing is new";
  EXPECT_EQ(Start(empty_.File("keysets"))->Now()->keysets.size(), 1u) << "kept over a restart";
}

TEST_F(KeyStoreTest, KeysetThatNotAllHoldersSignedIsNotTaken) {
  const auto store = Start(empty_.path());
  Post(MakeKeyset(PurposeOf(kList), 1, 1, "", keys_.at({kList, 1})));
  posted_.mutable_ceremonies(0)->mutable_keysets()->RemoveLast();
  ASSERT_THAT(store->Poll(broker_, absl::Seconds(1)), IsOk());
  EXPECT_EQ(store->Now()->keysets.size(), 0u);
}

TEST_F(KeyStoreTest, KeysetOfTheSameEpochWithAnotherPublicKeyIsRefused) {
  const auto store = Start();
  const auto first = store->Now()->keysets.Newest(kList, 1, 1);
  ASSERT_NE(first, nullptr);
  Post(MakeKeyset(PurposeOf(kList), 1, 2, first->id(), crypto::group::Scalar::Random(random_)));
  ASSERT_THAT(store->Poll(broker_, absl::Seconds(1)), IsOk());
  EXPECT_EQ(store->Now()->keysets.Newest(kList, 1, 1), first);
  Post(MakeKeyset(PurposeOf(kList), 1, 2, first->id(), keys_.at({kList, 1})));
  ASSERT_THAT(store->Poll(broker_, absl::Seconds(1)), IsOk());
  EXPECT_EQ(store->Now()->keysets.Newest(kList, 1, 1)->text().generation, 2u);
}

TEST_F(KeyStoreTest, BrokerThatIsAwayChangesNothing) {
  const auto store = Start();
  const size_t size = store->Now()->keysets.size();
  broker_.on_list = nullptr;
  EXPECT_THAT(store->Poll(broker_, absl::Seconds(1)), HasReason(reason::kUnavailable));
  EXPECT_EQ(store->Now()->keysets.size(), size);
}

TEST_F(KeyStoreTest, DamagedKeysetFileDoesNotStopTheHub) {
  ASSERT_THAT(base::WriteFileAtomically(keyset_folder_.File("damaged.keyset"), "no keyset\n", 0644), IsOk());
  EXPECT_GT(Start()->Now()->keysets.size(), 0u);
}

TEST_F(KeyStoreTest, SealKeyThatComesLaterIsLoadedWithoutARestart) {
  const auto store = Start();
  RaiseEpoch(kList, kOverlap);
  const std::string id = SealKey(kList, 2);
  store->Look();
  EXPECT_FALSE(store->Now()->seal_keys.contains(id));
  EXPECT_THAT(KeyStore::CheckSealKeys(seal_folder_.path(), snapshot(), region_.clock().Now()),
              HasReason(reason::kFileUnreadable));
  WriteSealKey(id);
  store->Look();
  EXPECT_TRUE(store->Now()->seal_keys.contains(id));
  EXPECT_TRUE(store->Now()->seal_keys.contains(SealKey(kList, 1)));
  EXPECT_THAT(KeyStore::CheckSealKeys(seal_folder_.path(), snapshot(), region_.clock().Now()), IsOk());
  EXPECT_THAT(audit_.entries, IsEmpty());
}

TEST_F(KeyStoreTest, SealKeyOfAnEpochThatEndsIsDestroyedWithOneEntry) {
  const auto store = Start();
  const std::string old = SealKey(kList, 1);
  RaiseEpoch(kList, kOverlap);
  WriteSealKey(SealKey(kList, 2));
  region_.clock().Advance(kOverlap - absl::Seconds(1));
  store->Look();
  EXPECT_TRUE(HasFile(old));
  region_.clock().Advance(absl::Seconds(1));
  audit_.fail = true;
  store->Look();
  EXPECT_TRUE(HasFile(old)) << "not before it is logged";
  audit_.fail = false;
  for (int i = 0; i < 3; ++i) store->Look();
  EXPECT_FALSE(HasFile(old));
  EXPECT_FALSE(store->Now()->seal_keys.contains(old));
  EXPECT_TRUE(HasFile(SealKey(kList, 2)));
  EXPECT_THAT(audit_.entries, ElementsAre("key_destroyed onaantastbaren seal key of epoch 1"));
}

TEST_F(KeyStoreTest, SealKeyOfACovenantThatFollowsIsLoadedAndThatInUseStays) {
  RaiseEpoch(kList, absl::ZeroDuration());
  WriteSealKey(SealKey(kList, 2));
  // Its date has come, its roster not.
  policy::Snapshot waiting = snapshot();
  waiting.covenant = covenants_[0];
  const auto store = KeyStore::Open(
      {seal_folder_.path(), keyset_folder_.path()}, [&] { return waiting; }, audit_, region_.clock());
  ASSERT_THAT(store, IsOk());
  const std::string old = covenants_[0]->FindSealKey(kList, 1)->id();
  EXPECT_TRUE((*store)->Now()->seal_keys.contains(old));
  EXPECT_TRUE((*store)->Now()->seal_keys.contains(SealKey(kList, 2)));
  EXPECT_TRUE(HasFile(old));
  waiting = snapshot();
  (*store)->Look();
  EXPECT_FALSE(HasFile(old));
}

TEST_F(KeyStoreTest, DestructionStandsInTheLogOfTheHub) {
  base::testing::TemporaryFolder state;
  const auto open = [&state] {
    auto store = storage::OpenHubStore(state.File("hub.db"), storage::testing::TestCodec());
    RAAKVLAK_CHECK(store.ok(), "it opens");
    return *std::move(store);
  };
  const std::string old = SealKey(kList, 1);
  RaiseEpoch(kList, absl::ZeroDuration());
  {
    const auto hub = open();
    ASSERT_THAT(KeyStore::Open(
                    {seal_folder_.path(), keyset_folder_.path()}, [this] { return FindPolicy(); }, *hub,
                    region_.clock()),
                IsOk());
  }
  EXPECT_FALSE(HasFile(old));
  const auto hub = open();
  const std::vector<storage::AuditEntry> entries = storage::testing::Entries(hub->audit_log());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].action, "key_destroyed");
  EXPECT_EQ(entries[0].object, old);
  EXPECT_EQ(entries[0].purpose, kList);
  EXPECT_EQ(entries[0].actor, region_.covenant().hub().urn());
  EXPECT_EQ(entries[0].role, "hub");
  EXPECT_EQ(entries[0].policy, snapshot().Name());
  EXPECT_EQ(entries[0].result, "OK");
}

TEST_F(KeyStoreTest, SealKeyOfAPurposeThatEndsIsDestroyed) {
  const std::string old = SealKey(kMixed, 1);
  const auto store = Start();
  RaiseEpoch(kList, absl::ZeroDuration(), [this](v1::Covenant& covenant) {
    region_.roster().mutable_members(0)->mutable_purposes()->RemoveLast();
    auto& purposes = *covenant.mutable_purposes();
    for (int i = purposes.size() - 1; i >= 0; --i) {
      if (purposes[i].id() == kMixed) purposes.DeleteSubrange(i, 1);
    }
    auto& keys = *covenant.mutable_hub()->mutable_seal_keys();
    for (int i = keys.size() - 1; i >= 0; --i) {
      if (keys[i].purpose() == kMixed) keys.DeleteSubrange(i, 1);
    }
  });
  store->Look();
  EXPECT_FALSE(HasFile(old));
  EXPECT_THAT(audit_.entries, SizeIs(2)) << "and that of the epoch that ended without overlap";
}

TEST_F(KeyStoreTest, KeyThatNoCovenantNamesIsLeftAlone) {
  const auto made_beforehand = crypto::seal::GenerateSealKeyPair(random_);
  ASSERT_THAT(policy::WriteSealKey(seal_folder_.path(), made_beforehand), IsOk());
  const auto store = Start();
  store->Look();
  EXPECT_TRUE(HasFile(crypto::seal::SealKeyId(made_beforehand.public_key)));
  EXPECT_THAT(audit_.entries, IsEmpty());
}

TEST_F(KeyStoreTest, WithNothingInForceNothingIsDestroyed) {
  const std::string old = SealKey(kList, 1);
  const auto store = Start();
  RaiseEpoch(kList, kOverlap);
  region_.clock().Advance(absl::Hours(24 * 40));
  ASSERT_FALSE(region_.authority().Current().ok()) << "the roster has expired";
  store->Look();
  EXPECT_TRUE(HasFile(old));
}

}  // namespace
}  // namespace raakvlak::hub

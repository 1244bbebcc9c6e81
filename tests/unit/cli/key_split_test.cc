#include "cli/key_split.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/threshold/combine.h"
#include "policy/keyset/keyset.h"
#include "tests/support/region.h"

namespace raakvlak::cli {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

class KeySplitTest : public ::testing::Test {
 protected:
  KeySplitTest() { Reload(); }

  void Reload() {
    region_.Write();
    covenant_ = *policy::Covenant::Verify(*base::ReadFile(region_.covenant_path()));
    for (const auto& partner : covenant_->text().partners()) {
      const std::string urn = TestRegion::Urn("node", partner.id());
      auto copy = crypto::note::PrivateKey::FromPem(region_.KeyOf(urn).ToPem());
      keys_.signing.insert_or_assign(partner.id(), *std::move(copy));
      keys_.vault.insert_or_assign(partner.id(), base::SecretBytes(std::string(32, partner.id()[0])));
    }
  }
  absl::StatusOr<std::vector<SplitResult>> Split(IfPresent if_present = IfPresent::kRefuse) {
    return SplitAll(*covenant_, keys_, folder_.path(), if_present, random_);
  }
  policy::KeysetStore Store() {
    return *policy::KeysetStore::Load(folder_.File("keysets"), *policy::CovenantChain::Create({covenant_}));
  }
  int Files(const std::string& folder) {
    int count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.File(folder), ignored)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  TestRegion region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{21};
  std::shared_ptr<const policy::Covenant> covenant_;
  SplitKeys keys_;
};

TEST_F(KeySplitTest, EachPurposeAndClassInUseGetsItsOwnKey) {
  const auto results = Split();
  ASSERT_THAT(results, IsOk());
  ASSERT_EQ(results->size(), 5u) << "two purposes with BSN and PERSON, one with ADDRESS";
  const auto store = Store();
  std::set<std::string> public_keys;
  for (const SplitResult& result : *results) {
    EXPECT_TRUE(result.made);
    const auto keyset = store.Newest(result.purpose, result.identifier_class, 1);
    ASSERT_NE(keyset, nullptr);
    EXPECT_EQ(keyset->id(), result.keyset_id);
    public_keys.insert(keyset->public_key().Encode());
  }
  EXPECT_EQ(public_keys.size(), 5u);
}

TEST_F(KeySplitTest, AnyQuorumOfSharesIsTheKeyAndEveryHolderHoldsEveryClass) {
  ASSERT_THAT(Split(), IsOk());
  const auto store = Store();
  for (const auto& keyset : store.all()) {
    std::vector<crypto::group::Scalar> shares;
    for (const auto& holder : keyset->holders()) {
      const auto share = policy::ReadShare(folder_.File("shares/" + holder.partner), *keyset, holder.partner,
                                           keys_.vault.at(holder.partner));
      ASSERT_THAT(share, IsOk()) << holder.partner;
      shares.push_back(*share);
    }
    ASSERT_EQ(shares.size(), 4u);
    for (size_t without = 0; without < 4; ++without) {
      std::vector<uint32_t> indices;
      std::vector<crypto::group::Scalar> chosen;
      for (size_t i = 0; i < 4; ++i) {
        if (i == without) continue;
        indices.push_back(keyset->holders()[i].index);
        chosen.push_back(shares[i]);
      }
      const auto lagrange = *crypto::threshold::Lagrange(indices);
      crypto::group::Scalar key;
      for (size_t i = 0; i < 3; ++i) key = key + lagrange[i] * chosen[i];
      EXPECT_TRUE(crypto::group::Element::MulBase(key) == keyset->public_key()) << "without " << without;
    }
  }
}

TEST_F(KeySplitTest, SecondSplitIsRefusedAndChangesNothing) {
  ASSERT_THAT(Split(), IsOk());
  const int keysets = Files("keysets");
  const int shares = Files("shares");
  EXPECT_EQ(keysets, 5);
  EXPECT_EQ(shares, 20);
  EXPECT_THAT(Split(), HasReason(reason::kInvalidArgument));
  EXPECT_EQ(Files("keysets"), keysets);
  EXPECT_EQ(Files("shares"), shares);
}

TEST_F(KeySplitTest, SkippingMakesOnlyWhatIsMissing) {
  const auto first = *Split();
  std::filesystem::remove(folder_.File("keysets/" + base::Hex(first[2].keyset_id) + ".keyset"));
  const auto second = Split(IfPresent::kSkip);
  ASSERT_THAT(second, IsOk());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ((*second)[i].made, i == 2);
    EXPECT_EQ((*second)[i].keyset_id == first[i].keyset_id, i != 2);
  }
}

TEST_F(KeySplitTest, MissingOrWrongKeysAreRefusedBeforeAnythingIsWritten) {
  keys_.vault.erase("jeugdzorg");
  EXPECT_THAT(Split(), HasReason(reason::kInvalidArgument));
  Reload();
  keys_.signing.erase("gemeente");
  EXPECT_THAT(Split(), HasReason(reason::kInvalidArgument));
  keys_.signing.emplace("gemeente", crypto::note::PrivateKey::Generate(random_));
  EXPECT_THAT(Split(), HasReason(reason::kInvalidArgument)) << "a key that is not the covenant's";
  EXPECT_EQ(Files("keysets"), 0);
  EXPECT_EQ(Files("shares"), 0);
}

TEST_F(KeySplitTest, KeysetThatDoesNotVerifyIsNotBuiltUpon) {
  std::filesystem::create_directories(folder_.File("keysets"));
  ASSERT_THAT(base::WriteFileAtomically(folder_.File("keysets/a.keyset"), "nonsense", 0644), IsOk());
  EXPECT_THAT(Split(IfPresent::kSkip), HasReason(reason::kKeysetInvalid));
  EXPECT_EQ(Files("shares"), 0);
}

TEST_F(KeySplitTest, PartnersOfOneOrganisationShareOneKeyShare) {
  region_.covenant().mutable_partners(1)->set_organisation(region_.covenant().partners(0).organisation());
  region_.covenant().mutable_partners(1)->set_index(1);
  Reload();
  keys_.vault.erase("gemeente");
  keys_.signing.erase("gemeente");
  ASSERT_THAT(Split(), IsOk());
  EXPECT_EQ(Store().all()[0]->holders().size(), 3u);
  EXPECT_EQ(Files("shares"), 15);
}

}  // namespace
}  // namespace raakvlak::cli

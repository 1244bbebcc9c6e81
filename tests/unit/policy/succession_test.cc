#include "policy/succession.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/authority.h"
#include "policy/epochs.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;

constexpr absl::Duration kWeek = absl::Hours(24 * 7);

// A region whose covenants follow one another; the first is in force.
class SuccessionTest : public ::testing::Test {
 protected:
  SuccessionTest() { Agree(); }

  void Agree() { covenants_.push_back(region_.SignedCovenant()); }
  // Prepares the next covenant; Check() then judges it.
  v1::Covenant& Next() {
    before_ = region_.covenant();
    region_.clock().Advance(absl::Hours(24));
    region_.NextCovenant();
    return region_.covenant();
  }
  void Raise(absl::Duration overlap = absl::ZeroDuration()) {
    const v1::Covenant covenant = region_.covenant();
    for (const v1::Purpose& purpose : covenant.purposes()) region_.RaiseEpoch(purpose.id(), overlap);
  }
  v1::Partner& Join(const std::string& id, uint32_t index, const std::string& organisation) {
    v1::Partner& partner = *region_.covenant().add_partners();
    partner = region_.covenant().partners(0);
    partner.set_id(id);
    partner.set_index(index);
    partner.set_organisation(organisation);
    region_.GiveKeys(partner);
    return partner;
  }
  void Leave(const std::string& id) {
    v1::Covenant& covenant = region_.covenant();
    const auto erase = [&](auto& list, auto is_it) {
      list.erase(std::remove_if(list.begin(), list.end(), is_it), list.end());
    };
    erase(*covenant.mutable_partners(), [&](const v1::Partner& partner) { return partner.id() == id; });
    erase(*covenant.mutable_quotas(), [&](const v1::Quota& quota) { return quota.partner() == id; });
    for (v1::Purpose& purpose : *covenant.mutable_purposes()) {
      erase(*purpose.mutable_submitters(), [&](const std::string& entry) { return entry == id; });
      erase(*purpose.mutable_case_reporters(), [&](const std::string& entry) { return entry == id; });
    }
  }
  void EndPurpose(const std::string& id) {
    v1::Covenant& covenant = region_.covenant();
    auto& purposes = *covenant.mutable_purposes();
    purposes.erase(
        std::remove_if(purposes.begin(), purposes.end(), [&](const auto& p) { return p.id() == id; }),
        purposes.end());
    auto& keys = *covenant.mutable_hub()->mutable_seal_keys();
    keys.erase(std::remove_if(keys.begin(), keys.end(), [&](const auto& k) { return k.purpose() == id; }),
               keys.end());
  }

  // As `region_.covenant()` signed by its own partners and hub, and by `others` with the keys that they had.
  absl::Status Check(const std::vector<std::string>& others = {}) {
    crypto::note::Note note = region_.CovenantNote();
    for (const std::string& urn : others) {
      const auto& key = replaced_.contains(urn) ? region_.ReplacedKeyOf(urn) : region_.KeyOf(urn);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    }
    const auto covenant = Covenant::Verify(crypto::note::Format(note));
    EXPECT_THAT(covenant, IsOk());
    if (!covenant.ok()) return covenant.status();
    last_ = *covenant;
    return CheckSuccessor(*CovenantChain::Create(covenants_), **covenant);
  }
  // What Check() took follows.
  void Take(const std::vector<std::string>& others = {}) {
    ASSERT_THAT(Check(others), IsOk());
    covenants_.push_back(last_);
  }
  std::string ReplaceKey(const std::string& urn) {
    replaced_.insert(urn);
    return region_.ReplaceKeyOf(urn);
  }
  static std::string Node(const std::string& id) { return TestRegion::Urn("node", id); }
  v1::Purpose& Purpose() { return *region_.covenant().mutable_purposes(0); }

  TestRegion region_;
  v1::Covenant before_;
  std::set<std::string> replaced_;
  std::vector<std::shared_ptr<const Covenant>> covenants_;
  std::shared_ptr<const Covenant> last_;
};

TEST_F(SuccessionTest, WhatBindsToNoEpochMayChange) {
  v1::Covenant& next = Next();
  next.set_population(310'000);
  next.mutable_partners(2)->set_peer_address("10.0.0.9:7000");
  next.mutable_purposes(0)->set_retention_days(100);
  next.mutable_purposes(0)->mutable_rules(1)->set_accept_partners_per_million(6000);
  next.mutable_purposes(1)->mutable_submitters()->RemoveLast();
  next.set_quorum(2);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(SuccessionTest, PlaceInTheChainIsRequired) {
  Next().set_version(3);
  EXPECT_THAT(Check(), HasReason(reason::kCovenantOutdated)) << "a version is left out";
  region_.covenant() = before_;
  Next().set_supersedes(std::string(64, 'a'));
  EXPECT_THAT(Check(), HasReason(reason::kCovenantOutdated));
  region_.covenant() = before_;
  Next().set_valid_from(FormatUtc(covenants_[0]->valid_from() - absl::Seconds(1)));
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  region_.covenant().set_valid_from(FormatUtc(covenants_[0]->valid_from()));
  EXPECT_THAT(Check(), IsOk()) << "at the same moment";
}

TEST_F(SuccessionTest, AnotherRegionIsRefused) {
  // The hub alone is renamed; that the partners are not makes Verify refuse the text first.
  TestRegion other;
  v1::Covenant covenant = other.covenant();
  const auto rename = [](std::string urn) { return urn.replace(urn.find("maastricht"), 10, "almere"); };
  covenant.set_region("almere");
  covenant.clear_coordinating_officer_key();
  covenant.set_version(2);
  covenant.set_supersedes(base::Hex(covenants_[0]->id()));
  covenant.mutable_broker()->set_urn(rename(covenant.broker().urn()));
  covenant.mutable_hub()->set_urn(rename(covenant.hub().urn()));
  crypto::note::Note note;
  const auto key_for = [&](const std::string& urn) {
    return crypto::note::VerifierKey::Create(urn, other.KeyOf(urn).public_key())->Encode();
  };
  covenant.mutable_hub()->set_signing_key(key_for(covenant.hub().urn()));
  for (v1::Partner& partner : *covenant.mutable_partners())
    partner.set_signing_key(key_for(policy::Urn("almere", "node", partner.id())));
  note.text = PrintText(covenant);
  const auto sign = [&](const std::string& urn, const crypto::note::PrivateKey& key) {
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
  };
  for (const v1::Partner& partner : covenant.partners()) {
    const std::string urn = policy::Urn("almere", "node", partner.id());
    sign(urn, other.KeyOf(urn));
    sign(Node(partner.id()), region_.KeyOf(Node(partner.id())));
  }
  sign(covenant.hub().urn(), other.KeyOf(covenant.hub().urn()));
  sign(region_.covenant().hub().urn(), region_.KeyOf(region_.covenant().hub().urn()));
  const auto renamed = Covenant::Verify(crypto::note::Format(note));
  ASSERT_THAT(renamed, IsOk());
  const absl::Status status = CheckSuccessor(*CovenantChain::Create(covenants_), **renamed);
  EXPECT_THAT(status, HasReason(reason::kCovenantInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("another region"));
}

TEST_F(SuccessionTest, ReplacedKeysNeedTheSignaturesOfTheKeysBefore) {
  // Without this rule anyone could write a covenant with keys of its own for everybody.
  const std::string hub = region_.covenant().hub().urn();
  v1::Covenant& next = Next();
  next.mutable_partners(0)->set_signing_key(ReplaceKey(Node("politie")));
  next.mutable_hub()->set_signing_key(ReplaceKey(hub));
  EXPECT_THAT(Check(), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Check({Node("politie")}), HasReason(reason::kSignatureInvalid)) << "the hub's is missing";
  EXPECT_THAT(Check({hub}), HasReason(reason::kSignatureInvalid)) << "the partner's is missing";
  EXPECT_THAT(Check({Node("politie"), hub}), IsOk());
}

TEST_F(SuccessionTest, PartnerThatIsOnlyRemovedNeedNotSign) {
  region_.covenant().set_witness_quorum(4);
  v1::Quota quota = region_.covenant().quotas(0);
  quota.set_partner("jeugdzorg");
  *region_.covenant().add_quotas() = quota;
  region_.covenant().mutable_partners(2)->set_participant_class(v1::LID1);
  region_.covenant().mutable_purposes(1)->add_case_reporters("jeugdzorg");
  region_.covenant().set_overlap_days(7);
  covenants_.clear();
  Agree();
  Next();
  Leave("jeugdzorg");
  Raise(kWeek);
  region_.covenant().set_quorum(2);
  region_.covenant().set_witness_quorum(3);
  region_.covenant().set_valid_until(FormatUtc(region_.clock().Now() + absl::Hours(24 * 100)));
  EXPECT_THAT(Check(), IsOk());
  EXPECT_THAT(Check({Node("jeugdzorg")}), IsOk()) << "it may";
  const v1::Covenant removing = region_.covenant();

  const std::vector<std::pair<const char*, std::function<void(v1::Covenant&)>>> cases = {
      {"population", [](auto& c) { c.set_population(1'000); }},
      {"a quota", [](auto& c) { c.mutable_quotas(0)->set_elements_per_day(10'000'000); }},
      {"a right to send", [](auto& c) { c.mutable_purposes(1)->mutable_submitters()->RemoveLast(); }},
      {"k", [](auto& c) { c.mutable_purposes(0)->set_disclosure_threshold(3); }},
      {"retention", [](auto& c) { c.mutable_purposes(0)->set_retention_days(1000); }},
      {"witness quorum", [](auto& c) { c.set_witness_quorum(2); }},
      {"overlap", [](auto& c) { c.set_overlap_days(9); }},
      {"a key", [&](auto& c) { c.mutable_partners(0)->set_signing_key(ReplaceKey(Node("politie"))); }},
      {"a partner joins", [&](auto&) { Join("reclassering", 9, "KVK:00000009"); }},
      {"a purpose ends", [&](auto&) { EndPurpose("gezinsaanpak"); }},
  };
  for (const auto& [name, change] : cases) {
    region_.covenant() = removing;
    change(region_.covenant());
    EXPECT_THAT(Check({Node("politie")}), HasReason(reason::kSignatureInvalid)) << name;
    EXPECT_THAT(Check({Node("politie"), Node("jeugdzorg")}), IsOk()) << name;
  }
}

TEST_F(SuccessionTest, FewCannotRemoveTheOthersAtOnce) {
  Next();
  Leave("jeugdzorg");
  Leave("woningcorporatie");
  Raise();
  region_.covenant().set_quorum(2);
  EXPECT_THAT(Check(), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Check({Node("jeugdzorg")}), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Check({Node("jeugdzorg"), Node("woningcorporatie")}), IsOk());
}

TEST_F(SuccessionTest, OthersThanTheRemovedMustSign) {
  const std::string hub = region_.covenant().hub().urn();
  Next();
  Leave("jeugdzorg");
  Raise();
  ASSERT_THAT(Check(), IsOk());
  region_.covenant().mutable_hub()->set_signing_key(ReplaceKey(hub));
  EXPECT_THAT(Check({Node("jeugdzorg")}), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Check({Node("jeugdzorg"), hub}), IsOk());
}

TEST_F(SuccessionTest, RemovedKeyHolderForcesANewEpochOfEveryPurpose) {
  Next();
  Leave("jeugdzorg");
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  region_.RaiseEpoch("risicojeugd", absl::ZeroDuration());
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "one purpose keeps its keys";
  region_.RaiseEpoch("gezinsaanpak", absl::ZeroDuration());
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(SuccessionTest, PartnerThatLeavesIsNoKeyHolderWhenAnotherOfItsOrganisationIs) {
  Join("politie-jeugd", 1, "OIN:00000000000000000001");
  covenants_.clear();
  Agree();
  Next();
  Leave("politie-jeugd");
  EXPECT_THAT(Check({Node("politie-jeugd")}), IsOk()) << "politie has the share of index 1";
  region_.covenant() = before_;
  Next();
  Leave("politie");
  EXPECT_THAT(Check({Node("politie")}), HasReason(reason::kCovenantInvalid)) << "it leaves with the share";
}

TEST_F(SuccessionTest, PartnerThatStaysKeepsIndexAndOrganisationWhileAnyEpochStays) {
  Next().mutable_partners(1)->set_organisation("KVK:00000022");
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  Raise();
  EXPECT_THAT(Check(), IsOk()) << "nothing of the old organisation goes on";
  region_.covenant() = before_;
  Next().mutable_partners(1)->set_index(9);
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
}

TEST_F(SuccessionTest, JoiningPartnerTakesNoIndexOfAnEpochThatIsServed) {
  Next();
  Leave("jeugdzorg");
  Raise(kWeek);
  Join("reclassering", 3, "KVK:00000009");
  EXPECT_THAT(Check({Node("jeugdzorg")}), HasReason(reason::kCovenantInvalid)) << "epoch 1 is served still";
  region_.covenant().mutable_partners(3)->set_index(5);
  Take({Node("jeugdzorg")});

  // Also when the one before does not know the partner that left any more.
  Next();
  Join("school", 3, "KVK:00000010");
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  region_.clock().Advance(kWeek);
  region_.covenant().set_valid_from(FormatUtc(region_.clock().Now()));
  auto& keys = *region_.covenant().mutable_hub()->mutable_seal_keys();
  keys.erase(std::remove_if(keys.begin(), keys.end(), [](const auto& key) { return key.epoch() == 1; }),
             keys.end());
  EXPECT_THAT(Check(), IsOk()) << "epoch 1 has ended";
}

TEST_F(SuccessionTest, PartnerThatJoinsKeepsTheEpoch) {
  Next();
  Join("reclassering", 5, "KVK:00000009");
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(SuccessionTest, EpochStaysOrRisesByOne) {
  Next();
  region_.RaiseEpoch("onaantastbaren", kWeek);
  Take();
  Next();
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  region_.covenant() = before_;
  Next();
  Purpose().set_epoch(1);
  Purpose().clear_previous_epoch_until();
  region_.covenant().mutable_hub()->mutable_seal_keys()->RemoveLast();
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "back to the first";
}

TEST_F(SuccessionTest, WhatAnEpochIsMadeByNeedsANewOne) {
  const std::vector<std::pair<const char*, std::function<void(v1::Purpose&)>>> cases = {
      {"k", [](auto& p) { p.set_disclosure_threshold(3); }},
      {"version", [](auto& p) { p.mutable_rules(1)->set_version(2); }},
      {"class", [](auto& p) { p.mutable_rules(1)->set_identifier_class(v1::BSN); }},
      {"quality", [](auto& p) { p.mutable_rules(1)->set_quality(v1::SUPPORTING); }},
      {"fields", [](auto& p) { p.mutable_rules(1)->add_fields("birthdate"); }},
      {"a rule less", [](auto& p) { p.mutable_rules()->RemoveLast(); }},
      {"another order", [](auto& p) { p.mutable_rules()->SwapElements(0, 1); }},
      {"subject",
       [](auto& p) {
         for (auto& rule : *p.mutable_rules()) rule.set_subject(v1::HOUSEHOLD_SUBJECT);
       }},
  };
  const v1::Covenant first = region_.covenant();
  for (const auto& [name, change] : cases) {
    region_.covenant() = first;
    Next();
    change(Purpose());
    EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << name;
    region_.RaiseEpoch("onaantastbaren", kWeek);
    EXPECT_THAT(Check(), IsOk()) << name;
  }
}

TEST_F(SuccessionTest, EndOfTheEpochBeforeStaysAsItWas) {
  Next();
  region_.RaiseEpoch("onaantastbaren", kWeek);
  Take();
  Next().set_overlap_days(30);
  Purpose().set_previous_epoch_until(FormatUtc(region_.clock().Now() + absl::Hours(24 * 20)));
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "longer";
  region_.covenant() = before_;
  Next();
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(SuccessionTest, OverlapOfANewEpochEndsAfterItBegins) {
  Next();
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  Purpose().set_previous_epoch_until(region_.covenant().valid_from());
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
}

TEST_F(SuccessionTest, NewPurposeStartsAfterTheEpochsThatItsNameHad) {
  Next();
  region_.RaiseEpoch("gezinsaanpak", absl::ZeroDuration());
  const v1::Purpose family = region_.covenant().purposes(2);
  Take();
  Next();
  EndPurpose("gezinsaanpak");
  Take();
  Next();
  *region_.covenant().add_purposes() = family;
  const auto with_epoch = [&](uint32_t epoch) {
    auto& keys = *region_.covenant().mutable_hub()->mutable_seal_keys();
    keys.erase(std::remove_if(keys.begin(), keys.end(),
                              [](const auto& key) { return key.purpose() == "gezinsaanpak"; }),
               keys.end());
    region_.covenant().mutable_purposes(2)->set_epoch(epoch - 1);
    region_.RaiseEpoch("gezinsaanpak", absl::ZeroDuration());
  };
  with_epoch(2);
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "the chain had it up to 2";
  with_epoch(4);
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid));
  with_epoch(3);
  EXPECT_THAT(Check(), IsOk());
  with_epoch(2);
  region_.RaiseEpoch("gezinsaanpak", kWeek);
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "it has no epoch before";
}

// As a process builds it at its start, from the newest covenant back.
TEST_F(SuccessionTest, ChainGoesBackBeyondAPurposeThatCameAgain) {
  const v1::Purpose family = region_.covenant().purposes(2);
  Next();
  EndPurpose("gezinsaanpak");
  Take();
  Next();
  *region_.covenant().add_purposes() = family;
  region_.RaiseEpoch("gezinsaanpak", absl::ZeroDuration());
  Take();
  std::map<std::string, std::shared_ptr<const Covenant>> known;
  for (const auto& covenant : covenants_) known.emplace(covenant->id(), covenant);
  const auto chain =
      BuildChain(known, covenants_.back(), [](const Covenant&, const absl::Status&) { ADD_FAILURE(); });
  EXPECT_EQ(chain->all().size(), covenants_.size());
}

TEST_F(SuccessionTest, OfTwoThatFollowTheEarlierOneCounts) {
  std::map<std::string, std::shared_ptr<const Covenant>> known;
  Next();
  const absl::Time now = region_.clock().Now();
  for (const int days : {3, 1, 4, 2}) {
    region_.covenant().set_valid_from(FormatUtc(now + absl::Hours(24 * days)));
    ASSERT_THAT(Check(), IsOk());
    known.emplace(last_->id(), last_);
  }
  const auto chain =
      BuildChain(known, covenants_[0], [](const Covenant&, const absl::Status&) { ADD_FAILURE(); });
  ASSERT_EQ(chain->all().size(), 2u);
  EXPECT_EQ(chain->all()[1]->valid_from(), now + absl::Hours(24));
}

TEST_F(SuccessionTest, SealKeyStaysWithItsEpochAndGoesWithIt) {
  const auto put_key = [&](uint32_t epoch, const std::string& key) {
    for (v1::SealKey& seal_key : *region_.covenant().mutable_hub()->mutable_seal_keys()) {
      if (seal_key.purpose() != "onaantastbaren" || seal_key.epoch() != epoch) continue;
      seal_key.set_public_key(base::Base64(key));
      seal_key.set_id(base::Hex(base::Sha256(key)).substr(0, 16));
    }
  };
  const std::string first = *base::ParseBase64(region_.covenant().hub().seal_keys(0).public_key());
  Next();
  put_key(1, std::string(32, 'x'));
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "another within the epoch";
  region_.covenant() = before_;
  Next();
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  put_key(2, first);
  EXPECT_THAT(Check(), HasReason(reason::kCovenantInvalid)) << "the old one for the new epoch";
}

// What keys are kept when the covenant with that number (from 1) of the chain is in force.
class EpochsWantedTest : public SuccessionTest {
 protected:
  std::set<uint32_t> Wanted(size_t in_force, const std::string& purpose = "onaantastbaren") {
    const Snapshot snapshot{covenants_[in_force - 1], nullptr, CovenantChain::Create(covenants_)};
    std::set<uint32_t> epochs;
    for (uint32_t epoch = 0; epoch < 9; ++epoch) {
      if (IsEpochWanted(snapshot, purpose, epoch, region_.clock().Now())) epochs.insert(epoch);
    }
    return epochs;
  }
};

TEST_F(EpochsWantedTest, ThoseThatAreServedAndThoseOfCovenantsThatFollow) {
  EXPECT_EQ(Wanted(1), (std::set<uint32_t>{1}));
  EXPECT_EQ(Wanted(1, "nothing"), std::set<uint32_t>());
  Next();
  region_.RaiseEpoch("onaantastbaren", kWeek);
  Take();
  Next();
  region_.RaiseEpoch("onaantastbaren", absl::ZeroDuration());
  Take();
  const auto chain = CovenantChain::Create(covenants_);
  for (const auto& covenant : covenants_) EXPECT_EQ(chain->AtOrBefore(covenant->valid_from()), covenant);
  EXPECT_EQ(chain->AtOrBefore(covenants_[0]->valid_from() - absl::Seconds(1)), nullptr);
  EXPECT_EQ(chain->AtOrBefore(covenants_[2]->valid_from() - absl::Seconds(1)), covenants_[1]);
  region_.clock().Advance(-absl::Hours(72));
  EXPECT_EQ(Wanted(1), (std::set<uint32_t>{1, 2, 3})) << "all wait for their dates";
  region_.clock().Advance(absl::Hours(72));
  EXPECT_EQ(Wanted(1), (std::set<uint32_t>{1, 2, 3})) << "their dates have come, their rosters not";
  EXPECT_EQ(Wanted(2), (std::set<uint32_t>{1, 2, 3}));
  EXPECT_EQ(Wanted(3), (std::set<uint32_t>{3})) << "what came before has no say";
  region_.clock().Advance(kWeek);
  EXPECT_EQ(Wanted(2), (std::set<uint32_t>{2, 3})) << "the overlap is over";
  EXPECT_EQ(Wanted(2, "risicojeugd"), (std::set<uint32_t>{1}));
}

TEST_F(EpochsWantedTest, OfAPurposeThatComesOrHasGone) {
  Next();
  EndPurpose("gezinsaanpak");
  Take();
  EXPECT_EQ(Wanted(1, "gezinsaanpak"), (std::set<uint32_t>{1}));
  EXPECT_EQ(Wanted(2, "gezinsaanpak"), std::set<uint32_t>());
  Next();
  *region_.covenant().add_purposes() = covenants_[0]->text().purposes(2);
  region_.covenant().mutable_purposes(2)->set_epoch(1);
  region_.RaiseEpoch("gezinsaanpak", absl::ZeroDuration());
  Take();
  EXPECT_EQ(Wanted(2, "gezinsaanpak"), (std::set<uint32_t>{2})) << "its keys are made beforehand";
}

// How long an epoch lasts when the newest covenant but `waiting` is in force.
class EpochDueTest : public SuccessionTest {
 protected:
  Snapshot InForce(size_t waiting = 0) {
    return {covenants_[covenants_.size() - 1 - waiting], nullptr, CovenantChain::Create(covenants_)};
  }
  static const v1::Purpose& Of(const Snapshot& snapshot, const std::string& purpose = "onaantastbaren") {
    return *snapshot.covenant->FindPurpose(purpose);
  }
};

TEST_F(EpochDueTest, ItIsCountedFromTheFirstCovenantThatHasTheEpoch) {
  const absl::Duration year = absl::Hours(24 * 365);
  const absl::Time first = covenants_[0]->valid_from();
  EXPECT_EQ(EpochDue(InForce(), Of(InForce())), first + year) << "365 days when the covenant does not say";
  Next().set_epoch_days(100);
  Take();
  EXPECT_EQ(EpochDue(InForce(), Of(InForce())), first + absl::Hours(24 * 100));
  Next();
  region_.RaiseEpoch("onaantastbaren", kWeek);
  Take();
  const absl::Time raised = covenants_.back()->valid_from();
  ASSERT_GT(raised, first);
  Next();
  Take();
  EXPECT_EQ(EpochDue(InForce(), Of(InForce())), raised + absl::Hours(24 * 100));
  EXPECT_EQ(EpochDue(InForce(), Of(InForce(), "risicojeugd")), first + absl::Hours(24 * 100));
  Snapshot alone = InForce();
  alone.chain = nullptr;
  EXPECT_EQ(EpochDue(alone, Of(alone, "risicojeugd")), alone.covenant->valid_from() + absl::Hours(24 * 100));
}

TEST_F(EpochDueTest, ItIsOverUntilACovenantThatFollowsRaisesIt) {
  const absl::Time due = EpochDue(InForce(), Of(InForce()));
  EXPECT_FALSE(IsEpochOver(InForce(), Of(InForce()), due - absl::Seconds(1)));
  EXPECT_TRUE(IsEpochOver(InForce(), Of(InForce()), due));
  Next();
  region_.RaiseEpoch("risicojeugd", kWeek);
  Take();
  EXPECT_TRUE(IsEpochOver(InForce(1), Of(InForce(1)), due)) << "the covenant raises another's";
  EXPECT_FALSE(IsEpochOver(InForce(1), Of(InForce(1), "risicojeugd"), due));
  Next();
  region_.RaiseEpoch("onaantastbaren", kWeek);
  Take();
  EXPECT_FALSE(IsEpochOver(InForce(2), Of(InForce(2)), due));
}

}  // namespace
}  // namespace raakvlak::policy

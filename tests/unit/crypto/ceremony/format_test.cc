#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/ceremony/code.h"
#include "crypto/ceremony/derived_random.h"
#include "crypto/ceremony/evidence.h"
#include "crypto/ceremony/message.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/ceremony/possession.h"
#include "crypto/ceremony/share_box.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/vector_file.h"

namespace raakvlak::crypto::ceremony {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::ScriptedRandom;
using group::Element;
using group::Scalar;

SecretBytes Secret(const std::string& bytes) { return SecretBytes{absl::string_view(bytes)}; }

note::PrivateKey VectorKey(int index) {
  return note::PrivateKey::FromSeed(Secret(std::string(32, static_cast<char>(index)))).value();
}

TEST(CeremonyFormatTest, TheVectorsHold) {
  crypto::testing::VectorObject vectors(crypto::testing::ReadVectorFile("ceremony/vectors.json"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Parameters parameters, Parameters::Parse(vectors.Text("parameters")));
  EXPECT_EQ(parameters.id(), vectors.Bytes("ceremony_id"));
  EXPECT_EQ(parameters.bytes(), vectors.Text("parameters"));
  EXPECT_EQ(parameters.contributors(), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(parameters.receivers(), (std::vector<uint32_t>{1, 5}));

  std::map<uint32_t, SignedMessage> joins;
  for (const int index : {1, 2, 5}) {
    joins[static_cast<uint32_t>(index)] =
        SignContent(parameters,
                    {Step::kJoin, parameters.id(), static_cast<uint32_t>(index),
                     std::string(32, static_cast<char>(16 + index))},
                    VectorKey(index));
  }
  EXPECT_EQ(joins[1].body, vectors.Bytes("join_1"));
  EXPECT_EQ(joins[1].signature, vectors.Bytes("join_1_signature"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Content opened, Open(parameters, joins[5]));
  EXPECT_EQ(opened.sender, 5u);
  EXPECT_EQ(opened.bytes, std::string(32, '\x15'));
  const std::string session_id = vectors.Bytes("session_id");
  EXPECT_EQ(ChainAfter(Step::kJoin, parameters.id(), joins), session_id);

  const std::string reveal = vectors.Bytes("reveal_2");
  const std::string commitments =
      Element::MulBase(Scalar::FromUint64(77)).Encode() + Element::MulBase(Scalar::FromUint64(88)).Encode();
  ScriptedRandom nonce({std::string(1, 99) + std::string(63, '\0')});
  const std::string proof = ProvePossession(Scalar::FromUint64(77), session_id, 2, commitments, nonce);
  EXPECT_EQ(std::string(32, 'o') + proof + commitments, reveal);
  EXPECT_TRUE(VerifyPossession(proof, session_id, 2, commitments).ok());
  EXPECT_EQ(CommitDigest(session_id, 2, reveal), vectors.Bytes("commit_2"));
  // Who copies the commit of another cannot open it with the reveal of that other.
  EXPECT_NE(CommitDigest(session_id, 1, reveal), vectors.Bytes("commit_2"));

  const std::string context = ShareContext(session_id, 2, 5);
  EXPECT_EQ(context, vectors.Bytes("share_context"));
  const SecretBytes ephemeral = Secret(std::string(32, 'e'));
  const SecretBytes receiving = Secret(std::string(32, 'r'));
  EXPECT_EQ(BoxPublicKey(ephemeral), vectors.Bytes("ephemeral_key"));
  EXPECT_EQ(BoxPublicKey(receiving), vectors.Bytes("receiving_key"));
  ScriptedRandom box_nonce({std::string(24, 'N')});
  const std::string box =
      EncryptShare(ephemeral, BoxPublicKey(receiving), Scalar::FromUint64(77 + 88 * 5), context, box_nonce);
  EXPECT_EQ(box, vectors.Bytes("encrypted_share"));
  EXPECT_TRUE(DecryptShare(receiving, BoxPublicKey(ephemeral), box, context).value() ==
              Scalar::FromUint64(517));

  EXPECT_EQ(TranscriptCode(session_id), vectors.Text("code"));
  std::string seed;
  for (char byte = 0; byte < 32; ++byte) seed += byte;
  const SecretBytes secret_seed = Secret(seed);
  DerivedRandom random(secret_seed, "polynomial", session_id);
  std::string drawn;
  for (const size_t size : {1, 70, 79}) drawn += random.Bytes(size);
  EXPECT_EQ(drawn, vectors.Bytes("random"));
}

// Parameters.

ParametersText Generate() {
  ParametersText text;
  text.region = "maastricht";
  text.purpose = "risicojeugd";
  text.identifier_class = 1;
  text.epoch = 1;
  text.covenant_id = std::string(32, 'c');
  text.quorum = 2;
  for (const int index : {1, 2, 3}) {
    text.members.push_back({static_cast<uint32_t>(index), "partner-" + std::to_string(index), Role::kBoth,
                            VectorKey(index).public_key()});
  }
  return text;
}

ParametersText Old(Kind kind) {
  ParametersText text = Generate();
  text.kind = kind;
  text.old_keyset_id = std::string(32, 'k');
  text.old_commitments = {Element::MulBase(Scalar::FromUint64(5)), Element::MulBase(Scalar::FromUint64(6))};
  if (kind == Kind::kReshare) text.members[0].role = Role::kReceiver;
  return text;
}

TEST(CeremonyParametersTest, WhatIsFormattedParsesToTheSame) {
  for (const ParametersText& text : {Generate(), Old(Kind::kRefresh), Old(Kind::kReshare)}) {
    const auto made = Parameters::Create(text);
    ASSERT_TRUE(made.ok()) << made.status();
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Parameters parsed, Parameters::Parse(made->bytes()));
    EXPECT_EQ(parsed.bytes(), made->bytes());
    EXPECT_EQ(parsed.id(), made->id());
  }
}

TEST(CeremonyParametersTest, EachRuleThatIsBrokenIsRefused) {
  using Change = std::function<void(ParametersText&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"region", [](auto& t) { t.region = "Maastricht"; }},
      {"empty purpose", [](auto& t) { t.purpose = ""; }},
      {"long purpose", [](auto& t) { t.purpose = std::string(33, 'p'); }},
      {"class 0", [](auto& t) { t.identifier_class = 0; }},
      {"class 4", [](auto& t) { t.identifier_class = 4; }},
      {"epoch", [](auto& t) { t.epoch = 0; }},
      {"attempt", [](auto& t) { t.attempt = 0; }},
      {"covenant", [](auto& t) { t.covenant_id.pop_back(); }},
      {"quorum 1", [](auto& t) { t.quorum = 1; }},
      {"quorum above n", [](auto& t) { t.quorum = 4; }},
      {"index 0", [](auto& t) { t.members[0].index = 0; }},
      {"index 33", [](auto& t) { t.members[2].index = 33; }},
      {"index twice", [](auto& t) { t.members[1].index = 1; }},
      {"order", [](auto& t) { std::swap(t.members[0], t.members[1]); }},
      {"partner twice", [](auto& t) { t.members[1].partner = t.members[0].partner; }},
      {"partner name", [](auto& t) { t.members[1].partner = "a b"; }},
      {"key twice", [](auto& t) { t.members[1].signing_key = t.members[0].signing_key; }},
      {"role", [](auto& t) { t.members[1].role = Role::kReceiver; }},
      {"old keyset", [](auto& t) { t.old_keyset_id = std::string(32, 'k'); }},
      {"old commitments", [](auto& t) { t.old_commitments = Old(Kind::kRefresh).old_commitments; }},
  };
  for (const auto& [name, change] : changes) {
    ParametersText text = Generate();
    change(text);
    EXPECT_THAT(Parameters::Create(text), HasReason(base::reason::kInvalidArgument)) << name;
  }
  const std::vector<std::tuple<std::string, Kind, Change>> old_changes = {
      {"no keyset", Kind::kRefresh, [](auto& t) { t.old_keyset_id = ""; }},
      {"no commitments", Kind::kReshare, [](auto& t) { t.old_commitments.clear(); }},
      {"another quorum", Kind::kRefresh, [](auto& t) { t.quorum = 3; }},
      {"a role", Kind::kRefresh, [](auto& t) { t.members[1].role = Role::kContributor; }},
      {"too many contributors", Kind::kReshare, [](auto& t) { t.members[0].role = Role::kBoth; }},
      {"too few contributors", Kind::kReshare, [](auto& t) { t.members[1].role = Role::kReceiver; }},
      {"too few receivers", Kind::kReshare,
       [](auto& t) { t.members[1].role = t.members[2].role = Role::kContributor; }},
      // 5 - 2.5 x is zero at 2.
      {"an old share of nothing", Kind::kReshare,
       [](auto& t) {
         t.old_commitments[1] =
             Element::MulBase((Scalar() - Scalar::FromUint64(5)) * Scalar::FromUint64(2).Invert());
       }},
  };
  for (const auto& [name, kind, change] : old_changes) {
    ParametersText text = Old(kind);
    change(text);
    EXPECT_THAT(Parameters::Create(text), HasReason(base::reason::kInvalidArgument)) << name;
  }
}

TEST(CeremonyParametersTest, ATextThatIsNotTheOneThatWouldBeWrittenIsRefused) {
  const std::string text = Parameters::Create(Old(Kind::kRefresh)).value().bytes();
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"raakvlak/v1/ceremony", "raakvlak/v2/ceremony"},
      {"ristretto255-SHA512", "ristretto255-SHA256"},
      {"kind refresh", "kind renew"},
      {"epoch 1", "epoch 01"},
      {"epoch 1", "epoch x"},
      {"class 1", "class 257"},
      {"region maastricht\n", ""},
      {"quorum 2", "quorum  2"},
      {"member 2", "member 02"},
      {" both ", " all "},
      {"covenant 63", "covenant zz"},
      {"covenant 63", "covenant 6g"},
      {"old 1", "old 2"},
      {"\nold 0 ", "\nold 0 A"},
      {"keyset 6b6b", "keyset 6B6b"},
  };
  for (const auto& [from, to] : changes) {
    const std::string changed = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(changed, text) << from;
    EXPECT_FALSE(Parameters::Parse(changed).ok()) << from << " -> " << to;
  }
  EXPECT_THAT(Parameters::Parse(text + "x\n"), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Parameters::Parse(text.substr(0, text.size() - 1)), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Parameters::Parse(std::string(20'000, 'x')), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Parameters::Parse(""), HasReason(base::reason::kMalformed));
}

// The parts.

TEST(ShareBoxTest, OpensForItsReceiverInItsPlaceOnly) {
  base::testing::SeededRandom random(1);
  const SecretBytes ephemeral = SecretBytes::Generate(random, 32);
  const SecretBytes receiving = SecretBytes::Generate(random, 32);
  const Scalar share = Scalar::Random(random);
  const std::string context = ShareContext(std::string(32, 's'), 1, 2);
  const std::string box = EncryptShare(ephemeral, BoxPublicKey(receiving), share, context, random);
  ASSERT_EQ(box.size(), kEncryptedShareSize);
  const std::string key = BoxPublicKey(ephemeral);
  EXPECT_TRUE(DecryptShare(receiving, key, box, context).value() == share);
  for (const std::string& other :
       {ShareContext(std::string(32, 't'), 1, 2), ShareContext(std::string(32, 's'), 3, 2),
        ShareContext(std::string(32, 's'), 1, 3)}) {
    EXPECT_THAT(DecryptShare(receiving, key, box, other), HasReason(base::reason::kVerificationFailed));
  }
  for (size_t i = 0; i < box.size(); ++i) {
    std::string changed = box;
    changed[i] ^= 1;
    EXPECT_FALSE(DecryptShare(receiving, key, changed, context).ok()) << i;
  }
  EXPECT_FALSE(DecryptShare(ephemeral, key, box, context).ok());
  EXPECT_FALSE(DecryptShare(receiving, BoxPublicKey(receiving), box, context).ok());
  EXPECT_FALSE(DecryptShare(receiving, key.substr(1), box, context).ok());
  EXPECT_FALSE(DecryptShare(receiving, key, box + "x", context).ok());
  EXPECT_FALSE(DecryptShare(receiving, std::string(32, '\0'), box, context).ok());
}

TEST(ShareBoxTest, KeysOfSmallOrderOrAnotherLengthAreNone) {
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    EXPECT_FALSE(IsBoxKey(base::ParseHex(hex).value())) << hex;
  }
  const std::string key = BoxPublicKey(Secret(std::string(32, 'r')));
  EXPECT_TRUE(IsBoxKey(key));
  EXPECT_FALSE(IsBoxKey(key.substr(1)));
  EXPECT_FALSE(IsBoxKey(key + "x"));
}

TEST(PossessionTest, AProofHoldsForItsMemberSessionAndCommitmentsOnly) {
  base::testing::SeededRandom random(2);
  const Scalar secret = Scalar::Random(random);
  const std::string commitments = Element::MulBase(secret).Encode() + Element::Generator().Encode();
  const std::string session_id(32, 's');
  const std::string proof = ProvePossession(secret, session_id, 4, commitments, random);
  EXPECT_TRUE(VerifyPossession(proof, session_id, 4, commitments).ok());
  EXPECT_FALSE(VerifyPossession(proof, session_id, 5, commitments).ok());
  EXPECT_FALSE(VerifyPossession(proof, std::string(32, 't'), 4, commitments).ok());
  EXPECT_FALSE(VerifyPossession(proof, session_id, 4, commitments.substr(0, 32)).ok());
  EXPECT_FALSE(VerifyPossession(proof, session_id, 4, "").ok());
  EXPECT_FALSE(VerifyPossession(proof + "x", session_id, 4, commitments).ok());
  for (size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] ^= 1;
    EXPECT_FALSE(VerifyPossession(changed, session_id, 4, commitments).ok()) << i;
  }
  // s + L is another spelling of s.
  const std::string order =
      base::ParseHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  std::string second = proof;
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const int sum = static_cast<uint8_t>(proof[32 + i]) + static_cast<uint8_t>(order[i]) + carry;
    second[32 + i] = static_cast<char>(sum);
    carry = sum >> 8;
  }
  EXPECT_FALSE(VerifyPossession(second, session_id, 4, commitments).ok());
}

TEST(DerivedRandomTest, AnotherSeedUseOrChainGivesOtherBytes) {
  const SecretBytes seed = Secret(std::string(32, 's'));
  const SecretBytes other_seed = Secret(std::string(32, 't'));
  const std::string first = DerivedRandom(seed, "use", "chain").Bytes(32);
  EXPECT_EQ(DerivedRandom(seed, "use", "chain").Bytes(32), first);
  EXPECT_NE(DerivedRandom(other_seed, "use", "chain").Bytes(32), first);
  EXPECT_NE(DerivedRandom(seed, "us", "chain").Bytes(32), first);
  EXPECT_NE(DerivedRandom(seed, "use", "chains").Bytes(32), first);
  EXPECT_NE(DerivedRandom(seed, "usec", "hain").Bytes(32), first);
}

TEST(AccusationTest, WhatIsFormattedParsesToTheSameAndNothingElseParses) {
  const Accusation plain{{3, Step::kReveal, Check::kPossession},
                         {{{"body", std::string(64, 's')}, {"", std::string(64, 't')}}, std::nullopt}};
  Accusation disclosing = plain;
  disclosing.evidence.disclosure = Disclosure{1, 3, std::string(32, 'k')};
  for (const Accusation& accusation : {plain, disclosing}) {
    const std::string bytes = FormatAccusation(accusation);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Accusation parsed, ParseAccusation(bytes));
    EXPECT_EQ(parsed.finding, accusation.finding);
    EXPECT_EQ(parsed.evidence, accusation.evidence);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_THAT(ParseAccusation(bytes.substr(0, size)), HasReason(base::reason::kMalformed));
    }
    EXPECT_THAT(ParseAccusation(bytes + "x"), HasReason(base::reason::kMalformed));
  }
  for (const auto& [at, value] : std::vector<std::pair<size_t, char>>{{1, 0}, {1, 7}, {2, 0}, {2, 15}}) {
    std::string bytes = FormatAccusation(plain);
    bytes[at] = value;
    EXPECT_THAT(ParseAccusation(bytes), HasReason(base::reason::kMalformed)) << at;
  }
  std::string bytes = FormatAccusation(plain);
  bytes.back() = 2;
  EXPECT_THAT(ParseAccusation(bytes), HasReason(base::reason::kMalformed));
}

TEST(TranscriptCodeTest, EveryBitOfTheHashCounts) {
  const std::string hash(32, 'h');
  for (size_t i = 0; i < 32; ++i) {
    std::string other = hash;
    other[i] ^= 1;
    EXPECT_NE(TranscriptCode(other), TranscriptCode(hash));
  }
}

TEST(NamesTest, EveryStepAndCheckHasOne) {
  for (uint8_t check = 1; check <= kMaxCheck; ++check)
    EXPECT_NE(CheckName(static_cast<Check>(check)), "none");
  EXPECT_EQ(CheckName(Check::kMissing), "missing");
  EXPECT_EQ(StepName(Step::kAbort), "abort");
}

}  // namespace
}  // namespace raakvlak::crypto::ceremony

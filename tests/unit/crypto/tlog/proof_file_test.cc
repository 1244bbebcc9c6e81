#include "crypto/tlog/proof_file.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/tlog/signer.h"
#include "tests/unit/crypto/tlog/twin.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using testing::kVectorTime;
using testing::LogSigner;
using testing::ReadVector;
using testing::WitnessSigner;
namespace reason = base::reason;

constexpr char kFile[] =
    "c2sp.org/tlog-proof@v1\n"
    "index 299\n"
    "roHFK2GeEfrJIXipWXmQDNwO0yMJmTeGfYo62yUDQ2w=\n"
    "2lYuRxs4F3vbvJ7A3eOboRNxtXH/V7ysQDci78g6uUw=\n"
    "5QWGoKvVDcWxa2f8JXX8CmwY8h7Xke6CGi0fr/++f+k=\n"
    "AmVbsd3VCvhUVT1ylhqiPiaPJHrlz2DlqFneJTA4ePs=\n"
    "+F9OrTQIBxC00egIMBVDqquBqgTeuIWZNQ3Cak8vWN4=\n"
    "\n";

class ProofFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<VerifiedProof> Verify(absl::string_view bytes, absl::string_view entry = "entry-299",
                                       size_t quorum = 1) {
    return VerifyProofFile(bytes, entry, log_.verifier, {first_.witness, second_.witness}, quorum);
  }
  LogSigner log_;
  WitnessSigner first_;
  WitnessSigner second_{"witness.example/w2", 0x40};
  std::string bytes_ = absl::StrCat(kFile, ReadVector("checkpoint"));
};

TEST_F(ProofFileTest, VectorsMakeAProofFileThatVerifies) {
  testing::MemoryTree tree(testing::EntryHashes(300));
  const ProofFile file{std::nullopt, 299, *InclusionProof(299, 300, tree), ReadVector("checkpoint")};
  EXPECT_EQ(FormatProofFile(file), bytes_);
  EXPECT_EQ(*ParseProofFile(bytes_), file);
  const auto verified = Verify(bytes_);
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->index, 299u);
  EXPECT_EQ(verified->checkpoint.size, 300u);
  EXPECT_THAT(verified->cosigned, ElementsAre(Cosigned{0, kVectorTime}));
  EXPECT_EQ(verified->newest, kVectorTime);
  EXPECT_EQ(verified->oldest, kVectorTime);
}

TEST_F(ProofFileTest, NewestAndOldestTimesAreTold) {
  note::Note note = *note::Parse(ReadVector("checkpoint"));
  note.signatures.push_back(Cosign(note.text, second_.witness, second_.key, kVectorTime - 7));
  const auto verified = Verify(absl::StrCat(kFile, note::Format(note)), "entry-299", 2);
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->newest, kVectorTime);
  EXPECT_EQ(verified->oldest, kVectorTime - 7);
}

TEST_F(ProofFileTest, ExtraDataIsReadAndWritten) {
  ProofFile file = *ParseProofFile(bytes_);
  file.extra = std::string("\0\n\xff", 3);
  const std::string bytes = FormatProofFile(file);
  EXPECT_TRUE(bytes.starts_with("c2sp.org/tlog-proof@v1\nextra AAr/\nindex 299\n")) << bytes;
  EXPECT_EQ(*ParseProofFile(bytes), file);
  EXPECT_THAT(Verify(bytes), IsOk());
}

TEST_F(ProofFileTest, ATreeOfOneEntryNeedsNoHash) {
  const Checkpoint checkpoint{"broker.example/audit", 1, LeafHash("only")};
  const std::string bytes = FormatProofFile(
      {std::nullopt, 0, {}, note::Format(SignCheckpoint(checkpoint, log_.verifier, log_.key))});
  EXPECT_EQ(Verify(bytes, "only", 0)->checkpoint, checkpoint);
  EXPECT_EQ(Verify(bytes, "only", 0)->newest, 0u);
}

TEST_F(ProofFileTest, TooFewWitnessesAreRefused) {
  EXPECT_THAT(Verify(bytes_, "entry-299", 2), HasReason(reason::kQuorumMissing));
  EXPECT_THAT(VerifyProofFile(bytes_, "entry-299", log_.verifier, {second_.witness}, 1),
              HasReason(reason::kQuorumMissing));
  EXPECT_THAT(VerifyProofFile(bytes_, "entry-299", log_.verifier, {}, 0), IsOk());
  // The same witness named twice is one witness.
  EXPECT_THAT(VerifyProofFile(bytes_, "entry-299", log_.verifier, {first_.witness, first_.witness}, 2),
              HasReason(reason::kQuorumMissing));
}

TEST_F(ProofFileTest, AnotherEntryIndexLogOrCheckpointIsRefused) {
  EXPECT_THAT(Verify(bytes_, "entry-298"), HasReason(reason::kProofInvalid));
  EXPECT_THAT(Verify(bytes_, ""), HasReason(reason::kProofInvalid));
  for (const char* index : {"index 298\n", "index 300\n", "index 0\n", "index 9223372036854775807\n"}) {
    EXPECT_THAT(Verify(absl::StrReplaceAll(bytes_, {{"index 299\n", index}})),
                HasReason(reason::kProofInvalid));
  }
  const note::PrivateKey other = testing::KeyFromSeed(0x60);
  EXPECT_THAT(
      VerifyProofFile(bytes_, "entry-299", *note::VerifierKey::Create("x", other.public_key()), {}, 0),
      HasReason(reason::kSignatureInvalid));
  // A checkpoint of the same log at another size.
  const Checkpoint later{"broker.example/audit", 301, LeafHash("x")};
  EXPECT_THAT(Verify(absl::StrCat(kFile, note::Format(SignCheckpoint(later, log_.verifier, log_.key))),
                     "entry-299", 0),
              HasReason(reason::kProofInvalid));
}

TEST_F(ProofFileTest, EveryBitFlipIsRefused) {
  for (size_t i = 0; i < bytes_.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes_;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_FALSE(Verify(flipped).ok()) << i << "." << bit;
    }
  }
}

TEST_F(ProofFileTest, TruncatedAndExtendedFilesAreRefused) {
  for (size_t size = 0; size < bytes_.size(); ++size) {
    EXPECT_FALSE(Verify(absl::string_view(bytes_).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(Verify(bytes_ + "\n").ok());
  EXPECT_FALSE(Verify(bytes_ + "x").ok());
}

TEST_F(ProofFileTest, OtherSpellingsAreRefused) {
  const auto with = [this](absl::string_view from, absl::string_view to) {
    return absl::StrReplaceAll(bytes_, {{from, to}});
  };
  const std::string hash = "roHFK2GeEfrJIXipWXmQDNwO0yMJmTeGfYo62yUDQ2w=\n";
  const std::string files[] = {
      "",
      with("@v1", "@v2"),
      with("c2sp", " c2sp"),
      with("index 299", "index 0299"),
      with("index 299", "index +299"),
      with("index 299", "index  299"),
      with("index 299", "index 299 "),
      with("index 299", "index"),
      with("index 299", "index 9223372036854775808"),
      with("index 299\n", ""),
      with("index 299", "index 299\nindex 299"),
      with("index", "extra \nindex"),
      with("index", "extra AA\nindex"),
      with("index", "extra AB==\nindex"),
      with("index", "extra AAAA\nextra AAAA\nindex"),
      with(hash, "extra AAAA\n" + hash),
      with(hash, "\r" + hash),
      with(hash, hash.substr(0, 43) + "\n"),
      with(hash, base::Base64("short") + "\n"),
      with("index 299\n", "index 299\r\n"),
      with("index 299\n", absl::StrCat("index 299\n",
                                       [&] {
                                         std::string many;
                                         for (int i = 0; i < 60; ++i) many += hash;
                                         return many;
                                       }())),
  };
  for (const std::string& file : files) {
    EXPECT_THAT(ParseProofFile(file), HasReason(reason::kMalformed)) << file.substr(0, 120);
    EXPECT_THAT(Verify(file), HasReason(reason::kMalformed));
  }
  EXPECT_THAT(ParseProofFile(bytes_ + std::string(kMaxProofFileSize, 'x')), HasReason(reason::kMalformed));
}

TEST_F(ProofFileTest, AReceiptOfAMillionEntriesIsUnderTwoKibibytes) {
  const Checkpoint checkpoint{"urn:raakvlak:maastricht:broker:broker/2026", 1 << 20, LeafHash("x")};
  const auto verifier = *note::VerifierKey::Create(checkpoint.origin, log_.key.public_key());
  note::Note note = SignCheckpoint(checkpoint, verifier, log_.key);
  for (const int seed : {0x20, 0x40, 0x60}) {
    const WitnessSigner signer(absl::StrCat("urn:raakvlak:maastricht:node:partner-", seed), seed);
    note.signatures.push_back(Cosign(note.text, signer.witness, signer.key, kVectorTime));
  }
  const std::string bytes =
      FormatProofFile({std::nullopt, 777'777, Proof(20, LeafHash("y")), note::Format(note)});
  EXPECT_LE(bytes.size(), 2048u);
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

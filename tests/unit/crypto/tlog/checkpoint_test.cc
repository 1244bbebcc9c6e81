#include "crypto/tlog/checkpoint.h"

#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/tlog/signer.h"
#include "tests/unit/crypto/tlog/twin.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using testing::LogSigner;
using testing::ReadVector;
namespace reason = base::reason;

constexpr absl::string_view kText =
    "broker.example/audit\n300\nrrsCfVw90Ihx7lJXemH8gxItDRQ1J5GUNjm9TBLTaUM=\n";

class CheckpointTest : public ::testing::Test {
 protected:
  // The text as a note that the log did sign.
  std::string Signed(absl::string_view text) {
    note::Note note{std::string(text), {}};
    note::Sign(note, log_.verifier, log_.key);
    return note::Format(note);
  }
  absl::StatusOr<OpenedCheckpoint> Open(absl::string_view bytes) {
    return OpenCheckpoint(bytes, log_.verifier);
  }
  LogSigner log_;
};

TEST_F(CheckpointTest, VectorOpens) {
  const auto opened = Open(ReadVector("checkpoint"));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->checkpoint.origin, "broker.example/audit");
  EXPECT_EQ(opened->checkpoint.size, 300u);
  EXPECT_EQ(opened->checkpoint.root, testing::RootTwin(testing::EntryHashes(300)));
  EXPECT_EQ(opened->note.text, kText);
  EXPECT_EQ(opened->note.signatures.size(), 2u);
  EXPECT_EQ(log_.verifier.Encode(), absl::StripSuffix(ReadVector("log.vkey"), "\n"));
}

TEST_F(CheckpointTest, SigningMakesTheVectorsLine) {
  const Checkpoint checkpoint{"broker.example/audit", 300, testing::RootTwin(testing::EntryHashes(300))};
  note::Note vector = *note::Parse(ReadVector("checkpoint"));
  vector.signatures.pop_back();
  EXPECT_EQ(SignCheckpoint(checkpoint, log_.verifier, log_.key), vector);
}

TEST_F(CheckpointTest, WhatIsWrittenIsRead) {
  for (const uint64_t size : {uint64_t{1}, uint64_t{10}, kMaxTreeSize}) {
    const Checkpoint checkpoint{"log", size, LeafHash("a")};
    EXPECT_EQ(*ParseCheckpoint(FormatCheckpoint(checkpoint)), checkpoint);
  }
  const Checkpoint empty{"log", 0, EmptyRoot()};
  EXPECT_EQ(*ParseCheckpoint(FormatCheckpoint(empty)), empty);
}

TEST_F(CheckpointTest, OtherTextsAreRefusedThoughSigned) {
  ASSERT_THAT(Open(Signed(kText)), IsOk());
  const std::string root = "rrsCfVw90Ihx7lJXemH8gxItDRQ1J5GUNjm9TBLTaUM=";
  const std::string origin = "broker.example/audit\n";
  const std::string texts[] = {
      "\n",
      origin,
      origin + "300\n",
      origin + "300\n\n",
      origin + "\n" + root + "\n",
      origin + "0300\n" + root + "\n",
      origin + "00\n" + root + "\n",
      origin + "+300\n" + root + "\n",
      origin + "-1\n" + root + "\n",
      origin + " 300\n" + root + "\n",
      origin + "300 \n" + root + "\n",
      origin + "0x12c\n" + root + "\n",
      origin + "3e2\n" + root + "\n",
      origin + "9223372036854775808\n" + root + "\n",
      origin + "18446744073709551616\n" + root + "\n",
      origin + "92233720368547758070\n" + root + "\n",
      // A tree of no entries has one root.
      origin + "0\n" + root + "\n",
      // Extension lines, empty ones too.
      origin + "300\n" + root + "\nextension\n",
      origin + "300\n" + root + "\n\n",
      // Base64: no padding, stray bits, another alphabet, white space, another length.
      origin + "300\n" + root.substr(0, 43) + "\n",
      origin + "300\n" + absl::StrReplaceAll(root, {{"M=", "N="}}) + "\n",
      origin + "300\n" + std::string(42, 'A') + "_=\n",
      origin + "300\n " + root + "\n",
      origin + "300\n" + root + " \n",
      origin + "300\n" + base::Base64(std::string(31, 'x')) + "\n",
      origin + "300\n" + base::Base64(std::string(33, 'x')) + "\n",
      origin + "300\n" + std::string(64, 'a') + "\n",
      // Without an origin.
      "\n300\n" + root + "\n",
  };
  for (const std::string& text : texts) {
    EXPECT_THAT(ParseCheckpoint(text), HasReason(reason::kMalformed)) << text;
    EXPECT_THAT(Open(Signed(text)), HasReason(reason::kMalformed)) << text;
  }
}

TEST_F(CheckpointTest, ControlCharactersAreRefused) {
  for (const absl::string_view bad : {"\r\n", "\t\n"}) {
    const std::string text = absl::StrReplaceAll(kText, {{"\n", bad}});
    EXPECT_THAT(ParseCheckpoint(text), HasReason(reason::kMalformed));
    EXPECT_THAT(Open(Signed(text)), HasReason(reason::kMalformed));
  }
  EXPECT_THAT(ParseCheckpoint("a\x01"
                              "b\n0\n" +
                              EmptyRoot().ToBase64() + "\n"),
              HasReason(reason::kMalformed));
}

TEST_F(CheckpointTest, TruncatedOrExtendedBytesAreRefused) {
  const std::string bytes = ReadVector("checkpoint");
  const size_t first_line_ends = bytes.find('\n', bytes.find("\xE2\x80\x94")) + 1;
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Without the witness's line it is still the log's checkpoint.
    if (size == first_line_ends) continue;
    EXPECT_FALSE(Open(absl::string_view(bytes).substr(0, size)).ok()) << size;
  }
  EXPECT_THAT(Open(bytes + "\n"), HasReason(reason::kMalformed));
  EXPECT_THAT(Open(bytes + "x"), HasReason(reason::kMalformed));
  EXPECT_THAT(Open("\n" + bytes), HasReason(reason::kSignatureInvalid));
}

TEST_F(CheckpointTest, EveryBitFlipOfTextOrLogSignatureIsFound) {
  const std::string bytes = ReadVector("checkpoint");
  const size_t end = bytes.find('\n', bytes.find("\xE2\x80\x94")) + 1;
  for (size_t i = 0; i < end; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      ASSERT_FALSE(Open(flipped).ok()) << i << "." << bit;
    }
  }
}

TEST_F(CheckpointTest, ASizeOverTheLimitIsRefusedFirst) {
  EXPECT_THAT(Open(std::string(kMaxCheckpointSize + 1, '\n')), HasReason(reason::kMalformed));
  EXPECT_THAT(ParseCheckpoint(std::string(kMaxCheckpointSize + 1, 'a')), HasReason(reason::kMalformed));
  // Valid but for its size: 64 KiB of unknown signature.
  std::string bytes = ReadVector("checkpoint");
  absl::StrAppend(&bytes, "\xE2\x80\x94 other ", base::Base64(std::string(kMaxCheckpointSize, 'x')), "\n");
  EXPECT_THAT(Open(bytes), HasReason(reason::kMalformed));
}

TEST_F(CheckpointTest, AnotherKeyIsRefused) {
  const note::PrivateKey key = testing::KeyFromSeed(0x40);
  const auto same_name = *note::VerifierKey::Create("broker.example/audit", key.public_key());
  EXPECT_THAT(OpenCheckpoint(ReadVector("checkpoint"), same_name), HasReason(reason::kSignatureInvalid));
  const auto other_name = *note::VerifierKey::Create("other", log_.key.public_key());
  EXPECT_THAT(OpenCheckpoint(ReadVector("checkpoint"), other_name), HasReason(reason::kSignatureInvalid));
}

TEST_F(CheckpointTest, AnotherOriginThanTheKeysNameIsRefused) {
  EXPECT_THAT(Open(Signed(absl::StrReplaceAll(kText, {{"audit", "other"}}))),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(CheckpointTest, ADoubledLineIsAcceptedButAWrongOneBesideItIsNot) {
  note::Note note = *note::Parse(Signed(kText));
  note.signatures.push_back(note.signatures[0]);
  EXPECT_THAT(Open(note::Format(note)), IsOk());
  note.signatures[1].signature[5] ^= 1;
  EXPECT_THAT(Open(note::Format(note)), HasReason(reason::kSignatureInvalid));
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

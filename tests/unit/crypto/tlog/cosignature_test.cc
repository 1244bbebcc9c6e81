#include "crypto/tlog/cosignature.h"

#include "absl/strings/str_cat.h"
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
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kVectorTime;
using testing::ReadVector;
using testing::WitnessSigner;
namespace reason = base::reason;

class CosignatureTest : public ::testing::Test {
 protected:
  // The vector's checkpoint with the log's line only.
  static note::Note Checkpoint() {
    note::Note note = *note::Parse(ReadVector("checkpoint"));
    note.signatures.resize(1);
    return note;
  }
  static note::NoteSignature Line(const WitnessSigner& signer, uint64_t time = kVectorTime) {
    return Cosign(Checkpoint().text, signer.witness, signer.key, time);
  }
  WitnessSigner first_;
  WitnessSigner second_{"witness.example/w2", 0x40};
  WitnessSigner third_{"witness.example/w3", 0x60};
};

TEST_F(CosignatureTest, VectorsLineIsMadeAndVerifies) {
  const note::Note vector = *note::Parse(ReadVector("checkpoint"));
  EXPECT_EQ(Line(first_), vector.signatures[1]);
  EXPECT_EQ(*VerifyCosignature(vector.text, vector.signatures[1], first_.witness), kVectorTime);
  EXPECT_THAT(*CountCosignatures(vector, {first_.witness}), ElementsAre(Cosigned{0, kVectorTime}));
}

TEST_F(CosignatureTest, VectorsKeyIsReadAndWritten) {
  const std::string text(absl::StripSuffix(ReadVector("witness.vkey"), "\n"));
  EXPECT_EQ(first_.witness.Encode(), text);
  const auto witness = WitnessKey::Parse(text);
  ASSERT_THAT(witness, IsOk());
  EXPECT_EQ(witness->name(), "witness.example/w1");
  EXPECT_EQ(witness->key(), first_.key.public_key());
  EXPECT_EQ(base::Hex(witness->key_id()), "20324abe");
}

TEST_F(CosignatureTest, OtherKeyTextsAreRefused) {
  const std::string text = first_.witness.Encode();
  for (size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_THAT(WitnessKey::Parse(flipped), HasReason(reason::kMalformed)) << flipped;
    }
  }
  // A log's key is not a witness's, though both are Ed25519.
  EXPECT_THAT(WitnessKey::Parse(absl::StripSuffix(ReadVector("log.vkey"), "\n")),
              HasReason(reason::kMalformed));
  EXPECT_THAT(WitnessKey::Parse(text + "\n"), HasReason(reason::kMalformed));
  EXPECT_THAT(WitnessKey::Parse(""), HasReason(reason::kMalformed));
  EXPECT_THAT(WitnessKey::Create("a name", first_.key.public_key()), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(WitnessKey::Create("", first_.key.public_key()), HasReason(reason::kInvalidArgument));
}

TEST_F(CosignatureTest, EveryBitOfTheBlobCounts) {
  const note::Note note = Checkpoint();
  const note::NoteSignature line = Line(first_);
  ASSERT_EQ(line.signature.size(), 72u);
  for (size_t i = 0; i < line.signature.size(); ++i) {
    note::NoteSignature flipped = line;
    flipped.signature[i] ^= 1;
    EXPECT_THAT(VerifyCosignature(note.text, flipped, first_.witness), HasReason(reason::kSignatureInvalid))
        << i;
  }
}

TEST_F(CosignatureTest, AnotherTextTimeLengthOrWitnessIsRefused) {
  const note::Note note = Checkpoint();
  const note::NoteSignature line = Line(first_);
  EXPECT_THAT(VerifyCosignature(absl::StrReplaceAll(note.text, {{"300", "301"}}), line, first_.witness),
              HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(VerifyCosignature(note.text + "extension\n", line, first_.witness),
              HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(VerifyCosignature(note.text, line, second_.witness), HasReason(reason::kSignatureInvalid));
  note::NoteSignature other = line;
  other.signature.pop_back();
  EXPECT_THAT(VerifyCosignature(note.text, other, first_.witness), HasReason(reason::kSignatureInvalid));
  other.signature = line.signature + "x";
  EXPECT_THAT(VerifyCosignature(note.text, other, first_.witness), HasReason(reason::kSignatureInvalid));
  // The plain note signature of the same key is no cosignature.
  other.signature = first_.key.Sign(note.text);
  EXPECT_THAT(VerifyCosignature(note.text, other, first_.witness), HasReason(reason::kSignatureInvalid));
}

TEST_F(CosignatureTest, ATimeBeyondTheFormatIsRefusedThoughSigned) {
  const note::Note note = Checkpoint();
  EXPECT_EQ(*VerifyCosignature(note.text, Line(first_, kMaxTime), first_.witness), kMaxTime);
  EXPECT_EQ(*VerifyCosignature(note.text, Line(first_, 0), first_.witness), 0u);
  const uint64_t time = kMaxTime + 1;
  note::NoteSignature line = Line(first_);
  line.signature =
      absl::StrCat(base::BigEndian(time, 8),
                   first_.key.Sign(absl::StrCat("cosignature/v1\ntime ", time, "\n", note.text)));
  EXPECT_THAT(VerifyCosignature(note.text, line, first_.witness), HasReason(reason::kSignatureInvalid));
}

TEST_F(CosignatureTest, WitnessesAreCountedInTheirOrder) {
  note::Note note = Checkpoint();
  EXPECT_THAT(*CountCosignatures(note, {first_.witness}), IsEmpty());
  note.signatures.push_back(Line(third_, 30));
  note.signatures.push_back(Line(first_, 10));
  EXPECT_THAT(*CountCosignatures(note, {first_.witness, second_.witness, third_.witness}),
              ElementsAre(Cosigned{0, 10}, Cosigned{2, 30}));
  EXPECT_THAT(*CountCosignatures(note, {second_.witness}), IsEmpty());
  EXPECT_THAT(*CountCosignatures(note, {}), IsEmpty());
}

TEST_F(CosignatureTest, DoubledLinesCountOnceWithTheNewestTime) {
  note::Note note = Checkpoint();
  for (const uint64_t time : {20, 30, 10}) note.signatures.push_back(Line(first_, time));
  EXPECT_THAT(*CountCosignatures(note, {first_.witness, second_.witness}), ElementsAre(Cosigned{0, 30}));
}

TEST_F(CosignatureTest, OneKeyUnderTwoNamesCountsOnce) {
  const WitnessSigner alias("witness.example/alias", 0x20);
  note::Note note = Checkpoint();
  note.signatures.push_back(Line(first_));
  note.signatures.push_back(Line(alias));
  EXPECT_EQ(CountCosignatures(note, {first_.witness, alias.witness, second_.witness})->size(), 1u);
  note.signatures.erase(note.signatures.begin() + 1);
  EXPECT_THAT(*CountCosignatures(note, {first_.witness, alias.witness}),
              ElementsAre(Cosigned{1, kVectorTime}));
}

TEST_F(CosignatureTest, AWrongLineOfAKnownWitnessRejectsTheNote) {
  note::Note note = Checkpoint();
  note.signatures.push_back(Line(first_));
  note.signatures.push_back(Line(second_));
  note.signatures[2].signature[40] ^= 1;
  EXPECT_THAT(CountCosignatures(note, {first_.witness, second_.witness}),
              HasReason(reason::kSignatureInvalid));
  // Unknown, so passed over.
  EXPECT_THAT(*CountCosignatures(note, {first_.witness}), ElementsAre(Cosigned{0, kVectorTime}));
  // Also when a right line of it stands beside.
  note.signatures.push_back(Line(second_));
  EXPECT_THAT(CountCosignatures(note, {first_.witness, second_.witness}),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(CosignatureTest, AnswersAreAddedToTheCheckpoint) {
  note::Note note = Checkpoint();
  EXPECT_THAT(AddCosignatures(note, FormatCosignatures({Line(first_)}), {first_.witness, second_.witness}),
              IsOk());
  EXPECT_EQ(note::Format(note), ReadVector("checkpoint"));
  EXPECT_THAT(AddCosignatures(note, FormatCosignatures({Line(second_, 5)}), {second_.witness}), IsOk());
  EXPECT_THAT(*CountCosignatures(note, {first_.witness, second_.witness}),
              ElementsAre(Cosigned{0, kVectorTime}, Cosigned{1, 5}));
}

TEST_F(CosignatureTest, ANewerAnswerTakesThePlaceOfAnOlder) {
  note::Note note = Checkpoint();
  for (const uint64_t time : {20, 30, 10}) {
    EXPECT_THAT(AddCosignatures(note, FormatCosignatures({Line(first_, time)}), {first_.witness}), IsOk());
  }
  EXPECT_EQ(note.signatures.size(), 2u);
  EXPECT_THAT(*CountCosignatures(note, {first_.witness}), ElementsAre(Cosigned{0, 30}));
}

TEST_F(CosignatureTest, AnswersOfUnknownWitnessesAreDropped) {
  note::Note note = Checkpoint();
  const std::string lines = FormatCosignatures({Line(third_), Line(first_), Line(second_)});
  EXPECT_THAT(AddCosignatures(note, lines, {first_.witness}), IsOk());
  EXPECT_EQ(note::Format(note), ReadVector("checkpoint"));
}

TEST_F(CosignatureTest, BadAnswersChangeNothing) {
  note::Note note = Checkpoint();
  const std::string good = FormatCosignatures({Line(first_)});
  note::NoteSignature wrong = Line(second_);
  wrong.signature[70] ^= 1;
  const std::pair<std::string, const char*> answers[] = {
      {"", reason::kMalformed},
      {"\n", reason::kMalformed},
      {good + "\n", reason::kMalformed},
      {"\n" + good, reason::kMalformed},
      {absl::StrReplaceAll(good, {{"\n", "\r\n"}}), reason::kMalformed},
      {good.substr(0, good.size() - 1), reason::kMalformed},
      // A whole note of its own.
      {ReadVector("checkpoint"), reason::kMalformed},
      {"x\n\n" + good, reason::kMalformed},
      {std::string(100'000, 'x'), reason::kMalformed},
      {FormatCosignatures({Line(third_)}), reason::kSignatureInvalid},
      {good + FormatCosignatures({wrong}), reason::kSignatureInvalid},
  };
  for (const auto& [lines, expected] : answers) {
    EXPECT_THAT(AddCosignatures(note, lines, {first_.witness, second_.witness}), HasReason(expected))
        << lines.substr(0, 200);
    EXPECT_EQ(note, Checkpoint());
  }
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

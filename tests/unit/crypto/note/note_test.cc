#include "crypto/note/note.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::note {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace reason = base::reason;

std::string ReadVector(const std::string& name) {
  return *base::ReadFile(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/tests/vectors/note/", name));
}

std::string ReadKeyVector(const std::string& name) {
  return std::string(absl::StripSuffix(ReadVector(name), "\n"));
}

// A signer with its name.
struct Signer {
  Signer(absl::string_view name, base::Random& random)
      : key(PrivateKey::Generate(random)), verifier(*VerifierKey::Create(name, key.public_key())) {}
  PrivateKey key;
  VerifierKey verifier;
};

class NoteTest : public ::testing::Test {
 protected:
  Note SignedByBoth(absl::string_view text = "text\n") {
    Note note{std::string(text), {}};
    Sign(note, alice_.verifier, alice_.key);
    Sign(note, bob_.verifier, bob_.key);
    return note;
  }

  base::testing::SeededRandom random_{11};
  Signer alice_{"urn:raakvlak:maastricht:node:politie", random_};
  Signer bob_{"urn:raakvlak:maastricht:node:gemeente", random_};
  Signer carol_{"urn:raakvlak:maastricht:hub:zvh", random_};
};

TEST_F(NoteTest, PublishedCheckpointVerifiesAndIsWrittenBack) {
  const std::string bytes = ReadVector("checkpoint");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note note, Parse(bytes));
  EXPECT_EQ(Format(note), bytes);
  ASSERT_EQ(note.signatures.size(), 2u);
  EXPECT_EQ(note.signatures[1].signature.size(), 72u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey log, VerifierKey::Parse(ReadKeyVector("log.vkey")));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, Verify(note, {log}));
  EXPECT_THAT(names, ElementsAre("broker.example/audit"));
}

TEST_F(NoteTest, PublishedCheckpointIsSignedAgainByteForByte) {
  std::string seed;
  for (char byte = 0; byte < 32; ++byte) seed += byte;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const PrivateKey key, PrivateKey::FromSeed(base::SecretBytes(seed)));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey log,
                                VerifierKey::Create("broker.example/audit", key.public_key()));
  EXPECT_EQ(log.Encode(), ReadKeyVector("log.vkey"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note published, Parse(ReadVector("checkpoint")));
  Note note{published.text, {}};
  Sign(note, log, key);
  EXPECT_EQ(note.signatures[0], published.signatures[0]);
}

TEST_F(NoteTest, VerifierKeyOfTheStandardIsReadAndWrittenBack) {
  const std::string text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey key, VerifierKey::Parse(text));
  EXPECT_EQ(key.name(), "example.com/foo");
  EXPECT_EQ(base::Hex(key.key_id()), "530d903a");
  EXPECT_EQ(key.Encode(), text);
}

TEST_F(NoteTest, VerifierKeyInAnyOtherFormIsRefused) {
  const std::string text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  const std::string small_order = absl::StrCat("a+00000000+", base::Base64("\x01" + std::string(32, '\0')));
  for (const std::string& wrong :
       {std::string(), std::string("+"), std::string("++"), text + "\n", " " + text,
        text.substr(0, text.size() - 1), absl::StrReplaceAll(text, {{"530d903a", "530D903A"}}),
        absl::StrReplaceAll(text, {{"530d903a", "530d903b"}}),
        absl::StrReplaceAll(text, {{"530d903a", "30d903a"}}), absl::StrReplaceAll(text, {{"/foo", "/fop"}}),
        absl::StrReplaceAll(text, {{"/foo", "+foo"}}), absl::StrReplaceAll(text, {{"/foo", " foo"}}),
        absl::StrReplaceAll(text, {{"Aeky", "Auky"}}), text + "AAAA", std::string("a+00000000+"), small_order,
        ReadKeyVector("witness.vkey")}) {
    EXPECT_THAT(VerifierKey::Parse(wrong), HasReason(reason::kMalformed)) << wrong;
  }
}

TEST_F(NoteTest, VerifierKeysWithMutationsAreRefusedOrCanonical) {
  std::mt19937 engine(3);
  const std::string text = alice_.verifier.Encode();
  for (int i = 0; i < 5000; ++i) {
    std::string mutated = text;
    mutated[engine() % mutated.size()] = static_cast<char>(engine());
    const absl::StatusOr<VerifierKey> key = VerifierKey::Parse(mutated);
    if (key.ok()) {
      EXPECT_EQ(mutated, text);
    }
  }
}

TEST_F(NoteTest, NameWithSpaceControlPlusOrBadUtf8IsRefused) {
  for (const char* name : {"",
                           " ",
                           "a b",
                           "a+b",
                           "a\n",
                           "\ta",
                           "a\x01",
                           "a\u00A0b",
                           "a\u0085",
                           "\u1680",
                           "\u2003x",
                           "x\u2028",
                           "x\u202F",
                           "\u3000",
                           "\xff",
                           "a\xc0\xaf",
                           "\xed\xa0\x80",
                           "\xf4\x90\x80\x80",
                           "\xe2\x80",
                           "\xf8\x88\x80\x80\x80",
                           "\xe0\x80\xaf",
                           "\xf0\x80\x80\xaf",
                           "\x80"}) {
    EXPECT_THAT(VerifierKey::Create(name, alice_.key.public_key()), HasReason(reason::kInvalidArgument))
        << base::Hex(name);
  }
}

TEST_F(NoteTest, NameInAnyScriptIsTaken) {
  for (const char* name : {"a", "\u00FCrn:x", "\u0416", "\u20AC", "\U0001F600", "\U0010FFFF"}) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey key, VerifierKey::Create(name, alice_.key.public_key()));
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey read, VerifierKey::Parse(key.Encode()));
    EXPECT_EQ(read.name(), name);
    Note note{"\u00e9\U0001F600\n", {}};
    Sign(note, key, alice_.key);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note parsed, Parse(Format(note)));
    EXPECT_THAT(VerifyAll(parsed, {key}), IsOk());
  }
}

TEST_F(NoteTest, FormattedNoteIsParsedBackExactly) {
  for (const char* text : {"\n", "a\n", "a\n\n", "\n\n\n", "a\n\nb\n", "two\nlines\n", "\u20AC\n"}) {
    const Note note = SignedByBoth(text);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note parsed, Parse(Format(note)));
    EXPECT_EQ(parsed, note) << text;
    EXPECT_THAT(VerifyAll(parsed, {alice_.verifier, bob_.verifier}), IsOk());
  }
}

TEST_F(NoteTest, TextThatLooksLikeSignaturesIsSplitAtTheLastEmptyLine) {
  // A whole signed note as the text of another one.
  const std::string inner = Format(SignedByBoth("inner\n"));
  Note outer{inner, {}};
  Sign(outer, carol_.verifier, carol_.key);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note parsed, Parse(Format(outer)));
  EXPECT_EQ(parsed.text, inner);
  EXPECT_THAT(VerifyAll(parsed, {carol_.verifier}), IsOk());
  EXPECT_THAT(Verify(parsed, {alice_.verifier}), HasReason(reason::kSignatureInvalid));
}

TEST_F(NoteTest, AnythingThatIsNotExactlyANoteIsRefused) {
  const std::string good = Format(SignedByBoth());
  ASSERT_THAT(Parse(good), IsOk());
  const std::string line = absl::StrCat("\u2014 a ", base::Base64(std::string(68, 's')), "\n");
  ASSERT_THAT(Parse("t\n\n" + line), IsOk());
  for (const std::string& wrong : {
           std::string(),
           std::string("\n"),
           std::string("\n\n"),
           std::string("t\n"),
           std::string("t\n\n"),
           std::string("t\n\n\n"),
           "t\n" + line,
           line,
           "\n" + line,
           good.substr(0, good.size() - 1),
           good + "\n",
           good + " ",
           good + "x\n",
           "t\n\n" + line + "\n" + line.substr(0, line.size() - 1),
           absl::StrCat("t\r\n\n", line),
           absl::StrCat("t\t\n\n", line),
           absl::StrCat("t\xff\n\n", line),
           absl::StrCat(absl::string_view("t\0\n\n", 4), line),
           absl::StrCat("t\x1f\n\n", line),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{"\u2014 ", "\u2014"}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{"\u2014", "-"}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{"\u2014 a", "\u2014 "}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{" a ", " a  "}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{" a ", "  a "}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{" a ", " a b "}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{" a ", " a+b "}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{" a ", " a\u00A0"}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{"\n\u2014", "\n \u2014"}}),
           absl::StrReplaceAll(absl::StrCat("t\n\n", line), {{"=", ""}}),
           absl::StrCat("t\n\n", line.substr(0, line.size() - 1), " \n"),
           absl::StrCat("t\n\n\u2014 a\n"),
           absl::StrCat("t\n\n\u2014 a \n"),
           absl::StrCat("t\n\n\u2014 a ", base::Base64("1234"), "\n"),
       }) {
    EXPECT_THAT(Parse(wrong), HasReason(reason::kMalformed)) << wrong;
  }
}

TEST_F(NoteTest, SizesAreBounded) {
  const std::string line = absl::StrCat("\u2014 a ", base::Base64(std::string(68, 's')), "\n");
  std::string many = "t\n\n";
  for (size_t i = 0; i < kMaxSignatures; ++i) many += line;
  EXPECT_THAT(Parse(many), IsOk());
  EXPECT_THAT(Parse(many + line), HasReason(reason::kMalformed));
  const std::string tail = "\n\n" + line;
  EXPECT_THAT(Parse(std::string(kMaxNoteSize - tail.size(), 'x') + tail), IsOk());
  EXPECT_THAT(Parse(std::string(kMaxNoteSize - tail.size() + 1, 'x') + tail), HasReason(reason::kMalformed));
}

TEST_F(NoteTest, MutatedNotesAreRefusedOrWrittenBackAndNeverVerify) {
  std::mt19937 engine(5);
  const Note original = SignedByBoth("region: \"maastricht\"\n\nversion: 1\n");
  const std::string good = Format(original);
  int parsed_count = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string mutated = good;
    for (size_t edits = 1 + engine() % 3; edits > 0; --edits) {
      const size_t at = engine() % mutated.size();
      switch (engine() % 4) {
        case 0:
          mutated[at] = static_cast<char>(engine());
          break;
        case 1:
          mutated.erase(at, 1 + engine() % 4);
          break;
        case 2:
          mutated.insert(at, 1, "\n \xE2+=Aa"[engine() % 7]);
          break;
        default:
          mutated.insert(at, mutated.substr(engine() % mutated.size(), 1 + engine() % 40));
      }
      if (mutated.empty()) mutated = "x";
    }
    const absl::StatusOr<Note> note = Parse(mutated);
    if (!note.ok()) continue;
    ++parsed_count;
    ASSERT_EQ(Format(*note), mutated);
    if (note->text != original.text) {
      ASSERT_FALSE(VerifyAll(*note, {alice_.verifier, bob_.verifier}).ok());
    }
  }
  EXPECT_GT(parsed_count, 100);
}

TEST_F(NoteTest, SigningTwiceChangesNothing) {
  Note note = SignedByBoth();
  const Note before = note;
  Sign(note, alice_.verifier, alice_.key);
  EXPECT_EQ(note, before);
}

TEST_F(NoteTest, SigningAgainPutsADamagedSignatureRight) {
  Note note = SignedByBoth();
  const Note before = note;
  note.signatures[0].signature[5] ^= 1;
  EXPECT_THAT(VerifyAll(note, {alice_.verifier}), HasReason(reason::kSignatureInvalid));
  Sign(note, alice_.verifier, alice_.key);
  EXPECT_EQ(note, before);
}

TEST_F(NoteTest, SigningUnderTheNameOfAnotherKeyAborts) {
  Note note{"text\n", {}};
  EXPECT_DEATH(Sign(note, alice_.verifier, bob_.key), "belongs");
  Note unterminated{"text", {}};
  EXPECT_DEATH(Sign(unterminated, alice_.verifier, alice_.key), "newline");
}

TEST_F(NoteTest, UnknownSignaturesArePassedOver) {
  const Note note = SignedByBoth();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names,
                                Verify(note, {carol_.verifier, bob_.verifier}));
  EXPECT_THAT(names, ElementsAre(bob_.verifier.name()));
  EXPECT_THAT(Verify(note, {carol_.verifier}), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Verify(note, {}), HasReason(reason::kSignatureInvalid));
}

TEST_F(NoteTest, UnknownSignaturesMayBeAnything) {
  Note note = SignedByBoth();
  note.signatures.push_back({alice_.verifier.name(), "\x01\x02\x03\x04", "x"});  // known name, other key id
  note.signatures.push_back(
      {"other", alice_.verifier.key_id(), std::string(64, 'x')});  // known key id, other name
  EXPECT_THAT(VerifyAll(note, {alice_.verifier, bob_.verifier}), IsOk());
}

TEST_F(NoteTest, NamesComeInTheOrderOfTheVerifiersEachOnce) {
  const Note note = SignedByBoth();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names,
                                Verify(note, {bob_.verifier, alice_.verifier, bob_.verifier}));
  EXPECT_THAT(names, ElementsAre(bob_.verifier.name(), alice_.verifier.name()));
}

TEST_F(NoteTest, OneWrongSignatureOfAKnownKeyRejectsTheWholeNote) {
  for (size_t byte = 0; byte < kSignatureSize; ++byte) {
    Note note = SignedByBoth();
    note.signatures[1].signature[byte] ^= 0x10;
    EXPECT_THAT(Verify(note, {alice_.verifier, bob_.verifier}), HasReason(reason::kSignatureInvalid)) << byte;
    EXPECT_THAT(VerifyAll(note, {alice_.verifier, bob_.verifier}), HasReason(reason::kSignatureInvalid))
        << byte;
  }
}

TEST_F(NoteTest, DuplicateSignatureLinesCountOnceAndMustAllBeRight) {
  Note note = SignedByBoth();
  note.signatures.push_back(note.signatures[0]);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Note parsed, Parse(Format(note)));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, Verify(parsed, {alice_.verifier}));
  EXPECT_THAT(names, ElementsAre(alice_.verifier.name()));
  note.signatures[2].signature[0] ^= 1;
  EXPECT_THAT(Verify(note, {alice_.verifier}), HasReason(reason::kSignatureInvalid));
}

TEST_F(NoteTest, SignatureOfOneTextIsRefusedUnderAnother) {
  Note note = SignedByBoth("text\n");
  for (const char* other : {"texT\n", "text", "text\n\n", "\ntext\n", ""}) {
    note.text = other;
    EXPECT_THAT(Verify(note, {alice_.verifier}), HasReason(reason::kSignatureInvalid)) << other;
  }
}

TEST_F(NoteTest, SignatureShownUnderAnotherNameIsRefused) {
  Note note = SignedByBoth();
  note.signatures[0].name = bob_.verifier.name();
  note.signatures[0].key_id = bob_.verifier.key_id();
  EXPECT_THAT(Verify(note, {alice_.verifier, bob_.verifier}), HasReason(reason::kSignatureInvalid));
}

TEST_F(NoteTest, VerifyAllNamesWhoIsMissing) {
  const Note note = SignedByBoth();
  const absl::Status status = VerifyAll(note, {alice_.verifier, carol_.verifier});
  EXPECT_THAT(status, HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr(carol_.verifier.name()));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(alice_.verifier.name())));
}

TEST_F(NoteTest, VerifyAllOfNobodyIsRefused) {
  EXPECT_THAT(VerifyAll(SignedByBoth(), {}), HasReason(reason::kSignatureInvalid));
}

TEST_F(NoteTest, TwoKeysOfOneNameAreTwoSigners) {
  // A name whose key was replaced: the old key's signature does not stand for the new one.
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const VerifierKey replaced,
                                VerifierKey::Create(alice_.verifier.name(), carol_.key.public_key()));
  Note note = SignedByBoth();
  EXPECT_THAT(VerifyAll(note, {alice_.verifier, replaced}), HasReason(reason::kSignatureInvalid));
  Sign(note, replaced, carol_.key);
  EXPECT_THAT(VerifyAll(note, {alice_.verifier, replaced}), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names,
                                Verify(note, {alice_.verifier, replaced}));
  EXPECT_THAT(names, ElementsAre(alice_.verifier.name()));
}

TEST_F(NoteTest, FormatPageShowsTheWorkedExample) {
  std::string seed;
  for (char byte = 0; byte < 32; ++byte) seed += byte;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const PrivateKey key, PrivateKey::FromSeed(base::SecretBytes(seed)));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const VerifierKey verifier,
      VerifierKey::Create("urn:raakvlak:maastricht:node:politie", key.public_key()));
  Note note{"hello\n", {}};
  Sign(note, verifier, key);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const std::string page,
      base::ReadFile(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/docs/format/signed_note.md")));
  EXPECT_THAT(page, HasSubstr(Format(note)));
  EXPECT_THAT(page, HasSubstr(verifier.Encode()));
}

}  // namespace
}  // namespace raakvlak::crypto::note

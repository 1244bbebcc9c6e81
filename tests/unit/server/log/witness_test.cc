#include "server/log/witness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "tests/unit/server/log/fake_log.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;
using base::testing::IsOk;
using ::testing::ElementsAre;
using testing::FakeLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Contradiction::Kind;

constexpr char kName[] = "urn:raakvlak:maastricht:node:politie";

class Contradictions final : public ContradictionLog {
 public:
  void Report(const Contradiction& contradiction) override { seen.push_back(contradiction); }
  std::vector<Kind> Kinds() const {
    std::vector<Kind> kinds;
    for (const Contradiction& contradiction : seen) kinds.push_back(contradiction.kind);
    return kinds;
  }
  std::vector<Contradiction> seen;
};

// Passes on to a store in memory, and fails or is overtaken when told so.
class TroubledStore final : public storage::WitnessStore {
 public:
  absl::StatusOr<std::optional<storage::Witnessed>> FindWitnessed(absl::string_view origin) override {
    if (fail_find) return Failed();
    return inner->FindWitnessed(origin);
  }
  absl::StatusOr<std::optional<storage::Witnessed>> FindWitnessedByHash(absl::string_view hash) override {
    if (fail_find) return Failed();
    return inner->FindWitnessedByHash(hash);
  }
  absl::StatusOr<bool> AdvanceWitnessed(uint64_t old_size, const storage::Witnessed& next) override {
    if (before_advance) std::exchange(before_advance, nullptr)();
    if (fail_advance) return Failed();
    return inner->AdvanceWitnessed(old_size, next);
  }
  static absl::Status Failed() {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "secret disk words");
  }

  std::unique_ptr<storage::WitnessStore> inner = storage::MakeMemoryWitnessStore();
  bool fail_find = false;
  bool fail_advance = false;
  std::function<void()> before_advance;
};

class WitnessTest : public ::testing::Test {
 protected:
  WitnessAnswer Add(const std::string& body) { return witness_.AddCheckpoint(body, log_.urn()); }
  int Status(const std::string& body) { return Add(body).status; }
  // The time of the cosignature in a 200 answer over this checkpoint; 0 when it is none.
  uint64_t CosignedAt(const WitnessAnswer& answer, size_t size) {
    note::Note checkpoint = log_.Opened(size).note;
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(tlog::AddCosignatures(checkpoint, answer.body, {name_}), IsOk());
    const auto cosigned = tlog::CountCosignatures(checkpoint, {name_});
    return cosigned.ok() && cosigned->size() == 1 ? cosigned->front().time : 0;
  }
  uint64_t Now() { return static_cast<uint64_t>(absl::ToUnixSeconds(clock_.Now())); }

  FakeLog log_;
  base::testing::FakeClock clock_;
  TroubledStore store_;
  Contradictions contradictions_;
  const note::PrivateKey key_ = testing::KeyOf(kName);
  const tlog::WitnessKey name_ = testing::WitnessKeyOf(kName);
  absl::Status find_log_ = absl::OkStatus();
  Witness witness_{name_,
                   key_,
                   [this](absl::string_view origin) -> absl::StatusOr<note::VerifierKey> {
                     if (!find_log_.ok()) return find_log_;
                     if (log_.origin() == std::string(origin)) return log_.verifier();
                     return absl::NotFoundError("no such log");
                   },
                   store_,
                   clock_,
                   contradictions_};
};

TEST_F(WitnessTest, ConsistentCheckpointsAreCosigned) {
  EXPECT_EQ(CosignedAt(Add(log_.Body(0, 3)), 3), Now());
  EXPECT_EQ(CosignedAt(Add(log_.Body(3, 7)), 7), Now());
  EXPECT_EQ(CosignedAt(Add(log_.Body(7, 8)), 8), Now());
  EXPECT_EQ(CosignedAt(Add(log_.Body(8, 8)), 8), Now()) << "the same again";
  EXPECT_THAT(contradictions_.seen, IsEmpty());
}

TEST_F(WitnessTest, EveryPairOfSizesIsCosigned) {
  for (size_t old_size = 0; old_size <= 20; ++old_size) {
    for (size_t size = std::max<size_t>(old_size, 1); size <= 20; ++size) {
      store_.inner = storage::MakeMemoryWitnessStore();
      if (old_size > 0) {
        ASSERT_EQ(Status(log_.Body(0, old_size)), 200);
      }
      EXPECT_EQ(Status(log_.Body(old_size, size)), 200) << old_size << " to " << size;
    }
  }
}

TEST_F(WitnessTest, EmptyLogIsCosigned) {
  EXPECT_EQ(Status(log_.Body(0, 0)), 200);
  EXPECT_EQ(Status(log_.Body(0, 4)), 200);
  EXPECT_EQ(Status(log_.Body(0, 4)), 409);
}

TEST_F(WitnessTest, MalformedBodyIs400) {
  const std::string good = log_.Body(0, 3);
  ASSERT_EQ(Status(log_.Body(0, 2)), 200);
  const std::string text = good.substr(good.find("\n\n") + 2);
  const std::vector<std::string> bodies = {
      std::string(),
      std::string("old 0\n"),
      "old -1\n\n" + text,
      "old 00\n\n" + text,
      "old 0 \n\n" + text,
      "Old 0\n\n" + text,
      "old 9223372036854775808\n\n" + text,
      "old 0\r\n\r\n" + text,
      "old 0\n\n",
      "old 0\nAAAA\n\n" + text,
      "old 0\n\n\n" + text,
      good + "\n",
      good.substr(0, good.size() - 1),
      good.substr(1),
      "old 0\n\n" + log_.Signed(log_.origin() + "\n03\n" + log_.Root(3).ToBase64() + "\n"),
      "old 0\n\n" + log_.Signed(log_.origin() + "\n3\nAAAA\n"),
      "old 0\n\n" + log_.Signed(log_.origin() + "\n3\n" + log_.Root(3).ToBase64() + "\nextension\n"),
      "old 0\n\n" + log_.Signed(log_.origin() + "\n3\n"),
      "old 0\n\n" + log_.origin() + "\n3\n",
      std::string(tlog::kMaxAddCheckpointSize + 1, 'a')};
  for (const std::string& body : bodies) {
    EXPECT_EQ(Status(body), 400) << body;
  }
  EXPECT_EQ(Status(log_.Body(4, 3)), 400) << "old above the size";
  EXPECT_EQ(Status(log_.Body(0, 3)), 409) << "nothing was kept";
}

TEST_F(WitnessTest, SixtyFourHashesAre400) {
  ASSERT_EQ(Status(log_.Body(0, 2)), 200);
  const std::string hash = log_.Root(1).ToBase64() + "\n";
  std::string lines;
  for (int i = 0; i < 63; ++i) lines += hash;
  EXPECT_EQ(Status("old 2\n" + lines + "\n" + log_.Checkpoint(3)), 422);
  EXPECT_EQ(Status("old 2\n" + lines + hash + "\n" + log_.Checkpoint(3)), 400);
}

TEST_F(WitnessTest, UnknownLogIs404) {
  const FakeLog other("urn:raakvlak:maastricht:broker:ander/2026");
  EXPECT_EQ(Status(other.Body(0, 3)), 404);
  EXPECT_EQ(*store_.FindWitnessed(other.origin()), std::nullopt);
}

TEST_F(WitnessTest, CheckpointThatTheLogDidNotSignIs403) {
  const auto other = testing::KeyOf("another");
  tlog::Checkpoint checkpoint{log_.origin(), 3, log_.Root(3)};
  const auto unsigned_note = note::Format(
      tlog::SignCheckpoint(checkpoint, *note::VerifierKey::Create(log_.origin(), other.public_key()), other));
  EXPECT_EQ(Status(tlog::FormatAddCheckpoint({0, {}, unsigned_note})), 403) << "another key of that name";
  const std::string wrong = absl::StrReplaceAll(log_.Body(0, 3), {{"\n3\n", "\n4\n"}});
  EXPECT_EQ(Status(wrong), 403) << "signed for another size";
  note::Note cosigned_only = log_.Opened(3).note;
  cosigned_only.signatures = {tlog::Cosign(cosigned_only.text, name_, key_, 1)};
  EXPECT_EQ(Status(tlog::FormatAddCheckpoint({0, {}, note::Format(cosigned_only)})), 403);
  EXPECT_EQ(*store_.FindWitnessed(log_.origin()), std::nullopt);
}

TEST_F(WitnessTest, OtherSizeThanKeptIs409AndNamesIt) {
  const WitnessAnswer first = Add(log_.Body(2, 3));
  EXPECT_EQ(first.status, 409);
  EXPECT_EQ(first.body, "0\n");
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  for (const size_t old_size : {0, 1, 4, 6, 9}) {
    const WitnessAnswer answer = Add(log_.Body(old_size, 9));
    EXPECT_EQ(answer.status, 409) << old_size;
    EXPECT_EQ(answer.body, "5\n");
    EXPECT_EQ(answer.content_type, "text/x.tlog.size");
  }
  EXPECT_EQ(Status(log_.Body(5, 9)), 200);
  EXPECT_THAT(contradictions_.seen, IsEmpty());
}

TEST_F(WitnessTest, ProofThatDoesNotHoldIs422) {
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  const tlog::Proof good = log_.Proof(5, 9);
  const auto with = [&](const tlog::Proof& proof) {
    return Status(tlog::FormatAddCheckpoint({5, proof, log_.Checkpoint(9)}));
  };
  EXPECT_EQ(with({}), 422) << "none";
  for (size_t i = 0; i < good.size(); ++i) {
    tlog::Proof changed = good;
    changed[i].bytes[0] ^= 1;
    EXPECT_EQ(with(changed), 422) << "hash " << i;
    changed = good;
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_EQ(with(changed), 422) << "without hash " << i;
  }
  tlog::Proof longer = good;
  longer.push_back(good.back());
  EXPECT_EQ(with(longer), 422) << "one more";
  tlog::Proof swapped = good;
  std::swap(swapped[0], swapped[1]);
  EXPECT_EQ(with(swapped), 422) << "swapped";
  EXPECT_EQ(with(log_.Proof(4, 9)), 422) << "of another size";
  EXPECT_EQ(store_.FindWitnessed(log_.origin())->value().size, 5u);
  EXPECT_EQ(with(good), 200);
}

TEST_F(WitnessTest, ProofWithOldZeroOrEqualSizesIs422) {
  const tlog::Proof some = {log_.Root(1)};
  EXPECT_EQ(Status(tlog::FormatAddCheckpoint({0, some, log_.Checkpoint(5)})), 422);
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  EXPECT_EQ(Status(tlog::FormatAddCheckpoint({5, some, log_.Checkpoint(5)})), 422);
}

TEST_F(WitnessTest, EmptyTreeWithARootIs422) {
  const std::string text = log_.origin() + "\n0\n" + log_.Root(1).ToBase64() + "\n";
  EXPECT_EQ(Status("old 0\n\n" + log_.Signed(text)), 422);
  note::Note unsigned_note{text, {}};
  const auto other = testing::KeyOf("another");
  note::Sign(unsigned_note, *note::VerifierKey::Create("another", other.public_key()), other);
  EXPECT_EQ(Status("old 0\n\n" + note::Format(unsigned_note)), 403) << "the signature comes first";
}

TEST_F(WitnessTest, ForkIs422AndReported) {
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  const std::string before = log_.Checkpoint(5);
  log_.ForkAt(4);
  EXPECT_EQ(Status(log_.Body(5, 5)), 422);
  EXPECT_THAT(contradictions_.Kinds(), ElementsAre(Kind::kFork));
  EXPECT_EQ(contradictions_.seen[0].before.note, before);
  EXPECT_EQ(contradictions_.seen[0].note, log_.Checkpoint(5));
  EXPECT_EQ(Status(log_.Body(5, 9)), 422) << "nor does it get away by growing";
  EXPECT_THAT(contradictions_.Kinds(), ElementsAre(Kind::kFork, Kind::kInconsistent));
  EXPECT_EQ(store_.FindWitnessed(log_.origin())->value().note, before);
}

TEST_F(WitnessTest, ForkIsReportedWhoeverSendsItAndWithAnyOldSize) {
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  log_.ForkAt(4);
  EXPECT_EQ(witness_.AddCheckpoint(log_.Body(0, 5), "").status, 409);
  EXPECT_THAT(contradictions_.Kinds(), ElementsAre(Kind::kFork));
}

TEST_F(WitnessTest, TwoHistoriesForTwoOfficersNeverBothGetThisWitness) {
  // One log shows one history to one witness and another to this one: each officer asks for the quorum.
  FakeLog other_history;
  other_history.ForkAt(3);
  ASSERT_EQ(Status(log_.Body(0, 6)), 200);
  for (size_t size = 4; size <= 12; ++size) {
    for (const size_t old_size : {size_t{0}, size_t{3}, size_t{6}}) {
      if (old_size > size) continue;
      EXPECT_NE(Status(other_history.Body(old_size, size)), 200) << old_size << " to " << size;
    }
  }
  EXPECT_EQ(Status(log_.Body(6, 12)), 200);
}

TEST_F(WitnessTest, RollbackIs409AndReportedWhenTheLogItselfSendsIt) {
  ASSERT_EQ(Status(log_.Body(0, 9)), 200);
  EXPECT_EQ(witness_.AddCheckpoint(log_.Body(0, 5), "").status, 409);
  EXPECT_EQ(witness_.AddCheckpoint(log_.Body(0, 5), "urn:raakvlak:maastricht:node:gemeente").status, 409);
  EXPECT_THAT(contradictions_.seen, IsEmpty()) << "anybody can send an old checkpoint";
  EXPECT_EQ(Status(log_.Body(0, 5)), 409);
  EXPECT_THAT(contradictions_.Kinds(), ElementsAre(Kind::kRollback));
  EXPECT_EQ(contradictions_.seen[0].before.size, 9u);
  EXPECT_EQ(contradictions_.seen[0].size, 5u);
}

TEST_F(WitnessTest, WrongProofOfAStrangerIsNotReported) {
  ASSERT_EQ(Status(log_.Body(0, 5)), 200);
  EXPECT_EQ(witness_.AddCheckpoint(tlog::FormatAddCheckpoint({5, {}, log_.Checkpoint(9)}), "").status, 422);
  EXPECT_THAT(contradictions_.seen, IsEmpty());
}

TEST_F(WitnessTest, TimeOfCosignaturesNeverGoesBack) {
  const uint64_t before = Now();
  ASSERT_EQ(CosignedAt(Add(log_.Body(0, 3)), 3), before);
  clock_.Advance(-absl::Hours(3));
  EXPECT_EQ(CosignedAt(Add(log_.Body(3, 5)), 5), before);
  EXPECT_EQ(CosignedAt(Add(log_.Body(5, 5)), 5), before);
  clock_.Advance(absl::Hours(4));
  EXPECT_EQ(CosignedAt(Add(log_.Body(5, 6)), 6), before + 3600);
}

TEST_F(WitnessTest, NothingIsCosignedThatIsNotKept) {
  store_.fail_advance = true;
  const WitnessAnswer answer = Add(log_.Body(0, 3));
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("secret disk words")));
  store_.fail_advance = false;
  store_.fail_find = true;
  EXPECT_EQ(Status(log_.Body(0, 3)), 500);
  EXPECT_EQ(witness_.LatestCheckpoint(base::Hex(base::Sha256(log_.origin()))).status, 500);
  store_.fail_find = false;
  EXPECT_EQ(Status(log_.Body(0, 3)), 200);
}

TEST_F(WitnessTest, AnswerThatWasLostIsLearntBy409) {
  // Kept, then the answer is lost: the client still thinks that it is at 0.
  ASSERT_EQ(Status(log_.Body(0, 3)), 200);
  const WitnessAnswer conflict = Add(log_.Body(0, 5));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.body, "3\n");
  EXPECT_EQ(Status(log_.Body(3, 5)), 200);
}

TEST_F(WitnessTest, RequestThatIsOvertakenIs409WithTheNewSize) {
  ASSERT_EQ(Status(log_.Body(0, 3)), 200);
  store_.before_advance = [&] { EXPECT_EQ(Status(log_.Body(3, 8)), 200); };
  const WitnessAnswer answer = Add(log_.Body(3, 5));
  EXPECT_EQ(answer.status, 409) << "between look and keep another one came";
  EXPECT_EQ(answer.body, "8\n");
  EXPECT_EQ(store_.FindWitnessed(log_.origin())->value().size, 8u);
}

TEST_F(WitnessTest, OfTwoRacingRequestsExactlyOneWins) {
  FakeLog fork;
  fork.ForkAt(0);
  for (int round = 0; round < 200; ++round) {
    store_.inner = storage::MakeMemoryWitnessStore();
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (const std::string& body : {log_.Body(0, 5), fork.Body(0, 5)}) {
      threads.emplace_back([&, body] { winners += witness_.AddCheckpoint(body, "").status == 200; });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners, 1) << "round " << round;
  }
}

TEST_F(WitnessTest, WithoutCovenantItIs503) {
  find_log_ = absl::FailedPreconditionError("expired");
  EXPECT_EQ(Status(log_.Body(0, 3)), 503);
}

TEST_F(WitnessTest, LatestCheckpointIsShownWithItsCosignature) {
  const std::string path = base::Hex(base::Sha256(log_.origin()));
  EXPECT_EQ(witness_.LatestCheckpoint(path).status, 404);
  ASSERT_EQ(Status(log_.Body(0, 3)), 200);
  const WitnessAnswer line = Add(log_.Body(3, 5));
  const WitnessAnswer latest = witness_.LatestCheckpoint(path);
  EXPECT_EQ(latest.status, 200);
  EXPECT_EQ(latest.body, log_.Checkpoint(5) + line.body);
  for (const std::string& wrong : {std::string(), std::string("00"), std::string(64, '0'), path + "00",
                                   absl::StrReplaceAll(path, {{"a", "A"}, {"b", "B"}, {"c", "C"}})}) {
    EXPECT_EQ(witness_.LatestCheckpoint(wrong).status, 404) << wrong;
  }
}

TEST_F(WitnessTest, LinesOfOthersAreNotPassedOn) {
  note::Note checkpoint = log_.Opened(3).note;
  const auto other = testing::KeyOf("another");
  note::Sign(checkpoint, *note::VerifierKey::Create("another", other.public_key()), other);
  std::swap(checkpoint.signatures[0], checkpoint.signatures[1]);
  ASSERT_EQ(Status(tlog::FormatAddCheckpoint({0, {}, note::Format(checkpoint)})), 200);
  const WitnessAnswer latest = witness_.LatestCheckpoint(base::Hex(base::Sha256(log_.origin())));
  EXPECT_THAT(latest.body, ::testing::Not(HasSubstr("another")));
  EXPECT_THAT(latest.body, HasSubstr(kName));
}

// The vector of tests/vectors/tlog: a cosignature made by other programs.
TEST(WitnessVector, CosignatureIsThatOfTheOthers) {
  const std::string folder = std::string(RAAKVLAK_SOURCE_DIR) + "/tests/vectors/tlog";
  const std::string checkpoint = *base::ReadFile(folder + "/checkpoint");
  const auto log =
      *note::VerifierKey::Parse(absl::StripTrailingAsciiWhitespace(*base::ReadFile(folder + "/log.vkey")));
  const auto name =
      *tlog::WitnessKey::Parse(absl::StripTrailingAsciiWhitespace(*base::ReadFile(folder + "/witness.vkey")));
  std::string seed;
  for (char byte = 0x20; byte < 0x40; ++byte) seed += byte;
  const auto key = *note::PrivateKey::FromSeed(base::SecretBytes(seed));
  const auto store = storage::MakeMemoryWitnessStore();
  base::testing::FakeClock clock(absl::FromUnixSeconds(1'700'000'000));
  Contradictions contradictions;
  Witness witness(
      name, key, [&](absl::string_view) { return log; }, *store, clock, contradictions);
  note::Note of_the_log = *note::Parse(checkpoint);
  const note::NoteSignature expected = of_the_log.signatures.back();
  of_the_log.signatures.pop_back();
  const WitnessAnswer answer =
      witness.AddCheckpoint(tlog::FormatAddCheckpoint({0, {}, note::Format(of_the_log)}), "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, tlog::FormatCosignatures({expected}));
  EXPECT_EQ(witness.LatestCheckpoint(base::Hex(base::Sha256("broker.example/audit"))).body, checkpoint);
}

}  // namespace
}  // namespace raakvlak::log

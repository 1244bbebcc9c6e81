#include "server/log/witness_submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/tlog/add_checkpoint.h"
#include "tests/unit/server/log/fake_published_files.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
namespace tlog = crypto::tlog;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using testing::FakeLog;
using testing::FakeWitness;
using ::testing::HasSubstr;

constexpr char kName[] = "urn:raakvlak:maastricht:node:politie";
constexpr uint32_t kSubmittedYear = 2026;

// Answers what it is told, in order, and remembers the sizes that were asked with.
class ScriptedClient final : public client::WitnessClient {
 public:
  struct Script {
    std::deque<absl::StatusOr<client::WitnessReply>> answers;
    std::vector<uint64_t> old_sizes;
  };
  explicit ScriptedClient(Script& script) : script_(script) {}
  absl::StatusOr<client::WitnessReply> AddCheckpoint(absl::string_view body, absl::Duration) override {
    script_.old_sizes.push_back(tlog::ParseAddCheckpoint(body)->old_size);
    if (script_.answers.empty()) return client::WitnessReply{500, "the script is at its end"};
    auto answer = script_.answers.front();
    script_.answers.pop_front();
    return answer;
  }

 private:
  Script& script_;
};

class WitnessSubmissionTest : public ::testing::Test {
 protected:
  WitnessSubmissionTest() { files_.Add(kSubmittedYear, log_); }
  WitnessSubmission To(FakeWitness& witness) { return {{witness.name(), witness.Client(), true}, files_}; }
  auto Submit(WitnessSubmission& submission, size_t size) {
    return submission.Submit(kSubmittedYear, log_.Opened(size), absl::Seconds(1));
  }
  // What comes of these answers when the witness is thought to be at `seen`.
  absl::Status Answered(std::deque<absl::StatusOr<client::WitnessReply>> answers, uint64_t seen = 0,
                        size_t size = 9) {
    script_ = {std::move(answers), {}};
    WitnessSubmission submission(
        {testing::WitnessKeyOf(kName), std::make_unique<ScriptedClient>(script_), true}, files_);
    submission.Remember(kSubmittedYear, seen);
    return Submit(submission, size).status();
  }

  FakeLog log_;
  testing::FakePublishedFiles files_;
  FakeWitness witness_{kName};
  ScriptedClient::Script script_;
};

TEST_F(WitnessSubmissionTest, GrowingLogTakesOneCallForEachCheckpoint) {
  WitnessSubmission submission = To(witness_);
  for (size_t size = 1; size <= 12; ++size) {
    const auto line = Submit(submission, size);
    ASSERT_THAT(line, IsOk());
    EXPECT_THAT(tlog::VerifyCosignature(log_.Opened(size).note.text, *line, witness_.name()), IsOk());
  }
  EXPECT_EQ(witness_.calls(), 12);
}

TEST_F(WitnessSubmissionTest, UnknownSizeIsLearntBy409) {
  ASSERT_EQ(witness_.Ask(log_.Body(0, 5)).status, 200);
  WitnessSubmission submission = To(witness_);
  EXPECT_THAT(Submit(submission, 9), IsOk());
  EXPECT_EQ(witness_.calls(), 2);
  EXPECT_THAT(Submit(submission, 10), IsOk());
  EXPECT_EQ(witness_.calls(), 3);
}

TEST_F(WitnessSubmissionTest, LostAnswerIsMadeGoodTheNextTime) {
  WitnessSubmission submission = To(witness_);
  ASSERT_THAT(Submit(submission, 3), IsOk());
  witness_.Be(FakeWitness::Mood::kAnswerLost);
  EXPECT_THAT(Submit(submission, 5), HasReason(reason::kUnavailable));
  witness_.Be(FakeWitness::Mood::kWell);
  EXPECT_THAT(Submit(submission, 5), IsOk()) << "the same again";
  witness_.Be(FakeWitness::Mood::kAnswerLost);
  EXPECT_THAT(Submit(submission, 7), HasReason(reason::kUnavailable));
  witness_.Be(FakeWitness::Mood::kWell);
  EXPECT_THAT(Submit(submission, 9), IsOk()) << "and with a later one";
}

TEST_F(WitnessSubmissionTest, RestoredLogIsToldThatItWasLonger) {
  WitnessSubmission submission = To(witness_);
  ASSERT_THAT(Submit(submission, 9), IsOk());
  const auto result = Submit(submission, 5);
  EXPECT_THAT(result, HasReason(reason::kLogRollback));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("9 entries"));
  WitnessSubmission fresh = To(witness_);
  EXPECT_THAT(Submit(fresh, 5), HasReason(reason::kLogRollback));
  EXPECT_THAT(Submit(fresh, 9), IsOk()) << "back at its newest it goes on";
}

TEST_F(WitnessSubmissionTest, ForkedLogIsTold) {
  WitnessSubmission submission = To(witness_);
  ASSERT_THAT(Submit(submission, 9), IsOk());
  log_.ForkAt(7);
  EXPECT_THAT(Submit(submission, 9), HasReason(reason::kLogFork));
  EXPECT_THAT(Submit(submission, 12), HasReason(reason::kLogFork));
  WitnessSubmission fresh = To(witness_);
  EXPECT_THAT(Submit(fresh, 12), HasReason(reason::kLogFork));
}

TEST_F(WitnessSubmissionTest, WrongCosignaturesAreRefused) {
  WitnessSubmission submission = To(witness_);
  witness_.Be(FakeWitness::Mood::kLiar);
  EXPECT_THAT(Submit(submission, 3), HasReason(reason::kSignatureInvalid));
  FakeWitness other("urn:raakvlak:maastricht:node:gemeente");
  WitnessSubmission taken_for_another({witness_.name(), other.Client(), true}, files_);
  EXPECT_THAT(Submit(taken_for_another, 3), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Answered({client::WitnessReply{200, ""}}), HasReason(reason::kMalformed));
  EXPECT_THAT(Answered({client::WitnessReply{200, "nonsense\n"}}), HasReason(reason::kMalformed));
  EXPECT_THAT(Answered({client::WitnessReply{200, std::string(60000, 'x')}}), HasReason(reason::kMalformed));
}

TEST_F(WitnessSubmissionTest, AnswersOfOtherMakesAreUnderstood) {
  EXPECT_THAT(Answered({client::WitnessReply{404, "unknown"}}), HasReason(reason::kNotAllowed));
  EXPECT_THAT(Answered({client::WitnessReply{403, "unknown"}}), HasReason(reason::kNotAllowed));
  EXPECT_THAT(Answered({client::WitnessReply{422, ""}}, 5), HasReason(reason::kLogFork));
  EXPECT_THAT(Answered({client::WitnessReply{422, ""}}, 0), HasReason(reason::kUnavailable))
      << "from nothing on there is no other tree";
  EXPECT_THAT(Answered({client::WitnessReply{409, "9\n"}}, 9, 9), HasReason(reason::kLogFork))
      << "version 1.0.0 of the protocol";
  EXPECT_THAT(Answered({client::WitnessReply{409, ""}}, 9, 9), HasReason(reason::kLogFork));
  EXPECT_THAT(Answered({client::WitnessReply{409, "12\n"}}, 9, 9), HasReason(reason::kLogRollback));
  EXPECT_THAT(Answered({client::WitnessReply{500, ""}}), HasReason(reason::kUnavailable));
  EXPECT_THAT(Answered({client::WitnessReply{302, ""}}), HasReason(reason::kUnavailable));
  EXPECT_THAT(Answered({client::WitnessReply{0, ""}}), HasReason(reason::kUnavailable));
}

TEST_F(WitnessSubmissionTest, SizeIsTakenWithAndWithoutItsNewline) {
  Answered({client::WitnessReply{409, "4"}, client::WitnessReply{409, "6\n"}}).IgnoreError();
  EXPECT_THAT(script_.old_sizes, ElementsAre(0, 4, 6));
  for (const char* wrong : {"", "x", "-4\n", "04\n", "4\n\n", "4 \n", "99999999999999999999\n"}) {
    EXPECT_THAT(Answered({client::WitnessReply{409, wrong}}), HasReason(reason::kMalformed)) << wrong;
  }
}

TEST_F(WitnessSubmissionTest, WitnessThatAlwaysAnswers409DoesNotHoldItForEver) {
  EXPECT_THAT(Answered({client::WitnessReply{409, "1\n"}, client::WitnessReply{409, "2\n"},
                        client::WitnessReply{409, "3\n"}, client::WitnessReply{409, "4\n"},
                        client::WitnessReply{409, "5\n"}}),
              HasReason(reason::kUnavailable));
  EXPECT_THAT(script_.old_sizes, ElementsAre(0, 1, 2, 3));
}

TEST_F(WitnessSubmissionTest, TimeoutsAndRefusalsOfTheCallArePassedOn) {
  EXPECT_THAT(Answered({base::Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded, "late")}),
              HasReason(reason::kDeadlineExceeded));
  EXPECT_THAT(Answered({base::Error(absl::StatusCode::kPermissionDenied, reason::kPartnerSuspended, "out")}),
              HasReason(reason::kPartnerSuspended));
}

}  // namespace
}  // namespace raakvlak::log

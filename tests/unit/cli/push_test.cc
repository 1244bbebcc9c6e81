#include "cli/push.h"

#include <malloc.h>

#include <sstream>

#include "base/testing/status_matchers.h"
#include "cli/row_reader.h"
#include "gmock/gmock.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FakeIntake;
using ::testing::Le;
using testing::RejectedReceipt;
namespace reason = base::reason;

constexpr char kHeader[] = "client_ref,purpose,kind,category,bsn,note\n";

class Recorder final : public PushSink {
 public:
  void Rejected(const RejectedRow& row) override {
    rejected.push_back(absl::StrCat(row.file, ":", row.line, ":", row.column, ":", row.reason));
  }
  void Progress(const std::string&, const PushCounts& counts) override { last_receipts = counts.receipts(); }
  std::vector<std::string> rejected;
  uint64_t last_receipts = 0;
};

class PushTest : public ::testing::Test {
 protected:
  // Pushes files one after another with one Pusher.
  absl::Status Push(const std::vector<std::pair<std::string, std::string>>& files) {
    Pusher pusher(node_, sink_, clock_);
    absl::Status outcome;
    for (const auto& [name, text] : files) {
      std::istringstream in(text);
      const auto rows = MakeRowReader(in, FormatOf(name));
      if (outcome.ok()) outcome = pusher.PushRows(name, **rows);
    }
    if (outcome.ok()) outcome = pusher.Finish();
    counts_ = pusher.counts();
    return outcome;
  }

  static std::string Rows(int count) {
    std::string text = kHeader;
    for (int i = 0; i < count; ++i) absl::StrAppend(&text, "ref-", i, ",p,signal,geweld,999993847,\n");
    return text;
  }

  FakeIntake node_;
  Recorder sink_;
  base::testing::FakeClock clock_;
  PushCounts counts_;
};

TEST_F(PushTest, RowsGoInBatchesOverOneStreamWithSomeUnderWay) {
  EXPECT_THAT(Push({{"a.csv", Rows(2000)}}), IsOk());
  EXPECT_THAT(node_.batch_sizes, ElementsAre(256, 256, 256, 256, 256, 256, 256, 208));
  EXPECT_EQ(node_.streams, 1);
  EXPECT_EQ(node_.closed, 1);
  EXPECT_EQ(node_.most_under_way, kPushWindow);
  EXPECT_EQ(counts_.read, 2000u);
  EXPECT_EQ(counts_.accepted, 2000u);
  EXPECT_EQ(counts_.receipts(), 2000u);
  EXPECT_EQ(sink_.last_receipts, 2000u);
}

TEST_F(PushTest, RunningItAgainChangesNothing) {
  EXPECT_THAT(Push({{"a.csv", Rows(600)}}), IsOk());
  EXPECT_THAT(Push({{"a.csv", Rows(600)}}), IsOk());
  EXPECT_EQ(counts_.known, 600u);
  EXPECT_EQ(counts_.accepted, 0u);
  EXPECT_EQ(node_.accepted.size(), 600u);
}

TEST_F(PushTest, NoRowsOpenNoStream) {
  EXPECT_THAT(Push({{"a.csv", kHeader}}), IsOk());
  EXPECT_EQ(node_.streams, 0);
  EXPECT_EQ(counts_.read, 0u);
}

TEST_F(PushTest, RejectionsComeInTheOrderOfTheRowsFromHereAndFromTheNode) {
  node_.on_record = [](const v1::Record& record) {
    if (record.client_ref() == "b") return RejectedReceipt(reason::kDateInvalid, "birth_date");
    if (record.client_ref() == "e") return RejectedReceipt(reason::kNoRuleApplies, "");
    v1::PushReceipt receipt;
    receipt.set_result(v1::ACCEPTED);
    return receipt;
  };
  const std::string text = absl::StrCat(kHeader,
                                        "a,p,signal,c,1,\n"
                                        "b,p,signal,c,1,\"two\nlines\"\n"
                                        "c,p,signal,c\n"
                                        "d,p,signal,c,\xff,\n"
                                        "e,p,signal,c,1,\n");
  EXPECT_THAT(Push({{"a.csv", text}}), IsOk());
  EXPECT_THAT(sink_.rejected, ElementsAre("a.csv:3:birth_date:DATE_INVALID", "a.csv:5::ROW_MALFORMED",
                                          "a.csv:6:bsn:NOT_UTF8", "a.csv:7::NO_RULE_APPLIES"));
  EXPECT_EQ(counts_.accepted, 1u);
  EXPECT_EQ(counts_.rejected, 4u);
  EXPECT_EQ(counts_.read, 5u);
  EXPECT_THAT(node_.batch_sizes, ElementsAre(3));
}

TEST_F(PushTest, AFileOfRowsThatAreAllWrongSendsNothing) {
  std::string text = kHeader;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "x\n");
  EXPECT_THAT(Push({{"a.csv", text}}), IsOk());
  EXPECT_EQ(node_.streams, 0);
  EXPECT_EQ(counts_.rejected, 1000u);
  ASSERT_EQ(sink_.rejected.size(), 1000u);
  EXPECT_EQ(sink_.rejected.back(), "a.csv:1001::ROW_MALFORMED");
}

TEST_F(PushTest, SeveralFilesShareAStreamAndKeepTheirNames) {
  node_.on_record = [](const v1::Record&) { return RejectedReceipt(reason::kPurposeUnknown, "purpose"); };
  EXPECT_THAT(Push({{"a.csv", Rows(1)}, {"b.jsonl", "\n{\"client_ref\":\"x\"}\n"}, {"c.csv", Rows(1)}}),
              IsOk());
  EXPECT_THAT(sink_.rejected,
              ElementsAre("a.csv:2:purpose:PURPOSE_UNKNOWN", "b.jsonl:2:purpose:PURPOSE_UNKNOWN",
                          "c.csv:2:purpose:PURPOSE_UNKNOWN"));
  EXPECT_EQ(node_.streams, 1);
}

TEST_F(PushTest, BatchesStayFarBelowTheServersMessageLimit) {
  std::string text = kHeader;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&text, i, ",p,signal,c,1,", std::string(60'000, 'n'), "\n");
  EXPECT_THAT(Push({{"a.csv", text}}), IsOk());
  EXPECT_THAT(node_.batch_bytes, Each(Le(size_t{2} << 20)));
  EXPECT_EQ(counts_.accepted, 300u);
}

TEST_F(PushTest, AnOldStreamIsClosedAndAnotherOneOpened) {
  node_.on_batch = [this] {
    clock_.Advance(absl::Minutes(1));
    return absl::OkStatus();
  };
  EXPECT_THAT(Push({{"a.csv", Rows(256 * 20)}}), IsOk());
  EXPECT_GT(node_.streams, 2);
  EXPECT_EQ(node_.closed, node_.streams);
  EXPECT_EQ(counts_.accepted, 256u * 20u);
}

TEST_F(PushTest, AStreamThatBreaksTellsHowManyReceiptsCame) {
  int batches = 0;
  node_.on_batch = [&batches]() -> absl::Status {
    if (++batches <= 3) return absl::OkStatus();
    return base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "gone");
  };
  const absl::Status outcome = Push({{"a.csv", Rows(5000)}});
  EXPECT_THAT(outcome, HasReason(reason::kUnavailable));
  EXPECT_EQ(counts_.receipts(), 3u * 256u);
  node_.on_batch = [] { return absl::OkStatus(); };
  EXPECT_THAT(Push({{"a.csv", Rows(5000)}}), IsOk());
  EXPECT_EQ(counts_.known, 3u * 256u);
  EXPECT_EQ(counts_.accepted, 5000u - 3u * 256u);
  EXPECT_EQ(node_.accepted.size(), 5000u);
}

TEST_F(PushTest, AReceiptThatSaysNothingIsAnError) {
  node_.on_record = [](const v1::Record&) { return v1::PushReceipt(); };
  EXPECT_THAT(Push({{"a.csv", Rows(1)}}), HasReason(reason::kInternal));
  EXPECT_EQ(counts_.receipts(), 0u);
}

// A file that is made while it is read, and is nowhere whole.
class EndlessRows final : public std::streambuf {
 public:
  explicit EndlessRows(int rows) : rows_(rows) { text_ = kHeader; }

 protected:
  int_type underflow() override {
    if (made_header_) {
      if (made_ == rows_) return traits_type::eof();
      text_.clear();
      for (int i = 0; i < 100 && made_ < rows_; ++i, ++made_) {
        absl::StrAppend(&text_, "ref-", made_,
                        ",onaantastbaren,signal,geweld,999993847,\"a note\nof two lines\"\n");
      }
    }
    made_header_ = true;
    setg(text_.data(), text_.data(), text_.data() + text_.size());
    return traits_type::to_int_type(*gptr());
  }

 private:
  const int rows_;
  int made_ = 0;
  bool made_header_ = false;
  std::string text_;
};

TEST_F(PushTest, MemoryStaysFlatForALongFile) {
  uint64_t seen = 0;
  size_t most = 0;
  node_.on_record = [&](const v1::Record&) {
    if (++seen % 1000 == 0) most = std::max(most, static_cast<size_t>(mallinfo2().uordblks));
    v1::PushReceipt receipt;
    receipt.set_result(v1::ACCEPTED);
    return receipt;
  };
  const size_t before = mallinfo2().uordblks;
  EndlessRows rows(200'000);
  std::istream in(&rows);
  const auto reader = MakeRowReader(in, Format::kCsv);
  ASSERT_THAT(reader.status(), IsOk());
  Pusher pusher(node_, sink_, clock_);
  EXPECT_THAT(pusher.PushRows("big.csv", **reader), IsOk());
  EXPECT_THAT(pusher.Finish(), IsOk());
  EXPECT_EQ(seen, 200'000u);
  EXPECT_LT(most - std::min(most, before), size_t{4} << 20);
}

}  // namespace
}  // namespace raakvlak::cli

#include "server/log/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/tlog/tile.h"
#include "tests/unit/server/log/log_world.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PublisherTest : public LogWorld {
 protected:
  void SetUp() override { ASSERT_THAT(Start(), IsOk()); }
};

TEST_F(PublisherTest, NothingLoggedIsNothingPublished) {
  EXPECT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(0));
  EXPECT_FALSE(publisher_->Newest(kYear).has_value());
  EXPECT_FALSE(publisher_->NewestYear().has_value());
}

TEST_F(PublisherTest, EachSizeVerifiesFromTheFilesAlone) {
  uint64_t size = 0;
  for (const uint64_t more : {1, 1, 253, 1, 1, 44, 211, 1, 600, 256, 3}) {
    size += more;
    ASSERT_THAT(AppendAndPublish(more), IsOk()) << size;
    EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(size));
    ASSERT_TRUE(publisher_->Newest(kYear).has_value());
    EXPECT_EQ(publisher_->Newest(kYear)->checkpoint.size, size);
    EXPECT_THAT(base::ReadFile(year() + "/checkpoint"), IsOkAndHolds(publisher_->Newest(kYear)->note));
  }
}

TEST_F(PublisherTest, PublishingAgainChangesNothing) {
  ASSERT_THAT(AppendAndPublish(300), IsOk());
  const std::set<std::string> files = FilesBelow(year());
  const auto written = std::filesystem::last_write_time(year() + "/checkpoint");
  ASSERT_THAT(Publish(), IsOk());
  EXPECT_EQ(FilesBelow(year()), files);
  EXPECT_EQ(std::filesystem::last_write_time(year() + "/checkpoint"), written);
}

TEST_F(PublisherTest, PartialTilesGoWhenTheFullTileStands) {
  ASSERT_THAT(AppendAndPublish(200), IsOk());
  EXPECT_THAT(FilesBelow(year()), AllOf(Contains("tile/entries/000.p/200"), Contains("tile/0/000.p/200")));
  ASSERT_THAT(AppendAndPublish(50), IsOk());
  // Of a size that was published both stay until then: a slower reader may still want the first.
  EXPECT_THAT(FilesBelow(year()), AllOf(Contains("tile/0/000.p/200"), Contains("tile/0/000.p/250")));
  ASSERT_THAT(AppendAndPublish(50), IsOk());
  EXPECT_THAT(FilesBelow(year()), AllOf(Contains("tile/entries/000"), Contains("tile/0/000"),
                                        Contains("tile/1/000.p/1"), Contains("tile/entries/001.p/44"),
                                        Contains("tile/0/001.p/44"), Not(Contains(HasSubstr("000.p/2")))));
}

TEST_F(PublisherTest, ProofsOfEarlierSizesStillComeFromTheFiles) {
  ASSERT_THAT(AppendAndPublish(200), IsOk());
  const crypto::tlog::Hash old_root = publisher_->Newest(kYear)->checkpoint.root;
  ASSERT_THAT(AppendAndPublish(700), IsOk());
  const crypto::tlog::Hash root = publisher_->Newest(kYear)->checkpoint.root;
  const auto consistent = ConsistencyProof(year(), 200, 900);
  ASSERT_THAT(consistent, IsOk());
  EXPECT_THAT(crypto::tlog::VerifyConsistency(200, old_root, 900, root, *consistent), IsOk());
  const auto leaves = audit_.ReadLeaves(kYear, 0, 900);
  for (const uint64_t index : {0, 199, 255, 256, 899}) {
    const auto proof = InclusionProof(year(), index, 900);
    ASSERT_THAT(proof, IsOk());
    const auto leaf = crypto::tlog::LeafHash((*leaves)[index]);
    EXPECT_THAT(crypto::tlog::VerifyInclusion(leaf, index, 900, *proof, root), IsOk());
  }
  EXPECT_THAT(Root(year(), 200), IsOkAndHolds(old_root));
}

TEST_F(PublisherTest, EveryYearIsALogOfItsOwnAndTheOlderIsFinishedFirst) {
  testing::FakeCheckpointSigner signer(TestKey());
  auto both = Publisher::Create(audit_, *folder_, signer, clock_, signer.public_key());
  ASSERT_THAT(both, IsOk());
  audit_.Append(2026, kMaxEntriesPerCheckpoint + 5);
  audit_.Append(2027, 2);
  ASSERT_THAT((*both)->Publish(kNoHurry), IsOk());
  EXPECT_THAT(signer.sizes(), ElementsAre(kMaxEntriesPerCheckpoint, kMaxEntriesPerCheckpoint + 5, 2));
  EXPECT_THAT(VerifiedSize(logs(), 2026), IsOkAndHolds(kMaxEntriesPerCheckpoint + 5));
  EXPECT_THAT(VerifiedSize(logs(), 2027), IsOkAndHolds(2));
  EXPECT_EQ((*both)->NewestYear(), 2027);
}

TEST_F(PublisherTest, ASignerThatIsAwayIsAskedAgainForWhatIsOnDisk) {
  testing::FakeCheckpointSigner signer(TestKey());
  auto publisher = Publisher::Create(audit_, *folder_, signer, clock_, signer.public_key());
  ASSERT_THAT(publisher, IsOk());
  signer.FailWith(base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away"));
  audit_.Append(kYear, 10);
  EXPECT_THAT((*publisher)->Publish(kNoHurry), HasReason(reason::kUnavailable));
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(0)) << "no checkpoint without a signature";
  const std::set<std::string> files = FilesBelow(year());
  audit_.Append(kYear, 10);
  EXPECT_THAT((*publisher)->Publish(kNoHurry), HasReason(reason::kUnavailable));
  EXPECT_EQ(FilesBelow(year()), files) << "no more tiles while a size waits for its signature";
  signer.FailWith(absl::OkStatus());
  EXPECT_THAT((*publisher)->Publish(kNoHurry), IsOk());
  EXPECT_THAT(signer.sizes(), ElementsAre(10, 20));
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(20));
}

TEST_F(PublisherTest, AnAnswerSignedByAnotherKeyIsNotPublished) {
  testing::FakeCheckpointSigner other(TestKey('x'));
  auto publisher = Publisher::Create(audit_, *folder_, other, clock_, TestKey().public_key());
  ASSERT_THAT(publisher, IsOk());
  audit_.Append(kYear);
  EXPECT_THAT((*publisher)->Publish(kNoHurry), HasReason(reason::kSignatureInvalid));
  EXPECT_FALSE(std::filesystem::exists(year() + "/checkpoint"));
}

TEST_F(PublisherTest, PublishThroughPublishesOnlyWhenItMust) {
  audit_.Append(kYear, 3);
  ASSERT_THAT(publisher_->PublishThrough({kYear, 1}, kNoHurry), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(3));
  audit_.Append(kYear, 1);
  ASSERT_THAT(publisher_->PublishThrough({kYear, 2}, kNoHurry), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(3));
  EXPECT_THAT(publisher_->PublishThrough({kYear, 4}, kNoHurry), HasReason(reason::kNotFound));
  EXPECT_THAT(publisher_->PublishThrough({kYear + 1, 0}, kNoHurry), HasReason(reason::kNotFound));
}

TEST_F(PublisherTest, NothingIsBegunAfterTheDeadline) {
  audit_.Append(kYear, 3);
  EXPECT_THAT(publisher_->PublishThrough({kYear, 0}, clock_.Now()), HasReason(reason::kDeadlineExceeded));
  EXPECT_THAT(publisher_->PublishThrough({kYear, 0}, clock_.Now() + absl::Seconds(1)), IsOk());
}

TEST_F(PublisherTest, AMissingVerifierKeyIsWrittenAgain) {
  ASSERT_THAT(AppendAndPublish(3), IsOk());
  std::filesystem::remove(year() + "/log.vkey");
  ASSERT_THAT(Start(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(3));
}

TEST_F(PublisherTest, ACheckpointOfAnotherKeyIsRefusedAtTheStart) {
  ASSERT_THAT(AppendAndPublish(3), IsOk());
  EXPECT_THAT(Publisher::Create(audit_, *folder_, signer_, clock_, TestKey('x').public_key()),
              HasReason(reason::kSignatureInvalid));
}

TEST_F(PublisherTest, AFlippedBitInAStoredEntryIsNeverSigned) {
  ASSERT_THAT(AppendAndPublish(10), IsOk());
  const std::string old = *base::ReadFile(year() + "/checkpoint");
  audit_.Append(kYear, 10);
  // What the disk gives back is not what was written: the bit turns after the write, before the signature.
  const LogFolder::HookForTest hook = [&](LogFolder::Operation operation, const std::string& name) {
    if (operation == LogFolder::Operation::kSyncFolder && name == "2026/tile/0/000.p") {
      FlipBit(year() + "/tile/entries/000.p/20", 15 * 43 + 20);
    }
    return absl::OkStatus();
  };
  ASSERT_THAT(Start(hook), IsOk());
  EXPECT_THAT(Publish(), HasReason(reason::kLogFork));
  EXPECT_THAT(base::ReadFile(year() + "/checkpoint"), IsOkAndHolds(old));
  // Without the fault the entries are written again from the database, and signed.
  ASSERT_THAT(Start(), IsOk());
  EXPECT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(20));
}

TEST_F(PublisherTest, AFlippedBitInANewHashTileIsNeverSigned) {
  audit_.Append(kYear, 10);
  const LogFolder::HookForTest hook = [&](LogFolder::Operation operation, const std::string& name) {
    if (operation == LogFolder::Operation::kSyncFolder && name == "2026/tile/0/000.p") {
      FlipBit(year() + "/tile/0/000.p/10", 3 * 32);
    }
    return absl::OkStatus();
  };
  ASSERT_THAT(Start(hook), IsOk());
  EXPECT_THAT(Publish(), HasReason(reason::kLogFork));
  EXPECT_FALSE(std::filesystem::exists(year() + "/checkpoint"));
}

TEST_F(PublisherTest, DamagedPublishedTilesAreFoundAtTheStart) {
  ASSERT_THAT(AppendAndPublish(300), IsOk());
  FlipBit(year() + "/tile/0/001.p/44", 7 * 32 + 5);
  EXPECT_THAT(Start(), HasReason(reason::kLogFork));
  FlipBit(year() + "/tile/0/001.p/44", 7 * 32 + 5);
  FlipBit(year() + "/tile/entries/001.p/44", 7 * 43 + 30);
  const absl::Status fork = Start();
  EXPECT_THAT(fork, HasReason(reason::kLogFork));
  EXPECT_THAT(std::string(fork.message()), HasSubstr("entry 263 "));
}

TEST_F(PublisherTest, AFullDiskStopsPublishingAndLaterItGoesOn) {
  ASSERT_THAT(AppendAndPublish(10), IsOk());
  bool full = false;
  ASSERT_THAT(Start([&](LogFolder::Operation operation, const std::string&) {
                return full && operation == LogFolder::Operation::kWrite
                           ? base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "full")
                           : absl::OkStatus();
              }),
              IsOk());
  full = true;
  EXPECT_THAT(AppendAndPublish(300), HasReason(reason::kStorageFailed));
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(10));
  full = false;
  EXPECT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(310));
  EXPECT_TRUE(std::filesystem::is_empty(logs() + "/tmp"));
}

}  // namespace
}  // namespace raakvlak::log

#include "crypto/tlog/leaf.h"

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
namespace reason = base::reason;

const std::string kSalt(32, 's');

// Written out from `printf 's%.0s' {1..32} | cat - <(printf details) | sha256sum`.
constexpr char kExample[] =
    "01"
    "0000018bcfe56800"
    "f6368e43fd3979f2a1d8cdf2342a3c3752977e3e4f8bbba04cc10c3374157d42";

TEST(LeafTest, BytesAreVersionTimeAndCommitment) {
  EXPECT_EQ(base::Hex(MakeLeaf(1'700'000'000'000, kSalt, "details")), kExample);
}

TEST(LeafTest, WhatIsMadeIsRead) {
  for (const uint64_t time : {uint64_t{0}, uint64_t{1'700'000'000'000}, kMaxTime}) {
    const std::string entry = MakeLeaf(time, kSalt, "details");
    ASSERT_EQ(entry.size(), kLeafSize);
    ASSERT_THAT(ParseLeaf(entry), IsOk());
    EXPECT_EQ(ParseLeaf(entry)->time_ms, time);
    EXPECT_THAT(VerifyLeaf(entry, kSalt, "details"), IsOk());
  }
  EXPECT_THAT(VerifyLeaf(MakeLeaf(1, kSalt, ""), kSalt, ""), IsOk());
}

TEST(LeafTest, OtherDetailsOrAnotherSaltAreFound) {
  const std::string entry = MakeLeaf(5, kSalt, "details");
  EXPECT_THAT(VerifyLeaf(entry, kSalt, "detail"), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyLeaf(entry, kSalt, "details "), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyLeaf(entry, std::string(32, 't'), "details"), HasReason(reason::kProofInvalid));
  // The same bytes, divided elsewhere.
  EXPECT_THAT(VerifyLeaf(entry, kSalt + "d", "etails"), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyLeaf(entry, kSalt.substr(1), "sdetails"), HasReason(reason::kProofInvalid));
  EXPECT_THAT(VerifyLeaf(entry, "", ""), HasReason(reason::kProofInvalid));
}

TEST(LeafTest, OtherBytesAreNoLeaf) {
  const std::string entry = MakeLeaf(5, kSalt, "details");
  for (size_t size = 0; size < entry.size(); ++size) {
    EXPECT_THAT(ParseLeaf(entry.substr(0, size)), HasReason(reason::kMalformed)) << size;
  }
  EXPECT_THAT(ParseLeaf(entry + "x"), HasReason(reason::kMalformed));
  for (const char version : {'\0', '\2', '\xff'}) {
    std::string other = entry;
    other[0] = version;
    EXPECT_THAT(ParseLeaf(other), HasReason(reason::kMalformed));
    EXPECT_THAT(VerifyLeaf(other, kSalt, "details"), HasReason(reason::kMalformed));
  }
  std::string other = entry;
  other[1] = '\x80';
  EXPECT_THAT(ParseLeaf(other), HasReason(reason::kMalformed));
}

TEST(LeafTest, EqualDetailsWithOtherSaltsLookUnrelated) {
  EXPECT_NE(MakeLeaf(5, kSalt, "details").substr(9), MakeLeaf(5, std::string(32, 't'), "details").substr(9));
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

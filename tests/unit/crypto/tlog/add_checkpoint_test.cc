#include "crypto/tlog/add_checkpoint.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/tlog/twin.h"

namespace raakvlak::crypto::tlog {
namespace {

using base::testing::HasReason;
using testing::ReadVector;
namespace reason = base::reason;

constexpr char kHead[] = "old 256\nVMnxW4d1+SaVX5js9ar6Mu9CMl6XtZ2TGyciceBeJe8=\n\n";

TEST(AddCheckpointTest, VectorsMakeARequest) {
  testing::MemoryTree tree(testing::EntryHashes(300));
  const AddCheckpoint request{256, *ConsistencyProof(256, 300, tree), ReadVector("checkpoint")};
  const std::string body = absl::StrCat(kHead, ReadVector("checkpoint"));
  EXPECT_EQ(FormatAddCheckpoint(request), body);
  EXPECT_EQ(*ParseAddCheckpoint(body), request);
}

TEST(AddCheckpointTest, ExampleOfTheStandardIsRead) {
  const auto request = ParseAddCheckpoint(
      "old 20852014\n"
      "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
      "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
      "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
      "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
      "\n"
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n");
  ASSERT_THAT(request, base::testing::IsOk());
  EXPECT_EQ(request->old_size, 20852014u);
  EXPECT_EQ(request->proof.size(), 4u);
  EXPECT_TRUE(request->checkpoint.starts_with("example.com/behind-the-sofa\n20852163\n"));
}

TEST(AddCheckpointTest, WhatIsWrittenIsRead) {
  for (const size_t hashes : {0, 1, 63}) {
    const AddCheckpoint request{kMaxTreeSize, Proof(hashes, LeafHash("x")), "any\n\ntext"};
    EXPECT_EQ(*ParseAddCheckpoint(FormatAddCheckpoint(request)), request);
  }
  EXPECT_EQ(ParseAddCheckpoint("old 0\n\n")->checkpoint, "");
}

TEST(AddCheckpointTest, OtherSpellingsAreRefused) {
  const std::string hash = LeafHash("x").ToBase64() + "\n";
  std::string many = "old 1\n";
  for (int i = 0; i < 64; ++i) many += hash;
  const std::string bodies[] = {
      "",
      "\n",
      "old 1",
      "old 1\n",
      "old 1\n" + hash,
      "old 01\n\nc",
      "old -1\n\nc",
      "old +1\n\nc",
      "old \n\nc",
      "old\n\nc",
      "old  1\n\nc",
      "old 1 \n\nc",
      " old 1\n\nc",
      "Old 1\n\nc",
      "new 1\n\nc",
      "old 1\r\n\r\nc",
      "old 9223372036854775808\n\nc",
      "old 18446744073709551617\n\nc",
      "old 1\nold 1\n\nc",
      "old 1\n" + hash.substr(1) + "\nc",
      "old 1\n" + base::Base64(std::string(31, 'x')) + "\n\nc",
      "old 1\n " + hash + "\nc",
      "old 1\n" + absl::StrReplaceAll(hash, {{"=", ""}}) + "\nc",
      many + "\nc",
      "old 1\n\n" + std::string(kMaxAddCheckpointSize, 'c'),
  };
  for (const std::string& body : bodies) {
    EXPECT_THAT(ParseAddCheckpoint(body), HasReason(reason::kMalformed)) << body.substr(0, 100);
  }
}

TEST(AddCheckpointTest, TruncatedHeadsAreRefused) {
  const std::string head = kHead;
  for (size_t size = 0; size < head.size(); ++size) {
    EXPECT_THAT(ParseAddCheckpoint(head.substr(0, size)), HasReason(reason::kMalformed)) << size;
  }
}

}  // namespace
}  // namespace raakvlak::crypto::tlog

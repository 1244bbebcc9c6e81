#include "policy/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::policy {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view text) {
  v1::Covenant covenant;
  return ParseText(text, covenant).value_or("");
}

TEST(ParseText, PrintedTextReadsBackTheSame) {
  v1::Covenant covenant;
  covenant.set_region("maastricht");
  covenant.mutable_hub()->set_name("Zuid-Limburg \"Súdwest\" \\ é");
  covenant.add_purposes()->add_categories("overlast");
  const std::string text = PrintText(covenant);
  EXPECT_THAT(text, HasSubstr("Súdwest")) << "people read it";
  v1::Covenant parsed;
  EXPECT_EQ(ParseText(text, parsed), std::nullopt);
  EXPECT_EQ(PrintText(parsed), text);
}

TEST(ParseText, ErrorsNameTheirPlaceAndPrintNothing) {
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(ErrorOf("format: 1\nsurprise: 2\n"), HasSubstr("line 2"));
  EXPECT_THAT(ErrorOf("format: 1\nformat: 2\n"), HasSubstr("line 2"));
  EXPECT_THAT(ErrorOf("format: one\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("hub {"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("bsn_policy: BSN_SOME"), HasSubstr("BSN_SOME"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(ParseText, EscapedBytesAreNoWayAroundUtf8) {
  EXPECT_EQ(ErrorOf("hub { name: \"\\303\\251\" }"), "") << "an escaped é is UTF-8";
  EXPECT_THAT(ErrorOf("hub { name: \"\\377\" }"), HasSubstr("name"));
  EXPECT_THAT(ErrorOf("hub { name: \"\\303\" }"), HasSubstr("name")) << "cut sequence";
  EXPECT_THAT(ErrorOf("hub { name: \"\\300\\200\" }"), HasSubstr("name")) << "overlong";
  EXPECT_THAT(ErrorOf("hub { name: \"\\340\\200\\200\" }"), HasSubstr("name")) << "overlong";
  EXPECT_THAT(ErrorOf("hub { name: \"\\355\\240\\200\" }"), HasSubstr("name")) << "surrogate";
  EXPECT_THAT(ErrorOf("hub { name: \"\\364\\220\\200\\200\" }"), HasSubstr("name")) << "above U+10FFFF";
  EXPECT_THAT(ErrorOf("hub { name: \"a\\nb\" }"), HasSubstr("name")) << "control character";
  EXPECT_THAT(ErrorOf("hub { name: \"\\000\" }"), HasSubstr("name"));
  EXPECT_THAT(ErrorOf("purposes { categories: \"a\" categories: \"\\377\" }"), HasSubstr("categories"));
}

TEST(ParseText, LongStringIsRefused) {
  EXPECT_EQ(ErrorOf("hub { name: \"" + std::string(1024, 'a') + "\" }"), "");
  EXPECT_THAT(ErrorOf("hub { name: \"" + std::string(1025, 'a') + "\" }"), HasSubstr("name"));
}

TEST(ParseUtc, OnlyOneSpellingIsTaken) {
  ASSERT_TRUE(ParseUtc("2026-02-28T23:59:59Z").has_value());
  EXPECT_EQ(FormatUtc(*ParseUtc("2026-02-28T23:59:59Z")), "2026-02-28T23:59:59Z");
  for (const char* text :
       {"", "2026-02-28", "2026-02-28T23:59:59", "2026-02-28 23:59:59Z", " 2026-02-28T23:59:59Z",
        "2026-02-30T00:00:00Z", "2026-02-28T23:59:59.0Z", "2026-2-28T23:59:59Z", "+2026-02-28T23:59:59Z",
        "02026-02-28T23:59:59Z", "2026-02-28T23:59:60Z", "infinite-future", "infinite-past"}) {
    EXPECT_FALSE(ParseUtc(text).has_value()) << text;
  }
}

TEST(Fields, TakeWhatTheySay) {
  EXPECT_TRUE(IsName("a-1"));
  for (const char* text : {"", "-a", "a b", "a_b", "A", "é"}) EXPECT_FALSE(IsName(text)) << text;
  EXPECT_TRUE(IsOrganisation("OIN:00000001234567890000"));
  EXPECT_TRUE(IsOrganisation("KVK:12345678"));
  for (const char* text :
       {"", "OIN:", "OIN:123", "KVK:1234567", "KVK:123456789", "KVK:1234567a", "kvk:12345678"}) {
    EXPECT_FALSE(IsOrganisation(text)) << text;
  }
  EXPECT_TRUE(IsAddress("node.example:7001"));
  for (const char* text :
       {"", ":7001", "host", "host:", "host:0", "host:65536", "host:+1", "host: 1", "a b:1"}) {
    EXPECT_FALSE(IsAddress(text)) << text;
  }
  EXPECT_TRUE(IsTimeZone("UTC"));
  EXPECT_TRUE(IsTimeZone("Europe/Amsterdam"));
  for (const char* text : {"", "localtime", "Fixed/UTC+01:00:00", "../Europe/Amsterdam",
                           "Europe/../Europe/Amsterdam", "file:/etc/localtime", "Mars/Base"}) {
    EXPECT_FALSE(IsTimeZone(text)) << text;
  }
  EXPECT_TRUE(IsKey("uFpEGRyeEzDDzkfjf6P7DMwFzEEtbTrjcyyqEfYK3w4="));
  EXPECT_FALSE(IsKey("uFpEGRyeEzDDzkfjf6P7DMwFzEEtbTrjcyyqEfYK3w4"));
}

}  // namespace
}  // namespace raakvlak::policy

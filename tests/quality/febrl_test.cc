#include "tests/quality/febrl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/status_matchers.h"

namespace raakvlak::quality {
namespace {

using ::testing::ElementsAre;

constexpr char kHeader[] =
    "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, "
    "date_of_birth, "
    "soc_sec_id\n";
constexpr char kRow[] =
    "rec-1496-org, mitchell, green, 7, wallaby place, delmar, cleveland, 2119, sa, 19560409, 1804974";

TEST(FebrlTest, TakesTheFieldsOfARecord) {
  const auto rows = ParseFebrl(std::string(kHeader) + kRow + "\n");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1u);
  const FebrlRow& row = (*rows)[0];
  EXPECT_EQ(row.person, 1496u);
  EXPECT_THAT(row.fields.given_names, ElementsAre("mitchell"));
  EXPECT_THAT(row.fields.surname_parts, ElementsAre("green"));
  EXPECT_EQ(row.fields.birth_date, "1956-04-09");
  EXPECT_EQ(row.fields.bsn, "1804974");
  EXPECT_EQ(row.fields.postcode, "2119");
  EXPECT_EQ(row.fields.house_number, "7");
}

TEST(FebrlTest, CopiesOfOneRecordAreOnePerson) {
  const auto rows = ParseFebrl(std::string(kHeader) + kRow + "\nrec-1496-dup-0,,,,,,,,,,\n");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].person, (*rows)[1].person);
}

TEST(FebrlTest, LineEndsBlanksAndAMissingLastNewlineAreAccepted) {
  const auto rows = ParseFebrl(
      "\xEF\xBB\xBFrec_id,surname , given_name,date_of_birth\r\nrec-7-org ,  smith,\tann "
      ",19800102\r\nrec-7-dup-0,smith,ann,19800102");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].fields.birth_date, (*rows)[1].fields.birth_date);
  EXPECT_EQ((*rows)[0].fields.surname_parts, (*rows)[1].fields.surname_parts);
  EXPECT_EQ((*rows)[1].person, 7u);
}

TEST(FebrlTest, ADateThatIsNoneIsLeftOutAndTheRestStays) {
  const auto rows =
      ParseFebrl("rec_id,surname,date_of_birth\nrec-1-org,green,19551192\nrec-2-org,green,1955\n");
  ASSERT_TRUE(rows.ok());
  for (const FebrlRow& row : *rows) {
    EXPECT_EQ(row.fields.birth_date, "");
    EXPECT_THAT(row.fields.surname_parts, ElementsAre("green"));
  }
}

TEST(FebrlTest, AnotherFormIsRefusedWithItsLine) {
  EXPECT_FALSE(ParseFebrl("").ok());
  for (const char* header : {"id,surname\n", "rec_id,name\n", "rec_id,surname,surname\n"}) {
    EXPECT_THAT(ParseFebrl(header).status().message(), ::testing::HasSubstr("header")) << header;
  }
  EXPECT_THAT(ParseFebrl("rec_id,surname\nrec-1-org,a,b\n").status().message(),
              ::testing::HasSubstr("line 2"));
  EXPECT_THAT(ParseFebrl("rec_id,surname\nrec-1-org,a\nnobody,b\n").status().message(),
              ::testing::HasSubstr("line 3"));
}

}  // namespace
}  // namespace raakvlak::quality

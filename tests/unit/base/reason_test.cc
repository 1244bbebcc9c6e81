#include "base/reason.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

// What stands between the first two `mark` characters of each line that holds `needle`.
std::multiset<std::string> Quoted(const std::string& path, const std::string& needle, char mark) {
  const auto content = ReadFile(std::string(RAAKVLAK_SOURCE_DIR) + "/" + path);
  EXPECT_THAT(content, testing::IsOk());
  std::multiset<std::string> found;
  for (const absl::string_view line : absl::StrSplit(content.value_or(""), '\n')) {
    if (!absl::StrContains(line, needle)) continue;
    const std::vector<std::string> parts = absl::StrSplit(line, mark);
    if (parts.size() >= 3) found.insert(parts[1]);
  }
  return found;
}

TEST(ReasonTest, DocumentListsExactlyTheCodesThereAre) {
  const auto codes = Quoted("base/reason.h", "inline constexpr char", '"');
  EXPECT_GT(codes.size(), 60u);
  EXPECT_EQ(codes, Quoted("docs/reason_codes.md", "| `", '`'));
}

TEST(ReasonTest, NoCodeStandsForTwoReasons) {
  const auto codes = Quoted("base/reason.h", "inline constexpr char", '"');
  EXPECT_EQ(codes.size(), std::set<std::string>(codes.begin(), codes.end()).size());
}

}  // namespace
}  // namespace raakvlak::base

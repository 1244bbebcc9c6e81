#include "audit/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/audit/records.h"

namespace raakvlak::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string PageOf(const LogOfTest& log, Language language) {
  ReportOptions options;
  options.from_ms = kMondayMs;
  options.until_ms = kMondayMs + 7 * kDayMs;
  ReportSource source;
  source.region = "maastricht";
  source.log = "urn:raakvlak:maastricht:broker:centrum/2026";
  source.witnesses = {"urn:raakvlak:maastricht:node:politie"};
  return HtmlReport(MakeReport(log.records(), options), source, language);
}

LogOfTest SomeLog() {
  LogOfTest log;
  log.Add(kMondayMs, "urn:raakvlak:maastricht:staff:anna", "open").details.set_case_reference("ZVH-1");
  log.Add(kMondayMs + kDayMs, "urn:raakvlak:maastricht:staff:anna", "list");
  return log;
}

TEST(HtmlReportTest, ThePageLoadsNothing) {
  const std::string page = PageOf(SomeLog(), Language::kDutch);
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* outside : {"http://", "https://", "<script", "<link", "<img", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside))) << outside;
  }
}

TEST(HtmlReportTest, TextOfTheLogIsEscaped) {
  LogOfTest log = SomeLog();
  log.Add(kMondayMs, "<script>alert('x')</script>", "open").details.set_case_reference("\"><b>&");
  const std::string page = PageOf(log, Language::kEnglish);
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)"));
  EXPECT_THAT(page, HasSubstr("&quot;&gt;&lt;b&gt;&amp;"));
}

TEST(HtmlReportTest, ItSpeaksDutchOrEnglish) {
  EXPECT_THAT(PageOf(SomeLog(), Language::kDutch), HasSubstr("<html lang=\"nl\">"));
  EXPECT_THAT(PageOf(SomeLog(), Language::kDutch), HasSubstr("Verantwoording van inzage"));
  EXPECT_THAT(PageOf(SomeLog(), Language::kEnglish), HasSubstr("Access report"));
}

TEST(HtmlReportTest, ChartsHaveABarForWhatWasDone) {
  const std::string page = PageOf(SomeLog(), Language::kEnglish);
  EXPECT_THAT(page, HasSubstr("<rect class=\"opens\" x=\"0.00\" y=\"0.00\""));
  EXPECT_THAT(page, HasSubstr("<title>2026-05-04: 1</title>"));
}

TEST(HtmlReportTest, AnEmptyPeriodIsStillAPage) {
  EXPECT_THAT(PageOf(LogOfTest(), Language::kDutch), HasSubstr("Niets in deze periode."));
}

}  // namespace
}  // namespace raakvlak::audit

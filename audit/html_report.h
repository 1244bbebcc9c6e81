// HtmlReport: a report as one page with charts, for people. It loads nothing from anywhere: no script, no
// font, no picture besides inline SVG, and a content security policy that forbids more.
//
// Thread safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/report.h"

namespace raakvlak::audit {

enum class Language { kDutch, kEnglish };

// What the numbers were counted from.
struct ReportSource {
  std::string region;
  std::string log;
  // The verified checkpoint, and who cosigned it.
  uint64_t size = 0;
  std::string root;  // base64
  std::vector<std::string> witnesses;
  int64_t made_ms = 0;
};

// HtmlReport returns UTF-8. Every text of the log is escaped.
std::string HtmlReport(const Report& report, const ReportSource& source, Language language);

}  // namespace raakvlak::audit

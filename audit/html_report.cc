#include "audit/html_report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace raakvlak::audit {
namespace {

// Texts in the order of Language.
struct Text {
  const char* dutch;
  const char* english;
};

constexpr Text kTitle = {"Verantwoording van inzage", "Access report"};
constexpr Text kPeriod = {"Periode", "Period"};
constexpr Text kLog = {"Logboek", "Log"};
constexpr Text kVerified = {"Gecontroleerd tot en met", "Verified up to"};
constexpr Text kEntries = {"regels", "entries"};
constexpr Text kWitnesses = {"Medeondertekend door", "Cosigned by"};
constexpr Text kNobody = {"niemand", "nobody"};
constexpr Text kMade = {"Gemaakt", "Made"};
constexpr Text kErased = {"regels waarvan de inhoud na de bewaartermijn is gewist; die tellen niet mee",
                          "entries whose details were erased at the end of their term; they are not counted"};
constexpr Text kPerDay = {"Per dag", "Per day"};
constexpr Text kPerPurpose = {"Per doel", "Per purpose"};
constexpr Text kPerPerson = {"Per persoon", "Per person"};
constexpr Text kPerCase = {"Per casus", "Per case"};
constexpr Text kRefused = {"Weigeringen", "Refusals"};
constexpr Text kNoFollowUp = {"Geopend zonder vervolg", "Opened without follow-up"};
constexpr Text kNoFollowUpMeaning = {
    "Geopende overlap waarop binnen %d dagen niemand meer iets met dezelfde casus of match deed.",
    "Opened matches after which nobody acted on the same case or match within %d days."};
constexpr Text kUnusual = {"Opvallende aantallen", "Unusual numbers"};
constexpr Text kUnusualMeaning = {
    "Een aantal valt op als het minder dan eens op de duizend keer door toeval zou voorkomen, gemeten aan de "
    "eigen "
    "eerdere perioden of aan de collega's in dezelfde rol. Het is een aanleiding om te vragen, geen bewijs.",
    "A number is unusual when chance alone would give it less than once in a thousand times, measured "
    "against the "
    "person's own earlier periods or colleagues in the same role. It is a reason to ask, and no proof."};
constexpr Text kNothing = {"Niets in deze periode.", "Nothing in this period."};
constexpr Text kPurpose = {"Doel", "Purpose"};
constexpr Text kPerson = {"Persoon", "Person"};
constexpr Text kPersons = {"Personen", "Persons"};
constexpr Text kRole = {"Rol", "Role"};
constexpr Text kCase = {"Casus", "Case"};
constexpr Text kLists = {"Lijst bekeken", "Listed"};
constexpr Text kOpens = {"Geopend", "Opened"};
constexpr Text kReads = {"Logboek gelezen", "Log read"};
constexpr Text kRefusals = {"Geweigerd", "Refused"};
constexpr Text kFirst = {"Eerste", "First"};
constexpr Text kLast = {"Laatste", "Last"};
constexpr Text kWhat = {"Waarbij", "At"};
constexpr Text kCode = {"Reden", "Code"};
constexpr Text kCount = {"Aantal", "Number"};
constexpr Text kTime = {"Tijd", "Time"};
constexpr Text kEntry = {"Regel", "Entry"};
constexpr Text kWhy = {"Waarom het opvalt", "Why it stands out"};

constexpr char kStyle[] =
    "body{font:15px/1.45 system-ui,sans-serif;color:#1c2430;background:#fff;margin:2rem auto;max-width:70rem;"
    "padding:0 1rem}h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2.2rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px "
    "solid "
    "#dfe4ea;vertical-align:top;overflow-wrap:anywhere}th{font-weight:600;color:#4a5665}td.n,th.n{text-align:"
    "right;"
    "font-variant-numeric:tabular-nums}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}"
    "dt{color:#4a5665}dd{margin:0;overflow-wrap:anywhere}svg{width:100%;height:auto}p.note{color:#4a5665}"
    ".opens{fill:#1f5fa8}.lists{fill:#9cc3ea}.refusals{fill:#c2572b}text{font:11px "
    "system-ui,sans-serif;fill:#4a5665}"
    ".key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}@media print{body{margin:0}}";

constexpr double kChartWidth = 960;
constexpr double kChartHeight = 180;
constexpr double kChartFoot = 20;
constexpr double kBarHeight = 16;
constexpr double kBarStep = 24;
constexpr double kLabelWidth = 300;
constexpr size_t kMostBars = 20;

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

struct Series {
  const char* name;
  uint64_t Counts::*member;
};
constexpr Series kSeries[] = {
    {"opens", &Counts::opens}, {"lists", &Counts::lists}, {"refusals", &Counts::refusals}};

uint64_t Drawn(const Counts& counts) { return counts.opens + counts.lists + counts.refusals; }

class Page {
 public:
  Page(const Report& report, const ReportSource& source, Language language)
      : report_(report), source_(source), language_(language) {}

  std::string Write() {
    Head();
    DayChart();
    Purposes();
    Persons();
    Cases();
    Unusual();
    WithoutFollowUp();
    Refusals();
    absl::StrAppend(&html_, "</body>\n</html>\n");
    return std::move(html_);
  }

 private:
  const char* Say(const Text& text) const {
    return language_ == Language::kDutch ? text.dutch : text.english;
  }
  std::string Time(int64_t time_ms) const {
    return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(time_ms), report_.options.zone);
  }

  void Head() {
    absl::StrAppend(&html_, "<!DOCTYPE html>\n<html lang=\"", language_ == Language::kDutch ? "nl" : "en",
                    "\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
                    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>",
                    Say(kTitle), " ", Escape(source_.region), "</title>\n<style>", kStyle,
                    "</style>\n</head>\n<body>\n<h1>", Say(kTitle), "</h1>\n<dl>");
    Fact(kPeriod, absl::StrCat(Time(report_.options.from_ms), " – ", Time(report_.options.until_ms)));
    Fact(kLog, source_.log);
    Fact(kVerified, absl::StrCat(source_.size, " ", Say(kEntries), ", ", source_.root));
    Fact(kWitnesses, source_.witnesses.empty() ? Say(kNobody) : absl::StrJoin(source_.witnesses, ", "));
    Fact(kMade, Time(source_.made_ms));
    absl::StrAppend(&html_, "</dl>\n");
    if (report_.erased > 0) {
      absl::StrAppend(&html_, "<p class=\"note\">", report_.erased, " ", Say(kErased), ".</p>\n");
    }
  }
  void Fact(const Text& name, absl::string_view value) {
    absl::StrAppend(&html_, "<dt>", Say(name), "</dt><dd>", Escape(value), "</dd>");
  }

  void Heading(const Text& text) { absl::StrAppend(&html_, "<h2>", Say(text), "</h2>\n"); }

  // Bars per day, one part on the other.
  void DayChart() {
    Heading(kPerDay);
    absl::StrAppend(&html_,
                    "<p class=\"key\"><svg viewBox=\"0 0 10 10\" style=\"width:.8em\"><rect class=\"opens\" "
                    "width=\"10\" height=\"10\"/></svg> ",
                    Say(kOpens),
                    " &nbsp; <svg viewBox=\"0 0 10 10\" style=\"width:.8em\"><rect class=\"lists\" "
                    "width=\"10\" height=\"10\"/></svg> ",
                    Say(kLists),
                    " &nbsp; <svg viewBox=\"0 0 10 10\" style=\"width:.8em\"><rect class=\"refusals\" "
                    "width=\"10\" height=\"10\"/></svg> ",
                    Say(kRefusals), "</p>\n");
    uint64_t highest = 1;
    for (const DayRow& row : report_.days) highest = std::max(highest, Drawn(row.counts));
    absl::StrAppendFormat(&html_, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
                          kChartWidth, kChartHeight + kChartFoot, Say(kPerDay));
    const double step = kChartWidth / static_cast<double>(report_.days.size());
    for (size_t i = 0; i < report_.days.size(); ++i) {
      const DayRow& row = report_.days[i];
      double top = kChartHeight;
      for (const Series& series : kSeries) {
        const double height =
            kChartHeight * static_cast<double>(row.counts.*series.member) / static_cast<double>(highest);
        if (height == 0) continue;
        top -= height;
        absl::StrAppendFormat(
            &html_,
            "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%s: "
            "%d</title></rect>\n",
            series.name, static_cast<double>(i) * step, top, step * 0.8, height,
            absl::FormatCivilTime(row.day), row.counts.*series.member);
      }
    }
    absl::StrAppendFormat(&html_,
                          "<text x=\"0\" y=\"%.0f\">%s</text><text x=\"%.0f\" y=\"%.0f\" "
                          "text-anchor=\"end\">%s</text>\n",
                          kChartHeight + 14, absl::FormatCivilTime(report_.days.front().day), kChartWidth,
                          kChartHeight + 14, absl::FormatCivilTime(report_.days.back().day));
    absl::StrAppend(&html_, "<text x=\"0\" y=\"11\">", highest, "</text></svg>\n");
  }

  // One bar a row, for the rows with the highest numbers.
  void Bars(const std::vector<std::pair<std::string, Counts>>& rows) {
    uint64_t highest = 1;
    for (const auto& [name, counts] : rows) highest = std::max(highest, Drawn(counts));
    const size_t shown = std::min(rows.size(), kMostBars);
    absl::StrAppendFormat(&html_, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", kChartWidth,
                          kBarStep * static_cast<double>(shown) + 4);
    for (size_t i = 0; i < shown; ++i) {
      const auto& [name, counts] = rows[i];
      const double y = kBarStep * static_cast<double>(i) + 2;
      absl::StrAppendFormat(&html_, "<text x=\"0\" y=\"%.0f\">%s</text>\n", y + 12, Escape(name));
      double x = kLabelWidth;
      for (const Series& series : kSeries) {
        const double width = (kChartWidth - kLabelWidth) * static_cast<double>(counts.*series.member) /
                             static_cast<double>(highest);
        if (width == 0) continue;
        absl::StrAppendFormat(
            &html_,
            "<rect class=\"%s\" x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%.0f\"><title>%d"
            "</title></rect>\n",
            series.name, x, y, width, kBarHeight, counts.*series.member);
        x += width;
      }
    }
    absl::StrAppend(&html_, "</svg>\n");
  }

  struct Column {
    const char* title;
    bool number = false;
  };
  void StartTable(const std::vector<Column>& columns) {
    absl::StrAppend(&html_, "<table><thead><tr>");
    for (const Column& column : columns) {
      absl::StrAppend(&html_, column.number ? "<th class=\"n\">" : "<th>", column.title, "</th>");
    }
    absl::StrAppend(&html_, "</tr></thead><tbody>\n<tr>");
  }
  void Cell(absl::string_view text) { absl::StrAppend(&html_, "<td>", Escape(text), "</td>"); }
  void Cell(uint64_t number) { absl::StrAppend(&html_, "<td class=\"n\">", number, "</td>"); }
  void Cells(const Counts& counts) {
    Cell(counts.opens);
    Cell(counts.lists);
    Cell(counts.refusals);
  }
  void EndRow() { absl::StrAppend(&html_, "</tr>\n<tr>"); }
  void EndTable() { absl::StrAppend(&html_, "</tr></tbody></table>\n"); }
  bool Empty(bool empty) {
    if (empty) absl::StrAppend(&html_, "<p class=\"note\">", Say(kNothing), "</p>\n");
    return empty;
  }

  void Purposes() {
    Heading(kPerPurpose);
    if (Empty(report_.purposes.empty())) return;
    std::vector<std::pair<std::string, Counts>> bars;
    for (const PurposeRow& row : report_.purposes) bars.emplace_back(row.purpose, row.counts);
    Bars(bars);
    StartTable({{Say(kPurpose)},
                {Say(kOpens), true},
                {Say(kLists), true},
                {Say(kRefusals), true},
                {Say(kPersons), true}});
    for (const PurposeRow& row : report_.purposes) {
      Cell(row.purpose);
      Cells(row.counts);
      Cell(row.persons);
      EndRow();
    }
    EndTable();
  }

  void Persons() {
    Heading(kPerPerson);
    if (Empty(report_.persons.empty())) return;
    std::vector<std::pair<std::string, Counts>> bars;
    for (const PersonRow& row : report_.persons) bars.emplace_back(row.actor, row.counts);
    Bars(bars);
    StartTable({{Say(kPerson)},
                {Say(kRole)},
                {Say(kOpens), true},
                {Say(kLists), true},
                {Say(kRefusals), true},
                {Say(kReads), true}});
    for (const PersonRow& row : report_.persons) {
      Cell(row.actor);
      Cell(row.role);
      Cells(row.counts);
      Cell(row.counts.audit_reads);
      EndRow();
    }
    EndTable();
  }

  void Cases() {
    Heading(kPerCase);
    if (Empty(report_.cases.empty())) return;
    StartTable({{Say(kCase)},
                {Say(kPurpose)},
                {Say(kOpens), true},
                {Say(kLists), true},
                {Say(kRefusals), true},
                {Say(kPersons), true},
                {Say(kFirst)},
                {Say(kLast)}});
    for (const CaseRow& row : report_.cases) {
      Cell(row.case_reference);
      Cell(row.purpose);
      Cells(row.counts);
      Cell(row.persons);
      Cell(Time(row.first_ms));
      Cell(Time(row.last_ms));
      EndRow();
    }
    EndTable();
  }

  std::string Why(const UnusualRow& row) const {
    if (language_ == Language::kEnglish) return Explain(row);
    std::string text = absl::StrCat(row.count, " keer ", row.action, " in deze periode");
    if (row.against_own) {
      absl::StrAppendFormat(&text, "; in de %d perioden ervoor gemiddeld %.1f en hoogstens %d", row.periods,
                            row.own_mean, row.own_highest);
    }
    if (row.against_peers) {
      absl::StrAppendFormat(&text, "; de middelste van %d collega's kwam op %.1f", row.peers,
                            row.peer_median);
    }
    return text;
  }
  void Unusual() {
    Heading(kUnusual);
    absl::StrAppend(&html_, "<p class=\"note\">", Say(kUnusualMeaning), "</p>\n");
    if (Empty(report_.unusual.empty())) return;
    StartTable({{Say(kPerson)}, {Say(kRole)}, {Say(kCount), true}, {Say(kWhy)}});
    for (const UnusualRow& row : report_.unusual) {
      Cell(row.actor);
      Cell(row.role);
      Cell(row.count);
      Cell(Why(row));
      EndRow();
    }
    EndTable();
  }

  void WithoutFollowUp() {
    Heading(kNoFollowUp);
    const std::string days = absl::StrCat(report_.options.follow_up_days);
    absl::StrAppend(&html_, "<p class=\"note\">",
                    absl::StrReplaceAll(Say(kNoFollowUpMeaning), {{"%d", days}}), "</p>\n");
    if (Empty(report_.without_follow_up.empty())) return;
    StartTable({{Say(kTime)}, {Say(kPerson)}, {Say(kPurpose)}, {Say(kCase)}, {Say(kEntry), true}});
    for (const OpeningRow& row : report_.without_follow_up) {
      Cell(Time(row.time_ms));
      Cell(row.actor);
      Cell(row.purpose);
      Cell(row.case_reference);
      Cell(row.index);
      EndRow();
    }
    EndTable();
  }

  void Refusals() {
    Heading(kRefused);
    if (Empty(report_.refusals.empty())) return;
    StartTable({{Say(kPerson)}, {Say(kWhat)}, {Say(kCode)}, {Say(kCount), true}});
    for (const RefusalRow& row : report_.refusals) {
      Cell(row.actor);
      Cell(row.object);
      Cell(row.code);
      Cell(row.count);
      EndRow();
    }
    EndTable();
  }

  const Report& report_;
  const ReportSource& source_;
  const Language language_;
  std::string html_;
};

}  // namespace

std::string HtmlReport(const Report& report, const ReportSource& source, Language language) {
  return Page(report, source, language).Write();
}

}  // namespace raakvlak::audit

#include "cli/evidence_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "linkage/rules.h"
#include "policy/budget/covenant_budget.h"

namespace raakvlak::cli {
namespace {

// The first whose name the field starts with, and whose ending it has.
struct Word {
  absl::string_view start;
  absl::string_view end;
  absl::string_view word;
};
constexpr Word kWords[] = {
    {"bsn", "", "BSN"},
    {"surname", "_start", "begin van de achternaam"},
    {"surname", "_sound", "klank van de achternaam"},
    {"surname", "_skeleton", "klank van de achternaam"},
    {"surname", "", "achternaam"},
    {"initial", "", "voorletter"},
    {"given_initial", "", "voorletter"},
    {"given_name", "_start", "begin van de voornaam"},
    {"given_name", "_sound", "klank van de voornaam"},
    {"given_name", "_skeleton", "klank van de voornaam"},
    {"given_name", "_code", "klank van de voornaam"},
    {"given_name", "", "voornaam"},
    {"names", "_start", "begin van voor- en achternaam"},
    {"names", "_sound", "klank van voor- en achternaam"},
    {"names", "_skeleton", "klank van voor- en achternaam"},
    {"names", "_code", "klank van voor- en achternaam"},
    {"names", "", "voor- en achternaam"},
    {"settled_birth_date", "", "geboortedatum"},
    {"birth_date", "", "geboortedatum"},
    {"birth_year_month", "", "geboortejaar en -maand"},
    {"birth_year_day", "", "geboortejaar en -dag"},
    {"birth_month_day", "", "geboortemaand en -dag"},
    {"birth_year", "", "geboortejaar"},
    {"birth_month", "", "geboortemaand"},
    {"birth_day", "", "geboortedag"},
    {"postcode_area", "", "begin van de postcode"},
    {"postcode", "", "postcode"},
    {"house_number", "", "huisnummer"},
    {"house_letter_suffix", "", "huisletter en toevoeging"},
    {"house", "", "huisnummer met toevoeging"},
    {"address", "", "adres"},
};

template <typename Parts>
std::string Listed(const Parts& parts) {
  const std::vector<std::string> all(parts.begin(), parts.end());
  if (all.size() < 2) return absl::StrJoin(all, "");
  return absl::StrCat(absl::StrJoin(all.begin(), all.end() - 1, ", "), " en ", all.back());
}

// What the rule compares; its id when that is not known here.
std::vector<std::string> WordsOf(const std::string& rule, const v1::Purpose& purpose) {
  std::vector<std::string> words;
  const auto rules = policy::RulesOf(purpose);
  if (rules.ok()) {
    for (const linkage::QualifiedRule& known : *rules) {
      if (known.rule.id != rule) continue;
      for (const linkage::DerivedField* field : known.rule.fields) {
        const std::string word(FieldWord(field->name));
        if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end())
          words.push_back(word);
      }
    }
  }
  if (words.empty()) words.push_back(rule);
  return words;
}

absl::string_view Strength(v1::Quality quality) {
  switch (quality) {
    case v1::EXACT:
      return "Zeker";
    case v1::STRONG:
      return "Sterk";
    default:
      return "Ondersteunend";
  }
}

}  // namespace

absl::string_view FieldWord(absl::string_view derived_field) {
  for (const Word& word : kWords) {
    if (absl::StartsWith(derived_field, word.start) && absl::EndsWith(derived_field, word.end))
      return word.word;
  }
  return "";
}

std::string EvidenceSentence(const v1::RuleEvidence& evidence, const v1::Purpose& purpose) {
  const std::vector<std::string> words = WordsOf(evidence.rule(), purpose);
  const bool one = words.size() == 1;
  std::string text;
  if (evidence.agree().empty()) {
    text = absl::StrCat("Tegenspraak: ", Listed(words), one ? " verschilt" : " verschillen", " tussen ",
                        Listed(evidence.differ()));
  } else {
    text = absl::StrCat(Strength(evidence.quality()), ": ", Listed(words), one ? " komt" : " komen",
                        " overeen bij ", Listed(evidence.agree()));
    if (!evidence.differ().empty()) {
      const bool alone = evidence.differ_size() == 1;
      absl::StrAppend(&text, "; ", Listed(evidence.differ()), alone ? " had" : " hadden",
                      one ? " dit gegeven maar " : " deze gegevens maar ", alone ? "wijkt" : "wijken", " af");
    }
  }
  if (!evidence.absent().empty()) {
    absl::StrAppend(&text, "; ", Listed(evidence.absent()), evidence.absent_size() == 1 ? " had" : " hadden",
                    one ? " dit niet" : " ze niet");
  }
  return text + ".";
}

}  // namespace raakvlak::cli

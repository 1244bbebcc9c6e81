#include "linkage/phonetic.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace raakvlak::linkage {
namespace {

TEST(SoundTest, SpellingsThatSoundAlikeHaveOneSound) {
  const std::vector<std::vector<const char*>> alike = {
      {"dijkstra", "dykstra", "deikstra", "deykstra"},  // ij y ei ey
      {"bouwman", "bouman", "bauman", "bauwman"},       // au ou auw ouw
      {"claassen", "klaasen", "claesen", "klasen"},     // aa ae c k ss
      {"boer", "bur", "buur"},                          // oe
      {"hendrickx", "hendriks", "hendrix"},             // ck x ks
      {"philips", "filips", "fillips"},                 // ph
      {"schouten", "souten"},                           // sch
      {"vos", "fos", "foss"},                           // v
      {"zwart", "swart"},                               // z
      {"smid", "smit", "smidt", "schmidt"},             // final d t dt
      {"thijssen", "tijsen", "tyssen"},                 // th
      {"quaedvlieg", "kwaadflieg"},                     // qu
      {"ligthart", "lichthart", "lighthart"},           // g ch gh
      {"vrede", "wrede"},                               // wr
      {"citroen", "sitroen"},                           // c before i
      {"kelly", "kellie"},                              // final y
      {"meijer", "meyer", "meier"},
      {"accent", "aksent"},
  };
  std::set<std::string> sounds;
  for (const auto& group : alike) {
    for (const char* word : group) EXPECT_EQ(SoundOf(word), SoundOf(group[0])) << word;
    EXPECT_TRUE(sounds.insert(SoundOf(group[0])).second) << group[0];
  }
}

TEST(SoundTest, NamesThatSoundDifferentStayDifferent) {
  const std::vector<const char*> words = {"jansen", "hansen", "bakker", "bekker",  "smit",   "smeets", "os",
                                          "vos",    "bos",    "peters", "pieters", "visser", "mulder"};
  std::set<std::string> sounds;
  for (const char* word : words) EXPECT_TRUE(sounds.insert(SoundOf(word)).second) << word;
}

TEST(SoundTest, ARuleCountsOnlyInItsPlace) {
  EXPECT_EQ(SoundOf("dam"), "dam");  // d is t at the end only
  EXPECT_EQ(SoundOf("mad"), "mat");
  EXPECT_EQ(SoundOf("cor"), "kor");  // c is s before e i y only
  EXPECT_EQ(SoundOf("cees"), "ses");
  EXPECT_EQ(SoundOf("youssef"), "jausef");  // y is j before a vowel
  EXPECT_EQ(SoundOf("kybo"), "kybo");
  EXPECT_EQ(SoundOf("wout"), "waut");
  EXPECT_EQ(SoundOf("djamal"), "jamal");
  EXPECT_EQ(SoundOf("adjid"), "adjit");
}

TEST(SoundTest, TheStartOfASoundIsThatOfTheWholeWord) {
  for (const char* word : {"", "a", "schuijtema", "xander", "qureshi", "tsjitske", "ελενη", "aaαα", "ccc"}) {
    const std::string whole = SoundOf(word);
    for (size_t letters = 0; letters < 12; ++letters) {
      const std::string start = SoundOf(word, letters);
      EXPECT_EQ(whole.substr(0, start.size()), start) << word << letters;
      const auto begun = [](const std::string& text) {
        return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
      };
      EXPECT_TRUE(start == whole || begun(start) > static_cast<std::ptrdiff_t>(letters)) << word << letters;
    }
  }
}

TEST(SoundTest, LettersOutsideBasicLatinStandForThemselves) {
  EXPECT_EQ(SoundOf(""), "");
  EXPECT_EQ(SoundOf("иванов"), "иванов");
  EXPECT_EQ(SoundOf("ллл"), "ллл");
  EXPECT_EQ(SkeletonOf("иванов"), "иванов");
}

TEST(SkeletonTest, TransliterationsHaveOneSkeleton) {
  const std::vector<std::vector<const char*>> alike = {
      {"mohamed", "muhammad", "mouhamed", "mohamet", "mohammed"},
      {"youssef", "yusuf", "joesoef", "yousef"},
      {"fatima", "fatma", "fatimah", "faatima"},
      {"ahmed", "ahmet", "ahmad"},
      {"khalid", "chalid", "ghalid"},
      {"kowalski", "kovalsky"},
      {"omar", "oemar", "umar", "oumar"},
      {"wojcik", "vojcik"},
  };
  for (const auto& group : alike) {
    for (const char* word : group) EXPECT_EQ(SkeletonOf(word), SkeletonOf(group[0])) << word;
  }
  EXPECT_NE(SkeletonOf("jan"), SkeletonOf("an"));
  EXPECT_NE(SkeletonOf("hans"), SkeletonOf("ans"));
  EXPECT_EQ(SkeletonOf("aai"), "a");
}

TEST(SoundRulesTest, NoRuleStandsBehindOneThatAlwaysTakesItsPlace) {
  const auto rules = SoundRules();
  for (size_t i = 0; i < rules.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool hides = rules[j].place == Place::kAnywhere &&
                         rules[i].spelling.substr(0, rules[j].spelling.size()) == rules[j].spelling;
      EXPECT_FALSE(hides) << rules[j].spelling << " hides " << rules[i].spelling;
    }
  }
}

}  // namespace
}  // namespace raakvlak::linkage

// What the collision budget assumes of a region's people, beside the names of linkage/data.
//
// Round figures, set from what Statistics Netherlands publishes of ages, households and births and from the
// registers of postcodes; none is a count of a register of people. docs/quality.md, "The collision budget",
// gives the reason for each. DO NOT CHANGE lightly: covenants are judged by them.
//
// Thread safety: constants and pure functions.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"

namespace raakvlak::linkage::model {

inline constexpr int kYear = 2026;  // ages are of its first day
inline constexpr int kAges = 100;
inline constexpr int kDaysOfYear = 365;

// Share of the inhabitants, per mille, by age in tens of years.
inline constexpr double kPerMilleByDecade[] = {100, 110, 128, 130, 119, 140, 124, 100, 42, 7};

// People whose day of birth is not known, of those born before kDaysKnownFrom: most stand as born on 1
// January, the others on 1 July.
inline constexpr int kDaysKnownFrom = 1995;
inline constexpr double kFirstOfJanuary = 0.8;
double UnknownDays(absl::string_view origin);

// Regional surnames: share of the Dutch who bear one, how many there are, and how large the region is.
inline constexpr double kLocalName = 0.15;
inline constexpr double kLocalNames = 150;
inline constexpr double kLocalRegion = 300'000;

// Multiple births: partners of one birth per person, by year of birth; and where the other one lives.
inline constexpr double kTwins = 0.032;
inline constexpr double kTwinsBefore = 0.020;
inline constexpr int kTwinsFrom = 1990;
inline constexpr double kTwinInRegion = 0.8;      // of those who do not live together
inline constexpr double kTwinDecidesAlike = 0.5;  // about leaving their parents
inline constexpr double kTwinsOfOneSex = 0.62;

// Lives with its parents.
double StaysHome(int age);
inline constexpr double kSiblingsAtHome = 1.1;  // of somebody who lives with its parents
// Parents that a child lives with: whose surname it bears, and not.
inline constexpr double kNamingParent = 0.95;
inline constexpr double kOtherParent = 0.85;
inline constexpr double kSiblingsOfOneSex = 0.5;
// Brothers and sisters get different names; some parents want one initial for all.
inline constexpr double kSameInitialOnPurpose = 0.08;
// Sons with the father's first name, daughters with the mother's.
inline constexpr double kSonAsFather = 0.01;
inline constexpr double kDaughterAsMother = 0.003;
// Years between brothers and sisters; between parents and children; between couples: any as likely.
inline constexpr int kSiblingYears = 8;
inline constexpr int kYoungestParent = 21;
inline constexpr int kOldestParent = 38;
inline constexpr int kCoupleYears = 5;
inline constexpr int kCouplesFromAge = 22;
inline constexpr double kInCouple = 0.65;

// Places: homes of one postcode, postcodes of one area of four digits, letters that postcodes use.
inline constexpr int kNumbersPerPostcode = 15;
inline constexpr double kLetteredNumber = 0.10;  // of the house numbers: has the homes A, B and C
inline constexpr double kHomesPerPostcode = kNumbersPerPostcode * (1 + 2 * kLetteredNumber);
inline constexpr double kPostcodesPerArea = 115;
inline constexpr char kPostcodeLetters[] = "ABCDEGHJKLMNPRSTVWXZ";
inline constexpr int kRegionArea = 6200;
inline constexpr int kAreasOfRegion = 800;  // more: spread over 1000 to 9999

// First house numbers of a postcode, each as likely; the next are two further.
std::vector<int> FirstNumbers();

}  // namespace raakvlak::linkage::model

#include "linkage/collision_places.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "linkage/collision_budget.h"
#include "linkage/collision_model.h"
#include "linkage/collision_shares.h"

namespace raakvlak::linkage {
namespace {

class HomesOfRegion {
 public:
  HomesOfRegion(const RuleDefinition& rule, double population)
      : values_(rule), base_(NormalisedOf(AnyRecord())) {
    homes_ = std::max(1.0, population / kPeoplePerAddress);
    postcodes_ = std::max(1.0, homes_ / model::kHomesPerPostcode);
    MakeNumbers();
  }

  double homes() const { return homes_; }

  // The chance that two different homes agree.
  double Agreement() {
    const double others =
        (model::kHomesPerPostcode - 1) * InOnePostcode() +
        OtherPostcodes() * model::kHomesPerPostcode * linkage::Agreement(numbers_, numbers_);
    return std::min(1.0, others / homes_);
  }

 private:
  static constexpr int kMaxNumber = 300;
  static constexpr std::array<const char*, 4> kLetters = {"", "A", "B", "C"};
  static double ShareOfLetter(size_t letter) {
    return letter == 0 ? 1 - model::kLetteredNumber : model::kLetteredNumber;
  }

  void MakeNumbers() {
    value_of_.resize(kMaxNumber);
    for (int number = 1; number < kMaxNumber; ++number) {
      Normalised home = base_;
      home.house_number = absl::StrCat(number);
      for (size_t letter = 0; letter < kLetters.size(); ++letter) {
        home.house_letter = kLetters[letter];
        value_of_[static_cast<size_t>(number)][letter] = values_.Of(home);
      }
    }
    Shares shares;
    const std::vector<int> streets = model::FirstNumbers();
    const double each = 1 / (static_cast<double>(streets.size()) * model::kHomesPerPostcode);
    for (const int first : streets) {
      for (int i = 0; i < model::kNumbersPerPostcode; ++i) {
        for (size_t letter = 0; letter < kLetters.size(); ++letter)
          Add(shares, ValueOf(first + 2 * i, letter), each * ShareOfLetter(letter));
      }
    }
    numbers_ = Gathered(std::move(shares));
  }
  int ValueOf(int number, size_t letter) const { return value_of_[static_cast<size_t>(number)][letter]; }

  // The chance that two homes of one postcode agree.
  double InOnePostcode() const {
    double all = 0;
    double agreeing = 0;
    const auto count = [&](int first, size_t a, int second, size_t b, double share) {
      all += share;
      if (ValueOf(first, a) == ValueOf(second, b)) agreeing += share;
    };
    for (const int first : model::FirstNumbers()) {
      for (int i = 0; i < model::kNumbersPerPostcode; ++i) {
        for (size_t a = 0; a < kLetters.size(); ++a) {
          for (size_t b = 0; b < kLetters.size(); ++b) {
            for (int j = 0; j < model::kNumbersPerPostcode; ++j) {
              if (j != i) count(first + 2 * i, a, first + 2 * j, b, ShareOfLetter(a) * ShareOfLetter(b));
            }
            if (a != b && a != 0 && b != 0) count(first + 2 * i, a, first + 2 * i, b, model::kLetteredNumber);
          }
        }
      }
    }
    return agreeing / all;
  }

  // Expected postcodes beside the own one that agree with it.
  double OtherPostcodes() {
    const double areas = std::max(1.0, std::round(postcodes_ / model::kPostcodesPerArea));
    const double per_area = postcodes_ / areas;
    Shares letters;
    const absl::string_view alphabet = model::kPostcodeLetters;
    for (const char first : alphabet) {
      for (const char second : alphabet)
        Add(letters, WithPostcode(absl::StrCat("6211", std::string{first, second})), 1);
    }
    const double pairs = static_cast<double>(alphabet.size() * alphabet.size());
    letters = Gathered(std::move(letters));
    double same_area = 0;
    double other_area = 0;
    for (const auto& [value, count] : letters) {
      same_area += count / pairs * (count - 1) / (pairs - 1) * std::max(0.0, per_area - 1);
      other_area += count / pairs * count / pairs * per_area;
    }
    Shares digits;
    for (int i = 0; i < static_cast<int>(areas); ++i) {
      const int area = areas <= model::kAreasOfRegion ? model::kRegionArea + i
                                                      : 1000 + static_cast<int>(i * 9000.0 / areas);
      Add(digits, WithPostcode(absl::StrCat(area, "AB")), 1);
    }
    double other_areas = 0;
    for (const auto& [value, count] : Gathered(std::move(digits))) other_areas += count / areas * (count - 1);
    return same_area + other_areas * other_area;
  }
  int WithPostcode(const std::string& postcode) {
    Normalised home = base_;
    home.postcode = postcode;
    return values_.Of(home);
  }

  Identifiers values_;
  const Normalised base_;
  double homes_;
  double postcodes_;
  std::vector<std::array<int, kLetters.size()>> value_of_;
  Shares numbers_;
};

}  // namespace

Places PlacesOf(const RuleDefinition& rule, double population) {
  HomesOfRegion region(rule, population);
  return {region.homes(), region.Agreement()};
}

}  // namespace raakvlak::linkage

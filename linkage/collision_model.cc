#include "linkage/collision_model.h"

namespace raakvlak::linkage::model {

double UnknownDays(absl::string_view origin) {
  if (origin == "turkish") return 0.06;
  if (origin == "moroccan" || origin == "arabic") return 0.15;
  return origin == "surinamese" ? 0.01 : 0;
}

double StaysHome(int age) {
  if (age < 18) return 1;
  if (age < 22) return 0.85;
  if (age < 25) return 0.50;
  if (age < 27) return 0.28;
  if (age < 30) return 0.12;
  if (age < 35) return 0.05;
  if (age < 50) return 0.02;
  return age < 65 ? 0.01 : 0;
}

std::vector<int> FirstNumbers() {
  constexpr int kStreets = 60;
  std::vector<int> first;
  for (int i = 0; i < kStreets; ++i) {
    const double part = (i + 0.5) / kStreets;
    first.push_back(1 + static_cast<int>(200 * part * part * part));
  }
  return first;
}

}  // namespace raakvlak::linkage::model

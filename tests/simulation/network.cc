#include "tests/simulation/network.h"

namespace raakvlak::simulation {

uint64_t Dice::Next() {
  state_ += 0x9E3779B97F4A7C15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

Network::Fate Network::Decide(Way& way) const {
  if (way.salt != salt_) way.calls = 0;
  way.salt = salt_;
  uint64_t seed = salt_ + ++way.calls;
  for (const char c : way.from.process() + way.to) seed = seed * 131 + static_cast<unsigned char>(c);
  Dice dice(seed);
  return dice.Percent(trouble_) ? static_cast<Fate>(dice.Below(5)) : Fate::kArrives;
}

bool Network::Run(const std::string& process, const std::function<void()>& work) {
  if (!up_.at(process)) return false;
  try {
    work();
    return true;
  } catch (const Crash& crash) {
    if (crash.process != process) throw;
    up_[process] = false;
    return false;
  }
}

bool Network::DeliverLate() {
  if (late_.empty()) return false;
  const auto which = late_.begin() + static_cast<std::ptrdiff_t>(dice_.Below(late_.size()));
  const std::function<void()> deliver = std::move(*which);
  late_.erase(which);
  deliver();
  return true;
}

}  // namespace raakvlak::simulation

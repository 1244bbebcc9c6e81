#include "tests/simulation/events.h"

namespace raakvlak::simulation {
namespace {

struct Row {
  Kind kind;
  const char* name;
  size_t weight;
};

constexpr Row kRows[] = {
    {Kind::kPush, "push", 26},
    {Kind::kPushAgain, "push again", 5},
    {Kind::kPushGarbage, "push garbage", 2},
    {Kind::kWithdraw, "withdraw", 6},
    {Kind::kWork, "work", 36},
    {Kind::kDays, "days", 4},
    {Kind::kSuspend, "suspend", 2},
    {Kind::kReturn, "return", 2},
    {Kind::kRaiseEpoch, "raise epoch", 3},
    {Kind::kMakeKeys, "make keys", 3},
    {Kind::kRemovePartner, "remove partner", 1},
    {Kind::kJoinPartner, "join partner", 2},
    {Kind::kRemovePurpose, "remove purpose", 1},
    {Kind::kAddPurpose, "add purpose", 1},
    {Kind::kDeliver, "deliver policy", 6},
    {Kind::kCrash, "crash", 6},
    {Kind::kBackUp, "back up", 3},
    {Kind::kRestore, "restore", 2},
    {Kind::kQuiet, "quiet", 8},
};

}  // namespace

const char* NameOf(Kind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.name;
  }
  return "?";
}

std::vector<Event> MakeHistory(uint64_t seed, size_t count) {
  Dice dice(seed);
  size_t sum = 0;
  for (const Row& row : kRows) sum += row.weight;
  std::vector<Event> history;
  while (history.size() + 1 < count) {
    size_t left = dice.Below(sum);
    const Row* row = kRows;
    while (left >= row->weight) left -= (row++)->weight;
    history.push_back({row->kind, dice.Next()});
  }
  history.push_back({Kind::kQuiet, dice.Next()});
  return history;
}

}  // namespace raakvlak::simulation

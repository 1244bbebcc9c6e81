// Histories: what happens to the region, one event after the other. All choices that an event makes come from
// its own dice, so that a history can be shortened and played again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/network.h"

namespace raakvlak::simulation {

enum class Kind {
  kPush,         // a new record
  kPushAgain,    // one that was pushed before: the same, or changed
  kPushGarbage,  // one that must not be taken
  kWithdraw,
  kWork,  // some process does some of its work, over a bad network
  kDays,  // time goes by
  kSuspend,
  kReturn,      // of a suspended partner
  kRaiseEpoch,  // with or without overlap, with or without keys at once
  kMakeKeys,    // for epochs that have none yet
  kRemovePartner,
  kJoinPartner,  // one that was removed
  kRemovePurpose,
  kAddPurpose,  // one that was removed
  kDeliver,     // policy and keys reach some process
  kCrash,       // some process will stop at a point to come, or is started again
  kBackUp,      // of some process's database
  kRestore,     // of that copy, with what has to follow
  kQuiet,       // everything is delivered and done; then all is compared
};

struct Event {
  Kind kind = Kind::kQuiet;
  uint64_t dice = 0;
};

const char* NameOf(Kind kind);

// `count` events, the last of which is kQuiet.
std::vector<Event> MakeHistory(uint64_t seed, size_t count);

}  // namespace raakvlak::simulation

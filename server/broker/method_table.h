// Who may make which call at the broker: the table of its Gate. An RPC without a row is refused to everyone.
#pragma once

#include <vector>

#include "rpc/gate.h"

namespace raakvlak::broker {

inline constexpr char kSubmitMethod[] = "/raakvlak.v1.Exchange/Submit";
inline constexpr char kWithdrawMethod[] = "/raakvlak.v1.Exchange/Withdraw";
inline constexpr char kProveEntryMethod[] = "/raakvlak.v1.Exchange/ProveEntry";
inline constexpr char kListMatchesMethod[] = "/raakvlak.v1.Matches/List";
inline constexpr char kOpenMatchMethod[] = "/raakvlak.v1.Matches/Open";

std::vector<rpc::MethodRule> MethodTable();

}  // namespace raakvlak::broker

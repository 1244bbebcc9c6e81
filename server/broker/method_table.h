// Who may make which call at the broker: the table of its Gate. An RPC without a row is refused to everyone.
#pragma once

#include <vector>

#include "rpc/gate.h"

namespace raakvlak::broker {

inline constexpr char kSubmitMethod[] = "/raakvlak.v1.Exchange/Submit";
inline constexpr char kWithdrawMethod[] = "/raakvlak.v1.Exchange/Withdraw";
inline constexpr char kProveEntryMethod[] = "/raakvlak.v1.Exchange/ProveEntry";
inline constexpr char kListAllowancesMethod[] = "/raakvlak.v1.Exchange/ListAllowances";
inline constexpr char kListMatchesMethod[] = "/raakvlak.v1.Matches/List";
inline constexpr char kOpenMatchMethod[] = "/raakvlak.v1.Matches/Open";
inline constexpr char kProposeMethod[] = "/raakvlak.v1.Ceremony/Propose";
inline constexpr char kPostMethod[] = "/raakvlak.v1.Ceremony/Post";
inline constexpr char kFetchMethod[] = "/raakvlak.v1.Ceremony/Fetch";
inline constexpr char kListCeremoniesMethod[] = "/raakvlak.v1.Ceremony/ListCeremonies";
inline constexpr char kKeysetsMethod[] = "/raakvlak.v1.Ceremony/Keysets";
inline constexpr char kPublishMethod[] = "/raakvlak.v1.Policy/Publish";

std::vector<rpc::MethodRule> MethodTable();

}  // namespace raakvlak::broker

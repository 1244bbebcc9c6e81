// How the broker writes about calls in its audit log. An entry never holds what a caller made up freely:
// purposes only when the covenant knows them, texts of orders only when the order's signature verified.
//
// Thread safety: all functions may be called from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rpc/gate.h"
#include "server/storage/audit.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

// EntryOf is an entry about a call of `pass`'s caller, with result OK. `object` is what it was done to.
storage::AuditEntry EntryOf(const rpc::Gate::Pass& pass, absl::Time now, absl::string_view action,
                            absl::string_view object);

// AsRefusal turns an entry into one of action "refuse": object is the RPC (and the former object), result the
// reason of `why`.
storage::AuditEntry AsRefusal(storage::AuditEntry entry, absl::string_view rpc, const absl::Status& why);

// RefuseDurably writes that entry and returns `why`; STORAGE_FAILED when it cannot be written.
absl::Status RefuseDurably(storage::BrokerStore& store, const storage::AuditEntry& entry,
                           absl::string_view rpc, const absl::Status& why);

// EndsTransaction: a failed store ends the whole transaction; any other error is about one receipt or call
// and is written as a refusal.
bool EndsTransaction(const absl::Status& status);

}  // namespace raakvlak::broker

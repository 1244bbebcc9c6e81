// Envelopes of stored signals: what the sender, for signals that are new, and the rotator, for those that go
// over to another epoch, do alike: read what is stored, make envelopes, and submit them.
//
// Nothing here changes the store. Thread safety: all functions may be called from any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/exchange_client.h"
#include "raakvlak/v1/envelope.pb.h"
#include "server/node/environment.h"
#include "server/node/pseudonymiser.h"

#include "server/node/validate.h"

namespace raakvlak::node {

// As many as Submit takes.
inline constexpr size_t kMaxSubmit = 256;

// ReadStored decrypts and parses one column of a signal. INTERNAL, with a log line "node.signal_damaged".
absl::Status ReadStored(const Environment& environment, Column column, const storage::NodeSignal& signal,
                        google::protobuf::MessageLite& out_message);

// An error that says that some signals wait, and why.
absl::Status Wait(absl::string_view why);

// HeaderOf parses what this node made itself; an empty header when it does not parse.
v1::SignalHeader HeaderOf(const v1::Envelope& envelope);

// A record whose envelope is to be made.
struct Draft {
  std::string signal_id;
  v1::Record record;
  ValidRecord valid;
  storage::SignalDays days;
};

// An envelope that is stored and can be sent.
struct Ready {
  std::string signal_id;
  v1::Envelope envelope;
};

struct MadeEnvelopes {
  struct One {
    Ready ready;
    // The envelope as it is stored.
    std::string encrypted;
    storage::SignalDays days;
  };
  std::vector<One> made;
  // Signal id and reason of those that cannot have one: ADDRESS_EXCLUDED.
  std::vector<std::pair<std::string, std::string>> refused;
  // Some wait for a fresh list of excluded addresses.
  bool list_is_stale = false;
};

// MakeEnvelopes evaluates and seals under the epoch of `terms` (server/node/sealing_epoch.h). Errors of
// Pseudonymiser::Evaluate and Seal.
absl::StatusOr<MadeEnvelopes> MakeEnvelopes(const Environment& environment, Pseudonymiser& pseudonymiser,
                                            const policy::Snapshot& snapshot, const v1::Purpose& terms,
                                            std::vector<Draft> drafts);

enum class Outcome {
  kAccepted,
  // The same bytes may be taken the next time.
  kWaits,
  // It must be made anew: it is under a covenant that the broker takes no more.
  kOutdated,
  kRefused,
};

struct Submitted {
  std::string signal_id;
  Outcome outcome = Outcome::kWaits;
  // Not accepted: why.
  std::string reason;
  // Accepted: the receipt as it is stored, and the epoch.
  std::string receipt;
  uint32_t epoch = 0;
};

// Shuffle hides the order of arrival: who sends envelopes does it first.
void Shuffle(std::vector<Ready>& envelopes, base::Random& random);

// SubmitEnvelopes sends up to kMaxSubmit, of one purpose, and says what became of each. A receipt that proves
// nothing is none ("node.receipt_wrong"). The refusal of the whole call; INTERNAL when the answer does not
// fit the question.
absl::StatusOr<std::vector<Submitted>> SubmitEnvelopes(const Environment& environment,
                                                       const policy::Snapshot& snapshot,
                                                       const std::string& purpose,
                                                       client::ExchangeClient& exchange,
                                                       absl::Span<const Ready> ready, absl::Duration timeout);

}  // namespace raakvlak::node

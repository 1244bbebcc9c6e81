// Sender: brings queued signals to the broker, in the background and by itself (design 4.5).
//
//   QUEUED -> envelope made and stored -> submitted -> receipt -> SUBMITTED or REFUSED
//
// A receipt that does not prove where the signal was logged (docs/format/receipt.md) is none: the signal
// stays QUEUED, and the log says so ("node.receipt_wrong").
//
// The finished envelope is stored before it is sent, so that every repetition sends the same bytes; each step
// is one named transaction and may be cut off anywhere: the next start goes on from what is stored. Signals
// of one purpose go in shuffled batches. What fails for a while (broker or key holders away, quota, expired
// roster) stays QUEUED and is tried again with growing rests; what the broker refuses for good is REFUSED
// with its reason. Withdrawals go the same way until they are acknowledged. Signals expire here on their day.
//
// A row that cannot be read (a damaged database) is logged and holds up no other. Nor does one that has no
// identifier before there is a fresh list of excluded addresses: it stays QUEUED with EXCLUDED_LIST_STALE.
//
// An envelope under a covenant that the broker takes no more is made anew once the broker says so: it never
// took the old one then. So is one of an epoch that is no longer served: that one the broker may have taken,
// and while it still has it (ENVELOPE_CONFLICT) the signal stays QUEUED. Signals of a purpose that the
// covenant in force does not have wait to be ended (server/node/destruction.h).
//
// Thread safety: Start and Stop from one thread; Step from any.
#pragma once

#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/exchange_client.h"
#include "raakvlak/v1/envelope.pb.h"
#include "server/node/envelopes.h"
#include "server/node/environment.h"
#include "server/node/outbox.h"
#include "server/node/pseudonymiser.h"

namespace raakvlak::node {

struct SenderOptions {
  int threads = 2;
  size_t unit = 1024;
  absl::Duration submit_timeout = absl::Seconds(15);
};

class Sender {
 public:
  // All outlive the sender.
  Sender(const Environment& environment, Outbox& outbox, Pseudonymiser& pseudonymiser,
         client::ExchangeClient& exchange, SenderOptions options = SenderOptions());
  // Stops.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void Start();
  // Returns when what is under way has ended.
  void Stop();

  // Step does one piece of work that is due; false when nothing is. For the sender's own threads, and for
  // tests.
  bool Step();

 private:
  void Run();
  bool Expire();
  bool SendWithdrawals();
  absl::Status DoSendWithdrawals(const std::vector<storage::NodeWithdrawal>& waiting);
  absl::Status Process(Outbox::Unit unit);
  absl::Status DropUnserved(const v1::Purpose& purpose, Outbox::Unit& unit, std::vector<Ready>& ready);
  std::vector<Ready> Load(const Outbox::Unit& unit, absl::Status& out_left);
  absl::StatusOr<std::vector<Draft>> Draw(const policy::Snapshot& snapshot, const v1::Purpose& terms,
                                          const Outbox::Unit& unit, absl::Status& out_left);
  absl::StatusOr<std::vector<Ready>> Make(const policy::Snapshot& snapshot, const Outbox::Unit& unit,
                                          absl::Status& out_left);
  absl::Status Submit(const policy::Snapshot& snapshot, const std::string& purpose, std::vector<Ready> ready);
  absl::Status Apply(const std::vector<Submitted>& results);
  absl::Status EndAsRefused(const std::vector<std::pair<std::string, std::string>>& refused);

  const Environment environment_;
  Outbox& outbox_;
  Pseudonymiser& pseudonymiser_;
  client::ExchangeClient& exchange_;
  const SenderOptions options_;

  base::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool withdrawing_ ABSL_GUARDED_BY(mutex_) = false;
  Backoff withdrawal_backoff_ ABSL_GUARDED_BY(mutex_);
  uint32_t expired_until_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_;
};

}  // namespace raakvlak::node

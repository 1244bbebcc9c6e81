// Witnessing: what a process needs to be a witness, wired for its main: key, memory, alarm, and the HTTP form
// when the configuration asks for it.
//
// Whose logs it cosigns is read from the covenant in force at each request: a node those of the broker, the
// broker those of nodes and hub.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "crypto/note/ed25519.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "server/log/contradiction_audit.h"
#include "server/log/witness.h"
#include "server/log/witness_http.h"
#include "server/storage/audit.h"
#include "server/storage/witness_store.h"

namespace raakvlak::log {

// The logs that the process with this URN cosigns, by the covenant in force. REQUIRES: broker or node of it.
Witness::FindLog LogsWitnessedBy(const std::string& urn, policy::Authority& authority);

class Witnessing {
 public:
  // Opens <state>/witness.db. All outlive this; `audit` makes entries durable before it returns.
  // CONFIG_INVALID when witness_key is not the key that the covenant gives `urn`, or listen_witness cannot
  // be; errors of storage::OpenWitnessStore and policy::ReadSigningKey.
  static absl::StatusOr<std::unique_ptr<Witnessing>> Create(const v1::Common& common, const std::string& urn,
                                                            policy::Authority& authority,
                                                            storage::AuditAppender& audit,
                                                            const base::Clock& clock);

  Witness& witness() { return *witness_; }
  // 0 when it is not served.
  int http_port() const { return http_ == nullptr ? 0 : http_->port(); }

 private:
  Witnessing(crypto::note::PrivateKey key, storage::AuditAppender& audit, const base::Clock& clock)
      : key_(std::move(key)), contradictions_(audit, clock) {}

  const crypto::note::PrivateKey key_;
  ContradictionAudit contradictions_;
  std::unique_ptr<storage::WitnessStore> store_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<WitnessHttp> http_;
};

// ReadWitnessKey reads the configured witness key: as Create, for --check-config.
absl::StatusOr<crypto::note::PrivateKey> ReadWitnessKey(const v1::Common& common, const std::string& urn,
                                                        const policy::Covenant& covenant);

}  // namespace raakvlak::log

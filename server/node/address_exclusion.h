// AddressExclusion: the list of excluded addresses in force at this node, and what it leaves of a record's
// identifiers.
//
// The file is looked at on every use (one stat) and read again when it changed. A list that does not verify,
// has a lower number than one that was ever in force here, or is another one of the same number, is refused
// with a log line; what was in force goes on until it is too old. The highest number stands in a file of its
// own in the state folder. Without a fresh list, identifiers of class ADDRESS are not made: that is logged as
// an error when it begins and every hour while it lasts, and logged again when it ends.
//
// It does NOT look at rules of class PERSON that hold an address beside names or dates, and not at envelopes
// that were made before the list changed.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "linkage/normalise.h"
#include "policy/covenant.h"
#include "policy/excluded_addresses.h"
#include "server/node/validate.h"

namespace raakvlak::node {

// What grpc.health.v1 says whether rules of class ADDRESS are on.
inline constexpr char kAddressRules[] = "raakvlak.address_rules";

class AddressExclusion {
 public:
  // `path` is the list, "" for none; `seen_path` where the highest number is kept. `clock` outlives this.
  AddressExclusion(std::string path, std::string seen_path, const base::Clock& clock)
      : path_(std::move(path)), seen_path_(std::move(seen_path)), clock_(clock) {}

  // Current returns the list in force. EXCLUDED_LIST_STALE when there is none or it is too old.
  absl::StatusOr<std::shared_ptr<const policy::ExcludedAddresses>> Current(const policy::Covenant& covenant);

  // Look calls Current when `covenant` has rules that need it, for its alarm. False when they are off.
  bool Look(const policy::Covenant& covenant);

  // Filter removes identifiers of class ADDRESS that may not be made for the record with these fields. When
  // none is left because of that: EXCLUDED_LIST_STALE (it may be sent later), ADDRESS_EXCLUDED (never).
  absl::Status Filter(const policy::Covenant& covenant, const linkage::Normalised& fields,
                      std::vector<Identifier>& identifiers);

 private:
  void Reload(const policy::Covenant& covenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Load(const policy::Covenant& covenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckSeen(const policy::ExcludedAddresses& list);
  void Alarm(const absl::Status& status, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const std::string seen_path_;
  const base::Clock& clock_;
  base::Mutex mutex_;
  std::shared_ptr<const policy::ExcludedAddresses> list_ ABSL_GUARDED_BY(mutex_);
  // Of the file that was read last, and for which covenant.
  std::string mark_ ABSL_GUARDED_BY(mutex_);
  bool is_stale_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time alarm_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace raakvlak::node

// OwnPart: what the covenant says about this process, and what of it cannot change while it runs.
//
// Its keys are taken from files at the start: a node's signing keys, of which each covenant names one, and
// one of each other kind. A covenant that has others is in force all the same; this says so, because the
// process needs another configuration and a start.
//
// Thread safety: OwnPart is for one thread; ChangedPart is pure.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/note/ed25519.h"
#include "policy/covenant.h"
#include "raakvlak/v1/config.pb.h"

namespace raakvlak::server {

// AddressOf returns where the node of `partner` is reached: what the configuration says, or else the
// covenant; empty when neither does.
std::string AddressOf(const v1::Partner& partner,
                      const google::protobuf::RepeatedPtrField<v1::AddressOverride>& overrides);

// ChangedPart names what `now` has otherwise than `start` about the process `urn`: "partner" (it is in it no
// more), "signing_key" (of a node, unless it is one of `signing_keys`), "witness_key", "log_key".
std::vector<std::string> ChangedPart(const policy::Covenant& start, const policy::Covenant& now,
                                     absl::string_view urn,
                                     absl::Span<const crypto::note::PublicKey> signing_keys = {});

class OwnPart {
 public:
  // `start` is the covenant that the configuration was read with; `signing_keys` are those that the process
  // has.
  OwnPart(std::shared_ptr<const policy::Covenant> start, std::string urn,
          std::vector<crypto::note::PublicKey> signing_keys = {})
      : start_(std::move(start)),
        urn_(std::move(urn)),
        signing_keys_(std::move(signing_keys)),
        seen_(start_->id()) {}

  // Look logs "policy.other_configuration" once for a covenant that has something otherwise, and returns
  // whether it did.
  bool Look(const policy::Covenant& now);

 private:
  const std::shared_ptr<const policy::Covenant> start_;
  const std::string urn_;
  const std::vector<crypto::note::PublicKey> signing_keys_;
  std::string seen_;
};

}  // namespace raakvlak::server

// One evaluation between two nodes (docs/format/evaluation.md): what is signed by whom.
//
//   the partner that asks signs the EvaluateBody (kind "evaluate"), which holds SHA-256 of the elements
//   the holder signs (kind "evaluated")
//     SHA-256(lp4(request body) || lp4(elements) || lp4(evaluated) || proof), lp4(x) = I2OSP(len, 4) || x
//
// so that a wrong answer can be shown to others. DO NOT CHANGE. Thread safety: all functions are pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/note/ed25519.h"
#include "raakvlak/v1/key_share.pb.h"

namespace raakvlak::node {

inline constexpr size_t kRequestIdSize = 16;
inline constexpr absl::Duration kEvaluateWindow = absl::Seconds(120);

struct EvaluateParameters {
  std::string keyset_id;
  std::string partner;
  std::string holder;
  std::string request_id;
  absl::Time time;
};

// MakeEvaluateRequest signs a request for `elements`, packed.
v1::EvaluateRequest MakeEvaluateRequest(const EvaluateParameters& parameters, absl::string_view elements,
                                        const crypto::note::PrivateKey& key);

// EvaluatedDigest is what the holder signs, 32 bytes.
std::string EvaluatedDigest(const v1::EvaluateRequest& request, const v1::EvaluateResponse& response);

}  // namespace raakvlak::node

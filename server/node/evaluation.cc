#include "server/node/evaluation.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "crypto/note/signed_message.h"

namespace raakvlak::node {

v1::EvaluateRequest MakeEvaluateRequest(const EvaluateParameters& parameters, absl::string_view elements,
                                        const crypto::note::PrivateKey& key) {
  v1::EvaluateBody body;
  body.set_version(1);
  body.set_keyset_id(parameters.keyset_id);
  body.set_partner(parameters.partner);
  body.set_holder(parameters.holder);
  body.set_request_id(parameters.request_id);
  body.set_time_ms(absl::ToUnixMillis(parameters.time));
  body.set_elements_sha256(base::Sha256(elements));
  v1::EvaluateRequest request;
  request.set_body(body.SerializeAsString());
  request.set_signature(crypto::note::SignMessage(key, crypto::note::kEvaluateKind, request.body()));
  request.set_elements(std::string(elements));
  return request;
}

std::string EvaluatedDigest(const v1::EvaluateRequest& request, const v1::EvaluateResponse& response) {
  return base::Sha256(absl::StrCat(base::BigEndian(request.body().size(), 4), request.body(),
                                   base::BigEndian(request.elements().size(), 4), request.elements(),
                                   base::BigEndian(response.evaluated().size(), 4), response.evaluated(),
                                   response.proof()));
}

}  // namespace raakvlak::node

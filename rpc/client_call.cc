#include "rpc/client_call.h"

namespace raakvlak::rpc {

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace raakvlak::rpc

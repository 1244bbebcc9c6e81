#include "rpc/client_call.h"

#include "base/random.h"
#include "rpc/trace.h"

namespace raakvlak::rpc {

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

void SetTraceId(grpc::ClientContext& context, absl::string_view trace_id) {
  base::SystemRandom random;
  const std::string header = TraceParent(trace_id, random);
  if (!header.empty()) context.AddMetadata(kTraceParentKey, header);
}

}  // namespace raakvlak::rpc

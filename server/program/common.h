// What the servers share in reading and checking their configuration (raakvlak.v1.Common).
//
// Thread safety: all functions are pure but for the files they read.
#pragma once

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/random.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/tls.h"
#include "server/storage/log_codec.h"

namespace raakvlak::server {

// A field's name as the configuration writes it, and its value.
using Field = std::pair<absl::string_view, absl::string_view>;

// CheckRequired: CONFIG_INVALID with the name of the first empty field, of `common` or of the program's
// `own`.
absl::Status CheckRequired(const v1::Common& common, const std::vector<Field>& own);

// Where policy::Authority finds covenant and roster. What arrives goes to the folder "policy" of the state.
policy::PolicyFiles PolicyFilesOf(const v1::Common& common);

// CheckFiles reads covenant, roster and certificates as a server would at its start, and returns what would
// be in force. It touches no state, so it can run beside the server; it therefore does NOT see that a
// covenant or roster is older than the newest that the server knows. Errors of policy::Authority::Create and
// rpc::MakeServerCredentials.
absl::StatusOr<policy::Snapshot> CheckFiles(const v1::Common& common, const base::Clock& clock);

// MakeLogCodec: how the process `urn` keeps its logs, with the details key of `common`. FILE_UNREADABLE,
// FILE_UNSAFE, MALFORMED. `random` outlives the codec.
absl::StatusOr<storage::LogCodec> MakeLogCodec(const v1::Common& common, absl::string_view urn,
                                               base::Random& random);

rpc::TlsFiles TlsFilesOf(const v1::Common& common);

// Worker threads: what the configuration asks for, at most 1,024; by default twice the cores.
int ThreadsOf(const v1::Common& common);

}  // namespace raakvlak::server

// Region: the file that tells `raakvlak` where the servers are and who we are (docs/format/region.md).
//
//   {"broker": {"address"}, "hub": {"address"}, "nodes": {ID: {"intake", "peer"}},
//    "identities": {NAME: {"cert", "key", "ca", "urn", "signing_key"}}, "covenant": PATH, "roster": PATH,
//    "policy": PATH}
//
// Paths are relative to the folder of the file. Members that are not named here are passed over. Addresses
// and names here are trusted for nothing: each server must show the name that the covenant gives it. Thread
// safety: immutable after parsing.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::cli {

struct Identity {
  std::string name;
  std::string certificate;
  std::string key;
  std::string authority;
  std::string urn;
  // Key that signs orders; empty when this identity signs none.
  std::string signing_key;
};

struct NodeAddresses {
  std::string intake;
  std::string peer;
};

struct Region {
  std::string broker_address;
  std::string hub_address;
  std::map<std::string, NodeAddresses> nodes;
  std::map<std::string, Identity> identities;
  std::string covenant_path;
  std::string roster_path;
  // Folder of notes of the policy that arrived since; "policy" beside the region file when it names none.
  std::string policy_folder;
};

// ParseRegion: CONFIG_INVALID when it is not JSON of that form. Paths are made relative to `folder`.
absl::StatusOr<Region> ParseRegion(absl::string_view json, const std::string& folder);

// LoadRegion: FILE_UNREADABLE, and as ParseRegion.
absl::StatusOr<Region> LoadRegion(const std::string& path);

// FindIdentity: CONFIG_INVALID, naming the identities there are, when there is none of that name.
absl::StatusOr<const Identity*> FindIdentity(const Region& region, const std::string& name);

}  // namespace raakvlak::cli

// The log's formats: what parses is written back byte for byte, and nothing verifies that was not signed.
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "crypto/tlog/add_checkpoint.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/proof_file.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace tlog = raakvlak::crypto::tlog;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string text(input);
  if (const auto checkpoint = tlog::ParseCheckpoint(input); checkpoint.ok()) {
    RAAKVLAK_CHECK(tlog::FormatCheckpoint(*checkpoint) == text,
                   "a checkpoint is written back as it was read");
  }
  if (const auto file = tlog::ParseProofFile(input); file.ok()) {
    RAAKVLAK_CHECK(tlog::FormatProofFile(*file) == text, "a proof file is written back as it was read");
    (void)tlog::ParseCheckpoint(file->checkpoint);
  }
  if (const auto request = tlog::ParseAddCheckpoint(input); request.ok()) {
    RAAKVLAK_CHECK(tlog::FormatAddCheckpoint(*request) == text, "a request is written back as it was read");
  }
  if (const auto tile = tlog::ParsePath(input); tile.ok()) {
    RAAKVLAK_CHECK(tlog::Path(*tile) == text, "a tile's path is written back as it was read");
  }
  if (const auto witness = tlog::WitnessKey::Parse(input); witness.ok()) {
    RAAKVLAK_CHECK(witness->Encode() == text, "a witness key is written back as it was read");
    raakvlak::crypto::note::Note note{"log\n0\n" + tlog::EmptyRoot().ToBase64() + "\n", {}};
    RAAKVLAK_CHECK(!tlog::AddCosignatures(note, input, {*witness}).ok(), "a key is no cosignature");
  }
  if (const auto frontier = tlog::Frontier::Parse(input); frontier.ok()) {
    RAAKVLAK_CHECK(frontier->Serialise() == text, "a frontier is written back as it was read");
    (void)frontier->Root();
  }
  for (const int width : {1, 3, 256}) {
    if (const auto entries = tlog::ParseEntries(input, width); entries.ok()) {
      std::string bundle;
      for (const absl::string_view entry : *entries) tlog::AppendEntry(bundle, entry);
      RAAKVLAK_CHECK(bundle == text, "a bundle is written back as it was read");
    }
    if (const auto hashes = tlog::ParseTile(input, width); hashes.ok()) {
      RAAKVLAK_CHECK(tlog::TileBytes(*hashes) == text, "a tile is written back as it was read");
    }
  }
  (void)tlog::ParseLeaf(input);
  return 0;
}

// The worked example of docs/format/token.md. Its figures were computed by a program that is not ours
// (Python's hmac and hashlib, integers, and libsodium's ristretto255 for the commitments).
#pragma once

#include <string>

#include "crypto/disclosure/context.h"
#include "crypto/group/element.h"

namespace raakvlak::crypto::disclosure::example {

inline Context ExampleContext() { return {"maastricht", "onaantastbaren", 1, 1, "bsn", 1}; }
inline group::Element ExamplePublicKey() { return group::Element::Generator(); }
// y = 00 01 02 .. 3f.
inline std::string ExampleOutput() {
  std::string output;
  for (char byte = 0; byte < 64; ++byte) output += byte;
  return output;
}

inline constexpr char kContext[] =
    "000a6d616173747269636874000e6f6e61616e74617374626172656e0100000001000362736e0001";
inline constexpr char kInput[] =
    "00117261616b766c616b2f76312f696e707574000a6d616173747269636874000e6f6e61616e74617374626172656e0100000001"
    "000362736e"
    "0001010009393939393930303139";
inline constexpr char kExtendedContext[] =
    "000a6d616173747269636874000e6f6e61616e74617374626172656e0100000001000362736e000102b4aed8a647936906f61cce"
    "1e8115fd2f"
    "99a6be13eae8683271bc75fcc8bb6e1e";
inline constexpr char kTag[] = "3353f445e1986004fa5e52834b49498a";
inline constexpr char kSecret[] = "11e1b50993550e6daef132c0caa292b79a61e29efc7e9a82ae9f5b316b47e000";
inline constexpr char kCoefficient1[] = "2bd794e23e4e815df0bd14fb7af82707012a86a5d1b31e9f3dc7ecc39da29a01";
inline constexpr char kWrapKey[] = "4cd42723117e818974936292d7b774bba2aa681f3e8ea467d240fbab73430652";
inline constexpr char kShare3[] = "926674b14f4092857f2b71b13b8c0acd9ddf748f719af65f67f5217d442fb005";
inline constexpr char kCommitments[] =
    "7abfba09cc45b0946cbe473321da386d289faad149d22e966eac185886c43628564a16e016b39e5d936cb075219cc0ac3da5361c"
    "57a24bdf3f"
    "cfd08299449d55";

}  // namespace raakvlak::crypto::disclosure::example

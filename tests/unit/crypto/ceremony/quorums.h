// Quorums of what a ceremony made, and the tokens that they give.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/oprf/oprf.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/ceremony/rig.h"

namespace raakvlak::crypto::ceremony::testing {

inline uint32_t CountBits(uint32_t bits) { return static_cast<uint32_t>(__builtin_popcount(bits)); }

// The holders, in order, whose bit is set.
inline std::map<uint32_t, Scalar> Subset(const Held& held, uint32_t bits) {
  std::map<uint32_t, Scalar> out;
  uint32_t place = 0;
  for (const auto& [index, share] : held.shares) {
    if ((bits >> place++) & 1) out[index] = share;
  }
  return out;
}

inline std::vector<uint32_t> SetsOf(const Held& held, size_t size) {
  std::vector<uint32_t> out;
  for (uint32_t bits = 0; bits < (1u << held.shares.size()); ++bits) {
    if (CountBits(bits) == size) out.push_back(bits);
  }
  return out;
}

// The token of "input" under a whole key, which no program of ours has.
inline std::string TokenOf(const Scalar& key) {
  const Element evaluated = oprf::HashToGroup("input").value().Mul(key).ToElement();
  return std::string(oprf::Finalize("input", evaluated).Reveal(base::RevealSecret{}));
}

// Each holder evaluates and proves one blinded input; each quorum of answers gives the token of `key`.
inline void ExpectEveryQuorumGivesTheTokenOf(const Scalar& key, const Held& held) {
  const auto quorum = static_cast<uint32_t>(held.commitments.size());
  base::testing::SeededRandom random(5);
  const oprf::Blinded blinded = oprf::Blind("input", random).value();
  const oprf::ElementList request = oprf::ElementList::DecodeAll(blinded.blinded.Encode()).value();
  std::map<uint32_t, oprf::ElementList> answers;
  for (const auto& [index, share] : held.shares) {
    const Element public_share = threshold::PublicShare(held.commitments, index).value();
    const auto evaluation = oprf::BlindEvaluate(share, public_share, request, random).value();
    answers.emplace(index, oprf::ElementList::DecodeAll(evaluation.evaluated).value());
    EXPECT_TRUE(oprf::VerifyProof(public_share, request, answers.at(index), evaluation.proof).ok());
  }
  const std::string expected = TokenOf(key);
  for (const uint32_t bits : SetsOf(held, quorum)) {
    std::vector<threshold::Partial> partials;
    for (const auto& [index, share] : Subset(held, bits)) partials.push_back({index, &answers.at(index)});
    const auto unblinded = threshold::Combine(quorum, partials, {blinded.blind}).value();
    EXPECT_TRUE(oprf::Finalize("input", unblinded.front()).Reveal(base::RevealSecret{}) == expected)
        << "set " << bits;
  }
}

}  // namespace raakvlak::crypto::ceremony::testing

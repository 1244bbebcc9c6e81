// The published figures of RFC 9497 appendix A.1, byte for byte.
#include <vector>

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/oprf/expand.h"
#include "crypto/oprf/oprf.h"
#include "crypto/oprf/proof.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/vector_file.h"

namespace raakvlak::crypto::oprf {
namespace {

using base::testing::IsOk;
using base::testing::ScriptedRandom;
using group::Element;
using group::Scalar;
using group::SecretPoint;
using testing::VectorObject;

// What a random source must hand out to make Scalar::Random draw this scalar: it reduces 64 bytes.
std::string Wide(const std::string& scalar) { return scalar + std::string(32, '\0'); }

std::string Joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

// Mode 1: everything through our own functions.
void CheckVerifiableVector(VectorObject vector, const Scalar& key, const Element& public_key) {
  const std::vector<std::string> inputs = vector.BytesList("Input");
  const std::vector<std::string> blinds = vector.BytesList("Blind");
  const std::vector<std::string> blinded = vector.BytesList("BlindedElement");
  const std::vector<std::string> evaluated = vector.BytesList("EvaluationElement");
  const std::vector<std::string> outputs = vector.BytesList("Output");
  VectorObject proof(vector.Raw("Proof"));
  const std::string r = proof.Bytes("r");
  const std::string expected_proof = proof.Bytes("proof");
  const size_t n = static_cast<size_t>(vector.Number("Batch"));
  ASSERT_EQ(inputs.size(), n);
  ASSERT_EQ(blinds.size(), n);

  std::vector<group::PublicPoint> points;
  for (size_t i = 0; i < n; ++i) {
    ScriptedRandom random({Wide(blinds[i])});
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Blinded one, Blind(inputs[i], random));
    EXPECT_EQ(one.blind.Encode(), blinds[i]);
    EXPECT_EQ(base::Hex(one.blinded.Encode()), base::Hex(blinded[i]));
    points.push_back(one.blinded);
  }
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const ElementList request, ElementList::FromPoints(points));
  ScriptedRandom random({Wide(r)});
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, BlindEvaluate(key, public_key, request, random));
  EXPECT_EQ(base::Hex(evaluation.evaluated), base::Hex(Joined(evaluated)));
  EXPECT_EQ(base::Hex(evaluation.proof), base::Hex(expected_proof));

  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const ElementList answer, ElementList::DecodeAll(Joined(evaluated)));
  EXPECT_THAT(VerifyProof(public_key, request, answer, expected_proof), IsOk());
  for (size_t i = 0; i < n; ++i) {
    const Scalar unblind = Scalar::Decode(blinds[i]).value().Invert();
    const Element unblinded = Element::Decode(answer.encoding(i)).value().Mul(unblind);
    EXPECT_EQ(base::Hex(Finalize(inputs[i], unblinded).Reveal(base::RevealSecret{})), base::Hex(outputs[i]));
  }
}

// Mode 0 differs in its context string alone: our expander, blinding and Finalize with the DST of the file.
void CheckBaseVector(VectorObject vector, const Scalar& key, const std::string& group_dst) {
  EXPECT_EQ(vector.Number("Batch"), 1);
  const std::string input = vector.Bytes("Input");
  const Scalar blind = Scalar::Decode(vector.Bytes("Blind")).value();
  const SecretPoint point = SecretPoint::FromUniform(Expander(group_dst).Start().Add(input).Finish());
  const Element blinded = point.Mul(blind).ToElement();
  EXPECT_EQ(base::Hex(blinded.bytes()), base::Hex(vector.Bytes("BlindedElement")));
  const Element evaluated = blinded.Mul(key);
  EXPECT_EQ(base::Hex(evaluated.bytes()), base::Hex(vector.Bytes("EvaluationElement")));
  EXPECT_EQ(base::Hex(Finalize(input, evaluated.Mul(blind.Invert())).Reveal(base::RevealSecret{})),
            base::Hex(vector.Bytes("Output")));
}

TEST(Rfc9497Test, AllPublishedVectors) {
  VectorObject file(testing::ReadVectorFile("oprf/rfc9497-ristretto255-sha512.json"));
  EXPECT_NE(file.Text("source"), "");
  int checked = 0;
  for (const auto& raw : file.Raw("suites")) {
    VectorObject suite(raw);
    const int mode = suite.Number("mode");
    SCOPED_TRACE(mode);
    EXPECT_EQ(suite.Text("hash"), "SHA512");
    EXPECT_EQ(suite.Text("identifier"), "ristretto255-SHA512");
    const std::string seed = suite.Bytes("seed");
    const std::string info = suite.Bytes("keyInfo");
    const Scalar key = Scalar::DecodeNonZero(suite.Bytes("skSm")).value();
    const std::string context = std::string("OPRFV1-") + static_cast<char>(mode) + "-ristretto255-SHA512";
    const std::string group_dst = suite.Bytes("groupDST");
    EXPECT_EQ(group_dst, "HashToGroup-" + context);
    // "deriveInput = seed || I2OSP(len(info), 2) || info", counter 0.
    EXPECT_EQ(HashToScalar(seed + base::LengthPrefixed(info) + '\0', "DeriveKeyPair" + context), key);
    if (mode == 1) {
      EXPECT_EQ(context, std::string(kContextString, kContextStringSize));
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Scalar derived, DeriveKey(seed, info));
      EXPECT_EQ(base::Hex(derived.Encode()), base::Hex(key.Encode()));
      const Element public_key = Element::MulBase(key);
      EXPECT_EQ(base::Hex(public_key.bytes()), base::Hex(suite.Bytes("pkSm")));
      for (const auto& vector : suite.Raw("vectors")) {
        CheckVerifiableVector(VectorObject(vector), key, public_key);
        ++checked;
      }
    } else {
      for (const auto& vector : suite.Raw("vectors")) {
        CheckBaseVector(VectorObject(vector), key, group_dst);
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 5);
}

}  // namespace
}  // namespace raakvlak::crypto::oprf

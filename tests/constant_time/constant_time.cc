// Runs one case of our code with its secrets marked undefined, so that memcheck reports every branch and
// every address that depends on one. constant_time_test.py runs it and judges the reports; by itself it shows
// nothing, and without valgrind it refuses to run.
#include <decaf/point_255.h>
#include <dlfcn.h>
#include <valgrind/memcheck.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"
#include "crypto/ceremony/derived_random.h"
#include "crypto/ceremony/polynomial.h"
#include "crypto/ceremony/possession.h"
#include "crypto/ceremony/share_box.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/group/scalar.h"
#include "crypto/group/secret_point.h"
#include "crypto/oprf/oprf.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;
using group::SecretPoint;

void Poison(const void* data, size_t size) { (void)VALGRIND_MAKE_MEM_UNDEFINED(data, size); }

std::string SecretString(size_t size) {
  std::string out = base::SystemRandom().Bytes(size);
  Poison(out.data(), out.size());
  return out;
}

Scalar SecretScalar() {
  base::SystemRandom random;
  Scalar out = Scalar::Random(random);
  Poison(out.data(), group::kScalarSize);
  return out;
}

// What it hands out is secret.
class SecretRandom final : public base::Random {
 public:
  void Fill(void* buffer, size_t size) override {
    system_.Fill(buffer, size);
    Poison(buffer, size);
  }

 private:
  base::SystemRandom system_;
};

// Where a branch on a secret would otherwise be optimised away.
volatile int sink;

void Hash() { (void)oprf::HashToGroup(SecretString(150)); }

void Blind() {
  SecretRandom random;
  (void)oprf::Blind(SecretString(150), random);
}

void Unblind() {
  base::SystemRandom random;
  std::vector<oprf::ElementList> lists;
  for (int holder = 0; holder < 3; ++holder) {
    std::vector<PublicPoint> points;
    for (int m = 0; m < 2; ++m) {
      points.push_back(PublicPoint::FromElement(Element::MulBase(Scalar::Random(random))));
    }
    lists.push_back(oprf::ElementList::FromPoints(points).value());
  }
  const std::vector<threshold::Partial> partials = {{1, &lists[0]}, {2, &lists[1]}, {4, &lists[2]}};
  const std::vector<Scalar> blinds = {SecretScalar(), SecretScalar()};
  const std::vector<Element> unblinded = threshold::Combine(3, partials, blinds).value();
  (void)oprf::Finalize(SecretString(150), unblinded[0]);
}

void Disclose() {
  const base::SecretBytes output = base::SecretBytes::Take(SecretString(64));
  const std::string context(95, 'c');
  const disclosure::TokenSecrets secrets = disclosure::Derive(output, context, 2).value();
  (void)disclosure::Commit(secrets.coefficients);
  (void)disclosure::EvaluateShare(secrets.coefficients, 3);
  (void)disclosure::WrapKey(secrets.coefficients[0], context, std::string(16, 't'));
}

// What a key holder does with its share and with the nonce of a proof.
void Evaluate() {
  const Scalar key = SecretScalar();
  const Element element = Element::Generator();
  (void)Element::DecodeAndMul(element.bytes(), key);
  (void)element.Mul(key);
  (void)Element::MulBase(key);
  (void)(SecretScalar() - Scalar::FromUint64(7) * key);
}

void Scalars() {
  std::vector<Scalar> scalars = {SecretScalar(), SecretScalar(), SecretScalar()};
  scalars[0] = scalars[0] + scalars[1] * scalars[2] - Scalar::FromWide(SecretString(64));
  (void)scalars[0].IsZero();
  (void)(scalars[0] == scalars[1]);
  group::BatchInvert(absl::MakeSpan(scalars));
}

void SharesFromStore() { (void)Scalar::Decode(std::string(SecretScalar().Encode())); }

void Points() {
  const SecretPoint point = SecretPoint::FromUniform(SecretString(64)).Mul(SecretScalar());
  (void)point.IsIdentity();
  (void)point.Publish().Encode();
  (void)SecretPoint::FromPublic(PublicPoint::Generator()).Mul(SecretScalar()).ToElement();
}

// A ceremony. What a contributor draws, commits to, proves and evaluates; what a receiver adds up.
void Contribute() {
  const base::SecretBytes seed = base::SecretBytes::Take(SecretString(32));
  ceremony::DerivedRandom random(seed, "polynomial", std::string(32, 'c'));
  const std::vector<Scalar> polynomial = {Scalar::Random(random), Scalar::Random(random)};
  std::string commitments;
  for (const Scalar& coefficient : polynomial) commitments += Element::MulBase(coefficient).Encode();
  (void)VALGRIND_MAKE_MEM_DEFINED(commitments.data(), commitments.size());
  (void)ceremony::ProvePossession(polynomial[0], std::string(32, 's'), 1, commitments, random);
  (void)(ceremony::EvaluateAt(polynomial, 3) + ceremony::EvaluateAt(polynomial, 31));
}

// The boxes of shares, with all keys secret that are, and what stands in them.
void Box() {
  base::SystemRandom random;
  const base::SecretBytes receiving = base::SecretBytes::Generate(random, ceremony::kBoxKeySize);
  const std::string receiving_key = ceremony::BoxPublicKey(receiving);
  const base::SecretBytes ephemeral = base::SecretBytes::Take(SecretString(ceremony::kBoxKeySize));
  (void)ceremony::EncryptShare(ephemeral, receiving_key, SecretScalar(), "context", random);
}

void OpenBox() {
  base::SystemRandom random;
  const base::SecretBytes ephemeral = base::SecretBytes::Generate(random, ceremony::kBoxKeySize);
  std::string secret = random.Bytes(ceremony::kBoxKeySize);
  const std::string receiving_key = ceremony::BoxPublicKey(base::SecretBytes{absl::string_view(secret)});
  const std::string box =
      ceremony::EncryptShare(ephemeral, receiving_key, Scalar::FromUint64(77), "context", random);
  Poison(secret.data(), secret.size());
  const base::SecretBytes receiving = base::SecretBytes::Take(std::move(secret));
  (void)ceremony::DecryptShare(receiving, ceremony::BoxPublicKey(ephemeral), box, "context");
}

// What a receiver does with the shares that it opened: each is compared with what its contributor committed
// to, and added up; after a reshare with Lagrange's factors.
void Receive() {
  base::SystemRandom random;
  const std::vector<uint32_t> contributors = {1, 3};
  const std::vector<Scalar> factors = threshold::Lagrange(contributors).value();
  Scalar sum;
  Scalar interpolated;
  for (size_t i = 0; i < contributors.size(); ++i) {
    const std::vector<Scalar> polynomial = {Scalar::Random(random), Scalar::Random(random)};
    const std::vector<Element> commitments = {Element::MulBase(polynomial[0]),
                                              Element::MulBase(polynomial[1])};
    const Scalar share = ceremony::EvaluateAt(polynomial, 2);
    Poison(share.data(), group::kScalarSize);
    RAAKVLAK_CHECK(threshold::CheckShare(commitments, 2, share).ok(), "a share fits its commitments");
    sum = sum + share;
    interpolated = interpolated + factors[i] * share;
  }
  (void)(sum == interpolated);
}

// The controls do what must never be done: the test fails when nothing is reported for them.
void ControlBranch() {
  if (SecretString(1)[0] == 'x') sink = 1;
}
void ControlAddress() {
  static const int table[256] = {1, 2, 3};
  sink = table[static_cast<uint8_t>(SecretString(1)[0])];
}
void ControlVariableTimeMultiplication() { (void)PublicPoint::Generator().Mul(SecretScalar()); }
void ControlVariableTimeSum() {
  const std::vector<Scalar> scalars(8, SecretScalar());
  const std::vector<PublicPoint> points(8, PublicPoint::Generator());
  (void)group::MultiScalarMul(scalars, points);
}

const std::map<std::string, std::function<void()>>& Cases() {
  static const auto* cases = new std::map<std::string, std::function<void()>>{
      {"hash", Hash},
      {"blind", Blind},
      {"unblind", Unblind},
      {"disclose", Disclose},
      {"evaluate", Evaluate},
      {"scalars", Scalars},
      {"shares_from_store", SharesFromStore},
      {"points", Points},
      {"contribute", Contribute},
      {"box", Box},
      {"open_box", OpenBox},
      {"receive", Receive},
      {"control_branch", ControlBranch},
      {"control_address", ControlAddress},
      {"control_variable_time_multiplication", ControlVariableTimeMultiplication},
      {"control_variable_time_sum", ControlVariableTimeSum},
  };
  return *cases;
}

}  // namespace
}  // namespace raakvlak::crypto

int main(int argc, char** argv) {
  const auto& cases = raakvlak::crypto::Cases();
  if (argc == 2 && std::string(argv[1]) == "--list") {
    for (const auto& [name, run] : cases) std::printf("%s\n", name.c_str());
    return 0;
  }
  if (argc != 2 || !cases.contains(argv[1])) {
    std::fprintf(stderr, "usage: valgrind constant_time --list|CASE\n");
    return 2;
  }
  if (RUNNING_ON_VALGRIND == 0) {
    std::fprintf(stderr, "constant_time: without valgrind nothing is shown\n");
    return 3;
  }
  // So that addresses in reports can be told apart.
  Dl_info info;
  RAAKVLAK_CHECK(dladdr(reinterpret_cast<const void*>(&decaf_255_point_encode), &info) != 0,
                 "libdecaf is loaded");
  std::printf("%s %p\n", info.dli_fname, info.dli_fbase);
  cases.at(argv[1])();
  return 0;
}

// What a token costs, in units of one crypto_scalarmult_ristretto255 measured in the same run.
//
//   build/release/tests/bench/token_bench
//   build/release/tests/bench/token_bench --benchmark_filter='Holder|Client' --benchmark_min_time=0.1
//
// Counters, each the median of the iterations:
//
//   unit_us: microseconds of CPU of one crypto_scalarmult_ristretto255, measured before and after each
//   iteration.
//
//   per_token_us: microseconds of CPU for one token (or point, or element), on one core.
//
//   units: per_token_us in units. This is the figure that has a target.
//
//   target: the most that `units` may be: holder 1.5, client 4.5, for batches of 1024 and more.
//
// The benchmarks without a target split the client's cost up.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "crypto/group/public_point.h"
#include "crypto/oprf/oprf.h"
#include "crypto/oprf/proof.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"
#include "tests/support/split.h"

namespace raakvlak::crypto {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;
using oprf::ElementList;

constexpr uint32_t kQuorum = 3;
constexpr uint32_t kDisclosureThreshold = 2;

double CpuMicroseconds() { return 1e6 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Microseconds of CPU of one libsodium multiplication.
double MeasureUnit() {
  // Some 20 ms: on a shared machine a shorter look catches one of its moods, not the mood of the whole
  // iteration.
  constexpr int kRepeats = 400;
  std::string scalar(32, '\x0b');
  std::string point = Element::Generator().Encode();
  const double start = CpuMicroseconds();
  for (int i = 0; i < kRepeats; ++i) {
    std::string next(32, '\0');
    RAAKVLAK_CHECK(crypto_scalarmult_ristretto255(base::AsMutableBytes(next), base::AsBytes(scalar),
                                                  base::AsBytes(point)) == 0,
                   "a multiple of a point is a point");
    point.swap(next);
  }
  return (CpuMicroseconds() - start) / kRepeats;
}

// Runs `work`, which does `tokens` tokens, until the benchmark has enough, and reports the counters.
template <typename Function>
void Run(benchmark::State& state, double tokens, double target, Function work) {
  std::vector<double> units, per_token, ratios;
  for (auto _ : state) {
    state.PauseTiming();
    const double before = MeasureUnit();
    state.ResumeTiming();
    const double start = CpuMicroseconds();
    work();
    const double spent = (CpuMicroseconds() - start) / tokens;
    state.PauseTiming();
    units.push_back((before + MeasureUnit()) / 2);
    per_token.push_back(spent);
    ratios.push_back(spent / units.back());
    state.ResumeTiming();
  }
  state.counters["unit_us"] = Median(units);
  state.counters["per_token_us"] = Median(per_token);
  state.counters["units"] = Median(ratios);
  if (target > 0) state.counters["target"] = target;
}

// A region of three holders and a client with a batch under way.
struct Region {
  explicit Region(size_t batch) {
    const Scalar key = Scalar::Random(random);
    const testing::Sharing sharing = testing::Split(key, kQuorum, indices, random).value();
    shares = sharing.shares;
    for (const uint32_t index : indices) {
      public_shares.push_back(threshold::PublicShare(sharing.commitments, index).value());
    }
    for (size_t i = 0; i < batch; ++i) {
      // About as long as a real input: context, count and fields.
      inputs.push_back("raakvlak/v1/input maastricht onaantastbaren surname-initial-birthdate " +
                       std::to_string(i));
    }
    Blinding blinding = BlindAll();
    blinds = std::move(blinding.blinds);
    request = std::move(blinding.request);
    for (size_t i = 0; i < kQuorum; ++i) {
      answers.push_back(oprf::BlindEvaluate(shares[i], public_shares[i], *request, random).value());
    }
  }

  struct Blinding {
    std::vector<Scalar> blinds;
    ElementList request;
  };
  Blinding BlindAll() {
    std::vector<Scalar> new_blinds;
    std::vector<PublicPoint> points;
    for (const std::string& input : inputs) {
      const oprf::Blinded one = oprf::Blind(input, random).value();
      new_blinds.push_back(one.blind);
      points.push_back(one.blinded);
    }
    return {std::move(new_blinds), ElementList::FromPoints(std::move(points)).value()};
  }

  base::SystemRandom random;
  // Indices with a common denominator other than 1.
  const std::vector<uint32_t> indices = {1, 2, 4};
  const std::string extended_context = disclosure::EncodeExtendedContext(
      {"maastricht", "onaantastbaren", 2, 1, "surname-initial-birthdate", 1}, kDisclosureThreshold,
      Element::Generator());
  std::vector<Scalar> shares;
  std::vector<Element> public_shares;
  std::vector<std::string> inputs;
  std::vector<Scalar> blinds;
  std::optional<ElementList> request;
  std::vector<oprf::Evaluation> answers;
};

std::vector<ElementList> VerifyAll(const Region& region) {
  std::vector<ElementList> out;
  for (size_t i = 0; i < kQuorum; ++i) {
    out.push_back(ElementList::DecodeAll(region.answers[i].evaluated).value());
    RAAKVLAK_CHECK(
        oprf::VerifyProof(region.public_shares[i], *region.request, out.back(), region.answers[i].proof).ok(),
        "an honest answer verifies");
  }
  return out;
}

std::vector<Element> CombineAll(const Region& region, const std::vector<ElementList>& lists) {
  std::vector<threshold::Partial> partials;
  for (size_t i = 0; i < kQuorum; ++i) partials.push_back({region.indices[i], &lists[i]});
  return threshold::Combine(kQuorum, partials, region.blinds).value();
}

// One key holder: decodes the request, evaluates it and proves it.
void HolderWithProof(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  const std::string packed(region.request->packed());
  Run(state, static_cast<double>(state.range(0)), 1.5, [&] {
    const ElementList request = ElementList::DecodeAll(packed).value();
    benchmark::DoNotOptimize(
        oprf::BlindEvaluate(region.shares[0], region.public_shares[0], request, region.random).value());
  });
}
BENCHMARK(HolderWithProof)->Arg(1024)->Arg(2048)->MinTime(4);

// What follows on the OPRF output for a token with k = 2: tag, coefficients, commitments, the partner's
// share.
void Disclose(const base::SecretBytes& output, absl::string_view extended_context) {
  const disclosure::TokenSecrets secrets =
      disclosure::Derive(output, extended_context, kDisclosureThreshold).value();
  benchmark::DoNotOptimize(disclosure::Commit(secrets.coefficients));
  benchmark::DoNotOptimize(disclosure::EvaluateShare(secrets.coefficients, 3).value());
}

// The client's whole work: hash and blind, verify three holders, combine, unblind, finalise, disclosure.
void ClientWithThreeProofs(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  Run(state, static_cast<double>(state.range(0)), 4.5, [&] {
    // Blinding again would not fit the answers at hand; its result is thrown away, its cost is not.
    benchmark::DoNotOptimize(region.BlindAll());
    const std::vector<Element> unblinded = CombineAll(region, VerifyAll(region));
    for (size_t i = 0; i < unblinded.size(); ++i) {
      Disclose(oprf::Finalize(region.inputs[i], unblinded[i]), region.extended_context);
    }
  });
}
BENCHMARK(ClientWithThreeProofs)->Arg(1024)->Arg(2048)->MinTime(8);

void ClientBlind(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  Run(state, static_cast<double>(state.range(0)), 0, [&] { benchmark::DoNotOptimize(region.BlindAll()); });
}
BENCHMARK(ClientBlind)->Arg(2048);

void ClientVerify(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  Run(state, static_cast<double>(state.range(0)), 0, [&] { benchmark::DoNotOptimize(VerifyAll(region)); });
}
BENCHMARK(ClientVerify)->Arg(2048);

void ClientCombine(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  const std::vector<ElementList> lists = VerifyAll(region);
  Run(state, static_cast<double>(state.range(0)), 0,
      [&] { benchmark::DoNotOptimize(CombineAll(region, lists)); });
}
BENCHMARK(ClientCombine)->Arg(2048);

void ClientFinalizeAndDisclose(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  const Element element = Element::Generator();
  Run(state, static_cast<double>(state.range(0)), 0, [&] {
    for (const std::string& input : region.inputs) {
      Disclose(oprf::Finalize(input, element), region.extended_context);
    }
  });
}
BENCHMARK(ClientFinalizeAndDisclose)->Arg(2048);

void Decode(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  const std::string packed(region.request->packed());
  Run(state, static_cast<double>(state.range(0)), 0,
      [&] { benchmark::DoNotOptimize(ElementList::DecodeAll(packed).value()); });
}
BENCHMARK(Decode)->Arg(2048);

void MultiScalarMul(benchmark::State& state) {
  base::SystemRandom random;
  std::vector<Scalar> scalars;
  std::vector<PublicPoint> points;
  for (int64_t i = 0; i < state.range(0); ++i) {
    scalars.push_back(Scalar::Random(random));
    points.push_back(PublicPoint::FromElement(Element::MulBase(Scalar::Random(random))));
  }
  // Small sums are repeated, so that the clock's grain does not show.
  const int64_t repeats = std::max<int64_t>(1, 256 / state.range(0));
  Run(state, static_cast<double>(repeats * state.range(0)), 0, [&] {
    for (int64_t i = 0; i < repeats; ++i) benchmark::DoNotOptimize(group::MultiScalarMul(scalars, points));
  });
}
BENCHMARK(MultiScalarMul)->Arg(1)->Arg(2)->Arg(3)->Arg(4)->Arg(5)->Arg(8)->Arg(64)->Arg(1024)->Arg(2048);

}  // namespace
}  // namespace raakvlak::crypto

// What a token costs, in units of one crypto_scalarmult_ristretto255 measured in the same run.
//
//   build/release/tests/bench/token_bench
//   build/release/tests/bench/token_bench --benchmark_filter='Holder|Client' --benchmark_min_time=0.1
//
// Counters:
//   unit_us        microseconds of one crypto_scalarmult_ristretto255: the median of short measurements
//   before and after the benchmark per_token_us   microseconds of CPU for one token (or element), on one core
//   units          per_token_us / unit_us: the figure that has a target
//   target         the most that `units` may be (holder 1.5, client 4.5, for batches of 1024 and more)
// The other benchmarks split the client's cost up; they have no target.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "crypto/group/public_point.h"
#include "crypto/oprf/oprf.h"
#include "crypto/oprf/proof.h"
#include "crypto/threshold/combine.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;
using oprf::ElementList;

constexpr uint32_t kQuorum = 3;
constexpr size_t kMeasurements = 15;

// Microseconds of CPU of one libsodium multiplication, measured `kMeasurements` times over a few milliseconds
// each.
std::vector<double> MeasureUnit() {
  constexpr int kRepeats = 60;
  base::SystemRandom random;
  const Scalar scalar = Scalar::Random(random);
  std::string point = Element::MulBase(Scalar::Random(random)).Encode();
  std::vector<double> out;
  for (size_t i = 0; i < kMeasurements; ++i) {
    const std::clock_t start = std::clock();
    for (int j = 0; j < kRepeats; ++j) {
      std::string next(32, '\0');
      RAAKVLAK_CHECK(crypto_scalarmult_ristretto255(base::AsMutableBytes(next), scalar.data(),
                                                    base::AsBytes(point)) == 0,
                     "a multiple of a point is a point");
      point.swap(next);
    }
    out.push_back(1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / kRepeats);
  }
  return out;
}

// Runs `batch` until the benchmark has enough, with the unit measured on both sides, and reports the
// counters.
template <typename Function>
void Run(benchmark::State& state, double target, Function batch) {
  std::vector<double> units = MeasureUnit();
  std::clock_t spent = 0;
  for (auto _ : state) {
    const std::clock_t start = std::clock();
    batch();
    spent += std::clock() - start;
  }
  const std::vector<double> after = MeasureUnit();
  units.insert(units.end(), after.begin(), after.end());
  std::nth_element(units.begin(), units.begin() + kMeasurements, units.end());
  const double unit = units[kMeasurements];
  const double tokens = static_cast<double>(state.iterations()) * static_cast<double>(state.range(0));
  const double per_token = 1e6 * static_cast<double>(spent) / CLOCKS_PER_SEC / tokens;
  state.counters["unit_us"] = unit;
  state.counters["per_token_us"] = per_token;
  state.counters["units"] = per_token / unit;
  if (target > 0) state.counters["target"] = target;
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// A region of three holders and a client with a batch under way.
struct Region {
  explicit Region(size_t batch) {
    const Scalar key = Scalar::Random(random);
    threshold::Sharing sharing = threshold::Split(key, kQuorum, {1, 2, 4, 5}, random).value();
    shares = sharing.shares;
    for (const uint32_t index : indices) {
      public_shares.push_back(threshold::PublicShare(sharing.commitments, index).value());
    }
    for (size_t i = 0; i < batch; ++i) {
      // About as long as a real input: context, count and fields.
      inputs.push_back("raakvlak/v1/input maastricht onaantastbaren surname-initial-birthdate " +
                       std::to_string(i));
    }
    blinded = BlindAll();
    const ElementList request = ElementList::DecodeAll(packed).value();
    for (size_t i = 0; i < kQuorum; ++i) {
      answers.push_back(oprf::BlindEvaluate(shares[i], public_shares[i], request, random).value());
    }
  }

  std::vector<Scalar> BlindAll() {
    std::vector<Scalar> blinds;
    packed.clear();
    for (const std::string& input : inputs) {
      const oprf::Blinded one = oprf::Blind(input, random).value();
      blinds.push_back(one.blind);
      packed.append(one.blinded.bytes().data(), group::kElementSize);
    }
    return blinds;
  }

  base::SystemRandom random;
  // Indices with a common denominator other than 1.
  const std::vector<uint32_t> indices = {1, 2, 4};
  std::vector<Scalar> shares;
  std::vector<Element> public_shares;
  std::vector<std::string> inputs;
  std::vector<Scalar> blinded;
  std::string packed;
  std::vector<oprf::Evaluation> answers;
};

std::vector<ElementList> VerifyAll(const Region& region) {
  const ElementList request = ElementList::DecodeAll(region.packed).value();
  std::vector<ElementList> out;
  for (size_t i = 0; i < kQuorum; ++i) {
    out.push_back(ElementList::DecodeAll(region.answers[i].evaluated).value());
    RAAKVLAK_CHECK(
        oprf::VerifyProof(region.public_shares[i], request, out.back(), region.answers[i].proof).ok(),
        "an honest answer verifies");
  }
  return out;
}

std::vector<Element> CombineAll(const Region& region, const std::vector<ElementList>& lists) {
  std::vector<threshold::Partial> partials;
  for (size_t i = 0; i < kQuorum; ++i) partials.push_back({region.indices[i], &lists[i]});
  return threshold::Combine(kQuorum, partials, region.blinded).value();
}

// One key holder: decodes the request, evaluates it and proves it.
void HolderWithProof(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  Run(state, 1.5, [&] {
    const ElementList request = ElementList::DecodeAll(region.packed).value();
    benchmark::DoNotOptimize(
        oprf::BlindEvaluate(region.shares[0], region.public_shares[0], request, region.random).value());
  });
}
BENCHMARK(HolderWithProof)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);

// The client's whole work: hash and blind, verify three holders, combine, unblind, finalise.
void ClientWithThreeProofs(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  Run(state, 4.5, [&] {
    // Blinding again would not fit the answers at hand; its result is thrown away, its cost is not.
    const std::string packed = region.packed;
    const std::vector<Scalar> blinds = region.blinded;
    benchmark::DoNotOptimize(region.BlindAll());
    region.packed = packed;
    region.blinded = blinds;
    const std::vector<Element> unblinded = CombineAll(region, VerifyAll(region));
    for (size_t i = 0; i < unblinded.size(); ++i) {
      benchmark::DoNotOptimize(oprf::Finalize(region.inputs[i], unblinded[i]));
    }
  });
}
BENCHMARK(ClientWithThreeProofs)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);

void ClientBlind(benchmark::State& state) {
  Region region(static_cast<size_t>(state.range(0)));
  Run(state, 0, [&] { benchmark::DoNotOptimize(region.BlindAll()); });
}
BENCHMARK(ClientBlind)->Arg(2048)->Unit(benchmark::kMillisecond);

void ClientVerify(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  Run(state, 0, [&] { benchmark::DoNotOptimize(VerifyAll(region)); });
}
BENCHMARK(ClientVerify)->Arg(2048)->Unit(benchmark::kMillisecond);

void ClientCombine(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  const std::vector<ElementList> lists = VerifyAll(region);
  Run(state, 0, [&] { benchmark::DoNotOptimize(CombineAll(region, lists)); });
}
BENCHMARK(ClientCombine)->Arg(2048)->Unit(benchmark::kMillisecond);

void Decode(benchmark::State& state) {
  const Region region(static_cast<size_t>(state.range(0)));
  Run(state, 0, [&] { benchmark::DoNotOptimize(ElementList::DecodeAll(region.packed).value()); });
}
BENCHMARK(Decode)->Arg(2048)->Unit(benchmark::kMillisecond);

void MultiScalarMul(benchmark::State& state) {
  base::SystemRandom random;
  std::vector<Scalar> scalars;
  std::vector<PublicPoint> points;
  for (int64_t i = 0; i < state.range(0); ++i) {
    scalars.push_back(Scalar::Random(random));
    points.push_back(PublicPoint::FromElement(Element::MulBase(Scalar::Random(random))));
  }
  Run(state, 0, [&] { benchmark::DoNotOptimize(group::MultiScalarMul(scalars, points)); });
}
BENCHMARK(MultiScalarMul)
    ->Arg(1)
    ->Arg(2)
    ->Arg(3)
    ->Arg(4)
    ->Arg(5)
    ->Arg(6)
    ->Arg(8)
    ->Arg(16)
    ->Arg(64)
    ->Arg(256)
    ->Arg(1024)
    ->Arg(2048)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace raakvlak::crypto

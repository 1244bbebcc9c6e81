#include "rpc/trace.h"

#include "base/bytes.h"
#include "base/testing/fakes.h"
#include "gtest/gtest.h"

namespace raakvlak::rpc {
namespace {

using base::testing::ScriptedRandom;

// The example of the standard.
constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceTest, IdOfAWellFormedHeaderIsTaken) {
  ScriptedRandom none({});
  EXPECT_EQ(TraceIdOf(kExample, none), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(TraceTest, AnythingElseGetsAFreshId) {
  const std::string example = kExample;
  const std::string cases[] = {
      "",
      "x",
      example + "-00",
      example.substr(0, 54),
      "01" + example.substr(2),
      "ff" + example.substr(2),
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
  };
  for (const std::string& traceparent : cases) {
    const std::string bytes(16, '\x5a');
    ScriptedRandom random({bytes});
    EXPECT_EQ(TraceIdOf(traceparent, random), base::Hex(bytes)) << traceparent;
  }
}

TEST(TraceTest, HeaderOfAnIdGivesItBack) {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  ScriptedRandom random({std::string(8, '\0')});
  ScriptedRandom none({});
  EXPECT_EQ(TraceIdOf(TraceParent(id, random), none), id);
  for (const std::string& other : {std::string(), id.substr(1), std::string(32, '0'), id + "0"}) {
    EXPECT_EQ(TraceParent(other, none), "") << other;
  }
}

}  // namespace
}  // namespace raakvlak::rpc

#include "crypto/disclosure/context.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/disclosure/example.h"

namespace raakvlak::crypto::disclosure {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
namespace reason = base::reason;

const group::Element kPublicKey = example::ExamplePublicKey();

std::string Input(const Context& context, const std::vector<std::string>& fields) {
  absl::StatusOr<base::SecretBytes> input = EncodeInput(context, fields);
  EXPECT_THAT(input, IsOk());
  return std::string(input->Reveal(base::RevealSecret{}));
}

// Contexts that each differ from the example in one thing.
std::vector<Context> Neighbours() {
  std::vector<Context> out(9, example::ExampleContext());
  out[0].region = "almere";
  out[1].purpose = "risicojeugd";
  out[2].identifier_class = 2;
  out[3].epoch = 2;
  out[4].epoch = 0x01000001;
  out[5].rule = "bsm";
  out[6].rule_version = 2;
  out[7].rule_version = 0x0101;
  out[8].region = "";
  return out;
}

TEST(ContextTest, BytesAreThoseOfTheWorkedExample) {
  EXPECT_EQ(base::Hex(EncodeContext(example::ExampleContext())), example::kContext);
  EXPECT_EQ(base::Hex(EncodeExtendedContext(example::ExampleContext(), 2, kPublicKey)),
            example::kExtendedContext);
  EXPECT_EQ(base::Hex(Input(example::ExampleContext(), {"999990019"})), example::kInput);
}

TEST(ContextTest, FormatPageShowsTheWorkedExample) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string page,
                                base::ReadFile(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/docs/format/token.md")));
  for (const char* figure :
       {example::kContext, example::kInput, example::kExtendedContext, example::kTag, example::kSecret,
        example::kCoefficient1, example::kWrapKey, example::kShare3, example::kCommitments}) {
    EXPECT_THAT(page, HasSubstr(figure));
  }
}

TEST(ContextTest, EveryComponentChangesContextAndInput) {
  std::set<std::string> contexts = {EncodeContext(example::ExampleContext())};
  std::set<std::string> inputs = {Input(example::ExampleContext(), {"f"})};
  for (const Context& context : Neighbours()) {
    contexts.insert(EncodeContext(context));
    inputs.insert(Input(context, {"f"}));
  }
  EXPECT_EQ(contexts.size(), Neighbours().size() + 1);
  EXPECT_EQ(inputs.size(), Neighbours().size() + 1);
}

TEST(ContextTest, ThresholdAndPublicKeyChangeTheExtendedContext) {
  std::set<std::string> contexts;
  const group::Element other = group::Element::MulBase(group::Scalar::FromUint64(2));
  for (uint32_t k = 2; k <= 32; ++k) {
    contexts.insert(EncodeExtendedContext(example::ExampleContext(), k, kPublicKey));
    contexts.insert(EncodeExtendedContext(example::ExampleContext(), k, other));
  }
  EXPECT_EQ(contexts.size(), 62u);
}

TEST(ContextTest, ThresholdOutsideItsRangeAborts) {
  for (const uint32_t k : {0, 1, 33, 258}) {
    EXPECT_DEATH(EncodeExtendedContext(example::ExampleContext(), k, kPublicKey), "threshold");
  }
}

TEST(ContextTest, NeighbouringStringsDoNotRunTogether) {
  Context ab = example::ExampleContext();
  ab.region = "ab";
  ab.purpose = "c";
  Context bc = ab;
  bc.region = "a";
  bc.purpose = "bc";
  EXPECT_NE(EncodeContext(ab), EncodeContext(bc));
  // Purpose "ab" with rule "c" against "a" with "bc", and a purpose that holds what follows it.
  Context first = example::ExampleContext();
  first.purpose = "ab";
  first.rule = "c";
  Context second = first;
  second.purpose = "a";
  second.rule = "bc";
  EXPECT_NE(EncodeContext(first), EncodeContext(second));
  Context swallowing = first;
  swallowing.purpose = absl::StrCat("ab", absl::string_view("\x01\0\0\0\x01\0\x01"
                                                            "c",
                                                            8));
  swallowing.rule = "";
  EXPECT_NE(EncodeContext(first), EncodeContext(swallowing));
}

TEST(ContextTest, FieldsDoNotRunTogether) {
  const Context context = example::ExampleContext();
  std::set<std::string> inputs;
  for (const std::vector<std::string>& fields : std::vector<std::vector<std::string>>{{"abc"},
                                                                                      {"ab", "c"},
                                                                                      {"a", "bc"},
                                                                                      {"a", "b", "c"},
                                                                                      {"c", "ab"},
                                                                                      {std::string("ab\0\x01"
                                                                                                   "c",
                                                                                                   5)}}) {
    inputs.insert(Input(context, fields));
  }
  EXPECT_EQ(inputs.size(), 6u);
}

TEST(ContextTest, FieldThatIsMissingEmptyOrTooLongIsRefused) {
  const Context context = example::ExampleContext();
  EXPECT_THAT(EncodeInput(context, {}), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EncodeInput(context, {""}), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EncodeInput(context, {"a", "", "b"}), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EncodeInput(context, {std::string(kMaxFieldSize, 'x')}), IsOk());
  EXPECT_THAT(EncodeInput(context, {std::string(kMaxFieldSize + 1, 'x')}),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(EncodeInput(context, std::vector<std::string>(255, "x")), IsOk());
  EXPECT_THAT(EncodeInput(context, std::vector<std::string>(256, "x")), HasReason(reason::kInvalidArgument));
}

}  // namespace
}  // namespace raakvlak::crypto::disclosure

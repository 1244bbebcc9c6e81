#include "policy/order.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/signed_message.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

constexpr char kStaff[] = "urn:raakvlak:maastricht:staff:anna";

class OrderTest : public ::testing::Test {
 protected:
  OrderTest() : snapshot_(*region_.authority().Current()) {}

  v1::OrderBody Body(v1::OrderAction action = v1::OPEN_MATCH) {
    v1::OrderBody body;
    body.set_version(1);
    body.set_order_id(std::string(16, 'o'));
    body.set_covenant_id(snapshot_.covenant->id());
    body.set_staff(kStaff);
    body.set_action(action);
    body.set_purpose("risicojeugd");
    body.set_legal_basis(snapshot_.covenant->FindPurpose("risicojeugd")->legal_basis());
    body.set_time_ms(absl::ToUnixMillis(region_.clock().Now()));
    if (action != v1::OPEN_MATCH) return body;
    body.set_case_reference("ZVH-2027-1");
    body.set_reason("casusoverleg");
    body.set_match_id(std::string(16, 'm'));
    body.set_contents_digest(std::string(32, 'd'));
    return body;
  }
  v1::Order Signed(const std::string& body, const std::string& signer = kStaff,
                   const char* kind = crypto::note::kOrderKind) {
    v1::Order order;
    order.set_body(body);
    order.set_signature(crypto::note::SignMessage(region_.KeyOf(signer), kind, body));
    return order;
  }
  absl::StatusOr<VerifiedOrder> Verify(const v1::Order& order, v1::OrderAction action = v1::OPEN_MATCH) {
    return VerifyOrder(order, snapshot_, region_.clock().Now(), action);
  }
  absl::StatusOr<VerifiedOrder> Verify(const v1::OrderBody& body, v1::OrderAction action = v1::OPEN_MATCH) {
    return Verify(Signed(body.SerializeAsString()), action);
  }

  TestRegion region_;
  Snapshot snapshot_;
};

TEST_F(OrderTest, GoodOrderVerifiesAndItsHashIsThatOfTheSignedBytes) {
  const v1::Order order = Signed(Body().SerializeAsString());
  const auto verified = Verify(order);
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->body.reason(), "casusoverleg");
  EXPECT_EQ(verified->hash, base::Sha256(order.body()));
  EXPECT_THAT(Verify(Body(v1::LIST_MATCHES), v1::LIST_MATCHES), IsOk());
}

TEST_F(OrderTest, EachFieldMissingOrWrongIsRefused) {
  struct Case {
    const char* name;
    const char* reason;
    std::function<void(v1::OrderBody&)> spoil;
  };
  const std::vector<Case> cases = {
      {"version missing", reason::kOrderInvalid, [](auto& b) { b.clear_version(); }},
      {"version unknown", reason::kOrderInvalid, [](auto& b) { b.set_version(2); }},
      {"order id missing", reason::kOrderInvalid, [](auto& b) { b.clear_order_id(); }},
      {"order id long", reason::kOrderInvalid, [](auto& b) { b.set_order_id(std::string(17, 'o')); }},
      {"covenant id missing", reason::kCovenantMismatch, [](auto& b) { b.clear_covenant_id(); }},
      {"covenant id of another", reason::kCovenantMismatch,
       [](auto& b) { b.set_covenant_id(std::string(32, 'c')); }},
      {"staff missing", reason::kSignatureInvalid, [](auto& b) { b.clear_staff(); }},
      {"staff is another member", reason::kSignatureInvalid,
       [](auto& b) { b.set_staff("urn:raakvlak:maastricht:officer:olga"); }},
      {"action missing", reason::kOrderInvalid, [](auto& b) { b.clear_action(); }},
      {"action of another call", reason::kOrderInvalid, [](auto& b) { b.set_action(v1::LIST_MATCHES); }},
      {"action unknown", reason::kOrderInvalid,
       [](auto& b) { b.set_action(static_cast<v1::OrderAction>(9)); }},
      {"purpose missing", reason::kPurposeUnknown, [](auto& b) { b.clear_purpose(); }},
      {"purpose unknown", reason::kPurposeUnknown, [](auto& b) { b.set_purpose("anders"); }},
      {"legal basis missing", reason::kOrderInvalid, [](auto& b) { b.clear_legal_basis(); }},
      {"legal basis of another", reason::kOrderInvalid, [](auto& b) { b.set_legal_basis("WGS 1"); }},
      {"case reference missing", reason::kOrderInvalid, [](auto& b) { b.clear_case_reference(); }},
      {"case reference blank", reason::kOrderInvalid, [](auto& b) { b.set_case_reference("  "); }},
      {"case reference long", reason::kOrderInvalid,
       [](auto& b) { b.set_case_reference(std::string(65, 'c')); }},
      {"case reference with newline", reason::kOrderInvalid, [](auto& b) { b.set_case_reference("a\nb"); }},
      {"reason missing", reason::kOrderInvalid, [](auto& b) { b.clear_reason(); }},
      {"reason blank", reason::kOrderInvalid, [](auto& b) { b.set_reason(" "); }},
      {"reason long", reason::kOrderInvalid, [](auto& b) { b.set_reason(std::string(501, 'r')); }},
      {"match id missing", reason::kOrderInvalid, [](auto& b) { b.clear_match_id(); }},
      {"match id short", reason::kOrderInvalid, [](auto& b) { b.set_match_id(std::string(15, 'm')); }},
      {"digest missing", reason::kOrderInvalid, [](auto& b) { b.clear_contents_digest(); }},
      {"digest long", reason::kOrderInvalid, [](auto& b) { b.set_contents_digest(std::string(33, 'd')); }},
      {"time missing", reason::kClockSkew, [](auto& b) { b.clear_time_ms(); }},
      {"time negative", reason::kClockSkew, [](auto& b) { b.set_time_ms(INT64_MIN); }},
      {"time far away", reason::kClockSkew, [](auto& b) { b.set_time_ms(INT64_MAX); }},
  };
  for (const Case& test_case : cases) {
    v1::OrderBody body = Body();
    test_case.spoil(body);
    EXPECT_THAT(Verify(body), HasReason(test_case.reason)) << test_case.name;
  }
}

TEST_F(OrderTest, LongestTextsAreTaken) {
  v1::OrderBody body = Body();
  body.set_case_reference(std::string(64, 'c'));
  body.set_reason(std::string(500, 'r'));
  EXPECT_THAT(Verify(body), IsOk());
}

TEST_F(OrderTest, OrderToListNamesNoMatch) {
  v1::OrderBody body = Body(v1::LIST_MATCHES);
  body.set_match_id(std::string(16, 'm'));
  EXPECT_THAT(Verify(body, v1::LIST_MATCHES), HasReason(reason::kOrderInvalid));
}

TEST_F(OrderTest, WindowIs120SecondsEitherWay) {
  const int64_t now = absl::ToUnixMillis(region_.clock().Now());
  for (const int64_t skew : {-120'000, 120'000}) {
    v1::OrderBody body = Body();
    body.set_time_ms(now + skew);
    EXPECT_THAT(Verify(body), IsOk()) << skew;
    body.set_time_ms(now + skew + (skew > 0 ? 1 : -1));
    EXPECT_THAT(Verify(body), HasReason(reason::kClockSkew)) << skew;
  }
}

TEST_F(OrderTest, WrongSignerUnknownMemberAndForgeryLookTheSame) {
  const std::string body = Body().SerializeAsString();
  const auto wrong = Verify(Signed(body, "urn:raakvlak:maastricht:officer:olga"));
  const auto unknown = Verify(Signed(body, "urn:raakvlak:maastricht:staff:nobody"));
  v1::Order forged = Signed(body);
  forged.mutable_signature()->back() ^= 1;
  for (const auto& result : {wrong, unknown, Verify(forged)}) {
    EXPECT_THAT(result, HasReason(reason::kSignatureInvalid));
    EXPECT_EQ(result.status(), wrong.status());
  }
  EXPECT_THAT(Verify(v1::Order()), HasReason(reason::kSignatureInvalid));
}

TEST_F(OrderTest, ChangedBodyIsRefused) {
  v1::Order order = Signed(Body().SerializeAsString());
  for (size_t i = 0; i < order.body().size(); ++i) {
    v1::Order changed = order;
    (*changed.mutable_body())[i] ^= 1;
    EXPECT_THAT(Verify(changed), HasReason(reason::kSignatureInvalid)) << i;
  }
}

TEST_F(OrderTest, SignatureOfAnotherKindIsRefused) {
  for (const char* kind :
       {crypto::note::kEnvelopeKind, crypto::note::kWithdrawalKind, crypto::note::kEvaluateKind}) {
    EXPECT_THAT(Verify(Signed(Body().SerializeAsString(), kStaff, kind)),
                HasReason(reason::kSignatureInvalid))
        << kind;
  }
}

TEST_F(OrderTest, UnknownFieldIsRefused) {
  // Field 100, varint 1.
  EXPECT_THAT(Verify(Signed(Body().SerializeAsString() + "\xA0\x06\x01")), HasReason(reason::kUnknownField));
}

TEST_F(OrderTest, SignedNonsenseIsMalformed) {
  EXPECT_THAT(Verify(Signed("\xFF\xFF\xFF")), HasReason(reason::kMalformed));
  EXPECT_THAT(Verify(Signed(std::string(5000, 'x'))), HasReason(reason::kMalformed));
}

TEST_F(OrderTest, MemberWhoIsNotStaffIsNotAllowed) {
  v1::OrderBody body = Body();
  body.set_staff("urn:raakvlak:maastricht:officer:olga");
  EXPECT_THAT(Verify(Signed(body.SerializeAsString(), body.staff())), HasReason(reason::kNotAllowed));
}

TEST_F(OrderTest, StaffOfAnotherPurposeIsNotAllowed) {
  v1::Member& anna = *region_.roster().mutable_members(0);
  anna.clear_purposes();
  anna.add_purposes("onaantastbaren");
  region_.roster().set_number(2);
  region_.Write();
  snapshot_ = *region_.authority().Current();
  EXPECT_THAT(Verify(Body()), HasReason(reason::kNotAllowed));
}

TEST_F(OrderTest, MemberWhoLeftTheRosterIsRefused) {
  region_.roster().mutable_members()->DeleteSubrange(0, 1);
  region_.roster().set_number(2);
  region_.Write();
  snapshot_ = *region_.authority().Current();
  EXPECT_THAT(Verify(Body()), HasReason(reason::kSignatureInvalid));
}

TEST(ContentsDigest, IsThatOfTheSortedHashes) {
  const std::string a(32, 'a'), b(32, 'b'), c(32, '\xFF');
  EXPECT_EQ(ContentsDigest({c, a, b}), base::Sha256(a + b + c));
  EXPECT_EQ(ContentsDigest({a, b, c}), ContentsDigest({b, c, a}));
  EXPECT_NE(ContentsDigest({a, b}), ContentsDigest({a, b, b}));
  EXPECT_EQ(ContentsDigest({}), base::Sha256(""));
}

}  // namespace
}  // namespace raakvlak::policy

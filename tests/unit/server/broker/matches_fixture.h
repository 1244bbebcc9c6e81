// The fixture of the tests of Matches: a region, the real exchange and matcher, and orders of its staff.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/testing/status_matchers.h"
#include "policy/envelope.h"
#include "server/broker/exchange.h"
#include "server/broker/matcher.h"
#include "server/broker/matches.h"
#include "server/log/testing/fakes.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker::testing {

class MatchesTest : public ::testing::Test {
 protected:
  explicit MatchesTest(const std::function<void(v1::Covenant&)>& change = nullptr) : region_(change) {}

  // Submits a signal of `partner` on `subject`; returns its signal id.
  std::string Signal(const std::string& partner, const std::string& purpose, const std::string& subject,
                     v1::SignalKind kind = v1::SIGNAL) {
    const v1::Envelope envelope =
        region_.MakeEnvelope(partner, purpose, [&](v1::SignalHeader& header, v1::EnvelopeBody& body) {
          header.set_kind(kind);
          if (large_)
            body.set_payload(std::string(policy::kPayloadOverhead + 62 * policy::kPaddingBlock, 'p'));
          for (int i = 0; i < body.tokens_size(); ++i) {
            v1::Token& token = *body.mutable_tokens(i);
            const std::string& rule = header.rules(i).rule();
            const auto other = other_subject_.find(rule);
            const std::string& about = other == other_subject_.end() ? subject : other->second;
            const std::string digest = base::Sha256(absl::StrCat(about, "/", rule));
            token.set_tag(digest.substr(0, 16));
            if (token.commitments().empty()) continue;
            std::string commitments = rule == wrong_commitments_ ? base::Sha256("wrong") : digest;
            while (commitments.size() < token.commitments().size()) commitments += base::Sha256(commitments);
            token.set_commitments(commitments);
          }
        });
    v1::SubmitRequest request;
    *request.add_envelopes() = envelope;
    const auto response = exchange_.Submit(region_.Node(partner), request);
    EXPECT_TRUE(response.ok() && response->receipts(0).accepted());
    return BrokerRegion::HeaderOf(envelope).signal_id();
  }
  void Withdraw(const std::string& partner, const std::string& signal_id) {
    v1::WithdrawSignalsRequest request;
    *request.add_withdrawals() = region_.MakeWithdrawal(partner, signal_id);
    EXPECT_THAT(exchange_.Withdraw(region_.Node(partner), request), base::testing::IsOk());
  }
  void RunMatcher() { EXPECT_THAT(matcher_.Run(TermsOf(region_.Snapshot())), base::testing::IsOk()); }

  absl::StatusOr<v1::ListMatchesResponse> List(const v1::Order& order, uint32_t page_size = 0,
                                               const std::string& token = "", bool include_closed = false) {
    v1::ListMatchesRequest request;
    *request.mutable_order() = order;
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_include_closed(include_closed);
    return matches_.List(region_.Hub(), request);
  }
  std::vector<v1::MatchSummary> ListAll(const std::string& purpose, bool include_closed = false) {
    const auto response = List(region_.MakeListOrder(purpose), 0, "", include_closed);
    EXPECT_THAT(response, base::testing::IsOk());
    if (!response.ok()) return {};
    return {response->matches().begin(), response->matches().end()};
  }
  v1::MatchSummary MatchOfTwo() {
    Signal("politie", kListPurpose, "a");
    Signal("gemeente", kListPurpose, "a");
    RunMatcher();
    return ListAll(kListPurpose).at(0);
  }
  absl::StatusOr<v1::OpenMatchResponse> Open(const v1::Order& order) {
    v1::OpenMatchRequest request;
    *request.mutable_order() = order;
    return matches_.Open(region_.Hub(), request);
  }
  v1::Order OrderFor(const v1::MatchSummary& match,
                     const std::function<void(v1::OrderBody&)>& change = nullptr,
                     const std::string& member = "staff:anna") {
    return region_.MakeOpenOrder(match.purpose(), match.match_id(), match.contents_digest(), change, member);
  }

  bool large_ = false;                                // signals of almost 32 KiB
  std::map<std::string, std::string> other_subject_;  // of these rules
  std::string wrong_commitments_;                     // of this rule
  BrokerRegion region_;
  FailingStore store_;
  Exchange exchange_{store_, region_.clock()};
  log::testing::FakeProver prover_;
  Matches matches_{store_, prover_, region_.clock()};
  base::testing::SeededRandom random_{11};
  Matcher matcher_{store_, region_.clock(), random_, "urn:raakvlak:maastricht:broker:centre"};
};

}  // namespace raakvlak::broker::testing

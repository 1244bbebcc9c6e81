// What the tests of the broker's store, matcher and expiry share: every kind of store by name, and short
// verbs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "server/storage/broker_store.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::storage {

struct BrokerStoreKind {
  std::string name;
  std::function<std::unique_ptr<BrokerStore>(const std::string& folder)> open;
};
inline void PrintTo(const BrokerStoreKind& kind, std::ostream* out) { *out << kind.name; }

// Memory and SQLite. Defined in broker_store_kinds.cc.
std::vector<BrokerStoreKind> BrokerStoreKinds();
inline std::string NameOfKind(const ::testing::TestParamInfo<BrokerStoreKind>& info) {
  return info.param.name;
}

// 16 bytes that stand for a word.
inline std::string Id(const std::string& word) { return base::Sha256(word).substr(0, 16); }

inline StoredToken MakeToken(const std::string& rule, const std::string& tag, v1::Quality quality,
                             v1::SubjectKind subject = v1::PERSON_SUBJECT,
                             const std::string& commitments = "C") {
  return {rule, subject, quality, Id("tag " + tag),
          quality == v1::SUPPORTING ? std::string() : base::Sha256("commitments " + commitments + tag)};
}

inline StoredSignal MakeSignal(const std::string& partner, const std::string& word,
                               std::vector<StoredToken> tokens) {
  StoredSignal signal;
  signal.partner = partner;
  signal.organisation = static_cast<uint32_t>(base::Sha256(partner)[0] & 0x7f) + 1;
  signal.signal_id = Id(word);
  signal.envelope_hash = base::Sha256("envelope " + word);
  signal.purpose = "onaantastbaren";
  signal.epoch = 1;
  signal.kind = v1::SIGNAL;
  signal.submitted_day = 20000;
  signal.expiry_day = 20100;
  signal.accepted_ms = 1'700'000'000'000;
  signal.body = "body of " + word;
  signal.signature = "signature of " + word;
  signal.tokens = std::move(tokens);
  return signal;
}

class BrokerStoreTest : public ::testing::TestWithParam<BrokerStoreKind> {
 protected:
  void SetUp() override { store_ = GetParam().open(folder_.path()); }

  absl::Status Write(absl::FunctionRef<absl::Status(BrokerTransaction&)> body) {
    return store_->Write("test", body);
  }

  // Evaluates `query` on a snapshot; the test fails when it does.
  template <typename Query>
  auto Get(Query query) {
    typename decltype(query(std::declval<BrokerReader&>()))::value_type value{};
    const absl::Status status = store_->Read("test", [&](BrokerReader& reader) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(value, query(reader));
      return absl::OkStatus();
    });
    EXPECT_THAT(status, base::testing::IsOk());
    return value;
  }
  // As Get, in a transaction that is kept.
  template <typename Query>
  auto Do(Query query) {
    typename decltype(query(std::declval<BrokerTransaction&>()))::value_type value{};
    const absl::Status status = Write([&](BrokerTransaction& transaction) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(value, query(transaction));
      return absl::OkStatus();
    });
    EXPECT_THAT(status, base::testing::IsOk());
    return value;
  }

  absl::Status Insert(const StoredSignal& signal) {
    return Write([&](BrokerTransaction& transaction) { return transaction.InsertSignal(signal); });
  }
  SignalStatus Withdraw(const std::string& partner, const std::string& word, int64_t time_ms = 5000) {
    return Do([&](BrokerTransaction& transaction) {
      return transaction.MarkWithdrawn({partner, Id(word), "RISK_OVER", time_ms, 20200});
    });
  }
  uint64_t Expire(uint32_t today, size_t limit = 100) {
    return Do([&](BrokerTransaction& transaction) { return transaction.ExpireSignals(today, 6000, limit); });
  }
  std::optional<SignalStatus> Find(const std::string& partner, const std::string& word) {
    return Get([&](BrokerReader& reader) { return reader.FindSignal(partner, Id(word)); });
  }
  uint64_t Count(const std::string& partner = "") {
    return Get([&](BrokerReader& reader) { return reader.CountSignals(partner); });
  }
  std::vector<uint64_t> Tagged(const std::string& rule, const std::string& tag, uint32_t epoch = 1) {
    std::vector<uint64_t> numbers;
    for (const TaggedSignal& signal : Get([&](BrokerReader& reader) {
           return reader.SignalsWithTag("onaantastbaren", rule, epoch, Id("tag " + tag));
         })) {
      numbers.push_back(signal.number);
    }
    return numbers;
  }
  std::vector<uint64_t> Dirty(size_t limit = 1000) {
    std::vector<uint64_t> numbers;
    for (const DirtySignal& dirty : Get([&](BrokerReader& reader) { return reader.DirtySignals(limit); })) {
      numbers.push_back(dirty.number);
    }
    return numbers;
  }
  std::vector<uint64_t> DirtyMatches() {
    return Get([](BrokerReader& reader) { return reader.DirtyMatches(1000); });
  }
  void ClearDirty() {
    ASSERT_THAT(Write([](BrokerTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(const auto signals, transaction.DirtySignals(1000));
                  RAAKVLAK_ASSIGN_OR_RETURN(const auto matches, transaction.DirtyMatches(1000));
                  return transaction.ClearDirty(signals, matches);
                }),
                base::testing::IsOk());
  }
  uint64_t PutMatch(const std::string& word, const std::vector<uint64_t>& members, uint64_t number = 0,
                    const std::string& purpose = "onaantastbaren") {
    MatchRecord match;
    match.number = number;
    match.id = Id(word);
    match.purpose = purpose;
    match.subject = v1::PERSON_SUBJECT;
    match.quality = v1::EXACT;
    match.rules = {"bsn", "surname-initial-birthdate"};
    match.changed_ms = 7000;
    for (const uint64_t member : members) match.members.emplace_back().number = member;
    return Do([&](BrokerTransaction& transaction) { return transaction.PutMatch(match); });
  }
  std::optional<MatchRecord> Match(const std::string& word) {
    return Get([&](BrokerReader& reader) { return reader.FindMatch(Id(word)); });
  }
  std::vector<MatchRecord> List(MatchQuery query) {
    return Get([&](BrokerReader& reader) { return reader.ListMatches(query); });
  }
  std::vector<AuditEntry> Audit() { return testing::Entries(store_->audit_log()); }

  base::testing::TemporaryFolder folder_;
  std::unique_ptr<BrokerStore> store_;
};

}  // namespace raakvlak::storage

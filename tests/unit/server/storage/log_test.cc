// What every store's log promises (server/storage/audit.h), by way of the broker's stores.
#include <thread>

#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "crypto/aead/aead.h"
#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kUrn[] = "urn:raakvlak:maastricht:broker:test";

int64_t At(const std::string& text) {
  absl::Time time;
  RAAKVLAK_CHECK(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr), "a time of the test");
  return absl::ToUnixMillis(time);
}

class LogTest : public BrokerStoreTest {
 protected:
  Logged Append(const AuditEntry& entry) {
    auto logged = store_->AppendAudit(entry);
    EXPECT_THAT(logged, IsOk());
    return logged.ok() ? *logged : Logged();
  }
  Logged Append(int64_t time_ms, const std::string& action = "list", const std::string& actor = "a") {
    AuditEntry entry;
    entry.time_ms = time_ms;
    entry.action = action;
    entry.actor = actor;
    return Append(entry);
  }
  AuditLog& log() { return store_->audit_log(); }
  std::vector<LogSize> Logs() { return *log().Logs(); }
  std::vector<uint64_t> Sizes() {
    std::vector<uint64_t> sizes;
    for (const LogSize& size : Logs()) sizes.push_back(size.size);
    return sizes;
  }
  // "2026/0 list" of each entry, "2026/0 -" of an erased one.
  std::vector<std::string> Lines(const AuditFilter& filter = {}) {
    std::vector<std::string> lines;
    for (const StoredEntry& stored : testing::StoredEntries(log(), filter)) {
      lines.push_back(
          absl::StrCat(stored.id.year, "/", stored.id.index, " ", stored.erased ? "-" : stored.entry.action));
    }
    return lines;
  }
  std::vector<uint64_t> Indices(const AuditFilter& filter, EntryId start, size_t limit) {
    std::vector<uint64_t> indices;
    auto page = log().ReadAudit(filter, start, limit);
    EXPECT_THAT(page, IsOk());
    for (const StoredEntry& stored : page->entries) indices.push_back(stored.id.index);
    return indices;
  }
  // Every leaf commits to the details beside it, and times never go back.
  void CheckAll() {
    int64_t time_ms = 0;
    for (const LogSize& size : Logs()) {
      const std::vector<std::string> leaves = *log().ReadLeaves(size.year, 0, size.size + 1);
      ASSERT_EQ(leaves.size(), size.size);
      for (uint64_t index = 0; index < size.size; ++index) {
        auto found = log().Find({size.year, index});
        ASSERT_THAT(found, IsOk());
        ASSERT_TRUE(found->has_value());
        EXPECT_EQ((*found)->leaf, leaves[index]);
        EXPECT_GE((*found)->time_ms, time_ms);
        time_ms = (*found)->time_ms;
        if ((*found)->erased) continue;
        EXPECT_EQ(LeafOf({(*found)->id, (*found)->time_ms, (*found)->salt, (*found)->details}),
                  leaves[index]);
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(All, LogTest, ::testing::ValuesIn(BrokerStoreKinds()), NameOfKind);

TEST_P(LogTest, EveryFieldIsReadBack) {
  AuditEntry entry;
  entry.time_ms = At("2026-11-22T10:00:00Z");
  entry.actor = "urn:raakvlak:maastricht:staff:anna";
  entry.role = "staff";
  entry.action = "open";
  entry.object = "m1";
  entry.purpose = "onaantastbaren";
  entry.legal_basis = "WGS 2.26";
  entry.case_reference = "Z-1";
  entry.reason = "threat";
  entry.result = "REPLAYED";
  entry.count = 3;
  entry.order_hash = base::Sha256("order");
  entry.batch_root = base::Sha256("root");
  entry.policy = "c1/r3";
  entry.origin = "192.0.2.0/24";
  entry.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const Logged logged = Append(entry);
  EXPECT_EQ(logged.id, (EntryId{2026, 0}));
  EXPECT_EQ(logged.time_ms, entry.time_ms);
  EXPECT_EQ(logged.salt.size(), 32u);

  auto found = log().Find({2026, 0});
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found->has_value());
  const StoredEntry& stored = **found;
  EXPECT_EQ(stored.id, logged.id);
  EXPECT_EQ(stored.time_ms, entry.time_ms);
  EXPECT_EQ(stored.salt, logged.salt);
  EXPECT_EQ(stored.details, logged.details);
  EXPECT_EQ(stored.leaf, LeafOf(logged));
  EXPECT_FALSE(stored.erased);
  const AuditEntry& read = stored.entry;
  EXPECT_EQ(std::tie(read.time_ms, read.actor, read.role, read.action, read.object, read.purpose,
                     read.legal_basis, read.case_reference, read.reason, read.result, read.count,
                     read.order_hash, read.batch_root, read.policy, read.origin, read.trace_id),
            std::tie(entry.time_ms, entry.actor, entry.role, entry.action, entry.object, entry.purpose,
                     entry.legal_basis, entry.case_reference, entry.reason, entry.result, entry.count,
                     entry.order_hash, entry.batch_root, entry.policy, entry.origin, entry.trace_id));
}

// docs/format/log.md: version, time, commitment.
TEST_P(LogTest, LeafIsThatOfTheFormat) {
  const Logged logged = Append(0x0102030405);
  const std::string leaf = *log().ReadLeaves(logged.id.year, 0, 1)->begin();
  EXPECT_EQ(leaf,
            std::string("\x01\0\0\0\x01\x02\x03\x04\x05", 9) + base::Sha256(logged.salt + logged.details));
}

TEST_P(LogTest, EqualEntriesHaveUnrelatedLeaves) {
  Append(1000);
  Append(1000);
  const std::vector<std::string> leaves = *log().ReadLeaves(1970, 0, 2);
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_NE(leaves[0].substr(9), leaves[1].substr(9));
}

TEST_P(LogTest, TransactionThatFailsLeavesNoLeafAndItsIndexIsUsedAgain) {
  Append(1000);
  EXPECT_THAT(Write([](BrokerTransaction& transaction) -> absl::Status {
                AuditEntry entry;
                entry.action = "lost";
                RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
                RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
                return base::Error(absl::StatusCode::kAborted, base::reason::kReplayed, "on purpose");
              }),
              HasReason(base::reason::kReplayed));
  EXPECT_THAT(Sizes(), ElementsAre(1));
  EXPECT_EQ(Append(2000).id.index, 1u);
  EXPECT_THAT(Lines(), ElementsAre("1970/0 list", "1970/1 list"));
  CheckAll();
}

TEST_P(LogTest, ManyThreadsGetEveryIndexOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  std::vector<std::vector<uint64_t>> got(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) got[thread].push_back(Append(1000 + i).id.index);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& indices : got) all.insert(indices.begin(), indices.end());
  EXPECT_EQ(all.size(), size_t{kThreads} * kEach);
  EXPECT_EQ(*all.rbegin(), uint64_t{kThreads} * kEach - 1);
  CheckAll();
}

TEST_P(LogTest, EntryLaterThanItsSuccessorIsNotBackdated) {
  Append(5000);
  const Logged earlier = Append(4000);
  EXPECT_EQ(earlier.time_ms, 5000);
  EXPECT_EQ(Append(6000).time_ms, 6000);
  CheckAll();
}

TEST_P(LogTest, ANewYearBeginsANewLogAndEachNamesTheOther) {
  Append(At("2026-12-31T23:59:58Z"), "last");
  const Logged first = Append(At("2027-01-01T00:00:05Z"), "first");
  EXPECT_EQ(first.id, (EntryId{2027, 1}));
  EXPECT_THAT(Lines(), ElementsAre("2026/0 last", "2026/1 log_end", "2027/0 log_start", "2027/1 first"));
  EXPECT_THAT(Sizes(), ElementsAre(2, 2));
  auto end = *log().Find({2026, 1});
  EXPECT_EQ(end->entry.object, absl::StrCat(kUrn, "/2027"));
  EXPECT_EQ(end->entry.actor, kUrn);
  EXPECT_EQ(end->entry.role, "broker");
  EXPECT_EQ(end->time_ms, At("2026-12-31T23:59:59.999Z"));
  auto start = *log().Find({2027, 0});
  EXPECT_EQ(start->entry.object, absl::StrCat(kUrn, "/2026 2"));
  EXPECT_EQ(start->time_ms, first.time_ms);
  EXPECT_EQ(log().Origin(2027), absl::StrCat(kUrn, "/2027"));
  CheckAll();
}

TEST_P(LogTest, YearsWithoutEntriesHaveNoLog) {
  Append(At("2026-05-01T00:00:00Z"));
  Append(At("2029-05-01T00:00:00Z"));
  EXPECT_THAT(Lines(), ElementsAre("2026/0 list", "2026/1 log_end", "2029/0 log_start", "2029/1 list"));
  EXPECT_EQ((*log().Find({2026, 1}))->entry.object, absl::StrCat(kUrn, "/2029"));
}

TEST_P(LogTest, ClockThatGoesBackOverNewYearNeverReopensTheOldLog) {
  Append(At("2026-12-31T23:59:59Z"));
  Append(At("2027-01-01T00:00:01Z"));
  const Logged back = Append(At("2026-12-31T23:59:59Z"), "back");
  EXPECT_EQ(back.id, (EntryId{2027, 2}));
  EXPECT_EQ(back.time_ms, At("2027-01-01T00:00:01Z"));
  EXPECT_EQ(Append(At("2027-01-01T00:00:03Z")).id, (EntryId{2027, 3}));
  EXPECT_THAT(Sizes(), ElementsAre(2, 4));
  CheckAll();
}

TEST_P(LogTest, YearChangeThatIsRolledBackHappensAgain) {
  Append(At("2026-12-31T23:59:59Z"));
  EXPECT_THAT(Write([](BrokerTransaction& transaction) -> absl::Status {
                AuditEntry entry;
                entry.time_ms = At("2027-01-01T00:00:01Z");
                RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
                return base::Error(absl::StatusCode::kAborted, base::reason::kReplayed, "on purpose");
              }),
              HasReason(base::reason::kReplayed));
  EXPECT_THAT(Sizes(), ElementsAre(1));
  Append(At("2027-01-01T00:00:02Z"));
  EXPECT_THAT(Sizes(), ElementsAre(2, 2));
}

TEST_P(LogTest, LeavesAreReadFromAnyPlaceAndOfOneYearOnly) {
  for (int i = 0; i < 5; ++i) Append(At("2026-12-31T23:00:00Z") + i);
  Append(At("2027-01-01T00:00:00Z"));
  const std::vector<std::string> all = *log().ReadLeaves(2026, 0, 100);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(*log().ReadLeaves(2026, 2, 2), std::vector<std::string>(all.begin() + 2, all.begin() + 4));
  EXPECT_THAT(*log().ReadLeaves(2026, 6, 10), IsEmpty());
  EXPECT_THAT(*log().ReadLeaves(2025, 0, 10), IsEmpty());
  EXPECT_THAT(*log().ReadLeaves(2026, UINT64_MAX, 10), IsEmpty());
  EXPECT_THAT(*log().ReadLeaves(UINT32_MAX, 0, 10), IsEmpty());
  EXPECT_EQ(log().ReadLeaves(2027, 0, 10)->size(), 2u);
}

TEST_P(LogTest, WhatIsNotThereIsNotFound) {
  EXPECT_THAT(*log().Logs(), IsEmpty());
  EXPECT_FALSE(log().Find({2026, 0})->has_value());
  Append(At("2026-05-01T00:00:00Z"));
  for (const EntryId id : {EntryId{2026, 1}, EntryId{2025, 0}, EntryId{2027, 0}, kFirstEntry, kLastEntry,
                           EntryId{2025, uint64_t{1} << 40}}) {
    EXPECT_FALSE(log().Find(id)->has_value()) << id.year << "/" << id.index;
  }
}

TEST_P(LogTest, ReadingIsPagedAndFilteredBothWays) {
  for (int i = 0; i < 10; ++i) {
    AuditEntry entry;
    entry.time_ms = 100 + i;
    entry.actor = i % 2 == 0 ? "even" : "odd";
    entry.action = i < 5 ? "list" : "open";
    entry.case_reference = i == 7 ? "Z-7" : "";
    entry.purpose = i == 3 ? "risicojeugd" : "onaantastbaren";
    entry.result = i == 9 ? "REPLAYED" : "OK";
    Append(entry);
  }
  AuditFilter filter;
  EXPECT_THAT(Indices(filter, {1970, 4}, 3), ElementsAre(4, 5, 6));
  EXPECT_THAT(Indices(filter, {1970, 10}, 3), IsEmpty());
  EXPECT_THAT(Indices(filter, kLastEntry, 3), IsEmpty());
  filter.newest_first = true;
  EXPECT_THAT(Indices(filter, kLastEntry, 2), ElementsAre(9, 8));
  EXPECT_THAT(Indices(filter, {1970, 1}, 5), ElementsAre(1, 0));
  EXPECT_THAT(Indices(filter, kFirstEntry, 5), IsEmpty());
  filter.actor = "odd";
  EXPECT_THAT(Indices(filter, {1970, 6}, 2), ElementsAre(5, 3));
  filter = {};
  filter.action = "open";
  EXPECT_THAT(Indices(filter, kFirstEntry, 2), ElementsAre(5, 6));
  filter.actor = "odd";
  EXPECT_THAT(Indices(filter, {1970, 6}, 9), ElementsAre(7, 9));
  filter.case_reference = "Z-7";
  EXPECT_THAT(Indices(filter, kFirstEntry, 9), ElementsAre(7));
  filter = {};
  filter.from_ms = 103;
  filter.until_ms = 105;
  EXPECT_THAT(Indices(filter, kFirstEntry, 9), ElementsAre(3, 4));
  filter.newest_first = true;
  EXPECT_THAT(Indices(filter, kLastEntry, 9), ElementsAre(4, 3));
  filter.purpose = "risicojeugd";
  EXPECT_THAT(Indices(filter, kLastEntry, 9), ElementsAre(3));
  filter = {};
  filter.result = "REPLAYED";
  EXPECT_THAT(Indices(filter, kFirstEntry, 9), ElementsAre(9));
}

TEST_P(LogTest, PageNamesWhereTheNextBeginsUntilThereIsNone) {
  for (int i = 0; i < 4; ++i) Append(1000 + i);
  auto page = log().ReadAudit({}, kFirstEntry, 2);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->next, (EntryId{1970, 2}));
  page = log().ReadAudit({}, *page->next, 2);
  EXPECT_EQ(page->entries.size(), 2u);
  EXPECT_FALSE(page->next.has_value());
  AuditFilter newest;
  newest.newest_first = true;
  EXPECT_EQ(log().ReadAudit(newest, kLastEntry, 3)->next, (EntryId{1970, 0}));
}

TEST_P(LogTest, PeriodsAreFoundAcrossYearsWhateverTheBounds) {
  std::vector<int64_t> times;
  const int64_t new_year = At("2027-01-01T00:00:00Z");
  for (int i = -6; i < 6; ++i) {
    Append(new_year + i / 2 * 1000);
  }
  for (const StoredEntry& stored : testing::StoredEntries(log())) times.push_back(stored.time_ms);
  for (int64_t from = new_year - 4000; from < new_year + 4000; from += 500) {
    for (int64_t until = from; until < new_year + 4000; until += 500) {
      AuditFilter filter;
      filter.from_ms = from;
      filter.until_ms = until;
      const auto expected = std::count_if(times.begin(), times.end(),
                                          [&](int64_t time) { return time >= from && time < until; });
      EXPECT_EQ(testing::Entries(log(), filter).size(), static_cast<size_t>(expected))
          << from << " " << until;
      filter.newest_first = true;
      EXPECT_EQ(testing::Entries(log(), filter).size(), static_cast<size_t>(expected));
    }
  }
}

TEST_P(LogTest, ErasedDetailsAreGoneAndLeavesAndTheRestStay) {
  for (int i = 0; i < 5; ++i) Append(1000 * (i + 1), "list", "somebody");
  const std::vector<std::string> leaves = *log().ReadLeaves(1970, 0, 10);
  AuditEntry proof;
  proof.time_ms = 9000;
  proof.actor = kUrn;
  EXPECT_EQ(*log().EraseDetails(4000, proof), 3u);

  EXPECT_THAT(Lines(),
              ElementsAre("1970/0 -", "1970/1 -", "1970/2 -", "1970/3 list", "1970/4 list", "1970/5 erase"));
  std::vector<std::string> after = *log().ReadLeaves(1970, 0, 10);
  EXPECT_EQ(after.size(), 6u);
  after.pop_back();
  EXPECT_EQ(after, leaves);
  const StoredEntry erased = **log().Find({1970, 1});
  EXPECT_EQ(erased.time_ms, 2000);
  EXPECT_EQ(erased.salt + erased.details + erased.entry.actor + erased.entry.action, "");
  const StoredEntry entry = **log().Find({1970, 5});
  EXPECT_EQ(entry.entry.count, 3u);
  EXPECT_EQ(entry.entry.actor, kUrn);
  EXPECT_EQ(entry.entry.object, absl::StrCat(kUrn, "/1970 0-2 1970-01-01T00:00:01Z/1970-01-01T00:00:03Z"));
  CheckAll();
}

TEST_P(LogTest, NothingOldEnoughLeavesNoEntry) {
  AuditEntry proof;
  proof.time_ms = 9000;
  EXPECT_EQ(*log().EraseDetails(1000, proof), 0u);
  Append(1000);
  EXPECT_EQ(*log().EraseDetails(1000, proof), 0u);
  EXPECT_EQ(*log().EraseDetails(1001, proof), 1u);
  EXPECT_EQ(*log().EraseDetails(1001, proof), 0u);
  EXPECT_THAT(Sizes(), ElementsAre(2));
}

TEST_P(LogTest, ErasingEverythingEndsAlthoughItAddsEntries) {
  for (int i = 0; i < 3; ++i) Append(1000);
  EXPECT_EQ(*log().EraseDetails(1'000'000, {}), 3u);
  EXPECT_THAT(Lines(), ElementsAre("1970/0 -", "1970/1 -", "1970/2 -", "1970/3 erase"));
}

TEST_P(LogTest, EachYearErasedHasItsOwnProof) {
  Append(At("2026-12-31T23:59:59Z"));
  Append(At("2027-01-01T00:00:01Z"));
  Append(At("2028-02-01T00:00:00Z"));
  AuditEntry proof;
  proof.time_ms = At("2028-03-01T00:00:00Z");
  EXPECT_EQ(*log().EraseDetails(At("2028-01-15T00:00:00Z"), proof), 5u);
  EXPECT_THAT(Lines(), ElementsAre("2026/0 -", "2026/1 -", "2027/0 -", "2027/1 -", "2027/2 -",
                                   "2028/0 log_start", "2028/1 list", "2028/2 erase", "2028/3 erase"));
  EXPECT_EQ((*log().Find({2028, 2}))->entry.count, 2u);
  EXPECT_EQ((*log().Find({2028, 3}))->entry.count, 3u);
}

TEST_P(LogTest, FilterWithWordsFindsNoErasedEntryAndOneWithTimesDoes) {
  Append(1000, "list", "somebody");
  Append(2000, "list", "somebody");
  ASSERT_EQ(*log().EraseDetails(2000, {}), 1u);
  AuditFilter words;
  words.actor = "somebody";
  EXPECT_THAT(Lines(words), ElementsAre("1970/1 list"));
  AuditFilter result;
  result.result = "OK";
  EXPECT_THAT(Lines(result), ElementsAre("1970/1 list", "1970/2 erase"));
  AuditFilter times;
  times.until_ms = 2000;
  EXPECT_THAT(Lines(times), ElementsAre("1970/0 -"));
}

// docs/format/log.md: sealed, and its padding.
TEST(LogCodecTest, DetailsArePaddedToWholeBlocksAndOpenOnlySo) {
  const LogCodec codec = testing::TestCodec();
  base::testing::SeededRandom random(1);
  const base::SecretBytes key(std::string(32, 'd'));
  for (const size_t size : {0, 1, 215, 216, 217, 218}) {
    AuditEntry entry;
    entry.reason = std::string(size, 'r');
    const Logged logged = codec.Sequence(std::nullopt, entry).back();
    const std::string sealed = codec.Seal(logged);
    const std::string plaintext = logged.salt + logged.details;
    EXPECT_EQ(sealed.size(), 40 + (plaintext.size() / 256 + 1) * 256) << size;
    const auto opened = codec.Open(logged.id, LeafOf(logged), sealed);
    ASSERT_THAT(opened, IsOk()) << size;
    EXPECT_EQ(opened->details, logged.details);

    const std::string place = base::LengthPrefixed(codec.Origin(logged.id.year)) + std::string(16, '\0');
    std::string zeros((plaintext.size() / 256 + 1) * 256 - plaintext.size(), '\0');
    for (const std::string& padded : {plaintext, plaintext + '\x80', plaintext + zeros,
                                      std::string(256, '\0'), plaintext + "\x81" + zeros.substr(1)}) {
      if (padded.size() == sealed.size() - 40 && padded.back() == '\x80') continue;  // as it should be
      EXPECT_THAT(codec.Open(logged.id, LeafOf(logged), crypto::aead::Encrypt(key, padded, place, random)),
                  HasReason(base::reason::kVerificationFailed))
          << size;
    }
    zeros[0] = '\x80';
    EXPECT_THAT(
        codec.Open(logged.id, LeafOf(logged), crypto::aead::Encrypt(key, plaintext + zeros, place, random)),
        IsOk())
        << size;
  }
}

}  // namespace
}  // namespace raakvlak::storage

#include "server/broker/audit_reading.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

constexpr uint32_t kMaxPage = 1000;
constexpr uint32_t kDefaultPage = 200;
constexpr size_t kMaxFilterSize = 200;

struct Query {
  storage::AuditFilter filter;
  storage::EntryId start = storage::kFirstEntry;
  size_t limit = kDefaultPage;
};

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::StatusOr<Query> ToQuery(const v1::ListEntriesRequest& request) {
  Query query;
  if (request.page_size() > kMaxPage)
    return Invalid(absl::StrCat("a page has at most ", kMaxPage, " entries"));
  if (request.page_size() != 0) query.limit = request.page_size();
  for (const std::string* text : {&request.actor(), &request.action(), &request.purpose(),
                                  &request.case_reference(), &request.result()}) {
    if (text->size() > kMaxFilterSize)
      return Invalid(absl::StrCat("a filter has at most ", kMaxFilterSize, " bytes"));
  }
  query.filter.actor = request.actor();
  query.filter.action = request.action();
  query.filter.purpose = request.purpose();
  query.filter.case_reference = request.case_reference();
  query.filter.result = request.result();
  query.filter.from_ms = request.from_ms();
  query.filter.until_ms = request.until_ms();
  query.filter.newest_first = request.newest_first();
  if (request.newest_first()) query.start = storage::kLastEntry;
  if (!request.page_token().empty()) {
    const std::vector<std::string> parts = absl::StrSplit(request.page_token(), '/');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &query.start.year) ||
        !absl::SimpleAtoi(parts[1], &query.start.index)) {
      return Invalid("the page token is not one of ours");
    }
  }
  return query;
}

v1::AuditEntry ToWire(const storage::StoredEntry& stored) {
  const storage::AuditEntry& entry = stored.entry;
  v1::AuditEntry out;
  out.set_index(stored.id.index);
  out.set_time_ms(entry.time_ms);
  out.set_actor(entry.actor);
  out.set_role(entry.role);
  out.set_action(entry.action);
  out.set_object(entry.object);
  out.set_purpose(entry.purpose);
  out.set_legal_basis(entry.legal_basis);
  out.set_case_reference(entry.case_reference);
  out.set_reason(entry.reason);
  out.set_result(entry.result);
  out.set_count(entry.count);
  out.set_order_hash(base::Hex(entry.order_hash));
  out.set_policy(entry.policy);
  return out;
}

}  // namespace

absl::StatusOr<v1::ListEntriesResponse> AuditReading::ListEntries(const rpc::Gate::Pass& pass,
                                                                  const v1::ListEntriesRequest& request) {
  storage::AuditEntry entry = EntryOf(pass, clock_.Now(), "audit_read", "");
  const absl::StatusOr<Query> query = ToQuery(request);
  if (!query.ok()) return RefuseDurably(store_, entry, kListEntriesMethod, query.status());

  RAAKVLAK_ASSIGN_OR_RETURN(const storage::AuditPage page,
                            store_.audit_log().ReadAudit(query->filter, query->start, query->limit));
  v1::ListEntriesResponse response;
  for (const storage::StoredEntry& found : page.entries) *response.add_entries() = ToWire(found);
  if (page.next.has_value())
    response.set_next_page_token(absl::StrCat(page.next->year, "/", page.next->index));

  // What the officer looked for is part of who read what; but only words that stand in the log already.
  if (response.entries_size() > 0) {
    entry.object = request.actor();
    entry.purpose = request.purpose();
    entry.case_reference = request.case_reference();
  }
  entry.count = static_cast<uint64_t>(response.entries_size());
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("audit_read", [&](storage::BrokerTransaction& transaction) {
    return transaction.AppendAudit(entry).status();
  }));
  return response;
}

}  // namespace raakvlak::broker

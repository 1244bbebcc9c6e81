#include "server/storage/log_codec.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/aead/aead.h"
#include "crypto/tlog/leaf.h"

namespace raakvlak::storage {
namespace {

using crypto::tlog::kSaltSize;

// DO NOT CHANGE: they are in databases.
constexpr char kKeyCheckLabel[] = "details-key-check";
constexpr size_t kDetailBlock = 256;
constexpr char kPaddingMark = '\x80';

absl::Status Tampered(EntryId id, absl::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                     absl::StrCat("log ", id.year, ", entry ", id.index, ": ", what));
}

// ISO/IEC 7816-4: a mark, then zeros up to whole blocks.
std::string Pad(std::string text) {
  text.push_back(kPaddingMark);
  text.resize((text.size() + kDetailBlock - 1) / kDetailBlock * kDetailBlock, '\0');
  return text;
}

// Where the text ends; npos when it was not padded.
size_t UnpaddedSize(absl::string_view padded) {
  const size_t mark = padded.find_last_not_of('\0');
  const bool is_padded = mark != absl::string_view::npos && padded[mark] == kPaddingMark;
  return is_padded && padded.size() % kDetailBlock == 0 ? mark : absl::string_view::npos;
}

uint32_t YearOf(int64_t time_ms) {
  const int64_t year = absl::ToCivilYear(absl::FromUnixMillis(time_ms), absl::UTCTimeZone()).year();
  return static_cast<uint32_t>(std::clamp<int64_t>(year, 1970, 9999));
}

int64_t LastMillisecond(uint32_t year) {
  return absl::ToUnixMillis(absl::FromCivil(absl::CivilYear(int64_t{year} + 1), absl::UTCTimeZone())) - 1;
}

// "urn:raakvlak:maastricht:broker:centrum"
std::string RoleOf(absl::string_view urn) {
  const std::vector<std::string> parts = absl::StrSplit(urn, ':');
  return parts.size() == 5 ? parts[3] : "";
}

std::string Date(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

std::string Serialise(const AuditEntry& entry) {
  v1::AuditDetails details;
  details.set_actor(entry.actor);
  details.set_role(entry.role);
  details.set_action(entry.action);
  details.set_object(entry.object);
  details.set_purpose(entry.purpose);
  details.set_legal_basis(entry.legal_basis);
  details.set_case_reference(entry.case_reference);
  details.set_reason(entry.reason);
  details.set_result(entry.result);
  details.set_count(entry.count);
  details.set_order_hash(entry.order_hash);
  details.set_batch_root(entry.batch_root);
  details.set_policy(entry.policy);
  details.set_origin(entry.origin);
  const absl::StatusOr<std::string> trace_id = base::ParseHex(entry.trace_id);
  if (trace_id.ok()) details.set_trace_id(*trace_id);
  return details.SerializeAsString();
}

bool Parse(const std::string& bytes, AuditEntry& out_entry) {
  v1::AuditDetails details;
  if (!details.ParseFromString(bytes)) return false;
  out_entry.actor = details.actor();
  out_entry.role = details.role();
  out_entry.action = details.action();
  out_entry.object = details.object();
  out_entry.purpose = details.purpose();
  out_entry.legal_basis = details.legal_basis();
  out_entry.case_reference = details.case_reference();
  out_entry.reason = details.reason();
  out_entry.result = details.result();
  out_entry.count = details.count();
  out_entry.order_hash = details.order_hash();
  out_entry.batch_root = details.batch_root();
  out_entry.policy = details.policy();
  out_entry.origin = details.origin();
  out_entry.trace_id = base::Hex(details.trace_id());
  return true;
}

}  // namespace

std::string LeafOf(const Logged& logged) {
  return crypto::tlog::MakeLeaf(static_cast<uint64_t>(logged.time_ms), logged.salt, logged.details);
}

v1::LogEntry LogEntryOf(std::string origin, Logged logged, std::string leaf) {
  v1::LogEntry entry;
  entry.set_log(std::move(origin));
  entry.set_index(logged.id.index);
  entry.set_time_ms(logged.time_ms);
  entry.set_salt(std::move(logged.salt));
  entry.set_details(std::move(logged.details));
  entry.set_leaf(std::move(leaf));
  return entry;
}

LogCodec::LogCodec(std::string urn, base::SecretBytes details_key, base::Random& random)
    : urn_(std::move(urn)), details_key_(std::move(details_key)), random_(&random) {
  RAAKVLAK_CHECK(details_key_.size() == crypto::aead::kKeySize, "a details key has 32 bytes");
}

std::string LogCodec::Origin(uint32_t year) const { return absl::StrCat(urn_, "/", year); }

Logged LogCodec::Make(EntryId id, int64_t time_ms, const AuditEntry& entry) const {
  return {id, time_ms, random_->Bytes(kSaltSize), Serialise(entry)};
}

std::vector<Logged> LogCodec::Sequence(const std::optional<LogHead>& head, const AuditEntry& entry) const {
  // Before 1970 there is no log.
  int64_t time_ms = std::max<int64_t>(entry.time_ms, 0);
  std::vector<Logged> sequence;
  EntryId id = {YearOf(time_ms), 0};
  if (head.has_value()) {
    time_ms = std::max(time_ms, head->time_ms);
    id = {YearOf(time_ms), 0};
    const EntryId next = {head->last.year, head->last.index + 1};
    if (id.year > head->last.year) {
      AuditEntry change;
      change.actor = urn_;
      change.role = RoleOf(urn_);
      change.policy = entry.policy;
      change.action = "log_end";
      change.object = Origin(id.year);
      sequence.push_back(Make(next, LastMillisecond(head->last.year), change));
      change.action = "log_start";
      change.object = absl::StrCat(Origin(head->last.year), " ", next.index + 1);
      sequence.push_back(Make(id, time_ms, change));
      ++id.index;
    } else {
      id = next;
    }
  }
  sequence.push_back(Make(id, time_ms, entry));
  return sequence;
}

std::string LogCodec::Place(EntryId id, int64_t time_ms) const {
  return absl::StrCat(base::LengthPrefixed(Origin(id.year)), base::BigEndian(id.index, 8),
                      base::BigEndian(static_cast<uint64_t>(time_ms), 8));
}

std::string LogCodec::Seal(const Logged& logged) const {
  return crypto::aead::Encrypt(details_key_, Pad(absl::StrCat(logged.salt, logged.details)),
                               Place(logged.id, logged.time_ms), *random_);
}

absl::StatusOr<StoredEntry> LogCodec::OpenErased(EntryId id, absl::string_view leaf) const {
  const absl::StatusOr<crypto::tlog::Leaf> parsed = crypto::tlog::ParseLeaf(leaf);
  if (!parsed.ok()) return Tampered(id, "this is no leaf");
  StoredEntry stored;
  stored.id = id;
  stored.leaf = std::string(leaf);
  stored.time_ms = static_cast<int64_t>(parsed->time_ms);
  stored.entry.time_ms = stored.time_ms;
  stored.entry.result.clear();
  stored.erased = true;
  return stored;
}

absl::StatusOr<StoredEntry> LogCodec::Open(EntryId id, absl::string_view leaf,
                                           absl::string_view sealed) const {
  RAAKVLAK_ASSIGN_OR_RETURN(StoredEntry stored, OpenErased(id, leaf));
  const absl::StatusOr<base::SecretBytes> opened =
      crypto::aead::Decrypt(details_key_, sealed, Place(id, stored.time_ms));
  if (!opened.ok()) return Tampered(id, "the details do not decrypt");
  const absl::string_view padded = opened->Reveal(base::RevealSecret{});
  const size_t size = UnpaddedSize(padded);
  if (size == absl::string_view::npos) return Tampered(id, "the details are not padded");
  const absl::string_view plaintext = padded.substr(0, size);
  if (plaintext.size() < kSaltSize) return Tampered(id, "the details have no salt");
  stored.erased = false;
  stored.salt = std::string(plaintext.substr(0, kSaltSize));
  stored.details = std::string(plaintext.substr(kSaltSize));
  if (!crypto::tlog::VerifyLeaf(leaf, stored.salt, stored.details).ok())
    return Tampered(id, "the details are not those that the leaf commits to");
  if (!Parse(stored.details, stored.entry)) return Tampered(id, "the details are malformed");
  return stored;
}

std::string LogCodec::KeyCheck() const {
  return crypto::aead::Encrypt(details_key_, kKeyCheckLabel, base::LengthPrefixed(urn_), *random_);
}

absl::Status LogCodec::CheckKey(absl::string_view key_check) const {
  const auto opened = crypto::aead::Decrypt(details_key_, key_check, base::LengthPrefixed(urn_));
  if (opened.ok()) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     "the log was made with another details key, or by another process");
}

// Never the additional data of a detail, whose first part ends in a year, nor of the key check, which has one
// part.
std::string LogCodec::PlaceBeside(absl::string_view place) const {
  return absl::StrCat(base::LengthPrefixed(urn_), base::LengthPrefixed(place));
}

std::string LogCodec::SealBeside(absl::string_view place, absl::string_view plaintext) const {
  return crypto::aead::Encrypt(details_key_, plaintext, PlaceBeside(place), *random_);
}

absl::StatusOr<std::string> LogCodec::OpenBeside(absl::string_view place, absl::string_view sealed) const {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes opened,
                            crypto::aead::Decrypt(details_key_, sealed, PlaceBeside(place)));
  return std::string(opened.Reveal(base::RevealSecret{}));
}

AuditEntry LogCodec::Erasure(const AuditEntry& proof, EntryId first, EntryId last, int64_t first_ms,
                             int64_t last_ms) const {
  AuditEntry entry = proof;
  entry.action = "erase";
  entry.count = last.index - first.index + 1;
  entry.object = absl::StrCat(Origin(first.year), " ", first.index, "-", last.index, " ", Date(first_ms), "/",
                              Date(last_ms));
  return entry;
}

}  // namespace raakvlak::storage

// Reason codes: the stable words that programs and users may rely on. A code is never renamed or given
// another meaning; a new situation gets a new code. docs/reason_codes.md explains each to its readers; a test
// keeps both lists equal.
#pragma once

namespace raakvlak::base::reason {

// == General ==

// A defect of ours or of the machine; see the log.
inline constexpr char kInternal[] = "INTERNAL";
// A request that does not follow its .proto.
inline constexpr char kInvalidArgument[] = "INVALID_ARGUMENT";
// Bytes that do not parse in their format.
inline constexpr char kMalformed[] = "MALFORMED";
// A signed message with a field we do not know.
inline constexpr char kUnknownField[] = "UNKNOWN_FIELD";
// Over a stated size or count.
inline constexpr char kTooLarge[] = "TOO_LARGE";
// No such thing, or not yours.
inline constexpr char kNotFound[] = "NOT_FOUND";
// The server's queue is full; try again later.
inline constexpr char kOverloaded[] = "OVERLOADED";
// A peer cannot be reached; try again later.
inline constexpr char kUnavailable[] = "UNAVAILABLE";
// The call carries no deadline, or one too far away.
inline constexpr char kDeadlineRequired[] = "DEADLINE_REQUIRED";
// Not done within the caller's deadline.
inline constexpr char kDeadlineExceeded[] = "DEADLINE_EXCEEDED";
// The server is draining; try again later.
inline constexpr char kShuttingDown[] = "SHUTTING_DOWN";
// The database did not take or give the data.
inline constexpr char kStorageFailed[] = "STORAGE_FAILED";
// The database is of another version.
inline constexpr char kSchemaUnknown[] = "SCHEMA_UNKNOWN";
// Another process uses this state folder.
inline constexpr char kAlreadyRunning[] = "ALREADY_RUNNING";
// A file is missing or cannot be read.
inline constexpr char kFileUnreadable[] = "FILE_UNREADABLE";
// A secret's file is open to others, or is a link.
inline constexpr char kFileUnsafe[] = "FILE_UNSAFE";
// A configuration file with a wrong or missing value.
inline constexpr char kConfigInvalid[] = "CONFIG_INVALID";

// == Who is calling ==

// No certificate, or not exactly one known URI name.
inline constexpr char kUnauthenticated[] = "UNAUTHENTICATED";
// This caller may not make this call.
inline constexpr char kNotAllowed[] = "NOT_ALLOWED";
// A signature is missing, malformed or wrong.
inline constexpr char kSignatureInvalid[] = "SIGNATURE_INVALID";
// A signed time more than 120 s from ours.
inline constexpr char kClockSkew[] = "CLOCK_SKEW";
// A signed request seen before.
inline constexpr char kReplayed[] = "REPLAYED";
// The day's quota of this class is spent.
inline constexpr char kQuotaExceeded[] = "QUOTA_EXCEEDED";

// == Covenant, roster, keysets ==

// A covenant that breaks a rule; the message says which.
inline constexpr char kCovenantInvalid[] = "COVENANT_INVALID";
// Outside its validity.
inline constexpr char kCovenantExpired[] = "COVENANT_EXPIRED";
// Older than, or beside, the newest one seen here.
inline constexpr char kCovenantOutdated[] = "COVENANT_OUTDATED";
// Made under another covenant than the one in force.
inline constexpr char kCovenantMismatch[] = "COVENANT_MISMATCH";
// A roster that breaks a rule; the message says which.
inline constexpr char kRosterInvalid[] = "ROSTER_INVALID";
// Outside its validity.
inline constexpr char kRosterExpired[] = "ROSTER_EXPIRED";
// A lower number than one seen here.
inline constexpr char kRosterOutdated[] = "ROSTER_OUTDATED";
// The roster suspends this partner.
inline constexpr char kPartnerSuspended[] = "PARTNER_SUSPENDED";
// A keyset that breaks a rule; the message says which.
inline constexpr char kKeysetInvalid[] = "KEYSET_INVALID";
// No such keyset is in force here.
inline constexpr char kKeysetUnknown[] = "KEYSET_UNKNOWN";
// A keyset or share from before one that was in use here: restored from a backup.
inline constexpr char kKeysetOutdated[] = "KEYSET_OUTDATED";
// The ceremony has ended: approve or start another.
inline constexpr char kAlreadyEnded[] = "ALREADY_ENDED";
// Asks for something this version does not have.
inline constexpr char kNeedsLaterVersion[] = "NEEDS_LATER_VERSION";

// == Records at intake ==

// A required field is empty.
inline constexpr char kFieldMissing[] = "FIELD_MISSING";
// A field over its stated length.
inline constexpr char kFieldTooLong[] = "FIELD_TOO_LONG";
// Text that is not valid UTF-8.
inline constexpr char kNotUtf8[] = "NOT_UTF8";
// A CSV or JSON row that cannot be read.
inline constexpr char kRowMalformed[] = "ROW_MALFORMED";
// The CSV header lacks, repeats or misspells a column.
inline constexpr char kHeaderInvalid[] = "HEADER_INVALID";
// No such purpose in the covenant.
inline constexpr char kPurposeUnknown[] = "PURPOSE_UNKNOWN";
// The covenant has the signal's purpose no more.
inline constexpr char kPurposeEnded[] = "PURPOSE_ENDED";
// This partner may not submit to this purpose.
inline constexpr char kPurposeNotAllowed[] = "PURPOSE_NOT_ALLOWED";
// Neither signal nor case_report.
inline constexpr char kKindInvalid[] = "KIND_INVALID";
// This partner may not report cases for this purpose.
inline constexpr char kKindNotAllowed[] = "KIND_NOT_ALLOWED";
// Not a category of this purpose.
inline constexpr char kCategoryUnknown[] = "CATEGORY_UNKNOWN";
// Not 8 or 9 digits, fails the 11-test, or all zero.
inline constexpr char kBsnInvalid[] = "BSN_INVALID";
// This partner may not use the BSN.
inline constexpr char kBsnNotEntitled[] = "BSN_NOT_ENTITLED";
// A region for test data got another BSN.
inline constexpr char kBsnOutsideTestRange[] = "BSN_OUTSIDE_TEST_RANGE";
// Not a date of the calendar, or in the future.
inline constexpr char kDateInvalid[] = "DATE_INVALID";
// Not 1234 AB.
inline constexpr char kPostcodeInvalid[] = "POSTCODE_INVALID";
// Not 1 to 99999.
inline constexpr char kHouseNumberInvalid[] = "HOUSE_NUMBER_INVALID";
// Not one letter.
inline constexpr char kHouseLetterInvalid[] = "HOUSE_LETTER_INVALID";
// Not 1 to 4 letters, digits, blanks or hyphens.
inline constexpr char kHouseSuffixInvalid[] = "HOUSE_SUFFIX_INVALID";
// Outside the ages of this purpose.
inline constexpr char kAgeNotAllowed[] = "AGE_NOT_ALLOWED";
// The purpose has an age bound and there is no birth date.
inline constexpr char kAgeUnknown[] = "AGE_UNKNOWN";
// The fields of no linkage rule are complete.
inline constexpr char kNoRuleApplies[] = "NO_RULE_APPLIES";
// At this address addresses are not matched, and no other rule applies.
inline constexpr char kAddressExcluded[] = "ADDRESS_EXCLUDED";
// The list of excluded addresses is missing or too old: address rules are off, the signal waits.
inline constexpr char kExcludedListStale[] = "EXCLUDED_LIST_STALE";
// A list of excluded addresses that breaks a rule of its format, or is older than one seen before.
inline constexpr char kExcludedListInvalid[] = "EXCLUDED_LIST_INVALID";
// This client_ref is known with other content.
inline constexpr char kClientRefConflict[] = "CLIENT_REF_CONFLICT";
// This client_ref was withdrawn or has expired.
inline constexpr char kClientRefEnded[] = "CLIENT_REF_ENDED";

// == Submitting and matching ==

// An envelope that breaks a rule of its format.
inline constexpr char kEnvelopeInvalid[] = "ENVELOPE_INVALID";
// This signal id is known with another envelope.
inline constexpr char kEnvelopeConflict[] = "ENVELOPE_CONFLICT";
// No such linkage rule, or another version of it.
inline constexpr char kRuleUnknown[] = "RULE_UNKNOWN";
// Submitted or expiry day not as the covenant says.
inline constexpr char kDateOutOfRange[] = "DATE_OUT_OF_RANGE";
// The signal was withdrawn or has expired.
inline constexpr char kSignalEnded[] = "SIGNAL_ENDED";

// == Orders and opening ==

// An order lacks something, or contradicts the call.
inline constexpr char kOrderInvalid[] = "ORDER_INVALID";
// The match is no longer what the order was signed for.
inline constexpr char kMatchChanged[] = "MATCH_CHANGED";
// The match is closed.
inline constexpr char kMatchClosed[] = "MATCH_CLOSED";
// Fewer than k organisations, or no case report.
inline constexpr char kThresholdNotMet[] = "THRESHOLD_NOT_MET";
// A cryptographic check failed; details are in the log.
inline constexpr char kVerificationFailed[] = "VERIFICATION_FAILED";

// == Access log ==

// An inclusion or consistency proof does not show what it should.
inline constexpr char kProofInvalid[] = "PROOF_INVALID";
// Too few witnesses cosigned the checkpoint.
inline constexpr char kQuorumMissing[] = "QUORUM_MISSING";
// An entry of a log is missing, changed, or dated before the one before it; the message names it.
inline constexpr char kLogDamaged[] = "LOG_DAMAGED";
// A log, or a signer's memory of it, is behind what was signed: restored from a backup.
inline constexpr char kLogRollback[] = "LOG_ROLLBACK";
// Entries that contradict what was signed before.
inline constexpr char kLogFork[] = "LOG_FORK";
// No quorum of witnesses cosigns this process's log: nothing is opened, and after a set time nothing is done.
inline constexpr char kLogUnwitnessed[] = "LOG_UNWITNESSED";

}  // namespace raakvlak::base::reason

// Reason codes: the stable words that programs and users may rely on. A code is never renamed or given
// another meaning; a new situation gets a new code. docs/reason_codes.md explains each to its readers; a test
// keeps both lists equal.
#pragma once

namespace raakvlak::base::reason {

// General.
inline constexpr char kInternal[] = "INTERNAL";  // a defect of ours or of the machine; see the log
inline constexpr char kInvalidArgument[] = "INVALID_ARGUMENT";  // a request that does not follow its .proto
inline constexpr char kMalformed[] = "MALFORMED";               // bytes that do not parse in their format
inline constexpr char kUnknownField[] = "UNKNOWN_FIELD";  // a signed message with a field we do not know
inline constexpr char kTooLarge[] = "TOO_LARGE";          // over a stated size or count
inline constexpr char kNotFound[] = "NOT_FOUND";          // no such thing, or not yours
inline constexpr char kOverloaded[] = "OVERLOADED";       // the server's queue is full; try again later
inline constexpr char kUnavailable[] = "UNAVAILABLE";     // a peer cannot be reached; try again later
inline constexpr char kDeadlineRequired[] =
    "DEADLINE_REQUIRED";  // the call carries no deadline, or one too far away
inline constexpr char kDeadlineExceeded[] = "DEADLINE_EXCEEDED";  // not done within the caller's deadline
inline constexpr char kShuttingDown[] = "SHUTTING_DOWN";          // the server is draining; try again later
inline constexpr char kStorageFailed[] = "STORAGE_FAILED";    // the database did not take or give the data
inline constexpr char kSchemaUnknown[] = "SCHEMA_UNKNOWN";    // the database is of another version
inline constexpr char kAlreadyRunning[] = "ALREADY_RUNNING";  // another process uses this state folder
inline constexpr char kFileUnreadable[] = "FILE_UNREADABLE";  // a file is missing or cannot be read
inline constexpr char kFileUnsafe[] = "FILE_UNSAFE";  // a secret's file is open to others, or is a link
inline constexpr char kConfigInvalid[] =
    "CONFIG_INVALID";  // a configuration file with a wrong or missing value

// Who is calling.
inline constexpr char kUnauthenticated[] =
    "UNAUTHENTICATED";                                // no certificate, or not exactly one known URI name
inline constexpr char kNotAllowed[] = "NOT_ALLOWED";  // this caller may not make this call
inline constexpr char kSignatureInvalid[] =
    "SIGNATURE_INVALID";                                    // a signature is missing, malformed or wrong
inline constexpr char kClockSkew[] = "CLOCK_SKEW";          // a signed time more than 120 s from ours
inline constexpr char kReplayed[] = "REPLAYED";             // a signed request seen before
inline constexpr char kQuotaExceeded[] = "QUOTA_EXCEEDED";  // the day's quota of this class is spent

// Covenant, roster, keysets.
inline constexpr char kCovenantInvalid[] =
    "COVENANT_INVALID";  // a covenant that breaks a rule; the message says which
inline constexpr char kCovenantExpired[] = "COVENANT_EXPIRED";  // outside its validity
inline constexpr char kCovenantOutdated[] =
    "COVENANT_OUTDATED";  // older than, or beside, the newest one seen here
inline constexpr char kCovenantMismatch[] =
    "COVENANT_MISMATCH";  // made under another covenant than the one in force
inline constexpr char kRosterInvalid[] =
    "ROSTER_INVALID";  // a roster that breaks a rule; the message says which
inline constexpr char kRosterExpired[] = "ROSTER_EXPIRED";        // outside its validity
inline constexpr char kRosterOutdated[] = "ROSTER_OUTDATED";      // a lower number than one seen here
inline constexpr char kPartnerSuspended[] = "PARTNER_SUSPENDED";  // the roster suspends this partner
inline constexpr char kKeysetInvalid[] =
    "KEYSET_INVALID";  // a keyset that breaks a rule; the message says which
inline constexpr char kKeysetUnknown[] = "KEYSET_UNKNOWN";  // no such keyset is in force here
inline constexpr char kNeedsLaterVersion[] =
    "NEEDS_LATER_VERSION";  // asks for something this version does not have

// Records at intake.
inline constexpr char kFieldMissing[] = "FIELD_MISSING";   // a required field is empty
inline constexpr char kFieldTooLong[] = "FIELD_TOO_LONG";  // a field over its stated length
inline constexpr char kNotUtf8[] = "NOT_UTF8";             // text that is not valid UTF-8
inline constexpr char kRowMalformed[] = "ROW_MALFORMED";   // a CSV or JSON row that cannot be read
inline constexpr char kHeaderInvalid[] =
    "HEADER_INVALID";  // the CSV header lacks, repeats or misspells a column
inline constexpr char kPurposeUnknown[] = "PURPOSE_UNKNOWN";  // no such purpose in the covenant
inline constexpr char kPurposeNotAllowed[] =
    "PURPOSE_NOT_ALLOWED";                              // this partner may not submit to this purpose
inline constexpr char kKindInvalid[] = "KIND_INVALID";  // neither signal nor case_report
inline constexpr char kKindNotAllowed[] =
    "KIND_NOT_ALLOWED";  // this partner may not report cases for this purpose
inline constexpr char kCategoryUnknown[] = "CATEGORY_UNKNOWN";  // not a category of this purpose
inline constexpr char kBsnInvalid[] = "BSN_INVALID";  // not 8 or 9 digits, fails the 11-test, or all zero
inline constexpr char kBsnNotEntitled[] = "BSN_NOT_ENTITLED";  // this partner may not use the BSN
inline constexpr char kBsnOutsideTestRange[] =
    "BSN_OUTSIDE_TEST_RANGE";                           // a region for test data got another BSN
inline constexpr char kDateInvalid[] = "DATE_INVALID";  // not a date of the calendar, or in the future
inline constexpr char kPostcodeInvalid[] = "POSTCODE_INVALID";         // not 1234 AB
inline constexpr char kHouseNumberInvalid[] = "HOUSE_NUMBER_INVALID";  // not 1 to 99999
inline constexpr char kHouseLetterInvalid[] = "HOUSE_LETTER_INVALID";  // not one letter
inline constexpr char kHouseSuffixInvalid[] =
    "HOUSE_SUFFIX_INVALID";                                  // not 1 to 4 letters, digits, blanks or hyphens
inline constexpr char kAgeNotAllowed[] = "AGE_NOT_ALLOWED";  // outside the ages of this purpose
inline constexpr char kAgeUnknown[] =
    "AGE_UNKNOWN";  // the purpose has an age bound and there is no birth date
inline constexpr char kNoRuleApplies[] = "NO_RULE_APPLIES";  // the fields of no linkage rule are complete
inline constexpr char kClientRefConflict[] =
    "CLIENT_REF_CONFLICT";                                     // this client_ref is known with other content
inline constexpr char kClientRefEnded[] = "CLIENT_REF_ENDED";  // this client_ref was withdrawn or has expired

// Submitting and matching.
inline constexpr char kEnvelopeInvalid[] =
    "ENVELOPE_INVALID";  // an envelope that breaks a rule of its format
inline constexpr char kEnvelopeConflict[] =
    "ENVELOPE_CONFLICT";                                // this signal id is known with another envelope
inline constexpr char kRuleUnknown[] = "RULE_UNKNOWN";  // no such linkage rule, or another version of it
inline constexpr char kDateOutOfRange[] =
    "DATE_OUT_OF_RANGE";                                // submitted or expiry day not as the covenant says
inline constexpr char kSignalEnded[] = "SIGNAL_ENDED";  // the signal was withdrawn or has expired

// Orders and opening.
inline constexpr char kOrderInvalid[] = "ORDER_INVALID";  // an order lacks something, or contradicts the call
inline constexpr char kMatchChanged[] =
    "MATCH_CHANGED";  // the match is no longer what the order was signed for
inline constexpr char kMatchClosed[] = "MATCH_CLOSED";  // the match is closed
inline constexpr char kThresholdNotMet[] =
    "THRESHOLD_NOT_MET";  // fewer than k organisations, or no case report
inline constexpr char kVerificationFailed[] =
    "VERIFICATION_FAILED";  // a cryptographic check failed; details are in the log

}  // namespace raakvlak::base::reason

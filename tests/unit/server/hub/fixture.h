// HubTest: a TestRegion with real keysets and seal keys, signals as honest nodes make them, and orders as
// staff sign them; the opener under test holds all that a hub holds.
//
// Beside TestRegion's: partner politie-zuid, a second entry of politie's organisation (index 1), purpose
// brede-aanpak (LIST, k = 3, a SUPPORTING address rule) and purpose gemengd (LIST, rules bsn about persons
// and "household" about households).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/disclosure/derive.h"
#include "crypto/group/scalar.h"
#include "crypto/seal/seal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/keyset/keyset.h"
#include "policy/order.h"
#include "raakvlak/v1/envelope.pb.h"
#include "raakvlak/v1/order.pb.h"
#include "server/hub/opener.h"
#include "tests/support/region.h"

namespace raakvlak::hub {

inline constexpr char kList[] = "onaantastbaren";
inline constexpr char kCase[] = "risicojeugd";
inline constexpr char kFamily[] = "gezinsaanpak";
inline constexpr char kWide[] = "brede-aanpak";
inline constexpr char kMixed[] = "gemengd";
inline constexpr char kBsnRule[] = "bsn";
inline constexpr char kNameRule[] = "surname-initial-birthdate";

// What a signal is about and says.
struct Report {
  std::string partner;
  std::string subject;
  std::string purpose = kList;
  v1::SignalKind kind = v1::SIGNAL;
  // Other than `subject` for a rule: whoever that rule's token is about.
  std::map<std::string, std::string> subject_of_rule = {};
  // Rules to leave out.
  std::vector<std::string> without = {};
  // Changes the header before anything is sealed to it.
  std::function<void(v1::SignalHeader&)> bend = nullptr;
  std::string note = {};
};

// A signal that can still be bent and signed again.
struct Sealed {
  Report report;
  // Of the tokens, in their order.
  std::vector<std::string> rules;
  v1::EnvelopeBody body;
  base::SecretBytes content_key;
};

class HubTest : public ::testing::Test {
 protected:
  HubTest();

  static v1::SignalContent ContentOf(const Report& report);
  Sealed Seal(const Report& report);
  // Puts `content` into the payload, under the signal's own header and content key.
  void SealPayload(Sealed& sealed, absl::string_view content);
  // Wraps the content key for the token at `position` once more, after its share or commitments changed.
  void Wrap(Sealed& sealed, int position);
  // Signed by the partner that reported, whatever the header says.
  v1::Envelope Sign(const Sealed& sealed);
  v1::Envelope Make(const Report& report) { return Sign(Seal(report)); }
  std::vector<v1::Envelope> MakeAll(const std::vector<Report>& reports);

  crypto::disclosure::TokenSecrets SecretsOf(const Report& report, const v1::LinkageRule& rule);
  std::string ContextOf(const v1::Purpose& purpose, const v1::LinkageRule& rule) const;
  const v1::Purpose& PurposeOf(const std::string& id);

  // An order of anna to open what holds `envelopes`.
  v1::OrderBody OrderFor(const std::vector<v1::Envelope>& envelopes, const std::string& purpose);
  v1::Order SignOrder(const v1::OrderBody& body,
                      const std::string& signer = testing::TestRegion::Urn("staff", "anna"));

  // What is in force, and all covenants that were before.
  policy::Snapshot snapshot();
  // Puts a covenant in force in which `purpose` has the next epoch, with new keys; the one before is served
  // for `overlap`. `change` may alter the covenant further.
  void RaiseEpoch(const std::string& purpose, absl::Duration overlap,
                  const std::function<void(v1::Covenant&)>& change = nullptr);
  Opener MakeOpener();
  // That the opening stands in the log of an honest broker.
  OpeningProof ProofFor(const policy::VerifiedOrder& order);
  // Opens them on a good order.
  absl::StatusOr<Opener::Opened> Open(const std::vector<v1::Envelope>& envelopes,
                                      const std::string& purpose = kList);

  testing::TestRegion region_;
  base::testing::SeededRandom random_{20270115};
  base::testing::TemporaryFolder keyset_folder_;
  // Whole evaluation keys of the newest epoch, which nobody has outside tests: by purpose and class.
  std::map<std::pair<std::string, int>, crypto::group::Scalar> keys_;
  std::map<std::string, crypto::seal::SealKeyPair> seal_keys_;
  std::vector<std::shared_ptr<const policy::Covenant>> covenants_;

  // Signs a keyset of `key` (of the newest epoch) by all holders and returns the note.
  std::string MakeKeyset(const v1::Purpose& purpose, int identifier_class, uint32_t generation,
                         const std::string& replaces, const crypto::group::Scalar& key);

 private:
  void AddKeysets(const v1::Purpose& purpose);
};

// "politie/jan: jan at politie" for each signal, "politie REASON" for each fault.
std::vector<std::string> SignalsOf(const Opener::Opened& opened);
std::vector<std::string> FaultsOf(const Opener::Opened& opened);

}  // namespace raakvlak::hub

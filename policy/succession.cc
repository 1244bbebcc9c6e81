#include "policy/succession.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

using google::protobuf::util::MessageDifferencer;

absl::Status DoesNotFollow(const char* reason, absl::string_view what) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason,
                     absl::StrCat("the covenant does not follow the one before: ", what));
}

absl::Status RequireRule(bool condition, absl::string_view what) {
  return condition ? absl::OkStatus() : DoesNotFollow(base::reason::kCovenantInvalid, what);
}

const v1::Purpose* FindPurpose(const v1::Covenant& covenant, absl::string_view id) {
  for (const v1::Purpose& purpose : covenant.purposes()) {
    if (purpose.id() == id) return &purpose;
  }
  return nullptr;
}

const v1::Partner* FindPartner(const v1::Covenant& covenant, absl::string_view id) {
  for (const v1::Partner& partner : covenant.partners()) {
    if (partner.id() == id) return &partner;
  }
  return nullptr;
}

bool IsIn(const std::set<std::string>& ids, const std::string& id) { return ids.find(id) != ids.end(); }

void Erase(google::protobuf::RepeatedPtrField<std::string>& list, const std::set<std::string>& ids) {
  list.erase(std::remove_if(list.begin(), list.end(), [&](const auto& id) { return IsIn(ids, id); }),
             list.end());
}

// What an epoch's tags and shares are made by, and so stays while it does. Consents may change: they decide
// whether a rule is taken, not what comes of it.
bool SameRules(const v1::Purpose& before, const v1::Purpose& after) {
  if (before.rules_size() != after.rules_size()) return false;
  for (int i = 0; i < before.rules_size(); ++i) {
    v1::LinkageRule was = before.rules(i);
    v1::LinkageRule is = after.rules(i);
    was.clear_accept_partners_per_million();
    is.clear_accept_partners_per_million();
    if (!MessageDifferencer::Equals(was, is)) return false;
  }
  return true;
}

class Comparison {
 public:
  Comparison(const CovenantChain& chain, const Covenant& successor)
      : chain_(chain),
        predecessor_(*chain.all().back()),
        successor_(successor),
        before_(predecessor_.text()),
        after_(successor.text()) {}

  absl::Status Run() {
    RAAKVLAK_RETURN_IF_ERROR(CheckPlace());
    RAAKVLAK_RETURN_IF_ERROR(CheckSignatures());
    for (const v1::Purpose& purpose : after_.purposes()) RAAKVLAK_RETURN_IF_ERROR(CheckPurpose(purpose));
    RAAKVLAK_RETURN_IF_ERROR(CheckHolders());
    RAAKVLAK_RETURN_IF_ERROR(CheckIndices());
    return CheckSealKeys();
  }

 private:
  absl::Status CheckPlace() {
    RAAKVLAK_RETURN_IF_ERROR(RequireRule(after_.region() == before_.region(), "it is of another region"));
    if (after_.version() != before_.version() + 1 || after_.supersedes() != base::Hex(predecessor_.id())) {
      return DoesNotFollow(base::reason::kCovenantOutdated,
                           absl::StrCat("version ", after_.version(), " does not supersede version ",
                                        before_.version(), ", the newest here"));
    }
    return RequireRule(successor_.valid_from() >= predecessor_.valid_from(),
                       "valid_from lies before that of the one it follows");
  }

  absl::Status CheckSignatures() {
    const std::set<std::string> excused =
        OnlyRemoves(before_, after_) ? Removed(before_, after_) : std::set<std::string>();
    for (const v1::Partner& partner : before_.partners()) {
      if (IsIn(excused, partner.id())) continue;
      RAAKVLAK_RETURN_IF_ERROR(CheckSigned(predecessor_.PartnerVerifier(partner.id())));
    }
    return CheckSigned(predecessor_.HubVerifier());
  }

  absl::Status CheckSigned(const crypto::note::VerifierKey& key) {
    if (successor_.IsSignedBy(key)) return absl::OkStatus();
    return DoesNotFollow(
        base::reason::kSignatureInvalid,
        absl::StrCat("it is not signed by ", key.name(), " with the key of the one it follows"));
  }

  absl::Status CheckPurpose(const v1::Purpose& purpose) {
    const std::string where = absl::StrCat("purpose \"", purpose.id(), "\": ");
    const v1::Purpose* was = FindPurpose(before_, purpose.id());
    if (was == nullptr) return CheckNewPurpose(where, purpose);
    if (purpose.epoch() == was->epoch()) {
      epoch_stays_ = true;
      RAAKVLAK_RETURN_IF_ERROR(
          RequireRule(purpose.previous_epoch_until() == was->previous_epoch_until(),
                      absl::StrCat(where, "previous_epoch_until changes within an epoch")));
      RAAKVLAK_RETURN_IF_ERROR(RequireRule(purpose.disclosure_threshold() == was->disclosure_threshold(),
                                           absl::StrCat(where, "another k needs a new epoch")));
      return RequireRule(SameRules(*was, purpose),
                         absl::StrCat(where, "other linkage rules need a new epoch"));
    }
    RAAKVLAK_RETURN_IF_ERROR(RequireRule(purpose.epoch() == was->epoch() + 1,
                                         absl::StrCat(where, "the epoch stays or rises by one")));
    return RequireRule(
        purpose.previous_epoch_until().empty() || PreviousEpochUntil(purpose) > successor_.valid_from(),
        absl::StrCat(where, "previous_epoch_until is not after valid_from"));
  }

  // Tags of a purpose that ended must not fit those of one that takes its name.
  absl::Status CheckNewPurpose(absl::string_view where, const v1::Purpose& purpose) {
    uint32_t used = 0;
    for (const auto& covenant : chain_.all()) {
      const v1::Purpose* earlier = covenant->FindPurpose(purpose.id());
      if (earlier != nullptr) used = std::max(used, earlier->epoch());
    }
    // Without the covenants from the first on it is not known how many epochs there were.
    const bool is_whole = chain_.all().front()->text().supersedes().empty();
    RAAKVLAK_RETURN_IF_ERROR(RequireRule(is_whole ? purpose.epoch() == used + 1 : purpose.epoch() > used,
                                         absl::StrCat(where, "a new purpose starts at epoch ", used + 1)));
    return RequireRule(purpose.previous_epoch_until().empty(),
                       absl::StrCat(where, "a new purpose has no epoch before"));
  }

  // Who leaves has a share of every key, and shares of a key that goes on could be joined with it. Each index
  // has a holder: so nobody changes index while any epoch stays.
  absl::Status CheckHolders() {
    const auto holders = KeyHolders(after_);
    for (const auto& [index, partner] : KeyHolders(before_)) {
      const auto holder = holders.find(index);
      if (holder != holders.end() && holder->second == partner) continue;
      RAAKVLAK_RETURN_IF_ERROR(
          RequireRule(!epoch_stays_,
                      absl::StrCat("key holder ", partner, " is gone, so every purpose needs a new epoch")));
    }
    return absl::OkStatus();
  }

  // The opener counts organisations by index, and a keyset has its holders by index.
  absl::Status CheckIndices() {
    for (const auto& covenant : chain_.all()) {
      if (!SharesAnEpoch(*covenant)) continue;
      for (const v1::Partner& earlier : covenant->text().partners()) {
        for (const v1::Partner& partner : after_.partners()) {
          RAAKVLAK_RETURN_IF_ERROR(RequireRule(
              partner.index() != earlier.index() || partner.organisation() == earlier.organisation(),
              absl::StrCat("partner \"", partner.id(), "\": index ", partner.index(),
                           " was another organisation's in an epoch that is served still")));
        }
      }
    }
    return absl::OkStatus();
  }

  bool SharesAnEpoch(const Covenant& earlier) const {
    for (const v1::Purpose& purpose : after_.purposes()) {
      const v1::Purpose* was = earlier.FindPurpose(purpose.id());
      if (was == nullptr) continue;
      for (const uint32_t epoch : EpochsServed(purpose, successor_.valid_from())) {
        if (IsEpochServed(*was, epoch, earlier.valid_from())) return true;
      }
    }
    return false;
  }

  absl::Status CheckSealKeys() {
    for (const auto& covenant : chain_.all()) {
      for (const v1::SealKey& was : covenant->text().hub().seal_keys()) {
        for (const v1::SealKey& key : after_.hub().seal_keys()) {
          const bool same_epoch = key.purpose() == was.purpose() && key.epoch() == was.epoch();
          RAAKVLAK_RETURN_IF_ERROR(
              RequireRule(same_epoch == (key.public_key() == was.public_key()),
                          absl::StrCat("purpose \"", key.purpose(), "\" epoch ", key.epoch(),
                                       same_epoch ? ": another seal key within the epoch"
                                                  : ": its seal key was that of another purpose or epoch")));
        }
      }
    }
    return absl::OkStatus();
  }

  const CovenantChain& chain_;
  const Covenant& predecessor_;
  const Covenant& successor_;
  const v1::Covenant& before_;
  const v1::Covenant& after_;
  bool epoch_stays_ = false;
};

}  // namespace

std::set<std::string> Removed(const v1::Covenant& before, const v1::Covenant& after) {
  std::set<std::string> removed;
  for (const v1::Partner& partner : before.partners()) {
    if (FindPartner(after, partner.id()) == nullptr) removed.insert(partner.id());
  }
  return removed;
}

bool OnlyRemoves(const v1::Covenant& before, const v1::Covenant& after) {
  const std::set<std::string> removed = Removed(before, after);
  // Of one organisation: otherwise few could remove all others at once.
  std::set<std::string> organisations;
  for (const std::string& id : removed) organisations.insert(FindPartner(before, id)->organisation());
  if (organisations.size() != 1) return false;
  v1::Covenant expected = before;
  expected.set_version(after.version());
  expected.set_supersedes(after.supersedes());
  expected.set_valid_from(after.valid_from());
  expected.set_valid_until(after.valid_until());
  expected.set_quorum(after.quorum());
  expected.set_witness_quorum(
      std::min(expected.witness_quorum(), static_cast<uint32_t>(after.partners_size())));
  *expected.mutable_hub()->mutable_seal_keys() = after.hub().seal_keys();
  auto& partners = *expected.mutable_partners();
  partners.erase(std::remove_if(partners.begin(), partners.end(),
                                [&](const v1::Partner& partner) { return IsIn(removed, partner.id()); }),
                 partners.end());
  auto& quotas = *expected.mutable_quotas();
  quotas.erase(std::remove_if(quotas.begin(), quotas.end(),
                              [&](const v1::Quota& quota) { return IsIn(removed, quota.partner()); }),
               quotas.end());
  for (v1::Purpose& purpose : *expected.mutable_purposes()) {
    Erase(*purpose.mutable_submitters(), removed);
    Erase(*purpose.mutable_case_reporters(), removed);
    const v1::Purpose* now = FindPurpose(after, purpose.id());
    if (now == nullptr) return false;
    purpose.set_epoch(now->epoch());
    purpose.set_previous_epoch_until(now->previous_epoch_until());
  }
  return MessageDifferencer::Equals(expected, after);
}

absl::Status CheckSuccessor(const CovenantChain& before, const Covenant& successor) {
  return Comparison(before, successor).Run();
}

std::shared_ptr<const CovenantChain> BuildChain(
    const std::map<std::string, std::shared_ptr<const Covenant>>& known,
    const std::shared_ptr<const Covenant>& start,
    absl::FunctionRef<void(const Covenant&, const absl::Status&)> on_refused) {
  std::vector<std::shared_ptr<const Covenant>> covenants = {start};
  for (;;) {
    const auto before = base::ParseHex(covenants.front()->text().supersedes());
    const auto found = before.ok() ? known.find(*before) : known.end();
    if (found == known.end() ||
        !CheckSuccessor(*CovenantChain::Create({found->second}), *covenants.front()).ok()) {
      break;
    }
    covenants.insert(covenants.begin(), found->second);
  }
  for (;;) {
    const auto chain = CovenantChain::Create(covenants);
    const std::string last = base::Hex(covenants.back()->id());
    std::shared_ptr<const Covenant> next;
    for (const auto& [id, covenant] : known) {
      if (covenant->text().supersedes() != last) continue;
      const absl::Status follows = CheckSuccessor(*chain, *covenant);
      if (!follows.ok()) {
        on_refused(*covenant, follows);
      } else if (next == nullptr || covenant->valid_from() < next->valid_from()) {
        next = covenant;
      }
    }
    if (next == nullptr) return chain;
    covenants.push_back(next);
  }
}

}  // namespace raakvlak::policy

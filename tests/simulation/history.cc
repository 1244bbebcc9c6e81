#include "tests/simulation/history.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "linkage/normalise.h"
#include "server/node/method_table.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/region.h"

namespace raakvlak::simulation {
namespace {

constexpr size_t kPeople = 4;
constexpr size_t kTrouble = 35;
// Longer than a node rests after a failure.
constexpr absl::Duration kRest = absl::Seconds(31);
constexpr int kRounds = 6;

// The first test numbers.
std::string BsnOf(size_t person) {
  for (int number = 999'990'000;; ++number) {
    if (linkage::PassesElevenTest(absl::StrCat(number)) && person-- == 0) return absl::StrCat(number);
  }
}

// Four people in two households; the last two have one name and date of birth.
v1::Record RecordOf(const std::string& partner, const std::string& ref) {
  static const char* const kNames[kPeople] = {"Aaltens", "Bakker", "Claassen", "Claassen"};
  uint64_t seed = 0;
  for (const char c : partner + ref) seed = seed * 131 + static_cast<unsigned char>(c);
  Dice dice(seed);
  const size_t purpose = dice.Below(std::size(kPurposes));
  const size_t person = dice.Below(kPeople);
  const bool has_address = purpose == 2 || dice.Percent(50);
  const bool may_use_bsn = partner != "woningcorporatie";
  const bool has_bsn = may_use_bsn && purpose != 2 && dice.Percent(60);
  const bool has_name = purpose != 2 && (!has_bsn || dice.Percent(50));
  const bool reports_case =
      purpose == 1 && (partner == "politie" || partner == "gemeente") && dice.Percent(60);
  v1::Record record;
  record.set_client_ref(ref);
  record.set_purpose(kPurposes[purpose]);
  record.set_kind(reports_case ? "case_report" : "signal");
  record.set_category(dice.Percent(50) ? "overlast" : "schulden");
  if (has_bsn) record.set_bsn(BsnOf(person));
  if (has_name) {
    record.set_surname(kNames[person]);
    record.set_given_names("Maria");
  }
  record.set_birth_date(absl::StrCat("2016-0", std::min(person, kPeople - 2) + 1, "-05"));
  if (has_address) {
    record.set_postcode("6211 XZ");
    record.set_house_number(absl::StrCat(person / 2 + 1));
  }
  record.set_contact(absl::StrCat("desk of ", partner));
  record.set_note(absl::StrCat("note ", dice.Below(1000), " of ", ref));
  return record;
}

void Spoil(v1::Record& record, Dice& dice) {
  switch (dice.Below(5)) {
    case 0:
      record.set_category("weather");
      break;
    case 1:
      record.set_bsn("123456789");
      break;
    case 2:
      record.set_kind("rumour");
      break;
    case 3:
      record.set_birth_date("2016-13-45");
      break;
    default:
      record.set_note(std::string(3000, 'x'));
  }
}

class Player {
 public:
  Player(uint64_t seed, bool tell) : tell_(tell), region_(seed, dice_), oracle_(region_) {}

  void Do(const Event& event) {
    dice_.Seed(event.dice);
    network().SetTrouble(kTrouble, event.dice);
    region_.clock().Advance(absl::Seconds(1));
    said_ = NameOf(event.kind);
    DoKind(event.kind);
    if (tell_) std::printf("  %s\n", said_.c_str());
    if (tell_) std::fflush(stdout);
  }

  // Everything expires, and what is kept for a time goes.
  void End() {
    Quiet();
    for (int week = 0; week < 17; ++week) {
      Pass(6 * 24);
      Settle();
      if (week == 4) oracle_.Compare();
    }
    oracle_.CompareEnd();
  }

  const Oracle& oracle() const { return oracle_; }

 private:
  Network& network() { return region_.network(); }
  std::string SomePartner() { return kPartners[dice_.Below(std::size(kPartners))]; }
  std::string SomePurpose() { return kPurposes[dice_.Below(std::size(kPurposes))]; }
  std::string SomeProcess() { return dice_.Percent(30) ? kBroker : SomePartner(); }
  bool IsUp(const std::string& process) { return network().IsUp(region_.FuseOf(process).process()); }
  void Say(const std::string& what) { said_ += " " + what; }

  void DoKind(Kind kind);
  void Push(const std::string& partner, const v1::Record& record, Oracle::Content content);
  void Withdraw(const std::string& partner, const std::string& ref);
  void Restore(const std::string& process);
  void Work();
  void WorkOf(const std::string& process);
  // `hours` go by; it is day then, and stays the same day for a while.
  void Pass(int64_t hours);
  void Settle();
  void Quiet();

  Dice dice_;
  const bool tell_;
  Region region_;
  Oracle oracle_;
  std::string said_;
  std::map<std::string, std::vector<std::string>> refs_;
  // What a partner's IT had no answer to: pushed, and withdrawn.
  std::vector<std::pair<std::string, v1::Record>> unanswered_;
  std::vector<std::pair<std::string, std::string>> unanswered_withdrawals_;
  bool settling_ = false;
  // Removed since all was quiet: not yet to be added again.
  std::set<std::string> just_removed_;
};

void Player::DoKind(Kind kind) {
  const std::string partner = SomePartner();
  const std::string purpose = SomePurpose();
  const auto overlap = [this] { return dice_.Percent(70) ? static_cast<uint32_t>(1 + dice_.Below(4)) : 0; };
  std::vector<std::string>& refs = refs_[partner];
  switch (kind) {
    case Kind::kPush: {
      const std::string ref = absl::StrCat("r", dice_.Below(100'000));
      Say(partner + " " + ref);
      if (std::find(refs.begin(), refs.end(), ref) == refs.end()) refs.push_back(ref);
      return Push(partner, RecordOf(partner, ref), Oracle::Content::kSame);
    }
    case Kind::kPushAgain: {
      if (refs.empty()) return;
      const std::string ref = refs[dice_.Below(refs.size())];
      v1::Record record = RecordOf(partner, ref);
      const bool changed = dice_.Percent(30);
      if (changed) record.set_note("another note");
      Say(absl::StrCat(partner, " ", ref, changed ? " changed" : " the same"));
      return Push(partner, record, changed ? Oracle::Content::kChanged : Oracle::Content::kSame);
    }
    case Kind::kPushGarbage: {
      v1::Record record = RecordOf(partner, absl::StrCat("g", dice_.Below(100'000)));
      Spoil(record, dice_);
      Say(partner);
      return Push(partner, record, Oracle::Content::kGarbage);
    }
    case Kind::kWithdraw: {
      if (refs.empty()) return;
      const std::string ref = refs[dice_.Below(refs.size())];
      Say(partner + " " + ref);
      if (oracle_.IsInDoubt(partner, ref)) return Say("has no answer to its push");
      return Withdraw(partner, ref);
    }
    case Kind::kWork:
      return Work();
    case Kind::kDays:
      Pass(static_cast<int64_t>(24 * (1 + dice_.Below(4))));
      return Say(absl::StrCat("until ", region_.Today()));
    case Kind::kSuspend:
    case Kind::kReturn:
      if (!region_.Suspend(partner, kind == Kind::kSuspend)) return Say("nobody");
      oracle_.Touch(partner);
      return Say(partner);
    case Kind::kRaiseEpoch: {
      const uint32_t days = overlap();
      if (!region_.RaiseEpoch(purpose, days)) return Say("of nothing");
      const bool has_keys = dice_.Percent(60);
      if (has_keys) region_.MakeKeys();
      return Say(absl::StrCat(purpose, ", overlap ", days, has_keys ? "" : ", without keys"));
    }
    case Kind::kMakeKeys:
      return region_.MakeKeys();
    case Kind::kRemovePartner: {
      const uint32_t days = overlap();
      if (!region_.RemovePartner(partner, days)) return Say("nobody");
      if (dice_.Percent(80)) region_.MakeKeys();
      oracle_.Touch(partner);
      return Say(absl::StrCat(partner, ", overlap ", days));
    }
    case Kind::kJoinPartner:
      for (const char* one : kPartners) {
        if (!region_.JoinPartner(one)) continue;
        oracle_.Touch(one);
        return Say(one);
      }
      return Say("nobody");
    case Kind::kRemovePurpose:
      if (!region_.RemovePurpose(purpose)) return Say("nothing");
      oracle_.Touch(purpose);
      just_removed_.insert(purpose);
      // Of before it ended.
      region_.DropCopies();
      return Say(purpose);
    case Kind::kAddPurpose:
      for (const char* one : kPurposes) {
        if (just_removed_.contains(one) || !region_.AddPurpose(one)) continue;
        oracle_.Touch(one);
        region_.MakeKeys();
        return Say(one);
      }
      return Say("nothing");
    case Kind::kDeliver: {
      const std::string process = dice_.Percent(10) ? "hub" : SomeProcess();
      Say(process);
      return region_.Deliver(process);
    }
    case Kind::kCrash: {
      const std::string process = SomeProcess();
      Say(process);
      if (!IsUp(process)) return region_.Restart(process);
      return region_.FuseOf(process).Arm(static_cast<uint32_t>(1 + dice_.Below(20)));
    }
    case Kind::kBackUp: {
      const std::string process = SomeProcess();
      Say(process);
      return region_.Backup(process);
    }
    case Kind::kRestore: {
      const std::string process = SomeProcess();
      Say(process);
      return Restore(process);
    }
    case Kind::kQuiet:
      return Quiet();
  }
}

// What is known of one process and not of another goes with the older epochs, which the broker ends before
// it hears anything of the new ones.
void Player::Restore(const std::string& process) {
  if (!region_.Restore(process)) return Say("without a copy");
  for (const char* purpose : kPurposes) {
    region_.clock().Advance(absl::Seconds(1));
    if (region_.RaiseEpoch(purpose, 0)) oracle_.Touch(purpose);
  }
  region_.MakeKeys();
  if (!IsUp(kBroker)) region_.Restart(kBroker);
  region_.FuseOf(kBroker).Arm(0);
  region_.Deliver(kBroker);
  WorkOf(kBroker);
  if (process == kBroker) return oracle_.BrokerRestored();
  const Oracle::Again again = oracle_.NodeRestored(process);
  for (const v1::Record& record : again.push) unanswered_.emplace_back(process, record);
  for (const std::string& ref : again.withdraw) unanswered_withdrawals_.emplace_back(process, ref);
}

void Player::Push(const std::string& partner, const v1::Record& record, Oracle::Content content) {
  bool answered = false;
  const bool ran = region_.Run(partner, [&] {
    const auto pass = region_.ItPass(partner, node::kPushMethod);
    if (!pass.ok()) {
      // What a restored node lacks is pushed when the partner is back.
      answered = !settling_;
      return Say("not admitted");
    }
    v1::PushRequest request;
    *request.add_records() = record;
    const auto response = region_.node(partner).intake->Push(*pass, request);
    answered = true;
    if (!response.ok()) return Say("failed");
    Say(v1::PushResult_Name(response->receipts(0).result()) + " " + response->receipts(0).reason());
    oracle_.Pushed(partner, record, content, response->receipts(0));
  });
  if (answered) return;
  if (!ran) Say("no answer");
  if (content != Oracle::Content::kSame) return;
  oracle_.InDoubt(partner, record.client_ref());
  unanswered_.emplace_back(partner, record);
}

void Player::Withdraw(const std::string& partner, const std::string& ref) {
  bool answered = false;
  const bool ran = region_.Run(partner, [&] {
    const auto pass = region_.ItPass(partner, node::kWithdrawMethod);
    if (!pass.ok()) {
      answered = !settling_;
      return Say("not admitted");
    }
    v1::WithdrawRequest request;
    request.set_client_ref(ref);
    request.set_reason("unjust");
    const auto response = region_.node(partner).intake->Withdraw(*pass, request);
    answered = true;
    oracle_.Withdrawn(partner, ref, response);
  });
  if (answered) return;
  if (!ran) Say("no answer");
  oracle_.WithdrawalInDoubt(partner, ref);
  unanswered_withdrawals_.emplace_back(partner, ref);
}

void Player::Work() {
  const std::string process = SomeProcess();
  if (!IsUp(process)) {
    Say(process + " is down");
    if (dice_.Percent(50)) region_.Restart(process);
    return;
  }
  Say(process);
  for (size_t step = 1 + dice_.Below(6); step > 0; --step) {
    region_.clock().Advance(absl::Seconds(static_cast<int64_t>(dice_.Below(8))));
    if (dice_.Percent(30)) network().DeliverLate();
    WorkOf(process);
    if (IsUp(process)) continue;
    return Say("and it stops");
  }
}

void Player::WorkOf(const std::string& process) {
  region_.Run(process, [&] {
    if (process == kBroker) return region_.broker().Work(dice_.Percent(20));
    NodeProcess& node = region_.node(process);
    switch (dice_.Below(5)) {
      case 0:
        return node.destruction->Look();
      case 1:
      case 2:
        return static_cast<void>(node.rotator->Step());
      default:
        return static_cast<void>(node.sender->Step());
    }
  });
}

void Player::Pass(int64_t hours) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilDay day(absl::ToCivilSecond(region_.clock().Now() + absl::Hours(hours), utc));
  region_.clock().Set(absl::FromCivil(day, utc) + absl::Hours(5) +
                      absl::Seconds(static_cast<int64_t>(dice_.Below(13 * 3600))));
  region_.Refresh();
}

// No more trouble: all that was begun comes to its end.
void Player::Settle() {
  network().SetTrouble(0, 0);
  const auto restart = [this](const std::string& process) {
    region_.FuseOf(process).Arm(0);
    if (!IsUp(process)) region_.Restart(process);
  };
  restart(kBroker);
  for (const char* partner : kPartners) restart(partner);
  region_.DeliverAll();
  while (network().DeliverLate()) {
  }
  settling_ = true;
  for (const auto& [partner, record] : std::exchange(unanswered_, {})) {
    Push(partner, record, Oracle::Content::kSame);
  }
  for (const auto& [partner, ref] : std::exchange(unanswered_withdrawals_, {})) Withdraw(partner, ref);
  settling_ = false;
  for (int round = 0; round < kRounds; ++round) {
    region_.clock().Advance(kRest);
    for (const char* partner : kPartners) {
      NodeProcess& node = region_.node(partner);
      node.destruction->Look();
      for (int step = 0; step < 100 && node.sender->Step(); ++step) {
      }
      for (int step = 0; step < 100 && node.rotator->Step(); ++step) {
      }
    }
    region_.broker().Work(round == 0);
  }
}

void Player::Quiet() {
  Settle();
  oracle_.Compare();
  just_removed_.clear();
}

}  // namespace

Outcome Play(uint64_t seed, const std::vector<Event>& history, bool tell) {
  auto player = std::make_unique<Player>(seed, tell);
  Outcome outcome;
  for (const Event& event : history) {
    player->Do(event);
    ++outcome.played;
    if (!player->oracle().problems().empty()) break;
  }
  if (player->oracle().problems().empty()) player->End();
  outcome.problems = player->oracle().problems();
  outcome.signals = player->oracle().compared_signals();
  outcome.matches = player->oracle().compared_matches();
  return outcome;
}

std::vector<Event> Shorten(uint64_t seed, std::vector<Event> history) {
  const auto fails = [&](const std::vector<Event>& part) {
    return !Play(seed, part, false).problems.empty();
  };
  for (size_t piece = std::max<size_t>(history.size() / 2, 1); piece > 0; piece /= 2) {
    for (size_t at = 0; at < history.size();) {
      std::vector<Event> part = history;
      const auto begin = part.begin() + static_cast<std::ptrdiff_t>(at);
      part.erase(begin, part.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, part.size())));
      if (!part.empty() && fails(part)) {
        history = std::move(part);
      } else {
        at += piece;
      }
    }
  }
  return history;
}

}  // namespace raakvlak::simulation

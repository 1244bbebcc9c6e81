// A made world for tests of `raakvlak`: a small region with a signed covenant and roster, fakes of the
// servers, and a run of the program with its output.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "cli/app.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "gtest/gtest.h"
#include "policy/covenant.h"
#include "policy/roster.h"
#include "policy/text.h"
#include "tests/unit/cli/fake_node_keys.h"

namespace raakvlak::cli::testing {

// A node that keeps what it accepted.
class FakeIntake final : public client::IntakeClient {
 public:
  // Decides about a record; by default accepted, or known by its client_ref.
  std::function<v1::PushReceipt(const v1::Record&)> on_record;
  // Called before each batch is answered; an error ends the stream.
  std::function<absl::Status()> on_batch = [] { return absl::OkStatus(); };
  std::function<absl::StatusOr<v1::WithdrawResponse>(const v1::WithdrawRequest&)> on_withdraw;
  std::function<absl::StatusOr<v1::GetStateResponse>(const v1::GetStateRequest&)> on_get_state;
  std::function<absl::StatusOr<v1::ListSignalsResponse>(const v1::ListSignalsRequest&)> on_list;
  std::function<absl::StatusOr<v1::GetReceiptResponse>(const v1::GetReceiptRequest&)> on_get_receipt;

  int streams = 0;
  int closed = 0;
  size_t most_under_way = 0;
  std::vector<int> batch_sizes;
  std::vector<size_t> batch_bytes;
  std::set<std::string> accepted;

  std::unique_ptr<client::PushStream> Push(absl::Duration timeout) override {
    EXPECT_LE(timeout, absl::Minutes(10));
    ++streams;
    return std::make_unique<Stream>(*this);
  }
  absl::StatusOr<v1::WithdrawResponse> Withdraw(const v1::WithdrawRequest& request, absl::Duration) override {
    return on_withdraw(request);
  }
  absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request, absl::Duration) override {
    return on_get_state(request);
  }
  absl::StatusOr<v1::ListSignalsResponse> ListSignals(const v1::ListSignalsRequest& request,
                                                      absl::Duration) override {
    return on_list(request);
  }
  absl::StatusOr<v1::GetReceiptResponse> GetReceipt(const v1::GetReceiptRequest& request,
                                                    absl::Duration) override {
    return on_get_receipt(request);
  }

 private:
  class Stream final : public client::PushStream {
   public:
    explicit Stream(FakeIntake& node) : node_(node) {}
    absl::Status Send(const v1::PushRequest& batch) override {
      EXPECT_FALSE(closed_);
      EXPECT_GE(batch.records_size(), 1);
      node_.batch_sizes.push_back(batch.records_size());
      node_.batch_bytes.push_back(batch.ByteSizeLong());
      under_way_.push_back(batch);
      node_.most_under_way = std::max(node_.most_under_way, under_way_.size());
      return absl::OkStatus();
    }
    absl::StatusOr<v1::PushResponse> Receive() override {
      EXPECT_FALSE(under_way_.empty()) << "Receive would wait for ever";
      RAAKVLAK_RETURN_IF_ERROR(node_.on_batch());
      v1::PushResponse response;
      for (const v1::Record& record : under_way_.front().records())
        *response.add_receipts() = node_.Decide(record);
      under_way_.pop_front();
      return response;
    }
    absl::Status Close() override {
      EXPECT_TRUE(under_way_.empty()) << "receipts were not waited for";
      closed_ = true;
      ++node_.closed;
      return absl::OkStatus();
    }

   private:
    FakeIntake& node_;
    bool closed_ = false;
    std::deque<v1::PushRequest> under_way_;
  };

  v1::PushReceipt Decide(const v1::Record& record) {
    if (on_record) return on_record(record);
    v1::PushReceipt receipt;
    receipt.set_result(accepted.insert(record.client_ref()).second ? v1::ACCEPTED : v1::KNOWN);
    return receipt;
  }
};

inline v1::PushReceipt RejectedReceipt(absl::string_view reason, absl::string_view field) {
  v1::PushReceipt receipt;
  receipt.set_result(v1::REJECTED);
  receipt.set_reason(std::string(reason));
  receipt.set_field(std::string(field));
  receipt.set_message("explained");
  return receipt;
}

class FakeCases final : public client::CasesClient {
 public:
  std::function<absl::StatusOr<v1::ListMatchesResponse>(const v1::ListMatchesRequest&)> on_list;
  std::function<absl::StatusOr<v1::OpenCaseResponse>(const v1::OpenCaseRequest&)> on_open;
  absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request,
                                               absl::Duration) override {
    return on_list(request);
  }
  absl::StatusOr<v1::OpenCaseResponse> Open(const v1::OpenCaseRequest& request, absl::Duration) override {
    return on_open(request);
  }
};

class FakeAudit final : public client::AuditClient {
 public:
  std::function<absl::StatusOr<v1::ListLogsResponse>(const v1::ListLogsRequest&)> on_logs;
  std::function<absl::StatusOr<v1::ListEntriesResponse>(const v1::ListEntriesRequest&)> on_list;
  std::function<absl::StatusOr<v1::GetEntryResponse>(const v1::GetEntryRequest&)> on_get;
  std::function<absl::StatusOr<v1::ReadFilesResponse>(const v1::ReadFilesRequest&)> on_read;
  std::function<absl::StatusOr<v1::WatchResponse>(const std::string& position)> on_watch;
  absl::Duration watch_timeout;
  // Whose log was asked for last.
  std::string log;
  absl::StatusOr<v1::ListLogsResponse> ListLogs(const v1::ListLogsRequest& request, absl::Duration) override {
    return on_logs(request);
  }
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                      absl::Duration) override {
    return on_list(request);
  }
  absl::StatusOr<v1::GetEntryResponse> GetEntry(const v1::GetEntryRequest& request, absl::Duration) override {
    return on_get(request);
  }
  absl::StatusOr<v1::ReadFilesResponse> ReadFiles(const v1::ReadFilesRequest& request,
                                                  absl::Duration) override {
    return on_read(request);
  }
  std::unique_ptr<client::WatchStream> Watch(absl::Duration timeout) override {
    watch_timeout = timeout;
    return std::make_unique<Stream>(*this);
  }

 private:
  class Stream final : public client::WatchStream {
   public:
    explicit Stream(FakeAudit& server) : server_(server) {}
    absl::StatusOr<v1::WatchResponse> Next(const std::string& position) override {
      return server_.on_watch(position);
    }

   private:
    FakeAudit& server_;
  };
};

// The broker's Policy: `published` gets what it took, unless `refusal` is an error.
class FakePolicy final : public client::PolicyClient {
 public:
  FakePolicy(std::vector<std::string>& published, const absl::Status& refusal)
      : published_(published), refusal_(refusal) {}
  absl::StatusOr<v1::PublishResponse> Publish(const v1::PublishRequest& request, absl::Duration) override {
    RAAKVLAK_RETURN_IF_ERROR(refusal_);
    published_.push_back(request.note());
    v1::PublishResponse response;
    response.set_kind("covenant");
    response.set_note_hash(base::Sha256(request.note()));
    return response;
  }
  absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const v1::FetchPolicyRequest&,
                                                      absl::Duration) override {
    return v1::FetchPolicyResponse();
  }

 private:
  std::vector<std::string>& published_;
  const absl::Status& refusal_;
};

struct Outcome {
  ExitCode exit_code;
  std::string out;
  std::string err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

class World {
 public:
  World() {
    MakeCovenant();
    MakeRoster();
    const std::string key_path = path("staff.key");
    EXPECT_TRUE(base::WriteSecretFile(key_path, staff_key_.ToPem()).ok());
    nlohmann::json region = {{"broker", {{"address", "127.0.0.1:1"}}}, {"hub", {{"address", "127.0.0.1:2"}}}};
    for (const char* name : {"politie", "staff", "officer", "operator-politie"}) {
      region["identities"][name] = {{"cert", "c.pem"}, {"key", "k.pem"}, {"ca", "ca.pem"}};
    }
    region["identities"]["staff"]["urn"] = kStaffUrn;
    region["identities"]["staff"]["signing_key"] = "staff.key";
    Write("region.json", region.dump());
  }

  static constexpr char kStaffUrn[] = "urn:raakvlak:demo:staff:anna";

  FakeIntake intake;
  FakeCases cases;
  FakeAudit audit;
  FakeNodeKeys node_keys;
  std::vector<std::string> published;
  absl::Status publish_refusal;
  base::testing::FakeClock clock;
  base::testing::SeededRandom random{1};
  // What Services answers instead of a client.
  absl::Status away;

  std::string path(const std::string& name) const { return absl::StrCat(folder_.path(), "/", name); }
  void Write(const std::string& name, absl::string_view content) const {
    ASSERT_TRUE(base::WriteFileAtomically(path(name), content, 0600).ok());
  }
  const policy::Covenant& covenant() const { return *covenant_; }
  // The signed note, as a file.
  std::string covenant_path() const { return path("covenant.note"); }
  const crypto::note::PrivateKey& broker_log_key() const { return broker_log_key_; }
  // By the URN of the partner's node.
  const std::map<std::string, crypto::note::PrivateKey>& witness_keys() const { return witness_keys_; }
  const crypto::note::PublicKey& staff_public_key() const { return staff_key_.public_key(); }

  // Runs `raakvlak ARGUMENTS` as it is, and with the region and an identity.
  Outcome Run(std::vector<std::string> arguments, const std::string& input = "") {
    std::istringstream in(input);
    return RunWith(std::move(arguments), in);
  }
  Outcome RunWith(std::vector<std::string> arguments, std::istream& in) {
    std::ostringstream out;
    std::ostringstream err;
    const Environment environment{in,
                                  out,
                                  err,
                                  clock,
                                  random,
                                  false,
                                  [this](const Region&, const Identity&) { return MakeServices(); }};
    const ExitCode exit_code = RunRaakvlak(std::move(arguments), environment);
    return {exit_code, out.str(), err.str()};
  }
  Outcome RunAs(const std::string& name, std::vector<std::string> arguments, const std::string& input = "") {
    std::vector<std::string> all = {"--region", path("region.json"), "--as", name};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Run(std::move(all), input);
  }

  std::unique_ptr<Services> MakeServices() { return std::make_unique<FakeServices>(*this); }

 private:
  class FakeServices final : public Services {
   public:
    explicit FakeServices(World& world) : world_(world) {}
    absl::StatusOr<std::shared_ptr<const policy::Covenant>> Covenant() override { return world_.covenant_; }
    absl::StatusOr<std::shared_ptr<const policy::Roster>> Roster() override { return world_.roster_; }
    absl::StatusOr<std::unique_ptr<client::IntakeClient>> Intake() override {
      if (!world_.away.ok()) return world_.away;
      return std::make_unique<IntakeForward>(world_.intake);
    }
    absl::StatusOr<std::unique_ptr<client::CasesClient>> Cases() override {
      if (!world_.away.ok()) return world_.away;
      return std::make_unique<CasesForward>(world_.cases);
    }
    absl::StatusOr<std::unique_ptr<client::AuditClient>> Audit(const std::string& log) override {
      if (!world_.away.ok()) return world_.away;
      world_.audit.log = log;
      return std::make_unique<AuditForward>(world_.audit);
    }
    absl::StatusOr<std::unique_ptr<client::PolicyClient>> Policy() override {
      if (!world_.away.ok()) return world_.away;
      return std::make_unique<FakePolicy>(world_.published, world_.publish_refusal);
    }
    absl::StatusOr<std::unique_ptr<client::NodeKeysClient>> NodeKeys() override {
      if (!world_.away.ok()) return world_.away;
      return std::make_unique<NodeKeysForward>(world_.node_keys);
    }

   private:
    World& world_;
  };

  // Clients that forward to the fakes, because a command owns its client.
  class IntakeForward final : public client::IntakeClient {
   public:
    explicit IntakeForward(FakeIntake& fake) : fake_(fake) {}
    std::unique_ptr<client::PushStream> Push(absl::Duration timeout) override { return fake_.Push(timeout); }
    absl::StatusOr<v1::WithdrawResponse> Withdraw(const v1::WithdrawRequest& request,
                                                  absl::Duration timeout) override {
      return fake_.Withdraw(request, timeout);
    }
    absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request,
                                                  absl::Duration timeout) override {
      return fake_.GetState(request, timeout);
    }
    absl::StatusOr<v1::ListSignalsResponse> ListSignals(const v1::ListSignalsRequest& request,
                                                        absl::Duration timeout) override {
      return fake_.ListSignals(request, timeout);
    }
    absl::StatusOr<v1::GetReceiptResponse> GetReceipt(const v1::GetReceiptRequest& request,
                                                      absl::Duration timeout) override {
      return fake_.GetReceipt(request, timeout);
    }

   private:
    FakeIntake& fake_;
  };

  class CasesForward final : public client::CasesClient {
   public:
    explicit CasesForward(FakeCases& fake) : fake_(fake) {}
    absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request,
                                                 absl::Duration timeout) override {
      return fake_.List(request, timeout);
    }
    absl::StatusOr<v1::OpenCaseResponse> Open(const v1::OpenCaseRequest& request,
                                              absl::Duration timeout) override {
      return fake_.Open(request, timeout);
    }

   private:
    FakeCases& fake_;
  };

  class AuditForward final : public client::AuditClient {
   public:
    explicit AuditForward(FakeAudit& fake) : fake_(fake) {}
    absl::StatusOr<v1::ListLogsResponse> ListLogs(const v1::ListLogsRequest& request,
                                                  absl::Duration timeout) override {
      return fake_.ListLogs(request, timeout);
    }
    absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                        absl::Duration timeout) override {
      return fake_.ListEntries(request, timeout);
    }
    absl::StatusOr<v1::GetEntryResponse> GetEntry(const v1::GetEntryRequest& request,
                                                  absl::Duration timeout) override {
      return fake_.GetEntry(request, timeout);
    }
    absl::StatusOr<v1::ReadFilesResponse> ReadFiles(const v1::ReadFilesRequest& request,
                                                    absl::Duration timeout) override {
      return fake_.ReadFiles(request, timeout);
    }
    std::unique_ptr<client::WatchStream> Watch(absl::Duration timeout) override {
      return fake_.Watch(timeout);
    }

   private:
    FakeAudit& fake_;
  };

  static std::string NewPublicKey(base::Random& random) {
    return base::Base64(crypto::note::PrivateKey::Generate(random).public_key().bytes());
  }
  static std::string KeyText(const std::string& urn, const crypto::note::PrivateKey& key) {
    return crypto::note::VerifierKey::Create(urn, key.public_key())->Encode();
  }

  void MakeCovenant() {
    v1::Covenant text;
    text.set_format(1);
    text.set_region("demo");
    text.set_version(1);
    text.set_valid_from("2026-01-01T00:00:00Z");
    text.set_valid_until("2036-01-01T00:00:00Z");
    text.set_time_zone("Europe/Amsterdam");
    text.set_population(1000);
    text.set_quorum(2);
    text.set_bsn_policy(v1::BSN_TEST_RANGE);
    text.set_matching_interval_seconds(1);
    text.set_log_retention_days(365);
    std::map<std::string, crypto::note::PrivateKey> keys;
    uint32_t index = 0;
    for (const char* id : {"politie", "gemeente"}) {
      const std::string urn = policy::Urn("demo", "node", id);
      const auto& key = keys.emplace(urn, crypto::note::PrivateKey::Generate(random)).first->second;
      v1::Partner& partner = *text.add_partners();
      partner.set_id(id);
      partner.set_name(id);
      partner.set_index(++index);
      partner.set_organisation(absl::StrCat("KVK:0000000", index));
      partner.set_participant_class(v1::LID1);
      partner.set_bsn_entitled(true);
      partner.set_signing_key(KeyText(urn, key));
      partner.set_log_key(NewPublicKey(random));
      const auto& witness =
          witness_keys_.emplace(urn, crypto::note::PrivateKey::Generate(random)).first->second;
      partner.set_witness_key(base::Base64(witness.public_key().bytes()));
    }
    text.mutable_broker()->set_organisation("KVK:00000008");
    text.mutable_broker()->set_urn("urn:raakvlak:demo:broker:b");
    text.mutable_broker()->set_log_key(base::Base64(broker_log_key_.public_key().bytes()));
    text.mutable_broker()->set_witness_key(NewPublicKey(random));
    v1::Hub& hub = *text.mutable_hub();
    hub.set_name("hub");
    hub.set_organisation("KVK:00000009");
    hub.set_urn("urn:raakvlak:demo:hub:h");
    hub.set_signing_key(KeyText(hub.urn(), hub_key_));
    hub.set_log_key(NewPublicKey(random));
    for (const char* id : {"onaantastbaren", "risicojeugd"}) {
      v1::Purpose& purpose = *text.add_purposes();
      purpose.set_id(id);
      purpose.set_title(id);
      purpose.set_legal_basis(absl::StrCat("article of ", id));
      purpose.set_mode(v1::LIST);
      purpose.set_disclosure_threshold(2);
      purpose.add_categories("geweld");
      purpose.add_submitters("politie");
      purpose.add_submitters("gemeente");
      purpose.set_retention_days(365);
      purpose.set_epoch(1);
      v1::LinkageRule& rule = *purpose.add_rules();
      rule.set_id("bsn");
      rule.set_identifier_class(v1::BSN);
      rule.set_quality(v1::EXACT);
      rule.set_version(1);
      rule.set_subject(v1::PERSON_SUBJECT);
      v1::SealKey& seal = *hub.add_seal_keys();
      const std::string public_key = random.Bytes(32);
      seal.set_purpose(id);
      seal.set_epoch(1);
      seal.set_public_key(base::Base64(public_key));
      seal.set_id(base::Hex(base::Sha256(public_key)).substr(0, 16));
    }
    v1::Quota& quota = *text.add_quotas();
    quota.set_identifier_class(v1::BSN);
    quota.set_elements_per_day(1000);
    crypto::note::Note note{policy::PrintText(text), {}};
    for (const auto& [urn, key] : keys) {
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    }
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(hub.urn(), hub_key_.public_key()), hub_key_);
    auto covenant = policy::Covenant::Verify(crypto::note::Format(note));
    if (!covenant.ok()) std::fprintf(stderr, "%s\n", covenant.status().ToString().c_str());
    covenant_ = *std::move(covenant);
    Write("covenant.note", crypto::note::Format(note));
  }

  void MakeRoster() {
    v1::Roster text;
    text.set_format(1);
    text.set_covenant_id(base::Hex(covenant_->id()));
    text.set_number(1);
    text.set_issued(policy::FormatUtc(clock.Now() - absl::Hours(1)));
    text.set_expires(policy::FormatUtc(clock.Now() + absl::Hours(24)));
    v1::Member& member = *text.add_members();
    member.set_id("anna");
    member.set_urn(kStaffUrn);
    member.set_signing_key(KeyText(kStaffUrn, staff_key_));
    member.add_roles(v1::STAFF);
    member.add_purposes("onaantastbaren");
    member.add_purposes("risicojeugd");
    crypto::note::Note note{policy::PrintText(text), {}};
    crypto::note::Sign(note, covenant_->HubVerifier(), hub_key_);
    auto roster = policy::Roster::Verify(crypto::note::Format(note), *covenant_);
    if (!roster.ok()) std::fprintf(stderr, "%s\n", roster.status().ToString().c_str());
    roster_ = *std::move(roster);
  }

  base::testing::TemporaryFolder folder_;
  crypto::note::PrivateKey hub_key_ = crypto::note::PrivateKey::Generate(random);
  crypto::note::PrivateKey broker_log_key_ = crypto::note::PrivateKey::Generate(random);
  std::map<std::string, crypto::note::PrivateKey> witness_keys_;
  crypto::note::PrivateKey staff_key_ = crypto::note::PrivateKey::Generate(random);
  std::shared_ptr<const policy::Covenant> covenant_;
  std::shared_ptr<const policy::Roster> roster_;
};

}  // namespace raakvlak::cli::testing

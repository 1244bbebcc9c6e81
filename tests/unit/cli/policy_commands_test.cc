// The commands on covenant, roster and keys as a user types them, from the first key to a roster.
#include "cli/policy_commands.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/file.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "cli/agreement.h"
#include "cli/app.h"
#include "linkage/default_rules.h"
#include "policy/covenant.h"
#include "policy/keyset/key_files.h"
#include "policy/note_folder.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUrn[] = "urn:raakvlak:maastricht:";

class PolicyCommandsTest : public ::testing::Test {
 protected:
  ExitCode Run(std::vector<std::string> arguments) {
    std::istringstream in;
    std::ostringstream out, err;
    const Environment environment{in, out, err, clock_, random_, false, nullptr};
    const ExitCode code = RunRaakvlak(std::move(arguments), environment);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  std::string Path(const std::string& name) { return folder_.File(name); }
  void Put(const std::string& name, const std::string& content) {
    ASSERT_THAT(base::WriteFileAtomically(Path(name), content, 0644), base::testing::IsOk());
  }
  std::string Get(const std::string& name) { return *base::ReadFile(Path(name)); }
  nlohmann::json Json() { return nlohmann::json::parse(out_); }

  // Makes <id>.pem and returns its verifier key.
  std::string NewSigningKey(const std::string& role, const std::string& id) {
    EXPECT_EQ(Run({"--json", "key", "new", "--kind", "signing", "--name", kUrn + role + ":" + id, "--out",
                   Path(id + ".pem")}),
              ExitCode::kOk)
        << err_;
    return Json()["signing_key"];
  }
  std::string FillKeys(std::string text, const std::string& role, const std::string& id) {
    return absl::StrReplaceAll(text,
                               {{"<raakvlak key new --kind signing --name " + (kUrn + role + ":" + id) + ">",
                                 NewSigningKey(role, id)}});
  }
  std::string FillLogKey(const std::string& text, const std::string& kind, const std::string& id) {
    const std::string file = id + "-" + kind + ".pem";
    EXPECT_EQ(Run({"--json", "key", "new", "--kind", kind, "--out", Path(file)}), ExitCode::kOk) << err_;
    return absl::StrReplaceAll(text, {{"<raakvlak key new --kind " + kind + " --out " + file + ">",
                                       Json()["public_key"].get<std::string>()}});
  }
  // The sample covenant with keys, unsigned, in covenant.note.
  void MakeCovenant() {
    ASSERT_EQ(Run({"covenant", "new"}), ExitCode::kOk);
    std::string text = out_;
    for (const std::string& id : partners_) text = FillKeys(text, "node", id);
    text = FillKeys(text, "hub", "veiligheidshuis");
    text = FillKeys(text, "officer", "fg");
    for (const char* kind : {"log", "witness"}) {
      for (const std::string id : {"politie", "gemeente", "woningcorporatie", "broker", "veiligheidshuis"}) {
        text = FillLogKey(text, kind, id);
      }
    }
    std::filesystem::create_directory(Path("seal"));
    ASSERT_EQ(Run({"--json", "key", "new", "--kind", "seal", "--out", Path("seal")}), ExitCode::kOk) << err_;
    text = absl::StrReplaceAll(text, {{"<raakvlak key new --kind seal>", Json()["id"].get<std::string>()},
                                      {"<the same>", Json()["public_key"].get<std::string>()}});
    Put("covenant.textproto", text);
    ASSERT_EQ(Run({"covenant", "new", "--from", Path("covenant.textproto"), "--out", Path("covenant.note")}),
              ExitCode::kOk)
        << err_;
  }
  ExitCode Sign(const std::string& role, const std::string& id) {
    return Run({"covenant", "sign", "--in", Path("covenant.note"), "--key", Path(id + ".pem"), "--name",
                kUrn + role + ":" + id});
  }
  void SignByAll() {
    for (const std::string& id : partners_) ASSERT_EQ(Sign("node", id), ExitCode::kOk) << err_;
    ASSERT_EQ(Sign("hub", "veiligheidshuis"), ExitCode::kOk) << err_;
  }
  void SignNote(crypto::note::Note& note, const std::string& role, const std::string& id) {
    const auto key = policy::ReadSigningKey(Path(id + ".pem"));
    ASSERT_THAT(key, base::testing::IsOk());
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(kUrn + role + ":" + id, key->public_key()),
                       *key);
  }
  ExitCode Verify() { return Run({"covenant", "verify", Path("covenant.note")}); }

  base::testing::FakeClock clock_;
  base::testing::SeededRandom random_{42};
  base::testing::TemporaryFolder folder_;
  const std::vector<std::string> partners_ = {"politie", "gemeente", "woningcorporatie"};
  std::string out_, err_;
};

TEST_F(PolicyCommandsTest, CovenantGoesFromSampleToVerified) {
  MakeCovenant();
  EXPECT_EQ(Verify(), ExitCode::kVerificationFailed) << "not signed yet";
  EXPECT_THAT(err_, HasSubstr("nobody has signed the covenant yet"));
  for (const std::string& id : partners_) ASSERT_EQ(Sign("node", id), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("signed by 3 of 4\n  missing: urn:raakvlak:maastricht:hub:veiligheidshuis"));
  EXPECT_EQ(Verify(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("SIGNATURE_INVALID"));
  EXPECT_THAT(err_, HasSubstr("urn:raakvlak:maastricht:hub:veiligheidshuis"));
  ASSERT_EQ(Sign("hub", "veiligheidshuis"), ExitCode::kOk);
  EXPECT_EQ(Verify(), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("all partners and the hub"));
  EXPECT_THAT(out_, HasSubstr("quota: BSN: a partner with 1 of 3 key holders"));
  EXPECT_THAT(out_, ::testing::ContainsRegex("onaantastbaren +names-birthdate +STRONG +0.0"));
  EXPECT_THAT(out_, Not(HasSubstr("warning")));
}

TEST_F(PolicyCommandsTest, VerifyTellsWhatFallsWhenOneOrganisationRunsTwoParts) {
  MakeCovenant();
  const std::string text =
      absl::StrReplaceAll(Get("covenant.note"), {{"KVK:00000004", "OIN:00000000000000000005"}});
  Put("collusion.textproto", text);
  EXPECT_EQ(Run({"covenant", "new", "--from", Path("collusion.textproto")}), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("accept_collusion"));
  Put("collusion.textproto", text + "accept_collusion: true\n");
  std::filesystem::remove(Path("covenant.note"));
  ASSERT_EQ(Run({"covenant", "new", "--from", Path("collusion.textproto"), "--out", Path("covenant.note")}),
            ExitCode::kOk)
      << err_;
  SignByAll();
  EXPECT_EQ(Verify(), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("warning: OIN:00000000000000000005 runs the broker and the hub"));
  ASSERT_EQ(Run({"--json", "covenant", "verify", Path("covenant.note")}), ExitCode::kOk);
  EXPECT_EQ(Json()["warnings"].size(), 1u);
  EXPECT_EQ(Json()["quota_notes"].size(), 2u);
}

TEST_F(PolicyCommandsTest, VerifyRefusesAnExpiredCovenantAndAMissingFile) {
  MakeCovenant();
  SignByAll();
  clock_.Advance(absl::Hours(24 * 366));
  EXPECT_EQ(Verify(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("COVENANT_EXPIRED"));
  EXPECT_EQ(Run({"covenant", "verify", Path("none")}), ExitCode::kError);
}

TEST_F(PolicyCommandsTest, ACovenantThatFollowsAnotherGetsItsNewEpoch) {
  MakeCovenant();
  Put("covenant.textproto", Get("covenant.textproto") + "overlap_days: 30\n");
  std::filesystem::remove(Path("covenant.note"));
  ASSERT_EQ(Run({"covenant", "new", "--from", Path("covenant.textproto"), "--out", Path("covenant.note")}),
            ExitCode::kOk)
      << err_;
  SignByAll();
  ASSERT_EQ(Run({"--json", "covenant", "verify", Path("covenant.note")}), ExitCode::kOk) << err_;
  const std::string id = Json()["id"];
  ASSERT_EQ(Run({"--json", "key", "new", "--kind", "seal", "--out", Path("seal")}), ExitCode::kOk) << err_;
  const std::string seal_id = Json()["id"];
  const std::string seal_key = Json()["public_key"];
  std::vector<std::string> next = {"covenant",     "new",
                                   "--previous",   Path("covenant.note"),
                                   "--valid-from", "2027-06-01T00:00:00Z",
                                   "--out",        Path("next.note"),
                                   "--next-epoch", "onaantastbaren"};
  EXPECT_EQ(Run(next), ExitCode::kError) << "no seal key";
  EXPECT_THAT(err_, HasSubstr("--seal-key onaantastbaren=PUBLIC_KEY"));
  next.insert(next.end(), {"--seal-key", "onaantastbaren=" + seal_key});
  ASSERT_EQ(Run(next), ExitCode::kOk) << err_;
  const auto text = policy::ParseCovenantText(Get("next.note"));
  ASSERT_THAT(text, base::testing::IsOk());
  EXPECT_EQ(text->version(), 2u);
  EXPECT_EQ(text->supersedes(), id);
  EXPECT_EQ(text->valid_from(), "2027-06-01T00:00:00Z");
  EXPECT_EQ(text->purposes(0).epoch(), 2u);
  EXPECT_EQ(text->purposes(0).previous_epoch_until(), "2027-07-01T00:00:00Z");
  ASSERT_EQ(text->hub().seal_keys_size(), 2);
  EXPECT_EQ(text->hub().seal_keys(0).epoch(), 1u);
  EXPECT_EQ(text->hub().seal_keys(1).epoch(), 2u);
  EXPECT_EQ(text->hub().seal_keys(1).id(), seal_id);
}

TEST_F(PolicyCommandsTest, ACovenantThatFollowsAnotherRefusesWhatItIsNotAbout) {
  MakeCovenant();
  SignByAll();
  const auto refused = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"covenant", "new", "--previous", Path("covenant.note")});
    return Run(more);
  };
  EXPECT_EQ(refused({"--from", "x"}), ExitCode::kUsage);
  EXPECT_EQ(refused({"--valid-from", "tomorrow"}), ExitCode::kError);
  EXPECT_EQ(refused({"--next-epoch", "niets"}), ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("no purpose niets"));
  EXPECT_EQ(refused({"--seal-key", "onaantastbaren=x"}), ExitCode::kError);
  EXPECT_EQ(refused({"--seal-key", "onaantastbaren"}), ExitCode::kUsage);
  EXPECT_EQ(Run({"covenant", "new", "--next-epoch", "onaantastbaren"}), ExitCode::kUsage);
  // Without an overlap nothing of the epoch before stays.
  ASSERT_EQ(Run({"--json", "key", "new", "--kind", "seal", "--out", Path("seal")}), ExitCode::kOk) << err_;
  EXPECT_EQ(refused({"--next-epoch", "onaantastbaren", "--seal-key",
                     "onaantastbaren=" + Json()["public_key"].get<std::string>()}),
            ExitCode::kOk)
      << err_;
  EXPECT_THAT(out_, Not(HasSubstr("previous_epoch_until")));
  EXPECT_THAT(out_, Not(HasSubstr("epoch: 1\n")));
  EXPECT_EQ(refused({}), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("version: 2\n"));
}

TEST_F(PolicyCommandsTest, ShowTellsWhatIsSignedAndByWhom) {
  MakeCovenant();
  ASSERT_EQ(Sign("node", "gemeente"), ExitCode::kOk);
  ASSERT_EQ(Run({"covenant", "show", Path("covenant.note")}), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("woningcorporatie"));
  EXPECT_THAT(out_, HasSubstr("WGS 2.26(b), 2.32"));
  EXPECT_THAT(out_, HasSubstr("the broker's log needs 2 of 3 partners"));
  EXPECT_THAT(out_, HasSubstr("signed by 1 of 4"));
  ASSERT_EQ(Run({"--json", "covenant", "show", Path("covenant.note")}), ExitCode::kOk);
  EXPECT_EQ(Json()["covenant"]["partners"][2]["participant_class"], "THIRD");
  EXPECT_EQ(Json()["signatures"]["signed_by"],
            nlohmann::json::array({"urn:raakvlak:maastricht:node:gemeente"}));
}

TEST_F(PolicyCommandsTest, SigningWithAnotherKeyOrAnOpenKeyFileIsRefused) {
  MakeCovenant();
  const std::string before = Get("covenant.note");
  EXPECT_EQ(Run({"covenant", "sign", "--in", Path("covenant.note"), "--key", Path("gemeente.pem"), "--name",
                 "urn:raakvlak:maastricht:node:politie"}),
            ExitCode::kError);
  ASSERT_EQ(chmod(Path("politie.pem").c_str(), 0644), 0);
  EXPECT_EQ(Sign("node", "politie"), ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("FILE_UNSAFE"));
  EXPECT_EQ(Get("covenant.note"), before);
}

TEST_F(PolicyCommandsTest, RosterGoesFromSampleToVerified) {
  MakeCovenant();
  SignByAll();
  ASSERT_EQ(Run({"roster", "new"}), ExitCode::kOk);
  Put("roster.textproto", FillKeys(FillKeys(out_, "staff", "anna"), "officer", "olga"));
  ASSERT_EQ(Run({"roster", "new", "--covenant", Path("covenant.note"), "--from", Path("roster.textproto"),
                 "--number", "12", "--days", "7", "--out", Path("roster.note")}),
            ExitCode::kOk)
      << err_;
  const std::vector<std::string> show = {"roster", "show", "--covenant", Path("covenant.note"),
                                         Path("roster.note")};
  EXPECT_EQ(Run(show), ExitCode::kVerificationFailed) << "not signed yet";
  ASSERT_EQ(Run({"roster", "sign", "--covenant", Path("covenant.note"), "--in", Path("roster.note"), "--key",
                 Path("veiligheidshuis.pem"), "--name", "urn:raakvlak:maastricht:hub:veiligheidshuis"}),
            ExitCode::kOk)
      << err_;
  EXPECT_THAT(out_, HasSubstr("missing: urn:raakvlak:maastricht:officer:fg"));
  EXPECT_EQ(Run(show), ExitCode::kVerificationFailed) << "officers are countersigned";
  ASSERT_EQ(Run({"roster", "sign", "--covenant", Path("covenant.note"), "--in", Path("roster.note"), "--key",
                 Path("fg.pem"), "--name", "urn:raakvlak:maastricht:officer:fg"}),
            ExitCode::kOk)
      << err_;
  ASSERT_EQ(Run(show), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("roster 12, verified"));
  EXPECT_THAT(out_, HasSubstr("until 2027-01-22T08:00:00Z"));
  clock_.Advance(absl::Hours(24 * 7));
  EXPECT_EQ(Run(show), ExitCode::kVerificationFailed);
  EXPECT_EQ(Run({"roster", "show", Path("roster.note")}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("not verified"));
}

TEST_F(PolicyCommandsTest, SuccessorIsComparedAndItsChangesAreTold) {
  MakeCovenant();
  SignByAll();
  const std::string first = Get("covenant.note");
  Put("first.note", first);
  ASSERT_EQ(Run({"covenant", "new", "--previous", Path("first.note"), "--valid-from", "2027-02-01T00:00:00Z",
                 "--out", Path("next.textproto")}),
            ExitCode::kOk)
      << err_;
  const auto sign_all = [&](const std::string& text) {
    Put("covenant.note", text);
    SignByAll();
  };
  const std::vector<std::string> verify = {"covenant", "verify", "--previous", Path("first.note"),
                                           Path("covenant.note")};
  const std::string next = Get("next.textproto");
  sign_all(absl::StrReplaceAll(
      next, {{"retention_days: 365", "retention_days: 100"}, {"submitters: \"woningcorporatie\"\n", ""}}));
  ASSERT_EQ(Run(verify), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("change: purpose onaantastbaren: retention_days: retention_days: 365 -> "
                              "retention_days: 100\n"));
  EXPECT_THAT(out_, HasSubstr("change: purpose onaantastbaren: submitters: no longer woningcorporatie\n"));
  EXPECT_THAT(out_, HasSubstr("change: valid_from: "));
  EXPECT_THAT(out_, Not(HasSubstr("supersedes:")));
  sign_all(absl::StrReplaceAll(next, {{"disclosure_threshold: 2", "disclosure_threshold: 3"}}));
  EXPECT_EQ(Run(verify), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("another k needs a new epoch"));
}

TEST_F(PolicyCommandsTest, PartnerWithANewKeySignsWithBoth) {
  MakeCovenant();
  SignByAll();
  Put("first.note", Get("covenant.note"));
  const std::string old_key = Get("politie.pem");
  ASSERT_EQ(Run({"covenant", "new", "--previous", Path("first.note"), "--out", Path("next.textproto")}),
            ExitCode::kOk);
  const auto previous = policy::Covenant::Verify(Get("first.note"));
  ASSERT_THAT(previous, base::testing::IsOk());
  const std::string old_verifier = (*previous)->PartnerVerifier("politie").Encode();
  std::filesystem::rename(Path("politie.pem"), Path("old.pem"));
  Put("covenant.note",
      absl::StrReplaceAll(Get("next.textproto"), {{old_verifier, NewSigningKey("node", "politie")}}));
  SignByAll();
  const std::vector<std::string> verify = {"covenant", "verify", "--previous", Path("first.note"),
                                           Path("covenant.note")};
  EXPECT_EQ(Run(verify), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("not signed by urn:raakvlak:maastricht:node:politie"));
  const std::vector<std::string> sign = {
      "covenant", "sign",          "--in",   Path("covenant.note"),
      "--key",    Path("old.pem"), "--name", "urn:raakvlak:maastricht:node:politie"};
  EXPECT_EQ(Run(sign), ExitCode::kError) << "its own text does not know that key";
  std::vector<std::string> with_previous = sign;
  with_previous.insert(with_previous.end(), {"--previous", Path("first.note")});
  ASSERT_EQ(Run(with_previous), ExitCode::kOk) << err_;
  EXPECT_EQ(Run(verify), ExitCode::kOk) << err_;
}

TEST_F(PolicyCommandsTest, WithdrawalIsSignedByThePartner) {
  MakeCovenant();
  SignByAll();
  const auto withdraw = [&](const std::string& partner, const std::string& key) {
    return Run({"covenant", "withdraw", "--covenant", Path("covenant.note"), "--partner", partner, "--key",
                Path(key + ".pem"), "--out", Path("withdrawal.note")});
  };
  EXPECT_EQ(withdraw("anders", "politie"), ExitCode::kUsage);
  EXPECT_EQ(withdraw("politie", "gemeente"), ExitCode::kError) << "another's key";
  EXPECT_EQ(Run({"covenant", "withdraw", "--covenant", Path("covenant.note"), "--partner", "politie", "--key",
                 Path("politie.pem")}),
            ExitCode::kUsage)
      << "it would go nowhere";
  ASSERT_EQ(withdraw("politie", "politie"), ExitCode::kOk) << err_;
  const auto covenant = policy::Covenant::Verify(Get("covenant.note"));
  ASSERT_THAT(covenant, base::testing::IsOk());
  const auto withdrawal =
      policy::VerifyWithdrawal(Get("withdrawal.note"), *policy::CovenantChain::Create({*covenant}));
  ASSERT_THAT(withdrawal, base::testing::IsOk());
  EXPECT_EQ(withdrawal->partner, "politie");
}

TEST_F(PolicyCommandsTest, ExcludedAddressesGoFromCsvToVerified) {
  MakeCovenant();
  SignByAll();
  const std::string covenant = Path("covenant.note");
  Put("bad.csv",
      "house_number,postcode,house_letter\n12,6211 ab,a\nx,6211AB,\n,6211AB,\n14,6211A\n12,621,\n");
  EXPECT_EQ(Run({"addresses", "new", "--covenant", covenant, "--from", Path("bad.csv"), "--number", "4",
                 "--out", Path("addresses.note")}),
            ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("bad.csv:3: house_number: HOUSE_NUMBER_INVALID"));
  EXPECT_THAT(err_, HasSubstr("bad.csv:4: house_number: FIELD_MISSING"));
  EXPECT_THAT(err_, HasSubstr("bad.csv:5: ROW_MALFORMED"));
  EXPECT_THAT(err_, HasSubstr("bad.csv:6: postcode: POSTCODE_INVALID"));
  EXPECT_THAT(err_, Not(HasSubstr("6211")));
  EXPECT_FALSE(std::filesystem::exists(Path("addresses.note")));

  Put("good.csv", "house_number,postcode,house_letter\n12,6211 ab,a\n12,6211AB,\n007,6299 ZZ,\n");
  ASSERT_EQ(Run({"addresses", "new", "--covenant", covenant, "--from", Path("good.csv"), "--number", "4",
                 "--out", Path("addresses.note")}),
            ExitCode::kOk)
      << err_;
  const std::vector<std::string> show = {"addresses", "show", "--covenant", covenant, Path("addresses.note")};
  EXPECT_EQ(Run(show), ExitCode::kVerificationFailed) << "not signed yet";
  ASSERT_EQ(Run({"addresses", "sign", "--covenant", covenant, "--in", Path("addresses.note"), "--key",
                 Path("veiligheidshuis.pem"), "--name", "urn:raakvlak:maastricht:hub:veiligheidshuis"}),
            ExitCode::kOk)
      << err_;
  ASSERT_EQ(Run(show), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("excluded addresses 4, verified"));
  EXPECT_THAT(out_, HasSubstr("  6211AB 12\n  6299ZZ 7\n"));
  clock_.Advance(absl::Hours(24 * 31));
  EXPECT_EQ(Run(show), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("EXCLUDED_LIST_STALE"));
  Put("wrong.csv", "postcode,number\n6211AB,12\n");
  EXPECT_EQ(Run({"addresses", "new", "--covenant", covenant, "--from", Path("wrong.csv"), "--number", "4"}),
            ExitCode::kUsage);
}

TEST_F(PolicyCommandsTest, RosterCommandsRefuseWrongUse) {
  MakeCovenant();
  SignByAll();
  Put("roster.textproto", kRosterSample);
  EXPECT_EQ(Run({"roster", "new", "--from", Path("roster.textproto")}), ExitCode::kUsage);
  EXPECT_EQ(Run({"roster", "new", "--from", Path("roster.textproto"), "--covenant", Path("covenant.note"),
                 "--days", "32"}),
            ExitCode::kUsage);
  EXPECT_EQ(Run({"roster", "new", "--from", Path("roster.textproto"), "--covenant", Path("covenant.note"),
                 "--number", "1"}),
            ExitCode::kVerificationFailed)
      << "keys are not filled in";
}

TEST_F(PolicyCommandsTest, AgreementsAreNeverWrittenOver) {
  MakeCovenant();
  SignByAll();
  const std::string covenant = Path("covenant.note");
  Put("mine", "mine");
  Put("addresses.csv", "postcode,house_number\n6211AB,12\n");
  std::vector<std::string> sign = {"covenant", "sign",
                                   "--in",     covenant,
                                   "--key",    Path("veiligheidshuis.pem"),
                                   "--name",   "urn:raakvlak:maastricht:hub:veiligheidshuis"};
  const std::vector<std::vector<std::string>> commands = {
      {"covenant", "new"},
      {"covenant", "new", "--from", Path("covenant.textproto")},
      {"covenant", "new", "--previous", covenant},
      {"covenant", "withdraw", "--covenant", covenant, "--partner", "politie", "--key", Path("politie.pem")},
      {"roster", "new"},
      {"addresses", "new", "--covenant", covenant, "--from", Path("addresses.csv"), "--number", "4"},
      sign};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--out", Path("mine")});
    EXPECT_EQ(Run(command), ExitCode::kError) << command[0] << " " << command[1];
    EXPECT_THAT(err_, HasSubstr("is there already and is not replaced"));
    EXPECT_EQ(Get("mine"), "mine") << command[0] << " " << command[1];
    command.back() = Path("new");
    EXPECT_EQ(Run(command), ExitCode::kOk) << command[0] << " " << command[1] << err_;
    std::filesystem::remove(Path("new"));
  }
  sign.insert(sign.end(), {"--out", covenant});
  EXPECT_EQ(Run(sign), ExitCode::kOk) << "the same file: " << err_;
}

TEST_F(PolicyCommandsTest, KeysAreNeverWrittenOver) {
  NewSigningKey("node", "politie");
  const std::string before = Get("politie.pem");
  EXPECT_EQ(Run({"key", "new", "--kind", "signing", "--name", "urn:raakvlak:maastricht:node:politie", "--out",
                 Path("politie.pem")}),
            ExitCode::kError);
  EXPECT_EQ(Run({"key", "new", "--kind", "vault", "--out", Path("politie.pem")}), ExitCode::kError);
  EXPECT_EQ(Get("politie.pem"), before);
  EXPECT_EQ(Run({"key", "new", "--kind", "signing", "--out", Path("a.pem")}), ExitCode::kUsage)
      << "without a name";
  EXPECT_EQ(Run({"key", "new", "--kind", "tls", "--out", Path("a.pem")}), ExitCode::kUsage);
}

TEST_F(PolicyCommandsTest, SecretsAreNotPrinted) {
  NewSigningKey("node", "politie");
  EXPECT_THAT(out_ + err_, Not(HasSubstr("PRIVATE KEY")));
  for (const std::string kind : {"vault", "details", "log", "witness"}) {
    ASSERT_EQ(Run({"key", "new", "--kind", kind, "--out", Path(kind)}), ExitCode::kOk);
    EXPECT_THAT(out_ + err_, Not(HasSubstr(Get(kind).substr(0, 43)))) << kind;
    EXPECT_EQ(Run({"key", "new", "--kind", kind, "--out", Path(kind)}), ExitCode::kError) << "written over";
  }
}

TEST_F(PolicyCommandsTest, TheSampleHasTheRulesAskedFor) {
  ASSERT_EQ(Run({"covenant", "new"}), ExitCode::kOk);
  const std::string plain = out_;
  ASSERT_EQ(Run({"covenant", "new", "--rules", "default"}), ExitCode::kOk);
  EXPECT_EQ(out_, plain);
  for (const linkage::DefaultRule& each : linkage::DefaultPersonRules()) {
    EXPECT_THAT(plain, HasSubstr("id: \"" + each.rule.id + "\""));
  }
  ASSERT_EQ(Run({"covenant", "new", "--rules", "basic"}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("id: \"surname-initial-birthdate\""));
  EXPECT_THAT(out_, Not(HasSubstr("fields:")));
  EXPECT_EQ(Run({"covenant", "new", "--rules", "many"}), ExitCode::kUsage);
}

TEST_F(PolicyCommandsTest, VerifyRefusesARuleWithAFieldThatThereIsNot) {
  MakeCovenant();
  const std::string text = Get("covenant.textproto");
  Put("covenant.textproto",
      absl::StrReplaceAll(text, {{"fields: \"bsn\"", "fields: \"bsn\" fields: \"shoe_size\""}}));
  EXPECT_EQ(Run({"covenant", "new", "--from", Path("covenant.textproto")}), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("COVENANT_INVALID"));
  EXPECT_THAT(err_, HasSubstr("there is no derived field \"shoe_size\""));
}

TEST_F(PolicyCommandsTest, ARuleOverTheCollisionBudgetIsNeitherSignedNorVerified) {
  MakeCovenant();
  SignByAll();
  const std::string good = Get("covenant.note");
  // As if made by another program: signed by all, over the budget.
  crypto::note::Note note = *crypto::note::Parse(good);
  note.text =
      absl::StrReplaceAll(note.text, {{"fields: \"birth_date_unordered\"", "fields: \"birth_year\""}});
  ASSERT_NE(note.text, crypto::note::Parse(good)->text);
  note.signatures.clear();
  for (const std::string& id : partners_) SignNote(note, "node", id);
  SignNote(note, "hub", "veiligheidshuis");
  Put("covenant.note", crypto::note::Format(note));
  EXPECT_EQ(Verify(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("COVENANT_INVALID"));
  EXPECT_THAT(err_, HasSubstr("rule \"names-birthdate\": collision budget"));
  EXPECT_EQ(Sign("node", "politie"), ExitCode::kVerificationFailed);
  Put("covenant.textproto", note.text);
  EXPECT_EQ(Run({"covenant", "new", "--from", Path("covenant.textproto")}), ExitCode::kVerificationFailed);
  // Shown all the same, with the verdict.
  EXPECT_EQ(Run({"covenant", "show", Path("covenant.note")}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("refused: over the budget"));
  ASSERT_EQ(Run({"--json", "linkage", "budget", "--covenant", Path("covenant.note")}), ExitCode::kOk) << err_;
  EXPECT_EQ(Json()["population"], 300'000);
  EXPECT_EQ(Json()["rules"][1]["rule"], "names-birthdate");
  EXPECT_EQ(Json()["rules"][1]["within"], false);
}

TEST_F(PolicyCommandsTest, BudgetShowsTheDefaultRules) {
  ASSERT_EQ(Run({"linkage", "budget", "--population", "300000"}), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("region of 300,000"));
  EXPECT_THAT(out_, ::testing::ContainsRegex("\\(households\\) +address +STRONG +0 "));
  ASSERT_EQ(Run({"--json", "linkage", "budget", "--population", "300000"}), ExitCode::kOk);
  const nlohmann::json json = Json();
  EXPECT_EQ(json["budget"], 0.001);
  ASSERT_EQ(json["rules"].size(),
            linkage::DefaultPersonRules().size() + linkage::DefaultHouseholdRules().size());
  for (const auto& rule : json["rules"]) {
    EXPECT_TRUE(rule["within"]) << rule;
    EXPECT_GE(rule["nationally"]["total"], rule["here"]["strangers"]);
  }
  EXPECT_EQ(Run({"linkage", "budget"}), ExitCode::kUsage);
}

TEST_F(PolicyCommandsTest, ExplainShowsFieldsAndRulesOfARecord) {
  ASSERT_EQ(Run({"--json", "linkage", "explain", "--surname", "Jansen-de Vries", "--given-names", "Muhammad",
                 "--birth-date", "2010-05-00"}),
            ExitCode::kOk)
      << err_;
  const nlohmann::json json = Json();
  EXPECT_EQ(json["recipe"], 2);
  EXPECT_EQ(json["normalised"],
            (nlohmann::json{
                {"surname", "jansen + vries"}, {"given_names", "muhammad"}, {"birth_date", "2010-05"}}));
  ASSERT_EQ(json["rules"].size(),
            linkage::DefaultPersonRules().size() + linkage::DefaultHouseholdRules().size());
  EXPECT_EQ(json["rules"][0]["id"], "bsn");
  EXPECT_EQ(json["rules"][0]["fires"], false);
  EXPECT_EQ(json["rules"][0]["missing"], nlohmann::json::array({"bsn"}));
  ASSERT_EQ(Run({"linkage", "explain", "--bsn", "999993653"}), ExitCode::kOk);
  EXPECT_THAT(out_, ::testing::ContainsRegex("bsn +EXACT +yes +bsn=999993653"));
}

TEST_F(PolicyCommandsTest, ExplainTakesARowAndTheRulesOfACovenant) {
  MakeCovenant();
  Put("signals.csv",
      "client_ref,purpose,kind,category,surname,given_names,birth_date\n"
      "1,onaantastbaren,signal,overlast,Jansen,Piet,2010-02-03\n"
      "2,onaantastbaren,signal,overlast,\"Berg, van den\",Lisa,2010-02-30\n");
  ASSERT_EQ(Run({"--json", "linkage", "explain", "--file", Path("signals.csv"), "--line", "2", "--covenant",
                 Path("covenant.note"), "--purpose", "onaantastbaren"}),
            ExitCode::kOk)
      << err_;
  EXPECT_EQ(Json()["normalised"]["surname"], "jansen");
  EXPECT_EQ(Json()["rules"].size(), linkage::DefaultPersonRules().size());
  EXPECT_EQ(Run({"linkage", "explain", "--file", Path("signals.csv"), "--line", "3"}), ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("DATE_INVALID"));
  EXPECT_THAT(err_, Not(HasSubstr("Berg")));
  EXPECT_EQ(out_, "");
}

TEST_F(PolicyCommandsTest, ExplainRefusesWrongUse) {
  MakeCovenant();
  Put("signals.csv", "client_ref,purpose,kind,category,surname\n1,onaantastbaren,signal,overlast,Jansen\n");
  EXPECT_EQ(Run({"linkage", "explain", "--file", Path("signals.csv")}), ExitCode::kUsage);
  EXPECT_EQ(Run({"linkage", "explain", "--file", Path("signals.csv"), "--line", "9"}), ExitCode::kUsage);
  EXPECT_EQ(Run({"linkage", "explain", "--file", Path("none.csv"), "--line", "2"}), ExitCode::kError);
  EXPECT_EQ(Run({"linkage", "explain", "--covenant", Path("covenant.note")}), ExitCode::kUsage);
  EXPECT_EQ(Run({"linkage", "explain", "--covenant", Path("covenant.note"), "--purpose", "none"}),
            ExitCode::kUsage);
  EXPECT_THAT(err_, HasSubstr("onaantastbaren"));
}

TEST_F(PolicyCommandsTest, HelpHasExamples) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"covenant", "new"},
                                                                   {"covenant", "sign"},
                                                                   {"covenant", "verify"},
                                                                   {"covenant", "show"},
                                                                   {"linkage", "explain"},
                                                                   {"roster", "new"},
                                                                   {"roster", "sign"},
                                                                   {"roster", "show"},
                                                                   {"key", "new"}}) {
    EXPECT_EQ(Run({command[0], command[1], "--help"}), ExitCode::kOk);
    EXPECT_THAT(out_, HasSubstr("Examples:\n  raakvlak " + command[0] + " " + command[1]));
  }
}

}  // namespace
}  // namespace raakvlak::cli

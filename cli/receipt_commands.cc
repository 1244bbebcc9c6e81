#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement_io.h"
#include "cli/output.h"
#include "cli/signal_commands.h"
#include "crypto/note/note.h"
#include "policy/receipt.h"

namespace raakvlak::cli {
namespace {

// The node waits for the broker, which has its log cosigned.
constexpr absl::Duration kReceiptTimeout = absl::Seconds(30);
constexpr unsigned kReceiptMode = 0600;

void Print(const policy::VerifiedReceipt& receipt, nlohmann::ordered_json json, Context& context) {
  const std::string id = absl::StrCat(receipt.log.substr(receipt.log.rfind('/') + 1), "/", receipt.index);
  json["partner"] = receipt.partner;
  json["purpose"] = receipt.details.purpose();
  json["envelope_hash"] = base::Hex(receipt.envelope_hash);
  json["log"] = receipt.log;
  json["entry"] = id;
  json["logged"] = TimeText(receipt.time_ms);
  json["checkpoint_size"] = receipt.checkpoint_size;
  json["cosigned"] = TimeText(static_cast<int64_t>(receipt.cosigned_time) * 1000);
  json["witnesses"] = receipt.witnesses;
  if (context.json) {
    PrintJson(context.out, json);
    return;
  }
  context.out << "proven: " << Printable(receipt.partner) << " submitted this envelope for "
              << Printable(receipt.details.purpose()) << "\n";
  PrintLine(context.out, "envelope", base::Hex(receipt.envelope_hash));
  PrintLine(context.out, "logged",
            absl::StrCat(TimeText(receipt.time_ms), ", entry ", id, " of ", receipt.log));
  PrintLine(context.out, "log size", absl::StrCat(receipt.checkpoint_size));
  PrintLine(context.out, "cosigned",
            absl::StrCat(TimeText(static_cast<int64_t>(receipt.cosigned_time) * 1000), " by ",
                         absl::StrJoin(receipt.witnesses, ", ")));
}

struct GetOptions {
  std::string client_ref;
  std::string out;
};

absl::StatusOr<ExitCode> GetReceipt(const GetOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake, context.services->Intake());
  v1::GetReceiptRequest request;
  request.set_client_ref(options.client_ref);
  const absl::StatusOr<v1::GetReceiptResponse> response = intake->GetReceipt(request, kReceiptTimeout);
  if (!response.ok()) return FromPeer(response.status());
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::VerifiedReceipt verified,
                            policy::VerifyReceipt(response->receipt(), *covenant));
  if (verified.partner != context.identity->name) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                       "the receipt is about a signal of another partner");
  }
  if (!options.out.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(options.out, response->receipt(), kReceiptMode));
  }
  Print(verified, {{"client_ref", options.client_ref}, {"receipt", base::Base64(response->receipt())}},
        context);
  return ExitCode::kOk;
}

struct VerifyOptions {
  std::string file;
  std::string covenant;
};

absl::StatusOr<ExitCode> VerifyReceipt(const VerifyOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string note,
                            base::ReadFile(options.covenant, crypto::note::kMaxNoteSize));
  // Not whether it is valid now: a receipt is good for as long as somebody keeps the covenant of its time.
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, policy::Covenant::Verify(note));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(options.file, policy::kMaxReceiptSize));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::VerifiedReceipt verified, policy::VerifyReceipt(bytes, *covenant));
  Print(verified, nlohmann::ordered_json::object(), context);
  return ExitCode::kOk;
}

}  // namespace

void AddReceiptCommands(Commands& commands, CLI::App& group) {
  auto get = std::make_shared<GetOptions>();
  CLI::App& receipt = commands.Add(
      group, "receipt", "Prove that a signal was logged by the broker, and keep the proof",
      "raakvlak --region region.json --as politie signal receipt P-2026-0017\n"
      "raakvlak --region region.json --as politie signal receipt P-2026-0017 --out P-2026-0017.receipt\n"
      "raakvlak --region region.json --as politie --json signal receipt P-2026-0017",
      Needs::kRegion, [get](Context& context) { return GetReceipt(*get, context); });
  receipt.add_option("CLIENT_REF", get->client_ref, "Your own reference of the signal")
      ->required()
      ->type_name("");
  receipt.add_option("--out", get->out, "Write the receipt to this file; verify-receipt reads it");

  auto verify = std::make_shared<VerifyOptions>();
  CLI::App& verify_command =
      commands.Add(group, "verify-receipt",
                   "Verify a receipt with nothing but the covenant; exit code 5 when it proves nothing",
                   "raakvlak signal verify-receipt P-2026-0017.receipt --covenant covenant.note\n"
                   "raakvlak --json signal verify-receipt P-2026-0017.receipt --covenant covenant.note",
                   Needs::kNothing, [verify](Context& context) { return VerifyReceipt(*verify, context); });
  verify_command.add_option("FILE", verify->file, "The receipt")->required()->type_name("");
  verify_command.add_option("--covenant", verify->covenant, "The signed covenant of the receipt's time")
      ->required();
}

}  // namespace raakvlak::cli

#include "server/log/contradiction_audit.h"

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/reason.h"

namespace raakvlak::log {
namespace {

constexpr absl::Duration kQuiet = absl::Minutes(1);

struct Words {
  absl::string_view reason;
  absl::string_view what;
  absl::string_view to_do;
};

Words WordsFor(Contradiction::Kind kind) {
  switch (kind) {
    case Contradiction::Kind::kFork:
      return {
          base::reason::kLogFork, "the log signed two different trees of one size",
          "keep both checkpoints and call the partners together: somebody is shown another log than others"};
    case Contradiction::Kind::kRollback:
      return {
          base::reason::kLogRollback, "the log came back smaller than it was",
          "ask its operator whether a backup was restored; entries are missing until the newest log is back"};
    case Contradiction::Kind::kInconsistent:
      break;
  }
  return {base::reason::kLogFork, "the log grew without showing that it still holds what was there",
          "run `raakvlak audit verify --since` on it with the checkpoint that this witness keeps"};
}

}  // namespace

void ContradictionAudit::Report(const Contradiction& contradiction) {
  const absl::Time now = clock_.Now();
  {
    base::MutexLock lock(mutex_);
    const auto [last, first_time] =
        last_.emplace(std::pair(contradiction.before.origin, contradiction.kind), now);
    // A clock set back does not silence it.
    if (!first_time && now >= last->second && now - last->second < kQuiet) return;
    last->second = now;
  }
  const Words words = WordsFor(contradiction.kind);
  base::Log(base::LogLevel::kError, "witness.contradiction",
            {{"reason", std::string(words.reason)},
             {"origin", contradiction.before.origin},
             {"size_before", absl::StrCat(contradiction.before.size)},
             {"size_now", absl::StrCat(contradiction.size)},
             {"what", std::string(words.what)},
             {"to_do", std::string(words.to_do)},
             {"checkpoint_before", contradiction.before.note},
             {"checkpoint_now", contradiction.note}});
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(now);
  entry.actor = contradiction.before.origin.substr(0, contradiction.before.origin.rfind('/'));
  entry.action = "witness";
  entry.object = contradiction.before.origin;
  entry.reason =
      absl::StrCat(words.what, ": cosigned before\n", contradiction.before.note, "now\n", contradiction.note);
  entry.result = std::string(words.reason);
  const absl::Status appended = audit_.AppendAudit(entry).status();
  if (!appended.ok()) base::LogStatus(base::LogLevel::kError, "witness.contradiction_not_logged", appended);
}

}  // namespace raakvlak::log

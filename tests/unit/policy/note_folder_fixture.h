// The fixture of the tests of what a process takes of its policy folder: notes of covenants that follow one
// another, and an Authority over files and folder.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "policy/authority.h"
#include "policy/note_folder.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::policy {

class NoteFolderTest : public ::testing::Test {
 protected:
  NoteFolderTest() { Remember(); }

  // Notes of the covenant and roster as they are written now, by version and number.
  struct Notes {
    std::string covenant;
    std::string roster;
  };
  Notes Remember() {
    region_.Write();
    return {*base::ReadFile(region_.covenant_path()), *base::ReadFile(region_.roster_path())};
  }
  // The covenant that follows, valid from `in` on, with the next roster; the files stay what they were.
  Notes Next(absl::Duration in = absl::ZeroDuration(),
             const std::function<void(v1::Covenant&)>& change = nullptr) {
    const Notes files = {*base::ReadFile(region_.covenant_path()), *base::ReadFile(region_.roster_path())};
    region_.NextCovenant();
    region_.covenant().set_valid_from(FormatUtc(region_.clock().Now() + in));
    if (change) change(region_.covenant());
    const Notes next = NextRoster();
    PutFiles(files);
    return next;
  }
  Notes NextRoster() {
    region_.roster().set_number(region_.roster().number() + 1);
    return Remember();
  }
  void PutFiles(const Notes& notes) {
    ASSERT_THAT(base::WriteFileAtomically(region_.covenant_path(), notes.covenant, 0644),
                base::testing::IsOk());
    ASSERT_THAT(base::WriteFileAtomically(region_.roster_path(), notes.roster, 0644), base::testing::IsOk());
  }
  std::string Withdrawal(const std::string& covenant_note, const std::string& partner,
                         const std::string& signer) {
    crypto::note::Note note{WithdrawalText(base::Sha256(crypto::note::Parse(covenant_note)->text), partner),
                            {}};
    const std::string urn = raakvlak::testing::TestRegion::Urn("node", signer);
    const auto& key = region_.KeyOf(urn);
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    return crypto::note::Format(note);
  }

  absl::StatusOr<std::unique_ptr<Authority>> Create(bool read_only = false) {
    return Authority::Create({region_.covenant_path(), region_.roster_path(), folder(), read_only},
                             region_.clock(), high_water_);
  }
  void Start() {
    auto authority = Create();
    ASSERT_THAT(authority, base::testing::IsOk());
    authority_ = *std::move(authority);
  }
  std::string InForce() {
    const auto snapshot = authority_->Current();
    return snapshot.ok() ? snapshot->Name() : base::ReasonOf(snapshot.status());
  }
  void Add(const std::string& note) { ASSERT_THAT(AddNote(folder(), note), base::testing::IsOk()); }
  std::string folder() { return region_.policy_folder(); }
  absl::StatusOr<CheckedNote> CheckHere(const std::string& note) {
    return CheckNote(note, *authority_->Current(), region_.clock().Now());
  }

  raakvlak::testing::TestRegion region_;
  raakvlak::testing::MemoryHighWater high_water_;
  std::unique_ptr<Authority> authority_;
};

}  // namespace raakvlak::policy

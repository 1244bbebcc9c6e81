#include "cli/covenant_changes.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// The value of a field as the covenant's text writes it; of a repeated field all values.
std::string ValueText(const Message& message, const FieldDescriptor& field) {
  std::unique_ptr<Message> alone(message.New());
  std::vector<const FieldDescriptor*> fields;
  alone->CopyFrom(message);
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* each : fields) {
    if (each != &field) alone->GetReflection()->ClearField(alone.get(), each);
  }
  std::string text = policy::PrintText(*alone);
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? "nothing" : text;
}

// Each field that differs and is not in `told`.
void AddFields(const std::string& where, const Message& before, const Message& after,
               const std::vector<std::string>& told, std::vector<std::string>& out) {
  const auto* descriptor = before.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    if (std::find(told.begin(), told.end(), field.name()) != told.end()) continue;
    const std::string was = ValueText(before, field);
    const std::string is = ValueText(after, field);
    if (was != is) out.push_back(absl::StrCat(where, field.name(), ": ", was, " -> ", is));
  }
}

template <typename T>
std::map<std::string, const T*> ById(const google::protobuf::RepeatedPtrField<T>& list) {
  std::map<std::string, const T*> by_id;
  for (const T& each : list) by_id.emplace(each.id(), &each);
  return by_id;
}

void AddPartners(const v1::Covenant& before, const v1::Covenant& after, std::vector<std::string>& out) {
  const auto was = ById(before.partners());
  const auto is = ById(after.partners());
  for (const auto& [id, partner] : is) {
    const auto found = was.find(id);
    if (found == was.end()) {
      out.push_back(absl::StrCat("partner ", id, " joins: ", partner->name(), ", ", partner->organisation(),
                                 ", index ", partner->index()));
    } else {
      AddFields(absl::StrCat("partner ", id, ": "), *found->second, *partner, {}, out);
    }
  }
  for (const auto& [id, partner] : was) {
    if (is.find(id) == is.end()) out.push_back(absl::StrCat("partner ", id, " leaves: ", partner->name()));
  }
}

void AddList(const std::string& where, const google::protobuf::RepeatedPtrField<std::string>& before,
             const google::protobuf::RepeatedPtrField<std::string>& after, std::vector<std::string>& out) {
  std::vector<std::string> was(before.begin(), before.end()), is(after.begin(), after.end());
  std::sort(was.begin(), was.end());
  std::sort(is.begin(), is.end());
  std::vector<std::string> more, less;
  std::set_difference(is.begin(), is.end(), was.begin(), was.end(), std::back_inserter(more));
  std::set_difference(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(less));
  if (!more.empty()) out.push_back(absl::StrCat(where, " now also ", absl::StrJoin(more, ", ")));
  if (!less.empty()) out.push_back(absl::StrCat(where, " no longer ", absl::StrJoin(less, ", ")));
}

void AddPurpose(const v1::Purpose& before, const v1::Purpose& after, std::vector<std::string>& out) {
  const std::string where = absl::StrCat("purpose ", before.id(), ": ");
  if (before.epoch() != after.epoch()) {
    out.push_back(absl::StrCat(
        where, "epoch ", before.epoch(), " -> ", after.epoch(),
        ": new keys are made, every signal is evaluated again; keys and tags of epoch ", before.epoch(),
        after.previous_epoch_until().empty()
            ? " end when the covenant comes into force"
            : absl::StrCat(" are served until ", after.previous_epoch_until(), " and then destroyed")));
  }
  AddList(absl::StrCat(where, "submitters:"), before.submitters(), after.submitters(), out);
  AddList(absl::StrCat(where, "case reporters:"), before.case_reporters(), after.case_reporters(), out);
  AddFields(where, before, after, {"epoch", "previous_epoch_until", "submitters", "case_reporters"}, out);
}

void AddPurposes(const v1::Covenant& before, const v1::Covenant& after, std::vector<std::string>& out) {
  const auto was = ById(before.purposes());
  const auto is = ById(after.purposes());
  for (const auto& [id, purpose] : is) {
    const auto found = was.find(id);
    if (found == was.end()) {
      out.push_back(
          absl::StrCat("purpose ", id, " begins: ", purpose->title(), ", ", purpose->legal_basis()));
    } else {
      AddPurpose(*found->second, *purpose, out);
    }
  }
  for (const auto& [id, purpose] : was) {
    if (is.find(id) != is.end()) continue;
    out.push_back(absl::StrCat("purpose ", id, " ends: its keys and tags are destroyed"));
  }
}

}  // namespace

std::vector<std::string> CovenantChanges(const v1::Covenant& before, const v1::Covenant& after) {
  std::vector<std::string> changes;
  AddPartners(before, after, changes);
  AddPurposes(before, after, changes);
  AddFields("broker: ", before.broker(), after.broker(), {}, changes);
  AddFields("hub: ", before.hub(), after.hub(), {"seal_keys"}, changes);
  AddFields("", before, after, {"version", "supersedes", "partners", "purposes", "broker", "hub"}, changes);
  return changes;
}

}  // namespace raakvlak::cli

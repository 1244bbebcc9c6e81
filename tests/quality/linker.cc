#include "tests/quality/linker.h"

#include <sodium.h>

#include <cstring>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace raakvlak::quality {
namespace {

struct TagHash {
  size_t operator()(const Tag& tag) const {
    size_t hash = 0;
    std::memcpy(&hash, tag.data(), sizeof(hash));
    return hash;
  }
};

class Sets {
 public:
  explicit Sets(size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t Find(uint32_t item) {
    while (parent_[item] != item) item = parent_[item] = parent_[parent_[item]];
    return item;
  }
  void Join(uint32_t a, uint32_t b) { parent_[Find(b)] = Find(a); }

 private:
  std::vector<uint32_t> parent_;
};

std::optional<Tag> TagOf(const linkage::RuleDefinition& rule, const linkage::Normalised& record) {
  const std::vector<std::string> fields = linkage::FieldsOf(rule, record);
  if (fields.empty()) return std::nullopt;
  std::string input = absl::StrCat(rule.id, ":", rule.version);
  for (const std::string& field : fields) absl::StrAppend(&input, ":", field.size(), ":", field);
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(input.data()), input.size());
  Tag tag;
  std::memcpy(tag.data(), digest, tag.size());
  return tag;
}

uint64_t PairsOf(uint64_t n) { return n * (n - (n > 0 ? 1 : 0)) / 2; }

// Pairs within groups of items with the same key; without the pairs within one source when only those across
// count.
template <typename KeyOf>
uint64_t PairsWithin(const std::vector<Item>& items, const std::vector<size_t>& kept, Pairs pairs,
                     KeyOf key_of) {
  std::unordered_map<uint64_t, std::vector<uint32_t>> sources;
  for (const size_t i : kept) sources[key_of(i)].push_back(items[i].source);
  uint64_t count = 0;
  for (const auto& [key, group] : sources) {
    count += PairsOf(group.size());
    if (pairs == Pairs::kAll) continue;
    std::unordered_map<uint32_t, uint64_t> per_source;
    for (const uint32_t source : group) ++per_source[source];
    for (const auto& [source, n] : per_source) count -= PairsOf(n);
  }
  return count;
}

}  // namespace

Item MakeItem(uint32_t person, uint32_t source, const linkage::Normalised& record,
              const std::vector<linkage::DefaultRule>& rules) {
  Item item{person, source, {}};
  for (const linkage::DefaultRule& rule : rules) item.tags.push_back(TagOf(rule.rule, record));
  return item;
}

std::vector<uint32_t> Link(const std::vector<Item>& items, const std::vector<size_t>& rules, Pairs pairs) {
  Sets sets(items.size());
  for (const size_t rule : rules) {
    std::unordered_map<Tag, std::vector<uint32_t>, TagHash> groups;
    for (uint32_t i = 0; i < items.size(); ++i) {
      if (items[i].tags[rule].has_value()) groups[*items[i].tags[rule]].push_back(i);
    }
    for (const auto& [tag, group] : groups) {
      bool counts = pairs == Pairs::kAll;
      for (const uint32_t item : group) counts = counts || items[item].source != items[group[0]].source;
      if (!counts) continue;
      for (const uint32_t item : group) sets.Join(group[0], item);
    }
  }
  std::vector<uint32_t> out(items.size());
  for (uint32_t i = 0; i < items.size(); ++i) out[i] = sets.Find(i);
  return out;
}

Figures Count(const std::vector<Item>& items, const std::vector<uint32_t>& sets, Pairs pairs,
              const std::function<bool(size_t)>& keep) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < items.size(); ++i) {
    if (keep(i)) kept.push_back(i);
  }
  const auto set = [&](size_t i) { return static_cast<uint64_t>(sets[i]); };
  const auto person = [&](size_t i) { return static_cast<uint64_t>(items[i].person); };
  Figures out;
  out.truth = PairsWithin(items, kept, pairs, person);
  out.found = PairsWithin(items, kept, pairs, set);
  out.right = PairsWithin(items, kept, pairs, [&](size_t i) { return set(i) << 32 | person(i); });
  return out;
}

}  // namespace raakvlak::quality

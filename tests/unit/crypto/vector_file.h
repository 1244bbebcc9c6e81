// Reading vector files. A reader that forgets an attribute would pass on what it never checked, so each
// object must be read whole.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::testing {

// The file at tests/vectors/`path`.
inline nlohmann::json ReadVectorFile(const std::string& path) {
  std::ifstream file(std::string(RAAKVLAK_SOURCE_DIR) + "/tests/vectors/" + path);
  return nlohmann::json::parse(file);
}

// One JSON object. Fails the test, when it goes, for each attribute that nobody read.
class VectorObject {
 public:
  explicit VectorObject(nlohmann::json object) : object_(std::move(object)) {}
  VectorObject(const VectorObject&) = delete;
  VectorObject& operator=(const VectorObject&) = delete;
  ~VectorObject() {
    for (const auto& [key, value] : object_.items()) {
      EXPECT_TRUE(used_.contains(key)) << "unused attribute " << key;
    }
  }

  bool Has(const std::string& key) const { return object_.contains(key); }
  const nlohmann::json& Raw(const std::string& key) {
    used_.insert(key);
    return object_.at(key);
  }
  int Number(const std::string& key) { return Raw(key).get<int>(); }
  std::string Text(const std::string& key) { return Raw(key).get<std::string>(); }
  // Hexadecimal.
  std::string Bytes(const std::string& key) { return base::ParseHex(Text(key)).value(); }
  // Hexadecimal, separated by commas.
  std::vector<std::string> BytesList(const std::string& key) {
    std::vector<std::string> out;
    for (const std::string& hex : std::vector<std::string>(absl::StrSplit(Text(key), ','))) {
      out.push_back(base::ParseHex(hex).value());
    }
    return out;
  }

 private:
  const nlohmann::json object_;
  std::set<std::string> used_;
};

}  // namespace raakvlak::crypto::testing

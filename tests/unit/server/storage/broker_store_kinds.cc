#include "server/storage/memory/broker_store.h"
#include "server/storage/sqlite/broker_store.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {

std::vector<BrokerStoreKind> BrokerStoreKinds() {
  return {{"Memory",
           [](const std::string&) -> std::unique_ptr<BrokerStore> {
             return std::make_unique<MemoryBrokerStore>();
           }},
          {"Sqlite", [](const std::string& folder) -> std::unique_ptr<BrokerStore> {
             auto store = SqliteBrokerStore::Open(folder + "/broker.db");
             RAAKVLAK_CHECK(store.ok(), "the store opens");
             return *std::move(store);
           }}};
}

}  // namespace raakvlak::storage

#include "server/storage/memory/broker_store.h"
#include "server/storage/sqlite/broker_store.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {

std::vector<BrokerStoreKind> BrokerStoreKinds() {
  return {{"Memory",
           [](const std::string&) -> std::unique_ptr<BrokerStore> {
             return std::make_unique<MemoryBrokerStore>("urn:raakvlak:maastricht:broker:test");
           }},
          {"Sqlite", [](const std::string& folder) -> std::unique_ptr<BrokerStore> {
             auto store = SqliteBrokerStore::Open(folder + "/broker.db", testing::TestCodec());
             RAAKVLAK_CHECK(store.ok(), "the store opens");
             return *std::move(store);
           }}};
}

}  // namespace raakvlak::storage

package dev.gatehouse.limit;

import dev.gatehouse.Gateway;
import java.util.LinkedHashMap;
import java.util.Map;

/** The stores of a gateway, one for each URL however many filters name it. */
final class PermitStores implements AutoCloseable {

  private static final String SETTING = "rateLimit.store";

  /** Guarded by this. */
  private final Map<StoreUrl, PermitStore> stores = new LinkedHashMap<>();

  synchronized PermitStore at(StoreUrl url, Gateway gateway) {
    PermitStore known = stores.get(url);
    if (known != null) {
      return known;
    }
    PermitStore made = new PermitStore(url, System::nanoTime);
    String name = stores.isEmpty() ? SETTING : SETTING + "-" + (stores.size() + 1);
    stores.put(url, made);
    gateway.report(name, made::state);
    gateway.metrics().limitStore(name, made, store -> store.isLost() ? 0 : 1, PermitStore::nodes);
    PermitStore.Counts counts = made.counts();
    gateway.metrics().limitStoreUse(name, counts.questions(), counts.batches(), counts.losses());
    made.awaitFirstTry();
    return made;
  }

  @Override
  public synchronized void close() {
    stores.values().forEach(PermitStore::close);
  }
}

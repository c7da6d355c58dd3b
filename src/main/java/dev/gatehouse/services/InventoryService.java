package dev.gatehouse.services;

import dev.gatehouse.proxy.ServiceProxy;

/** The service that knows the stock. */
public final class InventoryService extends ServiceProxy {

  private static final long serialVersionUID = 1L;
}

package dev.gatehouse.services;

import dev.gatehouse.proxy.ServiceProxy;

/** The service that knows the orders. */
public final class OrderService extends ServiceProxy {

  private static final long serialVersionUID = 1L;
}

package dev.gatehouse.services;

import dev.gatehouse.proxy.ServiceProxy;

/** The service that knows the products. */
public final class ProductService extends ServiceProxy {

  private static final long serialVersionUID = 1L;
}

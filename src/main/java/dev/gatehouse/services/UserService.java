package dev.gatehouse.services;

import dev.gatehouse.proxy.ServiceProxy;

/** The service that knows the users. */
public final class UserService extends ServiceProxy {

  private static final long serialVersionUID = 1L;
}

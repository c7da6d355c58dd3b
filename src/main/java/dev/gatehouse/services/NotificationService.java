package dev.gatehouse.services;

import dev.gatehouse.proxy.ServiceProxy;

/** The service that knows the notifications. */
public final class NotificationService extends ServiceProxy {

  private static final long serialVersionUID = 1L;
}

/**
 * The vocabulary: what every part of the gateway speaks of, and the life of the web application.
 *
 * <p>One request, in the order of web.xml:
 *
 * <ol>
 *   <li>{@code ExchangeFilter} opens the {@link dev.gatehouse.Exchange};
 *   <li>{@code AccessLogFilter} asks to be told of its end;
 *   <li>{@code ClientAddressFilter} finds the client behind trusted proxies;
 *   <li>{@code StrictRequestFilter} refuses what could mean two things;
 *   <li>{@code AuthenticationFilter} and {@code AuthorizationFilter} find out who calls, and
 *       whether they may;
 *   <li>{@code GatewayHeadersFilter} writes down what the service is to be told;
 *   <li>{@code ServiceProxy} forwards, by an {@code Attempt};
 *   <li>{@code ExchangeFilter} closes the exchange when the server tells that it is over; an {@code
 *       Attempt} that breaks off an answer does so itself. The first one counts.
 * </ol>
 */
@NullMarked
package dev.gatehouse;

import org.jspecify.annotations.NullMarked;

/**
 * The demo: sample services, and the gateway in front of them in a real Jetty. Knows the gateway
 * only from outside, by its WAR and its settings.
 */
@NullMarked
package dev.gatehouse.demo;

import org.jspecify.annotations.NullMarked;

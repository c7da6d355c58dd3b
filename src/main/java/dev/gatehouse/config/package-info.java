/**
 * Turns the strings of web.xml and of the settings' sources into typed values, or into one complete
 * list of what is wrong. Knows no feature of the gateway.
 */
@NullMarked
package dev.gatehouse.config;

import org.jspecify.annotations.NullMarked;

/**
 * HTTP as the RFCs state it: pure functions over strings. Knows no servlet, no Jetty and no clock.
 */
@NullMarked
package dev.gatehouse.http;

import org.jspecify.annotations.NullMarked;

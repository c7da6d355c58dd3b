/** Carries one exchange to a service and back: the only package that knows Jetty. */
@NullMarked
package dev.gatehouse.proxy;

import org.jspecify.annotations.NullMarked;

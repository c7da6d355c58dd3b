/** How log lines get out without holding up requests: the one package that extends logback. */
@NullMarked
package dev.gatehouse.log;

import org.jspecify.annotations.NullMarked;

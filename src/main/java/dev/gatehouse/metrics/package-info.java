/** Counts, and prints the counts. Knows nothing of what is counted but its labels. */
@NullMarked
package dev.gatehouse.metrics;

import org.jspecify.annotations.NullMarked;

/**
 * The exchange's first and last words: opens and closes it, says which requests are refused before
 * anybody looks at their meaning, and tells the log and the service about them.
 */
@NullMarked
package dev.gatehouse.edge;

import org.jspecify.annotations.NullMarked;

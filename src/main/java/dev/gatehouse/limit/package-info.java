/** How often may they: limits of rate and of concurrency, on one node and on many. */
@NullMarked
package dev.gatehouse.limit;

import org.jspecify.annotations.NullMarked;

/** Shows what the gateway knows of itself; reads, never decides. */
@NullMarked
package dev.gatehouse.admin;

import org.jspecify.annotations.NullMarked;

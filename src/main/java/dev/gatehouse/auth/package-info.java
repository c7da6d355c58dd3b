/** Decides who is calling, and whether they may. */
@NullMarked
package dev.gatehouse.auth;

import org.jspecify.annotations.NullMarked;

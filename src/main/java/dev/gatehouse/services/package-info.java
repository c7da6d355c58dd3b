/** One servlet per service: where what is special to one service has its place. */
@NullMarked
package dev.gatehouse.services;

import org.jspecify.annotations.NullMarked;

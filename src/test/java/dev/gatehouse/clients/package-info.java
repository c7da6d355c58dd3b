/**
 * The HTTP clients that people use, each behind the same few words, so that one table tries all.
 */
package dev.gatehouse.clients;

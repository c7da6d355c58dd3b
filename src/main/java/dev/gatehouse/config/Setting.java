package dev.gatehouse.config;

/**
 * One value and where it came from.
 *
 * @param text the value as written, never null; may be empty
 * @param source in words for an admin, such as {@code environment variable GATEHOUSE_USERS_URL}
 */
public record Setting(String text, String source) {}

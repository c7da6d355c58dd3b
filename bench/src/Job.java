package bench;

/** What the contenders are asked to do. */
enum Job {
  /** Strip the prefix and forward. */
  PLAIN("/profile"),
  /** Besides: check tokens, limit callers, tell the service, write a log. */
  FULL("/profile"),
  /** As plain, with answers of 1 MiB. */
  LARGE("/big");

  private final String path;

  Job(String path) {
    this.path = path;
  }

  /** What is asked for behind the prefix. */
  String path() {
    return path;
  }

  @Override
  public String toString() {
    return name().toLowerCase();
  }
}

package dev.gatehouse.limit;

/** Who lends permits of the buckets that all nodes share. Nothing here waits. */
interface Lender {

  /** Has a lease settled: as soon as may be, {@link Lease#draft} and then its answer. */
  void ask(Lease lease);

  /** Whether the shared buckets cannot be reached. */
  boolean isLost();

  /** How many nodes share the buckets, this one included; at least 1. */
  int nodes();

  /** Whether half of a bucket may be gone; false only if the store would have told. */
  boolean mayBeLow(String bucket);

  /** Changes whenever the buckets are back: what was lent before may have been forgotten there. */
  int epoch();

  /** Has something done every now and then. */
  void onTick(Runnable review);
}
